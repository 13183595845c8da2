import type { DataSource } from 'typeorm';
import type { AccessTokenId } from '../../src/domain/connections/connection';
import { SealBroken } from '../../src/domain/ports';
import type { Secret } from '../../src/shared/secret';
import { createDataSource } from '../../src/storage/data-source';
import type { Storage } from '../../src/storage/open-storage';
import { resealerOf } from './sealing-keys';
import { useSharedStorage } from './shared-storage';
import { aSecret, aToken, storeConnection } from './storage-records';
import { type MakeTestDatabase, type TestDatabase, testKey } from './test-database';

/** Runs a statement past the stores. */
type Outside = Pick<TestDatabase, 'query'>;

interface StoredToken {
  readonly id: AccessTokenId;
  readonly secret: Secret;
}

/** What happens to sealed tokens when somebody tampers with the database or with the keys. */
export function custodyContract(name: string, makeDatabase: MakeTestDatabase): void {
  describe(`custody of tokens on ${name}`, () => {
    tamperingContract(makeDatabase);
    keyChangeContract(makeDatabase);
  });
}

function tamperingContract(makeDatabase: MakeTestDatabase): void {
  describe('when stored values change', () => {
    const shared = useSharedStorage(makeDatabase);

    it('opens neither of two tokens whose ciphertexts were swapped, and still opens the others', async () => {
      const [one, two, other] = [
        await storeToken(shared.storage),
        await storeToken(shared.storage),
        await storeToken(shared.storage),
      ];
      const [sealedOne, sealedTwo] = [
        await sealedValue(shared.testDatabase, one),
        await sealedValue(shared.testDatabase, two),
      ];
      await overwrite(shared.testDatabase, one, sealedTwo);
      await overwrite(shared.testDatabase, two, sealedOne);

      await expect(openToken(shared.storage, one)).rejects.toThrow(SealBroken);
      await expect(openToken(shared.storage, two)).rejects.toThrow(SealBroken);
      expect(await openToken(shared.storage, other)).toBe(other.secret.reveal());
    });

    it('opens neither of the two secrets of a token that rotates once they have changed places', async () => {
      const token = await storeToken(shared.storage, aSecret());
      await shared.testDatabase.query(
        `UPDATE access_tokens SET sealed_secret = sealed_refresh_token, sealed_refresh_token = sealed_secret WHERE id = '${token.id}'`,
      );

      await expect(openToken(shared.storage, token)).rejects.toThrow(SealBroken);
      const refreshToken = shared.storage.database.read(({ tokens }) => tokens.openRefreshToken(token.id));
      await expect(refreshToken).rejects.toThrow(SealBroken);
    });

    it.each<[string, (parts: string[]) => string[]]>([
      [
        'a truncated ciphertext',
        ([version, key, nonce, text = '', tag]) => parts(version, key, nonce, text.slice(0, 8), tag),
      ],
      [
        'a tag of 4 bytes',
        ([version, key, nonce, text, tag = '']) => parts(version, key, nonce, text, first4Bytes(tag)),
      ],
      ['an unknown key id', ([version, , ...rest]) => parts(version, '00000000', ...rest)],
      ['an unknown version', ([, ...rest]) => parts('v0', ...rest)],
      ['a part too few', (all) => all.slice(0, 4)],
      ['the plain token', () => ['xoxp-plain']],
      ['nothing', () => ['']],
    ])('opens nothing of a value with %s, and tells no part of it', async (_, damage) => {
      const token = await storeToken(shared.storage);
      const sealed = await sealedValue(shared.testDatabase, token);
      const damaged = damage(sealed.split(':')).join(':');
      await overwrite(shared.testDatabase, token, damaged);

      const failure = await openToken(shared.storage, token).catch((error: unknown) => error);

      expect(failure).toBeInstanceOf(SealBroken);
      const told = `${(failure as Error).message} ${(failure as Error).stack}`;
      for (const part of [token.secret.reveal(), ...sealed.split(':').slice(2), 'xoxp-plain']) {
        expect(told).not.toContain(part);
      }
    });
  });
}

function keyChangeContract(makeDatabase: MakeTestDatabase): void {
  describe('when keys change', () => {
    let testDatabase: TestDatabase;
    let storage: Storage;
    /** A connection of its own, past the stores. */
    let outside: DataSource;

    beforeAll(async () => {
      testDatabase = await makeDatabase();
      outside = await createDataSource(testDatabase.config).initialize();
    });

    beforeEach(async () => {
      storage = await testDatabase.open();
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

    async function reopen(...keys: Buffer[]): Promise<void> {
      await storage.close();
      storage = await testDatabase.open({ keys });
    }

    async function keyIds(): Promise<unknown[]> {
      const rows: { key_id: string }[] = await outside.query('SELECT key_id FROM key_check ORDER BY created_at');
      return rows.map((row) => row.key_id);
    }

    it('refuses to start with another key, leaves the data as it was, and starts with the right one again', async () => {
      const token = await storeToken(storage);
      const before = await sealedValue(outside, token);
      await storage.close();

      await expect(testDatabase.open({ keys: [testKey(9)] })).rejects.toMatchObject({
        name: 'WrongSealingKey',
        message: expect.stringContaining('not the one that this database was sealed with'),
      });
      await expect(testDatabase.open({ keys: [] })).rejects.toThrow('At least one sealing key');

      storage = await testDatabase.open();
      expect(await sealedValue(outside, token)).toBe(before);
      expect(await openToken(storage, token)).toBe(token.secret.reveal());
      expect(await keyIds()).toHaveLength(1);
    });

    it('refuses to start with another key even when no token is stored yet', async () => {
      await expect(testDatabase.open({ keys: [testKey(9)] })).rejects.toMatchObject({ name: 'WrongSealingKey' });
    });

    it('refuses to start when the check record was damaged', async () => {
      await outside.query("UPDATE key_check SET sealed_canary = 'v1:x'");

      await expect(testDatabase.open()).rejects.toMatchObject({ name: 'WrongSealingKey' });
    });

    it('seals with the newest key what an older one sealed, after which the older one may go', async () => {
      const [ended, token] = [await storeToken(storage), await storeToken(storage)];
      await storage.database.transaction(({ tokens }) => tokens.retire(ended.id, 'REVOKED'));
      const [oldSeal, [oldKey]] = [await sealedValue(outside, token), await keyIds()];

      await reopen(testKey(2), testKey(1));
      expect(await resealerOf(storage).run()).toBe('DONE');

      const newSeal = await sealedValue(outside, token);
      expect(newSeal.split(':')[1]).not.toBe(oldSeal.split(':')[1]);
      expect(await openToken(storage, token)).toBe(token.secret.reveal());
      expect(await keyIds()).toHaveLength(2);

      await reopen(testKey(2));

      expect(await openToken(storage, token)).toBe(token.secret.reveal());
      expect(await sealedValue(outside, token)).toBe(newSeal);
      expect(await keyIds()).toEqual([newSeal.split(':')[1]]);
      expect(await keyIds()).not.toContain(oldKey);
    });

    it('keeps fingerprints of equal tokens equal over changes of keys, also of a token that was erased before', async () => {
      const token = await storeToken(storage);
      const fingerprint = storage.fingerprints.of(token.tenantId, token.secret);
      await storage.database.transaction(({ tokens }) => tokens.retire(token.id, 'REVOKED'));

      await reopen(testKey(1), testKey(2));
      expect(storage.fingerprints.of(token.tenantId, token.secret)).toBe(fingerprint);
      for (const keys of [[2, 1], [2], [3, 2], [3], [3, 1]]) {
        await reopen(...keys.map(testKey));
        expect(storage.fingerprints.of(token.tenantId, token.secret)).toBe(fingerprint);
      }
      const [stored] = await storage.database.read(({ tokens }) => tokens.listLatest([token.connectionId]));
      expect(stored?.fingerprint).toBe(fingerprint);
    });

    it('derives one text that outlives its key, and one for each key that does not', async () => {
      const text = storage.deriveText('sandbox');
      const texts = storage.deriveTexts('links');
      expect(storage.deriveText('other')).not.toBe(text);
      expect(texts).toHaveLength(1);
      expect(texts).not.toContain(storage.deriveText('links'));

      await reopen(testKey(2), testKey(1));
      expect(storage.deriveText('sandbox')).toBe(text);
      expect(storage.deriveTexts('links').slice(1)).toEqual(texts);

      await reopen(testKey(2));
      expect(storage.deriveText('sandbox')).toBe(text);
      expect(storage.deriveTexts('links')).not.toContain(texts[0]);
    });
  });
}

async function storeToken(storage: Storage, refreshToken?: Secret) {
  const connection = await storeConnection(storage.database);
  const [token, secret] = [aToken(connection), aSecret()];
  await storage.database.transaction(({ tokens }) => tokens.insert(token, secret, refreshToken));
  return { ...token, secret };
}

async function openToken(storage: Storage, { id }: StoredToken): Promise<string | undefined> {
  return (await storage.database.read(({ tokens }) => tokens.open(id)))?.reveal();
}

function parts(...all: (string | undefined)[]): string[] {
  return all.map((part) => part ?? '');
}

function first4Bytes(tag: string): string {
  return Buffer.from(tag, 'base64url').subarray(0, 4).toString('base64url');
}

async function sealedValue(database: Outside, { id }: StoredToken): Promise<string> {
  const [row] = await database.query(`SELECT sealed_secret FROM access_tokens WHERE id = '${id}'`);
  return String(row?.sealed_secret);
}

async function overwrite(database: Outside, { id }: StoredToken, sealed: string): Promise<void> {
  await database.query(`UPDATE access_tokens SET sealed_secret = '${sealed}' WHERE id = '${id}'`);
}
