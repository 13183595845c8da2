import type { SelectQueryBuilder } from 'typeorm';
import type { ApiKeyId, TenantId } from '../domain/access/access';
import type { ConnectionId } from '../domain/connections/connection';
import type { ItemNote, ItemResult, OperationFilter, OperationStore } from '../domain/operation-ports';
import {
  type ItemStatus,
  type Operation,
  type OperationCounts,
  type OperationId,
  operationKinds,
  operationStatuses,
  pauseKinds,
} from '../domain/operations/operation';
import type { ClaimedItem, NewItem, OperationItem } from '../domain/operations/operation-item';
import type { ListPosition, ListSlice } from '../domain/ports';
import { oneOf } from './columns';
import type { Dialect } from './dialect';
import { type OperationRow, operationEntity } from './operation.entity';
import { OperationItems } from './operation-item.store';
import type { StoreHandle } from './store-handle';

/** A clock that was put back must not let an operation wait for the hours that come again. */
const LONGEST_WAIT_MS = 60 * 60_000;

export class TypeOrmOperationStore implements OperationStore {
  readonly #items: OperationItems;

  constructor(
    private readonly handle: StoreHandle,
    dialect: Dialect,
  ) {
    this.#items = new OperationItems(handle, dialect);
  }

  async insert(operation: Operation): Promise<void> {
    await this.handle.insert(operationEntity, { ...toRow(operation), ordinal: null });
  }

  insertItems(operation: Pick<Operation, 'id' | 'connectionId'>, items: readonly NewItem[]): Promise<void> {
    return this.#items.insert(operation, items);
  }

  async accept(operation: Operation): Promise<boolean> {
    if (!(await this.moveToEnd(operation))) return false;
    await this.update(operation);
    return true;
  }

  async moveToEnd({ id, connectionId }: Pick<Operation, 'id' | 'connectionId'>): Promise<boolean> {
    // The row is locked by the write, so that places are given in the order in which they are seen.
    const locked = await this.handle.write('UPDATE connections SET version = version WHERE id = $1', [connectionId]);
    if (locked !== 1) return false;
    const placed = await this.handle.write(
      `UPDATE operations SET ordinal = (SELECT COALESCE(MAX(other.ordinal), 0) + 1 FROM operations other
        WHERE other.connection_id = $1) WHERE id = $2`,
      [connectionId, id],
    );
    return placed === 1;
  }

  async lock(id: OperationId): Promise<Operation | undefined> {
    const sql = 'UPDATE operations SET version = version WHERE id = $1 AND ordinal IS NOT NULL';
    if (!(await this.handle.lockRow(sql, [id]))) return undefined;
    const row = await this.handle.findOne(operationEntity, { id });
    return row && row.ordinal !== null ? toOperation(row) : undefined;
  }

  async update(operation: Operation): Promise<void> {
    const { id, tenantId: _, connectionId: __, kind: ___, createdAt: ____, ...changes } = toRow(operation);
    await this.handle.update(operationEntity, { ...changes, version: operation.version + 1 }, 'id = :id', { id });
  }

  async find(tenantId: TenantId, id: OperationId): Promise<Operation | undefined> {
    const row = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(operationEntity, 'row')
        .where('row.id = :id AND row.tenantId = :tenantId AND row.ordinal IS NOT NULL', { id, tenantId })
        .getOne(),
    );
    return row ? toOperation(row) : undefined;
  }

  async list(
    tenantId: TenantId,
    filter: OperationFilter,
    first: number,
    after: ListPosition | undefined,
  ): Promise<ListSlice<Operation>> {
    const { rows, totalCount } = await this.handle.run(async (manager) => {
      const matching = narrowed(manager.createQueryBuilder(operationEntity, 'row').where({ tenantId }), filter);
      const page = matching.clone();
      if (after) {
        page.andWhere('(row.createdAt, row.id) < (:afterAt, :afterId)', {
          afterAt: after.createdAt.getTime(),
          afterId: after.id,
        });
      }
      page.orderBy('row.createdAt', 'DESC').addOrderBy('row.id', 'DESC');
      return { rows: await page.limit(first + 1).getMany(), totalCount: await matching.getCount() };
    });
    return { items: rows.slice(0, first).map(toOperation), hasMore: rows.length > first, totalCount };
  }

  async listDue(now: Date, limit: number): Promise<OperationId[]> {
    const rows = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(operationEntity, 'row')
        .select(['row.id'])
        .where('(row.dueAt <= :now OR row.dueAt > :tooLate)', {
          now: now.getTime(),
          tooLate: now.getTime() + LONGEST_WAIT_MS,
        })
        .andWhere('row.ordinal IS NOT NULL')
        .orderBy('row.dueAt', 'ASC')
        .addOrderBy('row.id', 'ASC')
        .limit(limit)
        .getMany(),
    );
    return rows.map(({ id }) => id as OperationId);
  }

  async listRecovered(limit: number): Promise<OperationId[]> {
    const rows = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(operationEntity, 'row')
        .select(['row.id'])
        .where("row.pauseKind = 'CONNECTION' AND row.status = 'PAUSED' AND row.ordinal IS NOT NULL")
        .andWhere(
          "EXISTS (SELECT 1 FROM connections c WHERE c.id = row.connection_id AND c.status IN ('ACTIVE', 'DEGRADED'))",
        )
        .orderBy('row.ordinal', 'ASC')
        .limit(limit)
        .getMany(),
    );
    return rows.map(({ id }) => id as OperationId);
  }

  listItems(
    id: OperationId,
    status: readonly ItemStatus[] | undefined,
    first: number,
    after: number | undefined,
  ): Promise<ListSlice<OperationItem>> {
    return this.#items.list(id, status, first, after);
  }

  claimItems(id: OperationId, now: Date, limit: number): Promise<ClaimedItem[]> {
    return this.#items.claim(id, now, limit);
  }

  listUntried(id: OperationId, after: number, limit: number): Promise<Pick<NewItem, 'index' | 'keys'>[]> {
    return this.#items.listUntried(id, after, limit);
  }

  saveProgress(id: OperationId, notes: readonly ItemNote[]): Promise<number> {
    return this.#items.saveProgress(id, notes);
  }

  settleItems({ id }: Pick<Operation, 'id'>, results: readonly ItemResult[]): Promise<number> {
    return this.#items.settle(id, results);
  }

  moveItems(id: OperationId, from: ItemStatus, to: 'PENDING' | 'SKIPPED'): Promise<number> {
    return this.#items.move(id, from, to);
  }

  requeueItems(operation: Pick<Operation, 'id' | 'connectionId'>, from: ItemStatus): Promise<number> {
    return this.#items.requeue(operation, from);
  }

  countItems(id: OperationId): Promise<OperationCounts> {
    return this.#items.count(id);
  }

  earliestPending(id: OperationId): Promise<Date | undefined> {
    return this.#items.earliestPending(id);
  }

  deleteEndedBefore(before: Date, limit: number): Promise<number> {
    return this.#deleteSome('finished_at < $1 AND due_at IS NULL', before.getTime(), limit);
  }

  deleteUnacceptedBefore(before: Date, limit: number): Promise<number> {
    return this.#deleteSome('ordinal IS NULL AND created_at < $1', before.getTime(), limit);
  }

  deleteUnaccepted(id: OperationId, limit: number): Promise<number> {
    return this.#deleteSome('ordinal IS NULL AND id = $1', id, limit);
  }

  /** What an operation owns first, in portions, so that no transaction is long; the operation itself once it has nothing. */
  async #deleteSome(condition: string, value: number | string, limit: number): Promise<number> {
    for (const [table, key] of ownedRows) {
      const rows = await this.handle.write(
        `DELETE FROM ${table} WHERE (${key}) IN (
          SELECT ${key} FROM ${table} WHERE operation_id IN (SELECT id FROM operations WHERE ${condition}) LIMIT $2)`,
        [value, limit],
      );
      if (rows > 0) return rows;
    }
    return this.handle.write(
      `DELETE FROM operations WHERE id IN (SELECT id FROM operations WHERE ${condition} LIMIT $2)`,
      [value, limit],
    );
  }
}

const ownedRows = [
  ['operation_subjects', 'operation_id, item_index, subject'],
  ['operation_items', 'operation_id, item_index'],
] as const;

function narrowed(
  query: SelectQueryBuilder<OperationRow>,
  { connectionId, status }: OperationFilter,
): SelectQueryBuilder<OperationRow> {
  query.andWhere('row.ordinal IS NOT NULL');
  if (status?.length === 0) query.andWhere('1 = 0');
  else if (status) query.andWhere('row.status IN (:...status)', { status });
  if (connectionId !== undefined) query.andWhere('row.connectionId = :connectionId', { connectionId });
  return query;
}

function toRow(operation: Operation): Omit<OperationRow, 'ordinal'> {
  return {
    id: operation.id,
    tenantId: operation.tenantId,
    connectionId: operation.connectionId,
    apiKeyId: operation.apiKeyId,
    kind: operation.kind,
    status: operation.status,
    settings: JSON.stringify(operation.settings),
    ...operation.counts,
    pauseKind: operation.pause?.kind ?? null,
    pauseProblem: operation.pause?.problem ? JSON.stringify(operation.pause.problem) : null,
    setbacks: operation.setbacks,
    dueAt: operation.dueAt ?? null,
    createdAt: operation.createdAt,
    startedAt: operation.startedAt ?? null,
    finishedAt: operation.finishedAt ?? null,
    updatedAt: operation.updatedAt,
    version: operation.version,
  };
}

function toOperation(row: OperationRow): Operation {
  const { total, pending, running, succeeded, failed, skipped, held } = row;
  return {
    id: row.id as OperationId,
    tenantId: row.tenantId as TenantId,
    connectionId: row.connectionId as ConnectionId,
    apiKeyId: row.apiKeyId as ApiKeyId,
    kind: oneOf(operationKinds, row.kind),
    status: oneOf(operationStatuses, row.status),
    settings: JSON.parse(row.settings),
    counts: { total, pending, running, succeeded, failed, skipped, held },
    pause:
      row.pauseKind === null
        ? undefined
        : {
            kind: oneOf(pauseKinds, row.pauseKind),
            problem: row.pauseProblem === null ? undefined : JSON.parse(row.pauseProblem),
          },
    setbacks: row.setbacks,
    dueAt: row.dueAt ?? undefined,
    createdAt: row.createdAt,
    startedAt: row.startedAt ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
    updatedAt: row.updatedAt,
    version: row.version,
  };
}
