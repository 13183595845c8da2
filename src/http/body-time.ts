import type { FastifyReply, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route itself sees to it that nobody takes forever over a body. */
    readonly timesItsBody?: boolean;
  }
}

/**
 * Cuts whoever has not sent the body in time. Node's own limit is one for all routes, and an upload may take longer than
 * anything else.
 * @param answer given when nothing was answered yet; its connection then ends.
 */
export function limitBodyTime(
  { raw }: FastifyRequest,
  reply: FastifyReply,
  { timeoutMs, answer }: { timeoutMs: number; answer: object },
): void {
  if (!hasBody(raw.headers) || raw.complete) return;
  const late = setTimeout(() => {
    if (raw.complete || raw.destroyed) return;
    if (reply.sent || reply.raw.headersSent || waitsForNoBody(raw.method)) raw.socket.destroy();
    else void reply.code(408).header('connection', 'close').send(answer);
  }, timeoutMs);
  late.unref();
  raw.once('close', () => clearTimeout(late));
}

function hasBody(headers: FastifyRequest['raw']['headers']): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The answer of these is on its way already. */
function waitsForNoBody(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD';
}
