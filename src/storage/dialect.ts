import type { QueryRunner } from 'typeorm';
import type { ConnectionChange } from '../domain/install-ports';
import { changeText } from './connection-feed';
import { type DriverFailure, driverFailureOf, type TransientKind } from './storage-failure';

/** What a driver's error means, in words that are the same for both engines. */
export type FailureKind = 'UNIQUE' | 'FOREIGN_KEY' | 'BAD_TEXT' | 'OTHER' | TransientKind;

/** What differs between the engines; `data-source.ts` chooses one. */
export interface Dialect {
  readonly engine: 'sqlite' | 'postgres';
  /** True when all work shares one connection, and must take turns: two at once would share one transaction. */
  readonly isSingleConnection: boolean;
  readonly begin: string;
  /** The database's own clock, in milliseconds since the epoch, as an expression. */
  readonly nowMs: string;
  /** The function that makes rows of a JSON list, with a column `value`. */
  readonly jsonElements: string;
  /** That a column has one of the few values that a query selects, in the words that make the engine look them up in an index. */
  isAmong(column: string, select: string): string;
  /** Completes a SELECT: nobody deletes the rows before the transaction ends. */
  readonly keepRows: string;
  kindOf(failure: DriverFailure): FailureKind;
  /** Closes an open transaction. Rejects when it may still be open. */
  rollback(runner: QueryRunner): Promise<void>;
  /** Makes sure that a connection in an unknown state is not used again. */
  discard(runner: QueryRunner): Promise<void>;
  /**
   * Tells every replica, this one too, what the open transaction changed, as soon as it is committed. Where there are no
   * replicas it does nothing, and the process itself passes it on.
   */
  announce(runner: QueryRunner, changes: readonly NonNullable<ConnectionChange>[]): Promise<void>;
  /** Runs work that only one of several replicas may do at a time. */
  exclusively<T>(runner: QueryRunner, work: () => Promise<T>): Promise<T>;
}

const sqliteKinds: Record<string, FailureKind> = {
  SQLITE_BUSY: 'BUSY',
  SQLITE_LOCKED: 'BUSY',
  SQLITE_FULL: 'EXHAUSTED',
  SQLITE_NOMEM: 'EXHAUSTED',
  SQLITE_IOERR: 'EXHAUSTED',
  SQLITE_CANTOPEN: 'DISCONNECTED',
  SQLITE_READONLY: 'DISCONNECTED',
  SQLITE_MISUSE: 'DISCONNECTED',
};

export const sqliteDialect: Dialect = {
  engine: 'sqlite',
  isSingleConnection: true,
  // A deferred transaction that reads and then writes fails at once, and for good, when another process wrote in between.
  begin: 'BEGIN IMMEDIATE',
  nowMs: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
  jsonElements: 'json_each',
  isAmong: (column, select) => `${column} IN (${select})`,
  // Whoever writes is alone.
  keepRows: '',
  kindOf({ code, message }) {
    if (message.includes('UNIQUE constraint failed')) return 'UNIQUE';
    if (message.includes('FOREIGN KEY constraint failed')) return 'FOREIGN_KEY';
    return sqliteKinds[code] ?? 'OTHER';
  },
  async rollback(runner) {
    try {
      await runner.query('ROLLBACK');
    } catch (error) {
      // SQLite ends the transaction by itself on a full disk and on an input/output error.
      if (!driverFailureOf(error).message.includes('no transaction is active')) throw error;
    }
  },
  // The one connection cannot be replaced; the database repeats the rollback before the next piece of work.
  async discard() {},
  async announce() {},
  exclusively: (_runner, work) => work(),
};

/** SQLSTATE by its class (two characters) or whole, and the codes of Node's sockets. */
const postgresKinds: Record<string, FailureKind> = {
  '23505': 'UNIQUE',
  '23503': 'FOREIGN_KEY',
  // A NUL character in text, which SQLite takes and PostgreSQL does not.
  '22021': 'BAD_TEXT',
  '22P05': 'BAD_TEXT',
  '40001': 'CONFLICT',
  '40P01': 'CONFLICT',
  '08': 'DISCONNECTED',
  '57P01': 'DISCONNECTED',
  '57P02': 'DISCONNECTED',
  '57P03': 'DISCONNECTED',
  '57P05': 'DISCONNECTED',
  '25P03': 'DISCONNECTED',
  '25006': 'DISCONNECTED',
  '57014': 'CANCELED',
  '55P03': 'CANCELED',
  '53': 'EXHAUSTED',
  '58': 'EXHAUSTED',
  ECONNREFUSED: 'DISCONNECTED',
  ECONNRESET: 'DISCONNECTED',
  ECONNABORTED: 'DISCONNECTED',
  EPIPE: 'DISCONNECTED',
  ENOENT: 'DISCONNECTED',
  ENOTFOUND: 'DISCONNECTED',
  EAI_AGAIN: 'DISCONNECTED',
  EHOSTUNREACH: 'DISCONNECTED',
  ENETUNREACH: 'DISCONNECTED',
  ETIMEDOUT: 'TIMED_OUT',
  // TypeORM releases a runner by itself when its connection reports an error.
  QueryRunnerAlreadyReleasedError: 'DISCONNECTED',
};

/** The driver and its pool report these without a code. */
const postgresMessages: readonly (readonly [string, FailureKind])[] = [
  ['Query read timeout', 'TIMED_OUT'],
  ['timeout exceeded when trying to connect', 'TIMED_OUT'],
  ['Connection terminated due to connection timeout', 'TIMED_OUT'],
  ['Connection terminated', 'DISCONNECTED'],
  ['Client has encountered a connection error', 'DISCONNECTED'],
  ['Client was closed', 'DISCONNECTED'],
];

export const CHANGE_CHANNEL = 'rollcall_connections';

/** An arbitrary number that every replica agrees on. */
const START_LOCK = 7_265_501_431;

export const postgresDialect: Dialect = {
  engine: 'postgres',
  isSingleConnection: false,
  begin: 'START TRANSACTION',
  jsonElements: 'json_array_elements',
  isAmong: (column, select) => `${column} = ANY (ARRAY(${select}))`,
  keepRows: 'FOR KEY SHARE',
  // Not now(), which stands still within a transaction.
  nowMs: '(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint',
  kindOf({ code, message }) {
    const known = postgresKinds[code] ?? postgresKinds[code.slice(0, 2)];
    return known ?? postgresMessages.find(([part]) => message.includes(part))?.[1] ?? 'OTHER';
  },
  async rollback(runner) {
    await runner.query('ROLLBACK');
  },
  async discard(runner) {
    if (runner.isReleased) return;
    try {
      const client: { end(): Promise<void> } = await runner.connect();
      // Not awaited: on a half-open connection the answer never comes. The pool drops a client that is ending.
      client.end().catch(() => {});
    } catch {
      // The connection was never made.
    }
  },
  async announce(runner, changes) {
    const texts = changes.map(changeText);
    await runner.query(`SELECT pg_notify('${CHANGE_CHANNEL}', text) FROM unnest($1::text[]) AS text`, [texts]);
  },
  async exclusively(runner, work) {
    // Bound to the session, so the lock of a replica that dies is free again.
    await runner.query('SELECT pg_advisory_lock($1)', [START_LOCK]);
    try {
      return await work();
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [START_LOCK]);
    }
  },
};
