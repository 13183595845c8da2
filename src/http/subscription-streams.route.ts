import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import { createHandler, type Handler } from 'graphql-sse';
import { type AppError, RateLimited, UpstreamUnavailable } from '../domain/errors';
import type { GraphQLContext } from '../graphql/context';
import { isRefused, watchKey } from './key-watch';
import { isOtherCharset } from './server';
import type { SubscriptionParts } from './subscription-parts';

const LARGEST_BODY = 64 * 1024;
const RETRY_AFTER_SECONDS = 5;

/** What of our own goes along with a request through graphql-sse. */
interface StreamContext {
  readonly response: ServerResponse;
  readonly makeContext: () => Promise<GraphQLContext>;
}

/**
 * Subscriptions as server-sent events at `/graphql/stream`, one a request ("distinct connections mode" of graphql-sse).
 * The key comes in the Authorization header, as at /graphql.
 *
 * 200: the stream; its last answer says why when it does not end well · 400: no valid subscription · 401: no valid key ·
 * 406: the client does not accept text/event-stream · 429: too many open streams of the tenant · 503: the gateway stops.
 */
export class SubscriptionStreams {
  readonly #handle: Handler<FastifyRequest, StreamContext>;
  readonly #open = new Set<ServerResponse>();
  #isStopping = false;

  constructor(private readonly parts: SubscriptionParts) {
    const { operations } = parts;
    this.#handle = createHandler<FastifyRequest, StreamContext>({
      // No token: tokens are for streams that several requests share.
      authenticate: () => null,
      // Done already, with the limits of ours.
      validate: () => [],
      subscribe: (args) => operations.subscribe(args),
      onSubscribe: async ({ context }, { query, operationName, variables }) => {
        const prepared = operations.prepare({ query, operationName, variables }, await context.makeContext());
        // The library has a type for contexts that none of ours fits; it only passes the context on.
        if (!isErrors(prepared)) return prepared as ExecutionArgs & { contextValue: undefined };
        return [JSON.stringify({ errors: operations.format(prepared) }), jsonAnswer];
      },
      onNext: async (_context, { context: { response } }, result) => {
        // Otherwise what a client does not read would pile up here.
        await drained(response);
        // As it goes over the wire, which is all that is done with it.
        return operations.formatResult(result as ExecutionResult) as ExecutionResult;
      },
    });
  }

  register(app: FastifyInstance): void {
    app.route({
      url: '/graphql/stream',
      method: ['GET', 'POST'],
      bodyLimit: LARGEST_BODY,
      handler: (request, reply) => this.#receive(request, reply),
    });
    app.route({
      url: '/graphql/stream',
      method: ['DELETE', 'OPTIONS', 'PATCH', 'PUT'],
      handler: (_request, reply) => reply.code(405).header('allow', 'GET, POST').send(),
    });
  }

  /** Cut without the word that all is complete, so that clients try again. */
  stop(): void {
    this.#isStopping = true;
    for (const response of this.#open) response.end();
  }

  async #receive(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { authenticate, slots, logger } = this.parts;
    const { accept = '', authorization, 'content-type': contentType } = request.headers;
    if (this.#isStopping)
      return this.#refuse(reply, 503, new UpstreamUnavailable('The gateway is stopping. Try again.'));
    if (!accept.includes('text/event-stream')) return reply.code(406).send();
    if (isOtherCharset(contentType)) return reply.code(415).send();
    const authentication = await authenticate(authorization);
    if ('error' in authentication) {
      return this.#refuse(reply, isRefused(authentication) ? 401 : 503, authentication.error);
    }
    const release = slots.take(authentication.caller.tenant.id);
    if (!release) {
      const error = new RateLimited('Too many streams of this tenant are open.', RETRY_AFTER_SECONDS);
      return this.#refuse(reply.header('retry-after', RETRY_AFTER_SECONDS), 429, error);
    }
    const ended = new AbortController();
    const stopWatching = this.#watchKey(authorization, ended);
    try {
      return await this.#answer(request, reply, ended.signal);
    } finally {
      stopWatching();
      release();
      logger.debug({ requestId: request.id }, 'a stream ended');
    }
  }

  #watchKey(authorization: string | undefined, ended: AbortController): () => void {
    const { authenticate, limits } = this.parts;
    return watchKey(
      () => authenticate(authorization),
      limits.keepAliveMs,
      (error) => ended.abort(error),
    );
  }

  async #answer(request: FastifyRequest, reply: FastifyReply, ended: AbortSignal): Promise<FastifyReply> {
    const { headers, method, url, body, id: requestId } = request;
    const { authorization } = headers;
    const response = reply.raw;
    const [content, { status, headers: answerHeaders = {} }] = await this.#handle({
      method,
      url,
      headers: { get: (name) => (name === 'accept' ? 'text/event-stream' : headerOf(headers[name])) },
      body: () => asBody(body),
      raw: request,
      context: { response, makeContext: () => this.parts.makeContext(authorization, { requestId, ended }) },
    });
    if (content === null || typeof content === 'string') return reply.code(status).headers(answerHeaders).send(content);
    reply.hijack();
    await this.#send(content, reply, response);
    return reply;
  }

  async #send(stream: AsyncGenerator<string, void>, reply: FastifyReply, response: ServerResponse): Promise<void> {
    const end = () => void stream.return(undefined);
    response.once('close', end);
    response.on('error', end);
    this.#open.add(response);
    try {
      response.writeHead(200, { ...ownHeaders(reply), ...streamHeaders });
      for await (const text of stream) {
        if (response.writableEnded || response.destroyed) break;
        response.write(text);
        await drained(response);
      }
    } finally {
      this.#open.delete(response);
      await stream.return(undefined);
      response.end();
    }
  }

  #refuse(reply: FastifyReply, status: number, originalError: AppError): FastifyReply {
    const errors = this.parts.operations.format([new GraphQLError(originalError.message, { originalError })]);
    return reply.code(status).send({ errors });
  }
}

const jsonAnswer = {
  status: 400,
  statusText: 'Bad Request',
  headers: { 'content-type': 'application/json; charset=utf-8' },
};

const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Proxies such as nginx would keep the events until a buffer is full.
  'x-accel-buffering': 'no',
};

function isErrors(prepared: object): prepared is readonly GraphQLError[] {
  return Array.isArray(prepared);
}

function ownHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
}

function headerOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

function asBody(body: unknown): Record<PropertyKey, unknown> | null {
  return typeof body === 'object' && body !== null ? { ...body } : null;
}

/** Resolves when the client has taken what was sent so far, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  if (!response.writableNeedDrain || response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
