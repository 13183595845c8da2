import { ManualClock } from '../../../src/simulator/clock';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { SimulatorClient } from '../../support/simulator-client';

const clock = new ManualClock();
let simulator: Simulator;
let slack: SimulatorClient;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'web-api', clock });
  slack = new SimulatorClient(simulator);
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.stop());

describe('auth.test', () => {
  it('identifies a workspace user token', async () => {
    const answer = await slack.call('POST', '/api/auth.test');
    const admin = slack.person('ada.lovelace');
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      ok: true,
      url: 'https://northwind.slack.com/',
      team: 'Northwind',
      user: 'ada.lovelace',
      team_id: simulator.world.organization('business').id,
      user_id: admin.id,
      is_enterprise_install: false,
    });
    expect(answer.headers.get('x-oauth-scopes')).toBe('identify,admin');
    expect(answer.headers.get('x-accepted-oauth-scopes')).toBe('');
  });

  it('shows an organization install with the organization as its team', async () => {
    const { json } = await slack.call('GET', '/api/auth.test', { token: 'enterprise-owner' });
    const { id } = simulator.world.organization('enterprise');
    expect(id).toMatch(/^E/);
    expect(json).toMatchObject({ ok: true, team_id: id, enterprise_id: id, is_enterprise_install: true });
    expect(json.url).toBe('https://acme-group.enterprise.slack.com/');
  });

  it('shows a workspace install inside an organization as no organization install', async () => {
    const { json } = await slack.call('POST', '/api/auth.test', { token: 'enterprise-workspace' });
    expect(json).toMatchObject({ ok: true, team: 'Acme Berlin', is_enterprise_install: false });
    expect(json.team_id).toMatch(/^T/);
    expect(json.enterprise_id).toMatch(/^E/);
  });

  it('names the bot of a bot token, and its scopes', async () => {
    const answer = await slack.call('POST', '/api/auth.test', { token: 'business-bot' });
    expect(answer.json.bot_id).toMatch(/^B/);
    expect(answer.headers.get('x-oauth-scopes')).toBe('team:read');
  });

  it('counts down the life of a rotating token until it has expired', async () => {
    const before = await slack.call('POST', '/api/auth.test', { token: 'business-rotating' });
    expect(before.json.expires_in).toBe(43_200);
    clock.advance(43_199_000);
    const late = await slack.call('POST', '/api/auth.test', { token: 'business-rotating' });
    expect(late.json.expires_in).toBe(1);
    clock.advance(1000);
    const after = await slack.call('POST', '/api/auth.test', { token: 'business-rotating' });
    expect(after.json).toEqual({ ok: false, error: 'token_expired' });
  });

  it('takes the token from a form or a JSON body, but not from the query', async () => {
    const value = simulator.tokens['business-admin'];
    const form = { body: `token=${value}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    expect((await slack.call('POST', '/api/auth.test', { token: null, ...form })).json.ok).toBe(true);
    expect((await slack.call('POST', '/api/auth.test', { token: null, body: { token: value } })).json.ok).toBe(true);
    const inQuery = await slack.call('GET', `/api/auth.test?token=${value}`, { token: null });
    expect(inQuery.json).toEqual({ ok: false, error: 'not_authed' });
    expect(JSON.stringify(simulator.requests)).not.toContain(value);
  });

  it.each([
    ['revoked', 'token_revoked'],
    ['deactivated-installer', 'account_inactive'],
    ['expired', 'token_expired'],
  ] as const)('answers HTTP 200 with the reason for the token %s', async (token, error) => {
    const answer = await slack.call('POST', '/api/auth.test', { token });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ ok: false, error });
  });

  it('tells a missing token from a wrong one, and minds the letter case of Bearer', async () => {
    const wrong = { authorization: 'Bearer xoxp-1-2-3-wrong' };
    const lower = { authorization: `bearer ${simulator.tokens['business-admin']}` };
    expect((await slack.call('POST', '/api/auth.test', { token: null })).json.error).toBe('not_authed');
    expect((await slack.call('POST', '/api/auth.test', { token: null, headers: wrong })).json.error).toBe(
      'invalid_auth',
    );
    expect((await slack.call('POST', '/api/auth.test', { token: null, headers: lower })).json.error).toBe('not_authed');
  });

  it('still identifies an installer who was demoted, as only SCIM minds the rank', async () => {
    expect((await slack.call('POST', '/api/auth.test', { token: 'demoted-installer' })).json.ok).toBe(true);
  });

  it('refuses an unknown method', async () => {
    expect((await slack.call('POST', '/api/auth.guess')).json).toEqual({ ok: false, error: 'unknown_method' });
  });
});

describe('auth.revoke', () => {
  it('only checks when it is a test', async () => {
    expect((await slack.call('POST', '/api/auth.revoke', { body: { test: true } })).json).toEqual({
      ok: true,
      revoked: false,
    });
    expect((await slack.call('GET', '/api/auth.revoke?test=1')).json).toEqual({ ok: true, revoked: false });
    expect((await slack.call('POST', '/api/auth.test')).json.ok).toBe(true);
  });

  it('ends a token for the Web API and for SCIM', async () => {
    expect((await slack.call('POST', '/api/auth.revoke')).json).toEqual({ ok: true, revoked: true });
    expect((await slack.call('POST', '/api/auth.test')).json.error).toBe('token_revoked');
    expect((await slack.list('Users')).status).toBe(401);
  });

  it('calls a revoked bot token inactive', async () => {
    await slack.call('POST', '/api/auth.revoke', { token: 'business-bot' });
    expect((await slack.call('POST', '/api/auth.test', { token: 'business-bot' })).json.error).toBe('account_inactive');
  });

  it('calls every dead token invalid', async () => {
    for (const token of ['revoked', 'expired', 'deactivated-installer'] as const) {
      expect((await slack.call('POST', '/api/auth.revoke', { token })).json).toEqual({
        ok: false,
        error: 'invalid_auth',
      });
    }
  });
});

describe('tokens', () => {
  it('have the forms and lengths of real ones, and differ from seed to seed', async () => {
    const other = await startSimulator({ seed: 'another' });
    await other.stop();
    expect(simulator.tokens['business-admin']).toMatch(/^xoxp-\d{13}-\d{13}-\d{13}-[0-9a-f]{32}$/);
    expect(simulator.tokens['business-bot']).toMatch(/^xoxb-/);
    expect(simulator.tokens.expired).toMatch(/^xoxe\.xoxp-1-[A-Za-z0-9]{163}$/);
    const values = new Set([...Object.values(simulator.tokens), ...Object.values(other.tokens)]);
    expect(values.size).toBe(2 * Object.keys(simulator.tokens).length);
  });

  it('are not in the world', () => {
    const world = JSON.stringify(simulator.snapshot());
    for (const value of Object.values(simulator.tokens)) expect(world).not.toContain(value);
  });
});
