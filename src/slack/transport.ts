import { Agent, type Dispatcher, request } from 'undici';
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
  const own =
    dispatcher === undefined
      ? new Agent({
          // Shorter than the attempt, so that a connection that cannot be opened is told apart from a lost answer.
          connect: { timeout: Math.ceil(attemptTimeoutMs / 2) },
          headersTimeout: attemptTimeoutMs,
          bodyTimeout: attemptTimeoutMs,
          connections: CONNECTIONS_PER_ORIGIN,
          pipelining: 1,
        })
      : undefined;
  const used = dispatcher ?? own;
  const running = new Set<AbortController>();
  return {
    async send(httpRequest) {
      const attempt = new AbortController();
      running.add(attempt);
      return send(used, httpRequest, attempt).finally(() => running.delete(attempt));
    },
    async close() {
      // Whoever waited for an answer has gone; one that never comes must not hold up the end.
      const cut = setTimeout(() => {
        for (const attempt of running) attempt.abort();
      }, CLOSING_MS);
      try {
        await own?.close();
      } finally {
        clearTimeout(cut);
      }
    },
  };
}

async function send(
  dispatcher: Dispatcher | undefined,
  httpRequest: HttpRequest,
  attempt: AbortController,
): Promise<HttpAnswer> {
  const { method, url, headers, body, maxBodyBytes, timeoutMs, signal } = httpRequest;
  if (signal.aborted) throw new TransportFailure(false, 'ABORTED');
  let hasTimedOut = false;
  const timer = setTimeout(() => {
    hasTimedOut = true;
    attempt.abort();
  }, timeoutMs);
  const onAbort = () => attempt.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const answer = await request(url, {
      dispatcher,
      method,
      headers: { 'user-agent': USER_AGENT, ...headers },
      body,
      signal: attempt.signal,
    });
    return {
      status: answer.statusCode,
      header: (name) => firstOf(answer.headers[name]),
      text: await readText(answer.body, maxBodyBytes),
    };
  } catch (error) {
    throw new TransportFailure(!failedBeforeSending(error), hasTimedOut ? 'TIMEOUT' : codeOf(error));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > maxBytes) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
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
