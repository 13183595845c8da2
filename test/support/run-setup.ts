import { PostgresServer } from './postgres-server';
import { makeRunFolder, type RunFolder } from './run-folder';

declare global {
  /** What a test run has, from Jest's globalSetup to its globalTeardown. */
  var rollcallTestRun: { folder?: RunFolder; postgres?: PostgresServer } | undefined;
}

/** Starts one PostgreSQL for the run, unless TEST_POSTGRES_URL names a server (as a superuser) to use instead. */
export default async function startRun(): Promise<void> {
  const run: NonNullable<typeof globalThis.rollcallTestRun> = {};
  globalThis.rollcallTestRun = run;
  if (!process.env.TMPDIR) {
    run.folder = makeRunFolder();
    // Of the workers too, which start with this environment.
    if (run.folder) process.env.TMPDIR = run.folder.path;
  }
  if (process.env.TEST_POSTGRES_URL) return;
  run.postgres = await PostgresServer.start();
  process.env.TEST_POSTGRES_URL = run.postgres.url;
}
