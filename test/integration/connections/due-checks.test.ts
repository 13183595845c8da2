import type { Connection, ConnectionId } from '../../../src/domain/connections/connection';
import type { ConnectionService } from '../../../src/domain/connections/connection.service';
import { ConnectionCheckService } from '../../../src/domain/connections/connection-check.service';
import { StillRunning } from '../../../src/domain/errors';
import { silentLogger } from '../../../src/shared/logger';
import { FakeClock } from '../../support/fake-clock';
import { useSharedStorage } from '../../support/shared-storage';
import { aConnection, aSecret, aTenant, aToken } from '../../support/storage-records';
import { postgresDatabase, sqliteMemoryDatabase } from '../../support/test-database';

const HOUR_MS = 3_600_000;

describe.each([
  ['SQLite', sqliteMemoryDatabase],
  ['PostgreSQL', () => postgresDatabase()],
])('connections whose check is due, on %s', (_engine, makeDatabase) => {
  const shared = useSharedStorage(makeDatabase);
  const clock = new FakeClock();
  const tenant = aTenant();
  const made: ConnectionId[] = [];
  let checked: ConnectionId[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;

  /** One replica, whose checks take a moment and find what `find` says. */
  function replica(find: (connection: Connection) => Promise<Connection>): ConnectionCheckService {
    const verify = async (_caller: unknown, id: ConnectionId) => {
      checked.push(id);
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      const connection = await shared.database.read((stores) => stores.connections.find(tenant.id, id));
      await new Promise((resolve) => setTimeout(resolve, 5));
      atOnce -= 1;
      if (!connection) throw new Error('There is no such connection');
      return { connection: await find(connection) };
    };
    const connections = { verify } as unknown as ConnectionService;
    const { database } = shared;
    const means = { clock, random: Math.random, logger: silentLogger, checkEveryMs: HOUR_MS };
    return new ConnectionCheckService({ ...means, database, connections });
  }

  beforeAll(async () => {
    await shared.database.transaction(async (stores) => {
      await stores.tenants.insert(tenant);
      for (let index = 0; index < 60; index += 1) {
        const fields = { teamKey: `T${index}`, externalId: `customer-${index}`, lastVerifiedAt: new Date(0) };
        const connection = aConnection(tenant.id, { ...fields, lifecycle: 'OPEN', status: 'ACTIVE' });
        made.push(connection.id);
        await stores.connections.insert(connection);
        await stores.tokens.insert(aToken(connection), aSecret());
      }
    });
  });
  beforeEach(() => {
    checked = [];
    mostAtOnce = 0;
  });

  const due = async (aheadMs = 0) =>
    (await shared.database.read((stores) => stores.connections.listDueForCheck(new Date(clock.now() + aheadMs), 1_000)))
      .length;
  const never = new AbortController().signal;

  it('are each checked once by three replicas that begin together, a few at a time', async () => {
    const replicas = [1, 2, 3].map(() => replica(async (connection) => connection));

    await Promise.all(replicas.map((one) => one.checkDue(never)));

    expect([...checked].sort()).toEqual([...made].sort());
    expect(mostAtOnce).toBeLessThanOrEqual(12);
    expect(await due()).toBe(0);
  });

  it('come up again spread over four tenths of the time between two checks', async () => {
    expect(await due(0.79 * HOUR_MS)).toBe(0);
    const half = await due(HOUR_MS);
    expect(half).toBeGreaterThan(10);
    expect(half).toBeLessThan(50);
    expect(await due(1.21 * HOUR_MS)).toBe(60);
  });

  it('come up again soon when their check did not end, and do not keep the others from theirs', async () => {
    clock.jump(2 * HOUR_MS);
    const [first] = made;
    const one = replica(async (connection) => {
      if (connection.id === first) throw new StillRunning('It is being changed.');
      return connection;
    });

    await one.checkDue(never);

    expect(checked).toHaveLength(60);
    expect(await due()).toBe(0);
    expect(await due(6 * 60_000)).toBe(1);
  });

  it('are left when the process stops', async () => {
    clock.jump(2 * HOUR_MS);
    const stopping = new AbortController();
    const one = replica(async (connection) => {
      stopping.abort();
      return connection;
    });

    await one.checkDue(stopping.signal);

    expect(checked.length).toBeLessThanOrEqual(4);
    expect(await due()).toBeGreaterThanOrEqual(56);
  });
});
