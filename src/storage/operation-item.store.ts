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
import type { Dialect } from './dialect';
import { type OperationItemRow, operationItemEntity } from './operation-item.entity';
import type { StoreHandle } from './store-handle';

type Value = string | number | null;
type Column = readonly [name: string, type: 'TEXT' | 'INTEGER' | 'BIGINT'];

/** Rows that are read at once, to be written again. */
const ROWS_AT_ONCE = 500;

const newItemColumns: readonly Column[] = [
  ['operation_id', 'TEXT'],
  ['item_index', 'INTEGER'],
  ['action', 'TEXT'],
  ['subject', 'TEXT'],
  ['subject_keys', 'TEXT'],
  ['work', 'TEXT'],
  ['status', 'TEXT'],
  ['attempts', 'INTEGER'],
];
const subjectColumns: readonly Column[] = [
  ['operation_id', 'TEXT'],
  ['item_index', 'INTEGER'],
  ['subject', 'TEXT'],
  ['connection_id', 'TEXT'],
];
const indexColumn: Column = ['item_index', 'INTEGER'];
const resultColumns: readonly Column[] = [
  indexColumn,
  ['status', 'TEXT'],
  ['attempts', 'INTEGER'],
  ['not_before', 'BIGINT'],
  ['outcome', 'TEXT'],
  ['user_slack_id', 'TEXT'],
  ['user_name', 'TEXT'],
  ['problem', 'TEXT'],
];
const noteColumns: readonly Column[] = [indexColumn, ['progress', 'TEXT']];

const finalStatuses: readonly ItemStatus[] = ['SUCCEEDED', 'FAILED', 'SKIPPED'];

/**
 * 1 when an item of an earlier place concerns the same person or group and is not finished; NULL when there is none. One value
 * within another and no join: until PostgreSQL has counted what was just stored it takes the tables for empty, any order of a
 * join for as good as the other, and then reads a whole table for each item. Like this there is one order only.
 */
const EARLIER_ITEM = `(SELECT MAX((SELECT 1 FROM operation_subjects other
    WHERE other.connection_id = mine.connection_id AND other.subject = mine.subject AND CASE
      WHEN other.operation_id = mine.operation_id THEN other.item_index < mine.item_index
      ELSE (SELECT ordinal FROM operations WHERE id = other.operation_id)
        < (SELECT ordinal FROM operations WHERE id = mine.operation_id) END LIMIT 1))
  FROM operation_subjects mine WHERE mine.operation_id = item.operation_id AND mine.item_index = item.item_index)`;

/** The items of operations; a part of TypeOrmOperationStore. */
export class OperationItems {
  constructor(
    private readonly handle: StoreHandle,
    private readonly dialect: Pick<Dialect, 'jsonElements' | 'isAmong'>,
  ) {}

  async insert({ id, connectionId }: Pick<Operation, 'id' | 'connectionId'>, items: readonly NewItem[]): Promise<void> {
    await this.#insertRows(
      'operation_items',
      newItemColumns,
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
    const rows = await this.handle.rows(
      `SELECT item_index, work, attempts, progress FROM operation_items item
        WHERE operation_id = $1 AND status = 'PENDING' AND (not_before IS NULL OR not_before <= $2)
        AND ${EARLIER_ITEM} IS NULL ORDER BY item_index LIMIT $3`,
      [id, now.getTime(), limit],
    );
    if (rows.length === 0) return [];
    const items = rows.map(toClaimedItem);
    await this.handle.write(
      `UPDATE operation_items SET status = '${movedItem('PENDING', 'RUNNING')}', not_before = NULL
        WHERE operation_id = $1 AND ${this.dialect.isAmong('item_index', this.#rows([indexColumn], 2))}`,
      [id, jsonOf(items.map(({ index }) => [index]))],
    );
    return items;
  }

  async listUntried(id: OperationId, after: number, limit: number): Promise<Pick<NewItem, 'index' | 'keys'>[]> {
    const rows = await this.handle.rows(
      `SELECT item_index, subject_keys FROM operation_items
        WHERE operation_id = $1 AND status = 'PENDING' AND item_index > $2 AND attempts = 0 AND progress IS NULL
        ORDER BY item_index LIMIT $3`,
      [id, after, limit],
    );
    return rows.map(({ item_index, subject_keys }) => ({
      index: Number(item_index),
      keys: JSON.parse(String(subject_keys)) as string[],
    }));
  }

  saveProgress(id: OperationId, notes: readonly ItemNote[]): Promise<number> {
    return this.#updateRunning(
      id,
      noteColumns,
      notes.map(({ index, progress }) => [index, progress]),
    );
  }

  async settle(id: OperationId, results: readonly ItemResult[]): Promise<number> {
    const settled = await this.#updateRunning(
      id,
      resultColumns,
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
    const finished = results.filter(({ status }) => finalStatuses.includes(status)).map(({ index }) => [index]);
    if (finished.length > 0) {
      await this.handle.write(
        `DELETE FROM operation_subjects WHERE operation_id = $1 AND ${this.dialect.isAmong('item_index', this.#rows([indexColumn], 2))}`,
        [id, jsonOf(finished)],
      );
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
    await this.#insertRows('operation_subjects', subjectColumns, rows);
  }

  async #insertRows(table: string, columns: readonly Column[], rows: readonly (readonly Value[])[]): Promise<void> {
    if (rows.length === 0) return;
    const names = columns.map(([name]) => name).join(', ');
    await this.handle.write(`INSERT INTO ${table} (${names}) ${this.#rows(columns, 1)}`, [jsonOf(rows)]);
  }

  /** @param columns in the order of the values of each row; the first is the item's index. */
  async #updateRunning(
    id: OperationId,
    columns: readonly Column[],
    rows: readonly (readonly Value[])[],
  ): Promise<number> {
    if (rows.length === 0) return 0;
    const changes = columns.slice(1).map(([name]) => `${name} = changed.${name}`);
    return this.handle.write(
      // Materialized: SQLite would read the whole list again for every item.
      `UPDATE operation_items SET ${changes.join(', ')}
        FROM (WITH list AS MATERIALIZED (${this.#rows(columns, 1)}) SELECT * FROM list) AS changed
        WHERE operation_items.operation_id = $2 AND operation_items.item_index = changed.item_index
        AND operation_items.status = 'RUNNING'`,
      [jsonOf(rows), id],
    );
  }

  /**
   * Rows that come as one JSON text, a list of lists: however many they are, it is one parameter, and the statement stays
   * the same. Thousands of parameters would cost the process more than the write itself.
   */
  #rows(columns: readonly Column[], parameter: number): string {
    const values = columns.map(([name, type], place) => `CAST(value ->> ${place} AS ${type}) AS ${name}`);
    return `SELECT ${values.join(', ')} FROM ${this.dialect.jsonElements}($${parameter})`;
  }
}

/** Half a surrogate pair, which PostgreSQL refuses in JSON, becomes the replacement character, as in a parameter of its own. */
function jsonOf(rows: readonly (readonly Value[])[]): string {
  const json = JSON.stringify(rows);
  if (!/\\ud[89a-f]/.test(json)) return json;
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value));
}

function toClaimedItem({ item_index, work, attempts, progress }: Record<string, unknown>): ClaimedItem {
  return {
    index: Number(item_index),
    work: reviveWork(String(work)),
    attempts: Number(attempts),
    progress: typeof progress === 'string' ? progress : undefined,
  };
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
