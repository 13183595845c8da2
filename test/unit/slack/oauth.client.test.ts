import { inspect } from 'node:util';
import { Secret } from '../../../src/shared/secret';
import { oauthCodes } from '../../../src/slack/oauth-codes';
import { app, jsonHeaders, makeRig, REDIRECT_URI, type Rig, WEB } from './support';

const CODE = '123.456.canary-code';
const REFRESH_TOKEN = 'xoxe-1-canary-refresh';
const LONG_LIVED = 'xoxp-canary-long-lived';
const CANARIES = [CODE, REFRESH_TOKEN, LONG_LIVED, 'canary-client-secret', 'canary-next', 'canary-bot'];

const granted = {
  ok: true,
  app_id: 'A0GATEWAY1',
  token_type: 'bot',
  access_token: 'xoxe.xoxb-1-canary-bot',
  refresh_token: 'xoxe-1-canary-bot',
  authed_user: { id: 'U0ADMIN001', scope: 'admin', access_token: 'xoxp-canary-next', token_type: 'user' },
  team: { id: 'T0WORK0001', name: 'Acme' },
  enterprise: null,
  is_enterprise_install: false,
};
const renewed = {
  ok: true,
  app_id: 'A0GATEWAY1',
  access_token: 'xoxe.xoxp-1-canary-next',
  refresh_token: 'xoxe-1-canary-next',
  expires_in: 43_200,
  token_type: 'user',
  scope: 'admin',
  user_id: 'U0ADMIN001',
};

interface Sent {
  readonly path: string;
  readonly authorization: string;
  readonly form: Record<string, string>;
}

type Kind = 'CODE' | 'REFRESH_TOKEN' | 'LONG_LIVED_TOKEN';
const kinds: readonly Kind[] = ['CODE', 'REFRESH_TOKEN', 'LONG_LIVED_TOKEN'];

describe('OAuthClient', () => {
  let rig: Rig;
  let dispatch: jest.SpyInstance;

  beforeEach(() => {
    rig = makeRig();
    dispatch = jest.spyOn(rig.agent, 'dispatch');
  });
  afterEach(async () => {
    rig.agent.assertNoPendingInterceptors();
    const shown = JSON.stringify([rig.logger.lines, sent().map(({ path }) => path)]);
    expect(CANARIES.filter((secret) => shown.includes(secret))).toEqual([]);
    await rig.agent.close();
  });

  /** Everything that left, whether or not it was answered. */
  function sent(): Sent[] {
    return dispatch.mock.calls.map(([{ path, headers, body }]) => ({
      path,
      authorization: headers.authorization,
      form: Object.fromEntries(new URLSearchParams(body)),
    }));
  }
  function next(path = '/api/oauth.v2.access') {
    return rig.agent.get(WEB).intercept({ path, method: 'POST' });
  }
  const methodOf = (kind: Kind) => (kind === 'LONG_LIVED_TOKEN' ? '/api/oauth.v2.exchange' : '/api/oauth.v2.access');
  const answer = (kind: Kind, body: object | string, status = 200, headers = {}) => {
    next(methodOf(kind)).reply(status, body, { headers: { ...jsonHeaders.headers, ...headers } });
  };
  const refuse = (kind: Kind, error: string, status = 200) => answer(kind, { ok: false, error }, status);
  const fail = (kind: Kind, code: string, syscall?: string) => {
    next(methodOf(kind)).replyWithError(Object.assign(new Error('failed'), { code, syscall }));
  };

  function perform(kind: Kind, call = rig.call()): Promise<object> {
    const { oauth } = rig.edge;
    if (kind === 'CODE') return rig.clock.runUntil(oauth.exchangeCode('LIVE', new Secret(CODE), call));
    if (kind === 'REFRESH_TOKEN') return rig.clock.runUntil(oauth.refresh('LIVE', new Secret(REFRESH_TOKEN), call));
    return rig.clock.runUntil(oauth.exchangeLongLived('LIVE', new Secret(LONG_LIVED), call));
  }
  const goodAnswer = (kind: Kind) => (kind === 'CODE' ? granted : renewed);

  async function failureOf(kind: Kind, call = rig.call()): Promise<unknown> {
    try {
      await perform(kind, call);
    } catch (error) {
      expect(CANARIES.filter((secret) => inspect(error, { depth: 9, showHidden: true }).includes(secret))).toEqual([]);
      return error;
    }
    throw new Error('It did not fail');
  }

  describe('authorizeUrl', () => {
    const parsed = (teamHint?: string) =>
      new URL(rig.edge.oauth.authorizeUrl('LIVE', { state: new Secret('st4te'), teamHint }));

    it('asks for the scopes of the person, and for one of a bot', () => {
      const url = parsed();
      expect(`${url.origin}${url.pathname}`).toBe(`${WEB}/oauth/v2/authorize`);
      expect(Object.fromEntries(url.searchParams)).toEqual({
        client_id: app.clientId,
        scope: 'team:read',
        user_scope: 'admin',
        redirect_uri: REDIRECT_URI,
        state: 'st4te',
      });
    });

    it('preselects a workspace', () => {
      expect(parsed('T0WORK0001').searchParams.get('team')).toBe('T0WORK0001');
    });
  });

  describe('the app of an environment', () => {
    it('is there or not', () => {
      const { oauth } = rig.edge;
      expect(['LIVE', 'GOV', 'SANDBOX'].map((one) => oauth.isAvailable(one as 'LIVE'))).toEqual([true, false, false]);
      expect([oauth.appSlackId('LIVE'), oauth.appSlackId('GOV')]).toEqual(['A0GATEWAY1', undefined]);
    });

    it('is missed by every call that needs it', async () => {
      const { oauth } = rig.edge;
      const secret = new Secret('x');
      const notReady = { code: 'CONNECTION_NOT_READY', remedy: expect.stringMatching(/operator/) };
      expect(() => oauth.authorizeUrl('GOV', { state: secret })).toThrow(expect.objectContaining(notReady));
      await expect(oauth.exchangeCode('GOV', secret, rig.call())).rejects.toMatchObject(notReady);
      await expect(oauth.refresh('GOV', secret, rig.call())).rejects.toMatchObject(notReady);
      await expect(oauth.exchangeLongLived('GOV', secret, rig.call())).rejects.toMatchObject(notReady);
      expect(sent()).toEqual([]);
    });
  });

  describe('what is sent', () => {
    const basic = `Basic ${Buffer.from('1234567890.9876543210:canary-client-secret').toString('base64')}`;

    it('is a code with the address it came to, under the credentials of the app', async () => {
      answer('CODE', granted);
      await perform('CODE');
      expect(sent()).toEqual([
        { path: '/api/oauth.v2.access', authorization: basic, form: { code: CODE, redirect_uri: REDIRECT_URI } },
      ]);
    });

    it('is a refresh token, under the credentials of the app', async () => {
      answer('REFRESH_TOKEN', renewed);
      await perform('REFRESH_TOKEN');
      const form = { grant_type: 'refresh_token', refresh_token: REFRESH_TOKEN };
      expect(sent()).toEqual([{ path: '/api/oauth.v2.access', authorization: basic, form }]);
    });

    it('is a long-lived token in the header, with the credentials of the app in the body', async () => {
      answer('LONG_LIVED_TOKEN', renewed);
      await perform('LONG_LIVED_TOKEN');
      const form = { client_id: app.clientId, client_secret: 'canary-client-secret' };
      expect(sent()).toEqual([{ path: '/api/oauth.v2.exchange', authorization: `Bearer ${LONG_LIVED}`, form }]);
    });

    it.each(['', 'with blank', 'line\nbreak', 'ä', '\u0000', 'x'.repeat(1025)])('is no code like %j', async (text) => {
      const exchanging = rig.edge.oauth.exchangeCode('LIVE', new Secret(text), rig.call());
      await expect(exchanging).rejects.toMatchObject({ code: 'INSTALL_EXPIRED', canRetry: true });
      expect(sent()).toEqual([]);
    });

    it('is no token that a header cannot carry', async () => {
      const exchanging = rig.edge.oauth.exchangeLongLived('LIVE', new Secret('xoxp-\n'), rig.call());
      await expect(exchanging).rejects.toMatchObject({ code: 'INVALID_INPUT' });
      expect(sent()).toEqual([]);
    });
  });

  describe('what is given', () => {
    it('is a grant for a code', async () => {
      answer('CODE', granted);
      const grant = await perform('CODE');
      expect(grant).toMatchObject({ installLevel: 'WORKSPACE', token: { userSlackId: 'U0ADMIN001' } });
    });

    it.each(['REFRESH_TOKEN', 'LONG_LIVED_TOKEN'] as const)(
      'is a pair for a %s, with its end counted from before the call',
      async (kind) => {
        answer(kind, renewed);
        const before = rig.clock.now();
        const token = await rig.edge.oauth[kind === 'REFRESH_TOKEN' ? 'refresh' : 'exchangeLongLived'](
          'LIVE',
          new Secret('xoxp-1'),
          rig.call(),
        );
        expect(token).toMatchObject({ userSlackId: 'U0ADMIN001', expiresAt: new Date(before + 43_200_000) });
        expect([token.secret.reveal(), token.refreshToken?.reveal()]).toEqual([
          renewed.access_token,
          renewed.refresh_token,
        ]);
      },
    );

    it.each(kinds)('counts by `ok` and not by the status: %s', async (kind) => {
      answer(kind, goodAnswer(kind), 500);
      await expect(perform(kind)).resolves.toBeDefined();
    });

    it('is nothing when no user token was granted, and the bot that nobody needs is ended', async () => {
      const { authed_user: _, ...rest } = granted;
      answer('CODE', { ...rest, authed_user: { id: 'U0ADMIN001' } });
      next('/api/auth.revoke').reply(200, { ok: true, revoked: true }, jsonHeaders).times(2);
      expect(await failureOf('CODE')).toMatchObject({
        code: 'MISSING_SCOPES',
        missingScopes: ['admin'],
        detail: expect.stringMatching(/User Token Scopes/),
      });
      const ended = sent()
        .slice(1)
        .map(({ authorization }) => authorization);
      expect(ended).toEqual(['Bearer xoxe-1-canary-bot', 'Bearer xoxe.xoxb-1-canary-bot']);
    });

    it('says that no user token was granted also when the bot cannot be ended', async () => {
      const { authed_user: _, refresh_token: __, ...rest } = granted;
      answer('CODE', rest);
      next('/api/auth.revoke').reply(200, { ok: false, error: 'not_bearer_token' }, jsonHeaders);
      expect(await failureOf('CODE')).toMatchObject({ code: 'MISSING_SCOPES' });
      expect(rig.logger.lines).toContainEqual(expect.objectContaining({ level: 'warn' }));
    });

    it("is not another app's grant", async () => {
      answer('CODE', { ...granted, app_id: 'A0OTHER001' });
      expect(await failureOf('CODE')).toMatchObject({ code: 'APP_CREDENTIALS_REFUSED', slackCode: 'app_id_mismatch' });
    });

    it('is a pair also under another id of the app, since there is no other pair', async () => {
      answer('REFRESH_TOKEN', { ...renewed, app_id: 'A0OTHER001' });
      await expect(perform('REFRESH_TOKEN')).resolves.toMatchObject({ appSlackId: 'A0OTHER001' });
      expect(rig.logger.lines).toContainEqual(expect.objectContaining({ level: 'warn' }));
    });

    it.each(['REFRESH_TOKEN', 'LONG_LIVED_TOKEN'] as const)('is no pair of a bot for a %s', async (kind) => {
      answer(kind, { ...renewed, token_type: 'bot', access_token: 'xoxe.xoxb-1-canary-next' });
      expect(await failureOf(kind)).toMatchObject({ code: 'UPSTREAM_REJECTED', slackCode: 'unexpected_token_type' });
    });
  });

  describe('a refusal', () => {
    const startOver = { code: 'UPSTREAM_REJECTED', name: 'InstallRefused', canRetry: true };
    const misconfigured = { code: 'UPSTREAM_REJECTED', name: 'InstallRefused', canRetry: false };
    const denied = { code: 'INSTALL_DENIED', canRetry: false };
    const expired = { code: 'INSTALL_EXPIRED', canRetry: true };
    const ended = { code: 'INSTALL_DENIED', canRetry: true };
    const credentials = { code: 'APP_CREDENTIALS_REFUSED' };
    const lost = { code: 'REAUTHORIZATION_REQUIRED', name: 'GrantLost' };
    const rejected = { code: 'UPSTREAM_REJECTED', name: 'UpstreamRejected' };
    const invalid = { code: 'INVALID_INPUT' };
    /** For a code, a refresh token and a long-lived token. */
    const expected: Record<string, readonly [object, object, object]> = {
      invalid_code: [expired, rejected, rejected],
      code_already_used: [expired, rejected, rejected],
      bad_redirect_uri: [startOver, rejected, rejected],
      invalid_code_verifier: [startOver, rejected, rejected],
      oauth_authorization_url_mismatch: [startOver, rejected, rejected],
      invalid_client_id: [credentials, credentials, credentials],
      bad_client_secret: [credentials, credentials, credentials],
      client_id_token_mismatch: [credentials, credentials, credentials],
      not_authed: [credentials, credentials, credentials],
      invalid_auth: [credentials, credentials, credentials],
      pkce_not_allowed: [misconfigured, rejected, rejected],
      no_scopes: [misconfigured, rejected, rejected],
      invalid_scope: [misconfigured, rejected, rejected],
      invalid_team_for_non_distributed_app: [misconfigured, rejected, rejected],
      cannot_install_an_org_installed_app: [{ ...denied, canRetry: true }, rejected, rejected],
      user_email_unverified: [denied, rejected, rejected],
      access_denied: [denied, rejected, rejected],
      no_permission: [denied, rejected, rejected],
      ekm_access_denied: [denied, rejected, rejected],
      two_factor_setup_required: [denied, rejected, rejected],
      invalid_refresh_token: [ended, lost, lost],
      refresh_token_expired: [ended, lost, lost],
      invalid_grant: [ended, lost, lost],
      token_revoked: [ended, lost, lost],
      token_expired: [ended, lost, lost],
      account_inactive: [ended, lost, lost],
      authorization_not_found: [rejected, rejected, invalid],
      invalid_token: [rejected, rejected, invalid],
      token_already_exchanged: [rejected, rejected, invalid],
      token_rotation_not_enabled: [rejected, rejected, invalid],
    };
    /** Of oauth.md §4.5 and §6.1, of the common ones, and new ones: nothing that is ours to name better. */
    const others = [
      'invalid_grant_type',
      'preview_feature_not_available',
      'missing_scope',
      'unknown_method',
      'brand_new',
    ];

    it('is expected here for every code of the table', () => {
      expect(Object.keys(expected).sort()).toEqual(Object.keys(oauthCodes).sort());
    });

    it.each(Object.entries(expected))('is told by its code, and not sent again: %s', async (code, outcomes) => {
      for (const [index, kind] of kinds.entries()) {
        refuse(kind, code);
        expect(await failureOf(kind)).toMatchObject({ ...outcomes[index], message: expect.not.stringContaining(code) });
      }
      expect(sent()).toHaveLength(3);
    });

    it.each(Object.keys(expected))('says what to do about an installation that ended with %s', async (code) => {
      refuse('CODE', code);
      expect(await failureOf('CODE')).toMatchObject({ remedy: expect.stringMatching(/./) });
    });

    it.each(others)('keeps a code that has no meaning of its own: %s', async (slackCode) => {
      for (const kind of kinds) {
        refuse(kind, slackCode);
        expect(await failureOf(kind)).toMatchObject({ ...rejected, slackCode });
      }
    });

    it('is logged when its code is new', async () => {
      refuse('REFRESH_TOKEN', 'brand_new');
      await failureOf('REFRESH_TOKEN');
      refuse('REFRESH_TOKEN', 'bad_client_secret');
      await failureOf('REFRESH_TOKEN');
      const codes = rig.logger.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields);
      expect(codes).toEqual([{ slackCode: 'brand_new', httpStatus: 200 }]);
    });

    it.each([
      ['in the form of Slack, with HTTP 400', { ok: false, error: 'invalid_grant' }],
      ['in that of RFC 6749', { error: 'invalid_grant', error_description: 'gone' }],
    ])('of a refresh token may come %s', async (_, body) => {
      answer('REFRESH_TOKEN', body, 400);
      expect(await failureOf('REFRESH_TOKEN')).toMatchObject({ ...lost, slackCode: 'invalid_grant' });
      expect(sent()).toHaveLength(1);
    });

    it('of a refresh token counts though its status speaks of the server', async () => {
      refuse('REFRESH_TOKEN', 'invalid_refresh_token', 500);
      expect(await failureOf('REFRESH_TOKEN')).toMatchObject(lost);
    });

    it('without a word is none that is known', async () => {
      answer('CODE', { ok: false });
      expect(await failureOf('CODE')).toMatchObject({ ...rejected, slackCode: 'unknown' });
    });
  });

  describe('an answer that is lost', () => {
    const unavailable = { code: 'UPSTREAM_UNAVAILABLE', retryable: true };
    const ways: readonly (readonly [string, (kind: Kind) => void])[] = [
      ['a reset', (kind) => fail(kind, 'ECONNRESET')],
      ['a closed socket', (kind) => fail(kind, 'UND_ERR_SOCKET')],
      ['no headers in time', (kind) => fail(kind, 'UND_ERR_HEADERS_TIMEOUT')],
      ['an empty body', (kind) => answer(kind, '')],
      ['a body that broke off', (kind) => answer(kind, JSON.stringify(goodAnswer(kind)).slice(0, 60))],
      ['a page', (kind) => answer(kind, '<html>Maintenance</html>')],
      ['JSON that is no object', (kind) => answer(kind, '["ok"]')],
      ['an answer that says neither', (kind) => answer(kind, { hello: 'world' })],
      ['a server error', (kind) => answer(kind, '', 503)],
      ['a server error with a word of no meaning', (kind) => answer(kind, { ok: false, error: 'oops' }, 502)],
      ['a page that was not found', (kind) => answer(kind, '<html>Not found</html>', 404)],
      ['a redirect', (kind) => answer(kind, '', 302, { location: 'https://elsewhere.test/' })],
      ['internal_error', (kind) => refuse(kind, 'internal_error')],
      ['fatal_error', (kind) => refuse(kind, 'fatal_error')],
      ['service_unavailable', (kind) => refuse(kind, 'service_unavailable')],
      ['request_timeout', (kind) => refuse(kind, 'request_timeout')],
      ['a workspace on the move', (kind) => refuse(kind, 'team_added_to_org')],
      ['agreement without tokens', (kind) => answer(kind, { ok: true })],
    ];

    it.each(ways)('never has the code sent again, and tells the person to begin again: %s', async (_, lose) => {
      lose('CODE');
      const remedy = expect.stringMatching(/^Begin the installation again/);
      expect(await failureOf('CODE')).toMatchObject({ ...unavailable, remedy });
      expect(sent()).toHaveLength(1);
    });

    it.each(ways)('has the token sent once more, at once: %s', async (_, lose) => {
      for (const kind of ['REFRESH_TOKEN', 'LONG_LIVED_TOKEN'] as const) {
        const start = rig.clock.now();
        lose(kind);
        answer(kind, renewed);
        await expect(perform(kind)).resolves.toMatchObject({ userSlackId: 'U0ADMIN001' });
        expect(rig.clock.now()).toBe(start);
      }
      expect(sent()).toHaveLength(4);
    });

    it.each(ways)('is enough when it happens twice: %s', async (_, lose) => {
      for (const kind of ['REFRESH_TOKEN', 'LONG_LIVED_TOKEN'] as const) {
        lose(kind);
        lose(kind);
        expect(await failureOf(kind)).toMatchObject(unavailable);
      }
      expect(sent()).toHaveLength(4);
    });

    it('is one whose pair is not whole', async () => {
      const { refresh_token: _, ...half } = renewed;
      answer('REFRESH_TOKEN', half);
      answer('REFRESH_TOKEN', renewed);
      await expect(perform('REFRESH_TOKEN')).resolves.toMatchObject({ refreshToken: expect.any(Secret) });
    });

    it('and then a refusal mean that the grant is over', async () => {
      fail('REFRESH_TOKEN', 'ECONNRESET');
      refuse('REFRESH_TOKEN', 'invalid_refresh_token');
      expect(await failureOf('REFRESH_TOKEN')).toMatchObject({ name: 'GrantLost' });
    });

    it('and then a rate limit beyond the deadline leave it open whether the token was spent', async () => {
      fail('REFRESH_TOKEN', 'ECONNRESET');
      answer('REFRESH_TOKEN', '', 429, { 'retry-after': '60' });
      expect(await failureOf('REFRESH_TOKEN')).toMatchObject(unavailable);
    });

    it('has the token sent once more even when the deadline is over', async () => {
      fail('REFRESH_TOKEN', 'ECONNRESET');
      answer('REFRESH_TOKEN', renewed);
      await expect(perform('REFRESH_TOKEN', rig.call({ seconds: 0 }))).resolves.toBeDefined();
    });
  });

  describe('a request that never left', () => {
    it.each(kinds)('may be sent again, after a pause: %s', async (kind) => {
      const start = rig.clock.now();
      fail(kind, 'ECONNREFUSED', 'connect');
      fail(kind, 'ENOTFOUND', 'getaddrinfo');
      answer(kind, goodAnswer(kind));
      await expect(perform(kind)).resolves.toBeDefined();
      expect(rig.clock.now()).toBeGreaterThan(start);
    });

    it.each(kinds)('is given up after three attempts, or at the deadline: %s', async (kind) => {
      for (let attempt = 0; attempt < 3; attempt += 1) fail(kind, 'ECONNREFUSED', 'connect');
      expect(await failureOf(kind)).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
      fail(kind, 'ECONNREFUSED', 'connect');
      expect(await failureOf(kind, rig.call({ seconds: 0 }))).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
      expect(sent()).toHaveLength(4);
    });

    it('does not use up the one repetition of a token', async () => {
      fail('REFRESH_TOKEN', 'ECONNREFUSED', 'connect');
      fail('REFRESH_TOKEN', 'ECONNRESET');
      fail('REFRESH_TOKEN', 'ECONNREFUSED', 'connect');
      answer('REFRESH_TOKEN', renewed);
      await expect(perform('REFRESH_TOKEN')).resolves.toBeDefined();
    });
  });

  describe('a rate limit', () => {
    it.each(kinds)('is waited for: %s', async (kind) => {
      const start = rig.clock.now();
      answer(kind, { ok: false, error: 'ratelimited' }, 429, { 'retry-after': '7' });
      answer(kind, goodAnswer(kind));
      await perform(kind);
      expect(rig.clock.now() - start).toBe(7_000);
    });

    it.each(kinds)('is told when there is no time for it: %s', async (kind) => {
      refuse(kind, 'ratelimited');
      expect(await failureOf(kind, rig.call({ seconds: 10 }))).toMatchObject({
        code: 'RATE_LIMITED',
        retryAfterSeconds: 25,
      });
    });

    it('ends with the caller', async () => {
      const caller = new AbortController();
      answer('CODE', '', 429, { 'retry-after': '5' });
      const call = rig.call({ signal: caller.signal });
      const outcome = expect(rig.edge.oauth.exchangeCode('LIVE', new Secret(CODE), call)).rejects.toThrow('gone');
      await rig.clock.advance(10);
      caller.abort(new Error('gone'));
      await outcome;
    });
  });

  describe('a caller that leaves', () => {
    it.each(kinds)('before anything was sent has nothing sent: %s', async (kind) => {
      const gone = rig.call({ signal: AbortSignal.abort(new Error('gone')) });
      await expect(perform(kind, gone)).rejects.toThrow('gone');
      expect(sent()).toEqual([]);
    });

    it.each(kinds)('while an answer is on its way has it all the same: %s', async (kind) => {
      const caller = new AbortController();
      next(methodOf(kind)).reply(200, () => {
        caller.abort(new Error('gone'));
        return goodAnswer(kind);
      });
      await expect(perform(kind, rig.call({ signal: caller.signal }))).resolves.toBeDefined();
    });

    it('while an answer is lost has nothing sent again, and learns that the token may be spent', async () => {
      const caller = new AbortController();
      next().reply(200, () => {
        caller.abort(new Error('gone'));
        return '';
      });
      expect(await failureOf('REFRESH_TOKEN', rig.call({ signal: caller.signal }))).toMatchObject({
        code: 'UPSTREAM_UNAVAILABLE',
      });
      expect(sent()).toHaveLength(1);
    });
  });
});
