import { IdempotencyService } from '../../../src/domain/directory/idempotency.service';
import type { Stores } from '../../../src/domain/ports';
import type { Logger } from '../../../src/shared/logger';
import type { Storage } from '../../../src/storage/open-storage';
import { SweepRunner } from '../../../src/worker/sweep.runner';
import { FakeClock } from '../../support/fake-clock';
import { anInstall, anIssue, aSecret, aSlackEvent, aToken, storeConnection } from '../../support/storage-records';
import { sqliteMemoryDatabase } from '../../support/test-database';
import { until } from '../../support/until';

const DAY_MS = 86_400_000;

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
    return new SweepRunner(idempotency, database, { clock, random: () => 0.5, logger });
  }

  const ago = (days: number, ms = 0) => new Date(clock.now() - days * DAY_MS - ms);

  it('removes what was kept long enough, at the start, and leaves what is a moment younger', async () => {
    const connection = await storeConnection(storage.database);
    const [oldEvent, youngEvent] = [aSlackEvent({ receivedAt: ago(7, 1) }), aSlackEvent({ receivedAt: ago(7) })];
    const pendingEvent = aSlackEvent({ receivedAt: ago(99) });
    const [oldInstall, youngInstall] = [
      anInstall(connection.tenantId, { expiresAt: ago(30, 1) }),
      anInstall(connection.tenantId, { expiresAt: ago(30) }),
    ];
    const [oldToken, youngToken, newest] = [
      aToken(connection, { createdAt: ago(180, 1) }),
      aToken(connection, { createdAt: ago(180) }),
      aToken(connection, { createdAt: ago(179) }),
    ];
    const [oldIssue, youngIssue] = [
      anIssue(connection, { since: ago(200), resolvedAt: ago(180, 1) }),
      anIssue(connection, { since: ago(200), resolvedAt: ago(180) }),
    ];
    await storage.database.transaction(async ({ slackEvents, installs, tokens, issues }) => {
      for (const event of [oldEvent, youngEvent, pendingEvent]) await slackEvents.insert(event);
      for (const { id } of [oldEvent, youngEvent]) await slackEvents.markHandled(id, ago(0));
      for (const install of [oldInstall, youngInstall]) await installs.insert(install);
      for (const token of [oldToken, youngToken, newest]) {
        await tokens.insert(token, aSecret());
        await tokens.retire(token.id, 'SUPERSEDED');
      }
      for (const issue of [oldIssue, youngIssue]) await issues.insert(issue);
    });
    const sweeps = runner();

    sweeps.start();
    await until(() => infos.length > 0);
    await sweeps.stop();

    expect(infos).toEqual([
      { idempotencyRecords: 0, issues: 1, tokens: 1, installs: 1, slackEvents: 1, operationRows: 0 },
    ]);
    const { tenantId } = connection;
    const kept = await storage.database.read(async (stores: Stores) => ({
      tokens: [await stores.tokens.find(tenantId, oldToken.id), await stores.tokens.find(tenantId, youngToken.id)],
      installs: [
        await stores.installs.find(tenantId, oldInstall.id),
        await stores.installs.find(tenantId, youngInstall.id),
      ],
      issues: await stores.issues.list(connection.id, { includeResolved: true }),
      pending: await stores.slackEvents.listPending(9),
      isYoungEventNew: await stores.slackEvents.insert(youngEvent),
    }));
    expect(kept).toMatchObject({
      tokens: [undefined, { id: youngToken.id }],
      installs: [undefined, { id: youngInstall.id }],
      issues: [{ id: youngIssue.id }],
      pending: [{ id: pendingEvent.id }],
      isYoungEventNew: false,
    });
  });

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
