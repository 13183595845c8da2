import type { Connection } from '../../../src/domain/connections/connection';
import { ConnectionSnapshots } from '../../../src/domain/connections/connection-snapshots';
import type { Database, Stores } from '../../../src/domain/ports';
import { silentLogger } from '../../../src/shared/logger';
import { LocalFeed } from '../../../src/storage/connection-feed';
import { FakeClock } from '../../support/fake-clock';
import { aConnection, aTenant } from '../../support/storage-records';

describe('what a bulk knows of its connection', () => {
  const tenant = aTenant();
  const connection = aConnection(tenant.id);

  function make({ fails = () => false }: { fails?: () => boolean } = {}) {
    const stored = { connection: connection as Connection, reads: 0 };
    const stores = {
      connections: { find: async () => stored.connection },
      tokens: { findSealed: async () => undefined },
    } as unknown as Stores;
    const database: Database = {
      read: async (work) => {
        stored.reads += 1;
        if (fails()) throw new Error('The database is away');
        return work(stores);
      },
      transaction: (work) => work(stores),
      ping: async () => {},
    };
    const feed = new LocalFeed(silentLogger);
    const clock = new FakeClock();
    return { stored, feed, clock, snapshots: new ConnectionSnapshots(database, clock, feed) };
  }

  it('is read once for calls that come close together', async () => {
    const { stored, snapshots } = make();
    const known = await Promise.all([1, 2, 3].map(() => snapshots.of(tenant.id, connection.id)));
    expect(known.map((snapshot) => snapshot.connection)).toEqual([connection, connection, connection]);
    expect(stored.reads).toBe(1);
  });

  it('is read anew after every commit that touches the connection, and when some may have been missed', async () => {
    const { stored, feed, snapshots } = make();
    await snapshots.of(tenant.id, connection.id);
    stored.connection = { ...connection, lifecycle: 'PAUSED' };
    feed.publish({ tenantId: tenant.id, connectionId: connection.id });
    expect((await snapshots.of(tenant.id, connection.id)).connection?.lifecycle).toBe('PAUSED');
    stored.connection = connection;
    feed.publish(undefined);
    expect((await snapshots.of(tenant.id, connection.id)).connection?.lifecycle).toBe('OPEN');
  });

  it('is forgotten after a second, also by a clock that was put back', async () => {
    const { stored, clock, snapshots } = make();
    await snapshots.of(tenant.id, connection.id);
    clock.jump(1_001);
    await snapshots.of(tenant.id, connection.id);
    clock.jump(-3_600_000);
    await snapshots.of(tenant.id, connection.id);
    expect(stored.reads).toBe(3);
  });

  it('shows nothing of it to another tenant', async () => {
    const { snapshots } = make();
    await snapshots.of(tenant.id, connection.id);
    expect(await snapshots.of(aTenant().id, connection.id)).toEqual({ connection: undefined, sealed: undefined });
  });

  it('is asked for again when the database failed', async () => {
    let isAway = true;
    const { snapshots } = make({ fails: () => isAway });
    await expect(snapshots.of(tenant.id, connection.id)).rejects.toThrow('away');
    isAway = false;
    expect((await snapshots.of(tenant.id, connection.id)).connection).toEqual(connection);
  });
});
