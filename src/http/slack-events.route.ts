import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ConnectionEnvironment, connectionEnvironments } from '../domain/connections/connection';
import { handledEventTypes } from '../domain/connections/slack-event.service';
import type { SlackEvent } from '../domain/install-ports';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import type { Secret } from '../shared/secret';
import { readEvent } from './slack-event-body';
import { isFresh, isSignedBy } from './slack-signature';

/** One of the gateway's own apps, as far as its events need it. Read anew for each request: a secret may be replaced. */
interface EventSource {
  readonly signingSecret: Secret;
  /** Slack's id of the app; undefined where it is not known. */
  readonly appId?: string | undefined;
}

export interface SlackEventsOptions {
  /** The one whose secret fits a request tells where it comes from. Without any there is no such address. */
  readonly apps: { readonly [Environment in ConnectionEnvironment]?: EventSource | undefined };
  /** Keeps the event for later; rejects while that cannot be done. */
  readonly accept: (event: SlackEvent) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export const EVENTS_PATH = '/slack/events';

/** Slack's events are below 10 kB; lists of people are what may make one longer. */
const LARGEST_BODY = 256 * 1024;
/** Slack waits three seconds, and a later answer counts as none. */
const LONGEST_STORING_MS = 2_500;
/** Printable, and with no character that a browser could read markup from. */
const challengePattern = /^[A-Za-z0-9._~+/=-]{1,512}$/;

/**
 * `POST /slack/events`, the request URL of all our apps. The signature is checked on the bytes as they came, before anything
 * of them is parsed. An event is stored and answered at once; the work on it comes later.
 *
 * 200: taken, or of no interest · 400: no JSON · 401: not signed by one of our apps, or too old · 503: not stored, so
 * that Slack sends it again.
 * @see Slack, "Verifying requests from Slack" and "The Events API" (OAuth §12.1, §12.2, §12.5, §12.6)
 */
export function registerSlackEvents(app: FastifyInstance, options: SlackEventsOptions): void {
  if (Object.values(options.apps).every((app) => app === undefined)) return;
  // A scope of its own, since here alone bodies must stay bytes: one that is parsed and written again has another signature.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: LARGEST_BODY }, (_request, body, done) =>
      done(null, body),
    );
    scope.post(EVENTS_PATH, (request, reply) => receive(request, reply, options));
  });
}

async function receive(request: FastifyRequest, reply: FastifyReply, options: SlackEventsOptions) {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const signer = signerOf(request, body, options);
  if (!signer) return reply.code(401).send(refusal('The signature does not fit, or the request is too old.'));
  const envelope = parseObject(body);
  if (!envelope) return reply.code(400).send(refusal('The body is not a JSON object.'));
  const { type } = envelope;
  if (type === 'url_verification') return answerChallenge(reply, envelope.challenge);
  if (type === 'app_rate_limited') {
    options.logger.warn({ environment: signer.environment }, 'Slack sends no events for a while: there were too many');
  }
  if (type === 'event_callback') return keep(envelope, signer, reply, options);
  return reply.code(200).send();
}

function signerOf({ raw }: FastifyRequest, body: Buffer, { apps, clock }: SlackEventsOptions) {
  // Node joins headers that come twice, and what was checked must be what counts.
  const [signature, ...otherSignatures] = raw.headersDistinct['x-slack-signature'] ?? [];
  const [timestamp, ...otherTimestamps] = raw.headersDistinct['x-slack-request-timestamp'] ?? [];
  if (signature === undefined || timestamp === undefined) return undefined;
  if (otherSignatures.length > 0 || otherTimestamps.length > 0) return undefined;
  if (!isFresh(timestamp, clock.now())) return undefined;
  return connectionEnvironments
    .map((environment) => ({ environment, app: apps[environment] }))
    .find(({ app }) => app && isSignedBy(app.signingSecret, { timestamp, body, signature }));
}

async function keep(
  envelope: Readonly<Record<string, unknown>>,
  { environment, app }: { environment: ConnectionEnvironment; app?: EventSource },
  reply: FastifyReply,
  { accept, clock, logger }: SlackEventsOptions,
) {
  const appId = app?.appId;
  const { api_app_id: sender } = envelope;
  if (appId !== undefined && sender !== undefined && sender !== appId) {
    // The secret is the app's own, so it is the configured id that is wrong; to refuse would only have it sent again.
    logger.warn({ environment }, 'an event names another app than the configured one and is ignored');
    return reply.code(200).send();
  }
  const event = readEvent(envelope, { environment, receivedAt: new Date(clock.now()) });
  if (!event || !handledEventTypes.includes(event.type)) return reply.code(200).send();
  try {
    await withinTime(accept(event), clock);
  } catch (error) {
    logger.warn(
      { environment, eventId: event.id, err: error },
      'an event could not be stored; Slack will send it again',
    );
    return reply.code(503).send(refusal('The event could not be stored.'));
  }
  return reply.code(200).send();
}

function answerChallenge(reply: FastifyReply, challenge: unknown) {
  if (typeof challenge !== 'string' || !challengePattern.test(challenge)) {
    return reply.code(400).send(refusal('The challenge is missing or malformed.'));
  }
  return reply.code(200).type('text/plain; charset=utf-8').send(challenge);
}

/** What is stored after that is found stored when Slack sends it again. */
async function withinTime(storing: Promise<void>, clock: Clock): Promise<void> {
  const waiting = new AbortController();
  const lateness = clock.sleep(LONGEST_STORING_MS, waiting.signal).then(
    () => Promise.reject(new Error('Storing took too long')),
    () => {},
  );
  try {
    await Promise.race([storing, lateness]);
  } finally {
    waiting.abort();
  }
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

function refusal(error: string): object {
  return { error };
}
