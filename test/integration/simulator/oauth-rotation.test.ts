import { ManualClock } from '../../../src/simulator/clock';
import type { FaultRule } from '../../../src/simulator/faults/fault';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { OAuthClient, type Pair, pairOf } from './oauth-client';

const clock = new ManualClock();
let simulator: Simulator;
let slack: OAuthClient;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'rotation', clock });
  slack = new OAuthClient(simulator);
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.stop());

const ada = () => slack.person('ada.lovelace', 'business');
const oscar = () => slack.person('oscar.lindqvist', 'enterprise');
const installed = () => slack.install(ada(), 'Northwind');
const refreshed = async ({ refreshToken }: Pair) => pairOf((await slack.refresh(refreshToken)).json);
const errorOf = async ({ refreshToken }: Pair) => (await slack.refresh(refreshToken)).json.error;

describe('a refresh', () => {
  it('answers flat, for a person of a workspace', async () => {
    const first = await installed();
    const { status, json } = await slack.refresh(first.refreshToken);
    expect(status).toBe(200);
    expect(json).toEqual({
      ok: true,
      app_id: simulator.app.appId,
      access_token: expect.stringMatching(/^xoxe\.xoxp-1-/),
      refresh_token: expect.stringMatching(/^xoxe-1-/),
      expires_in: 43_200,
      token_type: 'user',
      scope: 'admin',
      user_id: ada().id,
      team: { id: slack.placeId('Northwind'), name: 'Northwind' },
      enterprise: null,
      is_enterprise_install: false,
    });
    expect(pairOf(json)).not.toEqual(first);
  });

  it('answers flat for the bot of an organization install, with a pair of its own', async () => {
    const { json } = await slack.exchange(await slack.code(oscar(), 'Acme Group'));
    const answer = await slack.refresh(pairOf(json).refreshToken);
    expect(answer.json).toMatchObject({
      token_type: 'bot',
      scope: 'team:read',
      bot_user_id: json.bot_user_id,
      team: null,
      enterprise: { name: 'Acme Group' },
      is_enterprise_install: true,
    });
    expect(answer.json).not.toHaveProperty('user_id');
    expect(await slack.standing(pairOf(json.authed_user).accessToken)).toBe('ok');
  });

  it('names the person elsewhere, or not, under a switch', async () => {
    const first = await installed();
    simulator.switches.refreshUserId = 'id';
    const second = await slack.refresh(first.refreshToken);
    expect(second.json).toMatchObject({ id: ada().id });
    expect(second.json).not.toHaveProperty('user_id');
    simulator.switches.refreshUserId = 'missing';
    expect(JSON.stringify((await slack.refresh(pairOf(second.json).refreshToken)).json)).not.toContain(ada().id);
  });

  it('lets the old access token live to its end', async () => {
    const first = await installed();
    clock.advance(43_199_000);
    await refreshed(first);
    expect(await slack.standing(first.accessToken)).toBe('ok');
    clock.advance(1_000);
    expect(await slack.standing(first.accessToken)).toBe('token_expired');
  });

  it('leaves two access tokens alive and ends the oldest', async () => {
    const first = await installed();
    const second = await refreshed(first);
    const third = await refreshed(second);
    expect(await slack.standing(first.accessToken)).toBe('token_revoked');
    expect(await slack.standing(second.accessToken)).toBe('ok');
    expect(await slack.standing(third.accessToken)).toBe('ok');
  });

  it('works once, and again within the grace period for another pair, of which the earlier later fails', async () => {
    const first = await installed();
    const earlier = await refreshed(first);
    clock.advance(59_999);
    const later = await refreshed(first);
    expect(later).not.toEqual(earlier);
    expect(await slack.standing(later.accessToken)).toBe('ok');
    clock.advance(1);
    expect(await errorOf(first)).toBe('invalid_refresh_token');
    expect(await errorOf(earlier)).toBe('invalid_refresh_token');
    expect(await slack.standing((await refreshed(later)).accessToken)).toBe('ok');
  });

  it('works once only without a grace period', async () => {
    simulator.switches.refreshGraceMs = 0;
    const first = await installed();
    const second = await refreshed(first);
    expect(await errorOf(first)).toBe('invalid_refresh_token');
    expect(await slack.standing((await refreshed(second)).accessToken)).toBe('ok');
  });

  it('needs no access token that is alive: an idle connection survives', async () => {
    const first = await installed();
    clock.advance(90 * 86_400_000);
    expect(await slack.standing((await refreshed(first)).accessToken)).toBe('ok');
  });

  it('has an end after 30 days with PKCE, and needs no secret then', async () => {
    simulator.switches.pkce = true;
    const first = await installed();
    const fields = { client_id: simulator.app.clientId, grant_type: 'refresh_token' };
    const { json } = await slack.api('oauth.v2.access', { ...fields, refresh_token: first.refreshToken });
    expect(json.ok).toBe(true);
    clock.advance(30 * 86_400_000);
    expect(await errorOf(pairOf(json))).toBe('invalid_refresh_token');
  });

  it('checks the client first', async () => {
    const { refreshToken } = await installed();
    const fields = { grant_type: 'refresh_token', refresh_token: refreshToken };
    expect((await slack.asApp({ ...fields, client_secret: 'wrong' })).json.error).toBe('bad_client_secret');
    expect((await slack.asApp({ ...fields, client_id: '' })).json.error).toBe('invalid_client_id');
    expect((await slack.asApp(fields)).json.ok).toBe(true);
  });

  it('refuses a dead token with HTTP 200, or with HTTP 400 under a switch', async () => {
    const dead = await slack.refresh('xoxe-1-unknown');
    expect([dead.status, dead.json]).toEqual([200, { ok: false, error: 'invalid_refresh_token' }]);
    simulator.switches.refreshFailure = 'invalid_grant';
    const other = await slack.refresh('xoxe-1-unknown');
    expect([other.status, other.json]).toEqual([400, { ok: false, error: 'invalid_grant' }]);
  });

  it('fails for somebody who was deactivated', async () => {
    const first = await installed();
    simulator.world.organization('business').deactivate(ada(), clock.now(), 0);
    expect(await errorOf(first)).toBe('invalid_refresh_token');
  });

  it('takes no access token, and no API takes a refresh token', async () => {
    const { accessToken, refreshToken } = await installed();
    expect((await slack.refresh(accessToken)).json.error).toBe('invalid_refresh_token');
    expect(await slack.standing(refreshToken)).toBe('invalid_auth');
    const headers = { authorization: `Bearer ${refreshToken}` };
    expect((await fetch(`${simulator.url}/scim/v2/Users`, { headers })).status).toBe(401);
  });
});

describe('a fault during a refresh', () => {
  it.each<FaultRule>([
    { kind: 'resetAfter' },
    { kind: 'truncated' },
    { kind: 'garbage' },
    { kind: 'status', status: 502, applied: true },
  ])('after rotating loses the answer, and the grace period brings another: %j', async (fault) => {
    const first = await installed();
    simulator.faults.add({ ...fault, match: { path: '^/api/oauth' } });
    await expect(slack.refresh(first.refreshToken).then(({ json }) => pairOf(json))).rejects.toThrow();
    expect(simulator.requests.at(-1)).toMatchObject({ isApplied: true, fault: fault.kind });
    const second = await refreshed(first);
    clock.advance(60_000);
    expect(await errorOf(first)).toBe('invalid_refresh_token');
    expect(await slack.standing(second.accessToken)).toBe('ok');
  });

  it('before rotating changes nothing', async () => {
    const first = await installed();
    simulator.faults.add({ kind: 'resetBefore' });
    await expect(slack.refresh(first.refreshToken)).rejects.toThrow();
    simulator.faults.add({ kind: 'slackError', error: 'internal_error' });
    expect((await slack.refresh(first.refreshToken)).json).toEqual({ ok: false, error: 'internal_error' });
    simulator.faults.add({ kind: 'rateLimited', retryAfter: 7 });
    expect((await slack.refresh(first.refreshToken)).headers.get('retry-after')).toBe('7');
    clock.advance(3_600_000);
    expect(await slack.standing((await refreshed(first)).accessToken)).toBe('ok');
  });

  it('can be meant for one organization, by the refresh token', async () => {
    const ours = await installed();
    const theirs = await slack.install(oscar(), 'Acme Group');
    simulator.faults.add({ kind: 'slackError', error: 'fatal_error', match: { organization: 'enterprise' } });
    expect((await slack.refresh(ours.refreshToken)).json.ok).toBe(true);
    expect(await errorOf(theirs)).toBe('fatal_error');
  });
});

describe('oauth.v2.exchange', () => {
  const move = (token: string) => slack.asApp({ token }, 'oauth.v2.exchange');

  it('makes a pair of a long-lived token, which ends with the first refresh of the pair', async () => {
    const token = simulator.tokens['business-admin'];
    const { json } = await move(token);
    expect(json).toMatchObject({ ok: true, token_type: 'user', scope: 'admin', expires_in: 43_200, user_id: ada().id });
    expect(await slack.standing(token)).toBe('ok');
    expect(await slack.standing(pairOf(json).accessToken)).toBe('ok');
    await refreshed(pairOf(json));
    expect(await slack.standing(token)).toBe('token_revoked');
  });

  it('works once for each token, and for long-lived ones only', async () => {
    await move(simulator.tokens['business-admin']);
    expect((await move(simulator.tokens['business-admin'])).json.error).toBe('token_already_exchanged');
    expect((await move(simulator.tokens['business-rotating'])).json.error).toBe('invalid_token');
    expect((await move('xoxp-1-2-3-unknown')).json.error).toBe('invalid_token');
    expect((await move(simulator.tokens.revoked)).json.error).toBe('authorization_not_found');
    const wrong = { token: simulator.tokens['business-owner'], client_secret: 'wrong' };
    expect((await slack.asApp(wrong, 'oauth.v2.exchange')).json.error).toBe('bad_client_secret');
    simulator.switches.tokenRotation = false;
    expect((await move(simulator.tokens['business-owner'])).json.error).toBe('token_rotation_not_enabled');
  });
});

describe('ending tokens', () => {
  const revoke = (token: string) => slack.api('auth.revoke', {}, { authorization: `Bearer ${token}` });

  it('revokes a rotating token alone, access and refresh token each', async () => {
    const first = await installed();
    expect((await revoke(first.accessToken)).json).toEqual({ ok: true, revoked: true });
    expect(await slack.standing(first.accessToken)).toBe('token_revoked');
    const second = await refreshed(first);
    expect((await revoke(second.refreshToken)).json).toEqual({ ok: true, revoked: true });
    expect((await revoke(second.refreshToken)).json.error).toBe('invalid_auth');
    expect(await errorOf(second)).toBe('invalid_refresh_token');
    expect(await slack.standing(second.accessToken)).toBe('ok');
  });

  it('takes the whole authorization with a long-lived token, the pair made of it included', async () => {
    const token = simulator.tokens['business-admin'];
    const pair = pairOf((await slack.asApp({ token }, 'oauth.v2.exchange')).json);
    await revoke(token);
    expect(await slack.standing(pair.accessToken)).toBe('token_revoked');
    expect(await errorOf(pair)).toBe('invalid_refresh_token');
    expect(await slack.standing(simulator.tokens['business-owner'])).toBe('ok');
  });

  it('uninstalls the app from one place with everybody in it', async () => {
    const pair = await installed();
    const headers = { authorization: `Bearer ${pair.accessToken}` };
    const fields = { client_id: simulator.app.clientId, client_secret: simulator.app.clientSecret };
    const wrong = await slack.api('apps.uninstall', { ...fields, client_secret: 'wrong' }, headers);
    expect(wrong.json.error).toBe('bad_client_secret');
    expect((await slack.api('apps.uninstall', fields)).json.error).toBe('not_authed');
    const bot = { authorization: `Bearer ${simulator.tokens['business-bot']}` };
    expect((await slack.api('apps.uninstall', fields, bot)).json.error).toBe('no_permission');
    expect((await slack.api('apps.uninstall', fields, headers)).json).toEqual({ ok: true, uninstalled: true });
    expect(await slack.standing(simulator.tokens['business-owner'])).toBe('token_revoked');
    expect(await slack.standing(simulator.tokens['business-bot'])).toBe('account_inactive');
    expect(await errorOf(pair)).toBe('invalid_refresh_token');
    expect(await slack.standing(simulator.tokens['enterprise-owner'])).toBe('ok');
    expect(await slack.standing((await installed()).accessToken)).toBe('ok');
  });

  it('may leave out whether it uninstalled', async () => {
    simulator.switches.uninstallAnswer = 'bare';
    const token = simulator.tokens['enterprise-owner'];
    expect((await slack.asApp({ token }, 'apps.uninstall')).json).toEqual({ ok: true });
  });
});

describe('auth.teams.list', () => {
  const list = (fields: Record<string, string> = {}, token = simulator.tokens['enterprise-owner']) =>
    slack.api('auth.teams.list', fields, { authorization: `Bearer ${token}` });

  it('names the workspaces that an organization install was added to, page by page', async () => {
    expect((await list()).json).toEqual({ ok: true, teams: [], response_metadata: { next_cursor: '' } });
    const added = async (teamId: string, isAdded: boolean) =>
      (
        await fetch(`${simulator.url}/_simulator/app/workspaces`, {
          method: 'POST',
          body: JSON.stringify({ teamId, isAdded }),
        })
      ).status;
    const [berlin, lyon] = [slack.placeId('Acme Berlin'), slack.placeId('Acme Lyon')];
    expect([await added(berlin, true), await added(lyon, true)]).toEqual([200, 200]);
    expect(await added(slack.placeId('Northwind'), true)).toBe(400);
    const first = (await list({ limit: '1' })).json as { response_metadata: { next_cursor: string } };
    expect(first).toMatchObject({ teams: [{ id: berlin, name: 'Acme Berlin' }] });
    const cursor = first.response_metadata.next_cursor;
    expect((await list({ limit: '1', cursor })).json).toEqual({
      ok: true,
      teams: [{ id: lyon, name: 'Acme Lyon' }],
      response_metadata: { next_cursor: '' },
    });
    await added(berlin, false);
    expect((await list({ include_icon: 'true' })).json.teams).toEqual([
      expect.objectContaining({ id: lyon, icon: expect.any(Object) }),
    ]);
  });

  it('refuses wrong pages and tokens of a workspace', async () => {
    expect((await list({ limit: '0' })).json.error).toBe('invalid_limit');
    expect((await list({ limit: '1001' })).json.error).toBe('invalid_limit');
    expect((await list({ cursor: 'x' })).json.error).toBe('invalid_cursor');
    expect((await list({}, simulator.tokens['business-admin'])).json.error).toBe('invalid_auth');
  });
});
