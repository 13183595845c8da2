import { createHmac } from 'node:crypto';
import { type RawAnswer, sendRaw } from './raw-http';
import type { TestApp } from './start-app';

export interface SentEvent {
  readonly secret?: string;
  /** Seconds that the signature is old; negative for one of the future. */
  readonly age?: number;
  readonly headers?: Record<string, string | string[]>;
  /** Milliseconds since the epoch. */
  readonly now?: number;
}

let events = 0;

/** The envelope of an event, with an id of its own. */
export function eventOf(inner: object, fields: object = {}): Record<string, unknown> {
  events += 1;
  return {
    type: 'event_callback',
    event_id: `Ev${String(events).padStart(8, '0')}`,
    event_time: Math.floor(Date.now() / 1000),
    event: inner,
    ...fields,
  };
}

/** Sends a body as Slack would, signed as the sandbox's app unless told otherwise. */
export function sendSigned(
  { url, simulator }: Pick<TestApp, 'url' | 'simulator'>,
  body: object | string,
  { secret = simulator.app.signingSecret, age = 0, headers = {}, now = Date.now() }: SentEvent = {},
): Promise<RawAnswer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const timestamp = String(Math.floor(now / 1000) - age);
  return sendRaw(`${url}/slack/events`, {
    headers: {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': signatureOf(secret, timestamp, text),
      ...headers,
    },
    body: [text],
  });
}

export function signatureOf(secret: string, timestamp: string, text: string): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${text}`).digest('hex')}`;
}
