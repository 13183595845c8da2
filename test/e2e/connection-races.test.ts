import { type Simulator, startSimulator } from '../../src/simulator/simulator';
import { type Gate, startGate } from '../support/gate';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';

let simulator: Simulator;
let gate: Gate;
let app: TestApp;
let tenant: TenantClient;
beforeAll(async () => {
  simulator = await startSimulator({ seed: 'races', switches: { limitsEnabled: false } });
  gate = await startGate(simulator.url);
  const env = { ROLLCALL_SLACK_WEB_URL: gate.url, ROLLCALL_SLACK_SCIM_URL: gate.url };
  app = await startTestApp({ simulator, env });
});
beforeEach(async () => {
  simulator.reset();
  tenant = await TenantClient.create(app);
});
afterAll(async () => {
  await app?.stop();
  await gate?.stop();
  await simulator?.stop();
});

/** Through the gate, which stands where Slack itself would. */
async function connect(): Promise<string> {
  const { connection } = await tenant.createConnection('business-admin', { environment: 'LIVE' });
  if (!connection) throw new Error('Not connected');
  return connection.id;
}

function revoke(token: 'business-admin'): void {
  const grant = simulator.world.grants.get(token);
  if (grant) grant.isRevoked = true;
}

const replaceWithOwner = (id: string) => tenant.change('replaceToken', { id, token: tenant.tokenOf('business-owner') });

describe('changes of one connection at the same time', () => {
  it('lose nothing: checks, a new name, a new externalId and a pause', async () => {
    const id = await connect();

    const answers = await Promise.all([
      tenant.change('verifyConnection', { id }),
      tenant.change('updateConnection', { id, name: 'Renamed' }),
      tenant.change('pauseConnection', { id }),
      tenant.change('updateConnection', { id, externalId: 'customer-1' }),
      tenant.change('verifyConnection', { id }),
    ]);

    expect(answers.flatMap(({ problems }) => problems)).toEqual([]);
    expect(await tenant.read(id)).toMatchObject({ name: 'Renamed', externalId: 'customer-1', status: 'PAUSED' });
  });

  it('do not take back a pause or a name that came during a check', async () => {
    const id = await connect();
    const held = gate.hold(/auth\.test/);
    const check = tenant.change('verifyConnection', { id });
    await held.arrived;
    await tenant.change('pauseConnection', { id });
    await tenant.change('updateConnection', { id, name: 'Renamed' });
    held.release();

    expect((await check).problems).toEqual([]);
    expect(await tenant.read(id)).toMatchObject({ name: 'Renamed', status: 'PAUSED' });
  });

  it('do not blame a new token for what a check found about the old one', async () => {
    const id = await connect();
    revoke('business-admin');
    const held = gate.hold(/auth\.test/);
    const check = tenant.change('verifyConnection', { id });
    await held.arrived;
    expect((await replaceWithOwner(id)).problems).toEqual([]);
    held.release();

    expect((await check).problems).toMatchObject([{ code: 'CONFLICT', retryable: true }]);
    expect(await tenant.read(id)).toMatchObject({ status: 'ACTIVE', issues: [] });
    expect((await tenant.readUsers(id)).errors).toBeUndefined();
  });

  it('do not credit a new token with what a check found about the old one', async () => {
    const id = await connect();
    const held = gate.hold(/Users/);
    const check = tenant.change('verifyConnection', { id });
    await held.arrived;
    await replaceWithOwner(id);
    held.release();

    expect((await check).problems).toMatchObject([{ code: 'CONFLICT', retryable: true }]);
    expect((await tenant.read(id))?.installer?.displayName).toBe('petra.vogel');
    expect((await tenant.change('verifyConnection', { id })).problems).toEqual([]);
  });

  it('let a call that began with the old token go on with the new one', async () => {
    const id = await connect();
    const held = gate.hold(/Users/);
    const read = tenant.readUsers(id);
    await held.arrived;
    await replaceWithOwner(id);
    revoke('business-admin');
    held.release();

    const { data, errors } = await read;
    expect(errors).toBeUndefined();
    expect(data?.connection?.users.totalCount).toBeGreaterThan(0);
    expect(await tenant.read(id)).toMatchObject({ status: 'ACTIVE', issues: [] });
  });

  it('do not open an issue for a token that was replaced while its failure was looked into', async () => {
    const id = await connect();
    revoke('business-admin');
    const held = gate.hold(/auth\.test/);
    const read = tenant.readUsers(id);
    await held.arrived;
    await replaceWithOwner(id);
    held.release();

    expect((await read).errors).toHaveLength(1);
    expect(await tenant.read(id)).toMatchObject({ status: 'ACTIVE', issues: [] });
  });

  it('do not erase a new token when the old one was being ended', async () => {
    const id = await connect();
    const held = gate.hold(/auth\.revoke/);
    const end = tenant.change('disconnect', { id });
    await held.arrived;
    await replaceWithOwner(id);
    held.release();

    expect(await end).toMatchObject({ connection: null, problems: [{ code: 'CONFLICT', retryable: true }] });
    expect(await tenant.read(id)).toMatchObject({ status: 'ACTIVE', token: { status: 'ACTIVE' } });
    expect((await tenant.readUsers(id)).errors).toBeUndefined();
  });

  it('let no call leave after a pause, even one that was admitted before', async () => {
    const id = await connect();
    const held = gate.hold(/Users/);
    simulator.faults.add({ kind: 'status', status: 503, match: { path: '/scim/v2/Users' } });
    const read = tenant.readUsers(id);
    await held.arrived;
    await tenant.change('pauseConnection', { id });
    held.release();
    const answer = await read;
    const attempts = simulator.requests.filter(({ path }) => path === '/scim/v2/Users').length;

    expect(answer.errors?.[0]?.extensions.code).toBe('CONNECTION_NOT_READY');
    // The check at the creation, and the attempt that was under way.
    expect(attempts).toBe(2);
  });

  it('end in NOT_FOUND for a connection that was deleted during its check', async () => {
    const id = await connect();
    const held = gate.hold(/auth\.test/);
    const check = tenant.change('verifyConnection', { id });
    await held.arrived;
    await tenant.deleteConnection(id);
    held.release();

    expect(await check).toMatchObject({ connection: null, problems: [{ code: 'NOT_FOUND' }] });
  });

  it('save nothing of a connection whose creation is still being checked', async () => {
    const held = gate.hold(/auth\.test/);
    const creation = tenant.createConnection('business-admin', { environment: 'LIVE' });
    await held.arrived;

    expect(await tenant.countConnections()).toBe(0);
    held.release();
    expect((await creation).connection?.status).toBe('ACTIVE');
  });
});
