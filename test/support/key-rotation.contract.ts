import type { DataSource } from 'typeorm';
import type { AccessTokenId, Connection } from '../../src/domain/connections/connection';
import { totalOf } from '../../src/domain/keys/sealing-key';
import type { Database } from '../../src/domain/ports';
import { SealBroken } from '../../src/domain/ports';
import type { Secret } from '../../src/shared/secret';
import { TokenCipher } from '../../src/storage/cipher';
import { createDataSource } from '../../src/storage/data-source';
import type { KeyRing } from '../../src/storage/key-ring';
import type { Storage } from '../../src/storage/open-storage';
import { custodyOf, describedKeys, keyUse, resealerOf } from './sealing-keys';
import { aConnection, aSecret, aTenant, aToken, later } from './storage-records';
import { type MakeTestDatabase, type TestDatabase, testKey } from './test-database';

export interface RotatingToken {
  readonly id: AccessTokenId;
  readonly connection: Connection;
  generation: number;
  secret: Secret;
  refreshToken: Secret;
}

/** Replaces both secrets, as a refresh does. @returns whether it was saved. */
export async function refresh(database: Database, token: RotatingToken): Promise<boolean> {
  const [secret, refreshToken] = [aSecret(), aSecret()];
  const pair = { secret, refreshToken, hint: 'new', grantedScopes: ['admin'], refreshedAt: later(1) };
  const isSaved = await database.transaction(({ tokens }) =>
    tokens.saveRefreshed(token.connection.tenantId, token, pair),
  );
  if (isSaved) Object.assign(token, { secret, refreshToken, generation: token.generation + 1 });
  return isSaved;
}

export async function openBoth(database: Database, token: RotatingToken): Promise<(string | undefined)[]> {
  const [opened = []] = await openAll(database, [token]);
  return opened;
}

export function openAll(database: Database, tokens: readonly RotatingToken[]): Promise<(string | undefined)[][]> {
  return database.read(async (stores) => {
    const opened: (string | undefined)[][] = [];
    for (const { id } of tokens) {
      opened.push([(await stores.tokens.open(id))?.reveal(), (await stores.tokens.openRefreshToken(id))?.reveal()]);
    }
    return opened;
  });
}

export function secretsOf({ secret, refreshToken }: RotatingToken): string[] {
  return [secret.reveal(), refreshToken.reveal()];
}

/** Many at once, in one transaction. */
export async function storeRotatingTokens(database: Database, count: number): Promise<RotatingToken[]> {
  const tenant = aTenant();
  return database.transaction(async ({ tenants, connections, tokens }) => {
    await tenants.insert(tenant);
    const stored: RotatingToken[] = [];
    for (let index = 0; index < count; index += 1) {
      const connection = aConnection(tenant.id);
      await connections.insert(connection);
      const [token, secret, refreshToken] = [aToken(connection), aSecret(), aSecret()];
      await tokens.insert(token, secret, refreshToken);
      stored.push({ id: token.id, connection, generation: 1, secret, refreshToken });
    }
    return stored;
  });
}

const damages: readonly (readonly [kind: 'ACCESS_TOKEN' | 'REFRESH_TOKEN', change: string])[] = [
  ['ACCESS_TOKEN', 'sealed_secret = sealed_refresh_token'],
  ['REFRESH_TOKEN', 'sealed_refresh_token = sealed_secret'],
  ['REFRESH_TOKEN', 'sealed_refresh_token = substr(sealed_refresh_token, 1, 60)'],
  ['REFRESH_TOKEN', "sealed_refresh_token = 'xoxe-1-plain'"],
];

/** What every engine must do alike when sealing keys come and go. */
export function keyRotationContract(name: string, makeDatabase: MakeTestDatabase): void {
  describe(`sealing keys on ${name}`, () => {
    let testDatabase: TestDatabase;
    let storage: Storage;
    /** A connection of its own, past the stores. */
    let outside: DataSource;
    beforeAll(async () => {
      testDatabase = await makeDatabase();
      outside = await createDataSource(testDatabase.config).initialize();
    });
    beforeEach(async () => {
      storage = await testDatabase.open({ keys: [testKey(1), testKey(2)] });
    });
    afterEach(async () => {
      await storage.close();
      await outside.query('DELETE FROM access_tokens');
      await outside.query('DELETE FROM key_check');
    });
    afterAll(async () => {
      await outside.destroy();
      await testDatabase.drop();
    });

    async function reopen(...keys: number[]): Promise<void> {
      await storage.close();
      storage = await testDatabase.open({ keys: keys.map(testKey) });
    }

    async function sealedValues({ id }: RotatingToken): Promise<Record<string, unknown>> {
      const columns = 'sealed_secret, sealed_refresh_token, fingerprint';
      const [row] = await outside.query(`SELECT ${columns} FROM access_tokens WHERE id = '${id}'`);
      return row ?? {};
    }

    it('are shown with what uses them, through all the steps from a new key to the end of the old one', async () => {
      const [token] = await storeRotatingTokens(storage.database, 1);
      const [first, second] = storage.keys.keyIds;
      const counts = (access: number, refreshed: number) => ({ ACCESS_TOKEN: access, REFRESH_TOKEN: refreshed });
      expect(await describedKeys(storage)).toMatchObject([
        { id: first, isNewest: true, isLoaded: true, sealedValues: counts(1, 1), canBeRemoved: false },
        {
          id: second,
          isNewest: false,
          sealedValues: counts(0, 0),
          note: expect.stringContaining('Nothing was sealed'),
        },
      ]);
      await expect(custodyOf(storage).rotate()).rejects.toMatchObject({
        code: 'CONFLICT',
        remedy: expect.stringMatching(/behind the old one on every replica.*put it first.*one after another/),
      });

      // The first replica that is restarted with the new key first.
      const newer = await testDatabase.open({ keys: [testKey(2), testKey(1)] });
      try {
        expect(await describedKeys(newer)).toMatchObject([
          { id: second, isNewest: true, sealedValues: counts(0, 0), canBeRemoved: false },
          {
            id: first,
            sealedValues: counts(1, 1),
            canBeRemoved: false,
            note: expect.stringMatching(/^2 stored values/),
          },
        ]);
        await lease(newer, 'acquire');
        expect(await resealerOf(newer).run()).toBe('ELSEWHERE');
        expect(await keyUse(newer)).toEqual([0, 2]);
        await lease(newer, 'release');
        const resealer = resealerOf(newer);
        expect(await resealer.run()).toBe('DONE');
        expect(resealer.progress).toMatchObject({ found: 2, resealed: 2, unreadable: 0, isRunning: false });
        expect(await describedKeys(newer)).toMatchObject([
          { id: second, sealedValues: counts(1, 1) },
          { id: first, sealedValues: counts(0, 0), canBeRemoved: true },
        ]);

        // The other replica still has the old key first: it opens everything, and does not seal back.
        expect(token && (await openBoth(storage.database, token))).toEqual(token && secretsOf(token));
        expect(await resealerOf(storage).run()).toBe('SUPERSEDED');
        expect(await describedKeys(storage)).toMatchObject([
          { isNewest: true, canBeRemoved: false, note: expect.stringContaining('another key was put first since') },
          { isNewest: false, canBeRemoved: false },
        ]);
        // To go back to the older key takes a person's word.
        expect(await resealerOf(storage).run({ isForced: true })).toBe('DONE');
        expect(await keyUse(storage)).toEqual([2, 0]);
        expect(await resealerOf(newer).run()).toBe('SUPERSEDED');
        expect(await resealerOf(newer).run({ isForced: true })).toBe('DONE');
      } finally {
        await newer.close();
      }
      await reopen(2);
      expect(await describedKeys(storage)).toMatchObject([{ id: second, isNewest: true, canBeRemoved: false }]);
      await expect(custodyOf(storage).remove(second ?? '')).rejects.toMatchObject({
        code: 'CONFLICT',
        remedy: expect.stringContaining('take it out'),
      });
    });

    it('are not refused before the last refresh token that needs them is gone', async () => {
      const [token] = await storeRotatingTokens(storage.database, 1);
      if (!token) throw new Error('no token');
      const old = await sealedValues(token);
      await reopen(2, 1);
      await resealerOf(storage).run();
      const resealed = await sealedValues(token);
      expect(resealed).toMatchObject({ fingerprint: old.fingerprint });
      expect(Object.values(resealed)).not.toEqual(expect.arrayContaining([old.sealed_secret]));
      await outside.query(
        `UPDATE access_tokens SET sealed_refresh_token = '${old.sealed_refresh_token}' WHERE id = '${token.id}'`,
      );
      const before = await outside.query('SELECT * FROM key_check');

      await expect(testDatabase.open({ keys: [testKey(2)] })).rejects.toMatchObject({
        name: 'WrongSealingKey',
        message: expect.stringMatching(
          /^1 stored tokens are sealed with key \w{8}, which is not configured.*nothing was/,
        ),
      });

      expect(await outside.query('SELECT * FROM key_check')).toEqual(before);
      await reopen(2, 1);
      expect(await openBoth(storage.database, token)).toEqual(secretsOf(token));
    });

    it('that were taken out too early for a replica are not sealed with any more, or at least not lost', async () => {
      const newer = await testDatabase.open({ keys: [testKey(2), testKey(1)] });
      await newer.close();
      const careless = await testDatabase.open({ keys: [testKey(2)] });
      // The first replica still has the old key first, and the new one behind it.
      const [token] = await storeRotatingTokens(storage.database, 1);
      if (!token) throw new Error('no token');
      expect(await openBoth(careless.database, token)).toEqual(secretsOf(token));
      expect(await refresh(storage.database, token)).toBe(true);
      expect(await openBoth(careless.database, token)).toEqual(secretsOf(token));
      await careless.close();

      // And when it does not even have the new one, no start goes on without the old one any more.
      const onlyOld = new TokenCipher([testKey(1)]);
      (storage.keys as KeyRing).cipher.replaceKeys([testKey(1)]);
      const [other] = await storeRotatingTokens(storage.database, 1);
      expect(other && (await sealedValues(other)).sealed_secret).toContain(onlyOld.newestKeyId);
      await expect(testDatabase.open({ keys: [testKey(2)] })).rejects.toMatchObject({ name: 'WrongSealingKey' });
      await reopen(2, 1);
      expect(other && (await openBoth(storage.database, other))).toEqual(other && secretsOf(other));
    });

    it('seal anew in short transactions, go on after an end in the middle, and leave alone what they cannot open', async () => {
      const tokens = await storeRotatingTokens(storage.database, 60);
      const broken = tokens.slice(0, damages.length);
      for (const [index, [, change]] of damages.entries()) {
        await outside.query(`UPDATE access_tokens SET ${change} WHERE id = '${broken[index]?.id}'`);
      }
      const before = await Promise.all(broken.map(sealedValues));
      await reopen(2, 1);
      const stopped = resealerOf(storage, {
        onProgress: ({ resealed }) => {
          if (resealed > 0) void stopped.stop();
        },
      });
      expect(await stopped.run()).toBe('STOPPED');
      expect(stopped.progress.resealed + stopped.progress.unreadable).toBe(100);

      const warnings: object[] = [];
      const logger = { debug() {}, info() {}, error() {}, warn: (fields: object) => void warnings.push(fields) };
      const resealer = resealerOf(storage, { logger });
      expect(await resealer.run()).toBe('DONE');
      expect(await resealer.run()).toBe('DONE');

      const { keys, unidentifiedValues } = await custodyOf(storage).describe();
      expect([...keys.map(totalOf), unidentifiedValues]).toEqual([116, 3, 1]);
      expect(JSON.stringify(keys)).not.toContain('xoxe');
      expect(warnings).toHaveLength(damages.length);
      for (const [index, [kind]] of damages.entries()) {
        const token = broken[index] as RotatingToken;
        expect(warnings).toContainEqual({ tokenId: token.id, connectionId: token.connection.id, kind });
        const property = kind === 'ACCESS_TOKEN' ? 'sealed_secret' : 'sealed_refresh_token';
        expect((await sealedValues(token))[property]).toBe(before[index]?.[property]);
        await expect(openBoth(storage.database, token)).rejects.toThrow(SealBroken);
      }
      const whole = tokens.slice(damages.length);
      expect(await openAll(storage.database, whole)).toEqual(whole.map(secretsOf));
    });
  });
}

function lease({ database }: Storage, work: 'acquire' | 'release'): Promise<unknown> {
  return database.transaction(async ({ leases }) =>
    work === 'acquire' ? leases.acquire('reseal', 'another', 60_000) : leases.release('reseal', 'another'),
  );
}
