import { setMaxListeners } from 'node:events';
import { backoffMs } from '../../shared/backoff';
import { newId } from '../../shared/ids';
import type { Caller } from '../access/access';
import { AppError } from '../errors';
import type { Database } from '../ports';
import { storeItemProblem } from './item-problem';
import { Newcomers } from './newcomers';
import { endOf, movedOperation, type Operation, type OperationId } from './operation';
import { callerOf } from './operation-caller';
import { Slice, type SliceBounds, type SliceEnd, type SliceMeans } from './operation-slice';
import { LeaseLost, leaseName, SliceLedger } from './slice-ledger';

/** When the operation wants its next slice; `undefined`: not by itself, or somebody else is at it. */
export type NextSlice = Date | undefined;

interface Begun {
  readonly operation: Operation;
  /** Or why there is none. */
  readonly caller: Caller | AppError;
}

const LEASE_MS = 15_000;
const HEARTBEAT_MS = 4_000;
/** For an item that waits for one of another operation, which nobody announces. */
const LOOK_AGAIN_MS = 2_000;
/** Operations whose next people are remembered between two slices: more than a process carries out at the same time. */
const MOST_REMEMBERED = 32;
const AWAY_BACKOFF = { baseMs: 5_000, capMs: 300_000 };

/** Runs operations slice by slice. Who runs one holds its lease, and every write repeats that. */
export class OperationRunner {
  readonly #newcomers = new Map<OperationId, Newcomers>();

  constructor(private readonly parts: SliceMeans & { readonly database: Database }) {}

  /** The longest that `runSlice` takes, when nothing hangs. */
  get longestSliceMs(): number {
    const { sliceMs, itemMs } = this.parts.rules;
    return sliceMs + itemMs + LEASE_MS;
  }

  /**
   * Carries out items of the operation for a while.
   * @throws what the database throws; another slice goes on where this one broke off, once its lease is over.
   */
  async runSlice(id: OperationId, { closing, ended }: SliceBounds): Promise<NextSlice> {
    const owner = newId<string>('run');
    const lost = new AbortController();
    const bounds = { closing, ended: AbortSignal.any([ended, lost.signal]) };
    // Each item and each of its calls listens.
    setMaxListeners(0, bounds.ended);
    const begun = await this.begin(id, owner, bounds.ended);
    if (!begun) return undefined;
    const stopHeartbeat = this.keepLease(id, owner, lost);
    try {
      return await this.finish(id, owner, await this.work(begun, owner, bounds));
    } catch (error) {
      if (error instanceof LeaseLost) return undefined;
      throw error;
    } finally {
      stopHeartbeat();
    }
  }

  private async work({ operation, caller }: Begun, owner: string, bounds: SliceBounds): Promise<SliceEnd> {
    if (caller instanceof AppError) return { pause: { kind: 'API_KEY', problem: caller } };
    if (operation.status === 'PAUSED') return {};
    const { database, clock } = this.parts;
    const newcomers = this.newcomersOf(operation.id);
    const ledger = new SliceLedger(database, clock, operation.id, owner, newcomers);
    return new Slice(this.parts, operation, caller, ledger, newcomers, bounds).run();
  }

  private newcomersOf(id: OperationId): Newcomers {
    const newcomers = this.#newcomers.get(id) ?? new Newcomers(this.parts);
    // The one that was used last is the last to be forgotten.
    this.#newcomers.delete(id);
    this.#newcomers.set(id, newcomers);
    for (const oldest of this.#newcomers.keys())
      if (this.#newcomers.size > MOST_REMEMBERED) this.#newcomers.delete(oldest);
    return newcomers;
  }

  private keepLease(id: OperationId, owner: string, lost: AbortController): () => void {
    const { database, logger } = this.parts;
    const extend = async () => {
      try {
        const isOurs = await database.transaction(({ leases }) => leases.acquire(leaseName(id), owner, LEASE_MS));
        if (!isOurs) lost.abort(new LeaseLost());
      } catch (error) {
        logger.warn({ operationId: id, err: error }, 'the lease of an operation could not be extended');
      }
    };
    const timer = setInterval(() => void extend(), HEARTBEAT_MS);
    return () => clearInterval(timer);
  }

  /** Takes the lease, and back from the last owner what that one had under way. */
  private begin(id: OperationId, owner: string, signal: AbortSignal): Promise<Begun | undefined> {
    const { database, clock, rules } = this.parts;
    return database.transaction(async (stores) => {
      const { operations, leases } = stores;
      const operation = await operations.lock(id);
      if (!operation?.dueAt || !(await leases.acquire(leaseName(id), owner, LEASE_MS))) return undefined;
      const now = clock.now();
      await operations.moveItems(id, 'RUNNING', 'PENDING');
      const begun: Operation = {
        ...operation,
        counts: await operations.countItems(id),
        status: operation.status === 'QUEUED' ? movedOperation('QUEUED', 'RUNNING') : operation.status,
        startedAt: operation.startedAt ?? new Date(now),
        updatedAt: new Date(now),
      };
      await operations.update(begun);
      const bounds = { requestId: id, signal, deadlineAt: now + rules.itemMs };
      try {
        return { operation: begun, caller: await callerOf(stores, operation, bounds, now) };
      } catch (error) {
        if (!(error instanceof AppError) || error.retryable) throw error;
        return { operation: begun, caller: error };
      }
    });
  }

  /** Says how the operation stands after the slice, and gives the lease back. */
  private finish(id: OperationId, owner: string, end: SliceEnd): Promise<NextSlice> {
    return this.parts.database.transaction(async ({ operations, leases }) => {
      const operation = await operations.lock(id);
      if (!operation || !(await leases.confirm(leaseName(id), owner))) throw new LeaseLost();
      await leases.release(leaseName(id), owner);
      const earliest = await operations.earliestPending(id);
      const after = this.after(operation, end, earliest);
      await operations.update(after);
      return after.dueAt;
    });
  }

  private after(operation: Operation, end: SliceEnd, earliest: Date | undefined): Operation {
    const { clock, logger } = this.parts;
    const { id, counts, status } = operation;
    const now = new Date(clock.now());
    const after = { ...operation, dueAt: undefined, updatedAt: now };
    if (status === 'PAUSED') return after;
    if (counts.pending === 0 && counts.running === 0) {
      const endedAs = status === 'CANCELED' ? status : movedOperation(status, endOf(counts));
      logger.info({ operationId: id, status: endedAs, ...counts }, 'an operation ended');
      return { ...after, status: endedAs, finishedAt: operation.finishedAt ?? now };
    }
    if (end.pause && status === 'RUNNING') {
      const problem = storeItemProblem(end.pause.problem);
      logger.warn({ operationId: id, code: problem.code }, 'an operation paused');
      return { ...after, status: movedOperation(status, 'PAUSED'), pause: { kind: end.pause.kind, problem } };
    }
    const setbacks = end.isAway ? operation.setbacks + 1 : operation.setbacks;
    return { ...after, setbacks, dueAt: this.nextLook(now.getTime(), end, setbacks, earliest) };
  }

  private nextLook(now: number, end: SliceEnd, setbacks: number, earliest: Date | undefined): Date {
    if (end.isAway) {
      return new Date(now + backoffMs(setbacks - 1, { ...AWAY_BACKOFF, random: this.parts.random }));
    }
    if (end.waitMs !== undefined) return new Date(now + end.waitMs);
    if (!end.isDry || !earliest) return new Date(now);
    return earliest.getTime() > now ? earliest : new Date(now + LOOK_AGAIN_MS);
  }
}
