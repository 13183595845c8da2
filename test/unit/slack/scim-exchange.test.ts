import { inspect } from 'node:util';
import { ConnectionProblem } from '../../../src/domain/connections/connection-problem';
import {
  RateLimited,
  ResourceLocked,
  UpstreamOutcomeUnknown,
  UpstreamRejected,
  UpstreamUnavailable,
} from '../../../src/domain/errors';
import { aList, aWireUser, FakeTokens, jsonHeaders, makeRig, type Rig, SCIM, TOKEN } from './support';

const USER_PATH = '/scim/v2/Users/U1';
const draft = { email: 'u1@example.com', userName: 'u1' };

function networkError(code: string, syscall?: string): Error {
  return Object.assign(new Error(`${code} ${TOKEN}`), { code, syscall });
}

describe('ScimExchange', () => {
  let rig: Rig;
  beforeEach(() => {
    rig = makeRig();
  });
  afterEach(async () => {
    rig.agent.assertNoPendingInterceptors();
    await rig.agent.close();
  });

  function onGet() {
    return rig.agent.get(SCIM).intercept({ path: USER_PATH, method: 'GET' });
  }
  function onPost() {
    return rig.agent.get(SCIM).intercept({ path: '/scim/v2/Users', method: 'POST' });
  }
  function getUser(call = rig.call()) {
    return rig.clock.runUntil(rig.client.getUser('U1', call));
  }
  function createUser(call = rig.call()) {
    return rig.clock.runUntil(rig.client.createUser(draft, call));
  }

  describe('reads', () => {
    it.each([
      ['a reset connection', () => onGet().replyWithError(networkError('ECONNRESET'))],
      ['a refused connection', () => onGet().replyWithError(networkError('ECONNREFUSED', 'connect'))],
      ['a server error', () => onGet().reply(500, { detail: 'oops' }, jsonHeaders)],
      ['a request that took the server too long', () => onGet().reply(408, '')],
      ['a page of a proxy', () => onGet().reply(502, '<html>Bad gateway</html>')],
      [
        'a page with status 200',
        () => onGet().reply(200, '<!doctype html><p>Hi', { headers: { 'content-type': 'text/html' } }),
      ],
      ['a page with status 403', () => onGet().reply(403, '<html>Blocked</html>')],
      ['half an answer', () => onGet().reply(200, '{"id":"U1","userNa', jsonHeaders)],
      ['an answer that is no person', () => onGet().reply(200, { ok: true }, jsonHeaders)],
      ['an empty answer', () => onGet().reply(200, '')],
    ])('repeats after %s', async (_, fail) => {
      fail();
      onGet().reply(200, aWireUser('U1'), jsonHeaders);
      await expect(getUser()).resolves.toMatchObject({ slackId: 'U1' });
      expect(rig.clock.now()).toBeGreaterThan(Date.UTC(2030, 0, 1));
    });

    it('gives up after three attempts', async () => {
      onGet().reply(503, '').times(3);
      await expect(getUser()).rejects.toBeInstanceOf(UpstreamUnavailable);
    });

    it('does not repeat when the pause would pass the deadline', async () => {
      onGet().reply(503, '');
      await expect(getUser(rig.call({ seconds: 0.1 }))).rejects.toBeInstanceOf(UpstreamUnavailable);
    });

    it('asks for the token before each attempt', async () => {
      onGet().reply(503, '').times(2);
      onGet().reply(200, aWireUser('U1'), jsonHeaders);
      await getUser();
      expect(rig.tokens.leasedFor).toEqual(['user.read', 'user.read', 'user.read']);
    });
  });

  describe('writes', () => {
    it.each([
      ['a reset connection', () => onPost().replyWithError(networkError('ECONNRESET'))],
      ['a time-out', () => onPost().replyWithError(networkError('UND_ERR_HEADERS_TIMEOUT'))],
      ['a server error', () => onPost().reply(500, { detail: 'oops' }, jsonHeaders)],
      ['a page of a proxy', () => onPost().reply(502, '<html>Bad gateway</html>')],
      ['a page with status 200', () => onPost().reply(200, '<html>Sign in</html>')],
    ])('are never repeated after %s, since they may have taken effect', async (_, fail) => {
      fail();
      await expect(createUser()).rejects.toBeInstanceOf(UpstreamOutcomeUnknown);
      expect(rig.tokens.leasedFor).toHaveLength(1);
    });

    it.each([
      ['ECONNREFUSED', 'connect'],
      ['ENOTFOUND', 'getaddrinfo'],
      ['UND_ERR_CONNECT_TIMEOUT', undefined],
      ['CERT_HAS_EXPIRED', undefined],
    ])('are repeated after %s, since they certainly never left', async (code, syscall) => {
      onPost().replyWithError(networkError(code, syscall));
      onPost().reply(201, aWireUser('U1'), jsonHeaders);
      await expect(createUser()).resolves.toMatchObject({ slackId: 'U1' });
    });

    it('that cannot leave at all end as unavailable, not as unknown', async () => {
      onPost().replyWithError(networkError('ECONNREFUSED', 'connect')).times(3);
      await expect(createUser()).rejects.toBeInstanceOf(UpstreamUnavailable);
    });

    it.each([
      ['empty', ''],
      ['cut off', '{"id":"U1","us'],
      ['garbage', 'PK\u0003\u0004'],
      ['an empty object', '{}'],
    ])('that succeed with an answer that is %s answer undefined', async (_, body) => {
      onPost().reply(201, body);
      await expect(createUser()).resolves.toBeUndefined();
    });

    it('count as of unknown outcome when the caller leaves while one is under way', async () => {
      const caller = new AbortController();
      onPost().reply(201, aWireUser('U1'), jsonHeaders).delay(300);
      const writing = rig.client.createUser(draft, rig.call({ signal: caller.signal }));
      const outcome = expect(writing).rejects.toBeInstanceOf(UpstreamOutcomeUnknown);
      await rig.clock.advance(0);
      caller.abort(new Error('gone'));
      await outcome;
    });
  });

  describe('tokens', () => {
    it.each([
      ['401', 401, { Errors: { description: 'invalid_authentication', code: 401 } }],
      [
        '400 unsupported_version, as v2 answered before 2026',
        400,
        { Errors: { description: 'unsupported_version', code: 400 } },
      ],
      ['401 without a body', 401, ''],
      ["one of the Web API's words", 403, { detail: 'token_revoked', status: 403 }],
    ])('that are refused with %s are reported, and another one is tried', async (_, status, body) => {
      rig = makeRig({ tokens: new FakeTokens(['xoxp-old', 'xoxp-new']) });
      const seen: unknown[] = [];
      onGet().reply(status, body, jsonHeaders);
      onGet().reply(
        200,
        ({ headers }) => {
          seen.push(headers);
          return aWireUser('U1');
        },
        jsonHeaders,
      );
      await expect(getUser()).resolves.toMatchObject({ slackId: 'U1' });
      expect(rig.tokens.rejected).toEqual(['xoxp-old']);
      expect(seen).toMatchObject([{ authorization: 'Bearer xoxp-new' }]);
    });

    it('end the call when there is no other one', async () => {
      onGet().reply(401, { Errors: { description: 'invalid_authentication', code: 401 } }, jsonHeaders);
      const error = await getUser().catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(ConnectionProblem);
      expect(error).toMatchObject({
        code: 'REAUTHORIZATION_REQUIRED',
        detail: expect.stringMatching(/: invalid_authentication\.$/),
      });
    });

    it('are tried twice at most, and the second one is reported, too', async () => {
      rig = makeRig({ tokens: new FakeTokens(['xoxp-1', 'xoxp-2', 'xoxp-3']) });
      onGet().reply(401, '').times(2);
      await expect(getUser()).rejects.toMatchObject({ code: 'REAUTHORIZATION_REQUIRED' });
      expect(rig.tokens.rejected).toEqual(['xoxp-1', 'xoxp-2']);
    });

    it('that could break the header are not sent', async () => {
      rig = makeRig({ tokens: new FakeTokens(['xoxp-a\r\nx-evil: 1']) });
      await expect(getUser()).rejects.toMatchObject({ code: 'REAUTHORIZATION_REQUIRED' });
    });

    it.each([
      ['non_org_teams_only', 400, 'WRONG_INSTALL_LEVEL'],
      ['plus_teams_only', 403, 'PLAN_TOO_LOW'],
      ['permission_denied', 403, 'INSTALLER_LOST_RIGHTS'],
      ['missing_scope', 403, 'MISSING_SCOPES'],
      ['not_allowed_token_type', 403, 'WRONG_TOKEN_KIND'],
      ['accesslimited', 403, 'IP_NOT_ALLOWED'],
    ])('whose grant lacks something give the problem of it: %s', async (detail, status, code) => {
      onGet().reply(status, { detail, status }, jsonHeaders);
      await expect(getUser()).rejects.toMatchObject({ code });
    });
  });

  describe('rate limits', () => {
    it('waits the Retry-After time, and sends nothing to that class meanwhile', async () => {
      const start = rig.clock.now();
      const sentAt: number[] = [];
      onPost().reply(429, { detail: 'too_many_requests' }, { headers: { 'retry-after': '7' } });
      onPost()
        .reply(
          201,
          () => {
            sentAt.push(rig.clock.now() - start);
            return aWireUser('U1');
          },
          jsonHeaders,
        )
        .times(2);
      const first = rig.client.createUser(draft, rig.call());
      await rig.clock.advance(10);
      const second = rig.client.createUser(draft, rig.call());
      await rig.clock.runUntil(Promise.all([first, second]));
      expect(sentAt[0]).toBeGreaterThanOrEqual(7_000);
      expect(sentAt[1]).toBeGreaterThanOrEqual(7_333);
      expect(sentAt[1]).toBeLessThan(7_400);
    });

    it('says at once how long to wait when that would pass the deadline', async () => {
      onPost().reply(429, '', { headers: { 'retry-after': '99999' } });
      const start = rig.clock.now();
      const error = await createUser().catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(RateLimited);
      expect(error).toMatchObject({ retryAfterSeconds: 99_999 });
      expect(rig.clock.now()).toBe(start);
      expect(await rig.edge.directory.budgetOf('T1')).toContainEqual(
        expect.objectContaining({
          endpointClass: 'users.create',
          remaining: 0,
          blockedUntil: new Date(start + 99_999_000),
        }),
      );
    });

    it('assumes 20 to 30 s when Slack does not say', async () => {
      onPost().reply(429, '');
      await expect(createUser(rig.call({ seconds: 5 }))).rejects.toMatchObject({ retryAfterSeconds: 25 });
    });

    it('does not end a storm of 429 before the deadline, however many there are', async () => {
      onPost()
        .reply(429, '', { headers: { 'retry-after': '0' } })
        .times(12);
      onPost().reply(201, aWireUser('U1'), jsonHeaders);
      await expect(createUser()).resolves.toMatchObject({ slackId: 'U1' });
    });

    it('takes a locked resource for what it is: others of the class go on', async () => {
      const locked = { Errors: { description: 'resource_locked', code: 429 } };
      onPost().reply(429, locked, jsonHeaders).times(2);
      onPost().reply(201, aWireUser('U1'), jsonHeaders);
      await expect(createUser()).resolves.toMatchObject({ slackId: 'U1' });
      const budget = await rig.edge.directory.budgetOf('T1');
      expect(budget.filter(({ blockedUntil }) => blockedUntil !== undefined)).toEqual([]);
    });

    it('gives up on a lock that does not clear in time', async () => {
      const locked = { detail: 'resource_locked', status: 429 };
      onPost()
        .reply(429, locked, { headers: { 'retry-after': '1' } })
        .times(3);
      const error = await createUser(rig.call({ seconds: 2.5 })).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(ResourceLocked);
      expect(error).toMatchObject({ retryAfterSeconds: 1, retryable: true });
    });

    it('repeats the one refusal that is known to pass', async () => {
      onPost().reply(400, { detail: 'invited_user_not_created', status: 400 }, jsonHeaders);
      onPost().reply(201, aWireUser('U1'), jsonHeaders);
      const start = rig.clock.now();
      await expect(createUser()).resolves.toMatchObject({ slackId: 'U1' });
      expect(rig.clock.now() - start).toBe(1_000);
    });
  });

  describe('forms', () => {
    it("repeats with SCIM's own media type after a 415, and keeps to it", async () => {
      const types: unknown[] = [];
      onPost().reply(415, '');
      onPost()
        .reply(
          201,
          ({ headers }) => {
            types.push((headers as Record<string, string>)['content-type']);
            return aWireUser('U1');
          },
          jsonHeaders,
        )
        .times(2);
      await createUser();
      await createUser();
      expect(types).toEqual(['application/scim+json', 'application/scim+json']);
    });

    it('does not follow a redirect with the token', async () => {
      onGet().reply(302, '', { headers: { location: 'https://evil.test/' } });
      await expect(getUser()).rejects.toMatchObject({ code: 'UPSTREAM_REJECTED', httpStatus: 302 });
    });
  });

  describe('callers that leave', () => {
    it('stop a wait for a repeat with the reason of their signal', async () => {
      const caller = new AbortController();
      const reason = new Error('gone');
      onGet().reply(503, '');
      const reading = rig.client.getUser('U1', rig.call({ signal: caller.signal }));
      const outcome = expect(reading).rejects.toBe(reason);
      await rig.clock.advance(10);
      caller.abort(reason);
      await outcome;
      expect(rig.clock.sleeperCount).toBe(0);
    });

    it('stop a wait for a rate limit', async () => {
      const caller = new AbortController();
      const reason = new Error('gone');
      onGet().reply(429, '', { headers: { 'retry-after': '5' } });
      const reading = rig.client.getUser('U1', rig.call({ signal: caller.signal }));
      const outcome = expect(reading).rejects.toBe(reason);
      await rig.clock.advance(10);
      caller.abort(reason);
      await outcome;
      expect(rig.clock.sleeperCount).toBe(0);
    });

    it('send nothing when they left before', async () => {
      await expect(getUser(rig.call({ signal: AbortSignal.abort(new Error('gone')) }))).rejects.toThrow('gone');
      expect(rig.tokens.leasedFor).toEqual([]);
    });
  });

  describe('secrets', () => {
    it('are in no error and in no log line, whatever goes wrong', async () => {
      const person = 'Jane Roe jane@example.com';
      const failures: (() => void)[] = [
        () => onGet().replyWithError(networkError('ECONNRESET')).times(3),
        () => onGet().reply(400, { detail: `${person} ${TOKEN}`, status: 400 }, jsonHeaders),
        () => onGet().reply(401, { Errors: { description: `invalid_authentication (${TOKEN})` } }, jsonHeaders),
        () => onGet().reply(400, { detail: `some_new_code (user=${person})` }, jsonHeaders),
        () => onGet().reply(500, `<html>${person} ${TOKEN}</html>`).times(3),
      ];
      for (const fail of failures) {
        fail();
        const error = await getUser().catch((cause: unknown) => cause);
        const shown = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error);
        expect(shown).not.toContain(TOKEN);
        expect(shown).not.toContain('jane@example.com');
      }
      const logged = inspect(rig.logger.lines, { depth: 10 });
      expect(logged).not.toContain(TOKEN);
      expect(logged).not.toContain('jane@example.com');
    });
  });

  it('logs a code that no table knows once, and names it in the error', async () => {
    onGet().reply(400, { detail: 'brand_new_code (user=x)', status: 400 }, jsonHeaders).times(2);
    for (let time = 0; time < 2; time += 1) {
      const error = await getUser().catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(UpstreamRejected);
      expect(error).toMatchObject({ slackCode: 'brand_new_code', httpStatus: 400, retryable: false });
    }
    expect(rig.logger.lines.filter(({ level }) => level === 'warn')).toEqual([
      { level: 'warn', fields: { slackCode: 'brand_new_code', httpStatus: 400 }, message: expect.any(String) },
    ]);
  });

  it('lists through a whole storm: 503, then 429, then a page', async () => {
    const path = '/scim/v2/Users?startIndex=1&count=100';
    const pool = rig.agent.get(SCIM);
    pool.intercept({ path }).reply(503, '');
    pool.intercept({ path }).reply(429, '', { headers: { 'retry-after': '2' } });
    pool.intercept({ path }).reply(200, aList([aWireUser('U1')]), jsonHeaders);
    const slice = await rig.clock.runUntil(rig.client.listUsers({ startIndex: 1, count: 100 }, rig.call()));
    expect(slice).toMatchObject({ totalResults: 1, startIndex: 1 });
  });
});
