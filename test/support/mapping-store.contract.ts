import type { ApiKeyId } from '../../src/domain/access/access';
import type { Connection } from '../../src/domain/connections/connection';
import type { Mapping, MappingId } from '../../src/domain/mapping/mapping';
import { newId } from '../../src/shared/ids';
import type { SharedStorage } from './shared-storage';
import { aTenant, later, storeConnection } from './storage-records';

function aMappingVersion({ id }: Connection, version: number): Mapping {
  return {
    id: newId<MappingId>('map'),
    connectionId: id,
    version,
    definition: {
      fields: { email: { field: 'email' }, title: { literal: `“${version}” 🎈` } },
      rules: [{ name: 'Guests', when: { exists: { field: 'agency' } }, account: 'GUEST' }],
    },
    createdAt: later(version),
    apiKeyId: newId<ApiKeyId>('key'),
  };
}

export function mappingStoreContract(shared: SharedStorage): void {
  describe('mappings', () => {
    it('are given back as they were stored, to their tenant only, and go away with their connection', async () => {
      const connection = await storeConnection(shared.database);
      const mapping = aMappingVersion(connection, 1);
      expect(await shared.database.transaction(({ mappings }) => mappings.insert(mapping))).toBe(true);

      const find = (tenantId = connection.tenantId) =>
        shared.database.read(({ mappings }) => mappings.find(tenantId, mapping.id));
      expect(await find()).toEqual(mapping);
      expect(await find(aTenant().id)).toBeUndefined();

      await shared.database.transaction((stores) => stores.connections.delete(connection.tenantId, connection.id));
      expect(await find()).toBeUndefined();
    });

    it('keep every version once, newest first, and know which is in force for many connections at once', async () => {
      const [one, other, none] = [
        await storeConnection(shared.database),
        await storeConnection(shared.database),
        await storeConnection(shared.database),
      ];
      const versions = [1, 2, 3].map((version) => aMappingVersion(one, version));
      const [first, second, third] = versions;
      const others = aMappingVersion(other, 1);
      const inserted = await shared.database.transaction(async ({ mappings }) => {
        const outcomes: boolean[] = [];
        for (const mapping of [...versions, others, aMappingVersion(one, 2)])
          outcomes.push(await mappings.insert(mapping));
        return outcomes;
      });
      expect(inserted).toEqual([true, true, true, true, false]);

      await shared.database.read(async ({ mappings }) => {
        const latest = await mappings.listLatest([one.id, other.id, none.id]);
        expect(new Set(latest)).toEqual(new Set([third, others]));
        expect(await mappings.listLatest([])).toEqual([]);
        expect(await mappings.list(one.id, 2, undefined)).toEqual({
          items: [third, second],
          hasMore: true,
          totalCount: 3,
        });
        expect(await mappings.list(one.id, 2, 2)).toEqual({ items: [first], hasMore: false, totalCount: 3 });
      });
    });
  });
}
