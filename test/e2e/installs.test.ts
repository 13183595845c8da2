import {
  admin,
  createConnectLink,
  formActions,
  InstallVisitor,
  newInstall,
  newLink,
  owner,
  readInstall,
  startInstall,
} from '../support/install-visitor';
import { LeakSearch } from '../support/leak-search';
import { MovedClock } from '../support/moved-clock';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';
import { createTenant } from '../support/tenants';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let app: TestApp;
let clock: MovedClock;
let client: TenantClient;
let visitor: InstallVisitor;
beforeAll(async () => {
  clock = new MovedClock();
  app = await startTestApp({ clock, env: { ROLLCALL_RETURN_URLS: 'https://partner.example/app' } });
});
beforeEach(async () => {
  app.simulator.reset();
  client = await TenantClient.create(app);
  visitor = new InstallVisitor(app.url, app.simulator);
});
afterAll(() => app?.stop());

/** Tokens that Slack has issued and that still work. */
const livingGrants = () =>
  [...app.simulator.world.grants.values()].filter(({ digest, isRevoked }) => digest !== undefined && !isRevoked);

describe('an installation', () => {
  it('goes from startInstall over Slack to a connection that works', async () => {
    const { id, url } = await newInstall(client, { externalId: 'customer-1' });
    expect((await visitor.get(url)).heading).toMatch(/^Connect Slack to Tenant \d+$/);

    const page = await visitor.install(url, owner);

    expect(page).toMatchObject({ status: 200, heading: 'Slack is connected', next: undefined });
    const install = await readInstall(client, id);
    expect(install).toMatchObject({ status: 'COMPLETED', problem: null, authorizeUrl: null });
    const connection = await client.read(install?.connection?.id ?? '');
    expect(connection).toMatchObject({
      name: 'Acme',
      externalId: 'customer-1',
      status: 'ACTIVE',
      installLevel: 'ORGANIZATION',
      organization: { name: 'Acme Group' },
      installer: { displayName: 'oscar.lindqvist' },
    });
    const user = { email: 'new@acme.example', familyName: 'New' };
    const { outcome, problems } = await client.changeUser('provisionUser', { connectionId: connection?.id, user });
    expect({ outcome, problems }).toEqual({ outcome: 'CREATED', problems: [] });
    const node = await client.call('query ($id: ID!) { node(id: $id) { id ... on Install { status } } }', { id });
    expect(node.data).toEqual({ node: { id, status: 'COMPLETED' } });
  });

  it('on a workspace connects the workspace, and once more keeps its id', async () => {
    const first = await newInstall(client, { level: 'WORKSPACE' });
    expect((await visitor.install(first.url, admin)).heading).toBe('Slack is connected');
    const known = await readInstall(client, first.id);
    expect(known).toMatchObject({ connection: { installLevel: 'WORKSPACE', status: 'ACTIVE' } });

    const second = await newInstall(client, { level: 'WORKSPACE' });
    expect((await visitor.install(second.url, admin)).heading).toBe('Slack is connected');

    expect((await readInstall(client, second.id))?.connection).toEqual(known?.connection);
  });

  it('sends the person back to the partner with the result, by a header that shows no code', async () => {
    const { id, url } = await newInstall(client, { returnUrl: 'https://partner.example/app/done?step=2&status=x#top' });
    expect((await visitor.get(url)).text).toContain('you go back to partner.example');

    const page = await visitor.install(url, owner);

    const connectionId = (await readInstall(client, id))?.connection?.id;
    expect(page.next).toBe(
      `https://partner.example/app/done?step=2&install=${id}&status=connected&connection=${connectionId}#top`,
    );
    expect(page.text).toContain('Continue to partner.example');
  });

  it('that was cancelled says so, can be tried again, and tells the partner', async () => {
    const { id, url } = await newInstall(client, { returnUrl: 'https://partner.example/app' });
    for (const denialDescription of [true, false]) {
      app.simulator.switches.denialDescription = denialDescription;
      const page = await visitor.install(url, { ...owner, decision: 'cancel' });
      expect(page).toMatchObject({ status: 200, heading: 'Slack was not connected', next: undefined });
      expect(page.text).toContain('The installation was cancelled on the page of Slack.');
      expect(page.text).toContain(`https://partner.example/app?install=${id}&amp;status=denied"`);
      expect(await readInstall(client, id)).toMatchObject({
        status: 'OPEN',
        connection: null,
        problem: { code: 'INSTALL_DENIED' },
      });
      const [retry = ''] = formActions(page);
      if (!denialDescription) expect((await visitor.install(retry, owner)).heading).toBe('Slack is connected');
    }
    expect(await readInstall(client, id)).toMatchObject({ status: 'COMPLETED', problem: null });
  });
});

describe('the level', () => {
  it('that was not asked for saves nothing, ends the grant, explains the menu, and works at the second try', async () => {
    const { id, url } = await newLink(client);

    const wrong = await visitor.install(url, { ...owner, place: 'Acme Berlin' }, { level: 'ORGANIZATION' });

    expect(wrong.heading).toBe('A workspace was chosen, not the organization');
    expect(wrong.text).toContain('Your organization: choose this');
    expect(wrong.text).toContain('Only an <strong>Org Owner</strong> can do this');
    expect(await readInstall(client, id)).toMatchObject({
      status: 'OPEN',
      connection: null,
      problem: { code: 'WRONG_INSTALL_LEVEL' },
    });
    expect(livingGrants()).toEqual([]);
    const [retry = ''] = formActions(wrong);
    expect((await visitor.install(retry, owner, { level: 'ORGANIZATION' })).heading).toBe('Slack is connected');
    expect(await readInstall(client, id)).toMatchObject({ status: 'COMPLETED', problem: null });
  });

  it('of the organization is refused where a workspace was asked for', async () => {
    const { id, url } = await newInstall(client, { level: 'WORKSPACE' });
    const page = await visitor.install(url, owner);
    expect(page.heading).toBe('The whole organization was chosen');
    expect(page.text).toContain('Your workspace: choose this');
    expect(await readInstall(client, id)).toMatchObject({ problem: { code: 'WRONG_INSTALL_LEVEL' }, connection: null });
    expect(livingGrants()).toEqual([]);
  });

  it('of a workspace within an organization leads to the organization, also where a workspace was asked for', async () => {
    const { url } = await newLink(client);
    const page = await visitor.install(url, { ...owner, place: 'Acme Berlin' }, { level: 'WORKSPACE' });
    expect(page.heading).toBe('This workspace is part of an organization');
    expect(page.text).toMatch(/value="ORGANIZATION" required checked/);
    expect(livingGrants()).toEqual([]);

    const fixed = await newInstall(client, { level: 'WORKSPACE' });
    const end = await visitor.install(fixed.url, { ...owner, place: 'Acme Berlin' });
    expect(end.heading).toBe('This workspace is part of an organization');
    expect(end.text).toContain('Ask whoever sent you the link for one that is for an organization.');
    expect(formActions(end)).toEqual([]);
  });
});

describe('a problem at Slack', () => {
  const cases: [name: string, prepare: () => void, heading: string, code: string][] = [
    [
      'a scope that was withheld',
      () => {
        app.simulator.switches.withheldScopes = ['admin'];
      },
      'The permission to manage people is missing',
      'MISSING_SCOPES',
    ],
    [
      'an app whose secret was changed',
      () => app.simulator.faults.add({ kind: 'slackError', error: 'bad_client_secret', match: oauthAccess }),
      'This gateway is not set up correctly',
      'APP_CREDENTIALS_REFUSED',
    ],
    [
      'a code that Slack does not take',
      () => app.simulator.faults.add({ kind: 'slackError', error: 'invalid_code', match: oauthAccess }),
      'Too much time has passed',
      'INSTALL_EXPIRED',
    ],
    [
      'an answer that got lost',
      () => app.simulator.faults.add({ kind: 'resetAfter', match: oauthAccess }),
      'Slack could not be reached',
      'UPSTREAM_UNAVAILABLE',
    ],
    [
      'an address that is not allowed',
      () => app.simulator.faults.add({ kind: 'slackError', error: 'accesslimited', match: { path: 'auth.test' } }),
      'Slack refuses this gateway’s address',
      'IP_NOT_ALLOWED',
    ],
    [
      'SCIM that is down',
      () => app.simulator.faults.add({ kind: 'status', status: 503, times: 'always', match: { path: '/scim/' } }),
      'Slack could not be reached',
      'UPSTREAM_UNAVAILABLE',
    ],
    [
      'a plan without provisioning',
      () => {
        app.simulator.world.organization('enterprise').plan = 'pro';
      },
      "Slack's plan does not include this",
      'PLAN_TOO_LOW',
    ],
  ];
  const oauthAccess = { path: 'oauth\\.v2\\.access' };

  it.each(cases)('such as %s has a page that says whose turn it is', async (_, prepare, heading, code) => {
    const { id, url } = await newInstall(client);
    prepare();

    const page = await clock.hurried(() => visitor.install(url, owner));

    expect(page).toMatchObject({ status: 200, heading });
    expect(formActions(page)).toHaveLength(1);
    expect(await readInstall(client, id)).toMatchObject({ status: 'OPEN', connection: null, problem: { code } });
  });

  it('that Slack names on the way back has a page, and a word that is none of Slack is not repeated', async () => {
    const { id, url } = await newInstall(client);
    const come = async (error: string) => {
      const state = new URL(await visitor.begin(url)).searchParams.get('state') ?? '';
      return visitor.comeBack(`/api/auth/callback/slack?${new URLSearchParams({ error, state })}`);
    };
    const app = await come('invalid_team_for_non_distributed_app');
    expect(app.heading).toBe('Slack did not let this happen');
    expect(app.text).toContain('The operator of this gateway must repair the settings of its Slack app.');
    expect((await come('team_not_allowed')).text).toContain('(team_not_allowed)');
    const forged = await come('<b>Call 0800</b>');
    expect(forged.heading).toBe('Slack was not connected');
    expect(forged.text).not.toMatch(/0800/);
    expect((await readInstall(client, id))?.problem?.message).not.toMatch(/0800/);
  });

  it('with a grant that is not kept leaves what other tenants have of the same person alone', async () => {
    for (const tokenRotation of [true, false]) {
      app.simulator.switches.tokenRotation = tokenRotation;
      const other = await TenantClient.create(app);
      const theirs = await newInstall(other);
      await visitor.install(theirs.url, owner);
      const mine = await newInstall(client, { level: 'WORKSPACE' });
      expect((await visitor.install(mine.url, owner)).heading).toBe('The whole organization was chosen');
      const id = (await readInstall(other, theirs.id))?.connection?.id ?? '';
      expect(await other.change('verifyConnection', { id })).toMatchObject({ problems: [] });
      const own = await newInstall(client);
      expect((await visitor.install(own.url, owner)).heading).toBe('Slack is connected');
      expect((await readInstall(client, own.id))?.connection?.id).not.toBe(id);
      expect(await other.change('verifyConnection', { id })).toMatchObject({ problems: [] });
    }
  });

  it('of an externalId that another connection of the team has is no second connection', async () => {
    const first = await newInstall(client, { externalId: 'one' });
    await visitor.install(first.url, owner);
    const second = await newInstall(client, { externalId: 'two' });
    const page = await visitor.install(second.url, owner);
    expect(page.heading).toBe('This Slack team is connected already');
    expect(formActions(page)).toEqual([]);
    const known = await readInstall(client, first.id);
    expect((await client.change('verifyConnection', { id: known?.connection?.id })).problems).toEqual([]);
  });
});

describe('a callback', () => {
  it('that is repeated shows the first outcome, and sends no code a second time', async () => {
    const { id, url } = await newInstall(client);
    const callback = await visitor.decide(await visitor.begin(url), owner);
    const pages = [await visitor.comeBack(callback), await visitor.comeBack(callback)];
    expect(pages.map(({ heading }) => heading)).toEqual(['Slack is connected', 'Slack is connected']);
    expect(pages[0]?.url).toBe(pages[1]?.url);
    expect(pages[0]?.url).not.toMatch(/[?]/);
    expect(app.simulator.requests.filter(({ path }) => path === '/api/oauth.v2.access')).toHaveLength(1);
    expect(await readInstall(client, id)).toMatchObject({ status: 'COMPLETED' });

    const other = await newInstall(client);
    const denied = await visitor.decide(await visitor.begin(other.url), { ...owner, decision: 'cancel' });
    for (const _ of [1, 2]) expect((await visitor.comeBack(denied)).heading).toBe('Slack was not connected');
  });

  it('that comes twice at once waits for the first on a page that looks again', async () => {
    const { url } = await newInstall(client);
    const callback = await visitor.decide(await visitor.begin(url), owner);
    app.simulator.faults.add({ kind: 'latency', ms: 1_000, match: { path: 'oauth.v2.access' } });
    const first = visitor.comeBack(callback);
    const sent = () => app.simulator.requests.some(({ path }) => path === '/api/oauth.v2.access');
    let second = await visitor.comeBack(callback);
    while (!sent() && second.heading !== 'Connecting Slack…') second = await visitor.comeBack(callback);
    expect(second).toMatchObject({ status: 200, heading: 'Connecting Slack…', next: new URL(second.url).pathname });
    expect((await first).heading).toBe('Slack is connected');
    expect((await visitor.get(second.url)).heading).toBe('Slack is connected');
    expect(app.simulator.requests.filter(({ path }) => path === '/api/oauth.v2.access')).toHaveLength(1);
  });

  it('that was cut off in the middle is not waited for, and can be tried again', async () => {
    const { url } = await newInstall(client);
    const callback = await visitor.decide(await visitor.begin(url), owner);
    app.simulator.faults.add({ kind: 'latency', ms: 700, match: { path: 'oauth.v2.access' } });
    const first = visitor.comeBack(callback);
    let waiting = await visitor.comeBack(callback);
    while (waiting.heading !== 'Connecting Slack…') waiting = await visitor.comeBack(callback);
    clock.advance(4 * MINUTE);
    const page = await visitor.get(waiting.url);
    expect(page.heading).toBe('Slack could not be reached');
    expect(page.text).toContain('The gateway was interrupted while it finished the installation.');
    expect(formActions(page)).toHaveLength(1);
    await first;
  });

  it.each([
    ['code=c.o.de', 400, 'Begin here, not in Slack'],
    ['error=access_denied', 400, 'Slack was not connected'],
    ['', 400, 'There is nothing to do here'],
    [`code=c.o.de&state=${'A'.repeat(43)}`, 400, 'This installation is not known here'],
    ['code=c.o.de&state=short', 400, 'This installation is not known here'],
  ])('with %p and no attempt behind it exchanges nothing', async (query, status, heading) => {
    const page = await visitor.get(`/api/auth/callback/slack?${query}`);
    expect(page).toMatchObject({ status, heading });
    expect(app.simulator.requests.filter(({ path }) => path.includes('oauth.v2'))).toEqual([]);
  });

  it('with two states is taken for none', async () => {
    const { url } = await newInstall(client);
    const callback = await visitor.decide(await visitor.begin(url), owner);
    const state = new URL(callback).searchParams.get('state');
    expect((await visitor.comeBack(`${callback}&state=${state}`)).heading).toBe('Begin here, not in Slack');
    expect((await visitor.comeBack(callback)).heading).toBe('Slack is connected');
  });

  it('in another browser, or without its cookie, consumes nothing', async () => {
    const { url } = await newInstall(client);
    const callback = await visitor.decide(await visitor.begin(url), owner);
    const stranger = new InstallVisitor(app.url, app.simulator);
    const otherBegan = new InstallVisitor(app.url, app.simulator);
    await otherBegan.begin(url);
    for (const other of [stranger, otherBegan]) {
      expect(await other.comeBack(callback)).toMatchObject({
        status: 403,
        heading: 'This was begun in another browser',
      });
    }
    const page = await visitor.comeBack(callback);
    expect(page.heading).toBe('Slack is connected');
    expect((await stranger.get(page.url)).heading).toBe('This was begun in another browser');
  });

  it.each([
    ['Sec-Purpose', 'prefetch;prerender'],
    ['Purpose', 'prefetch'],
    ['X-Moz', 'prefetch'],
    ['X-Purpose', 'preview'],
  ])('that a browser makes ahead of time (%s) consumes nothing, nor does HEAD', async (name, value) => {
    const { url } = await newInstall(client);
    const callback = await visitor.decide(await visitor.begin(url), owner);
    expect(await visitor.get(callback, { [name]: value })).toMatchObject({
      status: 503,
      heading: 'Load this page again',
    });
    const cookie = [...visitor.cookies].map(([key, text]) => `${key}=${text}`).join('; ');
    expect((await fetch(callback, { method: 'HEAD', headers: { cookie }, redirect: 'manual' })).status).toBe(503);
    expect((await visitor.comeBack(callback)).heading).toBe('Slack is connected');
  });

  it('without a code and without an error connects nothing', async () => {
    const { url } = await newInstall(client);
    const state = new URL(await visitor.begin(url)).searchParams.get('state');
    const page = await visitor.comeBack(`/api/auth/callback/slack?state=${state}`);
    expect(page.heading).toBe('Slack did not let this happen');
  });

  it('that comes too late, such as after an approval, leads to another try', async () => {
    const { id, url } = await newLink(client);
    const late = await visitor.decide(await visitor.begin(url, { level: 'ORGANIZATION' }), owner);
    clock.advance(46 * MINUTE);
    const page = await visitor.comeBack(late);
    expect(page.heading).toBe('Too much time has passed');
    expect(await readInstall(client, id)).toMatchObject({ status: 'OPEN', problem: { code: 'INSTALL_EXPIRED' } });
    const [retry = ''] = formActions(page);
    expect((await visitor.install(retry, owner, { level: 'ORGANIZATION' })).heading).toBe('Slack is connected');
  });

  it('after another tab has finished changes nothing', async () => {
    const { id, url } = await newLink(client);
    const first = await visitor.decide(await visitor.begin(url, { level: 'ORGANIZATION' }), owner);
    const second = await visitor.decide(await visitor.begin(url, { level: 'WORKSPACE' }), admin);
    const pages = await Promise.all([visitor.comeBack(first), visitor.comeBack(second)]);
    const headings = pages.map(({ heading }) => heading).sort();
    expect(headings).toEqual(['Slack is connected', 'This link was used already']);
    const { data } = await client.call('{ connections { totalCount } }');
    expect(data).toEqual({ connections: { totalCount: 1 } });
    expect(await readInstall(client, id)).toMatchObject({ status: 'COMPLETED', problem: null });
  });
});

describe('what a partner asks for', () => {
  it('is checked field by field', async () => {
    const cases: [object, string, string[] | null][] = [
      [{ name: ' ' }, 'INVALID_INPUT', ['input', 'name']],
      [{ externalId: '' }, 'INVALID_INPUT', ['input', 'externalId']],
      [{ name: 'xoxp-1-2-3-0123456789' }, 'INVALID_INPUT', ['input', 'name']],
      [{ returnUrl: 'https://partner.example.evil/app' }, 'INVALID_INPUT', ['input', 'returnUrl']],
      [{ returnUrl: 'https://partner.example/application' }, 'INVALID_INPUT', ['input', 'returnUrl']],
      [{ environment: 'GOV' }, 'CONNECTION_NOT_READY', ['input', 'environment']],
      [{ connectionId: 'con_AAAAAAAAAAAAAAAAAAAAAA' }, 'NOT_FOUND', ['input', 'connectionId']],
    ];
    for (const [input, code, path] of cases) {
      const { install, problems } = await startInstall(client, input);
      expect({ install, problems }).toEqual({ install: null, problems: [expect.objectContaining({ code, path })] });
    }
    for (const expiresInHours of [0, 721]) {
      const { problems } = await createConnectLink(client, { expiresInHours });
      expect(problems).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'expiresInHours'] }]);
    }
  });

  it('keeps its time: an hour, or as many as the link has', async () => {
    const { install } = await startInstall(client);
    const { link } = await createConnectLink(client, { expiresInHours: 2 });
    const { link: usual } = await createConnectLink(client);
    const hours = [install, link, usual].map((made) => (Date.parse(made?.expiresAt ?? '') - clock.now()) / HOUR);
    expect(hours.map(Math.round)).toEqual([1, 2, 72]);
    expect(link?.install).toMatchObject({ status: 'OPEN', level: null, authorizeUrl: null });

    clock.advance(HOUR + MINUTE);
    expect(await readInstall(client, install?.id ?? '')).toMatchObject({ status: 'EXPIRED' });
    const page = await visitor.get(install?.authorizeUrl ?? '');
    expect(page).toMatchObject({ status: 410, heading: 'This link has expired' });
    expect((await visitor.post(install?.authorizeUrl ?? '')).heading).toBe('This link has expired');
    expect((await visitor.get(link?.url ?? '')).status).toBe(200);
  });

  it('ends with the key that asked for it', async () => {
    const tenant = await createTenant(app);
    const admin = new TenantClient(app, tenant.key);
    const { url } = await newInstall(admin);
    const callback = await visitor.decide(await visitor.begin(url), owner);
    const { data } = await admin.call<{ viewer: { apiKey: { id: string } } }>('{ viewer { apiKey { id } } }');
    await admin.call('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { requestId } }', {
      id: data?.viewer.apiKey.id,
    });

    expect((await visitor.comeBack(callback)).heading).toBe('This link was withdrawn');
    expect(app.simulator.requests.filter(({ path }) => path === '/api/oauth.v2.access')).toEqual([]);
    expect(await visitor.get(url)).toMatchObject({ status: 410, heading: 'This link was withdrawn' });
  });

  it('may repair a connection, which keeps its id and takes no other Slack team', async () => {
    const { id: connectionId } = await client.connect('enterprise-owner');
    const same = { connectionId, level: 'ORGANIZATION' };
    expect((await startInstall(client, { ...same, level: 'WORKSPACE' })).problems).toMatchObject([
      { code: 'INVALID_INPUT', path: ['input', 'level'] },
    ]);
    const { id, url } = await newInstall(client, same);
    expect((await visitor.install(url, owner)).heading).toBe('Slack is connected');
    expect(await readInstall(client, id)).toMatchObject({ connection: { id: connectionId, status: 'ACTIVE' } });

    const other = await client.connect('business-admin');
    const wrong = await newLink(client, { connectionId: other.id });
    app.simulator.world.organization('pro').plan = 'business';
    const page = await visitor.install(wrong.url, {
      person: 'tariq.aziz',
      organization: 'pro',
      place: 'Tiny Studio',
    });
    expect(page.heading).toBe('That was another Slack team');
    expect(await client.read(other.id)).toMatchObject({ workspace: { name: 'Northwind' }, status: 'ACTIVE' });
  });
});

it('shows, logs and stores no secret anywhere', async () => {
  const { url } = await newLink(client);
  const authorizeUrl = await visitor.begin(url, { level: 'ORGANIZATION' });
  const callback = await visitor.decide(authorizeUrl, owner);
  const code = new URL(callback).searchParams.get('code') ?? '';
  const state = new URL(callback).searchParams.get('state') ?? '';
  const [browser = ''] = visitor.cookies.values();
  await visitor.comeBack(callback);

  const secrets = { code, state, browser, clientSecret: app.simulator.app.clientSecret };
  const pages = new LeakSearch(secrets);
  expect(visitor.seen.flatMap((text) => pages.in(text))).toEqual([]);
  const logs = new LeakSearch({ ...secrets, link: url.split('/').at(-1) ?? '' });
  expect(logs.in(app.logs.join(''))).toEqual([]);
});
