import { createHmac } from 'node:crypto';

/**
 * `X-Slack-Signature` of a body (OAuth §12.6, documented).
 * @param secret taken as text, not as hexadecimal.
 * @param timestampSeconds the value of `X-Slack-Request-Timestamp`.
 */
export function signBody(secret: string, timestampSeconds: number, body: string): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestampSeconds}:${body}`).digest('hex')}`;
}
