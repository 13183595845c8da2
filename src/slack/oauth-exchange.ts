import { UpstreamUnavailable } from '../domain/errors';
import type { UpstreamCall } from '../domain/ports';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import { Attempts } from './attempts';
import { isKnownCode, type UnknownCodeLog, webApiError } from './errors';
import { lostAnswer, type OAuthCallKind, oauthRefusal } from './oauth-errors';
import { retryAfterMs } from './retry-after';
import { rateLimited } from './team-queue';
import { type Transport, TransportFailure } from './transport';
import { envelopeOf, refusalCode, saysRateLimited, type WebApiAnswer } from './web-api-answer';
import { flagIn, textIn, type WireObject } from './wire';

export interface OAuthRequest {
  readonly kind: OAuthCallKind;
  readonly url: string;
  readonly authorization: string;
  /** Sent in the body, as a form. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface OAuthExchangeParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly unknownCodes: UnknownCodeLog;
  readonly attemptTimeoutMs: number;
}

/** @returns undefined when the answer lacks what was asked for, which then counts as lost. */
type Accept<T> = (body: WireObject, askedAt: number) => T | undefined;

type Outcome<T> =
  | { readonly as: 'ACCEPTED'; readonly value: T }
  | { readonly as: 'REFUSED'; readonly slackCode: string; readonly status: number }
  | { readonly as: 'RATE_LIMITED'; readonly waitMs: number }
  /** It certainly never left. */
  | { readonly as: 'UNSENT'; readonly reason: string }
  /** Slack may have done what was asked. */
  | { readonly as: 'LOST'; readonly reason: string };

const LARGEST_ANSWER_BYTES = 1_000_000;
/** Nothing cuts an attempt short, so two in a row must end while the lease of a refresh lasts. */
const LONGEST_ATTEMPT_MS = 20_000;

/**
 * Sends what can be exchanged once. An answer that does not arrive may have spent it: a code is not sent again then, since
 * a second use may end what the first gave; the others are, once and at once, to be within Slack's grace period.
 */
export class OAuthExchange {
  constructor(private readonly parts: OAuthExchangeParts) {}

  /** @throws what oauthRefusal makes of a refusal; RateLimited, UpstreamUnavailable */
  async perform<T>(request: OAuthRequest, accept: Accept<T>, call: UpstreamCall): Promise<T> {
    const { clock, random, unknownCodes } = this.parts;
    const attempts = new Attempts(clock, random, call);
    let lostBy: string | undefined;
    for (;;) {
      if (call.signal.aborted) throw lostBy === undefined ? call.signal.reason : lostAnswer(request.kind, lostBy);
      const outcome = await this.#attempt(request, accept, call);
      switch (outcome.as) {
        case 'ACCEPTED':
          return outcome.value;
        case 'REFUSED':
          unknownCodes.note(outcome.slackCode, outcome.status);
          throw oauthRefusal(outcome.slackCode, outcome.status, request.kind);
        case 'LOST':
          if (request.kind === 'CODE' || lostBy !== undefined) throw lostAnswer(request.kind, outcome.reason);
          lostBy = outcome.reason;
          break;
        case 'RATE_LIMITED':
          if (clock.now() + outcome.waitMs > call.deadlineAt) {
            throw lostBy === undefined ? rateLimited(outcome.waitMs) : lostAnswer(request.kind, lostBy);
          }
          await clock.sleep(outcome.waitMs, call.signal);
          break;
        case 'UNSENT': {
          const waitMs = attempts.afterFailure();
          if (waitMs === undefined) throw lostAnswer(request.kind, outcome.reason);
          await clock.sleep(waitMs, call.signal);
        }
      }
    }
  }

  async #attempt<T>(request: OAuthRequest, accept: Accept<T>, call: UpstreamCall): Promise<Outcome<T>> {
    const { clock, random, logger } = this.parts;
    const askedAt = clock.now();
    const answer = await this.#send(request);
    if (answer instanceof TransportFailure) return { as: answer.wasSent ? 'LOST' : 'UNSENT', reason: answer.reason };
    const { body, status, header } = answer;
    logger.debug({ requestId: call.requestId, exchanged: request.kind, status }, 'OAuth call');
    if (saysRateLimited(answer)) {
      return { as: 'RATE_LIMITED', waitMs: retryAfterMs(header('retry-after'), clock.now(), random) };
    }
    if (flagIn(body, 'ok') !== true) return notAccepted(answer);
    const value = accept(body, askedAt);
    return value === undefined ? { as: 'LOST', reason: 'UNREADABLE_ANSWER' } : { as: 'ACCEPTED', value };
  }

  async #send({ url, authorization, fields }: OAuthRequest): Promise<WebApiAnswer | TransportFailure> {
    const { transport, attemptTimeoutMs } = this.parts;
    try {
      const answer = await transport.send({
        method: 'POST',
        url,
        headers: {
          authorization,
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams(fields).toString(),
        maxBodyBytes: LARGEST_ANSWER_BYTES,
        timeoutMs: Math.min(attemptTimeoutMs, LONGEST_ATTEMPT_MS),
        // The caller may leave, but what is on its way is waited for: an answer that nobody reads is a token that is lost.
        signal: new AbortController().signal,
      });
      return envelopeOf(answer);
    } catch (error) {
      if (error instanceof TransportFailure) return error;
      throw error;
    }
  }
}

/** `ok` decides and not the status; RFC 6749 §5.2's form of a refusal, which has none, counts with the status it belongs to. */
function notAccepted({ body, status }: WebApiAnswer): Outcome<never> {
  const isRefusal =
    flagIn(body, 'ok') === false || (status >= 400 && status < 500 && textIn(body, 'error') !== undefined);
  if (!isRefusal) return { as: 'LOST', reason: status === 200 ? 'UNREADABLE_ANSWER' : `HTTP_${status}` };
  const slackCode = refusalCode(body) ?? 'unknown';
  const isServerFailure = webApiError(slackCode, status) instanceof UpstreamUnavailable;
  if (isServerFailure || (status >= 500 && !isKnownCode(slackCode))) return { as: 'LOST', reason: slackCode };
  return { as: 'REFUSED', slackCode, status };
}
