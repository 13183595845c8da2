import type {
  EntityManager,
  EntitySchema,
  FindOptionsWhere,
  ObjectLiteral,
  QueryDeepPartialEntity,
  QueryRunner,
} from 'typeorm';
import { InvalidInput, NotFound } from '../domain/errors';
import type { ConnectionChange } from '../domain/install-ports';
import { UniqueViolation } from '../domain/ports';
import { Mutex } from '../shared/mutex';
import { ConnectionChanges } from './connection-changes';
import type { Dialect } from './dialect';
import { driverFailureOf, StorageFailure, TransientFailure, type TransientKind } from './storage-failure';

const lostKinds: readonly TransientKind[] = ['DISCONNECTED', 'TIMED_OUT'];

/**
 * One piece of work's hold on the database. Statements run one after another, since node-sqlite3 may reorder what is
 * sent together: a rollback could overtake an insert. After a failed statement the handle refuses further ones, on both
 * engines as PostgreSQL does; after the end of the work it refuses them too, so that no store can be used later.
 */
export class StoreHandle {
  /** What the stores note down of what they change. */
  readonly changes = new ConnectionChanges();
  readonly #turns = new Mutex();
  #isClosed = false;
  #failure: Error | undefined;

  constructor(
    private readonly runner: QueryRunner,
    private readonly dialect: Dialect,
  ) {}

  /** What the first failed statement met. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** True when a connection may still be waiting for an answer, or is gone: it must not go back to the pool. */
  get isConnectionLost(): boolean {
    return this.#failure instanceof TransientFailure && lostKinds.includes(this.#failure.kind);
  }

  /** @throws UniqueViolation, NotFound (the owning row is gone), InvalidInput (text with NUL), TransientFailure, StorageFailure */
  run<T>(statement: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.#turns.run(async () => {
      if (this.#isClosed) throw new Error('The stores were used after the work they were made for had ended.');
      if (this.#failure) throw new StorageFailure('AFTER_FAILURE');
      return this.#translating(() => statement(this.runner.manager));
    });
  }

  execute(sql: string): Promise<unknown> {
    return this.run(() => this.runner.query(sql));
  }

  /** Waits for the statement under way, and ends the use of the stores. */
  close(): Promise<void> {
    return this.#turns.run(async () => {
      this.#isClosed = true;
    });
  }

  /**
   * @returns the connections that the transaction changed.
   * @throws StorageFailure when the work went on after a failed statement: PostgreSQL would roll back without a word.
   */
  async commit(): Promise<readonly NonNullable<ConnectionChange>[]> {
    if (this.#failure) throw new StorageFailure('AFTER_FAILURE');
    const changes = await this.#translating(() => this.changes.list(this.runner.manager));
    if (changes.length > 0) await this.#translating(() => this.dialect.announce(this.runner, changes));
    try {
      await this.#translating(() => this.runner.query('COMMIT'));
      return changes;
    } catch (error) {
      if (!(error instanceof TransientFailure) || !lostKinds.includes(error.kind)) throw error;
      throw new TransientFailure('OUTCOME_UNKNOWN', error.driverCode);
    }
  }

  /** @returns false when the transaction may still be open; the connection then counts as lost. */
  async rollback(): Promise<boolean> {
    // The end of a pooled connection ends its transaction, and a ROLLBACK on it would wait for an answer in vain.
    if (this.isConnectionLost && !this.dialect.isSingleConnection) return true;
    try {
      await this.dialect.rollback(this.runner);
      return true;
    } catch (error) {
      this.#failure = new TransientFailure('DISCONNECTED', driverFailureOf(error).code);
      return false;
    }
  }

  async #translating<T>(statement: () => Promise<T>): Promise<T> {
    try {
      return await statement();
    } catch (error) {
      const failure = translated(error, this.dialect);
      this.#failure ??= failure;
      throw failure;
    }
  }

  /** For what the query builder cannot say. @param sql with its parameters in the order of `$1`, `$2` … @returns how many rows changed. */
  write(sql: string, parameters: readonly unknown[]): Promise<number> {
    return this.run(async () => {
      const { affected } = await this.runner.query(sql, [...parameters], true);
      return affected ?? 0;
    });
  }

  /** The rows of a whole table, which nobody deletes before the transaction ends. */
  keepAll<Row extends ObjectLiteral>(table: string): Promise<Row[]> {
    return this.run((manager) => manager.query(`SELECT * FROM ${table} ${this.dialect.keepRows}`));
  }

  /** As write. @returns what the statement selects. */
  rows(sql: string, parameters: readonly unknown[]): Promise<Record<string, unknown>[]> {
    return this.run(() => this.runner.query(sql, [...parameters]));
  }

  findOne<Row extends ObjectLiteral>(schema: EntitySchema<Row>, where: FindOptionsWhere<Row>): Promise<Row | null> {
    return this.run((manager) => manager.findOneBy(schema, where));
  }

  /**
   * Keeps others from changing a row until the end of the transaction; on a single connection that is alone from its beginning.
   * @param sql a write that changes nothing. @returns whether the row is there, as far as that was asked.
   */
  async lockRow(sql: string, parameters: readonly unknown[]): Promise<boolean> {
    return this.dialect.isSingleConnection || (await this.write(sql, parameters)) === 1;
  }

  /** @param onDuplicate `skip` leaves an existing row alone. @returns whether a row was inserted. */
  insert<Row extends ObjectLiteral>(
    schema: EntitySchema<Row>,
    row: Row,
    { onDuplicate = 'fail' }: { onDuplicate?: 'fail' | 'skip' } = {},
  ): Promise<boolean> {
    return this.run(async (manager) => {
      const values: QueryDeepPartialEntity<Row> = row;
      const builder = manager.createQueryBuilder().insert().into(schema).values(values).updateEntity(false);
      const [sql, parameters] = (onDuplicate === 'skip' ? builder.orIgnore() : builder).getQueryAndParameters();
      const { affected } = await this.runner.query(sql, parameters, true);
      return affected === 1;
    });
  }

  /** @param where a condition over column names, with its values in `parameters`. @returns how many rows changed. */
  update<Row extends ObjectLiteral>(
    schema: EntitySchema<Row>,
    changes: QueryDeepPartialEntity<Row>,
    where: string,
    parameters: ObjectLiteral,
  ): Promise<number> {
    return this.run(async (manager) => {
      const { affected } = await manager
        .createQueryBuilder()
        .update(schema)
        .set(changes)
        .where(where, parameters)
        .updateEntity(false)
        .execute();
      return affected ?? 0;
    });
  }

  /** As update. */
  delete<Row extends ObjectLiteral>(
    schema: EntitySchema<Row>,
    where: string,
    parameters: ObjectLiteral,
  ): Promise<number> {
    return this.run(async (manager) => {
      const { affected } = await manager.createQueryBuilder().delete().from(schema).where(where, parameters).execute();
      return affected ?? 0;
    });
  }
}

/** The database's error in our words, without a bound value. */
export function translated(error: unknown, dialect: Dialect): Error {
  if (error instanceof StorageFailure || error instanceof TransientFailure) return error;
  const failure = driverFailureOf(error);
  const kind = dialect.kindOf(failure);
  switch (kind) {
    case 'UNIQUE':
      return new UniqueViolation(violatedConstraint(`${failure.constraint} ${failure.message}`));
    case 'FOREIGN_KEY':
      return new NotFound('The record that this one belongs to is not there any more.');
    case 'BAD_TEXT':
      return new InvalidInput('A text holds a character that cannot be stored.');
    case 'OTHER':
      return new StorageFailure(failure.code);
    default:
      return new TransientFailure(kind, failure.code);
  }
}

/** SQLite names the columns, PostgreSQL the index, whose name holds the same words. */
function violatedConstraint(text: string): UniqueViolation['constraint'] {
  if (/connections\.external_id|uq_connections_external_id/.test(text)) return 'connection.externalId';
  if (/connections\.team_key|uq_connections_team/.test(text)) return 'connection.team';
  return 'other';
}
