import { inspect } from 'node:util';
import { systemClock } from '../../../src/shared/clock';
import { silentLogger } from '../../../src/shared/logger';
import { Secret } from '../../../src/shared/secret';
import { givenKeys } from '../../../src/storage/key-provider';
import { openStorage, type Storage } from '../../../src/storage/open-storage';
import { lastWord, listenTo } from '../../support/connection-feed.contract';
import { FakeClock } from '../../support/fake-clock';
import { PostgresServer } from '../../support/postgres-server';
import { SilentProxy } from '../../support/silent-proxy';
import { aTenant, storeConnection } from '../../support/storage-records';
import { postgresDatabase, type TestDatabase, testKey } from '../../support/test-database';
import { until } from '../../support/until';

/** As TestDatabase.open, at another address and with other limits. */
function openAt(url: string, options: { poolSize?: number; statementTimeoutMs?: number } = {}): Promise<Storage> {
  return openStorage({
    database: { kind: 'postgres', url: new Secret(url), ...options },
    keys: givenKeys([testKey(1)]),
    clock: systemClock,
    logger: silentLogger,
  });
}

function urlOf({ config }: TestDatabase): URL {
  if (config.kind !== 'postgres') throw new Error('a PostgreSQL database is needed');
  return new URL(config.url.reveal());
}

describe('PostgreSQL that crashes and comes back', () => {
  let server: PostgresServer;
  let testDatabase: TestDatabase;

  beforeAll(async () => {
    server = await PostgresServer.start();
  });

  // Each test leaves the server running.
  beforeEach(async () => {
    testDatabase = await postgresDatabase(server.url);
  });

  afterAll(() => server.stop());

  it('refuses work while it is away and works again when it is back, with all that was acknowledged', async () => {
    const clock = new FakeClock();
    const storage = await testDatabase.open({ clock });
    const acknowledged = Array.from({ length: 10 }, () => aTenant());
    await Promise.all(
      acknowledged.map((tenant) => storage.database.transaction((stores) => stores.tenants.insert(tenant))),
    );
    await server.crash();

    const away = { code: 'INTERNAL', kind: 'DISCONNECTED', retryable: true };
    await expect(storage.database.ping()).rejects.toMatchObject(away);
    const refused = aTenant();
    const write = storage.database.transaction((stores) => stores.tenants.insert(refused));
    await expect(clock.runUntil(write)).rejects.toMatchObject(away);
    const read = storage.database.read((stores) => stores.tenants.find(refused.id));
    await expect(clock.runUntil(read)).rejects.toMatchObject(away);

    await server.restart();
    await clock.runUntil(storage.database.transaction((stores) => stores.tenants.insert(aTenant())));
    await storage.database.ping();
    for (const tenant of [...acknowledged, refused]) {
      const found = await storage.database.read((stores) => stores.tenants.find(tenant.id));
      expect(found).toEqual(tenant === refused ? undefined : tenant);
    }
    await storage.close();
  });

  it('repeats a transaction that the crash cut short, once the server is back', async () => {
    const clock = new FakeClock();
    const storage = await testDatabase.open({ clock });
    const tenant = aTenant();
    let runs = 0;

    const write = storage.database.transaction(async (stores) => {
      runs += 1;
      await stores.tenants.insert(tenant);
      if (runs > 1) return;
      await server.crash();
      await server.restart();
      await stores.tenants.find(tenant.id);
    });

    await clock.runUntil(write);
    expect(runs).toBe(2);
    expect(await storage.database.read((stores) => stores.tenants.find(tenant.id))).toEqual(tenant);
    await storage.close();
  });

  it('tells each of two replicas what the other commits, and after the crash that something may have been missed', async () => {
    const [here, there] = [await testDatabase.open(), await testDatabase.open()];
    const { tenantId, id: connectionId } = await storeConnection(here.database);
    const listening = listenTo(there, tenantId);
    expect(await lastWord(here, tenantId, listening.heard)).toEqual(listening.heard.at(-1));

    listening.heard.length = 0;
    await server.crash();
    await server.restart();
    await until(() => listening.heard.length > 0);

    expect(listening.heard).toEqual([undefined]);
    await here.database.transaction(({ connections }) => connections.delete(tenantId, connectionId));
    await until(() => listening.heard.length > 1);
    expect(listening.heard).toEqual([undefined, { tenantId, connectionId }]);
    await Promise.all([here.close(), there.close()]);
  });
});

describe('PostgreSQL', () => {
  let testDatabase: TestDatabase;

  beforeEach(async () => {
    testDatabase = await postgresDatabase();
  });

  afterEach(() => testDatabase.drop());

  it('is reached again after its connections have fallen silent', async () => {
    const url = urlOf(testDatabase);
    const proxy = await SilentProxy.start({ host: url.hostname, port: Number(url.port) });
    url.port = String(proxy.port);
    const storage = await openAt(url.href, { poolSize: 1, statementTimeoutMs: 1_000 });
    const tenant = aTenant();
    await storage.database.transaction((stores) => stores.tenants.insert(tenant));
    const connectionsBefore = proxy.connections;
    proxy.silence();

    const read = storage.database.read((stores) => stores.tenants.find(tenant.id));

    await expect(read).rejects.toMatchObject({ code: 'INTERNAL', kind: 'TIMED_OUT', retryable: true });
    expect(await storage.database.read((stores) => stores.tenants.find(tenant.id))).toEqual(tenant);
    await storage.database.transaction((stores) => stores.tenants.insert(aTenant()));
    expect(proxy.connections).toBeGreaterThan(connectionsBefore);
    await storage.close();
    await proxy.stop();
  });

  it('runs one of two deadlocked transactions again', async () => {
    const storage = await testDatabase.open();
    const [one, two] = [await storeConnection(storage.database), await storeConnection(storage.database)];
    const bothHold = barrier(2);
    let runs = 0;
    const rename = (order: (typeof one)[]) =>
      storage.database.transaction(async ({ connections }) => {
        runs += 1;
        for (const [index, { tenantId, id }] of order.entries()) {
          const stored = await connections.find(tenantId, id);
          if (!stored) throw new Error('both are stored');
          await connections.update({ ...stored, name: `${stored.name}+` });
          if (index === 0) await bothHold();
        }
      });

    await Promise.all([rename([one, two]), rename([two, one])]);

    // On a busy machine the one that runs again can meet the other once more.
    expect(runs).toBeGreaterThan(2);
    const names = await storage.database.read(async ({ connections }) => [
      (await connections.find(one.tenantId, one.id))?.name,
      (await connections.find(two.tenantId, two.id))?.name,
    ]);
    expect(names).toEqual(['Acme Slack++', 'Acme Slack++']);
    await storage.close();
  });

  it('serves 200 transactions at once over two connections', async () => {
    const url = urlOf(testDatabase).href;
    const storage = await openAt(url, { poolSize: 2 });
    const tenants = Array.from({ length: 200 }, () => aTenant());

    await Promise.all(tenants.map((tenant) => storage.database.transaction((stores) => stores.tenants.insert(tenant))));

    const [{ count } = { count: 0 }] = await testDatabase.query('SELECT COUNT(*) FROM tenants');
    expect(Number(count)).toBe(200);
    await storage.close();
  });

  it('gives up a statement that the server cancels, and goes on', async () => {
    const storage = await openAt(urlOf(testDatabase).href, { poolSize: 1, statementTimeoutMs: 1_000 });
    const connection = await storeConnection(storage.database);
    const holder = await testDatabase.open();
    const isHeld = barrier(2);
    const mayEnd = barrier(2);
    const holding = holder.database.transaction(async ({ connections }) => {
      await connections.update({ ...connection, name: 'held' });
      await isHeld();
      await mayEnd();
    });
    await isHeld();

    const write = storage.database.transaction(({ connections }) =>
      connections.update({ ...connection, name: 'late' }),
    );

    await expect(write).rejects.toMatchObject({ kind: 'CANCELED', driverCode: '57014' });
    await mayEnd();
    await holding;
    expect((await storage.database.read((s) => s.connections.find(connection.tenantId, connection.id)))?.name).toBe(
      'held',
    );
    await holder.close();
    await storage.close();
  });

  it('refuses a text with a NUL character as invalid input', async () => {
    const storage = await testDatabase.open();

    const write = storage.database.transaction((stores) => stores.tenants.insert(aTenant({ name: 'a\u0000b' })));

    await expect(write).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await storage.close();
  });

  it.each([
    ['nobody listens there', (url: URL) => ({ port: '1', password: url.password }), 'ECONNREFUSED', 'nobody listens'],
    ['the password is wrong', () => ({ password: 'hunter2-is-secret' }), '28P01', 'password is wrong'],
    [
      'there is no such database',
      (url: URL) => ({ pathname: '/nowhere', password: url.password }),
      '3D000',
      'no database of this name',
    ],
  ])('tells why it does not start when %s, without the password', async (_, change, driverCode, reason) => {
    const url = urlOf(testDatabase);
    Object.assign(url, { password: 'hunter2-is-secret' }, change(url));

    const failure = await openAt(url.href).catch((error: unknown) => error);

    expect(failure).toMatchObject({ driverCode, message: expect.stringContaining(reason) });
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('hunter2');
  });
});

/** Lets everybody through once `size` have come. */
function barrier(size: number): () => Promise<void> {
  let open: () => void = () => {};
  let arrived = 0;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    arrived += 1;
    if (arrived >= size) open();
    return opened;
  };
}
