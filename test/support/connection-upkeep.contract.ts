import type { Connection } from '../../src/domain/connections/connection';
import type { SharedStorage } from './shared-storage';
import { aConnection, aTenant, later, storeConnection } from './storage-records';

/** What the background asks of the connections of all tenants. */
export function connectionUpkeepContract(shared: SharedStorage): void {
  const due = async (now: Date, ...of: Connection[]) => {
    const listed = await shared.database.read(({ connections }) => connections.listDueForCheck(now, 10_000));
    return listed.map(({ id }) => id).filter((id) => of.some((connection) => connection.id === id));
  };
  const schedule = (connection: Connection, at: Date) =>
    shared.database.transaction(({ connections }) => connections.scheduleCheck(connection.id, at));

  describe('the upkeep of connections', () => {
    it('finds checks that are due, those never planned first and then the longest overdue', async () => {
      const [late, later1, planned, never] = [
        await storeConnection(shared.database),
        await storeConnection(shared.database),
        await storeConnection(shared.database),
        await storeConnection(shared.database),
      ];
      const resting = [
        await storeConnection(shared.database, { lifecycle: 'PAUSED', status: 'PAUSED' }),
        await storeConnection(shared.database, { lifecycle: 'DISCONNECTED', status: 'DISCONNECTED' }),
      ];
      await schedule(later1, later(2));
      await schedule(late, later(1));
      await schedule(planned, later(3));

      const all = [late, later1, planned, never, ...resting];
      expect(await due(later(2), ...all)).toEqual([never.id, late.id, later1.id]);
      expect(await shared.database.read(({ connections }) => connections.listDueForCheck(later(9), 1))).toHaveLength(1);
    });

    it('keeps the plan through changes of the connection, which in turn keeps its version', async () => {
      const connection = await storeConnection(shared.database);
      await schedule(connection, later(5));

      const { stored, updated } = await shared.database.transaction(async ({ connections }) => ({
        stored: await connections.find(connection.tenantId, connection.id),
        updated: await connections.update({ ...connection, name: 'Renamed' }),
      }));

      expect(stored).toEqual(connection);
      expect(updated?.version).toBe(2);
      expect(await due(later(4), connection)).toEqual([]);
      expect(await due(later(5), connection)).toEqual([connection.id]);
    });

    it('finds the connections of every tenant to a team within its environment, but for disconnected ones', async () => {
      const [one, other, paused] = [
        await storeConnection(shared.database, { teamKey: 'TEAM1' }),
        await storeConnection(shared.database, { teamKey: 'TEAM1' }),
        await storeConnection(shared.database, { teamKey: 'EORG1', lifecycle: 'PAUSED', status: 'PAUSED' }),
      ];
      await storeConnection(shared.database, { teamKey: 'TEAM1', environment: 'GOV' });
      await storeConnection(shared.database, { teamKey: 'TEAM2' });
      await storeConnection(shared.database, { teamKey: 'TEAM1', lifecycle: 'DISCONNECTED', status: 'DISCONNECTED' });

      const [listed, none] = await shared.database.read(async ({ connections }) => [
        await connections.listByTeams('LIVE', ['TEAM1', 'EORG1']),
        await connections.listByTeams('LIVE', []),
      ]);

      expect(listed.map(({ id }) => id).sort()).toEqual([one.id, other.id, paused.id].sort());
      expect(none).toEqual([]);
    });

    it('finds the newest disconnected connection of the tenant to a team', async () => {
      const tenant = aTenant();
      const gone = { teamKey: 'TGONE', lifecycle: 'DISCONNECTED', status: 'DISCONNECTED' } as const;
      const newest = aConnection(tenant.id, { ...gone, createdAt: later(2) });
      await shared.database.transaction(async ({ tenants, connections }) => {
        await tenants.insert(tenant);
        await connections.insert(aConnection(tenant.id, { ...gone, createdAt: later(1) }));
        await connections.insert(newest);
        await connections.insert(aConnection(tenant.id, { teamKey: 'TGONE', createdAt: later(3) }));
        await connections.insert(aConnection(tenant.id, { ...gone, environment: 'GOV', createdAt: later(4) }));
      });
      await storeConnection(shared.database, { ...gone, createdAt: later(5) });

      const [found, none] = await shared.database.read(async ({ connections }) => [
        await connections.findDisconnectedByTeam(tenant.id, 'LIVE', 'TGONE'),
        await connections.findDisconnectedByTeam(tenant.id, 'LIVE', 'TNEVER'),
      ]);

      expect(found).toEqual(newest);
      expect(none).toBeUndefined();
    });
  });
}
