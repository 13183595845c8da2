import type { Clock } from '../../shared/clock';
import { CREATION_SENT, NOTHING_SENT } from '../directory/provisioning.service';
import { StillRunning } from '../errors';
import type { ItemNote, ItemResult } from '../operation-ports';
import type { Database } from '../ports';
import type { Newcomers } from './newcomers';
import { type Operation, type OperationId, recounted } from './operation';
import type { ClaimedItem } from './operation-item';

/** Somebody else runs the operation now, or it is gone: whatever is still to be written must not be. */
export class LeaseLost extends Error {
  constructor() {
    super('The lease of the operation has gone to somebody else');
    this.name = 'LeaseLost';
  }
}

interface WaitingNote extends ItemNote {
  readonly saved: () => void;
  readonly failed: (error: unknown) => void;
}

interface News {
  readonly notes: readonly WaitingNote[];
  readonly results: readonly ItemResult[];
  readonly handedBack: readonly ClaimedItem[];
}

/** In which items are taken: in a canceled operation only what was under way is left, and it must come to an end. */
const claimable: readonly Operation['status'][] = ['RUNNING', 'CANCELED'];

export function leaseName(id: OperationId): string {
  return `operation ${id}`;
}

/**
 * What the items of one slice have to write, gathered: while one transaction is under way, everything that comes up waits
 * for the next one, so that many items share the cost of a durable write.
 */
export class SliceLedger {
  #notes: WaitingNote[] = [];
  #results: ItemResult[] = [];
  #handedBack: ClaimedItem[] = [];
  #hasSucceeded = false;
  #closed: unknown;
  #tell = () => {};

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly id: OperationId,
    private readonly owner: string,
    private readonly newcomers: Newcomers,
  ) {}

  get hasNews(): boolean {
    return this.#notes.length > 0 || this.#results.length > 0 || this.#handedBack.length > 0;
  }

  /** Somebody waits for a note to be stored. */
  get isAwaited(): boolean {
    return this.#notes.length > 0;
  }

  /** Resolves when there is something more to write. */
  news(): Promise<void> {
    return new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  /** Resolves once it is stored. @throws when it cannot be: then nothing may be sent. */
  note(index: number, progress: string): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return new Promise((saved, failed) => {
      this.#notes.push({ index, progress, saved, failed });
      this.#tell();
    });
  }

  /** Of an item that was taken and not begun. */
  handBack(items: readonly ClaimedItem[]): void {
    this.#handedBack.push(...items);
    if (items.length > 0) this.#tell();
  }

  settle(result: ItemResult): void {
    this.#results.push(result);
    if (result.status === 'SUCCEEDED') this.#hasSucceeded = true;
    this.#tell();
  }

  /** Nothing is to be sent any more; results are still taken. */
  close(reason: unknown): void {
    this.#closed ??= reason;
    for (const { failed } of this.#notes.splice(0)) failed(this.#closed);
  }

  /**
   * Writes what has come up, and takes up to `claim` further items.
   * @returns the operation as it is then.
   * @throws LeaseLost, and what the database throws; results stay for another try.
   */
  async commit(claim: number): Promise<{ operation: Operation; claimed: readonly ClaimedItem[] }> {
    const notes = this.#notes.splice(0);
    const results = this.#results.splice(0);
    const handedBack = this.#handedBack.splice(0);
    try {
      const written = await this.#write({ notes, results, handedBack }, claim);
      for (const { saved } of notes) saved();
      this.#hasSucceeded = false;
      return written;
    } catch (error) {
      this.#results.unshift(...results);
      this.#handedBack.unshift(...handedBack);
      for (const { failed } of notes) failed(error instanceof LeaseLost ? takenOver() : error);
      throw error;
    }
  }

  #write({ notes, results, handedBack }: News, claim: number) {
    return this.database.transaction(async ({ operations, leases }) => {
      const operation = await operations.lock(this.id);
      if (!operation || !(await leases.confirm(leaseName(this.id), this.owner))) throw new LeaseLost();
      const isCanceled = operation.status === 'CANCELED';
      await operations.saveProgress(this.id, [...notes, ...notesOf(handedBack, NOTHING_SENT)]);
      const settling = [
        ...(isCanceled ? results.map(inCanceled) : results),
        ...handedBack.map(({ index, attempts, progress = NOTHING_SENT }) => {
          return { index, attempts, status: isCanceled && progress === NOTHING_SENT ? 'SKIPPED' : 'PENDING' } as const;
        }),
      ];
      const settled = await operations.settleItems(operation, settling);
      const isClaimable = claimable.includes(operation.status);
      const now = new Date(this.clock.now());
      const pending = isClaimable ? await operations.claimItems(this.id, now, claim) : [];
      const claimed = pending.map((item) => ({ ...item, isUnheld: this.newcomers.isUnheld(item) }));
      // Noted at once, so that a creation can leave without another write.
      await operations.saveProgress(this.id, notesOf(claimed, CREATION_SENT));
      if (settling.length === 0 && claimed.length === 0) return { operation, claimed };
      let { counts } = operation;
      for (const { status } of settling) counts = recounted(counts, 'RUNNING', status, 1);
      counts = recounted(counts, 'PENDING', 'RUNNING', claimed.length);
      // After a commit whose confirmation was lost, some of it is there already.
      if (settled !== settling.length) counts = await operations.countItems(this.id);
      const changed = {
        ...operation,
        counts,
        setbacks: this.#hasSucceeded ? 0 : operation.setbacks,
        updatedAt: now,
      };
      await operations.update(changed);
      return { operation: { ...changed, version: changed.version + 1 }, claimed };
    });
  }
}

/** What would be tried again later is not, except where the gateway broke off: of that nobody knows how far it came. */
function inCanceled(result: ItemResult): ItemResult {
  return result.status === 'PENDING' && result.problem ? { ...result, status: 'SKIPPED' } : result;
}

function notesOf(items: readonly ClaimedItem[], progress: string): ItemNote[] {
  return items.flatMap(({ index, isUnheld }) => (isUnheld ? { index, progress } : []));
}

function takenOver(): StillRunning {
  return new StillRunning('Another process has taken over the operation.');
}
