import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, startApp } from '../../src/app';
import { loadConfig } from '../../src/config';
import { createLogger } from '../../src/log';
import type { Clock } from '../../src/shared/clock';
import { type Simulator, startSimulator } from '../../src/simulator/simulator';
import type { Switches } from '../../src/simulator/switches';
import { assertNothingLeaked } from './leak-guard';

export interface GraphQLAnswer<Data = Record<string, unknown>> {
  readonly status: number;
  readonly data: Data | null | undefined;
  readonly errors: readonly { message: string; path?: unknown[]; extensions: Record<string, unknown> }[] | undefined;
  readonly text: string;
}

export interface TestApp {
  readonly app: App;
  readonly url: string;
  readonly simulator: Simulator;
  readonly adminKey: string;
  readonly directory: string;
  /** Every log line so far. */
  readonly logs: readonly string[];
  /** Sends one operation. Rejects only when there is no HTTP answer. */
  call<Data = Record<string, unknown>>(
    query: string,
    variables?: object,
    options?: { key?: string | null; headers?: Record<string, string> },
  ): Promise<GraphQLAnswer<Data>>;
  /** Stops the app and starts it again on the same data, with the same simulator. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface TestAppOptions {
  readonly env?: Record<string, string>;
  readonly switches?: Partial<Switches>;
  readonly clock?: Clock;
  /** Uses this simulator instead of starting one. */
  readonly simulator?: Simulator;
}

/** The whole gateway on a free port, with a data folder and a simulator of its own. Limits of the simulator are off unless switched on. */
export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const directory = await mkdtemp(join(tmpdir(), 'rollcall-test-'));
  const simulator =
    options.simulator ??
    (await startSimulator({ seed: 'test-seed', switches: { limitsEnabled: false, ...options.switches } }));
  const logs: string[] = [];
  const logger = createLogger('debug', { write: (line) => void logs.push(line) });
  const config = loadConfig({
    ROLLCALL_DATA_DIR: directory,
    ROLLCALL_PORT: '0',
    ROLLCALL_SLACK_LIMITS: options.switches?.limitsEnabled ? 'slack' : 'off',
    ROLLCALL_SLACK_WEB_URL: simulator.url,
    ROLLCALL_SLACK_SCIM_URL: simulator.url,
    ROLLCALL_SLACK_CLIENT_ID: simulator.app.clientId,
    ROLLCALL_SLACK_CLIENT_SECRET: simulator.app.clientSecret,
    // Another than the sandbox's: the secret that fits an event tells where it comes from.
    ROLLCALL_SLACK_SIGNING_SECRET: 'signing-secret-of-the-live-app',
    ROLLCALL_SLACK_APP_ID: simulator.app.appId,
    ...options.env,
  });
  const start = () =>
    startApp(config, { logger, clock: options.clock, sandboxUrl: simulator.url, sandboxApp: () => simulator.app });
  let app = await start().catch(async (error: unknown) => {
    // A server that nobody stops would keep the test process alive.
    if (!options.simulator) await simulator.stop();
    throw error;
  });
  const adminKey = app.firstKey?.secret.reveal() ?? '';
  return {
    get app() {
      return app;
    },
    get url() {
      return app.url;
    },
    simulator,
    adminKey,
    directory,
    logs,
    call: (query, variables, callOptions = {}) => post(app.url, query, variables, { key: adminKey, ...callOptions }),
    async restart() {
      await app.stop();
      app = await start();
    },
    async stop() {
      await app.stop();
      if (!options.simulator) await simulator.stop();
      const { clientSecret, signingSecret } = simulator.app;
      await assertNothingLeaked(logs, directory, [clientSecret, signingSecret]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function post<Data>(
  url: string,
  query: string,
  variables: object | undefined,
  { key, headers }: { key?: string | null; headers?: Record<string, string> },
): Promise<GraphQLAnswer<Data>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...headers,
    },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  const body = JSON.parse(text) as Pick<GraphQLAnswer<Data>, 'data' | 'errors'>;
  return { status: response.status, data: body.data, errors: body.errors, text };
}
