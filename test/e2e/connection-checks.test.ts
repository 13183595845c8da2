import { type Simulator, startSimulator } from '../../src/simulator/simulator';
import type { TokenName } from '../../src/simulator/world/token';
import { FastClock } from '../support/fast-clock';
import type { ConnectionAnswer } from '../support/operations';
import { querySqlite } from '../support/sqlite-file';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';

const HOUR_MS = 3_600_000;
/** The longest wait until a connection that works, is degraded, or needs a person, is looked at. */
const longest = { working: 1.2 * HOUR_MS, degraded: 0.1 * HOUR_MS, broken: 28.8 * HOUR_MS };
/** More than the time between two looks for what is due. */
const ONE_LOOK_MS = 75_000;

/** Runs as fast as real time until a test moves it, for the gateway and its Slack alike. */
const clock = new FastClock(1);
let simulator: Simulator;
let app: TestApp;
let tenant: TenantClient;
beforeAll(async () => {
  simulator = await startSimulator({ seed: 'checks', clock, switches: { limitsEnabled: false } });
  app = await startTestApp({ simulator, clock, env: { ROLLCALL_CHECK_EVERY_MINUTES: '60' } });
});
beforeEach(async () => {
  simulator.reset();
  await simulator.setEventsUrl(`${app.url}/slack/events`);
  tenant = await TenantClient.create(app);
});
afterAll(async () => {
  await app?.stop();
  await simulator?.stop();
});

function grantOf(name: TokenName) {
  const grant = simulator.world.grants.get(name);
  if (!grant) throw new Error(`There is no grant ${name}`);
  return grant;
}

const business = () => simulator.world.organization('business');

function installer() {
  const person = business().people.get(grantOf('business-admin').personId);
  if (!person) throw new Error('There is no installer');
  return person;
}

/** Lets time pass, and looks, until the connection is as expected. Nothing but reads goes to the gateway meanwhile. */
async function becomes(
  id: string,
  holds: (connection: ConnectionAnswer) => boolean,
  ms = 0,
): Promise<ConnectionAnswer> {
  if (ms > 0) clock.advance(ms);
  for (let turn = 0; turn < 200; turn += 1) {
    const connection = await tenant.read(id);
    if (connection && holds(connection)) return connection;
    await new Promise((resolve) => setTimeout(resolve, 25));
    // A look that was under way when time was moved did not see it, and may have set the next one by the moved clock.
    if (turn % 20 === 19) clock.advance(turn === 99 ? ms + ONE_LOOK_MS : ONE_LOOK_MS);
  }
  throw new Error(`The connection has not become what it should: ${JSON.stringify(await tenant.read(id))}`);
}

const openCodes = ({ issues }: ConnectionAnswer) =>
  issues.filter(({ resolvedAt }) => resolvedAt === null).map(({ code }) => code);

interface Cause {
  readonly what: string;
  readonly code: string;
  readonly remedy: RegExp;
  harm(): void;
  /** What somebody does about it in Slack. */
  repair(): void;
  /** Whether it takes another token as well. */
  readonly needsToken?: true;
  readonly status?: 'DEGRADED';
}

const fail = (error: string) =>
  simulator.faults.add({ kind: 'slackError', error, match: { path: '/api/auth.test' }, times: 'always' });

const causes: Cause[] = [
  {
    what: 'its installer is demoted',
    code: 'INSTALLER_LOST_RIGHTS',
    remedy: /Admin or Owner/,
    harm: () => business().setRank(installer(), 'member'),
    repair: () => business().setRank(installer(), 'admin'),
  },
  {
    what: 'its installer is deactivated',
    code: 'INSTALLER_LOST_RIGHTS',
    remedy: /Admin or Owner/,
    harm: () => business().deactivate(installer(), clock.now(), 0),
    repair: () => business().reactivate(installer()),
  },
  {
    what: 'its grant is taken back',
    code: 'TOKEN_REVOKED',
    remedy: /[Ii]nstall the app/,
    harm: () => simulator.revokeGrants(installer().id),
    repair: () => simulator.reset(),
    needsToken: true,
  },
  {
    what: 'the app is removed',
    code: 'APP_UNINSTALLED',
    remedy: /[Ii]nstall the app/,
    harm: () => simulator.uninstallApp(business().id),
    repair: () => simulator.reset(),
    needsToken: true,
  },
  {
    what: 'the plan is lowered',
    code: 'PLAN_TOO_LOW',
    remedy: /Business\+/,
    harm: () => {
      business().plan = 'pro';
    },
    repair: () => {
      business().plan = 'business';
    },
  },
  {
    what: 'a scope is taken away',
    code: 'MISSING_SCOPES',
    remedy: /scopes/,
    harm: () => {
      grantOf('business-admin').scopes = ['identify'];
    },
    repair: () => {
      grantOf('business-admin').scopes = ['identify', 'admin'];
    },
  },
  {
    what: 'its token expires',
    code: 'TOKEN_EXPIRED',
    remedy: /[Ii]nstall the app/,
    harm: () => {
      grantOf('business-admin').expiresAt = clock.now() - 1;
    },
    repair: () => {
      grantOf('business-admin').expiresAt = null;
    },
  },
  {
    what: 'Slack lets the gateway in no more, as a team with a list of networks',
    code: 'IP_NOT_ALLOWED',
    remedy: /Allowed IP Address Ranges/,
    harm: () => fail('access_denied'),
    repair: () => simulator.faults.clear(),
    status: 'DEGRADED',
  },
  {
    what: 'Slack does not know the token, as an app with a list of addresses says of a stranger',
    code: 'INVALID_TOKEN',
    remedy: /Allowed IP Address Ranges/,
    harm: () => fail('invalid_auth'),
    repair: () => simulator.faults.clear(),
  },
  {
    what: 'Slack is down',
    code: 'UPSTREAM_UNAVAILABLE',
    remedy: /recovers when Slack does/,
    harm: () =>
      simulator.faults.add({ kind: 'status', status: 503, match: { path: '/api/auth.test' }, times: 'always' }),
    repair: () => simulator.faults.clear(),
    status: 'DEGRADED',
  },
];

describe('a connection that nobody uses', () => {
  it.each(causes)('says what is wrong and what to do when $what, and when it is over', async (cause) => {
    const { code, status = 'REAUTHORIZATION_REQUIRED' } = cause;
    const { id } = await tenant.connect();

    cause.harm();
    // Status and issues are read one after the other, so both have to be there.
    const isHarmed = (connection: ConnectionAnswer) =>
      connection.status === status && openCodes(connection).includes(code);
    const harmed = await becomes(id, isHarmed, longest.working);
    expect(harmed.issues.at(-1)).toMatchObject({ code, remedy: expect.stringMatching(cause.remedy) });
    expect(openCodes(harmed)).toEqual([code]);

    cause.repair();
    if (cause.needsToken) await tenant.change('replaceToken', { id, token: tenant.tokenOf('business-owner') });
    const waitMs = status === 'DEGRADED' ? longest.degraded : longest.broken;
    const repaired = await becomes(
      id,
      (connection) => connection.status === 'ACTIVE' && openCodes(connection).length === 0,
      cause.needsToken ? 0 : waitMs,
    );
    expect(openCodes(repaired)).toEqual([]);
    expect(repaired.issues.at(-1)).toMatchObject({ code, resolvedAt: expect.any(String) });
    await tenant.deleteConnection(id);
  });

  it('keeps the history of everything that was wrong with it, over reinstalls too', async () => {
    const { id } = await tenant.connect();
    const has = (code: string) => (connection: ConnectionAnswer) => openCodes(connection).includes(code);

    business().plan = 'pro';
    await becomes(id, has('PLAN_TOO_LOW'), longest.working);
    business().plan = 'business';
    business().setRank(installer(), 'member');
    await becomes(id, has('INSTALLER_LOST_RIGHTS'), longest.broken);
    simulator.uninstallApp(business().id);
    await becomes(id, has('APP_UNINSTALLED'));
    simulator.reset();
    await tenant.change('replaceToken', { id, token: tenant.tokenOf('business-admin') });
    business().plan = 'pro';
    const again = await becomes(id, has('PLAN_TOO_LOW'), longest.working);

    const history = again.issues.map(({ code, resolvedAt }) => [code, resolvedAt !== null]);
    expect(history.at(0)).toEqual(['PLAN_TOO_LOW', true]);
    expect(history.at(1)).toEqual(['INSTALLER_LOST_RIGHTS', true]);
    expect(history.slice(-2)).toEqual([
      ['APP_UNINSTALLED', true],
      ['PLAN_TOO_LOW', false],
    ]);
    await tenant.deleteConnection(id);
  });

  it('is asked about no more often than it takes, nor while it is paused or disconnected', async () => {
    const made = [await tenant.connect(), await tenant.connect('enterprise-owner')].map(({ id }) => id);
    const [watched = '', paused = ''] = made;
    await tenant.change('pauseConnection', { id: paused });
    const before = simulator.requests.length;
    clock.advance(0.75 * HOUR_MS);
    await settled();
    expect(simulator.requests).toHaveLength(before);

    clock.advance(longest.working);
    await becomes(watched, () => simulator.requests.length > before);
    await settled();
    const asked = simulator.requests.slice(before).map(({ tokenName }) => tokenName);
    expect(new Set(asked)).toEqual(new Set(['business-admin']));

    const [row] = await querySqlite(app, 'SELECT next_check_at AS at FROM connections WHERE id = ?', watched);
    const wait = Number(row?.at) - clock.now();
    expect(wait).toBeGreaterThan(0.7 * HOUR_MS);
    expect(wait).toBeLessThanOrEqual(1.2 * HOUR_MS);

    await tenant.change('disconnect', { id: watched, revokeToken: false });
    const after = simulator.requests.length;
    clock.advance(longest.broken);
    await settled();
    expect(simulator.requests).toHaveLength(after);
  });
});

/** Until the look for what is due that has just begun is over: the next connection that is due is in the future. */
async function settled(): Promise<void> {
  const sql =
    "SELECT count(*) AS due FROM connections WHERE lifecycle = 'OPEN' AND (next_check_at IS NULL OR next_check_at <= ?)";
  for (let turn = 0; turn < 200; turn += 1) {
    const [row] = await querySqlite(app, sql, clock.now());
    if (Number(row?.due) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
    if (turn % 20 === 19) clock.advance(ONE_LOOK_MS);
  }
  throw new Error('Something stays due');
}
