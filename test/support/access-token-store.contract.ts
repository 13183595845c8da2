import { Secret } from '../../src/shared/secret';
import type { SharedStorage } from './shared-storage';
import { aSecret, aTenant, aToken, later, storeConnection } from './storage-records';

export function accessTokenStoreContract(shared: SharedStorage): void {
  describe('tokens', () => {
    it('gives back what is known about a token, and the token itself only when it is opened', async () => {
      const connection = await storeConnection(shared.database);
      const token = aToken(connection, { expiresAt: later(1000), verifiedAt: later(1) });
      const secret = new Secret('xoxp-1-ünïcode');

      const inserted = await shared.database.transaction(({ tokens }) => tokens.insert(token, secret));

      const { tenantId, ...known } = token;
      const fingerprint = shared.storage.fingerprints.of(tenantId, secret);
      expect(inserted).toEqual({ ...known, status: 'ACTIVE', fingerprint, refreshable: false, generation: 1 });
      const found = await shared.database.read(async ({ tokens }) => [
        await tokens.find(tenantId, token.id),
        await tokens.findActive(connection.id),
        await tokens.listLatest([connection.id]).then(([latest]) => latest),
      ]);
      expect(found).toEqual([inserted, inserted, inserted]);
      const opened = await shared.database.read(({ tokens }) => tokens.open(token.id));
      expect(opened?.reveal()).toBe('xoxp-1-ünïcode');
    });

    it('does not find a token of another tenant', async () => {
      const connection = await storeConnection(shared.database);
      const token = aToken(connection);
      await shared.database.transaction(({ tokens }) => tokens.insert(token, aSecret()));

      expect(await shared.database.read(({ tokens }) => tokens.find(aTenant().id, token.id))).toBeUndefined();
    });

    it('says that the connection of a new token is gone', async () => {
      const connection = await storeConnection(shared.database);
      await shared.database.transaction(({ connections }) => connections.delete(connection.tenantId, connection.id));

      const insertion = shared.database.transaction(({ tokens }) => tokens.insert(aToken(connection), aSecret()));

      await expect(insertion).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('refuses a second active token of a connection', async () => {
      const connection = await storeConnection(shared.database);
      await shared.database.transaction(({ tokens }) => tokens.insert(aToken(connection), aSecret()));

      const second = shared.database.transaction(({ tokens }) => tokens.insert(aToken(connection), aSecret()));

      await expect(second).rejects.toMatchObject({ name: 'UniqueViolation' });
    });

    it('erases the sealed token when it ends, and keeps what is known about it', async () => {
      const connection = await storeConnection(shared.database);
      const token = aToken(connection);
      const inserted = await shared.database.transaction(({ tokens }) => tokens.insert(token, aSecret()));

      await shared.database.transaction(({ tokens }) => tokens.retire(token.id, 'REVOKED'));

      const left = await shared.database.read(async ({ tokens }) => [
        await tokens.open(token.id),
        await tokens.findActive(connection.id),
        await tokens.listLatest([connection.id]).then(([latest]) => latest),
      ]);
      expect(left).toEqual([undefined, undefined, { ...inserted, status: 'REVOKED' }]);
    });

    it('shows the newest token of each connection, the active one of two from the same millisecond', async () => {
      const [one, two, none] = [
        await storeConnection(shared.database),
        await storeConnection(shared.database),
        await storeConnection(shared.database),
      ];
      const [oldest, superseded, active] = [
        aToken(one),
        aToken(one, { createdAt: later(5) }),
        aToken(one, { createdAt: later(5) }),
      ];
      const ended = aToken(two);
      await shared.database.transaction(async ({ tokens }) => {
        for (const token of [oldest, superseded]) {
          await tokens.insert(token, aSecret());
          await tokens.retire(token.id, 'SUPERSEDED');
        }
        await tokens.insert(active, aSecret());
        await tokens.insert(ended, aSecret());
        await tokens.retire(ended.id, 'EXPIRED');
      });

      const [listed, latest, empty] = await shared.database.read(async ({ tokens }) => [
        await tokens.listLatest([one.id, two.id, none.id]),
        await tokens.listLatest([one.id]).then(([latest]) => latest),
        await tokens.listLatest([]),
      ]);
      expect(listed.map(({ id }) => id).sort()).toEqual([active.id, ended.id].sort());
      expect(latest?.id).toBe(active.id);
      expect(empty).toEqual([]);
    });

    it('notes a verification and the last use', async () => {
      const connection = await storeConnection(shared.database);
      const token = aToken(connection, { expiresAt: later(1) });
      await shared.database.transaction(async ({ tokens }) => {
        await tokens.insert(token, aSecret());
        await tokens.markVerified(token.id, later(7), ['admin'], undefined);
        await tokens.markUsed(token.id, later(8));
      });

      expect(await shared.database.read(({ tokens }) => tokens.findActive(connection.id))).toMatchObject({
        grantedScopes: ['admin'],
        verifiedAt: later(7),
        expiresAt: undefined,
        lastUsedAt: later(8),
      });
    });

    it('gives equal tokens equal fingerprints within a tenant only', async () => {
      const { fingerprints } = shared.storage;
      const [tenant, other, secret] = [aTenant().id, aTenant().id, aSecret()];

      expect(fingerprints.of(tenant, secret)).toBe(fingerprints.of(tenant, new Secret(secret.reveal())));
      expect(fingerprints.of(tenant, secret)).not.toBe(fingerprints.of(other, secret));
      expect(fingerprints.of(tenant, secret)).not.toBe(fingerprints.of(tenant, aSecret()));
    });
  });
}
