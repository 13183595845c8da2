import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../shared/secret';

/** How far Slack's clock and ours may be apart, in either direction (OAuth §12.6, U17). */
const LARGEST_AGE_SECONDS = 300;

/**
 * @param timestamp the value of `X-Slack-Request-Timestamp`: whole seconds since the epoch.
 * @param now milliseconds since the epoch.
 */
export function isFresh(timestamp: string, now: number): boolean {
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  return Math.abs(Math.floor(now / 1000) - Number(timestamp)) <= LARGEST_AGE_SECONDS;
}

export interface SignedRequest {
  readonly timestamp: string;
  /** As it came. */
  readonly body: Buffer;
  /** The value of `X-Slack-Signature`. */
  readonly signature: string;
}

/**
 * Whether the body was signed with the secret: `v0=` and the HMAC-SHA256, in lower case hexadecimal, of
 * `v0:<timestamp>:<body>`. The secret is taken as text, although it looks like hexadecimal.
 * @see OAuth §12.6, documented by Slack
 */
export function isSignedBy(secret: Secret, { timestamp, body, signature }: SignedRequest): boolean {
  const hmac = createHmac('sha256', secret.reveal()).update(`v0:${timestamp}:`).update(body);
  const wanted = Buffer.from(`v0=${hmac.digest('hex')}`);
  const given = Buffer.from(signature);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
