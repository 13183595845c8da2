import type { ConnectionEnvironment, TokenKind } from '../domain/connections/connection';
import { ConnectionProblem } from '../domain/connections/connection-problem';
import { UpstreamUnavailable } from '../domain/errors';
import type { SlackWebApi, TokenIdentity, UpstreamCall } from '../domain/ports';
import type { Clock } from '../shared/clock';
import type { Secret } from '../shared/secret';
import { Attempts } from './attempts';
import { MALFORMED_TOKEN } from './code-details';
import { type WebApiMethod, webApiMethods } from './endpoints';
import { type UnknownCodeLog, unavailable, webApiError } from './errors';
import { originOf, type SlackOrigins, webApiUrl } from './origins';
import { retryAfterMs } from './retry-after';
import { deadTokenCodes } from './slack-codes';
import { rateLimited } from './team-queue';
import { type Transport, TransportFailure } from './transport';
import { envelopeOf, refusalCode, saysRateLimited, scopeList, type WebApiAnswer } from './web-api-answer';
import { flagIn, textIn, type WireObject } from './wire';

export interface WebApiParts {
  readonly origins: SlackOrigins;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly unknownCodes: UnknownCodeLog;
  readonly attemptTimeoutMs: number;
}

const LARGEST_ANSWER_BYTES = 1_000_000;
/** What a header can carry. */
const sendable = /^[\x21-\x7e]+$/;
const botPrefixes = ['xoxb-', 'xoxe.xoxb-'];

/** Slack's Web API: HTTP 200 with `ok: false` for refusals; the token goes into the header alone, never into a URL or a body. */
export class WebApiClient implements SlackWebApi {
  constructor(private readonly parts: WebApiParts) {}

  async identify(environment: ConnectionEnvironment, token: Secret, call: UpstreamCall): Promise<TokenIdentity> {
    const askedAt = this.parts.clock.now();
    const { body, status, header } = await this.#call(environment, webApiMethods.identify, token, call);
    const slackCode = refusalCode(body);
    if (slackCode !== undefined) throw this.#refused(slackCode, status);
    const identity = readIdentity(body, { token, scopes: header('x-oauth-scopes'), askedAt });
    if (identity === undefined) throw unavailable('UNREADABLE_ANSWER');
    return identity;
  }

  async revoke(environment: ConnectionEnvironment, token: Secret, call: UpstreamCall): Promise<void> {
    const { body, status } = await this.#call(environment, webApiMethods.revoke, token, call);
    const slackCode = refusalCode(body);
    if (slackCode === undefined || deadTokenCodes.includes(slackCode)) return;
    throw this.#refused(slackCode, status);
  }

  #refused(slackCode: string, status: number) {
    this.parts.unknownCodes.note(slackCode, status);
    return webApiError(slackCode, status);
  }

  /** Both methods may be repeated: one reads, and a token that was revoked twice is revoked. */
  async #call(
    environment: ConnectionEnvironment,
    method: WebApiMethod,
    token: Secret,
    call: UpstreamCall,
  ): Promise<WebApiAnswer> {
    const { clock, random } = this.parts;
    if (!sendable.test(token.reveal())) throw new ConnectionProblem('INVALID_TOKEN', { detail: MALFORMED_TOKEN });
    const url = webApiUrl(originOf(this.parts.origins, environment), method);
    const attempts = new Attempts(clock, random, call);
    for (;;) {
      call.signal.throwIfAborted();
      const answer = await this.#send(url, token, call, attempts);
      call.signal.throwIfAborted();
      if (isRateLimit(answer)) {
        const waitMs = retryAfterMs(answer.header('retry-after'), clock.now(), random);
        if (clock.now() + waitMs > call.deadlineAt) throw rateLimited(waitMs);
        await clock.sleep(waitMs, call.signal);
        continue;
      }
      const problem = answer instanceof TransportFailure ? answer.reason : brokenReason(answer);
      if (!(answer instanceof TransportFailure) && problem === undefined) return answer;
      const waitMs = attempts.afterFailure();
      if (waitMs === undefined) throw unavailable(problem ?? 'UNREADABLE_ANSWER');
      await clock.sleep(waitMs, call.signal);
    }
  }

  async #send(
    url: string,
    token: Secret,
    call: UpstreamCall,
    attempts: Attempts,
  ): Promise<WebApiAnswer | TransportFailure> {
    // auth.test and auth.revoke have limits of their own, so wide that no budget is kept of them.
    call.usage?.note('', []);
    try {
      const answer = await this.parts.transport.send({
        method: 'POST',
        url,
        headers: {
          authorization: `Bearer ${token.reveal()}`,
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: '',
        maxBodyBytes: LARGEST_ANSWER_BYTES,
        timeoutMs: attempts.timeoutMs(this.parts.attemptTimeoutMs, { isRead: true }),
        signal: call.signal,
      });
      return envelopeOf(answer);
    } catch (error) {
      if (error instanceof TransportFailure) return error;
      throw error;
    }
  }
}

function isRateLimit(answer: WebApiAnswer | TransportFailure): answer is WebApiAnswer {
  return !(answer instanceof TransportFailure) && saysRateLimited(answer);
}

/** Why the answer settles nothing; undefined when it does. */
function brokenReason({ body, status }: WebApiAnswer): string | undefined {
  if (status >= 500) return `HTTP_${status}`;
  if (flagIn(body, 'ok') === undefined) return 'UNREADABLE_ANSWER';
  const slackCode = refusalCode(body);
  return slackCode !== undefined && webApiError(slackCode, status) instanceof UpstreamUnavailable
    ? slackCode
    : undefined;
}

function readIdentity(
  body: WireObject,
  { token, scopes, askedAt }: { token: Secret; scopes: string | undefined; askedAt: number },
): TokenIdentity | undefined {
  const organizationSlackId = textIn(body, 'enterprise_id');
  const teamSlackId = textIn(body, 'team_id') ?? organizationSlackId;
  const userSlackId = textIn(body, 'user_id');
  if (teamSlackId === undefined || userSlackId === undefined) return undefined;
  // For an organization's token Slack may give the organization's id as that of the team.
  const isOrganizationTeam = teamSlackId.startsWith('E');
  const expiresInSeconds = Number(textIn(body, 'expires_in') ?? Number.NaN);
  return {
    kind: kindOf(body, token),
    grantedScopes: scopes === undefined ? undefined : scopeList(scopes),
    teamSlackId,
    teamName: textIn(body, 'team') ?? teamSlackId,
    teamUrl: textIn(body, 'url'),
    organizationSlackId: organizationSlackId ?? (isOrganizationTeam ? teamSlackId : undefined),
    isOrganizationInstall: flagIn(body, 'is_enterprise_install') ?? isOrganizationTeam,
    userSlackId,
    userName: textIn(body, 'user'),
    expiresAt: expiresInSeconds > 0 ? new Date(askedAt + expiresInSeconds * 1000) : undefined,
  };
}

function kindOf(body: WireObject, token: Secret): TokenKind {
  const hasBotPrefix = botPrefixes.some((prefix) => token.reveal().startsWith(prefix));
  return hasBotPrefix || textIn(body, 'bot_id') !== undefined ? 'BOT' : 'USER';
}
