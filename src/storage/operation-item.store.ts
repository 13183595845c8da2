import { provisionOutcomes } from '../domain/directory/user';
import type { ItemNote, ItemResult } from '../domain/operation-ports';
import {
  countsOf,
  type ItemStatus,
  itemStatuses,
  movedItem,
  type Operation,
  type OperationCounts,
  type OperationId,
} from '../domain/operations/operation';
import {
  type ClaimedItem,
  itemActions,
  type NewItem,
  type OperationItem,
  reviveWork,
} from '../domain/operations/operation-item';
import type { ListSlice } from '../domain/ports';
import { oneOf } from './columns';
import { type OperationItemRow, operationItemEntity } from './operation-item.entity';
import type { StoreHandle } from './store-handle';

type Value = string | number | null;

/** Rows of one statement: far from the number of parameters that the engines allow. */
const ROWS_AT_ONCE = 500;

const finalStatuses: readonly ItemStatus[] = ['SUCCEEDED', 'FAILED', 'SKIPPED'];

/** An item of an earlier place that concerns the same person or group and is not finished. */
const EARLIER_ITEM = `SELECT 1 FROM operation_subjects mine
  JOIN operation_subjects other ON other.connection_id = mine.connection_id AND other.subject = mine.subject
  JOIN operations earlier ON earlier.id = other.operation_id
  JOIN operations own ON own.id = mine.operation_id
  WHERE mine.operation_id = item.operation_id AND mine.item_index = item.item_index
  AND (earlier.ordinal < own.ordinal OR (earlier.id = own.id AND other.item_index < mine.item_index))`;

/** The items of operations; a part of TypeOrmOperationStore. */
export class OperationItems {
  constructor(private readonly handle: StoreHandle) {}

  async insert({ id, connectionId }: Pick<Operation, 'id' | 'connectionId'>, items: readonly NewItem[]): Promise<void> {
    await this.#insertRows(
      'operation_items (operation_id, item_index, action, subject, subject_keys, work, status, attempts)',
      items.map(({ index, work, subject, keys }) => [
        id,
        index,
        work.action,
        subject,
        JSON.stringify(keys),
        JSON.stringify(work),
        'PENDING',
        0,
      ]),
    );
    await this.#insertSubjects(
      connectionId,
      id,
      items.map(({ index, keys }) => ({ itemIndex: index, subjectKeys: keys })),
    );
  }

  async list(
    id: OperationId,
    status: readonly ItemStatus[] | undefined,
    first: number,
    after: number | undefined,
  ): Promise<ListSlice<OperationItem>> {
    const { rows, totalCount } = await this.handle.run(async (manager) => {
      const matching = manager.createQueryBuilder(operationItemEntity, 'row').where('row.operationId = :id', { id });
      // An empty IN list is an error in PostgreSQL.
      if (status?.length === 0) matching.andWhere('1 = 0');
      else if (status) matching.andWhere('row.status IN (:...status)', { status });
      const page = matching.clone();
      if (after !== undefined) page.andWhere('row.itemIndex > :after', { after });
      page.orderBy('row.itemIndex', 'ASC');
      return { rows: await page.limit(first + 1).getMany(), totalCount: await matching.getCount() };
    });
    return { items: rows.slice(0, first).map(toItem), hasMore: rows.length > first, totalCount };
  }

  async claim(id: OperationId, now: Date, limit: number): Promise<ClaimedItem[]> {
    if (limit <= 0) return [];
    const rows = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(operationItemEntity, 'item')
        .where("item.operationId = :id AND item.status = 'PENDING'", { id })
        .andWhere('(item.notBefore IS NULL OR item.notBefore <= :now)', { now: now.getTime() })
        .andWhere(`NOT EXISTS (${EARLIER_ITEM})`)
        .orderBy('item.itemIndex', 'ASC')
        .limit(limit)
        .getMany(),
    );
    if (rows.length === 0) return [];
    await this.handle.update(
      operationItemEntity,
      { status: movedItem('PENDING', 'RUNNING'), notBefore: null },
      'operation_id = :id AND item_index IN (:...indexes)',
      { id, indexes: rows.map(({ itemIndex }) => itemIndex) },
    );
    return rows.map(({ itemIndex, work, attempts, progress }) => ({
      index: itemIndex,
      work: reviveWork(work),
      attempts,
      progress: progress ?? undefined,
    }));
  }

  async listUntried(id: OperationId, after: number, limit: number): Promise<Pick<NewItem, 'index' | 'keys'>[]> {
    const rows = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(operationItemEntity, 'row')
        .select(['row.operationId', 'row.itemIndex', 'row.subjectKeys'])
        .where("row.operationId = :id AND row.status = 'PENDING' AND row.itemIndex > :after", { id, after })
        .andWhere('row.attempts = 0 AND row.progress IS NULL')
        .orderBy('row.itemIndex', 'ASC')
        .limit(limit)
        .getMany(),
    );
    return rows.map(({ itemIndex, subjectKeys }) => ({ index: itemIndex, keys: subjectKeys }));
  }

  saveProgress(id: OperationId, notes: readonly ItemNote[]): Promise<number> {
    return this.#updateRunning(
      id,
      [['progress', 'TEXT']],
      notes.map(({ index, progress }) => [index, progress]),
    );
  }

  async settle(id: OperationId, results: readonly ItemResult[]): Promise<number> {
    const settled = await this.#updateRunning(
      id,
      [
        ['status', 'TEXT'],
        ['attempts', 'INTEGER'],
        ['not_before', 'BIGINT'],
        ['outcome', 'TEXT'],
        ['user_slack_id', 'TEXT'],
        ['user_name', 'TEXT'],
        ['problem', 'TEXT'],
      ],
      results.map(({ index, status, attempts, notBefore, outcome, user, problem }) => [
        index,
        movedItem('RUNNING', status),
        attempts,
        notBefore?.getTime() ?? null,
        outcome ?? null,
        user?.slackId ?? null,
        user?.name ?? null,
        problem ? JSON.stringify(problem) : null,
      ]),
    );
    const finished = results.filter(({ status }) => finalStatuses.includes(status)).map(({ index }) => index);
    for (const indexes of portions(finished)) {
      const places = indexes.map((_, place) => `$${place + 2}`).join(', ');
      await this.handle.write(`DELETE FROM operation_subjects WHERE operation_id = $1 AND item_index IN (${places})`, [
        id,
        ...indexes,
      ]);
    }
    return settled;
  }

  async move(id: OperationId, from: ItemStatus, to: 'PENDING' | 'SKIPPED'): Promise<number> {
    if (finalStatuses.includes(to)) {
      await this.handle.write(
        `DELETE FROM operation_subjects WHERE operation_id = $1 AND item_index IN (
          SELECT item_index FROM operation_items WHERE operation_id = $1 AND status = $2)`,
        [id, from],
      );
    }
    return this.handle.write(
      'UPDATE operation_items SET status = $1, not_before = NULL WHERE operation_id = $2 AND status = $3',
      [movedItem(from, to), id, from],
    );
  }

  async requeue({ id, connectionId }: Pick<Operation, 'id' | 'connectionId'>, from: ItemStatus): Promise<number> {
    for (let after = -1; ; ) {
      const rows = await this.handle.run((manager) =>
        manager
          .createQueryBuilder(operationItemEntity, 'row')
          .select(['row.operationId', 'row.itemIndex', 'row.subjectKeys'])
          .where('row.operationId = :id AND row.status = :from AND row.itemIndex > :after', { id, from, after })
          .orderBy('row.itemIndex', 'ASC')
          .limit(ROWS_AT_ONCE)
          .getMany(),
      );
      const last = rows.at(-1);
      if (!last) break;
      await this.#insertSubjects(connectionId, id, rows);
      after = last.itemIndex;
    }
    return this.handle.write(
      `UPDATE operation_items SET status = $1, attempts = 0, not_before = NULL, outcome = NULL, problem = NULL
        WHERE operation_id = $2 AND status = $3`,
      [movedItem(from, 'PENDING'), id, from],
    );
  }

  async count(id: OperationId): Promise<OperationCounts> {
    const rows = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(operationItemEntity, 'row')
        .select('row.status', 'status')
        .addSelect('COUNT(*)', 'items')
        .where('row.operationId = :id', { id })
        .groupBy('row.status')
        .getRawMany<{ status: string; items: number | string }>(),
    );
    return countsOf(rows.map(({ status, items }) => [oneOf(itemStatuses, status), Number(items)] as const));
  }

  async earliestPending(id: OperationId): Promise<Date | undefined> {
    const row = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(operationItemEntity, 'row')
        .select('MIN(COALESCE(row.notBefore, 0))', 'at')
        .where("row.operationId = :id AND row.status = 'PENDING'", { id })
        .getRawOne<{ at: number | string | null }>(),
    );
    return row?.at === null || row?.at === undefined ? undefined : new Date(Number(row.at));
  }

  async #insertSubjects(
    connectionId: string,
    id: OperationId,
    items: readonly Pick<OperationItemRow, 'itemIndex' | 'subjectKeys'>[],
  ): Promise<void> {
    const rows = items.flatMap(({ itemIndex, subjectKeys }) =>
      subjectKeys.map((subject): Value[] => [id, itemIndex, subject, connectionId]),
    );
    await this.#insertRows('operation_subjects (operation_id, item_index, subject, connection_id)', rows);
  }

  /** @param into a table with the columns that the rows fill. */
  async #insertRows(into: string, rows: readonly (readonly Value[])[]): Promise<void> {
    for (const portion of portions(rows)) {
      let place = 0;
      const values = portion.map((row) => `(${row.map(() => `$${++place}`).join(', ')})`).join(', ');
      await this.handle.write(`INSERT INTO ${into} VALUES ${values}`, portion.flat());
    }
  }

  /**
   * Writes several RUNNING items in one statement.
   * @param columns the columns with their types, in the order of the values behind the index of each row.
   */
  async #updateRunning(
    id: OperationId,
    columns: readonly (readonly [name: string, type: string])[],
    rows: readonly (readonly Value[])[],
  ): Promise<number> {
    const types = ['INTEGER', ...columns.map(([, type]) => type)];
    const names = columns.map(([name]) => name);
    let written = 0;
    for (const portion of portions(rows)) {
      let place = 0;
      const values = portion
        .map((row) => `(${row.map((_, column) => `CAST($${++place} AS ${types[column]})`).join(', ')})`)
        .join(', ');
      written += await this.handle.write(
        // Both engines name the columns of VALUES like this.
        `UPDATE operation_items SET ${names.map((name, column) => `${name} = result.column${column + 2}`).join(', ')}
        FROM (VALUES ${values}) AS result
        WHERE operation_items.operation_id = $${place + 1} AND operation_items.item_index = result.column1
        AND operation_items.status = 'RUNNING'`,
        // SQLite counts parameters in the order in which they appear.
        [...portion.flat(), id],
      );
    }
    return written;
  }
}

function* portions<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < list.length; start += ROWS_AT_ONCE) yield list.slice(start, start + ROWS_AT_ONCE);
}

function toItem(row: OperationItemRow): OperationItem {
  return {
    operationId: row.operationId as OperationId,
    index: row.itemIndex,
    action: oneOf(itemActions, row.action),
    subject: row.subject,
    status: oneOf(itemStatuses, row.status),
    attempts: row.attempts,
    outcome: row.outcome === null ? undefined : oneOf(provisionOutcomes, row.outcome),
    user: row.userSlackId === null ? undefined : { slackId: row.userSlackId, name: row.userName ?? undefined },
    problem: row.problem === null ? undefined : JSON.parse(row.problem),
  };
}
