import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import type { Config } from './config';
import { type IssuedApiKey } from './domain/access/access.service';
import type { SharedLimits } from './domain/budget-ports';
import { UpstreamUnavailable } from './domain/errors';
import type { SlackEvent } from './domain/install-ports';
import { type Addresses } from './domain/installs/install-link';
import type { OperationRunner } from './domain/operations/operation.runner';
import { OAUTH_CALLBACK_PATH } from './domain/slack-oauth-port';
import { createApollo } from './graphql/apollo';
import { RequestLoaders } from './graphql/connections/request-loaders';
import type { GraphQLContext } from './graphql/context';
import { buildGraphQLSchema } from './graphql/schema';
import { authenticate } from './http/authentication';
import { registerInstalls } from './http/install.route';
import { registerOperationFiles } from './http/operation.route';
import { RunningCalls } from './http/running-calls';
import { closeHttpServer, createHttpServer, registerGraphQL, registerPages } from './http/server';
import { EVENTS_PATH, registerSlackEvents } from './http/slack-events.route';
import { Subscriptions } from './http/subscriptions';
import { type Means, resolversOf, type Services, wireServices } from './services';
import { type Clock, systemClock } from './shared/clock';
import type { Logger } from './shared/logger';
import { type Simulator, startSimulator } from './simulator/simulator';
import { type ShownCredentials, type SlackApps, slackAppOf } from './slack/slack-app';
import { createSlackEdge, type SlackEdge } from './slack/slack-directory';
import { keyProviderOf } from './storage/key-source';
import { openStorage, type Storage } from './storage/open-storage';
import { ConnectionCheckRunner } from './worker/connection-check.runner';
import { OperationJobs } from './worker/operation-jobs.runner';
import { OperationPool } from './worker/operation-pool.runner';
import { OperationUpkeepRunner } from './worker/operation-upkeep.runner';
import { ResealRunner } from './worker/reseal.runner';
import { SlackEventRunner } from './worker/slack-event.runner';
import { SweepRunner } from './worker/sweep.runner';

export interface AppAdapters {
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** In place of the built-in simulator, where the environment SANDBOX is to be found. It stays the caller's to stop. */
  readonly sandboxUrl?: string;
  /** The gateway's app there; without it nobody can install the app in the sandbox. */
  readonly sandboxApp?: () => ShownCredentials;
}

export interface App {
  /** Where the server listens. */
  readonly url: string;
  /** Set when this start made the database: the first admin key, to be shown once. */
  readonly firstKey: IssuedApiKey | undefined;
  /** Set when a key file was made at this start. */
  readonly newKeyFile: string | undefined;
  readonly sandbox: Simulator | undefined;
  /** Lets running requests finish within the drain time, then ends what is left. */
  stop(): Promise<void>;
}

/** For calls that were told to end, to say so. */
const ENDING_MS = 1_000;
/** Slices are short, so that operations take turns, and work of a process that died is soon taken over. */
const SLICE_MS = 15_000;
const PLAYGROUND_ROOT = resolve(__dirname, '..', 'playground');

/** Opens storage, builds everything once, and listens. Whatever was opened is closed again when a later step fails. */
export async function startApp(config: Config, adapters: AppAdapters): Promise<App> {
  const { logger, clock = systemClock, random = Math.random } = adapters;
  const opened: (() => Promise<void>)[] = [];
  const closeAll = () => closeInReverse(opened.splice(0));
  try {
    const keys = keyProviderOf(config.sealing);
    const storage = await openStorage({ database: config.database, keys, clock, logger });
    opened.push(() => storage.close());
    const sandbox = await openSandbox(config, adapters, storage);
    if (sandbox) opened.push(() => sandbox.stop());
    const sandboxUrl = adapters.sandboxUrl ?? sandbox?.url;
    const apps = slackAppsOf(config, adapters.sandboxApp ?? (sandbox && (() => sandbox.app)));
    const address: { url: string | undefined } = { url: config.http.publicUrl };
    const publicUrl = () => {
      if (address.url === undefined) throw new Error('The server does not listen yet');
      return address.url;
    };
    const { sharedLimits: shared } = storage;
    const edge = createEdge(config, { logger, clock, random }, { sandboxUrl, apps, publicUrl, shared });
    opened.push(() => edge.close());
    const dispatch = createDispatch(config, { clock, random, logger }, storage, () => services.operationRunner);
    const services: Services = wireServices(storage, edge, {
      dispatch,
      runnerRules: {
        concurrency: config.operations.concurrency,
        sliceMs: SLICE_MS,
        itemMs: config.http.callTimeoutMs,
      },
      logger,
      clock,
      random,
      hasSandbox: sandboxUrl !== undefined,
      idempotencyKeptMs: config.retention.idempotencyKeysMs,
      publicUrl,
      ...config.upkeep,
      ...config.installs,
    });
    const sweeper = new SweepRunner(services.idempotency, storage.database, {
      ...{ clock, random, logger },
      retention: config.retention,
    });
    opened.push(() => sweeper.stop());
    const resealing = new ResealRunner({ reseal: services.reseal, clock, random, logger });
    opened.push(() => resealing.stop());
    const events = new SlackEventRunner(services.slackEvents, { clock, random, logger });
    const checks = new ConnectionCheckRunner(services.connectionChecks, { clock, random, logger });
    opened.push(
      () => events.stop(),
      () => checks.stop(),
    );
    const upkeep = new OperationUpkeepRunner(services.operations, storage.feed, { clock, random, logger });
    const handBack = () => dispatch.stop(config.http.drainTimeoutMs);
    opened.push(() => upkeep.stop(), handBack);
    const listening = await listen(config, services, { logger, clock, storage, apps, events, publicUrl, handBack });
    opened.push(() => listening.stop());
    opened.push(() => services.tokenRefreshes.stop());
    address.url ??= listening.url;
    // Last of all that can fail: the key is shown once, and a start that fails would show it to nobody.
    const firstKey = await services.access.bootstrap();
    sweeper.start();
    events.start();
    checks.start();
    dispatch.start();
    upkeep.start();
    await sendSandboxEvents(sandbox, listening.url, logger);
    services.tokenRefreshes.start();
    resealing.start();
    const stop = () => {
      // From the first moment on: while the last calls are answered, running items come to their end, too.
      const handedBack = handBack();
      return Promise.all([closeAll(), handedBack]).then(() => {});
    };
    const newKeyFile = keys.file?.isNew ? keys.file.path : undefined;
    return { url: listening.url, firstKey, newKeyFile, sandbox, stop };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** One that fails does not keep the others open. @throws the first failure */
async function closeInReverse(opened: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of [...opened].reverse()) {
    await close().catch((error: unknown) => {
      failures.push(error);
    });
  }
  if (failures.length > 0) throw failures[0];
}

/** One process alone is its own queue; replicas share one. */
function createDispatch(
  { database: config }: Config,
  means: Means,
  { database }: Storage,
  runner: () => OperationRunner,
): OperationPool | OperationJobs {
  const parts = { ...means, database, runner };
  return config.kind === 'sqlite' ? new OperationPool(parts) : new OperationJobs({ ...parts, url: config.url });
}

async function openSandbox(config: Config, adapters: AppAdapters, storage: Storage): Promise<Simulator | undefined> {
  if (config.sandbox.kind === 'off' || adapters.sandboxUrl !== undefined) return undefined;
  const { port, limits, stateFile } = config.sandbox;
  return startSimulator({
    seed: storage.deriveText('rollcall/sandbox/v1'),
    port,
    stateFile,
    switches: { limitsEnabled: limits, redirectUrls: redirectUrlsOf(config) },
    logger: { warn: (message) => adapters.logger.warn({}, message) },
  });
}

/** On this machine the sandbox's app knows the way back by itself; another address must be registered, as at Slack. */
function redirectUrlsOf({ http: { publicUrl } }: Config): string[] {
  return publicUrl === undefined ? [] : [`${publicUrl}${OAUTH_CALLBACK_PATH}`];
}

/** Over loopback, where the sandbox is: its events do not depend on how others reach the gateway. */
async function sendSandboxEvents(sandbox: Simulator | undefined, url: string, logger: Logger): Promise<void> {
  try {
    await sandbox?.setEventsUrl(`${url}${EVENTS_PATH}`);
  } catch (error) {
    logger.warn({ err: error }, 'the sandbox will send no events');
  }
}

/** The sandbox's app is not configured: it belongs to the simulator, where its secret can be changed at any time. */
function slackAppsOf({ slack }: Config, sandboxApp: (() => ShownCredentials) | undefined): SlackApps {
  return { ...slack.apps, ...(sandboxApp === undefined ? {} : { SANDBOX: slackAppOf(sandboxApp) }) };
}

interface EdgeMeans {
  readonly sandboxUrl: string | undefined;
  readonly apps: SlackApps;
  readonly publicUrl: () => string;
  readonly shared: SharedLimits | undefined;
}

function createEdge(config: Config, means: Means, { sandboxUrl, apps, publicUrl, shared }: EdgeMeans): SlackEdge {
  const { live, gov, attemptTimeoutMs, limits } = config.slack;
  return createSlackEdge({
    ...means,
    origins: {
      LIVE: live,
      GOV: gov,
      ...(sandboxUrl === undefined ? {} : { SANDBOX: { web: sandboxUrl, scim: sandboxUrl } }),
    },
    apps,
    redirectUri: () => `${publicUrl()}${OAUTH_CALLBACK_PATH}`,
    attemptTimeoutMs,
    limits,
    shared,
  });
}

async function listen(
  { http }: Config,
  services: Services,
  means: {
    logger: Logger;
    clock: Clock;
    storage: Storage;
    apps: SlackApps;
    events: SlackEventRunner;
    /** Resolves when no item of an operation runs any more. */
    handBack: () => Promise<void>;
  } & Addresses,
) {
  const { logger, clock, storage, apps, events, publicUrl, handBack } = means;
  const resolvers = resolversOf(services);
  const shutdown = new AbortController();
  // Every call that is under way listens to it; Node would warn of a leak from the eleventh on.
  setMaxListeners(0, shutdown.signal);
  const calls = new RunningCalls();
  const assertReady = async () => {
    if (calls.isDraining) throw new UpstreamUnavailable('The gateway is stopping.');
    await storage.database.ping();
  };
  const options = { logger, calls, assertReady, playgroundRoot: http.playground ? PLAYGROUND_ROOT : undefined };
  const server = createHttpServer(options);
  const schema = buildGraphQLSchema({
    get: (resolver) => {
      const instance = resolvers.get(resolver);
      if (!instance) throw new Error(`The resolver ${resolver.name} is not wired`);
      return instance;
    },
  });
  const apollo = createApollo({ schema, introspection: http.introspection, logger });
  await apollo.start();
  const authenticateCall = (authorization: string | undefined, requestId: string) =>
    authenticate(services.access, authorization, {
      requestId,
      signal: shutdown.signal,
      deadlineAt: clock.now() + http.callTimeoutMs,
    });
  const makeLoaders = () => new RequestLoaders(services.connectionQueries, services.mappings);
  registerGraphQL(
    server,
    apollo,
    async ({ id: requestId, headers }): Promise<GraphQLContext> => ({
      requestId,
      loaders: makeLoaders(),
      authentication: await authenticateCall(headers.authorization, requestId),
    }),
    { calls, hasPlayground: http.playground },
  );
  const subscriptions = new Subscriptions({
    ...http,
    schema,
    authenticate: authenticateCall,
    makeLoaders,
    watches: services.connectionWatches,
    operationWatches: services.operationWatches,
    logger,
  });
  subscriptions.register(server);
  const accept = async (event: SlackEvent) => {
    if (await services.slackEvents.accept(event)) events.wake();
  };
  registerSlackEvents(server, { apps, accept, clock, logger });
  registerOperationFiles(server, {
    ...{ calls, authenticate: authenticateCall },
    operations: services.operations,
    queries: services.operationQueries,
  });
  await registerPages(server, options);
  await registerInstalls(server, {
    ...{ clock, logger, calls, publicUrl, signal: shutdown.signal, callTimeoutMs: http.callTimeoutMs },
    visits: services.installVisits,
    callbacks: services.installCallbacks,
  });
  const url = await server.listen({ host: http.host, port: http.port });
  return {
    url,
    async stop() {
      const startedAt = performance.now();
      // Streams would never end by themselves.
      const streamsEnded = subscriptions.stop();
      // The server listens on meanwhile, so that /readyz can say 503 instead of nothing.
      await drain(calls, http.drainTimeoutMs, () => {
        // Waits for Slack end here; what was sent is settled when the caller repeats it with its idempotency key.
        shutdown.abort(new UpstreamUnavailable('The gateway is stopping.', { remedy: 'Try again.' }));
      });
      // Nobody may be waiting for a refresh, and it still must not end between Slack's answer and its storing.
      await services.refreshes.stop(Math.max(http.drainTimeoutMs - (performance.now() - startedAt), 0));
      await Promise.all([streamsEnded, handBack()]);
      await closeHttpServer(server);
      await apollo.stop();
    },
  };
}

/** Ends calls that still run after the time for it, and in the end goes on without those that do not end even so. */
async function drain(calls: RunningCalls, timeoutMs: number, endCalls: () => void): Promise<void> {
  const timers: NodeJS.Timeout[] = [];
  const lastMoment = new Promise<void>((resolve) => {
    timers.push(setTimeout(endCalls, timeoutMs), setTimeout(resolve, timeoutMs + ENDING_MS));
  });
  try {
    await Promise.race([calls.drain(), lastMoment]);
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}
