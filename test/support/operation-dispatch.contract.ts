import type { Connection } from '../../src/domain/connections/connection';
import type { OperationId } from '../../src/domain/operations/operation';
import type { NextSlice, OperationRunner } from '../../src/domain/operations/operation.runner';
import type { SliceBounds } from '../../src/domain/operations/operation-slice';
import { leaseName } from '../../src/domain/operations/slice-ledger';
import { silentLogger } from '../../src/shared/logger';
import { OperationJobs } from '../../src/worker/operation-jobs.runner';
import { OperationPool } from '../../src/worker/operation-pool.runner';
import { FastClock } from './fast-clock';
import { anOperation } from './operation-store.contract';
import { useSharedStorage } from './shared-storage';
import { storeConnection } from './storage-records';
import type { MakeTestDatabase } from './test-database';
import { until } from './until';

type Work = (id: OperationId, bounds: SliceBounds) => Promise<NextSlice>;

/** What whoever begins operations may rely on, whichever engine carries word of them. */
export function operationDispatchContract(name: string, makeDatabase: MakeTestDatabase): void {
  describe(name, () => {
    const shared = useSharedStorage(makeDatabase);
    const clock = new FastClock(20);
    const started: (OperationPool | OperationJobs)[] = [];
    let connection: Connection;

    beforeAll(async () => {
      connection = await storeConnection(shared.database);
    });
    afterEach(async () => {
      for (const dispatch of started.splice(0)) await dispatch.stop(0);
    });

    function start(work: Work): OperationPool | OperationJobs {
      const runner = { runSlice: work, longestSliceMs: 60_000 } as unknown as OperationRunner;
      const { config } = shared.testDatabase;
      const parts = {
        database: shared.database,
        runner: () => runner,
        clock,
        random: Math.random,
        logger: silentLogger,
      };
      const dispatch =
        config.kind === 'sqlite' ? new OperationPool(parts) : new OperationJobs({ ...parts, url: config.url });
      dispatch.start();
      started.push(dispatch);
      return dispatch;
    }

    async function storeDue(dueInMs = 0): Promise<{ id: OperationId; at: Date }> {
      const at = new Date(clock.now() + dueInMs);
      const operation = anOperation(connection, { dueAt: at });
      await shared.database.transaction(async ({ operations }) => {
        await operations.insert(operation);
        await operations.accept(operation);
      });
      return { id: operation.id, at };
    }

    /** As a slice does at its end. */
    const write = (id: OperationId, dueAt: NextSlice) =>
      shared.database.transaction(async ({ operations }) => {
        const operation = await operations.lock(id);
        if (operation) await operations.update({ ...operation, dueAt });
        return dueAt;
      });

    it('runs slice after slice of what was announced, until no further one is wanted', async () => {
      const { id, at } = await storeDue();
      let slices = 0;
      const dispatch = start(async (ran) => {
        slices += 1;
        return write(ran, slices < 4 ? new Date(clock.now()) : undefined);
      });
      await dispatch.announce(id, at);
      await until(() => slices === 4);
    });

    it('never runs two slices of one operation at once in a process, however often it is announced', async () => {
      const { id, at } = await storeDue();
      let [running, most, slices] = [0, 0, 0];
      const dispatch = start(async (ran) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 20));
        running -= 1;
        slices += 1;
        return write(ran, slices < 5 ? new Date(clock.now()) : undefined);
      });
      for (let time = 0; time < 20; time += 1) await dispatch.announce(id, at);
      await until(() => slices >= 5);
      expect(most).toBe(1);
    });

    it('finds what nobody announced, and what broke off', async () => {
      const { id } = await storeDue(-60_000);
      const ran: OperationId[] = [];
      start(async (next) => {
        if (!ran.includes(next)) {
          ran.push(next);
          throw new Error('The database went away');
        }
        await write(next, undefined);
        ran.push(next);
        return undefined;
      });
      await until(() => ran.length === 2);
      expect(ran).toEqual([id, id]);
    });

    it('waits for a time that lies ahead', async () => {
      const { id, at } = await storeDue(8_000);
      const ranAt: number[] = [];
      const dispatch = start(async (ran) => {
        ranAt.push(clock.now());
        return write(ran, undefined);
      });
      await dispatch.announce(id, at);
      await until(() => ranAt.length === 1);
      expect(ranAt[0]).toBeGreaterThanOrEqual(at.getTime());
    });

    it('tells running slices to take nothing more when it stops, and to break off when the time is over', async () => {
      const { id, at } = await storeDue();
      const told: string[] = [];
      const dispatch = start(async (ran, { closing, ended }) => {
        told.push('begun');
        await new Promise((resolve) => closing.addEventListener('abort', resolve));
        told.push('closing');
        await new Promise((resolve) => ended.addEventListener('abort', resolve));
        told.push('ended');
        return write(ran, undefined);
      });
      await dispatch.announce(id, at);
      await until(() => told.length === 1);
      await dispatch.stop(30);
      expect(told).toEqual(['begun', 'closing', 'ended']);
      // The lease of a slice that did not end by itself would be somebody else's to wait for.
      expect(await shared.database.transaction(({ leases }) => leases.acquire(leaseName(id), 'next', 0))).toBe(true);
    });
  });
}
