import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KeyFile } from '../../../src/storage/key-file';
import type { Storage } from '../../../src/storage/open-storage';
import {
  keyRotationContract,
  openAll,
  openBoth,
  type RotatingToken,
  refresh,
  secretsOf,
  storeRotatingTokens,
} from '../../support/key-rotation.contract';
import { custodyOf, keyUse, resealerOf } from '../../support/sealing-keys';
import { postgresDatabase, sqliteFileDatabase, type TestDatabase, testKey } from '../../support/test-database';

keyRotationContract('SQLite', sqliteFileDatabase);
keyRotationContract('PostgreSQL', postgresDatabase);

const WORKERS = 4;
const TOKENS_EACH = 14;
/** Between two calls of a worker; without it the load would take the processor from what it is to disturb. */
const PACE_MS = 25;

/** People's work meanwhile: each worker reads and refreshes tokens of its own, and knows what each must be. */
class Load {
  readonly tokens: RotatingToken[] = [];
  reads = 0;
  refreshes = 0;
  #isEnding = false;
  #workers: Promise<void>[] = [];
  #waiting: { at: number; resolve: () => void }[] = [];

  constructor(private readonly storageOf: (worker: number) => Storage) {}

  async start(): Promise<void> {
    for (let worker = 0; worker < WORKERS; worker += 1) {
      const tokens = await storeRotatingTokens(this.storageOf(worker).database, TOKENS_EACH);
      this.tokens.push(...tokens);
      this.#workers.push(this.work(worker, tokens));
    }
  }

  /** @throws the first call that failed, or that gave another secret than was stored last. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#workers);
  }

  /** Resolves after that many reads more, so that each step of a rotation is under load. */
  async passes(reads: number): Promise<void> {
    const reached = new Promise<void>((resolve) => this.#waiting.push({ at: this.reads + reads, resolve }));
    await Promise.race([reached, Promise.all(this.#workers)]);
  }

  private async work(worker: number, tokens: readonly RotatingToken[]): Promise<void> {
    for (let turn = worker; !this.#isEnding; turn += 1) {
      const token = tokens[turn % tokens.length] as RotatingToken;
      expect(await openBoth(this.storageOf(worker).database, token)).toEqual(secretsOf(token));
      this.reads += 1;
      for (const { at, resolve } of this.#waiting) if (this.reads >= at) resolve();
      await delay(PACE_MS);
      if (turn % 3 !== 0) continue;
      expect(await refresh(this.storageOf(worker).database, token)).toBe(true);
      this.refreshes += 1;
    }
  }
}

describe('a rotation of the sealing key under load', () => {
  let testDatabase: TestDatabase;
  const opened = new Set<Storage>();
  afterEach(async () => {
    await Promise.all([...opened].map((storage) => storage.close()));
    opened.clear();
    await testDatabase.drop();
  });

  async function open(options: Parameters<TestDatabase['open']>[0]): Promise<Storage> {
    const storage = await testDatabase.open(options);
    opened.add(storage);
    return storage;
  }

  it('with a key file fails no call, also while a command makes the new key in another process', async () => {
    const database = await sqliteFileDatabase();
    testDatabase = database;
    const file = join(dirname(database.file), 'sealing.key');
    const storage = await open({ keys: new KeyFile(file) });
    const load = new Load(() => storage);
    await load.start();
    const [first] = storage.keys.keyIds;

    await custodyOf(storage).rotate();
    await load.passes(10);
    expect(await resealerOf(storage).run()).toBe('DONE');
    await custodyOf(storage).remove(first ?? '');
    await load.passes(10);

    // As a command does it: another process, which the gateway hears of when it meets a value of the new key.
    const command = await testDatabase.open({ keys: new KeyFile(file), role: 'command' });
    const third = await custodyOf(command).rotate();
    expect(storage.keys.keyIds).not.toContain(third);
    expect(await resealerOf(command).run()).toBe('DONE');
    await command.close();
    await load.passes(10);
    expect(storage.keys.keyIds[0]).toBe(third);
    expect(await resealerOf(storage).run()).toBe('DONE');
    await load.end();

    expect(await keyUse(storage)).toEqual([2 * WORKERS * TOKENS_EACH, 0]);
    expect(load.refreshes).toBeGreaterThan(5);
    expect(await openAll(storage.database, load.tokens)).toEqual(load.tokens.map(secretsOf));
  });

  it('over replicas that are restarted one after another fails no call', async () => {
    testDatabase = await postgresDatabase();
    const replicas = [await open({ keys: [testKey(1), testKey(2)] }), await open({ keys: [testKey(1), testKey(2)] })];
    const load = new Load((worker) => replicas[worker % 2] as Storage);
    await load.start();

    for (const keys of [[2, 1], [2]]) {
      for (const index of [0, 1]) {
        const before = replicas[index] as Storage;
        replicas[index] = await open({ keys: keys.map(testKey) });
        await before.close();
        opened.delete(before);
        // As each does by itself; the one with the older key first leaves the work to the other.
        await Promise.all(replicas.map((replica) => resealerOf(replica).run()));
        await load.passes(10);
      }
      for (const replica of replicas) await resealerOf(replica).run();
    }
    await load.end();

    expect(await keyUse(replicas[0] as Storage)).toEqual([2 * WORKERS * TOKENS_EACH]);
    expect(load.refreshes).toBeGreaterThan(5);
    expect(await openAll((replicas[1] as Storage).database, load.tokens)).toEqual(load.tokens.map(secretsOf));
  });

  it('never writes over a token that is refreshed or ended while it is sealed anew', async () => {
    testDatabase = await postgresDatabase();
    const other = await open({ keys: [testKey(1), testKey(2)] });
    const storage = await open({ keys: [testKey(2), testKey(1)] });
    const [refreshed, ended, plain] = await storeRotatingTokens(other.database, 3);
    if (!refreshed || !ended || !plain) throw new Error('no tokens');
    const resealer = resealerOf(storage);

    // The rows stay locked, their change unseen, until the other side waits for them.
    const resealing = await other.database.transaction(async ({ tokens }) => {
      await tokens.retire(ended.id, 'REVOKED');
      const pair = {
        secret: plain.secret,
        refreshToken: plain.refreshToken,
        hint: 'h',
        grantedScopes: [],
        refreshedAt: new Date(),
      };
      await tokens.saveRefreshed(refreshed.connection.tenantId, refreshed, pair);
      const running = resealer.run();
      await waitsForLock(testDatabase);
      return { running };
    });

    expect(await resealing.running).toBe('DONE');
    expect(resealer.progress).toMatchObject({ found: 6, resealed: 2, unreadable: 0 });
    expect(await openBoth(storage.database, refreshed)).toEqual(secretsOf(plain));
    expect(await openBoth(storage.database, ended)).toEqual([undefined, undefined]);
    expect(await openBoth(storage.database, plain)).toEqual(secretsOf(plain));
    // What the other replica sealed with its own key meanwhile is the next run's.
    expect(await resealer.run()).toBe('DONE');
    expect(await keyUse(storage)).toEqual([4, 0]);
  });
});

async function waitsForLock(database: TestDatabase): Promise<void> {
  const waiting =
    "SELECT count(*) AS count FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
  for (let count = 0; count === 0; ) count = Number((await database.query(waiting))[0]?.count);
}
