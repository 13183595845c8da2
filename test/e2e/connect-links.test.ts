import { gatewayAppManifest, tokenAppManifest } from '../../src/http/app-manifest';
import {
  admin,
  formActions,
  InstallVisitor,
  newInstall,
  newLink,
  owner,
  readInstall,
} from '../support/install-visitor';
import { LeakSearch } from '../support/leak-search';
import { MovedClock } from '../support/moved-clock';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';
import { createKey } from '../support/tenants';

const HOUR = 3_600_000;

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

const paste = (url: string, token: string) => visitor.post(`${url}/token`, { token });
/** Follows the redirect after a token that was taken. */
const pasteGood = async (url: string, token: string) => {
  const { status, headers } = await paste(url, token);
  expect(status).toBe(303);
  return visitor.get(headers.get('location') ?? '');
};

describe('a token that is pasted', () => {
  it('connects, and the partner learns of it', async () => {
    const { id, url } = await newLink(client, { externalId: 'c-1', returnUrl: 'https://partner.example/app' });

    const page = await pasteGood(url, ` ${app.simulator.tokens['enterprise-owner']}\n`);

    const install = await readInstall(client, id);
    expect(install).toMatchObject({ status: 'COMPLETED', connection: { status: 'ACTIVE' }, problem: null });
    expect(page).toMatchObject({
      heading: 'Slack is connected',
      next: `https://partner.example/app?install=${id}&status=connected&connection=${install?.connection?.id}`,
    });
    expect(await client.read(install?.connection?.id ?? '')).toMatchObject({ name: 'Acme', externalId: 'c-1' });
    expect(await visitor.get(url)).toMatchObject({ status: 410, heading: 'This link was used already' });
    expect(await paste(url, app.simulator.tokens['business-admin'])).toMatchObject({ status: 410 });
    expect(await visitor.post(url, { level: 'WORKSPACE' })).toMatchObject({ status: 410, next: undefined });
  });

  it.each([
    ['business-bot', 'WRONG_TOKEN_KIND', 'This is not a user token.'],
    ['business-scopeless', 'MISSING_SCOPES', 'The token lacks scopes that provisioning needs.'],
    [
      'enterprise-workspace',
      'WRONG_INSTALL_LEVEL',
      'The app is installed on one workspace of an Enterprise organization',
    ],
    ['pro-admin', 'PLAN_TOO_LOW', 'plan of this team does not include provisioning'],
    ['demoted-installer', 'INSTALLER_LOST_RIGHTS', 'is no longer an active Admin or Owner'],
    ['revoked', 'TOKEN_REVOKED', 'The token was revoked in Slack'],
    ['xoxp-1-2-3-0123456789abcdef0123456789', 'INVALID_TOKEN', 'Slack does not know this token.'],
    ['', 'INVALID_TOKEN', 'Slack does not know this token.'],
  ])(
    'and does not work (%s) brings the form back with what is wrong, and without the token',
    async (name, code, text) => {
      const { id, url } = await newLink(client);
      const tokens: Readonly<Record<string, string>> = app.simulator.tokens;
      const token = tokens[name] ?? name;

      const page = await paste(url, token);

      expect(page).toMatchObject({ status: 422, heading: 'The token could not be used' });
      expect(page.text).toContain('role="alert"');
      expect(page.text).toContain(text);
      expect(page.text).toMatch(/<input type="password" id="token"[^>]*aria-invalid="true" autofocus/);
      if (token !== '') expect(new LeakSearch({ token }).in(page.text)).toEqual([]);
      expect(await readInstall(client, id)).toMatchObject({ status: 'OPEN', connection: null, problem: { code } });
      expect(formActions(page)).toEqual([new URL(url).pathname, `${new URL(url).pathname}/token`]);
      const anew = await visitor.get(`${url}/token`);
      expect([anew.status, anew.headers.get('location')]).toEqual([303, new URL(url).pathname]);
    },
  );

  it('renews the connection of the same customer, or of the same team, and no other', async () => {
    const token = app.simulator.tokens['business-admin'];
    const first = await newLink(client, { externalId: 'c-1' });
    await pasteGood(first.url, token);
    const known = (await readInstall(client, first.id))?.connection?.id ?? '';

    for (const input of [{ externalId: 'c-1' }, {}, { connectionId: known }]) {
      const again = await newLink(client, input);
      await pasteGood(again.url, token);
      expect((await readInstall(client, again.id))?.connection?.id).toBe(known);
    }
    const other = await newLink(client, { externalId: 'c-2' });
    expect((await paste(other.url, token)).text).toContain('This Slack team is connected already.');
    const customer = await newLink(client, { externalId: 'c-1' });
    const enterprise = app.simulator.tokens['enterprise-owner'];
    expect((await paste(customer.url, enterprise)).text).toContain('You are connected to another Slack team already.');
    expect((await visitor.install(customer.url, owner, { level: 'ORGANIZATION' })).heading).toBe(
      'Another Slack team is connected already',
    );
    await client.change('disconnect', { id: known, revokeToken: false });
    const back = await newLink(client);
    await pasteGood(back.url, token);
    expect(await readInstall(client, back.id)).toMatchObject({ connection: { id: known, status: 'ACTIVE' } });
  });

  it('is not taken on a link that is for the consent page, nor without a form', async () => {
    const { url } = await newInstall(client);
    expect((await visitor.get(url)).text).not.toContain('name="token"');
    expect(await paste(url, app.simulator.tokens['enterprise-owner'])).toMatchObject({ status: 404 });
    const link = await newLink(client);
    expect(await visitor.post(`${link.url}/token`, {})).toMatchObject({ heading: 'This could not be read' });
    expect(app.simulator.requests).toEqual([]);
  });

  it('can follow a failed try at Slack in the same browser', async () => {
    const { id, url } = await newLink(client);
    const denied = await visitor.install(url, { ...owner, decision: 'cancel' }, { level: 'ORGANIZATION' });
    const [, action = ''] = formActions(denied);
    const { headers } = await visitor.post(action, { token: app.simulator.tokens['enterprise-owner'] });
    expect((await visitor.get(headers.get('location') ?? '')).heading).toBe('Slack is connected');
    expect(await readInstall(client, id)).toMatchObject({ status: 'COMPLETED' });
    const stranger = new InstallVisitor(app.url, app.simulator);
    expect(await stranger.post(action, { token: 'xoxp-1' })).toMatchObject({ status: 404 });
    expect(await stranger.post(denied.url, { level: 'WORKSPACE' })).toMatchObject({ status: 404 });
  });
});

describe('the page of a link', () => {
  it('explains both ways, and asks for a choice', async () => {
    const { url } = await newLink(client, { environment: 'LIVE' });
    const { text } = await visitor.get(url);
    for (const part of [
      'Install with Slack',
      'Or: I have a token',
      'OAuth &amp; Permissions',
      'Install to Organization',
    ])
      expect(text).toContain(part);
    const [, href = ''] = /<a href="(https:\/\/api\.slack\.com\/apps[^"]+)"/.exec(text) ?? [];
    const query = new URL(href.replaceAll('&amp;', '&')).searchParams;
    expect([query.get('new_app'), JSON.parse(query.get('manifest_json') ?? '')]).toEqual(['1', tokenAppManifest()]);
    expect(await visitor.post(url, {})).toMatchObject({ status: 422, heading: 'Choose what is to be connected' });
    expect(await visitor.post(url, { level: 'GALAXY' })).toMatchObject({ status: 422 });
  });

  it('offers the token alone where the gateway has no app', async () => {
    const { url } = await newLink(client, { environment: 'GOV' });
    const { text } = await visitor.get(url);
    expect(text).toContain('Connect with a token');
    expect(text).toContain('https://api.slack-gov.com/apps?new_app=1');
    expect(text).not.toContain('Continue to Slack');
    expect(await visitor.post(url, { level: 'WORKSPACE' })).toMatchObject({
      status: 503,
      heading: 'Nothing can be installed at the moment',
    });
  });

  it('changes nothing when it is loaded, however often', async () => {
    const { id, url } = await newLink(client);
    for (const purpose of ['', 'prefetch']) expect((await visitor.get(url, { purpose })).status).toBe(200);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    expect(visitor.cookies.size).toBe(0);
    expect(await readInstall(client, id)).toMatchObject({ status: 'OPEN', problem: null });
  });

  it.each([
    'connect/x',
    'install/x',
    'reconnect/x',
    `connect/${'A'.repeat(43)}`,
    'install/result/att_0',
    'install/result',
  ])('leads nowhere at /%s', async (path) => {
    const page = await visitor.get(`/${path}`);
    expect(page.status).toBe(404);
    expect(page.heading).toMatch(/leads nowhere|Nothing is known/);
  });

  it('shows names as they are, and not as a part of the page', async () => {
    const name = `<script>alert(1)</script> & "quotes" 'too'`;
    const { url } = await newLink(client, { name });
    const { text } = await visitor.get(url);
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot; &#39;too&#39;');
    expect(text).not.toContain('<script');
  });
});

describe('every page', () => {
  it('has a strict policy, is stored nowhere, and tells no other site where it was', async () => {
    const { url } = await newLink(client, { returnUrl: 'https://partner.example/app' });
    const pages = [
      await visitor.get(url),
      await visitor.post(url, { level: 'ORGANIZATION' }),
      await paste(url, 'xoxb-1'),
      await visitor.get('/connect/x'),
      await visitor.get('/api/auth/callback/slack'),
      await visitor.post(url, {}, { 'sec-fetch-site': 'cross-site' }),
      await visitor.comeBack(await visitor.decide(await visitor.begin(url, { level: 'ORGANIZATION' }), owner)),
    ];
    for (const { headers, text } of pages) {
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
      );
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(text).toMatch(/^<!DOCTYPE html>\n<html lang="en">/);
      expect(text.match(/<h1>/g)).toHaveLength(1);
      expect(text).not.toMatch(/<script|javascript:|\son\w+=|style="/i);
    }
  });

  it('takes forms from itself alone', async () => {
    const { id, url } = await newLink(client);
    const token = app.simulator.tokens['enterprise-owner'];
    const origin = new URL(app.url).origin;
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
    ]) {
      expect((await visitor.post(url, { level: 'WORKSPACE' }, headers)).status).toBe(403);
      expect((await visitor.post(`${url}/token`, { token }, headers)).status).toBe(403);
    }
    const raw = (headers: Record<string, string>) =>
      fetch(url, { method: 'POST', body: new URLSearchParams({ level: 'WORKSPACE' }), headers });
    expect((await raw({ origin: 'https://evil.example' })).status).toBe(403);
    expect((await raw({ origin: 'null' })).status).toBe(403);
    expect((await raw({})).status).toBe(403);
    expect((await raw({ origin })).status).toBe(200);
    expect(app.simulator.requests).toEqual([]);
    expect(await readInstall(client, id)).toMatchObject({ status: 'OPEN', problem: null });
  });

  it('takes nothing but small forms', async () => {
    const { url } = await newLink(client);
    const send = (body: string, type: string) =>
      fetch(`${url}/token`, {
        method: 'POST',
        body,
        headers: { 'content-type': type, 'sec-fetch-site': 'same-origin' },
      });
    const large = await send(`token=${'x'.repeat(17 * 1024)}`, 'application/x-www-form-urlencoded');
    expect([large.status, await large.text()]).toEqual([413, expect.stringContaining('This could not be read')]);
    expect((await send('{"token":"x"}', 'application/json')).status).toBe(415);
    expect((await send('token=a&token=b', 'application/x-www-form-urlencoded')).status).toBe(400);
    const json = await fetch(`${app.url}/graphql`, { method: 'POST', body: 'query=x', headers: formType });
    expect(json.status).toBe(415);
  });
  const formType = { 'content-type': 'application/x-www-form-urlencoded' };

  it('keeps one cookie, which other sites and scripts cannot use', async () => {
    const { url } = await newLink(client);
    const first = await visitor.post(url, { level: 'WORKSPACE' });
    const [cookie = ''] = first.headers.getSetCookie();
    expect(cookie).toMatch(/^rollcall-browser=[\w-]{43}; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/);
    const second = await visitor.post(url, { level: 'WORKSPACE' });
    expect(second.headers.getSetCookie()).toEqual([cookie]);
    expect(new URL(second.next ?? '').searchParams.get('state')).not.toBe(
      new URL(first.next ?? '').searchParams.get('state'),
    );
  });
});

describe('a gateway behind an address of its own', () => {
  it('names it in links, forms, cookies and manifests', async () => {
    const behind = await startTestApp({
      simulator: app.simulator,
      env: { ROLLCALL_PUBLIC_URL: 'https://connect.example/slack/' },
    });
    try {
      const { url } = await newLink(new TenantClient(behind, behind.adminKey));
      expect(url).toMatch(/^https:\/\/connect\.example\/slack\/connect\/[\w-]{43}$/);
      const local = url.replace('https://connect.example/slack', behind.url);
      const page = await visitor.get(local);
      expect(page.heading).toBe('Connect Slack to connect.example');
      expect(formActions(page)[0]).toBe(new URL(url).pathname);
      const begun = await visitor.post(local, { level: 'WORKSPACE' });
      expect(begun.headers.getSetCookie()[0]).toMatch(
        /^__Host-rollcall-browser=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      );
      expect(new URL(begun.next ?? '').searchParams.get('redirect_uri')).toBe(
        'https://connect.example/slack/api/auth/callback/slack',
      );
      const manifest = await fetch(`${behind.url}/slack/manifest.json`);
      expect(await manifest.json()).toEqual(gatewayAppManifest('https://connect.example/slack'));
    } finally {
      await behind.stop();
    }
  });
});

describe('a manifest', () => {
  it('of the app of this gateway has the addresses that Slack must know', async () => {
    const answer = await fetch(`${app.url}/slack/manifest.json`);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await answer.json()).toMatchObject({
      oauth_config: {
        redirect_urls: [`${app.url}/api/auth/callback/slack`],
        scopes: { user: ['admin'], bot: ['team:read'] },
      },
      settings: {
        event_subscriptions: { request_url: `${app.url}/slack/events` },
        org_deploy_enabled: true,
        token_rotation_enabled: true,
      },
    });
  });

  it('of an app whose token is pasted has no way back and does not rotate', async () => {
    const answer = await fetch(`${app.url}/slack/manifest.json?for=token`);
    const manifest = await answer.json();
    expect(manifest).toMatchObject({ settings: { org_deploy_enabled: true, token_rotation_enabled: false } });
    expect(JSON.stringify(manifest)).not.toMatch(/redirect_urls|event_subscriptions|http/);
  });
});

describe('a connection that has stopped working', () => {
  const issuesOf = async (id: string) => {
    const { data } = await client.call<{
      connection: { issues: { code: string; actor: string; reauthorizeUrl: string | null }[] };
    }>('query ($id: ID!) { connection(id: $id) { issues { code actor reauthorizeUrl } } }', { id });
    return data?.connection.issues ?? [];
  };
  /** An organization's connection whose grant was taken back at Slack. */
  const broken = async () => {
    const { id } = await client.connect('enterprise-owner');
    const person = app.simulator.world.organization('enterprise').personByUserName('oscar.lindqvist');
    app.simulator.revokeGrants(person?.id ?? '');
    await client.change('verifyConnection', { id });
    return id;
  };

  it('has a link in its issue that is the same all day, names what is wrong, and repairs it', async () => {
    const id = await broken();
    const [issue] = await issuesOf(id);
    expect(issue).toMatchObject({ actor: 'ORG_OWNER', reauthorizeUrl: expect.stringContaining('/reconnect/') });
    expect(await issuesOf(id)).toEqual([issue]);
    const url = issue?.reauthorizeUrl ?? '';

    const page = await visitor.get(url);
    expect(page.heading).toMatch(/^Reconnect Slack to Tenant/);
    expect(page.text).toContain('The connection has stopped working.');
    expect(page.text).not.toContain('name="token"');
    expect((await visitor.install(url, owner)).heading).toBe('Slack is connected');

    expect(await client.read(id)).toMatchObject({ id, status: 'ACTIVE' });
    expect(await issuesOf(id)).toEqual([]);
    expect(await visitor.get(url)).toMatchObject({ status: 200, heading: 'There is nothing to repair here' });
    expect(await visitor.post(url)).toMatchObject({ heading: 'There is nothing to repair here', next: undefined });
  });

  it('takes no other team by its link, and can be tried again', async () => {
    const id = await broken();
    const [issue] = await issuesOf(id);
    const wrong = await visitor.install(issue?.reauthorizeUrl ?? '', { ...owner, place: 'Acme Lyon' });
    expect(wrong.heading).toBe('A workspace was chosen, not the organization');
    expect(await client.read(id)).toMatchObject({ status: 'REAUTHORIZATION_REQUIRED' });
    const [retry = ''] = formActions(wrong);
    expect((await visitor.install(retry, owner)).heading).toBe('Slack is connected');
    expect(await client.read(id)).toMatchObject({ status: 'ACTIVE' });
  });

  it('has a link that ends: after a week, when it is disconnected, and when it is deleted', async () => {
    const id = await broken();
    const [issue] = await issuesOf(id);
    const url = issue?.reauthorizeUrl ?? '';
    clock.advance(9 * 24 * HOUR);
    expect(await visitor.get(url)).toMatchObject({ status: 410, heading: 'This link has expired' });
    const [later] = await issuesOf(id);
    const fresh = later?.reauthorizeUrl ?? '';
    expect(fresh).not.toBe(url);
    // Not the last character, of which some bits stand for nothing.
    const forged = fresh.replace(/.(?=.{4}$)/, (character) => (character === 'A' ? 'B' : 'A'));
    expect((await visitor.get(forged)).status).toBe(404);
    await client.change('disconnect', { id, revokeToken: false });
    expect(await visitor.get(fresh)).toMatchObject({ status: 410, heading: 'This connection was ended' });
    await client.call('mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId } }', { id });
    expect(await visitor.get(fresh)).toMatchObject({ status: 410, heading: 'This link was withdrawn' });
  });

  it('has no link for a key that may not change connections', async () => {
    const id = await broken();
    const { data } = await client.call<{ viewer: { tenant: { id: string } } }>('{ viewer { tenant { id } } }');
    const key = await createKey(app, ['CONNECTIONS_READ'], { tenantId: data?.viewer.tenant.id });
    client = new TenantClient(app, key);
    expect(await issuesOf(id)).toMatchObject([{ actor: 'ORG_OWNER', reauthorizeUrl: null }]);
  });

  it('for want of a scope has a link in the problem, too', async () => {
    const { id } = await client.connect('business-admin');
    const grant = [...app.simulator.world.grants.values()].find(({ name }) => name === 'business-admin');
    if (grant) Object.assign(grant, { scopes: ['identify'] });
    const verify = `mutation ($id: ID!) { verifyConnection(input: { id: $id }) {
      problems { code ... on MissingScopesProblem { missingScopes reauthorizeUrl } } } }`;
    const { data } = await client.call<{ verifyConnection: { problems: { reauthorizeUrl: string }[] } }>(verify, {
      id,
    });
    expect(data?.verifyConnection.problems).toMatchObject([{ code: 'MISSING_SCOPES', missingScopes: ['admin'] }]);
    const url = data?.verifyConnection.problems[0]?.reauthorizeUrl ?? '';
    expect((await visitor.get(url)).text).toContain('The token lacks scopes that provisioning needs.');
    expect(await issuesOf(id)).toMatchObject([{ actor: 'ADMIN', reauthorizeUrl: url }]);
    expect((await visitor.install(url, admin)).heading).toBe('Slack is connected');
    expect(await client.read(id)).toMatchObject({ status: 'ACTIVE', installer: { displayName: 'ada.lovelace' } });
    const created = await client.createConnection('business-scopeless');
    expect(created.problems).toMatchObject([{ code: 'MISSING_SCOPES' }]);
  });

  it('has no link where installing repairs nothing', async () => {
    const { id } = await client.connect('business-admin');
    app.simulator.world.organization('business').plan = 'pro';
    await client.change('verifyConnection', { id });
    expect(await issuesOf(id)).toEqual([{ code: 'PLAN_TOO_LOW', actor: 'OWNER', reauthorizeUrl: null }]);
  });
});
