import { IdempotencyService } from '../../../src/domain/directory/idempotency.service';
import type { Logger } from '../../../src/shared/logger';
import type { Storage } from '../../../src/storage/open-storage';
import { SweepRunner } from '../../../src/worker/sweep.runner';
import { FakeClock } from '../../support/fake-clock';
import { sqliteMemoryDatabase } from '../../support/test-database';
import { until } from '../../support/until';

const DAY_MS = 86_400_000;
const retention = {
  operationsMs: DAY_MS,
  issuesMs: DAY_MS,
  tokensMs: DAY_MS,
  installsMs: DAY_MS,
  slackEventsMs: DAY_MS,
};

describe('SweepRunner', () => {
  let storage: Storage;
  let clock: FakeClock;
  const infos: object[] = [];
  const logger: Logger = { debug() {}, info: (fields) => void infos.push(fields), warn() {}, error() {} };

  beforeEach(async () => {
    infos.length = 0;
    clock = new FakeClock();
    storage = await (await sqliteMemoryDatabase()).open();
  });

  afterEach(() => storage.close());

  function runner(database = storage.database): SweepRunner {
    const idempotency = new IdempotencyService(database, clock, logger);
    return new SweepRunner(idempotency, database, { clock, random: () => 0.5, logger, retention });
  }

  it('says nothing when there was nothing to remove, and comes again an hour later', async () => {
    let rounds = 0;
    const sweeps = runner({
      ...storage.database,
      ping: () => storage.database.ping(),
      read: (work) => storage.database.read(work),
      transaction: async (work) => {
        rounds += 1;
        return storage.database.transaction(work);
      },
    });
    sweeps.start();
    await until(() => clock.sleeperCount === 1);
    const perSweep = rounds;
    await clock.advance(3_600_000);
    await until(() => clock.sleeperCount === 1);

    expect(rounds).toBe(2 * perSweep);
    expect(infos).toEqual([]);
    await sweeps.stop();
  });
});
