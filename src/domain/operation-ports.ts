import type { TenantId } from './access/access';
import type { ConnectionId } from './connections/connection';
import type { ProvisionOutcome } from './directory/user';
import type { StoredItemProblem } from './operations/item-problem';
import type { ItemStatus, Operation, OperationCounts, OperationId, OperationStatus } from './operations/operation';
import type { ClaimedItem, NewItem, OperationItem } from './operations/operation-item';
import type { ListPosition, ListSlice } from './ports';

export interface OperationFilter {
  readonly connectionId?: ConnectionId;
  readonly status?: readonly OperationStatus[];
}

/** What became of an item that was RUNNING. */
export interface ItemResult {
  readonly index: number;
  readonly status: Exclude<ItemStatus, 'RUNNING' | 'HELD'>;
  readonly attempts: number;
  readonly outcome?: ProvisionOutcome;
  readonly user?: OperationItem['user'];
  readonly problem?: StoredItemProblem;
  /** With PENDING: when it may be tried again at the earliest. */
  readonly notBefore?: Date;
}

/** How far an item got, noted before a call whose repetition would be visible. */
export interface ItemNote {
  readonly index: number;
  readonly progress: string;
}

/**
 * Operations, each with its items. What is not accepted yet is seen by nobody but whoever takes it in. Writers begin with
 * `lock`, so that they come one after the other and always in the same order.
 */
export interface OperationStore {
  /** Not accepted yet. */
  insert(operation: Operation): Promise<void>;
  /** Of an operation that is not accepted yet. */
  insertItems(operation: Pick<Operation, 'id' | 'connectionId'>, items: readonly NewItem[]): Promise<void>;
  /**
   * Gives the operation its place behind all others of its connection, and writes it.
   * @returns false when the connection is gone.
   */
  accept(operation: Operation): Promise<boolean>;
  /** Gives an accepted operation a new place behind all others of its connection. */
  moveToEnd(operation: Pick<Operation, 'id' | 'connectionId'>): Promise<boolean>;
  /** The operation, locked until the end of the transaction; undefined when it is gone or not accepted. */
  lock(id: OperationId): Promise<Operation | undefined>;
  /** Writes every field that can change, and raises the version by one. Inside a transaction that locked it. */
  update(operation: Operation): Promise<void>;
  find(tenantId: TenantId, id: OperationId): Promise<Operation | undefined>;
  /** Newest first. */
  list(
    tenantId: TenantId,
    filter: OperationFilter,
    first: number,
    after: ListPosition | undefined,
  ): Promise<ListSlice<Operation>>;
  /** In the order of their index, behind `after`. `totalCount` counts those of the filter. */
  listItems(
    id: OperationId,
    status: readonly ItemStatus[] | undefined,
    first: number,
    after: number | undefined,
  ): Promise<ListSlice<OperationItem>>;
  /** Of every tenant: those whose slice is due by `now`, the longest due first. */
  listDue(now: Date, limit: number): Promise<OperationId[]>;
  /** PAUSED for their connection, which can be used again. */
  listRecovered(limit: number): Promise<OperationId[]>;

  /**
   * Takes the next PENDING items and makes them RUNNING, but for those that must wait: for their time, or for an earlier
   * item that concerns the same person and is not finished.
   */
  claimItems(id: OperationId, now: Date, limit: number): Promise<ClaimedItem[]>;
  /** PENDING items that nobody has tried yet, in the order of their index, behind `after`. */
  listUntried(id: OperationId, after: number, limit: number): Promise<Pick<NewItem, 'index' | 'keys'>[]>;
  /** Of RUNNING items. @returns how many were. */
  saveProgress(id: OperationId, notes: readonly ItemNote[]): Promise<number>;
  /** Of RUNNING items. @returns how many were. */
  settleItems(operation: Pick<Operation, 'id'>, results: readonly ItemResult[]): Promise<number>;
  /** Moves all items of a status at once; their attempts stay. @returns how many. */
  moveItems(id: OperationId, from: ItemStatus, to: 'PENDING' | 'SKIPPED'): Promise<number>;
  /** As `moveItems`, to PENDING with no attempts, and puts those items in line again for the people they concern. */
  requeueItems(operation: Pick<Operation, 'id' | 'connectionId'>, from: ItemStatus): Promise<number>;
  /** As the items are, whatever the operation says. */
  countItems(id: OperationId): Promise<OperationCounts>;
  /** The earliest time at which a PENDING item may be tried: the epoch for one at once, undefined when there is none. */
  earliestPending(id: OperationId): Promise<Date | undefined>;

  /** Removes operations that ended before `before`, at most `limit` items of them at once. @returns how many rows. */
  deleteEndedBefore(before: Date, limit: number): Promise<number>;
  /** Removes what was begun before `before` and never accepted, at most `limit` rows of a kind. @returns how many rows. */
  deleteUnacceptedBefore(before: Date, limit: number): Promise<number>;
  /** The same of one operation, which nobody will accept. One that is accepted stays. */
  deleteUnaccepted(id: OperationId, limit: number): Promise<number>;
}

/** Sees to it that the slices of operations are run, on this process or another. */
export interface OperationDispatch {
  /** The operation has work, which is due at `at`. Saying so again does no harm, and neither does a crash after it. */
  announce(id: OperationId, at: Date): Promise<void>;
}
