import { ConnectionProblem } from '../domain/connections/connection-problem';
import type { Action } from '../domain/connections/scopes';
import type { DirectoryTarget } from '../domain/directory-ports';
import { ResourceLocked } from '../domain/errors';
import type { LeasedToken, UpstreamCall } from '../domain/ports';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import { Attempts } from './attempts';
import { MALFORMED_TOKEN } from './code-details';
import { pathOf, type ScimEndpoint } from './endpoints';
import { meaningOf, outcomeUnknown, type RefusedCall, refusalError, type UnknownCodeLog, unavailable } from './errors';
import { type OriginTraits, SCIM_MEDIA_TYPE } from './origin-traits';
import { type SlackOrigin, scimUrl } from './origins';
import type { RateLimiter } from './rate-limiter';
import { retryAfterMs, wholeSeconds } from './retry-after';
import { type HttpAnswer, type Transport, TransportFailure } from './transport';
import { isHtml, parseJson, type Refusal, readRefusal } from './wire';
import type { WriteTurns } from './write-turns';

export interface ScimRequest {
  readonly endpoint: ScimEndpoint;
  /** Whose scopes the token must have; the endpoint's own when absent. */
  readonly action?: Action;
  readonly slackId?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly isAboutGuest?: boolean;
}

/** What exchanges share within one edge. */
export interface ScimExchangeParts {
  readonly transport: Transport;
  readonly limiter: RateLimiter;
  readonly turns: WriteTurns;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly unknownCodes: UnknownCodeLog;
  readonly attemptTimeoutMs: number;
}

/** How one attempt ended: with a value, or with a reason to make another one after a wait. */
type Step<T> = { readonly value: T } | { readonly againAfterMs: number };

/** How far one call has come. */
interface Progress {
  readonly attempts: Attempts;
  hasTriedOtherToken: boolean;
  hasTriedOtherMediaType: boolean;
}

const ACCEPTED_TYPES = 'application/scim+json, application/json';
/** The pause that a refusal asks for which is known to pass. */
const TRANSIENT_WAIT_MS = 1_000;
/** What a header can carry. Anything else is no token, and would fail inside the HTTP client. */
const sendable = /^[\x21-\x7e]+$/;

/** One connection's HTTP conversation with SCIM: budget, token, attempts, refusals. Knows no user. */
export class ScimExchange {
  constructor(
    private readonly parts: ScimExchangeParts,
    private readonly target: DirectoryTarget,
    private readonly origin: SlackOrigin,
    readonly traits: OriginTraits,
  ) {}

  /**
   * @param accept reads the answer; undefined says that it is not what was asked for, and counts as a failed attempt.
   * @throws what DirectoryClient promises for reads; NotFound for a person that is not there.
   */
  async read<T>(request: ScimRequest, accept: (body: unknown) => T | undefined, call: UpstreamCall): Promise<T> {
    return this.#perform(request, call, (answer) => {
      const value = accept(parseJson(answer.text));
      return value === undefined ? undefined : { value };
    });
  }

  /**
   * @returns the JSON of the answer; undefined when the write succeeded with an empty or an unreadable answer.
   * @throws what DirectoryClient promises for writes; VerbNotSupported
   */
  async write(request: ScimRequest, call: UpstreamCall): Promise<unknown> {
    return this.#perform(request, call, (answer) => ({ value: parseJson(answer.text) }));
  }

  async #perform<T>(
    request: ScimRequest,
    call: UpstreamCall,
    accept: (answer: HttpAnswer) => { value: T } | undefined,
  ): Promise<T> {
    const { clock, random } = this.parts;
    const progress: Progress = {
      attempts: new Attempts(clock, random, call),
      hasTriedOtherToken: false,
      hasTriedOtherMediaType: false,
    };
    for (;;) {
      const step = await this.#attempt(request, call, progress, accept);
      if ('value' in step) return step.value;
      if (step.againAfterMs > 0) await clock.sleep(step.againAfterMs, call.signal);
    }
  }

  async #attempt<T>(
    request: ScimRequest,
    call: UpstreamCall,
    progress: Progress,
    accept: (answer: HttpAnswer) => { value: T } | undefined,
  ): Promise<Step<T>> {
    const { endpoint } = request;
    await this.parts.limiter.acquire(this.target.budgetKey, endpoint.budgetClass, call);
    const { token, answer } = await this.#inTurn(request, call, async () => {
      const leased = await this.target.tokens.lease(request.action ?? endpoint.action);
      call.signal.throwIfAborted();
      return { token: leased, answer: await this.#send(request, leased, call, progress) };
    });
    if (answer instanceof TransportFailure) return this.#afterSilence(answer, request, call, progress);
    this.parts.logger.debug({ requestId: call.requestId, method: endpoint.method, status: answer.status }, 'SCIM call');
    const html = isHtml(answer.header('content-type'), answer.text);
    if (answer.status < 300 && !html) {
      this.#learnFrom(answer);
      const accepted = accept(answer);
      return accepted ?? this.#afterBrokenAnswer(request, call, progress, 'UNREADABLE_ANSWER');
    }
    if (isBroken(answer.status, { isPage: html, isRead: isRead(request) })) {
      return this.#afterBrokenAnswer(request, call, progress, `HTTP_${answer.status}`);
    }
    const refusal = readRefusal(answer.status, html ? undefined : parseJson(answer.text));
    return this.#afterRefusal(refusal, answer, { request, token, call, progress });
  }

  /** Reads, and creations of what has no id yet, need not wait for anybody. */
  #inTurn<T>(request: ScimRequest, call: UpstreamCall, work: () => Promise<T>): Promise<T> {
    const { endpoint, slackId } = request;
    if (isRead(request) || slackId === undefined) return work();
    return this.parts.turns.run(`${this.target.budgetKey} ${endpoint.path} ${slackId}`, call, work);
  }

  async #send(
    request: ScimRequest,
    token: LeasedToken,
    call: UpstreamCall,
    { attempts }: Progress,
  ): Promise<HttpAnswer | TransportFailure> {
    const { endpoint, body, query, slackId } = request;
    const path = pathOf(endpoint, slackId);
    if (path === undefined)
      throw refusalError(readRefusal(404, { detail: unknownIdCode(request) }), refusedCall(request));
    const secret = token.secret.reveal();
    if (!sendable.test(secret)) throw new ConnectionProblem('REAUTHORIZATION_REQUIRED', { detail: MALFORMED_TOKEN });
    call.usage?.note(this.target.budgetKey, this.parts.limiter.lastKnown(this.target.budgetKey, endpoint.budgetClass));
    try {
      return await this.parts.transport.send({
        method: endpoint.method,
        url: scimUrl(this.origin, path, query),
        headers: {
          authorization: `Bearer ${secret}`,
          accept: ACCEPTED_TYPES,
          ...(body === undefined ? {} : { 'content-type': this.traits.requestMediaType }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        maxBodyBytes: endpoint.maxBodyBytes,
        timeoutMs: attempts.timeoutMs(this.parts.attemptTimeoutMs, { isRead: isRead(request) }),
        signal: call.signal,
      });
    } catch (error) {
      if (error instanceof TransportFailure) return error;
      throw error;
    }
  }

  #afterSilence<T>(failure: TransportFailure, request: ScimRequest, call: UpstreamCall, progress: Progress): Step<T> {
    if (!failure.wasSent) {
      call.signal.throwIfAborted();
      return this.#again(progress.attempts.afterFailure(), failure.reason);
    }
    return this.#afterBrokenAnswer(request, call, progress, failure.reason);
  }

  /** A read may be repeated. A write may have taken effect, so that even an abort must not look as if nothing was sent. */
  #afterBrokenAnswer<T>(request: ScimRequest, call: UpstreamCall, progress: Progress, reason: string): Step<T> {
    if (!isRead(request)) throw outcomeUnknown(reason);
    call.signal.throwIfAborted();
    return this.#again(progress.attempts.afterFailure(), reason);
  }

  #again<T>(waitMs: number | undefined, reason: string): Step<T> {
    if (waitMs === undefined) throw unavailable(reason);
    return { againAfterMs: waitMs };
  }

  async #afterRefusal<T>(
    refusal: Refusal,
    answer: HttpAnswer,
    met: { request: ScimRequest; token: LeasedToken; call: UpstreamCall; progress: Progress },
  ): Promise<Step<T>> {
    const { request, token, progress } = met;
    const meaning = meaningOf(refusal);
    if (meaning?.as === 'RATE_LIMITED') return this.#afterRateLimit(request, answer);
    if (meaning?.as === 'LOCKED') {
      const header = answer.header('retry-after');
      const statedMs = header === undefined ? 0 : retryAfterMs(header, this.parts.clock.now(), this.parts.random);
      const { waitMs, isInTime } = progress.attempts.afterLock(statedMs);
      if (isInTime) return { againAfterMs: waitMs };
      throw new ResourceLocked(
        'Slack is still busy with another change of the same account or group.',
        wholeSeconds(waitMs),
      );
    }
    if (meaning?.as === 'TRANSIENT') {
      return this.#again(progress.attempts.afterFailure(TRANSIENT_WAIT_MS), refusal.slackCode);
    }
    if (meaning?.as === 'BAD_TOKEN') {
      const hasOther = await this.target.tokens.reportRejected(token);
      if (hasOther && !progress.hasTriedOtherToken) {
        progress.hasTriedOtherToken = true;
        return { againAfterMs: 0 };
      }
    }
    if (refusal.status === 415 && !progress.hasTriedOtherMediaType && request.body !== undefined) {
      progress.hasTriedOtherMediaType = true;
      this.traits.requestMediaType = SCIM_MEDIA_TYPE;
      return { againAfterMs: 0 };
    }
    this.parts.unknownCodes.note(refusal.slackCode, refusal.status);
    throw refusalError(refusal, refusedCall(request));
  }

  /** The limiter does the waiting, and refuses when it would take too long: it holds back everybody else as well. */
  async #afterRateLimit<T>({ endpoint }: ScimRequest, answer: HttpAnswer): Promise<Step<T>> {
    const { clock, random, limiter } = this.parts;
    const waitMs = retryAfterMs(answer.header('retry-after'), clock.now(), random);
    await limiter.block(this.target.budgetKey, endpoint.budgetClass, waitMs);
    return { againAfterMs: 0 };
  }

  #learnFrom(answer: HttpAnswer): void {
    const mediaType = answer.header('content-type')?.toLowerCase() ?? '';
    if (mediaType.startsWith(SCIM_MEDIA_TYPE)) this.traits.isStandardServer = true;
  }
}

function isRead({ endpoint }: ScimRequest): boolean {
  return endpoint.method === 'GET';
}

/** A page in place of an answer, or a failure of the server: neither says what Slack thinks of the call. */
function isBroken(status: number, { isPage, isRead: isReading }: { isPage: boolean; isRead: boolean }): boolean {
  if (status < 300 || status === 408) return true;
  if (status >= 500) return status !== 501;
  return isPage && isReading && status >= 400 && status !== 401 && status !== 429;
}

function refusedCall(request: ScimRequest): RefusedCall {
  const { endpoint, isAboutGuest = false } = request;
  const [onRead, onWrite] = kindsByPath[endpoint.path];
  return { kind: isRead(request) ? onRead : onWrite, isAboutGuest };
}

type Kind = RefusedCall['kind'];

const kindsByPath: Readonly<Record<ScimEndpoint['path'], readonly [onRead: Kind, onWrite: Kind]>> = {
  '/Users': ['READ_LIST', 'CREATE'],
  '/Users/{id}': ['READ_PERSON', 'WRITE_ON_PERSON'],
  '/Groups': ['READ_LIST', 'CREATE_GROUP'],
  '/Groups/{id}': ['READ_GROUP', 'WRITE_ON_GROUP'],
};

function unknownIdCode({ endpoint }: ScimRequest): string {
  return endpoint.path === '/Groups/{id}' ? 'no_such_group' : 'no_such_user';
}
