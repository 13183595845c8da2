import { RunningCalls } from '../../src/http/running-calls';
import { createHttpServer } from '../../src/http/server';
import { registerSlackEvents } from '../../src/http/slack-events.route';
import { type Clock, systemClock } from '../../src/shared/clock';
import { silentLogger } from '../../src/shared/logger';
import { Secret } from '../../src/shared/secret';
import { sendRaw } from '../support/raw-http';
import { eventOf, type SentEvent, sendSigned, signatureOf } from '../support/slack-events';
import { querySqlite } from '../support/sqlite-file';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';
import { until } from '../support/until';

const liveSecret = 'signing-secret-of-the-live-app';

let app: TestApp;
let tenant: TenantClient;
const connected: string[] = [];
beforeAll(async () => {
  app = await startTestApp();
});
beforeEach(async () => {
  app.simulator.reset();
  await app.simulator.setEventsUrl(`${app.url}/slack/events`);
  tenant = await TenantClient.create(app);
});
afterEach(async () => {
  // An event concerns every connection to its team.
  for (const id of connected.splice(0)) await new TenantClient(app, tenant.key).deleteConnection(id);
});
afterAll(() => app?.stop());

const team = () => app.simulator.world.organization('business').id;
const installer = () => grantOf('business-admin').personId;

function grantOf(name: string) {
  const grant = app.simulator.world.grants.get(name);
  if (!grant) throw new Error(`There is no grant ${name}`);
  return grant;
}

async function connect(token?: 'business-admin' | 'enterprise-owner'): Promise<string> {
  const { id } = await tenant.connect(token);
  connected.push(id);
  return id;
}

async function countStored(): Promise<number> {
  const [row] = await querySqlite(app, 'SELECT count(*) AS stored FROM slack_events');
  return Number(row?.stored);
}

interface Look {
  readonly eventId: string;
  readonly connections: number;
  readonly isDone: boolean;
}
const seenLooks: Look[] = [];
let readLines = 0;

/** Every look at an event so far, as the log tells. */
function looks(): readonly Look[] {
  for (const line of app.logs.slice(readLines)) {
    if (line.includes('looked into an event of Slack')) seenLooks.push(JSON.parse(line) as Look);
  }
  readLines = app.logs.length;
  return seenLooks;
}

const isHandled = (eventId: string) => looks().some((look) => look.eventId === eventId && look.isDone);

/** Sends an event of the business workspace and waits until all that comes of it has come. */
async function happen(inner: object, fields: object = {}, options?: SentEvent) {
  const event = eventOf(inner, { team_id: team(), api_app_id: app.simulator.app.appId, ...fields });
  const eventId = String(event.event_id);
  expect(await sendSigned(app, event, options)).toMatchObject({ status: 200, text: '' });
  await until(() => isHandled(eventId));
  return looks().filter((look) => look.eventId === eventId);
}

/** Waits until the events that the simulator sent by itself are handled. */
async function settle(): Promise<void> {
  await app.simulator.settleEvents();
  expect(app.simulator.events.map(({ status }) => status)).toEqual(app.simulator.events.map(() => 200));
  await until(() => app.simulator.events.every(({ eventId }) => isHandled(eventId)));
}

const revoked = (oauth: string[], bot: string[] = []) => ({ type: 'tokens_revoked', tokens: { oauth, bot } });
const callsOf = (path: string) => app.simulator.requests.filter((request) => request.path === path).length;

async function stateOf(id: string) {
  const connection = await tenant.read(id);
  const open = connection?.issues.filter(({ resolvedAt }) => resolvedAt === null).map(({ code }) => code);
  return { status: connection?.status, open };
}

const active = { status: 'ACTIVE', open: [] };
const broken = (code: string) => ({ status: 'REAUTHORIZATION_REQUIRED', open: [code] });

describe('a request that Slack did not sign, or not now', () => {
  const body = JSON.stringify(eventOf({ type: 'app_uninstalled' }, { team_id: 'T0WORK0001' }));
  const now = () => String(Math.floor(Date.now() / 1000));
  const own = () => signatureOf(app.simulator.app.signingSecret, now(), body);

  const forgeries: [what: string, options: () => SentEvent, text?: string][] = [
    ['with another secret', () => ({ secret: '0123456789abcdef0123456789abcdef' })],
    ['301 seconds old', () => ({ age: 301 })],
    ['301 seconds early', () => ({ age: -301 })],
    ['with one byte changed', () => ({ headers: { 'x-slack-signature': own() } }), body.replace('T0WORK', 'T0WARK')],
    ['with a space behind', () => ({ headers: { 'x-slack-signature': own() } }), `${body} `],
    ['with a signature that is short', () => ({ headers: { 'x-slack-signature': own().slice(0, -1) } })],
    ['with a signature that is long', () => ({ headers: { 'x-slack-signature': `${own()}0` } })],
    ['with a signature in capitals', () => ({ headers: { 'x-slack-signature': own().toUpperCase() } })],
    ['with a signature of another version', () => ({ headers: { 'x-slack-signature': own().replace('v0', 'v1') } })],
    ['with no signature', () => ({ headers: { 'x-slack-signature': [] } })],
    ['with no time', () => ({ headers: { 'x-slack-request-timestamp': [] } })],
    ['with two signatures', () => ({ headers: { 'x-slack-signature': [own(), own()] } })],
    ['with two times', () => ({ headers: { 'x-slack-request-timestamp': [now(), now()] } })],
    ['with a time that is none', () => ({ headers: { 'x-slack-request-timestamp': 'soon' } })],
    ['without a body', () => ({ headers: { 'x-slack-signature': own() } }), ''],
    ['as a form without a signature', () => ({ headers: { 'x-slack-signature': [] } }), 'ssl_check=1'],
    ['that is no JSON either', () => ({ secret: 'another' }), '{"type":'],
  ];

  it.each(forgeries)('is refused %s', async (_what, options, text = body) => {
    const stored = await countStored();

    expect(await sendSigned(app, text, options())).toMatchObject({ status: 401 });

    expect(await countStored()).toBe(stored);
  });
});

describe('a request that Slack signed', () => {
  it.each([0, 299, -299])('counts when it is %i seconds old, and once however often it comes', async (age) => {
    const id = await connect();
    const before = callsOf('/api/auth.test');
    const event = eventOf(revoked([installer()]), { team_id: team() });
    for (let time = 0; time < 3; time += 1)
      expect(await sendSigned(app, event, { age })).toMatchObject({ status: 200 });
    await until(() => isHandled(String(event.event_id)));
    await happen({ type: 'app_uninstalled' });

    expect(looks().filter(({ eventId }) => eventId === event.event_id)).toHaveLength(1);
    expect(callsOf('/api/auth.test')).toBe(before + 2);
    expect(await stateOf(id)).toEqual(active);
  });

  it('gives the challenge back as plain text', async () => {
    const answer = await sendSigned(app, { type: 'url_verification', challenge: 'c0ffee-challenge', token: 'old' });

    expect(answer).toMatchObject({ status: 200, text: 'c0ffee-challenge' });
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });

  it.each<[what: string, body: object | string, status: number]>([
    ['no JSON', '{"type":', 400],
    ['a list', '[]', 400],
    ['null', 'null', 400],
    ['nothing', '', 400],
    ['a challenge with markup', { type: 'url_verification', challenge: '<script>' }, 400],
    ['a challenge that is no text', { type: 'url_verification', challenge: { a: 1 } }, 400],
    ['more than 256 kB', ' '.repeat(256 * 1024 + 1), 413],
    ['an unknown type', { type: 'something_new', event_id: 'Ev1' }, 200],
    ['a note that there were too many events', { type: 'app_rate_limited', team_id: 'T1' }, 200],
    ['an event of no interest', eventOf({ type: 'message', text: 'hello' }, { team_id: 'T1' }), 200],
    ['an event without a type', eventOf({}, { team_id: 'T1' }), 200],
    ['an event that is no object', { ...eventOf({}), event: 'tokens_revoked', team_id: 'T1' }, 200],
    ['an event of no team', eventOf({ type: 'app_uninstalled' }, { team_id: null }), 200],
    ['an event without an id', { ...eventOf({ type: 'app_uninstalled' }, { team_id: 'T1' }), event_id: 7 }, 200],
    ['an event of another app', eventOf({ type: 'app_uninstalled' }, { team_id: 'T1', api_app_id: 'A0OTHER' }), 200],
  ])('with %s is answered and not kept', async (_what, body, status) => {
    const stored = await countStored();

    expect(await sendSigned(app, body)).toMatchObject({ status });

    expect(await countStored()).toBe(stored);
  });

  it('is read whatever its content type says', async () => {
    const event = eventOf({ type: 'app_uninstalled' }, { team_id: 'T0NOBODY01' });
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=x' };
    expect(await sendSigned(app, event, { headers })).toMatchObject({ status: 200 });
    await until(() => isHandled(String(event.event_id)));
  });

  it('tells by its secret which Slack it comes from', async () => {
    const id = await connect();
    grantOf('business-admin').isRevoked = true;

    expect(await happen({ type: 'app_uninstalled' }, {}, { secret: liveSecret })).toMatchObject([{ connections: 0 }]);

    expect(await stateOf(id)).toEqual(active);
  });

  it('leaves nothing of itself in the log', () => {
    expect(app.logs.filter((line) => /c0ffee|v0=|hello/.test(line))).toEqual([]);
  });
});

describe('a gateway that cannot take events', () => {
  async function answerOf(accept: () => Promise<void>, apps: object, clock: Clock = systemClock) {
    const parts = { logger: silentLogger, calls: new RunningCalls(), playgroundRoot: undefined };
    const server = createHttpServer({ ...parts, assertReady: async () => {} });
    registerSlackEvents(server, { apps, accept, clock, logger: silentLogger });
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    const text = JSON.stringify(eventOf({ type: 'app_uninstalled' }, { team_id: 'T1' }));
    const timestamp = String(Math.floor(Date.now() / 1000));
    const headers = { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signatureOf('s', timestamp, text) };
    const { status } = await sendRaw(`${url}/slack/events`, { headers, body: [text] });
    await server.close();
    return status;
  }

  it('answers 503 while it cannot store them, so that Slack sends them again', async () => {
    const refuse = () => Promise.reject(new Error('the disk is full'));
    expect(await answerOf(refuse, { LIVE: { signingSecret: new Secret('s') } })).toBe(503);
  });

  it('answers 503 within three seconds whatever storing takes', async () => {
    const waits: number[] = [];
    const impatient = { now: Date.now, sleep: async (ms: number) => void waits.push(ms) };
    const never = () => new Promise<void>(() => {});
    expect(await answerOf(never, { GOV: { signingSecret: new Secret('s') } }, impatient)).toBe(503);
    expect(waits).toEqual([2_500]);
  });

  it('has no such address without an app of its own', async () => {
    expect(await answerOf(async () => {}, { LIVE: undefined })).toBe(404);
  });
});

describe('what happened in Slack', () => {
  it.each([
    ['in order', {}],
    ['the other way round', { eventsReversed: true }],
    ['three times each', { eventDuplicates: 2 }],
    ['three times each and the other way round', { eventDuplicates: 2, eventsReversed: true }],
    ['without authorizations', { eventAuthorizations: false }],
  ])('is that the app was removed, with the events %s', async (_how, switches) => {
    const id = await connect();
    Object.assign(app.simulator.switches, switches);

    app.simulator.uninstallApp(team());
    await settle();

    expect(await stateOf(id)).toEqual(broken('APP_UNINSTALLED'));
    const again = await tenant.change('verifyConnection', { id });
    expect(again.problems).toMatchObject([{ code: 'APP_UNINSTALLED' }]);
    expect(await stateOf(id)).toEqual(broken('APP_UNINSTALLED'));
  });

  it.each(['missing', 'null', 'enterprise'] as const)(
    'is that the app was removed from an organization, with its id as team_id: %s',
    async (orgEventTeamId) => {
      const id = await connect('enterprise-owner');
      app.simulator.switches.orgEventTeamId = orgEventTeamId;

      app.simulator.uninstallApp(app.simulator.world.organization('enterprise').id);
      await settle();

      expect(await stateOf(id)).toEqual(broken('APP_UNINSTALLED'));
    },
  );

  it('is that one person took back what they had allowed, for every tenant whose token it was', async () => {
    const id = await connect();
    const other = await TenantClient.create(app);
    const { id: otherId } = await other.connect();

    app.simulator.revokeGrants(installer());
    await settle();

    expect(await stateOf(id)).toEqual(broken('TOKEN_REVOKED'));
    expect((await other.read(otherId))?.status).toBe('REAUTHORIZATION_REQUIRED');
    await other.deleteConnection(otherId);
  });

  it('keeps a paused connection paused, with the issue', async () => {
    const id = await connect();
    await tenant.change('pauseConnection', { id });

    app.simulator.revokeGrants(installer());
    await settle();

    expect(await stateOf(id)).toEqual({ status: 'PAUSED', open: ['TOKEN_REVOKED'] });
  });

  it('closes nothing that Slack says still works', async () => {
    const id = await connect();
    const before = callsOf('/api/auth.test');

    await happen(revoked([installer()]));
    await happen({ type: 'app_uninstalled' });

    expect(callsOf('/api/auth.test')).toBe(before + 2);
    expect(await stateOf(id)).toEqual(active);
  });

  it.each<[what: string, inner: () => object, fields?: () => object]>([
    ['about somebody else', () => revoked(['U0ELSE0001'])],
    ['about bots alone', () => revoked([], [installer()])],
    ['about nobody', () => ({ type: 'tokens_revoked' })],
    ['about another team', () => ({ type: 'app_uninstalled' }), () => ({ team_id: 'T0OTHER001' })],
    ['from before the token was given', () => ({ type: 'app_uninstalled' }), () => hoursAgo(1)],
    ['from before the token was given, about its owner', () => revoked([installer()]), () => hoursAgo(24)],
  ])('is nothing to look into when it is %s', async (_what, inner, fields = () => ({})) => {
    const id = await connect();
    grantOf('business-admin').isRevoked = true;
    const before = app.simulator.requests.length;

    await happen(inner(), fields());

    expect(app.simulator.requests).toHaveLength(before);
    expect(await stateOf(id)).toEqual(active);
  });

  it.each<[what: string, inner: () => object, fields?: () => object]>([
    ['people and bots together', () => revoked(['U0ELSE0001', installer()], ['U0BOT00001'])],
    ['by a clock that is four minutes slow', () => revoked([installer()]), () => hoursAgo(4 / 60)],
    ['without a time', () => revoked([installer()]), () => ({ event_time: undefined })],
    ['the team in authorizations alone', () => revoked([installer()]), () => inAuthorizations()],
    ['a list with other things in it', () => ({ type: 'tokens_revoked', tokens: { oauth: [7, null, installer()] } })],
  ])('is looked into with %s', async (_what, inner, fields = () => ({})) => {
    const id = await connect();
    grantOf('business-admin').isRevoked = true;

    await happen(inner(), fields());

    expect(await stateOf(id)).toEqual(broken('TOKEN_REVOKED'));
  });

  it.each(['flat', 'nested'] as const)('may change which workspaces an organization lends, %s', async (form) => {
    const id = await connect('enterprise-owner');
    app.simulator.switches.teamAccessEvent = form;
    const { workspaces } = app.simulator.world.organization('enterprise');
    const control = (isAdded: boolean) =>
      fetch(`${app.simulator.url}/_simulator/app/workspaces`, {
        method: 'POST',
        body: JSON.stringify({ teamId: workspaces[0]?.id, isAdded }),
      });
    const before = callsOf('/api/auth.test');

    await control(true);
    await control(false);
    await settle();

    expect(callsOf('/api/auth.test')).toBeGreaterThan(before);
    expect(await stateOf(id)).toEqual(active);
  });

  it('is found out when Slack answers again', async () => {
    const id = await connect();
    app.simulator.faults.add({ kind: 'status', status: 503, match: { path: '/api/auth.test' }, times: 'always' });
    const event = eventOf({ type: 'app_uninstalled' }, { team_id: team() });
    await sendSigned(app, event);
    await until(() => looks().some(({ eventId }) => eventId === event.event_id));
    expect(await stateOf(id)).toEqual({ status: 'DEGRADED', open: ['UPSTREAM_UNAVAILABLE'] });

    app.simulator.faults.clear();
    grantOf('business-admin').isRevoked = true;
    await happen(revoked(['U0ELSE0001']));
    await until(() => isHandled(String(event.event_id)));

    expect(await stateOf(id)).toEqual(broken('APP_UNINSTALLED'));
  });

  it('is not forgotten when the gateway stops before it has looked', async () => {
    const id = await connect();
    grantOf('business-admin').isRevoked = true;
    await app.app.stop();
    const now = Date.now();
    await querySqlite(
      app,
      'INSERT INTO slack_events (id, environment, type, team_slack_id, user_slack_ids, occurred_at, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...['EvLEFTOVER', 'SANDBOX', 'tokens_revoked', team(), JSON.stringify([installer()]), now, now],
    );

    await app.restart();
    await until(() => isHandled('EvLEFTOVER'));

    expect(await stateOf(id)).toEqual(broken('TOKEN_REVOKED'));
  });
});

function hoursAgo(hours: number): object {
  return { event_time: Math.floor(Date.now() / 1000 - hours * 3_600) };
}

function inAuthorizations(): object {
  return { team_id: undefined, authorizations: [{ team_id: team(), enterprise_id: null, user_id: installer() }] };
}
