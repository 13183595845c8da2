import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL, handleProtocols } from 'graphql-ws';

type Refusal = 400 | 403 | 404 | 503;

/**
 * Why a WebSocket is not opened; undefined when it may be.
 *
 * A browser says whose page asks. A page of another origin gets no socket: it has no key of its own, since the key is no
 * cookie that would come along by itself, but browsers let any page open a socket, while they keep it from reading /graphql.
 * Both ways in then have the same rule. Programs send no Origin.
 * @param publicUrl where browsers reach the gateway; a proxy may have rewritten the Host header.
 */
export function upgradeRefusalOf(request: IncomingMessage, publicUrl: string | undefined): Refusal | undefined {
  const { origin, host, 'sec-websocket-protocol': protocols = '' } = request.headers;
  if (pathOf(request) !== '/graphql') return 404;
  if (!handleProtocols(protocols)) return 400;
  if (origin === undefined) return undefined;
  const asked = URL.canParse(origin) ? new URL(origin) : undefined;
  const isOwn =
    asked !== undefined && (asked.host === host || asked.origin === (publicUrl && new URL(publicUrl).origin));
  return isOwn ? undefined : 403;
}

export function refuseUpgrade(socket: Duplex, status: Refusal): void {
  socket.on('error', () => {});
  const body =
    status === 400 ? `Use the subprotocol ${GRAPHQL_TRANSPORT_WS_PROTOCOL}.\n` : `${STATUS_CODES[status]}.\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 503 ? ['Retry-After: 1'] : []),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/**
 * Answers a request that offers another protocol as if it had not: clients such as Java's offer HTTP/2 with each first
 * request, and a server may go on with HTTP/1.1. Node hands every offer over as soon as it is to hand over one kind, with no
 * way back, so the request is put in front of its socket again without the offer.
 */
export function serveWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (!/^(?:upgrade|connection|http2-settings)$/i.test(name)) lines.push(`${name}: ${rawHeaders[index + 1]}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

function pathOf({ url = '' }: IncomingMessage): string | undefined {
  return URL.canParse(url, 'http://localhost') ? new URL(url, 'http://localhost').pathname : undefined;
}
