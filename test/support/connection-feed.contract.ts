import type { TenantId } from '../../src/domain/access/access';
import type { ConnectionChange } from '../../src/domain/install-ports';
import type { Storage } from '../../src/storage/open-storage';
import type { SharedStorage } from './shared-storage';
import { aConnection, anIssue, aRefreshedPair, aSecret, aToken, later, storeConnection } from './storage-records';
import { until } from './until';

export function connectionFeedContract(shared: SharedStorage): void {
  describe('the feed of connection changes', () => {
    it('tells of a connection once for each transaction that changed it, however often it did', async () => {
      const connection = await storeConnection(shared.database);
      const { id: connectionId, tenantId } = connection;
      const token = aToken(connection);
      const { heard, stop } = await listenFromNowOn(shared.storage, tenantId);

      await shared.database.transaction(async ({ connections, issues, tokens }) => {
        await connections.update({ ...connection, name: 'Renamed' });
        await issues.insert(anIssue(connection));
        await tokens.insert(token, aSecret(), aSecret());
      });
      await shared.database.transaction(({ tokens }) =>
        tokens.saveRefreshed(tenantId, { id: token.id, generation: 1 }, aRefreshedPair()),
      );
      await shared.database.transaction(({ tokens }) => tokens.dropRefreshToken(token.id, 2));
      await shared.database.transaction(({ tokens }) => tokens.retire(token.id, 'REVOKED'));
      await shared.database.transaction(({ issues }) => issues.insert(anIssue(connection)));
      await shared.database.transaction(({ connections }) => connections.delete(tenantId, connectionId));

      const last = await lastWord(shared.storage, tenantId, heard);
      expect(heard).toEqual([...Array.from({ length: 6 }, () => ({ tenantId, connectionId })), last]);
      stop();
    });

    it('tells nothing of what was rolled back, read, or not changed after all', async () => {
      const connection = await storeConnection(shared.database);
      const { tenantId } = connection;
      const token = aToken(connection);
      await shared.database.transaction(({ tokens }) => tokens.insert(token, aSecret(), aSecret()));
      const { heard, stop } = await listenFromNowOn(shared.storage, tenantId);

      const rolledBack = shared.database.transaction(async ({ connections }) => {
        await connections.update({ ...connection, name: 'Never' });
        throw new Error('no');
      });
      await expect(rolledBack).rejects.toThrow('no');
      await shared.database.transaction(async ({ connections, tokens }) => {
        await connections.update({ ...connection, version: 9 });
        await connections.find(tenantId, connection.id);
        await connections.scheduleCheck(connection.id, later(1));
        await tokens.saveRefreshed(tenantId, { id: token.id, generation: 7 }, aRefreshedPair());
        await tokens.markUsed(token.id, later(1));
      });

      const last = await lastWord(shared.storage, tenantId, heard);
      expect(heard).toEqual([last]);
      stop();
    });

    it('goes on to the others when one listener fails, and tells nothing to one that left', async () => {
      const { tenantId } = await storeConnection(shared.database);
      const gone = await listenFromNowOn(shared.storage, tenantId);
      gone.stop();
      const stopFailing = shared.storage.feed.subscribe(() => {
        throw new Error('a listener failed');
      });
      const { heard, stop } = listenTo(shared.storage, tenantId);

      const last = await lastWord(shared.storage, tenantId, heard);

      expect(heard).toEqual([last]);
      expect(gone.heard).toEqual([]);
      stopFailing();
      stop();
    });
  });
}

/** Collects what is told of one tenant, and that something may have been missed. */
export function listenTo({ feed }: Storage, tenantId: TenantId): { heard: ConnectionChange[]; stop: () => void } {
  const heard: ConnectionChange[] = [];
  const stop = feed.subscribe((change) => {
    if (change === undefined || change.tenantId === tenantId) heard.push(change);
  });
  return { heard, stop };
}

/** As listenTo; what was committed before has been told by then, and is left out. */
async function listenFromNowOn(storage: Storage, tenantId: TenantId): Promise<ReturnType<typeof listenTo>> {
  const listening = listenTo(storage, tenantId);
  await lastWord(storage, tenantId, listening.heard);
  listening.heard.length = 0;
  return listening;
}

/** Stores one connection more and waits until it is told of: then all that was committed before it has been. */
export async function lastWord(
  { database }: Storage,
  tenantId: TenantId,
  heard: readonly ConnectionChange[],
): Promise<ConnectionChange> {
  const connection = aConnection(tenantId);
  await database.transaction(({ connections }) => connections.insert(connection));
  await until(() => heard.some((change) => change?.connectionId === connection.id));
  return { tenantId, connectionId: connection.id };
}
