import type { ApiKeyId, TenantId } from '../access/access';
import type { ConnectionId } from '../connections/connection';
import type { IfExists } from '../directory/user';
import type { StoredItemProblem } from './item-problem';

export type OperationId = string & { readonly __brand: 'OperationId' };

export const operationKinds = ['PROVISION_USERS', 'DEPROVISION_USERS', 'CHANGE_GROUP_MEMBERS'] as const;
export type OperationKind = (typeof operationKinds)[number];

export const operationStatuses = [
  'QUEUED',
  'RUNNING',
  'PAUSED',
  'SUCCEEDED',
  'PARTIALLY_SUCCEEDED',
  'FAILED',
  'CANCELED',
] as const;
export type OperationStatus = (typeof operationStatuses)[number];

export const itemStatuses = ['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'SKIPPED', 'HELD'] as const;
export type ItemStatus = (typeof itemStatuses)[number];

/**
 * Every move that an operation may make. From an end only a person's wish leads back: to try what failed again, or to
 * continue what was canceled.
 */
export const operationMoves: Readonly<Record<OperationStatus, readonly OperationStatus[]>> = {
  QUEUED: ['RUNNING', 'PAUSED', 'CANCELED'],
  RUNNING: ['PAUSED', 'SUCCEEDED', 'PARTIALLY_SUCCEEDED', 'FAILED', 'CANCELED'],
  PAUSED: ['QUEUED', 'CANCELED'],
  SUCCEEDED: [],
  PARTIALLY_SUCCEEDED: ['QUEUED'],
  FAILED: ['QUEUED'],
  CANCELED: ['QUEUED'],
};

/** The same for an item: an item that succeeded never moves again, so it is never sent again. */
export const itemMoves: Readonly<Record<ItemStatus, readonly ItemStatus[]>> = {
  PENDING: ['RUNNING', 'SKIPPED', 'HELD'],
  RUNNING: ['SUCCEEDED', 'FAILED', 'SKIPPED', 'PENDING'],
  SUCCEEDED: [],
  FAILED: ['PENDING'],
  SKIPPED: ['PENDING'],
  HELD: ['PENDING', 'SKIPPED'],
};

/** The moves in which an operation's status was left and not reached again by itself. */
export const endedStatuses: readonly OperationStatus[] = ['SUCCEEDED', 'PARTIALLY_SUCCEEDED', 'FAILED', 'CANCELED'];

/** An operation or an item was about to make a move that there is not: a defect, and nothing of it is stored. */
export class IllegalMove extends Error {
  constructor(what: 'operation' | 'item', from: string, to: string) {
    super(`An ${what} cannot go from ${from} to ${to}`);
    this.name = 'IllegalMove';
  }
}

/** @throws IllegalMove */
export function movedOperation(from: OperationStatus, to: OperationStatus): OperationStatus {
  if (!operationMoves[from].includes(to)) throw new IllegalMove('operation', from, to);
  return to;
}

/** @throws IllegalMove */
export function movedItem(from: ItemStatus, to: ItemStatus): ItemStatus {
  if (!itemMoves[from].includes(to)) throw new IllegalMove('item', from, to);
  return to;
}

export interface OperationCounts {
  readonly total: number;
  readonly pending: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly held: number;
}

/** Why an operation is PAUSED. `CONNECTION` ends by itself when the connection recovers; the others with resumeOperation. */
export const pauseKinds = ['REQUESTED', 'CONNECTION', 'API_KEY'] as const;
export type PauseKind = (typeof pauseKinds)[number];

export interface Pause {
  readonly kind: PauseKind;
  /** What was met; undefined when somebody asked for the pause. */
  readonly problem?: StoredItemProblem;
}

/** What all items of an operation have in common. */
export interface OperationSettings {
  readonly ifExists?: IfExists;
}

export interface Operation {
  readonly id: OperationId;
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  /** On whose behalf the items are carried out: the key that began the operation, or the last one that resumed it. */
  readonly apiKeyId: ApiKeyId;
  readonly kind: OperationKind;
  readonly status: OperationStatus;
  readonly settings: OperationSettings;
  readonly counts: OperationCounts;
  readonly pause?: Pause;
  /** How often in a row Slack was found away; a success resets it. */
  readonly setbacks: number;
  /** When a slice is next wanted; undefined when there is nothing to do. */
  readonly dueAt?: Date;
  readonly createdAt: Date;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
  readonly updatedAt: Date;
  /** Grows with each write. */
  readonly version: number;
}

export function isEnded({ status }: Pick<Operation, 'status'>): boolean {
  return endedStatuses.includes(status);
}

/** How an operation of which nothing is left to do has ended. */
export function endOf({ succeeded, failed }: OperationCounts): OperationStatus {
  if (failed === 0) return 'SUCCEEDED';
  return succeeded === 0 ? 'FAILED' : 'PARTIALLY_SUCCEEDED';
}

export const noCounts: OperationCounts = {
  total: 0,
  pending: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  held: 0,
};

const countOf: Readonly<Record<ItemStatus, Exclude<keyof OperationCounts, 'total'>>> = {
  PENDING: 'pending',
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  SKIPPED: 'skipped',
  HELD: 'held',
};

/** Of how many items there are in each status. */
export function countsOf(items: readonly (readonly [ItemStatus, number])[]): OperationCounts {
  const counts: Record<keyof OperationCounts, number> = { ...noCounts };
  for (const [status, count] of items) {
    counts[countOf[status]] += count;
    counts.total += count;
  }
  return counts;
}

/** The counts after `items` of them have made the move. @throws IllegalMove */
export function recounted(counts: OperationCounts, from: ItemStatus, to: ItemStatus, items: number): OperationCounts {
  if (items === 0) return counts;
  const [left, reached] = [countOf[from], countOf[movedItem(from, to)]];
  return { ...counts, [left]: counts[left] - items, [reached]: counts[reached] + items };
}
