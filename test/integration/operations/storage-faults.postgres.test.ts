import { operationStopContract } from '../../support/operation-stop.contract';
import { passing, StorageFaultWorld } from '../../support/operation-storage-faults';
import { createPostgresDatabase } from '../../support/postgres';
import { PostgresServer } from '../../support/postgres-server';
import { SilentProxy } from '../../support/silent-proxy';

// What waits for time limits of the database's driver most of the time goes on beside the tests below.
let silence: Promise<unknown>;
beforeAll(() => {
  silence = surviveSilence().catch((error: unknown) => error);
});

operationStopContract('a process that is told to stop in the middle of work with PostgreSQL', 'postgres');

describe('an operation whose PostgreSQL fails', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server.stop());

  it('being killed refuses new work, and goes on when it is back, without a restart of the gateway (F16)', async () => {
    const database = await createPostgresDatabase(server.url);
    const faulty = await StorageFaultWorld.start({ engine: 'postgres', databaseUrl: database.url });
    try {
      const begun = await faulty.beginTwo();
      await server.crash();
      await faulty.expectAlive();
      expect(await faulty.tryToBegin()).toBe('refused');
      expect((await fetch(`${faulty.world.app.url}/readyz`)).status).toBe(503);
      await passing(30_000);
      await server.restart();
      await faulty.endLeases();
      await faulty.expectBothToEnd(begun);
      expect(await faulty.tryToBegin()).toBe('accepted');
    } finally {
      await faulty.stop();
    }
  });

  it('falling silent on all its connections goes on over new ones (F16)', async () => {
    expect(await silence).toBeUndefined();
  });
});

async function surviveSilence(): Promise<void> {
  const database = await createPostgresDatabase();
  const url = new URL(database.url);
  const proxy = await SilentProxy.start({ host: url.hostname, port: Number(url.port) });
  url.port = String(proxy.port);
  const faulty = await StorageFaultWorld.start({ engine: 'postgres', databaseUrl: url.href });
  try {
    const begun = await faulty.beginTwo();
    proxy.silence();
    await faulty.expectAlive();
    // A silent connection is found out when it is next used, each at the cost of one call.
    const ready = () => fetch(`${faulty.world.app.url}/readyz`);
    while ((await Promise.all(Array.from({ length: 12 }, ready))).some(({ ok }) => !ok));
    await faulty.expectBothToEnd(begun);
    expect(await faulty.tryToBegin()).toBe('accepted');
  } finally {
    await faulty.stop();
    await proxy.stop();
    await database.drop();
  }
}
