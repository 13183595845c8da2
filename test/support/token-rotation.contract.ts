import type { AccessToken, Connection } from '../../src/domain/connections/connection';
import type { NewAccessToken } from '../../src/domain/ports';
import type { SharedStorage } from './shared-storage';
import { aConnection, aRefreshedPair, aSecret, aTenant, aToken, later, storeConnection } from './storage-records';

export function tokenRotationContract(shared: SharedStorage): void {
  /** A connection with a token that rotates. */
  const storeRotating = async (
    fields: { connection?: Partial<Connection>; token?: Partial<NewAccessToken> } = {},
  ): Promise<{ connection: Connection; token: AccessToken }> => {
    const connection = await storeConnection(shared.database, fields.connection);
    const token = await shared.database.transaction(({ tokens }) =>
      tokens.insert(aToken(connection, fields.token), aSecret(), aSecret()),
    );
    return { connection, token };
  };
  const save = ({ tenantId }: { tenantId: Connection['tenantId'] }, token: AccessToken, pair = aRefreshedPair()) =>
    shared.database.transaction(({ tokens }) => tokens.saveRefreshed(tenantId, token, pair));
  const read = ({ tenantId }: Connection, { id }: AccessToken) =>
    shared.database.read(async ({ tokens }) => ({
      token: await tokens.find(tenantId, id),
      secret: (await tokens.open(id))?.reveal(),
      refreshToken: (await tokens.openRefreshToken(id))?.reveal(),
    }));

  describe('tokens that rotate', () => {
    it('are opened with both secrets, and know the app that they were granted to', async () => {
      const connection = await storeConnection(shared.database);
      const [secret, refreshToken] = [aSecret(), aSecret()];
      const token = await shared.database.transaction(({ tokens }) =>
        tokens.insert(aToken(connection, { appSlackId: 'A1' }), secret, refreshToken),
      );

      expect(token).toMatchObject({ refreshable: true, generation: 1, appSlackId: 'A1' });
      expect(await read(connection, token)).toEqual({
        token,
        secret: secret.reveal(),
        refreshToken: refreshToken.reveal(),
      });
    });

    it('keep their row when they are refreshed, with a new value of the next generation', async () => {
      const { connection, token } = await storeRotating({ token: { appSlackId: 'A1', expiresAt: later(1) } });
      const pair = aRefreshedPair();
      await shared.database.transaction(({ tokens }) => tokens.beginRefresh(token.id, 1, later(1)));
      expect((await read(connection, token)).token?.refreshStartedAt).toEqual(later(1));

      expect(await save(connection, token, pair)).toBe(true);

      const { secret, refreshToken, ...known } = pair;
      expect(await read(connection, token)).toEqual({
        token: {
          ...token,
          ...known,
          generation: 2,
          fingerprint: shared.storage.fingerprints.of(connection.tenantId, secret),
          refreshStartedAt: undefined,
        },
        secret: secret.reveal(),
        refreshToken: refreshToken.reveal(),
      });
    });

    it('take nothing of a refresh of an older value, for another tenant, or after their end', async () => {
      const { connection, token } = await storeRotating();
      const { connection: other } = await storeRotating();
      const current = aRefreshedPair();
      await save(connection, token, current);

      expect(await save(connection, token)).toBe(false);
      expect(await save(other, { ...token, generation: 2 })).toBe(false);
      expect(await shared.database.transaction(({ tokens }) => tokens.beginRefresh(token.id, 1, later(1)))).toBe(false);
      await shared.database.transaction(({ tokens }) => tokens.dropRefreshToken(token.id, 1));
      const { token: left, ...secrets } = await read(connection, token);
      expect(left).toMatchObject({ generation: 2, refreshable: true, refreshStartedAt: undefined });
      expect(secrets).toEqual({ secret: current.secret.reveal(), refreshToken: current.refreshToken.reveal() });

      await shared.database.transaction(({ tokens }) => tokens.retire(token.id, 'SUPERSEDED'));
      expect(await save(connection, { ...token, generation: 2 })).toBe(false);
      expect(await shared.database.transaction(({ tokens }) => tokens.beginRefresh(token.id, 2, later(1)))).toBe(false);
    });

    it('take one of 10 refreshes of the same value at once', async () => {
      const { connection, token } = await storeRotating();
      const pairs = Array.from({ length: 10 }, () => aRefreshedPair());

      const outcomes = await Promise.all(pairs.map((pair) => save(connection, token, pair)));

      expect(outcomes.filter(Boolean)).toHaveLength(1);
      const { token: stored, secret } = await read(connection, token);
      expect(secret).toBe(pairs[outcomes.indexOf(true)]?.secret.reveal());
      expect(stored?.generation).toBe(2);
    });

    it('lose the refresh token alone when Slack does not take it any more, and both at their end', async () => {
      const { connection, token } = await storeRotating();
      await shared.database.transaction(async ({ tokens }) => {
        await tokens.beginRefresh(token.id, 1, later(1));
        await tokens.dropRefreshToken(token.id, 1);
      });
      const dropped = await read(connection, token);
      expect(dropped).toMatchObject({ token: { status: 'ACTIVE', refreshable: false }, refreshToken: undefined });
      expect(dropped.secret).toBeDefined();

      const ended = await storeRotating();
      await shared.database.transaction(({ tokens }) => tokens.retire(ended.token.id, 'REVOKED'));
      expect(await read(ended.connection, ended.token)).toEqual({
        token: { ...ended.token, status: 'REVOKED', refreshable: false },
        secret: undefined,
        refreshToken: undefined,
      });
    });

    it('come due with the unfinished ones first and then the soonest, unless the connection rests', async () => {
      const atOnce = { token: { expiresAt: new Date(1_000) } };
      const [late, soon] = [
        await storeRotating({ token: { expiresAt: new Date(2_000) } }),
        await storeRotating(atOnce),
      ];
      const [unfinished, fresh] = [
        await storeRotating({ token: { expiresAt: later(9) } }),
        await storeRotating({ token: { expiresAt: new Date(3_000) } }),
      ];
      const resting = [
        await storeRotating({ ...atOnce, connection: { lifecycle: 'PAUSED', status: 'PAUSED' } }),
        await storeRotating({ ...atOnce, connection: { lifecycle: 'DISCONNECTED', status: 'DISCONNECTED' } }),
        await storeRotating({ ...atOnce, connection: { status: 'REAUTHORIZATION_REQUIRED' } }),
      ];
      const lasting = await storeRotating(atOnce);
      const ended = await storeRotating(atOnce);
      await shared.database.transaction(async ({ tokens }) => {
        await tokens.beginRefresh(unfinished.token.id, 1, new Date(500));
        await tokens.dropRefreshToken(lasting.token.id, 1);
        await tokens.retire(ended.token.id, 'EXPIRED');
      });
      const all = [late, soon, unfinished, fresh, ...resting, lasting, ended];
      const due = async (limit: number) => {
        const listed = await shared.database.read(({ tokens }) => tokens.listDueForRefresh(new Date(3_000), limit));
        return listed.filter(({ token }) => all.some(({ token: { id } }) => id === token.id));
      };

      expect((await due(1_000)).map(({ token }) => token.id)).toEqual([
        unfinished.token.id,
        soon.token.id,
        late.token.id,
      ]);
      expect((await due(1))[0]).toEqual({
        tenantId: unfinished.connection.tenantId,
        token: { ...unfinished.token, refreshStartedAt: new Date(500) },
      });
    });

    it('share a grant with those of the same installer on the same team, of whatever tenant', async () => {
      const where = { environment: 'LIVE', teamKey: 'TSHARED', installer: { slackId: 'U1' } } as const;
      const one = await storeRotating({ connection: where });
      const grant = { environment: 'LIVE', teamKey: 'TSHARED', installerSlackId: 'U1' } as const;
      const isShared = (changes: object = {}) =>
        shared.database.read(({ tokens }) =>
          tokens.isSharedGrant({ ...grant, exceptConnectionId: one.connection.id, ...changes }),
        );
      expect(await isShared()).toBe(false);
      expect(await isShared({ exceptConnectionId: undefined })).toBe(true);

      const other = await storeRotating({ connection: where });

      expect(await isShared()).toBe(true);
      expect(await isShared({ installerSlackId: 'U2' })).toBe(false);
      expect(await isShared({ teamKey: 'TOTHER' })).toBe(false);
      expect(await isShared({ environment: 'GOV' })).toBe(false);
      await shared.database.transaction(({ tokens }) => tokens.retire(other.token.id, 'REVOKED'));
      expect(await isShared()).toBe(false);
    });
  });

  describe('tokens that have ended', () => {
    it('are removed once nobody has heard of them for long, but for the newest of each connection', async () => {
      const tenant = aTenant();
      const [one, two] = [aConnection(tenant.id), aConnection(tenant.id)];
      const at = (ms: number) => ({ createdAt: new Date(ms) });
      const [oldest, used, young, active] = [100, 200, 1_000, 1_500].map((ms) => aToken(one, at(ms)));
      const last = aToken(two, at(100));
      if (!oldest || !used || !young || !active) throw new Error('four tokens');
      await shared.database.transaction(async ({ tenants, connections, tokens }) => {
        await tenants.insert(tenant);
        for (const connection of [one, two]) await connections.insert(connection);
        for (const token of [oldest, used, young, last]) {
          await tokens.insert(token, aSecret());
          await tokens.retire(token.id, 'SUPERSEDED');
        }
        await tokens.markUsed(used.id, new Date(1_000));
        await tokens.insert(active, aSecret());
      });

      const removed = await shared.database.transaction(({ tokens }) => tokens.deleteEndedBefore(new Date(1_000), 9));

      expect(removed).toBe(1);
      const left = await shared.database.read(async ({ tokens }) => {
        const found = [];
        for (const { id } of [oldest, used, young, active, last]) found.push((await tokens.find(tenant.id, id))?.id);
        return found;
      });
      expect(left).toEqual([undefined, used.id, young.id, active.id, last.id]);
    });
  });
}
