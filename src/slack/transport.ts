import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher } from 'undici';
import type { HttpMethod } from './endpoints';

export interface HttpRequest {
  readonly method: HttpMethod;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly maxBodyBytes: number;
  /** From the first byte sent to the last byte read, so that an answer that drips cannot hold the call. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** undefined when the body broke off, took too long or was larger than allowed: the status still counts. */
  readonly text: string | undefined;
}

/**
 * No answer came. `wasSent` is false only when the request certainly never left, so that a write may be repeated.
 * Holds an error code alone: undici's errors carry sockets, and a header could come along with them.
 */
export class TransportFailure extends Error {
  constructor(
    readonly wasSent: boolean,
    readonly reason: string,
  ) {
    super(reason);
    this.name = 'TransportFailure';
  }
}

export interface Transport {
  /** @throws TransportFailure. Redirects are answers like any other: a token is never sent on to another address. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

export interface TransportOptions {
  readonly attemptTimeoutMs: number;
  /** For tests. Not closed with the transport. */
  readonly dispatcher?: Dispatcher;
}

/** Some proxies refuse calls that do not say what makes them. */
const USER_AGENT = 'rollcall';
/** Enough for many teams at once: twenty calls that hang must not take the sockets of the others. */
const CONNECTIONS_PER_ORIGIN = 256;
const CLOSING_MS = 1_000;

export function createTransport({ attemptTimeoutMs, dispatcher }: TransportOptions): Transport {
  const used = dispatcher ?? newAgent(attemptTimeoutMs);
  const running = new Set<Answering>();
  return {
    async send(httpRequest) {
      const answering = new Answering(httpRequest.maxBodyBytes);
      running.add(answering);
      return send(used, httpRequest, answering).finally(() => running.delete(answering));
    },
    async close() {
      // Whoever waited for an answer has gone; one that never comes must not hold up the end.
      const cut = setTimeout(() => {
        for (const answering of running) answering.giveUp('ABORTED');
      }, CLOSING_MS);
      try {
        if (used !== dispatcher) await used.close();
      } finally {
        clearTimeout(cut);
      }
    },
  };
}

function newAgent(attemptTimeoutMs: number): Dispatcher {
  return new Agent({
    // Shorter than the attempt, so that a connection that cannot be opened is told apart from a lost answer.
    connect: { timeout: Math.ceil(attemptTimeoutMs / 2) },
    headersTimeout: attemptTimeoutMs,
    bodyTimeout: attemptTimeoutMs,
    connections: CONNECTIONS_PER_ORIGIN,
    pipelining: 1,
  });
}

async function send(
  dispatcher: Dispatcher,
  { method, url, headers, body, timeoutMs, signal }: HttpRequest,
  answering: Answering,
): Promise<HttpAnswer> {
  if (signal.aborted) throw new TransportFailure(false, 'ABORTED');
  const timer = setTimeout(() => answering.giveUp('TIMEOUT'), timeoutMs);
  const onAbort = () => answering.giveUp('ABORTED');
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const { origin, pathname, search } = new URL(url);
    const path = `${pathname}${search}`;
    dispatcher.dispatch({ origin, path, method, headers: { 'user-agent': USER_AGENT, ...headers }, body }, answering);
    return await answering.answer;
  } catch (error) {
    throw error instanceof TransportFailure ? error : new TransportFailure(!failedBeforeSending(error), codeOf(error));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** Gathers one answer. The client's own ways of reading make a stream of each, which costs as much as the call itself. */
class Answering implements Dispatcher.DispatchHandler {
  readonly answer: Promise<HttpAnswer>;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #head: Pick<HttpAnswer, 'status' | 'header'> | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #isOver = false;
  #resolve: (answer: HttpAnswer) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(private readonly maxBytes: number) {
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever asked has the failure; that it can come before he listens must not count as unhandled.
    this.answer.catch(() => {});
  }

  /** What has come so far is the answer; before its head there is none. */
  giveUp(reason: string): void {
    this.#end(new TransportFailure(this.#controller !== undefined, reason));
    this.#controller?.abort(new Error(reason));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Given up while it waited for a connection.
    if (this.#isOver) controller.abort(new Error('ABORTED'));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // Informational heads come before the one that counts.
    if (status >= 200) this.#head = { status, header: (name) => firstOf(headers[name]) };
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.maxBytes) this.giveUp('TOO_LARGE');
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (!this.#head || this.#isOver) return;
    this.#isOver = true;
    const [first, ...others] = this.#chunks;
    const body = first && others.length === 0 ? first : Buffer.concat(this.#chunks);
    const { status, header } = this.#head;
    this.#resolve({ status, header, text: body.toString('utf8') });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#end(error);
  }

  #end(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#head) this.#resolve({ ...this.#head, text: undefined });
    else this.#reject(error);
  }
}

const connectingSyscalls: readonly unknown[] = ['connect', 'getaddrinfo'];
/** The handshake comes before the first byte of a request. */
const handshakeCodes =
  /^(UND_ERR_CONNECT_TIMEOUT|UND_ERR_INVALID_ARG|ERR_TLS_.*|ERR_SSL_.*|EPROTO|CERT_.*|SELF_SIGNED_.*|DEPTH_ZERO_.*|UNABLE_TO_.*)$/;

function failedBeforeSending(error: unknown): boolean {
  const { errors, syscall } = membersOf(error);
  // An attempt at several addresses of one name.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(failedBeforeSending);
  return connectingSyscalls.includes(syscall) || handshakeCodes.test(codeOf(error));
}

function codeOf(error: unknown): string {
  const { code } = membersOf(error);
  return typeof code === 'string' ? code : 'NETWORK_ERROR';
}

/** By shape and not by `instanceof`: the errors of Node's own modules may belong to another realm. */
function membersOf(error: unknown): { code?: unknown; errors?: unknown; syscall?: unknown } {
  return typeof error === 'object' && error !== null ? error : {};
}

function firstOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
