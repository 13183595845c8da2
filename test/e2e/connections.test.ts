import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';

let app: TestApp;
let tenant: TenantClient;
beforeAll(async () => {
  app = await startTestApp();
});
beforeEach(async () => {
  app.simulator.reset();
  tenant = await TenantClient.create(app);
});
afterAll(() => app?.stop());

/** Paths that the gateway asked the simulator for, oldest first. */
const askedPaths = () => app.simulator.requests.map(({ path }) => path);

describe('updateConnection', () => {
  it('keeps what is absent, changes what is given, and clears the externalId with null', async () => {
    const { connection } = await tenant.createConnection('business-admin', { externalId: 'customer-1' });
    const id = connection?.id;

    expect((await tenant.change('updateConnection', { id, name: ' Renamed ' })).connection).toMatchObject({
      name: 'Renamed',
      externalId: 'customer-1',
    });
    expect((await tenant.change('updateConnection', { id, externalId: 'customer-2' })).connection).toMatchObject({
      name: 'Renamed',
      externalId: 'customer-2',
    });
    expect((await tenant.change('updateConnection', { id, externalId: null })).connection).toMatchObject({
      name: 'Renamed',
      externalId: null,
    });
  });

  it('refuses to clear the name and to take the externalId of another connection', async () => {
    await tenant.createConnection('enterprise-owner', { externalId: 'taken' });
    const { id } = await tenant.connect();

    expect(await tenant.change('updateConnection', { id, name: null })).toMatchObject({
      connection: null,
      problems: [{ code: 'INVALID_INPUT', path: ['input', 'name'] }],
    });
    expect(await tenant.change('updateConnection', { id, name: 'New', externalId: 'taken' })).toMatchObject({
      connection: null,
      problems: [{ code: 'CONFLICT', path: ['input', 'externalId'] }],
    });
    expect(await tenant.read(id)).toMatchObject({ name: 'Test', externalId: null });
  });
});

describe('verifyConnection', () => {
  it('asks Slack anew, also while the connection is paused, and leaves the pause alone', async () => {
    const { id } = await tenant.connect();
    await tenant.change('pauseConnection', { id });
    const before = app.simulator.requests.length;

    const { connection, problems } = await tenant.change('verifyConnection', { id });

    expect(problems).toEqual([]);
    expect(connection?.status).toBe('PAUSED');
    expect(askedPaths().slice(before)).toEqual(['/api/auth.test', '/scim/v2/Users']);
  });

  it('is refused for a disconnected connection, with the way back', async () => {
    const { id } = await tenant.connect();
    await tenant.change('disconnect', { id, revokeToken: false });

    expect((await tenant.change('verifyConnection', { id })).problems).toMatchObject([
      { code: 'CONNECTION_NOT_READY', remedy: expect.stringContaining('replaceToken') },
    ]);
  });
});

describe('replaceToken', () => {
  it('takes another token of the same team and shows the old one no more', async () => {
    const before = await tenant.connect();

    const { connection, problems } = await tenant.change('replaceToken', {
      id: before.id,
      token: tenant.tokenOf('business-owner'),
    });

    expect(problems).toEqual([]);
    expect(connection).toMatchObject({ id: before.id, status: 'ACTIVE', installer: { displayName: 'petra.vogel' } });
    expect(connection?.token?.id).not.toBe(before.token?.id);
    const status = 'query ($id: ID!) { node(id: $id) { ... on OAuthToken { status } } }';
    const old = await tenant.call(status, { id: before.token?.id });
    expect(old.data).toEqual({ node: { status: 'SUPERSEDED' } });
  });

  it.each([
    ['of another team', 'enterprise-owner', 'WRONG_WORKSPACE'],
    ['that cannot provision', 'business-scopeless', 'MISSING_SCOPES'],
    ['that is dead', 'revoked', 'TOKEN_REVOKED'],
  ])('refuses a token %s, and the old one stays in use', async (_, token, code) => {
    const before = await tenant.connect();

    const { connection, problems } = await tenant.change('replaceToken', {
      id: before.id,
      token: tenant.tokenOf(token),
    });

    expect(connection).toBeNull();
    expect(problems).toMatchObject([{ code, path: ['input', 'token'] }]);
    expect(await tenant.read(before.id)).toEqual(before);
    expect((await tenant.change('verifyConnection', { id: before.id })).problems).toEqual([]);
  });

  it('opens a disconnected connection again, under its old id', async () => {
    const { id } = await tenant.connect();
    await tenant.change('disconnect', { id });
    app.simulator.reset();

    const { connection } = await tenant.change('replaceToken', { id, token: tenant.tokenOf('business-admin') });
    expect(connection).toMatchObject({ id, status: 'ACTIVE', token: { status: 'ACTIVE' } });
  });

  it('does not open a disconnected connection when its team is connected anew elsewhere', async () => {
    const old = await tenant.connect();
    await tenant.change('disconnect', { id: old.id, revokeToken: false });
    const current = await tenant.connect();

    const { connection, problems } = await tenant.change('replaceToken', {
      id: old.id,
      token: tenant.tokenOf('business-owner'),
    });

    expect(connection).toBeNull();
    expect(problems).toMatchObject([{ code: 'DUPLICATE_CONNECTION', existingConnectionId: current.id }]);
    expect(await tenant.read(old.id)).toMatchObject({
      status: 'DISCONNECTED',
      token: { status: 'SUPERSEDED' },
    });
  });

  it('keeps a pause', async () => {
    const { id } = await tenant.connect();
    await tenant.change('pauseConnection', { id });

    const { connection } = await tenant.change('replaceToken', { id, token: tenant.tokenOf('business-owner') });
    expect(connection?.status).toBe('PAUSED');
  });
});

describe('pauseConnection and resumeConnection', () => {
  it('let no call leave while paused, and all again afterwards; repeating either changes nothing', async () => {
    const { id } = await tenant.connect();
    for (let turn = 0; turn < 2; turn += 1) {
      expect((await tenant.change('pauseConnection', { id })).connection?.status).toBe('PAUSED');
    }
    const before = app.simulator.requests.length;
    const users = 'query ($id: ID!) { connection(id: $id) { users(first: 1) { totalCount } } }';

    const paused = await tenant.call(users, { id });
    expect(paused.errors?.[0]?.extensions).toMatchObject({ code: 'CONNECTION_NOT_READY' });
    expect(app.simulator.requests).toHaveLength(before);

    for (let turn = 0; turn < 2; turn += 1) {
      expect((await tenant.change('resumeConnection', { id })).connection?.status).toBe('ACTIVE');
    }
    expect((await tenant.call(users, { id })).errors).toBeUndefined();
  });

  it.each(['pauseConnection', 'resumeConnection'])('%s is refused once disconnected', async (name) => {
    const { id } = await tenant.connect();
    await tenant.change('disconnect', { id, revokeToken: false });

    expect(await tenant.change(name, { id })).toMatchObject({
      connection: null,
      problems: [{ code: 'CONNECTION_NOT_READY' }],
    });
    expect((await tenant.read(id))?.status).toBe('DISCONNECTED');
  });
});

describe('disconnect', () => {
  it('ends the token at Slack unless told otherwise', async () => {
    const { id } = await tenant.connect();

    const { connection, problems } = await tenant.change('disconnect', { id });

    expect(problems).toEqual([]);
    expect(connection).toMatchObject({ status: 'DISCONNECTED', token: { status: 'REVOKED' } });
    expect(app.simulator.world.grants.get('business-admin')?.isRevoked).toBe(true);
  });

  it('only forgets the token here when told so', async () => {
    const { id } = await tenant.connect();

    const { connection } = await tenant.change('disconnect', { id, revokeToken: false });

    expect(connection).toMatchObject({ status: 'DISCONNECTED', token: { status: 'SUPERSEDED' } });
    expect(app.simulator.world.grants.get('business-admin')?.isRevoked).toBe(false);
    expect(askedPaths()).not.toContain('/api/auth.revoke');
  });

  it('keeps the token when Slack could not be told to end it, so that it can be tried again', async () => {
    const { id } = await tenant.connect();
    app.simulator.faults.add({ kind: 'status', status: 503, match: { path: '/api/auth.revoke' }, times: 'always' });

    expect(await tenant.change('disconnect', { id })).toMatchObject({
      connection: null,
      problems: [{ code: 'UPSTREAM_UNAVAILABLE', retryable: true }],
    });
    app.simulator.faults.clear();
    expect((await tenant.change('disconnect', { id })).connection).toMatchObject({
      status: 'DISCONNECTED',
      token: { status: 'REVOKED' },
    });
  });

  it('counts a token that is dead already as ended, and a second time changes nothing', async () => {
    const { id } = await tenant.connect();
    const grant = app.simulator.world.grants.get('business-admin');
    if (grant) grant.isRevoked = true;

    expect((await tenant.change('disconnect', { id })).connection?.status).toBe('DISCONNECTED');
    const requests = app.simulator.requests.length;
    expect(await tenant.change('disconnect', { id })).toMatchObject({
      connection: { status: 'DISCONNECTED' },
      problems: [],
    });
    expect(app.simulator.requests).toHaveLength(requests);
  });

  it('frees the team for a new connection', async () => {
    const { id } = await tenant.connect();
    await tenant.change('disconnect', { id, revokeToken: false });

    const again = await tenant.connect();
    expect(again.id).not.toBe(id);
    expect(await tenant.countConnections()).toBe(2);
  });
});

describe('deleteConnection', () => {
  it('removes the connection with its token and history, once', async () => {
    const { id, token } = await tenant.connect();

    expect(await tenant.deleteConnection(id)).toMatchObject({ deletedId: id, problems: [] });
    expect(await tenant.read(id)).toBeNull();
    const node = await tenant.call('query ($id: ID!) { node(id: $id) { id } }', { id: token?.id });
    expect(node.data).toEqual({ node: null });
    expect(await tenant.deleteConnection(id)).toMatchObject({ deletedId: null, problems: [{ code: 'NOT_FOUND' }] });
    expect(app.simulator.world.grants.get('business-admin')?.isRevoked).toBe(false);
  });
});
