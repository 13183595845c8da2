import { join } from 'node:path';
import sqlite3 from 'sqlite3';
import type { TestApp } from './start-app';

export type SqliteRow = Readonly<Record<string, unknown>>;

/** Runs one statement on the gateway's database past the gateway, on a connection of its own. */
export function querySqlite(
  { directory }: Pick<TestApp, 'directory'>,
  sql: string,
  ...values: unknown[]
): Promise<SqliteRow[]> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(join(directory, 'rollcall.sqlite'));
    database.configure('busyTimeout', 5_000);
    database.all<SqliteRow>(sql, values, (error, rows) => {
      database.close(() => (error ? reject(error) : resolve(rows)));
    });
  });
}
