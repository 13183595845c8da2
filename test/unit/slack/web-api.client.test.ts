import { ConnectionProblem } from '../../../src/domain/connections/connection-problem';
import { RateLimited, UpstreamRejected, UpstreamUnavailable } from '../../../src/domain/errors';
import { Secret } from '../../../src/shared/secret';
import { webApiCodes } from '../../../src/slack/slack-codes';
import { jsonHeaders, makeRig, type Rig, TOKEN, WEB } from './support';

const workspaceUser = {
  ok: true,
  url: 'https://acme.slack.com/',
  team: 'Acme',
  user: 'grace',
  team_id: 'T0WORK0001',
  user_id: 'U0ADMIN001',
  is_enterprise_install: false,
};

describe('WebApiClient', () => {
  let rig: Rig;
  beforeEach(() => {
    rig = makeRig();
  });
  afterEach(async () => {
    rig.agent.assertNoPendingInterceptors();
    await rig.agent.close();
  });

  function onTest() {
    return rig.agent.get(WEB).intercept({ path: '/api/auth.test', method: 'POST' });
  }
  function onRevoke() {
    return rig.agent.get(WEB).intercept({ path: '/api/auth.revoke', method: 'POST' });
  }
  function identify(call = rig.call(), token = TOKEN) {
    return rig.clock.runUntil(rig.edge.webApi.identify('LIVE', new Secret(token), call));
  }
  function revoke(call = rig.call()) {
    return rig.clock.runUntil(rig.edge.webApi.revoke('LIVE', new Secret(TOKEN), call));
  }

  describe('identify', () => {
    it('reads a workspace token, with the token in the header alone', async () => {
      let seen: { path: string; body: unknown; headers: unknown } | undefined;
      onTest().reply(
        200,
        ({ path, body, headers }) => {
          seen = { path, body, headers };
          return workspaceUser;
        },
        { headers: { 'content-type': 'application/json', 'x-oauth-scopes': 'identify,admin , users:read' } },
      );
      await expect(identify()).resolves.toEqual({
        kind: 'USER',
        grantedScopes: ['admin', 'users:read'],
        teamSlackId: 'T0WORK0001',
        teamName: 'Acme',
        teamUrl: 'https://acme.slack.com/',
        isOrganizationInstall: false,
        userSlackId: 'U0ADMIN001',
        userName: 'grace',
      });
      expect(`${seen?.path} ${seen?.body}`).not.toContain(TOKEN);
      expect(seen?.headers).toMatchObject({ authorization: `Bearer ${TOKEN}` });
    });

    it('reads an organization token that gives the organization as its team, and when it ends', async () => {
      const organization = {
        team_id: 'E0GRID0001',
        enterprise_id: 'E0GRID0001',
        is_enterprise_install: true,
        expires_in: 41_873,
      };
      onTest().reply(200, { ...workspaceUser, ...organization, user: null }, jsonHeaders);
      const identity = await identify();
      expect(identity).toMatchObject({
        teamSlackId: 'E0GRID0001',
        organizationSlackId: 'E0GRID0001',
        isOrganizationInstall: true,
        userName: undefined,
        grantedScopes: undefined,
        expiresAt: new Date(rig.clock.now() + 41_873_000),
      });
    });

    it('reads a workspace install inside an organization as what it is', async () => {
      onTest().reply(200, { ...workspaceUser, enterprise_id: 'E0GRID0001' }, jsonHeaders);
      await expect(identify()).resolves.toMatchObject({
        organizationSlackId: 'E0GRID0001',
        isOrganizationInstall: false,
      });
    });

    it.each([
      ['bot_id', TOKEN, { bot_id: 'B1' }],
      ['the prefix of the token', 'xoxb-1', {}],
      ['the prefix of a rotated token', 'xoxe.xoxb-1-x', {}],
    ])('knows a bot by %s', async (_, token, members) => {
      onTest().reply(200, { ...workspaceUser, ...members }, jsonHeaders);
      await expect(identify(rig.call(), token)).resolves.toMatchObject({ kind: 'BOT' });
    });

    it.each([
      ['not_authed', 'INVALID_TOKEN'],
      ['invalid_auth', 'INVALID_TOKEN'],
      ['token_revoked', 'TOKEN_REVOKED'],
      ['token_expired', 'TOKEN_EXPIRED'],
      ['account_inactive', 'INSTALLER_LOST_RIGHTS'],
      ['missing_scope', 'MISSING_SCOPES'],
      ['not_allowed_token_type', 'WRONG_TOKEN_KIND'],
      ['accesslimited', 'IP_NOT_ALLOWED'],
      ['access_denied', 'IP_NOT_ALLOWED'],
    ])('tells what is wrong with the grant: %s', async (error, code) => {
      onTest().reply(200, { ok: false, error }, jsonHeaders);
      const problem = await identify().catch((cause: unknown) => cause);
      expect(problem).toBeInstanceOf(ConnectionProblem);
      expect(problem).toMatchObject({
        code,
        detail: expect.stringMatching(new RegExp(`^[A-Z].+\\. .*: ${error}\\.$`)),
      });
    });

    it.each(['no_permission', 'ekm_access_denied', 'unknown_method', 'brand_new'])('rejects on %s', async (error) => {
      onTest().reply(200, { ok: false, error }, jsonHeaders);
      await expect(identify()).rejects.toMatchObject({ code: 'UPSTREAM_REJECTED', slackCode: error });
    });

    it.each([
      ['a server-side word', 200, { ok: false, error: 'internal_error' }],
      ['a workspace on the move', 200, { ok: false, error: 'team_added_to_org' }],
      ['a server error', 503, ''],
      ['a page', 200, '<html>Maintenance</html>'],
      ['something that is no answer', 200, { hello: 'world' }],
      ['a page that was not found', 404, '<html>Not found</html>'],
    ])('tries three times, then is unavailable: %s', async (_, status, body) => {
      onTest().reply(status, body).times(3);
      await expect(identify()).rejects.toBeInstanceOf(UpstreamUnavailable);
    });

    it('tries again after a passing failure', async () => {
      onTest().replyWithError(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
      onTest().reply(200, workspaceUser, jsonHeaders);
      await expect(identify()).resolves.toMatchObject({ userSlackId: 'U0ADMIN001' });
    });

    it('does not invent an identity from an answer without ids', async () => {
      onTest().reply(200, { ok: true }, jsonHeaders);
      await expect(identify()).rejects.toBeInstanceOf(UpstreamUnavailable);
    });

    it('waits a rate limit out when there is time, and says so when there is none', async () => {
      const start = rig.clock.now();
      onTest().reply(429, { ok: false, error: 'ratelimited' }, { headers: { 'retry-after': '3' } });
      onTest().reply(200, workspaceUser, jsonHeaders);
      await identify();
      expect(rig.clock.now() - start).toBe(3_000);
      onTest().reply(200, { ok: false, error: 'ratelimited' }, jsonHeaders);
      const error = await identify(rig.call({ seconds: 10 })).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(RateLimited);
      expect(error).toMatchObject({ retryAfterSeconds: 25 });
    });

    it('sends no text that cannot be a token', async () => {
      await expect(identify(rig.call(), 'xoxp-\nx')).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
      await expect(identify(rig.call(), '')).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    });

    it('stops at once when the caller leaves', async () => {
      const caller = new AbortController();
      onTest().reply(429, '', { headers: { 'retry-after': '5' } });
      const asking = rig.edge.webApi.identify('LIVE', new Secret(TOKEN), rig.call({ signal: caller.signal }));
      const outcome = expect(asking).rejects.toThrow('gone');
      await rig.clock.advance(10);
      caller.abort(new Error('gone'));
      await outcome;
    });

    it('says so when the gateway runs without the environment', async () => {
      const asking = rig.edge.webApi.identify('SANDBOX', new Secret(TOKEN), rig.call());
      await expect(asking).rejects.toMatchObject({ code: 'CONNECTION_NOT_READY' });
    });
  });

  describe('revoke', () => {
    it('ends the token', async () => {
      onRevoke().reply(200, { ok: true, revoked: true }, jsonHeaders);
      await revoke();
    });

    it('ends a refresh token, which it takes to this method alone', async () => {
      onRevoke().reply(200, { ok: true, revoked: true }, jsonHeaders);
      const dispatch = jest.spyOn(rig.agent, 'dispatch');
      await rig.clock.runUntil(rig.edge.webApi.revoke('LIVE', new Secret('xoxe-1-refresh'), rig.call()));
      const calls = dispatch.mock.calls.map(([{ path, headers, body }]) => ({ path, headers, body }));
      const headers = expect.objectContaining({ authorization: 'Bearer xoxe-1-refresh' });
      expect(calls).toEqual([{ path: '/api/auth.revoke', headers, body: '' }]);
    });

    it.each(['invalid_auth', 'token_revoked', 'token_expired', 'account_inactive'])(
      'takes %s for ended',
      async (error) => {
        onRevoke().reply(200, { ok: false, error }, jsonHeaders);
        await revoke();
      },
    );

    it('repeats after a lost answer, since a second revocation does no harm', async () => {
      onRevoke().replyWithError(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
      onRevoke().reply(200, { ok: false, error: 'invalid_auth' }, jsonHeaders);
      await revoke();
    });

    it('does not hide another refusal', async () => {
      onRevoke().reply(200, { ok: false, error: 'not_bearer_token' }, jsonHeaders);
      await expect(revoke()).rejects.toBeInstanceOf(UpstreamRejected);
    });
  });

  it('has a row for every documented code of the Web API', () => {
    const documented = `not_authed invalid_auth token_revoked account_inactive token_expired missing_scope
      not_allowed_token_type no_permission access_denied accesslimited org_login_required team_added_to_org
      team_access_not_granted ekm_access_denied two_factor_setup_required enterprise_is_restricted ratelimited
      internal_error fatal_error service_unavailable request_timeout invalid_post_type missing_post_type
      invalid_form_data invalid_charset invalid_array_arg invalid_arg_name invalid_arguments method_deprecated
      deprecated_endpoint unknown_method not_bearer_token`.split(/\s+/);
    expect(Object.keys(webApiCodes).sort()).toEqual(documented.sort());
  });
});
