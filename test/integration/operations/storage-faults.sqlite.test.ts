import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { operationStopContract } from '../../support/operation-stop.contract';
import { passing, StorageFaultWorld } from '../../support/operation-storage-faults';
import { lockFromOutside } from '../../support/sqlite-locker';

operationStopContract('a process that is told to stop in the middle of work with SQLite', 'sqlite');

describe('an operation whose SQLite file fails', () => {
  const opened: DataSource[] = [];
  let faulty: StorageFaultWorld;

  beforeAll(async () => {
    const { initialize } = DataSource.prototype;
    const spy = jest.spyOn(DataSource.prototype, 'initialize').mockImplementation(function open(this: DataSource) {
      opened.push(this);
      return initialize.call(this);
    });
    faulty = await StorageFaultWorld.start({ engine: 'sqlite' });
    spy.mockRestore();
  });
  afterAll(() => faulty.stop());

  const locked = async (ms: number) => {
    const begun = await faulty.beginTwo();
    const release = await lockFromOutside(join(faulty.world.app.directory, 'rollcall.sqlite'));
    try {
      await faulty.expectAlive();
      // Reads go on.
      expect(await faulty.world.ended(begun.ids[0] ?? '', () => true)).toMatchObject({ status: 'RUNNING' });
      if (ms > 5_000) expect(await faulty.tryToBegin()).toBe('refused');
      await passing(ms);
      await faulty.expectAlive();
    } finally {
      await release();
    }
    // In the shorter time no slice gave up.
    if (ms > 5_000) await faulty.endLeases();
    await faulty.expectBothToEnd(begun);
  };
  it.each([3_000, 60_000])('being locked by another process for %i ms goes on afterwards (F15)', locked, 180_000);

  it('being full refuses new work, and goes on when there is room again, without a restart (F16)', async () => {
    const begun = await faulty.beginTwo();
    const file = opened.find(({ isInitialized }) => isInitialized);
    await file?.query('PRAGMA max_page_count = 1');
    try {
      expect(await faulty.tryToBegin(2_000)).toBe('refused');
      await faulty.expectAlive();
      await passing(20_000);
    } finally {
      await file?.query('PRAGMA max_page_count = 1073741823');
    }
    await faulty.endLeases();
    await faulty.expectBothToEnd(begun);
    expect(await faulty.tryToBegin()).toBe('accepted');
  });
});
