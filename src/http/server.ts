import type { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { GraphQLContext } from '../graphql/context';
import { newId } from '../shared/ids';
import type { Logger } from '../shared/logger';
import { requestContext } from '../shared/request-context';
import { withoutRouteSchemas } from '../shared/route-schemas';
import { limitBodyTime } from './body-time';
import { registerPlayground } from './playground.route';
import type { RunningCalls } from './running-calls';
import { LONGEST_UPLOAD_MS } from './upload-body';

export interface HttpServerOptions {
  readonly logger: Logger;
  readonly calls: RunningCalls;
  /** Where the built playground lies; undefined serves none. */
  readonly playgroundRoot: string | undefined;
  /** Rejects while the process should get no traffic. */
  readonly assertReady: () => Promise<void>;
  /** How long a body may take, but on routes that time theirs themselves. */
  readonly bodyTimeoutMs?: number;
}

const LARGEST_BODY = 1024 * 1024;
/** Node waits 300 s for a request by default, which lets a few hundred stalled bodies hold every socket. */
const BODY_TIMEOUT_MS = 20_000;
/** Beyond what any route allows: Node's own limit holds for all of them alike. */
const REQUEST_TIMEOUT_MS = LONGEST_UPLOAD_MS + 60_000;
const HEADERS_TIMEOUT_MS = 10_000;
const TIMEOUT_CHECK_MS = 2_000;
const KEEP_ALIVE_MS = 72_000;
/** How long a client may take to read its last answer from a server that stops. */
const LAST_ANSWERS_MS = 1_000;

export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { logger, calls, bodyTimeoutMs = BODY_TIMEOUT_MS } = options;
  const limitBody = (request: FastifyRequest, reply: FastifyReply) =>
    limitBodyTime(request, reply, { timeoutMs: bodyTimeoutMs, answer: errorBody(408, request.id) });
  const app = fastify({
    logger: false,
    schemaController: withoutRouteSchemas,
    bodyLimit: LARGEST_BODY,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    genReqId: () => newId('req'),
    // Paths that cannot be decoded never reach a hook or a route, and would be repeated in the answer.
    frameworkErrors: (_error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      limitBody(request, reply);
      reply.headers(commonHeaders(request.id)).code(400).send(errorBody(400, request.id));
    },
    forceCloseConnections: 'idle',
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
  });
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(commonHeaders(request.id));
    if (!request.routeOptions.config.timesItsBody) limitBody(request, reply);
    done();
  });
  // Otherwise a client that keeps its connection open after the last answer would hold the server.
  app.addHook('onSend', async (_request, reply) => {
    if (calls.isDraining) reply.header('connection', 'close');
  });
  // After the body was read: its chunks come from the socket, outside of any context that was entered before.
  app.addHook('preHandler', (request, reply, done) => {
    const leave = requestContext.enter({ requestId: request.id }, done);
    if (reply.raw.closed) leave();
    else reply.raw.once('close', leave);
  });
  app.addHook('onResponse', async (request, reply) => {
    // The route and not the path: an unknown path may hold anything.
    const path = request.routeOptions.url ?? 'unknown';
    const { id: requestId, method } = request;
    const fields = { requestId, method, path, status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
    if (path === '/healthz' || path === '/readyz') logger.debug(fields, 'request');
    else logger.info(fields, 'request');
  });
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const { id: requestId } = request;
    const status = error.statusCode !== undefined && error.statusCode >= 400 ? error.statusCode : 500;
    if (status >= 500) logger.error({ requestId, err: error }, 'a request met a defect');
    return reply.code(status).send(errorBody(status, requestId));
  });
  app.setNotFoundHandler((request, reply) => reply.code(404).send(errorBody(404, request.id)));
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    try {
      await options.assertReady();
      return { status: 'ready' };
    } catch (error) {
      logger.warn({ err: error }, 'not ready');
      return reply.code(503).send({ status: 'not ready' });
    }
  });
  return app;
}

/** Adds `/graphql`, once Apollo has started. */
export function registerGraphQL(
  app: FastifyInstance,
  apollo: ApolloServer<GraphQLContext>,
  context: (request: FastifyRequest) => Promise<GraphQLContext>,
  { calls, hasPlayground }: { calls: RunningCalls; hasPlayground: boolean },
): void {
  const handle = fastifyApolloHandler(apollo, { context });
  app.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      if (hasPlayground && isBrowserVisit(request)) return reply.redirect('/playground');
      if (isOtherCharset(request.headers['content-type'])) {
        return reply.code(415).send(errorBody(415, request.id));
      }
    });
    scope.route({
      url: '/graphql',
      method: ['GET', 'POST'],
      // Asked here and not when the request begins: its body may have taken until now.
      async handler(request, reply) {
        if (calls.isDraining) return reply.code(503).send(stoppingBody(request.id));
        return calls.run(async () => handle.call(this, request, reply));
      },
    });
    scope.route({
      url: '/graphql',
      method: ['DELETE', 'OPTIONS', 'PATCH', 'PUT'],
      handler: (request, reply) => reply.code(405).header('allow', 'GET, POST').send(errorBody(405, request.id)),
    });
  });
}

/** Closes the server once its calls have ended. What is left of connections then is cut: stalled uploads, idle sockets. */
export async function closeHttpServer(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), LAST_ANSWERS_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}

export async function registerPages(app: FastifyInstance, { playgroundRoot }: HttpServerOptions): Promise<void> {
  if (playgroundRoot === undefined) return;
  await registerPlayground(app, { root: playgroundRoot });
  app.get('/', (_request, reply) => reply.redirect('/playground'));
}

/** A person who typed the address of the API into a browser. */
function isBrowserVisit({ method, url, headers }: FastifyRequest): boolean {
  return method === 'GET' && !url.includes('?') && (headers.accept ?? '').includes('text/html');
}

/**
 * Another charset than UTF-8 could be decoded differently by whatever checks the text before us, so it is refused
 * instead of guessed.
 */
export function isOtherCharset(contentType: string | undefined): boolean {
  const charsets = contentType?.toLowerCase().match(/charset\s*=\s*"?[^\s;"]*/g) ?? [];
  return charsets.some((charset) => !/=\s*"?utf-?8$/.test(charset));
}

function commonHeaders(requestId: string): Record<string, string> {
  return { 'x-request-id': requestId, 'x-content-type-options': 'nosniff' };
}

const messages: Readonly<Record<number, string>> = {
  400: 'The request is malformed.',
  404: 'There is nothing here. GraphQL is at /graphql.',
  405: 'This method is not supported here.',
  408: 'The request did not come in time.',
  413: 'The request is larger than 1 MB.',
  415: 'Send the request as application/json in UTF-8.',
};

/** The shape of a GraphQL answer, so that a client needs one way to read errors. Never a stack or an echo. */
function errorBody(status: number, requestId: string): object {
  const message = messages[status] ?? (status >= 500 ? 'Internal error' : 'The request is not acceptable.');
  const code = status >= 500 ? 'INTERNAL' : status === 404 ? 'NOT_FOUND' : 'INVALID_INPUT';
  return { errors: [{ message, extensions: { code, requestId } }] };
}

function stoppingBody(requestId: string): object {
  const extensions = { code: 'UPSTREAM_UNAVAILABLE', retryable: true, requestId };
  return { errors: [{ message: 'The gateway is stopping. Try again.', extensions }] };
}
