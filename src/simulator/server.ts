import type { ServerResponse } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { withoutRouteSchemas } from '../shared/route-schemas';
import { type Answer, bearerToken, type Call } from './call';
import { type Controlled, registerControlRoutes } from './control/control.route';
import type { FaultKind, FaultList } from './faults/fault';
import { type Delivery, letsCallHappen, replacementOf, spoil } from './faults/spoiling';
import type { AppContext } from './oauth/app-context';
import { answerConsent } from './oauth/consent.route';
import type { RequestLog, RequestRecord } from './request-log';
import { answerScim } from './scim/scim.route';
import { errorBody } from './scim/scim-error';
import { answerWebApi, isAppliedWrite, refreshTokenOf } from './web-api/web-api.route';

/** 15,000 members in one call stay well below. */
const largestBodyBytes = 4 * 1024 * 1024;

export interface ServerParts {
  readonly context: AppContext;
  readonly faults: FaultList;
  readonly log: RequestLog;
  readonly controlled: Controlled;
  /** Responses that are still to be sent; hanging ones are not among them. */
  readonly unanswered: Set<ServerResponse>;
  /** Called after a write was carried out. */
  onChange(): void;
  /** Waits until everything that changed is in the state file, if there is one. */
  saved(): Promise<void>;
}

type Handler = (context: AppContext, call: Call) => Answer | Promise<Answer>;

export function buildServer(parts: ServerParts): FastifyInstance {
  // Fastify refuses such paths before any route: to a client they are unknown ones (SCIM §3, documented).
  const frameworkErrors = (_error: unknown, _request: unknown, reply: FastifyReply) => {
    reply.code(404).send(errorBody('bad_endpoint', 404, 'new'));
  };
  const server = Fastify({
    logger: false,
    schemaController: withoutRouteSchemas,
    bodyLimit: largestBodyBytes,
    forceCloseConnections: true,
    frameworkErrors,
  });
  // Handlers read the body themselves: it comes late in the order of checks, and every media type is looked at alike.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  server.all('/api/*', (request, reply) => serve(parts, request, reply, answerWebApi));
  server.all('/oauth/*', (request, reply) => serve(parts, request, reply, answerConsent));
  server.all('/scim/*', (request, reply) => serve(parts, request, reply, answerScim));
  registerControlRoutes(server, parts.controlled);
  return server;
}

/**
 * One call from its bytes to its answer. A fault stands between the network and Slack: it is chosen before any check, so that it
 * also meets calls that Slack would refuse, and it spoils refusals as well as successes.
 */
async function serve(
  parts: ServerParts,
  request: FastifyRequest,
  reply: FastifyReply,
  handler: Handler,
): Promise<FastifyReply> {
  parts.unanswered.add(reply.raw);
  reply.raw.once('close', () => parts.unanswered.delete(reply.raw));
  const call = toCall(request);
  const { record, fault } = open(parts, call);
  if (fault?.kind === 'latency') await parts.context.pause(fault.ms);
  const isWebApi = handler !== answerScim;
  const replacement = fault && replacementOf(fault, { isWebApi, now: parts.context.clock.now() });
  let delivery = replacement;
  if (!fault || letsCallHappen(fault)) {
    call.lies = parts.faults.liesOf(fault);
    const answer = await handler(parts.context, call);
    record.isApplied = isApplied(handler, call, answer);
    if (record.isApplied) parts.onChange();
    // Slack never forgets a token that it gave out, so neither may a simulator that is killed right after its answer.
    if (record.isApplied && handler !== answerScim) await parts.saved();
    delivery ??= fault ? spoil(fault, answer) : { kind: 'send', answer };
  }
  if (!delivery) throw new Error('A fault that stops a call must say what to send');
  if (delivery.kind === 'hang') parts.unanswered.delete(reply.raw);
  return deliver(request, reply, delivery, record);
}

/** Logs the call before it runs, so that a call that hangs or is reset is seen as well. */
function open(
  { context, faults, log }: ServerParts,
  call: Call,
): { record: RequestRecord; fault: FaultKind | undefined } {
  const grant = context.tokens.grantOf(context.world, bearerToken(call));
  const organizationId = (grant ?? refreshTokenOf(context, call))?.organizationId;
  const key = organizationId === undefined ? undefined : context.world.organizations.get(organizationId)?.key;
  const organization = [organizationId, key].filter((name) => name !== undefined);
  const fault = faults.take({ method: call.method, path: call.path, organization });
  const record = log.begin({
    method: call.method,
    path: call.path,
    query: call.query.toString(),
    status: null,
    tokenName: grant?.name ?? null,
    isApplied: false,
    fault: fault?.kind ?? null,
    at: context.clock.now(),
  });
  return { record, fault };
}

function isApplied(handler: Handler, call: Call, answer: Answer): boolean {
  if (handler === answerWebApi) return isAppliedWrite(call, answer);
  return call.method !== 'GET' && answer.status < 400;
}

function toCall(request: FastifyRequest): Call {
  const url = request.raw.url ?? '/';
  const mark = url.indexOf('?');
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
  return {
    method: request.method,
    path: mark === -1 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)),
    headers,
    body: typeof request.body === 'string' ? request.body : '',
    lies: null,
  };
}

function deliver(
  request: FastifyRequest,
  reply: FastifyReply,
  delivery: Delivery,
  record: RequestRecord,
): FastifyReply {
  if (delivery.kind === 'send') {
    record.status = delivery.answer.status;
    return send(reply, delivery.answer);
  }
  reply.hijack();
  if (delivery.kind === 'reset') request.raw.socket.resetAndDestroy();
  if (delivery.kind === 'cut') cut(reply, delivery.answer);
  return reply;
}

function send(reply: FastifyReply, { status, headers = {}, body }: Answer): FastifyReply {
  reply.code(status);
  if (typeof body === 'object') reply.header('content-type', 'application/json; charset=utf-8');
  if (typeof body === 'string') reply.header('content-type', 'text/html; charset=utf-8');
  reply.headers(headers);
  return reply.send(typeof body === 'object' ? JSON.stringify(body) : body);
}

/** The promised length stays whole: a client that does not compare takes half a body for a whole one. */
function cut({ raw }: FastifyReply, { status, headers = {}, body }: Answer): void {
  const full = Buffer.from(typeof body === 'object' ? JSON.stringify(body) : (body ?? ''));
  raw.writeHead(status, {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': full.length,
  });
  raw.write(full.subarray(0, Math.floor(full.length / 2)), () => raw.socket?.destroy());
}
