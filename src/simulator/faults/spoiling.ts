import type { Answer } from '../call';
import { errorBody } from '../scim/scim-error';
import type { FaultKind } from './fault';

/** How an answer leaves the process. */
export type Delivery =
  | { readonly kind: 'send'; readonly answer: Answer }
  | { readonly kind: 'reset' | 'hang' }
  /** Half of the answer's body, then the connection ends. */
  | { readonly kind: 'cut'; readonly answer: Answer };

const html = '<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>';
const htmlHeaders = { 'content-type': 'text/html; charset=utf-8' };

/** What a fault sends in place of the handler's answer; undefined for faults that leave it alone or spoil it afterwards. */
export function replacementOf(
  fault: FaultKind,
  { isWebApi, now }: { isWebApi: boolean; now: number },
): Delivery | undefined {
  switch (fault.kind) {
    case 'resetBefore':
      return { kind: 'reset' };
    case 'hangBefore':
      return { kind: 'hang' };
    case 'status': {
      if (fault.body === 'empty') return send({ status: fault.status });
      const text = isWebApi ? { ok: false, error: 'internal_error' } : errorBody('internal_error', fault.status, 'new');
      return send({ status: fault.status, body: text });
    }
    case 'slackError':
      return send(
        isWebApi
          ? { status: 200, body: { ok: false, error: fault.error } }
          : { status: 400, body: errorBody(fault.error, 400, 'new') },
      );
    case 'html200':
    case 'html502':
      return send({ status: fault.kind === 'html200' ? 200 : 502, headers: htmlHeaders, body: html });
    case 'rateLimited': {
      const text = isWebApi ? { ok: false, error: 'ratelimited' } : errorBody('too_many_requests', 429, 'new');
      return send({ status: 429, headers: retryAfterHeader(fault.retryAfter, now), body: text });
    }
    default:
      return undefined;
  }
}

/** Whether the call is carried out under this fault. */
export function letsCallHappen(fault: FaultKind): boolean {
  switch (fault.kind) {
    case 'resetBefore':
    case 'hangBefore':
    case 'rateLimited':
    case 'slackError':
      return false;
    case 'status':
    case 'html200':
    case 'html502':
      return fault.applied ?? false;
    default:
      return true;
  }
}

/** What becomes of an answer after the call was carried out. */
export function spoil(fault: FaultKind, answer: Answer): Delivery {
  switch (fault.kind) {
    case 'resetAfter':
      return { kind: 'reset' };
    case 'hangAfter':
      return { kind: 'hang' };
    case 'truncated':
      return { kind: 'cut', answer };
    case 'garbage':
      return send({
        ...answer,
        headers: { ...answer.headers, 'content-type': 'application/json; charset=utf-8' },
        body: '{"id": ',
      });
    case 'emptyBody':
      return send({ status: answer.status, ...(answer.headers ? { headers: answer.headers } : {}) });
    default:
      return send(answer);
  }
}

function send(answer: Answer): Delivery {
  return { kind: 'send', answer };
}

function retryAfterHeader(retryAfter: number | 'missing' | 'http-date', now: number): Record<string, string> {
  if (retryAfter === 'missing') return {};
  if (retryAfter === 'http-date') return { 'retry-after': new Date(now + 2000).toUTCString() };
  return { 'retry-after': String(retryAfter) };
}
