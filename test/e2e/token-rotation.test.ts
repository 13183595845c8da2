import { systemClock } from '../../src/shared/clock';
import { type Simulator, startSimulator } from '../../src/simulator/simulator';
import { pairsGiven } from '../support/grant-services';
import { MovedClock } from '../support/moved-clock';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';

const HOUR = 60 * 60_000;
const EXCHANGE = '/api/oauth.v2.access';

interface TokenAnswer {
  readonly status: string;
  readonly refreshable: boolean;
  readonly expiresAt: string | null;
  readonly refreshedAt: string | null;
  readonly hint: string;
}

describe('a token that rotates', () => {
  const clock = new MovedClock();
  const slackClock = new MovedClock();
  let simulator: Simulator;
  let app: TestApp;
  let tenant: TenantClient;
  let id: string;

  beforeAll(async () => {
    simulator = await startSimulator({ seed: 'rotating', clock: slackClock, switches: { limitsEnabled: false } });
    app = await startTestApp({ simulator, clock });
  });
  beforeEach(async () => {
    simulator.reset();
    tenant = await TenantClient.create(app);
    ({ id } = await tenant.connect());
  });
  // What is left would be refreshed at the next start.
  afterEach(() => tenant.deleteConnection(id));
  afterAll(async () => {
    await app?.stop();
    await simulator?.stop();
  });

  function pass(ms: number): void {
    clock.advance(ms);
    slackClock.advance(ms);
  }

  const ask = (name: 'refreshToken' | 'enableTokenRotation') => tenant.change(name, { id });

  async function rotate(): Promise<void> {
    expect((await ask('enableTokenRotation')).problems).toEqual([]);
    pass(61_000);
  }

  async function readToken(): Promise<TokenAnswer> {
    const query =
      'query ($id: ID!) { connection(id: $id) { token { status refreshable expiresAt refreshedAt hint } } }';
    const { data } = await tenant.call<{ connection: { token: TokenAnswer } }>(query, { id });
    if (!data) throw new Error('The token was not shown');
    return data.connection.token;
  }

  const peopleAreRead = async () => expect((await tenant.readUsers(id)).errors).toBeUndefined();

  async function exchangesOf(work: () => Promise<unknown>): Promise<number> {
    const before = pairsGiven(simulator);
    await work();
    return pairsGiven(simulator) - before;
  }

  it('comes of a token without end by enableTokenRotation, which does it once', async () => {
    expect(await readToken()).toMatchObject({ refreshable: false, expiresAt: null });

    await rotate();

    expect(await readToken()).toMatchObject({
      status: 'ACTIVE',
      refreshable: true,
      hint: expect.stringMatching(/^xoxe\.xoxp-/),
    });
    expect(await exchangesOf(() => ask('enableTokenRotation'))).toBe(0);
    await peopleAreRead();
    // Slack ends the token that was pasted with the first refresh.
    expect((await ask('refreshToken')).problems).toEqual([]);
    const pasted = await tenant.createConnection('business-admin');
    expect(pasted.problems).toMatchObject([{ code: 'TOKEN_REVOKED' }]);
    await peopleAreRead();
  });

  it('cannot be had where Slack does not rotate the tokens of the app', async () => {
    simulator.switches.tokenRotation = false;

    const { connection, problems } = await ask('enableTokenRotation');

    expect(connection).toBeNull();
    expect(problems).toMatchObject([{ code: 'INVALID_INPUT', remedy: expect.stringMatching(/\w/) }]);
    await peopleAreRead();
  });

  it('is refreshed by refreshToken, though not again within a minute, and not when there is nothing to refresh', async () => {
    const refused = await ask('refreshToken');
    expect(refused.problems).toMatchObject([
      { code: 'CONNECTION_NOT_READY', remedy: expect.stringMatching(/enableTokenRotation/) },
    ]);
    await rotate();

    const { refreshedAt } = await readToken();
    expect(await exchangesOf(() => ask('refreshToken'))).toBe(1);
    const refreshed = await readToken();
    expect(Date.parse(refreshed.refreshedAt ?? '')).toBeGreaterThan(Date.parse(refreshedAt ?? ''));
    expect(await exchangesOf(() => ask('refreshToken'))).toBe(0);

    await tenant.change('pauseConnection', { id });
    expect((await ask('refreshToken')).problems).toMatchObject([{ code: 'CONNECTION_NOT_READY' }]);
  });

  it('is refreshed on demand by the first of the calls that need it', async () => {
    await rotate();
    pass(13 * HOUR);

    const exchanges = await exchangesOf(async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => tenant.readUsers(id)));
      expect(answers.flatMap(({ errors }) => errors ?? [])).toEqual([]);
    });

    expect(exchanges).toBe(1);
  });

  it('is refreshed in the background before it ends, also right after a start', async () => {
    await rotate();
    const { refreshedAt } = await readToken();
    pass(11 * HOUR);

    expect(await exchangesOf(() => app.restart())).toBeLessThanOrEqual(1);

    while ((await readToken()).refreshedAt === refreshedAt) await systemClock.sleep(20);
    expect(await exchangesOf(peopleAreRead)).toBe(0);
  });

  it('that Slack calls expired before its time is refreshed once, and the call is made again', async () => {
    await rotate();
    clock.advance(HOUR);
    slackClock.advance(12 * HOUR);
    const user = { email: 'late@example.com' };

    const exchanges = await exchangesOf(async () => {
      const written = await tenant.changeUser('provisionUser', { connectionId: id, user });
      expect(written).toMatchObject({ outcome: 'CREATED', problems: [] });
    });

    expect(exchanges).toBe(1);
    clock.advance(11 * HOUR);
  });

  it('whose new pair was lost beyond the grace period needs a person, says why, and works with another token', async () => {
    await rotate();
    pass(13 * HOUR);
    simulator.faults.add({ kind: 'resetAfter', match: { path: EXCHANGE }, times: 2 });
    const lost = await tenant.readUsers(id);
    expect(lost.errors?.[0]?.extensions).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect((await tenant.read(id))?.status).toBe('DEGRADED');

    pass(120_000);
    const refused = await tenant.readUsers(id);

    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'REAUTHORIZATION_REQUIRED' });
    const checked = await tenant.change('verifyConnection', { id });
    expect(checked.connection?.status).toBe('REAUTHORIZATION_REQUIRED');
    expect(checked.problems).toMatchObject([
      { code: 'REAUTHORIZATION_REQUIRED', detail: expect.stringMatching(/invalid_refresh_token.*was not finished/) },
    ]);
    const blocking = checked.connection?.issues.filter(({ code }) => code !== 'UPSTREAM_UNAVAILABLE');
    expect(blocking).toMatchObject([{ code: 'REAUTHORIZATION_REQUIRED', resolvedAt: null }]);
    expect((await readToken()).refreshable).toBe(false);
    const repaired = await tenant.change('replaceToken', { id, token: tenant.tokenOf('business-owner') });
    expect(repaired).toMatchObject({ problems: [], connection: { status: 'ACTIVE' } });
    await peopleAreRead();
  });

  it('is ended at Slack together with its refresh token by a disconnect', async () => {
    await rotate();
    const living = () =>
      [...simulator.world.oauth.refreshTokens.values()].filter(({ endsAt }) => endsAt === null).length;
    expect(living()).toBe(1);

    expect((await tenant.change('disconnect', { id })).problems).toEqual([]);

    expect(living()).toBe(0);
    const revoked = simulator.requests.filter(({ path }) => path === '/api/auth.revoke');
    expect(revoked).toHaveLength(2);
    expect((await readToken()).status).toBe('REVOKED');
  });
});
