import type { SharedStorage } from './shared-storage';
import { anIdempotencyRecord, aTenant, later, someInstant, storeConnection } from './storage-records';

export function idempotencyStoreContract(shared: SharedStorage): void {
  describe('idempotency records', () => {
    it('gives back a record as it was claimed', async () => {
      const record = anIdempotencyRecord(await storeConnection(shared.database), { progress: '{"step":1}' });
      const isOurs = await shared.database.transaction(({ idempotency }) => idempotency.claim(record));

      const found = await shared.database.read(async ({ idempotency }) => [
        await idempotency.find(record.tenantId, record.key),
        await idempotency.find(aTenant().id, record.key),
      ]);
      expect(isOurs).toBe(true);
      expect(found).toEqual([record, undefined]);
    });

    it('lets one of 20 claims at once win', async () => {
      const connection = await storeConnection(shared.database);
      const claims = Array.from({ length: 20 }, (_, index) =>
        anIdempotencyRecord(connection, { key: 'same', owner: `run-${index}` }),
      );

      const outcomes = await Promise.all(
        claims.map((claim) => shared.database.transaction(({ idempotency }) => idempotency.claim(claim))),
      );

      expect(outcomes.filter(Boolean)).toHaveLength(1);
      const stored = await shared.database.read(({ idempotency }) => idempotency.find(connection.tenantId, 'same'));
      expect(stored).toEqual(claims[outcomes.indexOf(true)]);
    });

    it('keeps the same key of two tenants apart', async () => {
      const records = [
        anIdempotencyRecord(await storeConnection(shared.database), { key: 'shared' }),
        anIdempotencyRecord(await storeConnection(shared.database), { key: 'shared' }),
      ];

      const outcomes = await shared.database.transaction(async ({ idempotency }) => {
        const claimed = [];
        for (const record of records) claimed.push(await idempotency.claim(record));
        return claimed;
      });

      expect(outcomes).toEqual([true, true]);
    });

    it('lets a claim after a claim in the same transaction fail without harm to the transaction', async () => {
      const record = anIdempotencyRecord(await storeConnection(shared.database));
      const outcomes = await shared.database.transaction(async ({ idempotency }) => [
        await idempotency.claim(record),
        await idempotency.claim({ ...record, owner: 'run-2' }),
        (await idempotency.find(record.tenantId, record.key))?.owner,
      ]);

      expect(outcomes).toEqual([true, false, 'run-1']);
    });

    it('hands over a record whose lease has ended, and fences the former owner out', async () => {
      const record = anIdempotencyRecord(await storeConnection(shared.database), { leaseExpiresAt: later(100) });
      const { tenantId, key } = record;
      const outcomes = await shared.database.transaction(async ({ idempotency }) => ({
        claimed: await idempotency.claim(record),
        whileLeased: await idempotency.takeOver(tenantId, key, 'run-2', later(300), later(100)),
        afterLease: await idempotency.takeOver(tenantId, key, 'run-2', later(300), later(101)),
        formerOwner: [
          await idempotency.extendLease(tenantId, key, 'run-1', later(900)),
          await idempotency.saveProgress(tenantId, key, 'run-1', '{}'),
          await idempotency.finish(tenantId, key, 'run-1', '{}'),
          await idempotency.release(tenantId, key, 'run-1'),
        ],
        stored: await idempotency.find(tenantId, key),
      }));

      expect(outcomes).toEqual({
        claimed: true,
        whileLeased: false,
        afterLease: true,
        formerOwner: [false, false, false, false],
        stored: { ...record, owner: 'run-2', leaseExpiresAt: later(300) },
      });
    });

    it('lets one of 20 take a released record over', async () => {
      const record = anIdempotencyRecord(await storeConnection(shared.database));
      const { tenantId, key } = record;
      await shared.database.transaction(async ({ idempotency }) => {
        await idempotency.claim(record);
        await idempotency.release(tenantId, key, 'run-1');
      });

      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          shared.database.transaction(({ idempotency }) =>
            idempotency.takeOver(tenantId, key, `taker-${index}`, later(500), someInstant),
          ),
        ),
      );

      expect(outcomes.filter(Boolean)).toHaveLength(1);
    });

    it('keeps lease, progress and result of its owner, and takes no write after the end', async () => {
      const record = anIdempotencyRecord(await storeConnection(shared.database));
      const { tenantId, key, owner } = record;
      const outcomes = await shared.database.transaction(async ({ idempotency }) => {
        await idempotency.claim(record);
        return [
          await idempotency.extendLease(tenantId, key, owner, later(777)),
          await idempotency.saveProgress(tenantId, key, owner, '{"created":true}'),
          await idempotency.finish(tenantId, key, owner, '{"id":"W1"}'),
          await idempotency.saveProgress(tenantId, key, owner, '{}'),
          await idempotency.release(tenantId, key, owner),
          await idempotency.takeOver(tenantId, key, 'run-2', later(2_000), later(1_000_000)),
        ];
      });

      expect(outcomes).toEqual([true, true, true, false, false, false]);
      expect(await shared.database.read(({ idempotency }) => idempotency.find(tenantId, key))).toEqual({
        ...record,
        state: 'DONE',
        leaseExpiresAt: later(777),
        progress: '{"created":true}',
        result: '{"id":"W1"}',
      });
    });

    it('removes expired records that nobody owns, and one record by its key', async () => {
      const connection = await storeConnection(shared.database);
      const times = { createdAt: new Date(0), expiresAt: new Date(100), leaseExpiresAt: new Date(50) };
      const [done, abandoned, owned, fresh] = [
        anIdempotencyRecord(connection, times),
        anIdempotencyRecord(connection, times),
        anIdempotencyRecord(connection, { ...times, leaseExpiresAt: new Date(900) }),
        anIdempotencyRecord(connection, { ...times, expiresAt: new Date(900) }),
      ];
      const all = [done, abandoned, owned, fresh];
      const { removed, left } = await shared.database.transaction(async ({ idempotency }) => {
        for (const record of all) await idempotency.claim(record);
        await idempotency.finish(done.tenantId, done.key, done.owner, '{}');
        const count = await idempotency.deleteExpired(new Date(200), 9);
        await idempotency.delete(fresh.tenantId, fresh.key);
        const keys = [];
        for (const { tenantId, key } of all) keys.push((await idempotency.find(tenantId, key))?.key);
        return { removed: count, left: keys };
      });

      expect(removed).toBe(2);
      expect(left).toEqual([undefined, undefined, owned.key, undefined]);
    });
  });
}
