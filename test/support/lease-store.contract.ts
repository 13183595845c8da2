import { randomUUID } from 'node:crypto';
import type { SharedStorage } from './shared-storage';
import { aTenant } from './storage-records';
import { until } from './until';

const MINUTE_MS = 60_000;

export function leaseStoreContract(shared: SharedStorage): void {
  const acquire = (name: string, owner: string, forMs = MINUTE_MS) =>
    shared.database.transaction(({ leases }) => leases.acquire(name, owner, forMs));
  const confirm = (name: string, owner: string) =>
    shared.database.transaction(({ leases }) => leases.confirm(name, owner));
  const release = (name: string, owner: string) =>
    shared.database.transaction(({ leases }) => leases.release(name, owner));

  describe('leases', () => {
    it('belong to one owner until they are given back, and to him again whenever he asks', async () => {
      const [name, other] = [randomUUID(), randomUUID()];

      expect(await acquire(name, 'a')).toBe(true);
      expect(await acquire(name, 'b')).toBe(false);
      expect(await acquire(other, 'b')).toBe(true);
      expect(await acquire(name, 'a')).toBe(true);
      expect([await confirm(name, 'a'), await confirm(name, 'b')]).toEqual([true, false]);

      await release(name, 'b');
      expect(await acquire(name, 'b')).toBe(false);
      await release(name, 'a');
      expect(await acquire(name, 'b')).toBe(true);
      expect([await confirm(name, 'a'), await confirm(other, 'b')]).toEqual([false, true]);
    });

    it('go to the next who asks once they have ended, and stay the owner’s until somebody does', async () => {
      const name = randomUUID();
      await acquire(name, 'a', 0);
      expect(await confirm(name, 'a')).toBe(true);

      expect(await acquire(name, 'b')).toBe(true);

      expect(await confirm(name, 'a')).toBe(false);
      await release(name, 'a');
      expect(await confirm(name, 'b')).toBe(true);
      expect(await acquire(name, 'a')).toBe(false);
    });

    it('last as long as they were taken for last, by the clock of the database', async () => {
      const name = randomUUID();
      await acquire(name, 'a', MINUTE_MS);
      await acquire(name, 'a', 0);
      expect(await acquire(name, 'b', MINUTE_MS)).toBe(true);
      expect(await acquire(name, 'c', MINUTE_MS)).toBe(false);
    });

    it('tell the time of the database', async () => {
      const before = Date.now();
      const now = await shared.database.read(({ leases }) => leases.now());
      // Both engines run on this machine here.
      expect(now.getTime()).toBeGreaterThan(before - MINUTE_MS);
      expect(now.getTime()).toBeLessThan(before + MINUTE_MS);
    });

    it('go to one of 8 who ask at once, and when they have ended to one of 8 again', async () => {
      const name = randomUUID();
      const compete = async (round: string, forMs: number) => {
        const outcomes = await Promise.all(
          Array.from({ length: 8 }, (_, index) => acquire(name, `${round}-${index}`, forMs)),
        );
        return outcomes.filter(Boolean).length;
      };

      expect(await compete('first', MINUTE_MS)).toBe(1);
      await shared.database.transaction(async ({ leases }) => {
        for (let index = 0; index < 8; index += 1) await leases.release(name, `first-${index}`);
        await leases.acquire(name, 'gone', 0);
      });
      expect(await compete('second', MINUTE_MS)).toBe(1);
    });

    it('let what is written under a confirmed lease be written before the next owner begins', async () => {
      const [name, tenant] = [randomUUID(), aTenant()];
      await acquire(name, 'a', 0);
      const order: string[] = [];
      let [isConfirmed, mayEnd] = [false, () => {}];
      const ending = new Promise<void>((resolve) => {
        mayEnd = resolve;
      });

      const writing = shared.database.transaction(async ({ leases, tenants }) => {
        isConfirmed = await leases.confirm(name, 'a');
        await ending;
        await tenants.insert(tenant);
        order.push('written');
      });
      await until(() => isConfirmed);
      const takingOver = acquire(name, 'b').then((isTaken) => {
        order.push('taken');
        return isTaken;
      });
      // Time enough for one that does not wait.
      for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      mayEnd();

      await writing;
      expect(await takingOver).toBe(true);
      expect(order).toEqual(['written', 'taken']);
      expect(await confirm(name, 'a')).toBe(false);
    });

    it('leave no trace of a transaction that was rolled back', async () => {
      const name = randomUUID();
      const work = shared.database.transaction(async ({ leases }) => {
        await leases.acquire(name, 'a', MINUTE_MS);
        throw new Error('no');
      });
      await expect(work).rejects.toThrow('no');

      expect(await confirm(name, 'a')).toBe(false);
      expect(await acquire(name, 'b')).toBe(true);
    });
  });
}
