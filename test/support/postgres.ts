import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { Secret } from '../../src/shared/secret';
import { createDataSource } from '../../src/storage/data-source';

export interface PostgresTestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** An empty database of its own on the server of this run. @param serverUrl another server, as superuser. */
export async function createPostgresDatabase(serverUrl = process.env.TEST_POSTGRES_URL): Promise<PostgresTestDatabase> {
  if (!serverUrl) throw new Error('TEST_POSTGRES_URL is not set: this test needs the globalSetup of its Jest project.');
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onServer<unknown>(serverUrl, (server) => server.query(`CREATE DATABASE ${name}`));
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => onServer<void>(serverUrl, (server) => server.query(`DROP DATABASE ${name} WITH (FORCE)`)),
  };
}

/** Runs one statement on a database, past whoever works with it. */
export function queryPostgres(url: string, sql: string): Promise<Record<string, unknown>[]> {
  return onServer(url, (server) => server.query(sql));
}

async function onServer<T>(url: string, work: (server: DataSource) => Promise<T>): Promise<T> {
  const server = createDataSource({ kind: 'postgres', url: new Secret(url), poolSize: 1 });
  await server.initialize();
  try {
    return await work(server);
  } finally {
    await server.destroy();
  }
}
