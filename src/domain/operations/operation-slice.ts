import type { Caller } from '../access/access';
import { ConnectionProblem } from '../connections/connection-problem';
import type { DirectoryAccess } from '../directory/directory-access';
import { AppError, RateLimited } from '../errors';
import { executeItem, type ItemMeans, resultOf, type Verdict } from './item-execution';
import type { Operation } from './operation';
import type { ClaimedItem } from './operation-item';
import { LeaseLost, type SliceLedger } from './slice-ledger';

export interface RunnerRules {
  /** Items of one operation that are carried out at the same time. */
  readonly concurrency: number;
  /** From when on a slice takes no further items. */
  readonly sliceMs: number;
  /** How long one item may take. */
  readonly itemMs: number;
}

export interface SliceBounds {
  /** Aborts when no further items are to be begun. */
  readonly closing: AbortSignal;
  /** Aborts when what is under way is to be broken off and handed back. */
  readonly ended: AbortSignal;
}

export interface SliceMeans extends ItemMeans {
  readonly access: DirectoryAccess;
  readonly rules: RunnerRules;
}

/** Why a slice took no further items, as far as it concerns the next one. */
export interface SliceEnd {
  readonly pause?: { readonly kind: 'CONNECTION' | 'API_KEY'; readonly problem: AppError };
  /** Slack does not answer at all. */
  readonly isAway?: boolean;
  /** What is left must wait so long. */
  readonly waitMs?: number;
  /** Nothing was left that could be begun. */
  readonly isDry?: boolean;
}

const PROBE_MS = 10_000;
/** How long one look at Slack is believed. */
const PROBE_VALID_MS = 5_000;
/** Results that cannot be stored are tried again so often; what is lost even so is found out by reading. */
const STORE_ATTEMPTS = 5;
const STORE_PAUSE_MS = 1_000;

/** One process at one operation for a while: a few items at a time, until there are no more or the time is over. */
export class Slice {
  readonly #running = new Map<number, Promise<void>>();
  readonly #until: number;
  #end: SliceEnd | undefined;
  #isDry = false;
  #probe: { readonly at: number; readonly isAway: Promise<boolean> } | undefined;

  constructor(
    private readonly means: SliceMeans,
    private readonly operation: Operation,
    private readonly caller: Caller,
    private readonly ledger: SliceLedger,
    private readonly bounds: SliceBounds,
  ) {
    this.#until = means.clock.now() + means.rules.sliceMs;
  }

  /** @throws LeaseLost, and what the database throws */
  async run(): Promise<SliceEnd> {
    try {
      await this.#work();
    } catch (error) {
      // What is under way ends first: nobody may go on with it while it still writes to Slack.
      this.ledger.close(error);
      await Promise.all(this.#running.values());
      if (error instanceof LeaseLost) throw error;
      await this.#storeRest();
    }
    return { ...this.#end, isDry: this.#isDry };
  }

  async #work(): Promise<void> {
    for (;;) {
      const free = this.#mayBegin ? this.means.rules.concurrency - this.#running.size : 0;
      if (this.ledger.hasNews || (free > 0 && !this.#isDry)) {
        const { operation, claimed } = await this.ledger.commit(this.#isDry ? 0 : free);
        if (free > 0 && claimed.length < free) this.#isDry = true;
        if (operation.status === 'PAUSED') this.#end ??= {};
        for (const item of claimed) this.#begin(item);
      } else if (this.#running.size === 0) {
        return;
      } else {
        await this.ledger.news();
      }
    }
  }

  get #mayBegin(): boolean {
    const { closing, ended } = this.bounds;
    return !this.#end && !closing.aborted && !ended.aborted && this.means.clock.now() < this.#until;
  }

  #begin(item: ClaimedItem): void {
    const work = this.#carryOut(item).finally(() => this.#running.delete(item.index));
    this.#running.set(item.index, work);
  }

  async #carryOut(item: ClaimedItem): Promise<void> {
    const { clock, rules } = this.means;
    const caller: Caller = {
      ...this.caller,
      requestId: `${this.operation.id}.${item.index}`,
      deadlineAt: clock.now() + rules.itemMs,
    };
    const verdict = await executeItem(this.means, caller, this.operation, item, {
      progress: item.progress,
      saveProgress: (progress) => this.ledger.note(item.index, progress),
    });
    const isAway = verdict.kind === 'unanswered' && (await this.#isAway());
    this.#consider(verdict, isAway);
    // Whoever waits for this item, being about the same person, may come now.
    this.#isDry = false;
    this.ledger.settle(resultOf(this.means, this.operation, item, verdict, { isAway }));
  }

  #consider(verdict: Verdict, isAway: boolean): void {
    if (verdict.kind === 'blocked') this.#end = { pause: { kind: 'CONNECTION', problem: verdict.problem } };
    else if (isAway) this.#end ??= { isAway };
    else if (verdict.kind === 'limited' && verdict.problem instanceof RateLimited) {
      this.#end ??= { waitMs: verdict.afterMs };
    }
  }

  /** One item without an answer says little: a cheap read tells whether Slack is there for the others. */
  #isAway(): Promise<boolean> {
    const now = this.means.clock.now();
    if (!this.#probe || now - this.#probe.at >= PROBE_VALID_MS) this.#probe = { at: now, isAway: this.#probeSlack() };
    return this.#probe.isAway;
  }

  async #probeSlack(): Promise<boolean> {
    const { access, clock } = this.means;
    const caller = { ...this.caller, deadlineAt: clock.now() + PROBE_MS };
    try {
      const connection = await access.find(caller, this.operation.connectionId, 'users:write');
      await access.use(caller, connection, (client) => client.probe(caller));
      return false;
    } catch (error) {
      const isOfSlack = error instanceof AppError && !(error instanceof RateLimited);
      return isOfSlack && (error.retryable || error instanceof ConnectionProblem);
    }
  }

  /** The database failed; it may come back before the lease is over. */
  async #storeRest(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.ledger.commit(0);
        return;
      } catch (error) {
        if (attempt >= STORE_ATTEMPTS || error instanceof LeaseLost) throw error;
        await this.means.clock.sleep(STORE_PAUSE_MS, this.bounds.ended);
      }
    }
  }
}
