import { signBody } from './signature';

/** `x-slack-retry-reason` (OAuth §12.5, documented). */
export type FailureReason = 'http_timeout' | 'too_many_redirects' | 'connection_failed' | 'ssl_error' | 'http_error';

export interface Outcome {
  /** Null when no answer came. */
  readonly status: number | null;
  /** Null after any 2xx. */
  readonly failure: FailureReason | null;
  /** The app asked for no further attempt. */
  readonly isFinal: boolean;
  readonly body: string;
}

export interface Post {
  readonly url: string;
  readonly body: string;
  readonly signingSecret: string;
  /** By the clock of signatures. */
  readonly timestampSeconds: number;
  readonly timeoutMs: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the attempt when the simulator stops. */
  readonly signal: AbortSignal;
}

const redirectLimit = 2;

/** Sends a signed body once, through up to two redirects. Never throws. */
export async function post({
  url,
  body,
  signingSecret,
  timestampSeconds,
  timeoutMs,
  headers,
  signal,
}: Post): Promise<Outcome> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const init: RequestInit = {
    method: 'POST',
    redirect: 'manual',
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
      'x-slack-request-timestamp': String(timestampSeconds),
      'x-slack-signature': signBody(signingSecret, timestampSeconds, body),
      ...headers,
    },
    signal: AbortSignal.any([signal, timeout]),
  };
  try {
    return await follow(url, init);
  } catch (error) {
    return { status: null, failure: timeout.aborted ? 'http_timeout' : reasonOf(error), isFinal: false, body: '' };
  }
}

async function follow(url: string, init: RequestInit): Promise<Outcome> {
  let target = url;
  for (let hops = 0; hops <= redirectLimit; hops += 1) {
    const response = await fetch(target, init);
    const text = await response.text();
    const location = response.headers.get('location');
    if ((response.status === 301 || response.status === 302) && location !== null) {
      target = new URL(location, target).href;
      continue;
    }
    const isFinal = response.status !== 200 && response.headers.get('x-slack-no-retry') === '1';
    return { status: response.status, failure: response.ok ? null : 'http_error', isFinal, body: text };
  }
  return { status: null, failure: 'too_many_redirects', isFinal: false, body: '' };
}

function reasonOf(error: unknown): FailureReason {
  const code = propertyOf(propertyOf(error, 'cause'), 'code');
  return /CERT|SSL|TLS/.test(String(code)) ? 'ssl_error' : 'connection_failed';
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
