import { MockAgent } from 'undici';
import type { DirectoryTarget } from '../../../src/domain/directory-ports';
import type { LeasedToken, TokenSource, UpstreamCall } from '../../../src/domain/ports';
import { Secret } from '../../../src/shared/secret';
import type { SlackApp } from '../../../src/slack/slack-app';
import { createSlackEdge, type SlackEdge } from '../../../src/slack/slack-directory';
import { FakeClock } from '../../support/fake-clock';

export const SCIM = 'https://scim.test';
export const WEB = 'https://web.test';
export const REDIRECT_URI = 'https://gateway.test/api/auth/callback/slack';
export const TOKEN = 'xoxp-canary-0123456789';

export const app: SlackApp = {
  clientId: '1234567890.9876543210',
  clientSecret: new Secret('canary-client-secret'),
  signingSecret: new Secret('canary-signing-secret'),
  appId: 'A0GATEWAY1',
};

/** Keeps what was logged, to search it. */
export class RecordingLogger {
  readonly lines: { level: string; fields: object; message: string }[] = [];
  readonly debug = (fields: object, message: string) => void this.lines.push({ level: 'debug', fields, message });
  readonly info = (fields: object, message: string) => void this.lines.push({ level: 'info', fields, message });
  readonly warn = (fields: object, message: string) => void this.lines.push({ level: 'warn', fields, message });
  readonly error = (fields: object, message: string) => void this.lines.push({ level: 'error', fields, message });
}

/** Hands out the given tokens one after the other, the next each time one is reported as rejected. */
export class FakeTokens implements TokenSource {
  readonly leasedFor: string[] = [];
  readonly rejected: string[] = [];
  #index = 0;

  constructor(private readonly values: readonly string[] = [TOKEN]) {}

  async lease(action: string): Promise<LeasedToken> {
    this.leasedFor.push(action);
    return { id: undefined, secret: new Secret(this.values[this.#index] ?? '') };
  }

  async reportRejected(token: LeasedToken): Promise<boolean> {
    this.rejected.push(token.secret.reveal());
    if (this.#index + 1 >= this.values.length) return false;
    this.#index += 1;
    return true;
  }
}

export interface Rig {
  readonly edge: SlackEdge;
  readonly agent: MockAgent;
  readonly clock: FakeClock;
  readonly logger: RecordingLogger;
  readonly tokens: FakeTokens;
  readonly target: DirectoryTarget;
  readonly client: ReturnType<SlackEdge['directory']['for']>;
  call(options?: { seconds?: number; signal?: AbortSignal }): UpstreamCall;
}

export function makeRig(
  options: { tokens?: FakeTokens; limits?: 'slack' | 'off'; attemptTimeoutMs?: number } = {},
): Rig {
  const { tokens = new FakeTokens(), limits = 'slack', attemptTimeoutMs = 2_000 } = options;
  const agent = new MockAgent();
  agent.disableNetConnect();
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const edge = createSlackEdge({
    origins: { LIVE: { web: WEB, scim: SCIM }, GOV: { web: `${WEB}/gov/`, scim: `${SCIM}/gov` } },
    apps: { LIVE: app },
    redirectUri: () => REDIRECT_URI,
    clock,
    random: () => 0.5,
    logger,
    attemptTimeoutMs,
    limits,
    dispatcher: agent,
  });
  const target: DirectoryTarget = { environment: 'LIVE', budgetKey: 'T1', tokens };
  return {
    edge,
    agent,
    clock,
    logger,
    tokens,
    target,
    client: edge.directory.for(target),
    call: ({ seconds = 30, signal = new AbortController().signal } = {}) => ({
      signal,
      deadlineAt: clock.now() + seconds * 1000,
      requestId: 'req_1',
    }),
  };
}

export const jsonHeaders = { headers: { 'content-type': 'application/json; charset=utf-8' } };

export function aWireUser(id: string, members: object = {}): object {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    id,
    externalId: '',
    userName: id.toLowerCase(),
    active: true,
    emails: [{ value: `${id.toLowerCase()}@example.com`, primary: true }],
    ...members,
  };
}

export function aList(entries: readonly object[], totalResults = entries.length, startIndex = 1): object {
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    Resources: entries,
    totalResults,
    itemsPerPage: entries.length,
    startIndex,
  };
}
