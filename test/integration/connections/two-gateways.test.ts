import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { type Gate, startGate } from '../../support/gate';
import { admin, InstallVisitor, newInstall, newLink, owner, readInstall } from '../../support/install-visitor';
import { LiveSocket } from '../../support/live-socket';
import { createPostgresDatabase, type PostgresTestDatabase } from '../../support/postgres';
import { eventOf, sendSigned } from '../../support/slack-events';
import { startTestApp, type TestApp } from '../../support/start-app';
import { TenantClient } from '../../support/tenant-client';
import { createTenant, issueKey } from '../../support/tenants';
import { until } from '../../support/until';

describe('the connections of two gateways on one PostgreSQL', () => {
  let simulator: Simulator;
  let gate: Gate;
  let database: PostgresTestDatabase;
  let apps: [TestApp, TestApp];
  /** The same tenant, as seen through either gateway. */
  let one: TenantClient;
  let two: TenantClient;

  beforeAll(async () => {
    simulator = await startSimulator({ seed: 'replicas', switches: { limitsEnabled: false } });
    gate = await startGate(simulator.url);
    database = await createPostgresDatabase();
    const env = {
      DATABASE_URL: database.url,
      ROLLCALL_SEALING_KEYS: Buffer.alloc(32, 7).toString('base64'),
      ROLLCALL_SLACK_WEB_URL: gate.url,
      ROLLCALL_SLACK_SCIM_URL: gate.url,
      ROLLCALL_PUBLIC_URL: 'http://127.0.0.1:9',
    };
    apps = [await startTestApp({ simulator, env }), await startTestApp({ simulator, env })];
  });
  beforeEach(async () => {
    simulator.reset();
    const { key } = await createTenant(apps[0]);
    [one, two] = [new TenantClient(apps[0], key), new TenantClient(apps[1], key)];
  });
  afterAll(async () => {
    for (const app of apps ?? []) await app.stop();
    await gate?.stop();
    await simulator?.stop();
    await database?.drop();
  });

  const live = { environment: 'LIVE' };
  async function connect(): Promise<string> {
    const { connection } = await one.createConnection('business-admin', live);
    return connection?.id ?? '';
  }

  it('are one of a team, whichever gateway is asked at once', async () => {
    const answers = await Promise.all(
      [one, two, one, two, one, two].map((client) => client.createConnection('business-admin')),
    );

    const made = answers.flatMap(({ connection }) => connection ?? []);
    expect(made).toHaveLength(1);
    const problems = answers.flatMap((answer) => answer.problems);
    expect(problems).toEqual(
      Array(5).fill(expect.objectContaining({ code: 'DUPLICATE_CONNECTION', existingConnectionId: made[0]?.id })),
    );
  });

  it('share one name space of externalIds', async () => {
    const answers = await Promise.all([
      one.createConnection('business-admin', { externalId: 'customer-1' }),
      two.createConnection('enterprise-owner', { externalId: 'customer-1' }),
    ]);

    expect(answers.flatMap(({ connection }) => connection ?? [])).toHaveLength(1);
    expect(answers.flatMap(({ problems }) => problems)).toMatchObject([{ code: 'CONFLICT' }]);
  });

  it('are followed at one gateway while the other changes them', async () => {
    const { connection } = await one.createConnection('business-admin');
    const id = connection?.id;
    const socket = await LiveSocket.connect(apps[1].url, two.key);
    socket.subscribe('subscription ($id: ID) { connectionChanged(id: $id) { status name } }', { id });
    expect((await socket.answer()).data).toEqual({ connectionChanged: { status: 'ACTIVE', name: 'Acme' } });

    await one.change('pauseConnection', { id });
    expect((await socket.answer()).data).toEqual({ connectionChanged: { status: 'PAUSED', name: 'Acme' } });
    await one.deleteConnection(String(id));
    await socket.take('complete');
    socket.socket.terminate();
  });

  it('hear of an event of Slack once, whichever gateway it reaches', async () => {
    const { connection } = await one.createConnection('business-admin');
    const id = String(connection?.id);
    const { organizationId, personId } = simulator.world.grants.get('business-admin') ?? {};
    const event = eventOf({ type: 'tokens_revoked', tokens: { oauth: [personId] } }, { team_id: organizationId });
    const answers = await Promise.all([...apps, ...apps].map((app) => sendSigned(app, event)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const eventId = String(event.event_id);
    const looks = () => apps.flatMap(({ logs }) => logs.filter((line) => isLook(line, eventId)));
    await until(() => looks().length > 0);

    expect(looks()).toHaveLength(1);
    expect((await two.read(id))?.status).toBe('ACTIVE');
  });

  it('lose no change that one gateway makes while the other makes another', async () => {
    const { connection } = await one.createConnection('business-admin');
    const id = connection?.id;
    for (let turn = 0; turn < 5; turn += 1) {
      const answers = await Promise.all([
        one.change('updateConnection', { id, name: `Name ${turn}` }),
        two.change('updateConnection', { id, externalId: `customer-${turn}` }),
        one.change(turn % 2 === 0 ? 'pauseConnection' : 'resumeConnection', { id }),
        two.change('verifyConnection', { id }),
      ]);
      expect(answers.flatMap(({ problems }) => problems)).toEqual([]);
      expect(await two.read(id ?? '')).toMatchObject({
        name: `Name ${turn}`,
        externalId: `customer-${turn}`,
        status: turn % 2 === 0 ? 'PAUSED' : 'ACTIVE',
      });
    }
  });

  it('stop on both when one is told to pause, and use a new token on both', async () => {
    const id = await connect();
    expect((await two.readUsers(id)).errors).toBeUndefined();
    await one.change('pauseConnection', { id });
    expect((await two.readUsers(id)).errors).toMatchObject([{ extensions: { code: 'CONNECTION_NOT_READY' } }]);
    await two.change('resumeConnection', { id });

    await two.change('replaceToken', { id, token: one.tokenOf('business-owner') });
    const grant = simulator.world.grants.get('business-admin');
    if (grant) grant.isRevoked = true;
    expect((await one.readUsers(id)).errors).toBeUndefined();
    expect(await one.read(id)).toMatchObject({ status: 'ACTIVE', issues: [] });
  });

  it('do not blame a new token for what the other gateway found about the old one', async () => {
    const id = await connect();
    const grant = simulator.world.grants.get('business-admin');
    if (grant) grant.isRevoked = true;
    const held = gate.hold(/auth\.test/);
    const check = one.change('verifyConnection', { id });
    await held.arrived;
    await two.change('replaceToken', { id, token: two.tokenOf('business-owner') });
    held.release();

    expect((await check).problems).toMatchObject([{ code: 'CONFLICT', retryable: true }]);
    expect(await one.read(id)).toMatchObject({ status: 'ACTIVE', issues: [] });
  });

  it('open one issue when both gateways meet the same failure at once', async () => {
    const id = await connect();
    simulator.world.organization('business').plan = 'pro';

    await Promise.all([one, two, one, two].map((client) => client.readUsers(id)));

    expect(await two.read(id)).toMatchObject({
      status: 'REAUTHORIZATION_REQUIRED',
      issues: [{ code: 'PLAN_TOO_LOW' }],
    });
  });

  it('are closed to a key at once when the other gateway has revoked it', async () => {
    const { apiKey, secret } = await issueKey(apps[0], { name: 'Short', permissions: ['ADMIN'] });
    const ask = () => apps[1].call('{ viewer { name } }', {}, { key: secret });
    expect((await ask()).status).toBe(200);

    const revoke = 'mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { problems { code } } }';
    await apps[0].call(revoke, { id: apiKey?.id });

    expect((await ask()).status).toBe(401);
  });

  it('are found by the same filters as on SQLite, also with a character that PostgreSQL cannot hold', async () => {
    await one.createConnection('business-admin', { name: "Straße 100% O'Hara_" });
    const query = 'query ($f: ConnectionFilter) { connections(filter: $f) { totalCount } }';
    const count = async (filter: object) =>
      (await two.call<{ connections: { totalCount: number } }>(query, { f: filter })).data;
    for (const nameContains of ['STRASSE', '%', '_', "'", "o'hara"]) {
      expect(await count({ nameContains })).toEqual({ connections: { totalCount: 1 } });
    }
    expect(await count({ nameContains: '100_' })).toEqual({ connections: { totalCount: 0 } });

    const { problems } = await one.createConnection('enterprise-owner', { name: 'NUL \u0000' });
    expect(problems).toMatchObject([{ code: 'INVALID_INPUT' }]);
    for (const text of ['con_\u0000', 'con_\ud800']) {
      const { data, errors } = await one.call('query ($id: ID!) { connection(id: $id) { id } }', { id: text });
      expect(errors?.[0]?.extensions.code ?? data).not.toBe('INTERNAL');
    }
    const { errors } = await one.call(query, { f: { nameContains: '\u0000', externalId: '\u0000' } });
    expect(errors?.[0]?.extensions.code).not.toBe('INTERNAL');
  });

  /** One browser, as a balancer sends it to either gateway. */
  function browsers(): [InstallVisitor, InstallVisitor] {
    const [first, second] = apps.map(({ url }) => new InstallVisitor(url, simulator));
    if (!first || !second) throw new Error('There are two gateways');
    return [first, second];
  }
  const pathOf = (url: string) => new URL(url).pathname + new URL(url).search;
  const exchanges = () => simulator.requests.filter(({ path }) => path === '/api/oauth.v2.access');

  it('come of an installation once, whichever gateway the browser comes back to, and how often', async () => {
    const { id, url } = await newInstall(one);
    const [here, there] = browsers();
    const callback = pathOf(await here.decide(await here.begin(pathOf(url)), owner));
    for (const [name, value] of here.cookies) there.cookies.set(name, value);

    const pages = await Promise.all([here, there, here, there].map((browser) => browser.comeBack(callback)));

    for (const { heading } of pages) expect(heading).toMatch(/^(Slack is connected|Connecting Slack…)$/);
    for (const page of pages) {
      expect((await there.get(pathOf(new URL(page.url, 'http://any').href))).heading).toBe('Slack is connected');
    }
    expect(exchanges()).toHaveLength(1);
    expect(await readInstall(two, id)).toMatchObject({ status: 'COMPLETED', connection: { status: 'ACTIVE' } });
  });

  it('are one for a link that two tabs finish at the same moment at different gateways', async () => {
    const { id, url } = await newLink(one);
    const [here, there] = browsers();
    const first = pathOf(await here.decide(await here.begin(pathOf(url), { level: 'ORGANIZATION' }), owner));
    const second = pathOf(await there.decide(await there.begin(pathOf(url), { level: 'WORKSPACE' }), admin));

    const pages = await Promise.all([here.comeBack(first), there.comeBack(second)]);

    expect(pages.map(({ heading }) => heading).sort()).toEqual(['Slack is connected', 'This link was used already']);
    expect(exchanges()).toHaveLength(1);
    const { data } = await two.call('{ connections { totalCount } }');
    expect(data).toEqual({ connections: { totalCount: 1 } });
    expect(await readInstall(two, id)).toMatchObject({ status: 'COMPLETED', problem: null });
  });
});

function isLook(line: string, eventId: string): boolean {
  return line.includes('looked into an event of Slack') && line.includes(eventId);
}
