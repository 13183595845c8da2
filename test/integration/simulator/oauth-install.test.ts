import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../../../src/simulator/clock';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { OAuthClient, pairOf, redirectUri } from './oauth-client';

const clock = new ManualClock();
let simulator: Simulator;
let slack: OAuthClient;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'install', clock });
  slack = new OAuthClient(simulator);
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.stop());

const ada = () => slack.person('ada.lovelace', 'business');
const oscar = () => slack.person('oscar.lindqvist', 'enterprise');
const amara = () => slack.person('amara.diallo', 'enterprise');
const business = () => slack.placeId('Northwind');

async function show(overrides: Record<string, string | undefined> = {}): Promise<{ status: number; text: string }> {
  const response = await fetch(slack.authorizeUrl(overrides));
  return { status: response.status, text: await response.text() };
}

describe('the consent page', () => {
  it('asks who you are, then where to install and what to allow, without script and under a strict policy', async () => {
    const people = await show();
    expect(people.status).toBe(200);
    expect(people.text).toContain('Ada Lovelace</a>, Admin');
    expect(people.text).not.toMatch(/Helpdesk Bot|Felix Braun/);
    const link = /href="\?([^"]+)">Oscar Lindqvist/.exec(people.text)?.[1]?.replaceAll('&amp;', '&');
    const response = await fetch(`${simulator.url}/oauth/v2/authorize?${link}`);
    const text = await response.text();
    expect(text).toMatch(/<label for="place">/);
    expect(text.match(/<option[^>]*>[^<]+/g)?.map((option) => option.replace(/<[^>]+>/, ''))).toEqual([
      'Acme Berlin (workspace)',
      'Acme Lyon (workspace)',
      'Acme Group (organization)',
    ]);
    expect(text).toContain('<li><code>admin</code></li>');
    expect(text).toContain('<li><code>team:read</code></li>');
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`form-action 'self' ${new URL(redirectUri).origin}`);
    expect(policy).not.toContain('unsafe');
    expect(people.text + text).not.toMatch(/<script|src=|style=/);
  });

  it('goes back with a dotted code and the state as it came', async () => {
    const state = 'a b+c/==&d';
    const { status, headers } = await slack.decide(slack.authorizeUrl({ state }), {
      person: ada().id,
      place: business(),
      decision: 'allow',
    });
    const target = new URL(headers.get('location') ?? '');
    expect(status).toBe(302);
    expect(target.origin + target.pathname).toBe(redirectUri);
    expect(target.searchParams.get('state')).toBe(state);
    expect(target.searchParams.get('code')).toMatch(/^\d+\.\d+\.[0-9a-f]{64}$/);
  });

  it('goes back without a state when there was none', async () => {
    const url = slack.authorizeUrl({ state: undefined });
    const { headers } = await slack.decide(url, { person: ada().id, place: business(), decision: 'allow' });
    expect(headers.get('location')).not.toContain('state');
  });

  it('reports a cancellation, with or without a description', async () => {
    const first = await slack.decide(slack.authorizeUrl(), { decision: 'cancel' });
    expect(Object.fromEntries(new URL(first.headers.get('location') ?? '').searchParams)).toEqual({
      error: 'access_denied',
      error_description: expect.any(String),
      state: 'st4te',
    });
    simulator.switches.denialDescription = false;
    const second = await slack.decide(slack.authorizeUrl(), { decision: 'cancel' });
    expect(second.headers.get('location')).toBe(`${redirectUri}?error=access_denied&state=st4te`);
  });

  it('leads to a waiting page and gives no code while an administrator must approve', async () => {
    simulator.switches.approvalRequired = true;
    const form = { person: ada().id, place: business(), decision: 'allow' };
    const waiting = await slack.decide(slack.authorizeUrl(), form);
    expect([waiting.status, waiting.headers.get('location')]).toEqual([200, null]);
    expect(waiting.text).toContain('Your request was sent');
    simulator.switches.approvalRequired = false;
    clock.advance(3_600_000);
    expect((await slack.decide(slack.authorizeUrl(), form)).status).toBe(302);
  });

  it.each([
    ['invalid_client_id', { client_id: '1.2' }],
    ['invalid_client_id', { client_id: undefined }],
    ['bad_redirect_uri', { redirect_uri: 'https://evil.example/api/auth/callback/slack' }],
    ['bad_redirect_uri', { redirect_uri: 'http://127.0.0.1:9/elsewhere' }],
    ['bad_redirect_uri', { redirect_uri: `${redirectUri}#fragment` }],
    ['bad_redirect_uri', { redirect_uri: 'not a url' }],
    ['bad_redirect_uri', { redirect_uri: undefined }],
    ['invalid_scope', { scope: 'admin' }],
    ['invalid_scope', { user_scope: 'admin,made:up' }],
    ['no_scopes', { scope: '', user_scope: undefined }],
    ['pkce_not_allowed', { code_challenge: 'x', code_challenge_method: 'S256' }],
  ])('shows %s on its own page for %j', async (error, overrides) => {
    const { status, text } = await show(overrides);
    expect(status).toBe(400);
    expect(text).toContain(`<code>${error}</code>`);
  });

  it('sends refusals back under a switch, but not to an address that is in doubt', async () => {
    simulator.switches.authorizeErrors = 'redirect';
    const good = await fetch(slack.authorizeUrl({ user_scope: 'made:up' }), { redirect: 'manual' });
    expect(good.headers.get('location')).toBe(`${redirectUri}?error=invalid_scope&state=st4te`);
    const bad = await fetch(slack.authorizeUrl({ redirect_uri: 'https://evil.example/' }), { redirect: 'manual' });
    expect([bad.status, bad.headers.get('location')]).toEqual([400, null]);
  });

  it('takes a registered URL, what lies below it, and the first one when none is named', async () => {
    simulator.switches.redirectUrls = ['https://gateway.example.com/slack', 'https://other.example.com/cb'];
    for (const [redirect_uri, status] of [
      ['https://gateway.example.com/slack', 200],
      ['https://gateway.example.com/slack/oauth_redirect?x=1', 200],
      ['https://gateway.example.com/slackish', 400],
      ['http://gateway.example.com/slack', 400],
      [undefined, 200],
    ] as const) {
      expect([redirect_uri, (await show({ redirect_uri })).status]).toEqual([redirect_uri, status]);
    }
    const { headers } = await slack.decide(slack.authorizeUrl({ redirect_uri: undefined }), {
      person: ada().id,
      place: business(),
      decision: 'allow',
    });
    expect(headers.get('location')).toMatch(/^https:\/\/gateway\.example\.com\/slack\?code=/);
    simulator.switches.loopbackRedirects = false;
    expect((await show()).status).toBe(400);
  });

  it('takes callbacks of either kind on any loopback port', async () => {
    for (const redirect_uri of [
      'http://localhost:3000/api/auth/callback/slack',
      'http://127.0.0.1/slack/oauth_redirect',
      'http://localhost:8080/gateway/api/auth/callback/slack',
    ]) {
      expect([redirect_uri, (await show({ redirect_uri })).status]).toEqual([redirect_uri, 200]);
    }
    expect((await show({ redirect_uri: 'http://localhost.evil.example/api/auth/callback/slack' })).status).toBe(400);
  });

  it('has the place of the parameter team chosen, when it is one of the person', async () => {
    const { text } = await show({ person: oscar().id, team: slack.placeId('Acme Group') });
    expect(text).toMatch(/<option value="E\w+" selected>Acme Group/);
    expect((await show({ person: oscar().id, team: business() })).text).not.toContain('selected');
  });

  it('shows what links say as text', async () => {
    const { text } = await show({ state: '"><b>bold</b>', user_scope: '<i>' });
    expect(text).toContain('&lt;i&gt;');
    expect((await show({ state: '"><b>bold</b>', person: oscar().id })).text).not.toContain('<b>');
  });

  it('exists for browsers, and at one address', async () => {
    expect((await fetch(slack.authorizeUrl(), { method: 'DELETE' })).status).toBe(405);
    expect((await fetch(`${simulator.url}/oauth/v1/authorize`)).status).toBe(404);
  });

  it('lets only an Org Owner install on the organization', async () => {
    const form = { place: slack.placeId('Acme Group'), decision: 'allow' };
    const admin = await slack.decide(slack.authorizeUrl(), { ...form, person: amara().id });
    expect(admin.text).toContain('Only an Org Owner');
    expect((await slack.decide(slack.authorizeUrl(), { ...form, person: oscar().id })).status).toBe(302);
  });

  it('asks for a bot scope on an organization, unless switched off', async () => {
    const form = { place: slack.placeId('Acme Group'), person: oscar().id, decision: 'allow' };
    const url = slack.authorizeUrl({ scope: '' });
    expect((await slack.decide(url, form)).text).toContain('no_bot_scopes_requested');
    simulator.switches.orgInstallNeedsBotScope = false;
    expect((await slack.decide(url, form)).status).toBe(302);
  });

  it('offers no organization without org deploy, and refuses it', async () => {
    simulator.switches.orgDeploy = false;
    expect((await show({ person: oscar().id })).text).not.toContain('(organization)');
    const form = { place: slack.placeId('Acme Group'), person: oscar().id, decision: 'allow' };
    expect((await slack.decide(slack.authorizeUrl(), form)).status).toBe(400);
  });

  it('keeps an app that is not distributed inside its own organization', async () => {
    simulator.switches.publicDistribution = false;
    expect((await show({ person: ada().id })).text).toContain('invalid_team_for_non_distributed_app');
    expect((await show({ person: oscar().id })).status).toBe(200);
  });

  it('refuses members the scope admin, or leaves it out', async () => {
    const barbara = slack.person('barbara.liskov', 'business');
    expect((await show({ person: barbara.id })).text).toContain('admin_required');
    simulator.switches.adminScopeForMembers = 'withheld';
    const { json } = await slack.exchange(await slack.code(barbara, 'Northwind'));
    expect(json.authed_user).toEqual({ id: barbara.id });
  });

  it('refuses places of others, strangers, and decisions that another page makes', async () => {
    const url = slack.authorizeUrl();
    const form = { person: ada().id, place: business(), decision: 'allow' };
    expect((await slack.decide(url, { ...form, place: slack.placeId('Tiny Studio') })).status).toBe(400);
    expect((await slack.decide(url, { ...form, person: 'U0NOBODY' })).status).toBe(400);
    expect((await slack.decide(url, { ...form, decision: '' })).status).toBe(400);
    expect((await slack.decide(url, form, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await slack.decide(url, form, { origin: simulator.url })).status).toBe(302);
  });
});

describe('oauth.v2.access with a code', () => {
  it('answers a workspace install without a bot scope with the person alone', async () => {
    simulator.switches.tokenRotation = false;
    const { status, json } = await slack.exchange(await slack.code(amara(), 'Acme Berlin', { scope: '' }));
    expect(status).toBe(200);
    expect(json).toEqual({
      ok: true,
      app_id: simulator.app.appId,
      authed_user: {
        id: amara().id,
        scope: 'admin',
        access_token: expect.stringMatching(/^xoxp-/),
        token_type: 'user',
      },
      team: { id: slack.placeId('Acme Berlin'), name: 'Acme Berlin' },
      enterprise: { id: slack.placeId('Acme Group'), name: 'Acme Group' },
      is_enterprise_install: false,
    });
  });

  it('answers a workspace that stands alone with a null enterprise', async () => {
    const { json } = await slack.exchange(await slack.code(ada(), 'Northwind'));
    expect(json).toMatchObject({
      team: { id: business(), name: 'Northwind' },
      enterprise: null,
      is_enterprise_install: false,
    });
  });

  it('answers an organization install with a null team and two rotating pairs', async () => {
    const { json } = await slack.exchange(await slack.code(oscar(), 'Acme Group'));
    expect(json).toEqual({
      ok: true,
      app_id: simulator.app.appId,
      token_type: 'bot',
      scope: 'team:read',
      bot_user_id: expect.stringMatching(/^W/),
      access_token: expect.stringMatching(/^xoxe\.xoxb-1-/),
      refresh_token: expect.stringMatching(/^xoxe-1-[A-Za-z0-9]{146}$/),
      expires_in: 43_200,
      authed_user: {
        id: oscar().id,
        scope: 'admin',
        access_token: expect.stringMatching(/^xoxe\.xoxp-1-/),
        refresh_token: expect.stringMatching(/^xoxe-1-/),
        expires_in: 43_200,
        token_type: 'user',
      },
      team: null,
      enterprise: { id: slack.placeId('Acme Group'), name: 'Acme Group' },
      is_enterprise_install: true,
    });
    const { accessToken } = pairOf(json.authed_user);
    const users = await fetch(`${simulator.url}/scim/v2/Users`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    expect(users.status).toBe(200);
    const test = await slack.api('auth.test', {}, { authorization: `Bearer ${accessToken}` });
    expect(test.headers.get('x-oauth-scopes')).toBe('identify,admin');
    expect(test.json).toMatchObject({ is_enterprise_install: true, user_id: oscar().id, expires_in: 43_200 });
    expect(await slack.standing(pairOf(json).accessToken)).toBe('ok');
  });

  it('takes credentials from a Basic header and fields from JSON', async () => {
    const { clientId, clientSecret } = simulator.app;
    const response = await fetch(`${simulator.url}/api/oauth.v2.access`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
        'content-type': 'application/json; charset=utf-8',
      },
      body: JSON.stringify({ code: await slack.code(ada(), 'Northwind'), redirect_uri: redirectUri }),
    });
    expect(await response.json()).toMatchObject({ ok: true });
  });

  it.each([
    ['invalid_client_id', { client_id: '1.2' }],
    ['bad_client_secret', { client_secret: 'wrong' }],
    ['invalid_grant_type', { grant_type: 'password' }],
    ['invalid_code', { code: '1.2.3' }],
    ['bad_redirect_uri', { redirect_uri: `${redirectUri}/` }],
    ['pkce_not_allowed', { code_verifier: 'x' }],
  ])('answers %s to %j and leaves the code as it is', async (error, fields) => {
    const code = await slack.code(ada(), 'Northwind');
    const refused = await slack.exchange(code, fields);
    expect([refused.status, refused.json]).toEqual([200, { ok: false, error }]);
    expect((await slack.exchange(code)).json.ok).toBe(true);
  });

  it('needs the redirect URI again when the authorize URL had one', async () => {
    const code = await slack.code(ada(), 'Northwind');
    expect((await slack.asApp({ code })).json.error).toBe('bad_redirect_uri');
  });

  it('takes a code once and for ten minutes', async () => {
    const used = await slack.code(ada(), 'Northwind');
    await slack.exchange(used);
    expect((await slack.exchange(used)).json.error).toBe('invalid_code');
    simulator.switches.codeReplayError = 'code_already_used';
    expect((await slack.exchange(used)).json.error).toBe('code_already_used');
    const inTime = await slack.code(ada(), 'Northwind');
    const late = await slack.code(ada(), 'Northwind');
    clock.advance(599_999);
    expect((await slack.exchange(inTime)).json.ok).toBe(true);
    clock.advance(1);
    expect((await slack.exchange(late)).json.error).toBe('invalid_code');
  });

  it('checks the verifier of a challenge when PKCE is on', async () => {
    simulator.switches.pkce = true;
    const challenge = {
      code_challenge: 'mzSt4duRtdEqbPUeJyA5KHWrbUaz7BYj42U69aaa6N8',
      code_challenge_method: 'S256',
    };
    const code = await slack.code(ada(), 'Northwind', challenge);
    expect((await slack.exchange(code, { code_verifier: 'another' })).json.error).toBe('invalid_code_verifier');
    expect((await slack.exchange(code)).json.error).toBe('invalid_code_verifier');
    const code_verifier = 'gateway-pkce-verifier-0123456789-abcdefghijklmnop';
    expect((await slack.exchange(code, { code_verifier })).json.ok).toBe(true);
    expect((await show({ ...challenge, code_challenge_method: 'plain' })).status).toBe(400);
  });

  it('grants less than was asked for, adds scopes up, and names what the app was not asked for', async () => {
    simulator.switches.withheldScopes = ['admin'];
    const first = await slack.exchange(await slack.code(ada(), 'Northwind', { user_scope: 'admin,users:read' }));
    expect(first.json.authed_user).toMatchObject({ scope: 'admin,users:read' });
    const rune = slack.person('rune.dahl', 'business');
    const fresh = await slack.exchange(await slack.code(rune, 'Northwind', { user_scope: 'admin,users:read' }));
    expect(fresh.json.authed_user).toMatchObject({ scope: 'users:read' });
    Object.assign(simulator.switches, { withheldScopes: [], identifyInScope: true });
    const more = await slack.exchange(await slack.code(rune, 'Northwind', { user_scope: 'admin' }));
    expect(more.json.authed_user).toMatchObject({ scope: 'identify,users:read,admin' });
  });

  it('gives a workspace install the scopes of the organization install, or refuses it', async () => {
    const merged = await slack.exchange(await slack.code(oscar(), 'Acme Lyon', { user_scope: 'users:read' }));
    expect(merged.json.authed_user).toMatchObject({ scope: 'users:read,admin' });
    simulator.switches.workspaceInstallOfOrgApp = 'refused';
    const refused = await slack.exchange(await slack.code(oscar(), 'Acme Lyon'));
    expect(refused.json.error).toBe('cannot_install_an_org_installed_app');
  });

  it('gives the same long-lived token to somebody who authorizes again', async () => {
    simulator.switches.tokenRotation = false;
    const first = await slack.install(amara(), 'Acme Lyon');
    const second = await slack.install(amara(), 'Acme Lyon', { user_scope: 'admin,users:read' });
    expect(second.accessToken).toBe(first.accessToken);
    expect((await slack.install(ada(), 'Northwind')).accessToken).toBe(simulator.tokens['business-admin']);
  });

  it('keeps an old client secret for a day', async () => {
    const old = simulator.app.clientSecret;
    await fetch(`${simulator.url}/_simulator/app/client-secret`, { method: 'POST' });
    expect(simulator.app.clientSecret).not.toBe(old);
    const withOld = async () => {
      const { json } = await slack.exchange(await slack.code(ada(), 'Northwind'), { client_secret: old });
      return json.ok === true ? 'ok' : json.error;
    };
    expect(await withOld()).toBe('ok');
    clock.advance(86_400_000);
    expect(await withOld()).toBe('bad_client_secret');
    expect((await slack.exchange(await slack.code(ada(), 'Northwind'))).json.ok).toBe(true);
  });
});

describe('what was issued', () => {
  it('is in no log, snapshot or state file, and is recognised after a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'simulator-'));
    const stateFile = join(folder, 'slack.json');
    const first = await startSimulator({ seed: 'kept', stateFile });
    const client = new OAuthClient(first);
    const person = client.person('ada.lovelace', 'business');
    const code = await client.code(person, 'Northwind');
    const unused = await client.code(person, 'Northwind');
    const pair = pairOf((await client.exchange(code)).json.authed_user);
    await fetch(`${first.url}/api/auth.test?code=${code}&refresh_token=${pair.refreshToken}`);
    const said = JSON.stringify(first.snapshot()) + JSON.stringify(first.requests);
    await first.stop();
    const written = await readFile(stateFile, 'utf8');
    const secrets = [code, unused, 'st4te', pair.accessToken, pair.refreshToken, first.app.clientSecret];
    for (const secret of secrets) expect(said + written).not.toContain(secret);

    const second = await startSimulator({ seed: 'kept', stateFile });
    const again = new OAuthClient(second);
    expect(await again.standing(pair.accessToken)).toBe('ok');
    expect((await again.exchange(unused)).json.ok).toBe(true);
    expect((await again.exchange(code)).json.error).toBe('invalid_code');
    const { json } = await again.refresh(pair.refreshToken);
    expect(json.ok).toBe(true);
    expect(pairOf(json)).not.toEqual(pair);
    await second.stop();
    await rm(folder, { recursive: true });
  });

  it('is in the state file before it is answered, so that a simulator that is killed forgets nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'simulator-'));
    const stateFile = join(folder, 'slack.json');
    const killed = await startSimulator({ seed: 'killed', stateFile });
    const client = new OAuthClient(killed);
    const first = await client.install(client.person('ada.lovelace', 'business'), 'Northwind');
    const second = pairOf((await client.refresh(first.refreshToken)).json);
    await copyFile(stateFile, join(folder, 'as-left.json'));
    await killed.stop();
    const restarted = await startSimulator({ seed: 'killed', stateFile: join(folder, 'as-left.json') });
    const again = new OAuthClient(restarted);
    expect(await again.standing(second.accessToken)).toBe('ok');
    expect((await again.refresh(second.refreshToken)).json.ok).toBe(true);
    await restarted.stop();
    await rm(folder, { recursive: true });
  });

  it('starts from the seeded tokens in a file that knows no installations', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'simulator-'));
    const stateFile = join(folder, 'slack.json');
    const { oauth: _oauth, ...older } = simulator.snapshot();
    await writeFile(stateFile, JSON.stringify(older));
    const restarted = await startSimulator({ seed: 'install', stateFile });
    const token = restarted.tokens['business-admin'];
    expect((await new OAuthClient(restarted).asApp({ token }, 'oauth.v2.exchange')).json.ok).toBe(true);
    await restarted.stop();
    await rm(folder, { recursive: true });
  });

  it('is never given out twice, not even over a reset', async () => {
    const first = await slack.install(ada(), 'Northwind');
    simulator.reset();
    const second = await slack.install(ada(), 'Northwind');
    expect(second.accessToken).not.toBe(first.accessToken);
    expect(await slack.standing(first.accessToken)).toBe('invalid_auth');
  });
});
