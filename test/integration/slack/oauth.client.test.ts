import { GrantLost } from '../../../src/domain/errors';
import type { GrantedToken, OAuthGrant } from '../../../src/domain/slack-oauth-port';
import { silentLogger } from '../../../src/shared/logger';
import { Secret } from '../../../src/shared/secret';
import type { FaultRule } from '../../../src/simulator/faults/fault';
import type { Person } from '../../../src/simulator/world/person';
import { slackAppOf } from '../../../src/slack/slack-app';
import { createSlackEdge, type SlackEdge } from '../../../src/slack/slack-directory';
import { OAuthClient, redirectUri } from '../simulator/oauth-client';
import { type Simulated, startSimulated } from './simulated';

const DAY_MS = 86_400_000;

let slack: Simulated;
let people: OAuthClient;

beforeAll(async () => {
  slack = await startSimulated();
  people = new OAuthClient(slack.simulator);
});
afterAll(() => slack.stop());
beforeEach(() => slack.simulator.reset());

const ada = () => people.person('ada.lovelace', 'business');
const oscar = () => people.person('oscar.lindqvist', 'enterprise');

function exchange(code: string): Promise<OAuthGrant> {
  return slack.run(slack.edge.oauth.exchangeCode('SANDBOX', new Secret(code), slack.call()));
}
async function install(person: Person, place: string, query: Record<string, string | undefined> = {}) {
  return exchange(await people.code(person, place, query));
}
function refresh(token: Secret | undefined) {
  return slack.run(slack.edge.oauth.refresh('SANDBOX', token ?? new Secret('none'), slack.call()));
}
function exchangeLongLived(token: Secret) {
  return slack.run(slack.edge.oauth.exchangeLongLived('SANDBOX', token, slack.call()));
}
const standing = (token: Secret) => people.standing(token.reveal());

describe('the consent page at the simulated Slack', () => {
  it('takes the authorize URL, and leads back with a code that is good for a grant', async () => {
    const url = slack.edge.oauth.authorizeUrl('SANDBOX', { state: new Secret('st4te'), teamHint: 'T1' });
    const form = { person: oscar().id, place: people.placeId('Acme Group'), decision: 'allow' };
    const { headers } = await people.decide(url, form);
    const back = new URL(headers.get('location') ?? 'none:');
    expect(`${back.origin}${back.pathname}`).toBe(redirectUri);
    expect(back.searchParams.get('state')).toBe('st4te');
    const grant = await exchange(back.searchParams.get('code') ?? '');
    expect(grant).toMatchObject({ installLevel: 'ORGANIZATION', token: { userSlackId: oscar().id } });
  });
});

describe('a code at the simulated Slack', () => {
  it('gives a grant on a workspace', async () => {
    const grant = await install(ada(), 'Northwind');
    expect(grant).toEqual({
      installLevel: 'WORKSPACE',
      teamKey: people.placeId('Northwind'),
      workspace: { slackId: people.placeId('Northwind'), name: 'Northwind' },
      token: {
        secret: expect.any(Secret),
        refreshToken: expect.any(Secret),
        expiresAt: new Date(slack.clock.now() + DAY_MS / 2),
        grantedScopes: ['admin'],
        userSlackId: ada().id,
        appSlackId: slack.simulator.app.appId,
      },
      bot: { secret: expect.any(Secret), refreshToken: expect.any(Secret) },
    });
    expect(await standing(grant.token.secret)).toBe('ok');
  });

  it('gives a grant on an organization, and on a workspace inside one', async () => {
    const whole = await install(oscar(), 'Acme Group');
    const organization = { slackId: people.placeId('Acme Group'), name: 'Acme Group' };
    expect(whole).toMatchObject({ installLevel: 'ORGANIZATION', teamKey: organization.slackId, organization });
    expect(whole).not.toHaveProperty('workspace');
    slack.simulator.reset();
    const inside = await install(oscar(), 'Acme Berlin');
    expect(inside).toMatchObject({
      installLevel: 'WORKSPACE',
      teamKey: people.placeId('Acme Berlin'),
      workspace: { name: 'Acme Berlin' },
      organization,
    });
  });
});

describe('a code that Slack does not exchange', () => {
  it.each(['invalid_code', 'code_already_used'] as const)('is one that was used: %s', async (codeReplayError) => {
    slack.simulator.switches.codeReplayError = codeReplayError;
    const code = await people.code(ada(), 'Northwind');
    await exchange(code);
    await expect(exchange(code)).rejects.toMatchObject({ code: 'INSTALL_EXPIRED', canRetry: true });
  });

  it('is one older than ten minutes', async () => {
    const code = await people.code(ada(), 'Northwind');
    await slack.clock.advance(600_000);
    await expect(exchange(code)).rejects.toMatchObject({ code: 'INSTALL_EXPIRED' });
  });

  it('is one that came to another address', async () => {
    const code = await people.code(ada(), 'Northwind', { redirect_uri: redirectUri.replace('127.0.0.1', 'localhost') });
    await expect(exchange(code)).rejects.toMatchObject({ code: 'UPSTREAM_REJECTED', canRetry: true });
  });

  it('is one for a workspace when the organization has the app', async () => {
    slack.simulator.switches.workspaceInstallOfOrgApp = 'refused';
    await install(oscar(), 'Acme Group');
    await expect(install(oscar(), 'Acme Berlin')).rejects.toMatchObject({ code: 'INSTALL_DENIED' });
  });
});

describe('what a person grants', () => {
  it('is no user token when the scope is withheld, and the bot is ended', async () => {
    slack.simulator.switches.withheldScopes = ['admin'];
    await expect(install(ada(), 'Northwind')).rejects.toMatchObject({ code: 'MISSING_SCOPES' });
    const paths = slack.simulator.requests.map(({ path }) => path).filter((path) => path.startsWith('/api/'));
    expect(paths).toEqual(['/api/oauth.v2.access', '/api/auth.revoke', '/api/auth.revoke']);
  });

  it('is a user token alone when no bot was asked for', async () => {
    const grant = await install(ada(), 'Northwind', { scope: undefined });
    expect(grant).not.toHaveProperty('bot');
    expect(grant.token).toMatchObject({ userSlackId: ada().id });
  });

  it('leaves out `identify`, which comes along', async () => {
    slack.simulator.switches.identifyInScope = true;
    const { token } = await install(ada(), 'Northwind');
    expect([token.grantedScopes, (await refresh(token.refreshToken)).grantedScopes]).toEqual([['admin'], ['admin']]);
  });
});

describe('a refresh at the simulated Slack', () => {
  it('gives the next pair, again and again', async () => {
    let { token }: { token: GrantedToken } = await install(oscar(), 'Acme Group');
    for (let round = 0; round < 3; round += 1) {
      await slack.clock.advance(DAY_MS / 2);
      const next = await refresh(token.refreshToken);
      expect(next).toMatchObject({ userSlackId: oscar().id, grantedScopes: ['admin'] });
      expect(next.expiresAt).toEqual(new Date(slack.clock.now() + DAY_MS / 2));
      expect([await standing(token.secret), await standing(next.secret)]).toEqual(['token_expired', 'ok']);
      token = next;
    }
  });

  it.each([
    ['user_id', true],
    ['id', true],
    ['missing', false],
  ] as const)('names the person by %s, or leaves it at who it was', async (refreshUserId, isNamed) => {
    slack.simulator.switches.refreshUserId = refreshUserId;
    const { token } = await install(ada(), 'Northwind');
    expect((await refresh(token.refreshToken)).userSlackId).toBe(isNamed ? ada().id : undefined);
  });

  it.each(['invalid_refresh_token', 'invalid_grant'] as const)('is over with %s', async (refreshFailure) => {
    slack.simulator.switches.refreshFailure = refreshFailure;
    const { token } = await install(ada(), 'Northwind');
    await refresh(token.refreshToken);
    await slack.clock.advance(60_000);
    const error = await refresh(token.refreshToken).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(GrantLost);
    expect(error).toMatchObject({ slackCode: refreshFailure });
  });

  it('is over when the refresh token was revoked', async () => {
    const { token } = await install(ada(), 'Northwind');
    const refreshToken = token.refreshToken ?? new Secret('none');
    const revoke = () => slack.run(slack.edge.webApi.revoke('SANDBOX', refreshToken, slack.call()));
    await revoke();
    await revoke();
    await expect(refresh(refreshToken)).rejects.toBeInstanceOf(GrantLost);
    expect(await standing(token.secret)).toBe('ok');
  });

  it("is not made with the bot's token", async () => {
    const { bot } = await install(ada(), 'Northwind');
    await expect(refresh(bot?.refreshToken)).rejects.toMatchObject({ slackCode: 'unexpected_token_type' });
  });
});

const onOAuth = { match: { path: '^/api/oauth' } };
const applied: readonly FaultRule[] = [
  { kind: 'resetAfter' },
  { kind: 'truncated' },
  { kind: 'garbage' },
  { kind: 'emptyBody' },
  { kind: 'html200', applied: true },
  { kind: 'status', status: 502, applied: true },
];
const sentCount = () => slack.simulator.requests.filter(({ path }) => path.startsWith('/api/oauth')).length;

describe('an answer that is lost on the way from the simulated Slack', () => {
  it.each(applied)('has the refresh token sent once more, and the second pair is good: %j', async (fault) => {
    const { token } = await install(ada(), 'Northwind');
    slack.simulator.faults.add({ ...fault, ...onOAuth });
    const next = await refresh(token.refreshToken);
    expect(sentCount()).toBe(3);
    await slack.clock.advance(60_000);
    expect(await standing((await refresh(next.refreshToken)).secret)).toBe('ok');
  });

  it.each(applied)('says that the grant is lost where Slack gives no grace: %j', async (fault) => {
    slack.simulator.switches.refreshGraceMs = 0;
    const { token } = await install(ada(), 'Northwind');
    slack.simulator.faults.add({ ...fault, ...onOAuth });
    await expect(refresh(token.refreshToken)).rejects.toBeInstanceOf(GrantLost);
  });

  it.each(applied)('leaves the code alone: %j', async (fault) => {
    const code = await people.code(ada(), 'Northwind');
    slack.simulator.faults.add({ ...fault, ...onOAuth });
    await expect(exchange(code)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(sentCount()).toBe(1);
  });

  it('is waited for no longer than an attempt may take, before the second one', async () => {
    const edge = otherEdge({ attemptTimeoutMs: 250 });
    const { token } = await install(ada(), 'Northwind');
    slack.simulator.faults.add({ kind: 'hangAfter', ...onOAuth });
    const refreshToken = token.refreshToken ?? new Secret('none');
    const next = await slack.run(edge.oauth.refresh('SANDBOX', refreshToken, slack.call()));
    expect([sentCount(), await standing(next.secret)]).toEqual([3, 'ok']);
    await edge.close();
  });

  it('does not come for ever', async () => {
    const edge = otherEdge({ attemptTimeoutMs: 250 });
    const code = new Secret(await people.code(ada(), 'Northwind'));
    slack.simulator.faults.add({ kind: 'hangBefore', ...onOAuth });
    const exchanging = slack.run(edge.oauth.exchangeCode('SANDBOX', code, slack.call()));
    await expect(exchanging).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(sentCount()).toBe(1);
    await edge.close();
  });
});

describe('a long-lived token at the simulated Slack', () => {
  async function longLived(): Promise<Secret> {
    slack.simulator.switches.tokenRotation = false;
    const { token } = await install(ada(), 'Northwind');
    expect([token.refreshToken, token.expiresAt]).toEqual([undefined, undefined]);
    slack.simulator.switches.tokenRotation = true;
    return token.secret;
  }

  it('moves into rotation, and ends with the first refresh of its pair', async () => {
    const secret = await longLived();
    const pair = await exchangeLongLived(secret);
    expect(pair).toMatchObject({ userSlackId: ada().id, expiresAt: new Date(slack.clock.now() + DAY_MS / 2) });
    expect([await standing(secret), await standing(pair.secret)]).toEqual(['ok', 'ok']);
    const next = await refresh(pair.refreshToken);
    expect([await standing(secret), await standing(next.secret)]).toEqual(['token_revoked', 'ok']);
  });

  it('does so once', async () => {
    const secret = await longLived();
    await exchangeLongLived(secret);
    const again = { code: 'INVALID_INPUT', message: expect.stringMatching(/only once/) };
    await expect(exchangeLongLived(secret)).rejects.toMatchObject(again);
  });

  it('goes on working when the answer is lost and with it the pair', async () => {
    const secret = await longLived();
    slack.simulator.faults.add({ kind: 'resetAfter', ...onOAuth });
    await expect(exchangeLongLived(secret)).rejects.toMatchObject({ message: expect.stringMatching(/only once/) });
    expect(await standing(secret)).toBe('ok');
  });

  it('does not when the app does not rotate, or the token is none', async () => {
    const secret = await longLived();
    const { token } = await install(oscar(), 'Acme Group');
    await expect(exchangeLongLived(token.secret)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    slack.simulator.switches.tokenRotation = false;
    const refused = { code: 'INVALID_INPUT', message: expect.stringMatching(/does not rotate/) };
    await expect(exchangeLongLived(secret)).rejects.toMatchObject(refused);
  });
});

describe('a client secret that is replaced at the simulated Slack', () => {
  it('is used at once by who reads it anew, and the old one works for a day', async () => {
    const before = slack.simulator.app;
    const old = otherEdge({ credentials: before });
    const { token } = await install(ada(), 'Northwind');
    await fetch(`${slack.simulator.url}/_simulator/app/client-secret`, { method: 'POST' });
    expect(slack.simulator.app.clientSecret).not.toBe(before.clientSecret);

    let next = await slack.run(old.oauth.refresh('SANDBOX', token.refreshToken ?? new Secret(''), slack.call()));
    next = await refresh(next.refreshToken);
    await slack.clock.advance(DAY_MS);
    const refreshToken = next.refreshToken ?? new Secret('');
    const refused = slack.run(old.oauth.refresh('SANDBOX', refreshToken, slack.call()));
    await expect(refused).rejects.toMatchObject({ code: 'APP_CREDENTIALS_REFUSED', slackCode: 'bad_client_secret' });
    await expect(refresh(refreshToken)).resolves.toBeDefined();
    await old.close();
  });

  it('is no use under another client id', async () => {
    const edge = otherEdge({ credentials: { ...slack.simulator.app, clientId: '1.2' } });
    const code = new Secret(await people.code(ada(), 'Northwind'));
    const refused = slack.run(edge.oauth.exchangeCode('SANDBOX', code, slack.call()));
    await expect(refused).rejects.toMatchObject({ code: 'APP_CREDENTIALS_REFUSED', slackCode: 'invalid_client_id' });
    await edge.close();
  });
});

/** Another gateway at the same Slack. */
function otherEdge({ attemptTimeoutMs = 10_000, credentials = slack.simulator.app }): SlackEdge {
  const { url } = slack.simulator;
  return createSlackEdge({
    origins: { SANDBOX: { web: url, scim: url } },
    apps: { SANDBOX: slackAppOf(() => credentials) },
    redirectUri: () => redirectUri,
    clock: slack.clock,
    random: () => 0,
    logger: silentLogger,
    attemptTimeoutMs,
  });
}
