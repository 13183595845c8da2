import type { SharedStorage } from './shared-storage';
import { anApiKey, aTenant, later, someInstant } from './storage-records';

export function accessStoresContract(shared: SharedStorage): void {
  describe('tenants', () => {
    it('gives back a tenant as it was stored, to the millisecond', async () => {
      const tenant = aTenant({ name: 'Ünïcode 🎈 O’Brien' });
      await shared.database.transaction((stores) => stores.tenants.insert(tenant));

      expect(await shared.database.read((stores) => stores.tenants.find(tenant.id))).toEqual(tenant);
      expect(await shared.database.read((stores) => stores.tenants.find(aTenant().id))).toBeUndefined();
    });

    it('knows one operator and refuses a second', async () => {
      const { database } = shared;
      const operator = aTenant({ isOperator: true });
      expect(await database.read((stores) => stores.tenants.findOperator())).toBeUndefined();
      await database.transaction((stores) => stores.tenants.insert(operator));

      const second = database.transaction((stores) => stores.tenants.insert(aTenant({ isOperator: true })));

      await expect(second).rejects.toMatchObject({ name: 'UniqueViolation', constraint: 'other' });
      expect(await database.read((stores) => stores.tenants.findOperator())).toEqual(operator);
    });
  });

  describe('API keys', () => {
    it('gives back a key as it was stored, its hash and its permissions included', async () => {
      const tenant = aTenant();
      const bare = anApiKey(tenant.id, { permissions: [] });
      const full = anApiKey(tenant.id, { expiresAt: later(1), lastUsedAt: later(2), revokedAt: later(3) });
      await shared.database.transaction(async (stores) => {
        await stores.tenants.insert(tenant);
        await stores.apiKeys.insert(bare);
        await stores.apiKeys.insert(full);
      });

      expect(await shared.database.read((stores) => stores.apiKeys.find(bare.id))).toEqual(bare);
      expect(await shared.database.read((stores) => stores.apiKeys.find(full.id))).toEqual(full);
      expect(await shared.database.read((stores) => stores.apiKeys.find(anApiKey(tenant.id).id))).toBeUndefined();
    });

    it('revokes a key of the tenant only, and keeps the first instant', async () => {
      const [tenant, other] = [aTenant(), aTenant()];
      const key = anApiKey(tenant.id);
      const outcomes = await shared.database.transaction(async (stores) => {
        await stores.tenants.insert(tenant);
        await stores.tenants.insert(other);
        await stores.apiKeys.insert(key);
        return [
          await stores.apiKeys.revoke(other.id, key.id, someInstant),
          await stores.apiKeys.revoke(tenant.id, key.id, later(1)),
          await stores.apiKeys.revoke(tenant.id, key.id, later(2)),
        ];
      });

      expect(outcomes).toEqual([false, true, true]);
      expect(await shared.database.read((stores) => stores.apiKeys.find(key.id))).toEqual({
        ...key,
        revokedAt: later(1),
      });
    });

    it('notes the last use', async () => {
      const tenant = aTenant();
      const key = anApiKey(tenant.id);
      await shared.database.transaction(async (stores) => {
        await stores.tenants.insert(tenant);
        await stores.apiKeys.insert(key);
        await stores.apiKeys.touch(key.id, later(1234));
      });

      expect((await shared.database.read((stores) => stores.apiKeys.find(key.id)))?.lastUsedAt).toEqual(later(1234));
    });
  });
}
