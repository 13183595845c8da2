import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, systemClock } from '../../../src/shared/clock';
import { silentLogger } from '../../../src/shared/logger';
import { Secret } from '../../../src/shared/secret';
import { TokenCipher } from '../../../src/storage/cipher';
import { LocalFeed } from '../../../src/storage/connection-feed';
import { createDataSource } from '../../../src/storage/data-source';
import { TypeOrmDatabase } from '../../../src/storage/database';
import { type Dialect, sqliteDialect } from '../../../src/storage/dialect';
import { FakeClock } from '../../support/fake-clock';
import { lockFromOutside } from '../../support/sqlite-locker';
import { aSecret, aTenant, aToken, storeConnection } from '../../support/storage-records';
import { sqliteFileDatabase, testKey } from '../../support/test-database';

type FileDatabase = Awaited<ReturnType<typeof sqliteFileDatabase>>;

describe('SQLite', () => {
  let file: FileDatabase;

  beforeEach(async () => {
    file = await sqliteFileDatabase();
  });

  afterEach(() => file.drop());

  /** The stores on a data source that the test can reach too. */
  async function openReachable({
    dialect = sqliteDialect,
    clock = systemClock,
  }: {
    dialect?: Dialect;
    clock?: Clock;
  } = {}) {
    await (await file.open()).close();
    const dataSource = await createDataSource(file.config).initialize();
    const cipher = new TokenCipher([testKey(1)]);
    const feed = new LocalFeed(silentLogger);
    return { dataSource, database: new TypeOrmDatabase({ dataSource, dialect, cipher, clock, feed }) };
  }

  it('keeps the row of B in the file when A rolls back after an await while B writes', async () => {
    const storage = await file.open();
    const [ofA, ofB] = [aTenant(), aTenant()];
    const a = storage.database.transaction(async (stores) => {
      await stores.tenants.insert(ofA);
      await delay(30);
      throw new Error('A gives up');
    });
    const b = storage.database.transaction((stores) => stores.tenants.insert(ofB));
    await Promise.all([expect(a).rejects.toThrow('A gives up'), b]);
    await storage.close();

    const reopened = await file.open();

    const found = await reopened.database.read(async ({ tenants }) => [
      await tenants.find(ofA.id),
      await tenants.find(ofB.id),
    ]);
    await reopened.close();
    expect(found).toEqual([undefined, ofB]);
  });

  it('runs with a write-ahead log, foreign keys, secure deletion and full synchronisation', async () => {
    const { dataSource, database } = await openReachable();
    const settings: unknown[] = [];
    for (const name of ['journal_mode', 'foreign_keys', 'secure_delete', 'synchronous', 'busy_timeout']) {
      const [row] = await dataSource.query(`PRAGMA ${name}`);
      settings.push(...Object.values(row));
    }
    await database.close();

    expect(settings).toEqual(['wal', 1, 1, 2, 50]);
  });

  it('keeps its files from other users of the machine', async () => {
    const storage = await file.open();
    await storage.database.transaction((stores) => stores.tenants.insert(aTenant()));

    const folder = dirname(file.file);
    const modes = await Promise.all(
      (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).mode & 0o077),
    );
    await storage.close();

    expect(modes.length).toBeGreaterThan(1);
    expect(modes.every((mode) => mode === 0)).toBe(true);
  });

  it('never writes a token to the file or its log, neither while it is used nor after its end', async () => {
    const storage = await file.open();
    const [kept, retired, deleted] = [aSecret(), aSecret(), aSecret()];
    const connections = [
      await storeConnection(storage.database),
      await storeConnection(storage.database),
      await storeConnection(storage.database),
    ];
    for (const [index, secret] of [kept, retired, deleted].entries()) {
      const connection = connections[index];
      if (!connection) throw new Error('a connection for each token');
      const token = aToken(connection);
      await storage.database.transaction(({ tokens }) => tokens.insert(token, secret));
      expect(await formsOnDisk(file, secret)).toEqual([]);
      if (secret === retired) await storage.database.transaction(({ tokens }) => tokens.retire(token.id, 'REVOKED'));
      if (secret === deleted) {
        await storage.database.transaction((stores) => stores.connections.delete(connection.tenantId, connection.id));
      }
      expect(await formsOnDisk(file, secret)).toEqual([]);
    }
    await storage.close();

    for (const secret of [kept, retired, deleted]) expect(await formsOnDisk(file, secret)).toEqual([]);
    // The search itself works: it finds what is stored in the open.
    expect(await formsOnDisk(file, new Secret('Acme Slack'))).toEqual(['raw']);
  });

  it('erases the sealed token of an ended one from the file', async () => {
    const storage = await file.open();
    const token = aToken(await storeConnection(storage.database));
    await storage.database.transaction(({ tokens }) => tokens.insert(token, aSecret()));
    const [row] = await file.query(`SELECT sealed_secret FROM access_tokens WHERE id = '${token.id}'`);
    const sealed = new Secret(String(row?.sealed_secret));
    await storage.database.transaction(({ tokens }) => tokens.retire(token.id, 'REVOKED'));
    await storage.close();

    expect(await formsOnDisk(file, sealed)).toEqual([]);
  });

  it('waits with a write while another process holds the lock, and reads meanwhile', async () => {
    const storage = await file.open();
    const [before, during] = [aTenant(), aTenant()];
    await storage.database.transaction((stores) => stores.tenants.insert(before));
    const release = await lockFromOutside(file.file);
    let isWritten = false;

    const write = storage.database
      .transaction((stores) => stores.tenants.insert(during))
      .finally(() => {
        isWritten = true;
      });
    await expect(storage.database.read((stores) => stores.tenants.find(before.id))).resolves.toEqual(before);
    await expect(storage.database.ping()).resolves.toBeUndefined();
    expect(isWritten).toBe(false);
    await release();
    await write;

    expect(await storage.database.read((stores) => stores.tenants.find(during.id))).toEqual(during);
    await storage.close();
  });

  it('gives up retryably when the lock stays, writes nothing, and writes again when it is gone', async () => {
    const clock = new FakeClock();
    const storage = await file.open({ clock });
    const startedAt = clock.now();
    const tenants = Array.from({ length: 5 }, () => aTenant());
    const release = await lockFromOutside(file.file);

    const writes = tenants.map((tenant) => storage.database.transaction((stores) => stores.tenants.insert(tenant)));
    const outcomes = await clock.runUntil(Promise.allSettled(writes));

    const waitedMs = clock.now() - startedAt;
    expect(waitedMs).toBeGreaterThan(4_000);
    // All of them waited together, not one after another.
    expect(waitedMs).toBeLessThanOrEqual(5_000);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'INTERNAL', kind: 'BUSY', retryable: true },
      });
    }
    await release();
    await storage.database.transaction(async (stores) => {
      for (const tenant of tenants) {
        expect(await stores.tenants.find(tenant.id)).toBeUndefined();
        await stores.tenants.insert(tenant);
      }
    });
    await storage.close();
  });

  it('starts while another process holds the lock', async () => {
    await (await file.open()).close();
    const release = await lockFromOutside(file.file);

    const storage = await file.open();

    await expect(storage.database.ping()).resolves.toBeUndefined();
    await release();
    await storage.close();
  });

  it('ends the leases of a gateway that is gone when the next one starts, and leaves them to a command beside it', async () => {
    const first = await file.open();
    await first.database.transaction(({ leases }) => leases.acquire('work', 'first', 60_000));
    const isHeld = async (options: Parameters<typeof file.open>[0]) => {
      const storage = await file.open(options);
      const isFirsts = await storage.database.transaction(({ leases }) => leases.confirm('work', 'first'));
      await storage.close();
      return isFirsts;
    };

    expect(await isHeld({ role: 'command' })).toBe(true);
    await first.close();
    expect(await isHeld({})).toBe(false);
  });

  it('does not start on a file that is no database, and leaves it as it was', async () => {
    await writeFile(file.file, 'this is a letter, not a database');

    await expect(file.open()).rejects.toMatchObject({
      name: 'DatabaseNotOpened',
      message: `The database file ${file.file} cannot be used: the file is not an SQLite database (SQLITE_NOTADB).`,
    });

    expect(await readFile(file.file, 'utf8')).toBe('this is a letter, not a database');
  });

  it('refuses writes on a full disk, keeps what it has acknowledged, and writes again when there is room', async () => {
    const { dataSource, database } = await openReachable();
    const acknowledged = aTenant();
    await database.transaction((stores) => stores.tenants.insert(acknowledged));
    const [{ page_count: pages }] = await dataSource.query('PRAGMA page_count');
    await dataSource.query(`PRAGMA max_page_count = ${pages}`);
    const [small, large] = [aTenant(), aTenant({ name: 'x'.repeat(200_000) })];

    const write = database.transaction(async (stores) => {
      await stores.tenants.insert(small);
      await stores.tenants.insert(large);
    });

    await expect(write).rejects.toMatchObject({
      code: 'INTERNAL',
      kind: 'EXHAUSTED',
      driverCode: 'SQLITE_FULL',
      retryable: true,
    });
    const find = () =>
      database.read(async ({ tenants }) => [
        (await tenants.find(acknowledged.id))?.id,
        (await tenants.find(small.id))?.id,
        (await tenants.find(large.id))?.id,
      ]);
    expect(await find()).toEqual([acknowledged.id, undefined, undefined]);
    await dataSource.query('PRAGMA max_page_count = 1000000');
    await database.transaction(async (stores) => {
      await stores.tenants.insert(small);
      await stores.tenants.insert(large);
    });
    expect(await find()).toEqual([acknowledged.id, small.id, large.id]);
    await database.close();
  });

  it('lets nobody write into a transaction that could not be rolled back', async () => {
    let isRollbackBroken = true;
    const clock = new FakeClock();
    const dialect: Dialect = {
      ...sqliteDialect,
      async rollback(runner) {
        if (isRollbackBroken) throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' });
        await sqliteDialect.rollback(runner);
      },
    };
    const { database } = await openReachable({ dialect, clock });
    const [lost, refused, kept] = [aTenant(), aTenant(), aTenant()];
    await database
      .transaction(async (stores) => {
        await stores.tenants.insert(lost);
        throw new Error('rolled back');
      })
      .catch(() => {});

    const write = clock.runUntil(database.transaction((stores) => stores.tenants.insert(refused)));
    await expect(write).rejects.toMatchObject({ driverCode: 'SQLITE_IOERR' });
    isRollbackBroken = false;
    await database.transaction((stores) => stores.tenants.insert(kept));

    const found = await database.read(async ({ tenants }) => [
      await tenants.find(lost.id),
      await tenants.find(refused.id),
      await tenants.find(kept.id),
    ]);
    await database.close();
    expect(found).toEqual([undefined, undefined, kept]);
  });

  it('lets work under way end before it closes, and refuses work from then on', async () => {
    const storage = await file.open();
    const tenant = aTenant();
    const write = storage.database.transaction(async (stores) => {
      await delay(20);
      await stores.tenants.insert(tenant);
    });

    await storage.close();

    await expect(storage.database.ping()).rejects.toMatchObject({ code: 'INTERNAL', retryable: true });
    await write;
    const reopened = await file.open();
    expect(await reopened.database.read((stores) => stores.tenants.find(tenant.id))).toEqual(tenant);
    await reopened.close();
  });
});

/** In which forms a text is found in the database file or beside it. */
async function formsOnDisk({ file }: FileDatabase, secret: Secret): Promise<string[]> {
  const text = secret.reveal();
  const forms: Record<string, string> = {
    raw: text,
    base64: Buffer.from(text).toString('base64').replace(/=+$/, ''),
    base64url: Buffer.from(text).toString('base64url'),
    hex: Buffer.from(text).toString('hex'),
    percent: [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
    reversed: [...text].reverse().join(''),
  };
  const folder = dirname(file);
  const contents = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'latin1')));
  return Object.keys(forms).filter((form) => contents.some((content) => content.includes(forms[form] ?? '')));
}
