import type { Foreground } from '../../shared/foreground';
import type { Caller } from '../access/access';
import { ConnectionProblem } from '../connections/connection-problem';
import type { DirectoryAccess } from '../directory/directory-access';
import { CREATION_SENT } from '../directory/provisioning.service';
import { AppError, RateLimited } from '../errors';
import { executeItem, type ItemMeans, resultOf, type Verdict } from './item-execution';
import type { Newcomers } from './newcomers';
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
  readonly foreground: Foreground;
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

/** How long a result may wait for others to be written with it. */
interface Pace {
  isOver: boolean;
  readonly over: Promise<void>;
}

const PACE_MS = 30;
/** While calls that somebody waits for need the process and its database. */
const CROWDED_PACE_MS = 200;
/** In multiples of how many are carried out at the same time. */
const MOST_AHEAD = 32;
/** How long the first items wait for a look ahead: next to nothing for Slack, and each item that begins before is looked up by itself. */
const FIRST_LOOK_MS = 250;
/** After which it is looked again whether one of the others has got something to do. */
const LONGEST_LIMITED_MS = 30_000;
const PROBE_MS = 10_000;
/** How long one look at Slack is believed. */
const PROBE_VALID_MS = 5_000;
/** Results that cannot be stored are tried again so often; what is lost even so is found out by reading. */
const STORE_ATTEMPTS = 5;
const STORE_PAUSE_MS = 1_000;

/** One process at one operation for a while: a few items at a time, until there are no more or the time is over. */
export class Slice {
  readonly #over = new AbortController();
  readonly #lookSignal: AbortSignal;
  #looking: Promise<void> | undefined;
  readonly #running = new Map<number, Promise<void>>();
  /** Taken and not begun: a place that gets free is filled without waiting for the database. */
  readonly #ready: ClaimedItem[] = [];
  readonly #until: number;
  #end: SliceEnd | undefined;
  #isDry = false;
  /** The last time that items were taken there were fewer than wanted. */
  #wasDry = false;
  #limitedInARow = 0;
  /** Items that got no answer, of which it is not known yet whether Slack is away: until it is, none is begun. */
  #asking = 0;
  #ahead: number;
  #pace: Pace | undefined;
  #isCanceled: boolean;
  #probe: { readonly at: number; readonly isAway: Promise<boolean> } | undefined;

  constructor(
    private readonly means: SliceMeans,
    private readonly operation: Operation,
    private readonly caller: Caller,
    private readonly ledger: SliceLedger,
    private readonly newcomers: Newcomers,
    private readonly bounds: SliceBounds,
  ) {
    this.#until = means.clock.now() + means.rules.sliceMs;
    this.#lookSignal = AbortSignal.any([bounds.closing, bounds.ended, this.#over.signal]);
    this.#ahead = means.rules.concurrency;
    this.#isCanceled = operation.status === 'CANCELED';
  }

  /** @throws LeaseLost, and what the database throws */
  async run(): Promise<SliceEnd> {
    try {
      // A Slack that was away a moment ago gets one call, not one for each item.
      if (this.operation.setbacks > 0 && (await this.#isAway())) return { isAway: true };
      this.#lookAhead(this.operation);
      await this.#firstLook();
      await this.#work();
    } catch (error) {
      // What is under way ends first: nobody may go on with it while it still writes to Slack.
      this.ledger.close(error);
      this.#handBackReady();
      await Promise.all(this.#running.values());
      if (error instanceof LeaseLost) throw error;
      await this.#storeRest();
    } finally {
      this.#over.abort();
      await this.#looking;
    }
    return { ...this.#end, isDry: this.#isDry };
  }

  async #work(): Promise<void> {
    for (;;) {
      this.#beginReady();
      const room = this.#mayBegin && !this.#isDry ? this.#room : 0;
      if (this.#isTimeToWrite(room)) {
        this.#pace = undefined;
        const { operation, claimed } = await this.ledger.commit(room);
        if (room > 0) this.#wasDry = claimed.length < room;
        if (claimed.length < room) this.#isDry = true;
        this.#takeMoreIfIdle();
        if (operation.status === 'PAUSED') this.#end ??= {};
        if (operation.status === 'CANCELED') this.#cancel();
        this.#ready.push(...claimed);
        this.#lookAhead(operation);
      } else if (this.#running.size === 0) {
        return;
      } else {
        await this.#news();
      }
    }
  }

  get #room(): number {
    return this.means.rules.concurrency + this.#ahead - this.#running.size - this.#ready.length;
  }

  /** Places that stayed empty during the write say that too few were taken ahead. */
  #takeMoreIfIdle(): void {
    const { concurrency } = this.means.rules;
    const isIdle = !this.#isDry && this.#ready.length === 0 && this.#running.size < concurrency;
    if (isIdle) this.#ahead = Math.min(4 * this.#ahead, MOST_AHEAD * concurrency);
  }

  /** Results wait a moment for others, unless something waits for them: many share the cost of a durable write. */
  #isTimeToWrite(room: number): boolean {
    const isHungry = this.#running.size < this.means.rules.concurrency;
    // Half of what is ahead lasts for as long as the write takes.
    const isLow = room > 0 && (this.#ready.length === 0 || room >= this.#ahead / 2);
    if (this.ledger.isAwaited || (isLow && !this.#wasDry)) return true;
    if (!this.ledger.hasNews) return false;
    // Towards the end hardly anything more is to be had, and a write for each of the last items would only delay them.
    return this.#pace?.isOver === true || this.#running.size === 0 || (isHungry && !this.#wasDry);
  }

  async #news(): Promise<void> {
    if (this.ledger.hasNews) this.#pace ??= this.#startPace();
    const news = this.ledger.news();
    await (this.#pace ? Promise.race([news, this.#pace.over]) : news);
  }

  #startPace(): Pace {
    const pace: Pace = {
      isOver: false,
      over: this.means.clock.sleep(this.means.foreground.isCrowded ? CROWDED_PACE_MS : PACE_MS).then(() => {
        pace.isOver = true;
      }),
    };
    return pace;
  }

  get #mayBegin(): boolean {
    const { closing, ended } = this.bounds;
    return !this.#end && !closing.aborted && !ended.aborted && this.means.clock.now() < this.#until;
  }

  #beginReady(): void {
    if (!this.#mayBegin) this.#handBackReady();
    while (this.#asking === 0 && this.#running.size < this.means.rules.concurrency) {
      const item = this.#ready.shift();
      if (!item) return;
      this.#begin(item);
    }
  }

  /** Once: what is taken of a canceled operation after that was under way before, and must come to an end. */
  #cancel(): void {
    if (!this.#isCanceled) this.#handBackReady();
    this.#isCanceled = true;
  }

  #handBackReady(): void {
    this.ledger.handBack(this.#ready.splice(0));
  }

  #begin(item: ClaimedItem): void {
    const work = this.#carryOut(item).finally(() => {
      this.#running.delete(item.index);
      this.#beginReady();
    });
    this.#running.set(item.index, work);
  }

  /** Whoever is begun before its end is looked up one by one. */
  #lookAhead(operation: Operation): void {
    const { clock, rules } = this.means;
    const caller = { ...this.caller, signal: this.#lookSignal, deadlineAt: clock.now() + rules.itemMs };
    this.#looking = this.newcomers.prepare(caller, operation);
  }

  async #firstLook(): Promise<void> {
    const waiting = new AbortController();
    const over = this.means.clock.sleep(FIRST_LOOK_MS, waiting.signal).catch(() => undefined);
    await Promise.race([this.#looking, over]);
    waiting.abort();
  }

  async #carryOut(item: ClaimedItem): Promise<void> {
    const { clock, foreground, rules } = this.means;
    await foreground.turn();
    const caller: Caller = {
      ...this.caller,
      requestId: `${this.operation.id}.${item.index}`,
      deadlineAt: clock.now() + rules.itemMs,
    };
    const verdict = await executeItem(this.means, caller, this.operation, item, {
      progress: item.progress,
      saveProgress: async (progress) => {
        if (!item.isUnheld || progress !== CREATION_SENT) await this.ledger.note(item.index, progress);
      },
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
    else if (verdict.kind === 'done') this.#limitedInARow = 0;
    else if (verdict.kind === 'limited' && verdict.problem instanceof RateLimited) {
      // It waits by itself. Others may be in need of another limit, unless one after the other is not.
      this.#limitedInARow += 1;
      if (this.#limitedInARow < 2 * this.means.rules.concurrency) return;
      this.#end ??= { waitMs: Math.min(verdict.afterMs, LONGEST_LIMITED_MS) };
    }
  }

  /** One item without an answer says little: a cheap read tells whether Slack is there for the others. */
  async #isAway(): Promise<boolean> {
    const now = this.means.clock.now();
    if (!this.#probe || now - this.#probe.at >= PROBE_VALID_MS) this.#probe = { at: now, isAway: this.#probeSlack() };
    this.#asking += 1;
    try {
      return await this.#probe.isAway;
    } finally {
      this.#asking -= 1;
    }
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
