import type { FastifyRequest } from 'fastify';

/**
 * Whether a form was sent from a page of this gateway. Under `Referrer-Policy: no-referrer` browsers write `Origin: null`
 * for our own forms as they do for a stranger's, so `Sec-Fetch-Site` decides, which no page can set. A browser that sends
 * neither that nor our own origin proves nothing, and is refused.
 */
export function isFromOwnPage({ headers }: FastifyRequest, publicUrl: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  return headers.origin === new URL(publicUrl).origin;
}

const aheadOfTime = /prefetch|prerender|preview/i;

/** Whether a browser, a mail scanner or a link preview only looks what is there, without a person who waits for it. */
export function isAheadOfTime({ method, headers }: FastifyRequest): boolean {
  if (method === 'HEAD') return true;
  const purposes = [headers['sec-purpose'], headers.purpose, headers['x-purpose'], headers['x-moz']];
  return purposes.some((purpose) => aheadOfTime.test(String(purpose ?? '')));
}
