import { setMaxListeners } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, GraphQLError } from 'graphql';
import { CloseCode, type Context, handleProtocols, makeServer, type Server as ProtocolServer } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { RateLimited, Unauthenticated } from '../domain/errors';
import { newId } from '../shared/ids';
import { requestContext } from '../shared/request-context';
import { isRefused, watchKey } from './key-watch';
import type { SubscriptionParts } from './subscription-parts';
import { refuseUpgrade, serveWithoutUpgrade, upgradeRefusalOf } from './upgrade';

/** Keys and operations are below; a socket that sends more is no honest one. */
const LARGEST_MESSAGE = 64 * 1024;
/** For clients to say goodbye. */
const CLOSING_MS = 1_000;
const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;
const TOO_MANY = 4429;

/** What is known of one open socket. */
interface SocketState {
  readonly socket: WebSocket;
  /** Aborts when the key is not valid any more. */
  readonly ended: AbortController;
  authorization: string | undefined;
  /** An operation has met that the key is not valid any more. */
  isRefused: boolean;
  /** Frees what the socket holds. */
  readonly endings: (() => void)[];
}

type SocketContext = Context<Record<string, unknown> | undefined, SocketState>;

/**
 * Subscriptions over WebSocket at `/graphql`, with the subprotocol graphql-transport-ws. The key comes in the payload of
 * `connection_init`, as `authorization` or `Authorization`: browsers cannot set headers here.
 *
 * Closes with 4403: no valid key, or not any more · 4429: too many open sockets of the tenant · 1001: the gateway stops
 * · 1013: the key cannot be looked up just now.
 */
export class SubscriptionSockets {
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_MESSAGE,
    perMessageDeflate: false,
    handleProtocols,
  });
  readonly #protocol: ProtocolServer<SocketState>;
  #isStopping = false;

  constructor(private readonly parts: SubscriptionParts) {
    const { operations, limits } = parts;
    this.#protocol = makeServer<Record<string, unknown> | undefined, SocketState>({
      connectionInitWaitTimeout: limits.initTimeoutMs,
      onConnect: (context) => this.#connect(context),
      onSubscribe: (context, _id, payload) => this.#prepare(context, payload),
      subscribe: (args) => operations.subscribe(args),
      onNext: (context, _id, _payload, _args, result) => {
        if (result.errors?.some(isOfRefusedKey)) context.extra.isRefused = true;
        return operations.formatResult(result);
      },
      onComplete: ({ subscriptions, extra: { isRefused, socket } }) => {
        // After the word that the last operation is complete, which leaves next.
        if (isRefused && Object.keys(subscriptions).length <= 1) setImmediate(() => refuse(socket));
      },
      onError: (_context, _id, _payload, errors) => operations.format(errors),
    });
  }

  register(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
        serveWithoutUpgrade(server, request, socket, head);
        return;
      }
      const isFull = this.#server.clients.size >= this.parts.limits.streams || this.parts.slots.isFull;
      const status = this.#isStopping || isFull ? 503 : upgradeRefusalOf(request, this.parts.publicUrl);
      if (status !== undefined) refuseUpgrade(socket, status);
      else this.#server.handleUpgrade(request, socket, head, (opened) => this.#open(opened));
    });
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const sockets = [...this.#server.clients];
    const closed = sockets.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())));
    for (const socket of sockets) socket.close(GOING_AWAY, 'The gateway is stopping');
    const cut = setTimeout(() => {
      for (const socket of sockets) socket.terminate();
    }, CLOSING_MS);
    await Promise.all(closed);
    clearTimeout(cut);
  }

  #open(socket: WebSocket): void {
    const ended = new AbortController();
    const state: SocketState = { socket, ended, authorization: undefined, isRefused: false, endings: [] };
    setMaxListeners(0, state.ended.signal);
    socket.on('error', (error) => this.parts.logger.debug({ err: error }, 'a socket failed'));
    const closed = this.#protocol.opened(
      {
        protocol: socket.protocol,
        send: (text) => send(socket, text),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (receive) => {
          socket.on('message', (data) => void this.#receive(socket, () => receive(String(data))));
        },
      },
      state,
    );
    state.endings.push(keepAlive(socket, this.parts.limits.keepAliveMs));
    socket.once('close', (code, reason) => {
      for (const end of state.endings.splice(0)) end();
      closed(code, String(reason)).catch((error: unknown) => {
        this.parts.logger.error({ err: error }, 'a closed socket left something behind');
      });
    });
  }

  /** Each message is a request of its own for the log. What fails is not told to the client: it may repeat what was sent. */
  async #receive(socket: WebSocket, work: () => Promise<void>): Promise<void> {
    try {
      await requestContext.run({ requestId: newId('req') }, work);
    } catch (error) {
      this.parts.logger.error({ err: error }, 'a message on a socket met a defect');
      socket.close(CloseCode.InternalServerError, 'Internal error');
    }
  }

  async #connect(context: SocketContext): Promise<boolean> {
    const { connectionParams, extra: state } = context;
    const { authenticate, slots, limits } = this.parts;
    const { authorization, Authorization } = connectionParams ?? {};
    const given = authorization ?? Authorization;
    state.authorization = typeof given === 'string' ? given : undefined;
    const authentication = await authenticate(state.authorization);
    if (isRefused(authentication)) return false;
    if ('error' in authentication) {
      state.socket.close(TRY_AGAIN_LATER, 'Try again later');
      return true;
    }
    const release = slots.take(authentication.caller.tenant.id);
    if (!release) {
      state.socket.close(TOO_MANY, 'Too many open connections');
      return true;
    }
    const stopWatching = watchKey(
      () => authenticate(state.authorization),
      limits.keepAliveMs,
      (error) => {
        // Operations first say why they end; who does not take that is not waited for.
        state.isRefused = true;
        state.ended.abort(error);
        if (Object.keys(context.subscriptions).length === 0) refuse(state.socket);
        else setTimeout(() => refuse(state.socket), CLOSING_MS).unref();
      },
    );
    // It may have closed while its key was looked up.
    if (state.socket.readyState === state.socket.OPEN) state.endings.push(release, stopWatching);
    else for (const end of [release, stopWatching]) end();
    return true;
  }

  async #prepare(
    { subscriptions, extra: state }: SocketContext,
    payload: { query: string; operationName?: string | null; variables?: Record<string, unknown> | null },
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const { limits, makeContext, operations } = this.parts;
    if (Object.keys(subscriptions).length > limits.operationsPerSocket) {
      const originalError = new RateLimited(`A socket holds ${limits.operationsPerSocket} operations at most.`, 1, {
        remedy: 'End one of them, or open another socket.',
      });
      return [new GraphQLError(originalError.message, { originalError })];
    }
    const requestId = requestContext.getStore()?.requestId ?? newId('req');
    return operations.prepare(
      payload,
      await makeContext(state.authorization, { requestId, ended: state.ended.signal }),
    );
  }
}

function refuse(socket: WebSocket): void {
  socket.close(CloseCode.Forbidden, 'Forbidden');
}

function isOfRefusedKey({ originalError }: GraphQLError): boolean {
  return originalError instanceof Unauthenticated;
}

/** Resolves when the text has left, so that a client that reads slowly is sent no more than it takes. */
function send(socket: WebSocket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== socket.OPEN) resolve();
    else socket.send(text, (error) => (error && socket.readyState === socket.OPEN ? reject(error) : resolve()));
  });
}

/** Cuts a socket whose other end does not answer a ping before the next. @returns a function that ends it. */
function keepAlive(socket: WebSocket, everyMs: number): () => void {
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  const timer = setInterval(() => {
    if (!isAlive) {
      socket.terminate();
      return;
    }
    isAlive = false;
    if (socket.readyState === socket.OPEN) socket.ping();
  }, everyMs);
  return () => clearInterval(timer);
}
