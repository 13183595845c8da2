import { setTimeout as delay } from 'node:timers/promises';
import type { Stores } from '../../src/domain/ports';
import type { SharedStorage } from './shared-storage';
import { aConnection, aTenant, storeConnection } from './storage-records';

export function databaseContract(shared: SharedStorage): void {
  describe('work', () => {
    it('returns what the work returns and keeps what it wrote', async () => {
      const tenant = aTenant();

      const answer = await shared.database.transaction(async (stores) => {
        await stores.tenants.insert(tenant);
        return 'written';
      });

      expect(answer).toBe('written');
      expect(await shared.database.read((stores) => stores.tenants.find(tenant.id))).toEqual(tenant);
    });

    it('keeps nothing of a transaction whose work throws, and throws the same error', async () => {
      const tenant = aTenant();
      const failure = new Error('changed my mind');

      const work = shared.database.transaction(async (stores) => {
        await stores.tenants.insert(tenant);
        throw failure;
      });

      await expect(work).rejects.toBe(failure);
      expect(await shared.database.read((stores) => stores.tenants.find(tenant.id))).toBeUndefined();
    });

    it('keeps the row of B when A rolls back after an await while B writes', async () => {
      const [ofA, ofB] = [aTenant({ name: 'A' }), aTenant({ name: 'B' })];
      const aHasWritten = signal();

      const a = shared.database.transaction(async (stores) => {
        await stores.tenants.insert(ofA);
        aHasWritten.give();
        // Time in which B would get into the transaction of A, if nothing kept it out.
        await delay(50);
        throw new Error('A gives up');
      });
      const outcomeOfA = expect(a).rejects.toThrow('A gives up');
      await aHasWritten.given;
      const b = shared.database.transaction((stores) => stores.tenants.insert(ofB));
      const seenByReader = await shared.database.read((stores) => stores.tenants.find(ofA.id));

      await outcomeOfA;
      await b;
      expect(seenByReader).toBeUndefined();
      const kept = await shared.database.read(async ({ tenants }) => [
        await tenants.find(ofA.id),
        await tenants.find(ofB.id),
      ]);
      expect(kept).toEqual([undefined, ofB]);
    });

    it('gives each of 50 transactions at once its own outcome', async () => {
      const tenants = Array.from({ length: 50 }, (_, index) => aTenant({ name: String(index) }));

      const outcomes = await Promise.allSettled(
        tenants.map((tenant, index) =>
          shared.database.transaction(async (stores) => {
            await stores.tenants.insert(tenant);
            await delay(index % 3);
            if (index % 2 === 1) throw new Error('odd');
          }),
        ),
      );

      const kept = await shared.database.read(async (stores) => {
        const found = [];
        for (const { id } of tenants) found.push((await stores.tenants.find(id)) !== undefined);
        return found;
      });
      expect(kept).toEqual(outcomes.map(({ status }) => status === 'fulfilled'));
      expect(kept).toEqual(tenants.map((_, index) => index % 2 === 0));
    });

    it('throws when work calls the database again, and works on afterwards', async () => {
      const { database } = shared;

      await expect(database.transaction(() => database.transaction(async () => {}))).rejects.toThrow(
        'called the database',
      );
      await expect(database.transaction(() => database.read(async () => {}))).rejects.toThrow('called the database');
      await expect(database.read(() => database.transaction(async () => {}))).rejects.toThrow('called the database');
      await expect(database.read(() => database.ping())).rejects.toThrow('called the database');
      await expect(database.ping()).resolves.toBeUndefined();
    });

    it('lets code that was started inside the work call the database once the work has ended', async () => {
      const workHasEnded = signal();
      let outlasting: Promise<void> | undefined;

      await shared.database.read(async () => {
        outlasting = workHasEnded.given.then(() => shared.database.ping());
      });
      workHasEnded.give();

      await expect(outlasting).resolves.toBeUndefined();
    });

    it('refuses stores that are used after their work', async () => {
      const kept: Stores[] = [];
      await shared.database.transaction(async (stores) => {
        kept.push(stores);
      });

      await expect(kept[0]?.tenants.insert(aTenant())).rejects.toThrow('after the work');
    });

    it('keeps the order of statements that are sent together, also before a rollback', async () => {
      const tenants = Array.from({ length: 20 }, () => aTenant());

      const work = shared.database.transaction(async (stores) => {
        await Promise.all([
          ...tenants.map((tenant) => stores.tenants.insert(tenant)),
          Promise.reject(new Error('one of them failed')),
        ]);
      });

      await expect(work).rejects.toThrow('one of them failed');
      const kept = await shared.database.read((stores) =>
        Promise.all(tenants.map(({ id }) => stores.tenants.find(id))),
      );
      expect(kept).toEqual(tenants.map(() => undefined));
    });

    it('writes nothing when the work goes on after a failed statement', async () => {
      const connection = await storeConnection(shared.database);
      const tenant = aTenant();

      const work = shared.database.transaction(async (stores) => {
        await stores.tenants.insert(tenant);
        await stores.connections.insert(aConnection(connection.tenantId, { id: connection.id })).catch(() => {});
      });

      await expect(work).rejects.toMatchObject({ name: 'StorageFailure' });
      expect(await shared.database.read((stores) => stores.tenants.find(tenant.id))).toBeUndefined();
    });

    it('says that the owning record is not there', async () => {
      const work = shared.database.transaction((stores) => stores.connections.insert(aConnection(aTenant().id)));

      await expect(work).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('answers a ping', async () => {
      await expect(shared.database.ping()).resolves.toBeUndefined();
    });
  });
}

function signal(): { given: Promise<void>; give: () => void } {
  let give: () => void = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}
