import fc from 'fast-check';
import type { Connection } from '../../src/domain/connections/connection';
import type { ConnectionFilter, ListPosition } from '../../src/domain/ports';
import type { SharedStorage } from './shared-storage';
import {
  aConnection,
  anIdempotencyRecord,
  anIssue,
  aSecret,
  aTenant,
  aToken,
  later,
  someInstant,
  storeConnection,
} from './storage-records';

export function connectionStoreContract(shared: SharedStorage): void {
  describe('connections', () => {
    it('gives back a connection as it was stored, bare or full', async () => {
      const bare = await storeConnection(shared.database);
      const full = await storeConnection(shared.database, {
        externalId: 'customer-7',
        environment: 'GOV',
        lifecycle: 'PAUSED',
        status: 'PAUSED',
        installLevel: 'ORGANIZATION',
        workspace: { slackId: 'T1', name: 'Acme', url: 'https://acme.slack.com/' },
        organization: { slackId: 'E1', name: 'Acme Group' },
        installer: { slackId: 'W1', displayName: 'Ida' },
        lastVerifiedAt: later(5),
        version: 7,
      });

      expect(await find(shared, bare)).toEqual(bare);
      expect(await find(shared, full)).toEqual(full);
    });

    it('finds nothing of another tenant, whatever the key', async () => {
      const connection = await storeConnection(shared.database, { externalId: 'customer-1' });
      const { id: stranger } = aTenant();
      const { id, environment, teamKey } = connection;

      const found = await shared.database.transaction(async ({ connections }) => [
        await connections.find(stranger, id),
        await connections.findByTeam(stranger, environment, teamKey),
        await connections.findByExternalId(stranger, 'customer-1'),
        (await connections.list(stranger, {}, 10, undefined)).items[0],
        await connections.update({ ...connection, tenantId: stranger }),
      ]);

      expect(found).toEqual([undefined, undefined, undefined, undefined, undefined]);
      expect(await shared.database.transaction(({ connections }) => connections.delete(stranger, id))).toBe(false);
      expect(await find(shared, connection)).toEqual(connection);
    });

    it('finds by externalId and by team, the team within its environment', async () => {
      const connection = await storeConnection(shared.database, { externalId: 'customer-2', environment: 'SANDBOX' });
      const { tenantId, teamKey } = connection;

      const found = await shared.database.read(async ({ connections }) => [
        await connections.findByExternalId(tenantId, 'customer-2'),
        await connections.findByTeam(tenantId, 'SANDBOX', teamKey),
        await connections.findByTeam(tenantId, 'LIVE', teamKey),
      ]);

      expect(found).toEqual([connection, connection, undefined]);
    });

    it('refuses a second connection with the externalId of the tenant, but not of another tenant', async () => {
      const { tenantId } = await storeConnection(shared.database, { externalId: 'taken' });
      const second = aConnection(tenantId, { externalId: 'taken' });

      const insertion = shared.database.transaction(({ connections }) => connections.insert(second));

      await expect(insertion).rejects.toMatchObject({ name: 'UniqueViolation', constraint: 'connection.externalId' });
      await expect(storeConnection(shared.database, { externalId: 'taken' })).resolves.toBeDefined();
    });

    it('refuses a second open connection to a team, by insertion and by update', async () => {
      const { tenantId, teamKey } = await storeConnection(shared.database);
      const other = aConnection(tenantId);
      await shared.database.transaction(({ connections }) => connections.insert(other));

      const violation = { name: 'UniqueViolation', constraint: 'connection.team' };
      const insertion = shared.database.transaction(({ connections }) =>
        connections.insert(aConnection(tenantId, { teamKey })),
      );
      await expect(insertion).rejects.toMatchObject(violation);
      const change = shared.database.transaction(({ connections }) => connections.update({ ...other, teamKey }));
      await expect(change).rejects.toMatchObject(violation);
    });

    it('frees the team of a disconnected connection, and refuses to open that one again while another holds it', async () => {
      const first = await storeConnection(shared.database, { lifecycle: 'DISCONNECTED', status: 'DISCONNECTED' });
      const second = aConnection(first.tenantId, { teamKey: first.teamKey });
      await shared.database.transaction(({ connections }) => connections.insert(second));

      const holder = await shared.database.read(({ connections }) =>
        connections.findByTeam(first.tenantId, first.environment, first.teamKey),
      );
      const reopening = shared.database.transaction(({ connections }) =>
        connections.update({ ...first, lifecycle: 'OPEN', status: 'ACTIVE' }),
      );

      await expect(reopening).rejects.toMatchObject({ constraint: 'connection.team' });
      expect(holder).toEqual(second);
    });

    it('writes every field and raises the version, and clears what is left out', async () => {
      const stored = await storeConnection(shared.database, { externalId: 'old', lastVerifiedAt: someInstant });
      const changed: Connection = {
        ...stored,
        name: 'New name',
        externalId: undefined,
        lifecycle: 'PAUSED',
        status: 'PAUSED',
        workspace: { slackId: 'T2', name: 'Two' },
        lastVerifiedAt: undefined,
        updatedAt: later(9),
      };

      const written = await shared.database.transaction(({ connections }) => connections.update(changed));

      expect(written).toEqual({ ...changed, version: 2 });
      expect(await find(shared, stored)).toEqual(written);
    });

    it('lets one of 20 writers of the same version win', async () => {
      const stored = await storeConnection(shared.database);

      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          shared.database.transaction(({ connections }) => connections.update({ ...stored, name: `writer ${index}` })),
        ),
      );

      const winners = outcomes.filter((outcome) => outcome !== undefined);
      expect(winners).toHaveLength(1);
      expect(await find(shared, stored)).toEqual(winners[0]);
    });

    it('removes with a connection everything that belongs to it, and nothing else', async () => {
      const [gone, kept] = [await storeConnection(shared.database), await storeConnection(shared.database)];
      const [goneToken, keptToken] = [aToken(gone), aToken(kept)];
      const [goneRecord, keptRecord] = [anIdempotencyRecord(gone), anIdempotencyRecord(kept)];
      await shared.database.transaction(async (stores) => {
        for (const token of [goneToken, keptToken]) await stores.tokens.insert(token, aSecret());
        for (const connection of [gone, kept]) await stores.issues.insert(anIssue(connection));
        for (const record of [goneRecord, keptRecord]) await stores.idempotency.claim(record);
      });

      const removed = await shared.database.transaction(async ({ connections }) => [
        await connections.delete(gone.tenantId, gone.id),
        await connections.delete(gone.tenantId, gone.id),
      ]);

      expect(removed).toEqual([true, false]);
      const left = await shared.database.read(async (stores) => ({
        tokens: [await stores.tokens.open(goneToken.id), (await stores.tokens.findActive(kept.id))?.id],
        issues: (await stores.issues.listOpen([gone.id, kept.id])).map(({ connectionId }) => connectionId),
        records: [
          await stores.idempotency.find(gone.tenantId, goneRecord.key),
          (await stores.idempotency.find(kept.tenantId, keptRecord.key))?.key,
        ],
      }));
      expect(left).toEqual({
        tokens: [undefined, keptToken.id],
        issues: [kept.id],
        records: [undefined, keptRecord.key],
      });
    });
  });

  describe('lists of connections', () => {
    it('shows every connection once, in the same order, whatever the page size', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 12 }),
          fc.integer({ min: 1, max: 5 }),
          async (offsets, pageSize) => {
            const tenant = aTenant();
            await shared.database.transaction(async (stores) => {
              await stores.tenants.insert(tenant);
              for (const ms of offsets)
                await stores.connections.insert(aConnection(tenant.id, { createdAt: later(ms) }));
            });

            const whole = await list(shared, tenant.id, {}, 100);
            const paged = await walk(shared, tenant.id, pageSize);

            expect(whole.items).toHaveLength(offsets.length);
            expect(paged).toEqual(whole.items);
            const instants = paged.map(({ createdAt }) => createdAt.getTime());
            expect(instants).toEqual([...instants].sort((left, right) => right - left));
          },
        ),
        { numRuns: 15 },
      );
    });

    it('counts all that match, not only those of the page', async () => {
      const { tenantId } = await storeConnection(shared.database);
      await shared.database.transaction(async ({ connections }) => {
        for (let index = 0; index < 4; index += 1) await connections.insert(aConnection(tenantId));
      });

      const page = await list(shared, tenantId, {}, 2);
      const last = page.items.at(-1);
      const next = await list(shared, tenantId, {}, 3, last);

      expect([page.items.length, page.hasMore, page.totalCount]).toEqual([2, true, 5]);
      expect([next.items.length, next.hasMore, next.totalCount]).toEqual([3, false, 5]);
    });

    it('keeps its place when connections come and go between two pages', async () => {
      const { tenantId } = await storeConnection(shared.database, { createdAt: later(1) });
      const [second, third] = [later(2), later(3)].map((createdAt) => aConnection(tenantId, { createdAt }));
      if (!second || !third) throw new Error('two connections are needed');
      await shared.database.transaction(async ({ connections }) => {
        await connections.insert(second);
        await connections.insert(third);
      });
      const page = await list(shared, tenantId, {}, 1);
      await shared.database.transaction(async ({ connections }) => {
        await connections.delete(tenantId, third.id);
        await connections.insert(aConnection(tenantId, { createdAt: later(4) }));
      });

      const next = await list(shared, tenantId, {}, 1, page.items[0]);

      expect(next.items).toEqual([second]);
    });

    it('filters by status, environment and externalId, and by all of them together', async () => {
      const { tenantId, id } = await storeConnection(shared.database, { externalId: 'x1', status: 'DEGRADED' });
      const gov = aConnection(tenantId, { environment: 'GOV', externalId: 'x2' });
      await shared.database.transaction(({ connections }) => connections.insert(gov));
      const ids = async (filter: ConnectionFilter) =>
        (await list(shared, tenantId, filter, 10)).items.map((item) => item.id);

      expect(await ids({ status: ['DEGRADED', 'PAUSED'] })).toEqual([id]);
      expect(await ids({ environment: 'GOV' })).toEqual([gov.id]);
      expect(await ids({ externalId: 'x1' })).toEqual([id]);
      expect(await ids({ externalId: 'x1', environment: 'GOV' })).toEqual([]);
      expect(await ids({ status: [] })).toEqual([]);
    });

    it('finds a part of a name whatever its case, also beyond ASCII', async () => {
      const { tenantId } = await storeConnection(shared.database, { name: 'ÄRGER & Söhne GmbH' });

      for (const part of ['ärger', 'SÖHNE', ' & s', 'gmbh']) {
        expect((await list(shared, tenantId, { nameContains: part }, 10)).totalCount).toBe(1);
      }
      expect((await list(shared, tenantId, { nameContains: 'arger' }, 10)).totalCount).toBe(0);
    });

    it('takes %, _, !, quotes and backslashes in a name for what they are', async () => {
      const names = ['100% sure', '100x sure', 'a_b', 'axb', 'wow!', "O'Brien", 'back\\slash', '%', '_'];
      const { tenantId } = await storeConnection(shared.database, { name: 'plain' });
      await shared.database.transaction(async ({ connections }) => {
        for (const name of names) await connections.insert(aConnection(tenantId, { name }));
      });

      for (const part of ['100%', 'a_b', '!', "'", '\\', '%', '_']) {
        const { items } = await list(shared, tenantId, { nameContains: part }, 100);
        expect(items.map(({ name }) => name).sort()).toEqual(names.filter((name) => name.includes(part)).sort());
      }
    });
  });
}

function find({ database }: SharedStorage, { tenantId, id }: Connection): Promise<Connection | undefined> {
  return database.read(({ connections }) => connections.find(tenantId, id));
}

function list(
  { database }: SharedStorage,
  tenantId: Connection['tenantId'],
  filter: ConnectionFilter,
  first: number,
  after?: ListPosition,
) {
  return database.read(({ connections }) => connections.list(tenantId, filter, first, after));
}

async function walk(shared: SharedStorage, tenantId: Connection['tenantId'], pageSize: number): Promise<Connection[]> {
  const walked: Connection[] = [];
  for (let hasMore = true; hasMore; ) {
    const page = await list(shared, tenantId, {}, pageSize, walked.at(-1));
    walked.push(...page.items);
    hasMore = page.hasMore;
  }
  return walked;
}
