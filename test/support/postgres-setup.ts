import { PostgresServer } from './postgres-server';

declare global {
  /** The server of this test run, from Jest's globalSetup to its globalTeardown. */
  var rollcallTestPostgres: PostgresServer | undefined;
}

/** Starts one PostgreSQL for the run, unless TEST_POSTGRES_URL names a server (as a superuser) to use instead. */
export default async function startPostgres(): Promise<void> {
  if (process.env.TEST_POSTGRES_URL) return;
  globalThis.rollcallTestPostgres = await PostgresServer.start();
  process.env.TEST_POSTGRES_URL = globalThis.rollcallTestPostgres.url;
}
