import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import type { ClassType } from 'type-graphql';
import type { Config } from './config';
import { AccessService, type IssuedApiKey } from './domain/access/access.service';
import { AccessTokenService } from './domain/connections/access-token.service';
import { type ConnectionEnvironment, connectionEnvironments } from './domain/connections/connection';
import { ConnectionService } from './domain/connections/connection.service';
import { ConnectionCheckService } from './domain/connections/connection-check.service';
import { ConnectionGrantService } from './domain/connections/connection-grant.service';
import { ConnectionHealth } from './domain/connections/connection-health.service';
import { ConnectionQueryService } from './domain/connections/connection-query.service';
import { ConnectionRotationService } from './domain/connections/connection-rotation.service';
import { ConnectionWatchService } from './domain/connections/connection-watch.service';
import { GrantCheck } from './domain/connections/grant-check.service';
import { GrantVerifier } from './domain/connections/grant-verifier.service';
import { PairKeeper } from './domain/connections/pair-keeper.service';
import { SlackEventService } from './domain/connections/slack-event.service';
import { TokenRefreshService } from './domain/connections/token-refresh.service';
import { DirectoryAccess } from './domain/directory/directory-access';
import { DirectoryQueryService } from './domain/directory/directory-query.service';
import { IdempotencyService } from './domain/directory/idempotency.service';
import { ProvisioningService } from './domain/directory/provisioning.service';
import { UpstreamUnavailable } from './domain/errors';
import type { SlackEvent } from './domain/install-ports';
import { KeyCustody } from './domain/keys/key-custody.service';
import { ResealService } from './domain/keys/reseal.service';
import { SealingKeyService } from './domain/keys/sealing-key.service';
import type { Database } from './domain/ports';
import { OAUTH_CALLBACK_PATH } from './domain/slack-oauth-port';
import { AccessResolver } from './graphql/access/access.resolver';
import { createApollo } from './graphql/apollo';
import { ConnectionResolver, OAuthTokenResolver } from './graphql/connections/connection.resolver';
import { ConnectionRotationResolver } from './graphql/connections/connection-rotation.resolver';
import { ConnectionSubscriptionResolver } from './graphql/connections/connection-subscription.resolver';
import { RequestLoaders } from './graphql/connections/request-loaders';
import type { GraphQLContext } from './graphql/context';
import { ConnectionUsersResolver, UserResolver } from './graphql/directory/user.resolver';
import { SealingKeyResolver } from './graphql/keys/sealing-key.resolver';
import { LiveContext } from './graphql/live-context';
import { LiveOperations } from './graphql/live-operations';
import { NodeResolver } from './graphql/node.resolver';
import { buildGraphQLSchema } from './graphql/schema';
import { authenticate } from './http/authentication';
import { RunningCalls } from './http/running-calls';
import { closeHttpServer, createHttpServer, registerGraphQL, registerPages } from './http/server';
import { EVENTS_PATH, registerSlackEvents } from './http/slack-events.route';
import { Subscriptions } from './http/subscriptions';
import { type Clock, systemClock } from './shared/clock';
import { newId } from './shared/ids';
import type { Logger } from './shared/logger';
import { type Simulator, startSimulator } from './simulator/simulator';
import { type ShownCredentials, type SlackApps, slackAppOf } from './slack/slack-app';
import { createSlackEdge, type SlackEdge } from './slack/slack-directory';
import { keyProviderOf } from './storage/key-source';
import { openStorage, type Storage } from './storage/open-storage';
import { ConnectionCheckRunner } from './worker/connection-check.runner';
import { ResealRunner } from './worker/reseal.runner';
import { SlackEventRunner } from './worker/slack-event.runner';
import { SweepRunner } from './worker/sweep.runner';
import { TokenRefreshRunner } from './worker/token-refresh.runner';

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
    const edge = createEdge(config, { logger, clock, random }, { sandboxUrl, apps, publicUrl });
    opened.push(() => edge.close());
    const services = wireServices(storage, edge, {
      logger,
      clock,
      random,
      hasSandbox: sandboxUrl !== undefined,
      ...config.upkeep,
    });
    const sweeper = new SweepRunner(services.idempotency, storage.database, { clock, random, logger });
    opened.push(() => sweeper.stop());
    const resealing = new ResealRunner({ reseal: services.reseal, clock, random, logger });
    opened.push(() => resealing.stop());
    const events = new SlackEventRunner(services.slackEvents, { clock, random, logger });
    const checks = new ConnectionCheckRunner(services.connectionChecks, { clock, random, logger });
    opened.push(
      () => events.stop(),
      () => checks.stop(),
    );
    const listening = await listen(config, services, { logger, clock, storage, apps, events });
    opened.push(() => listening.stop());
    opened.push(() => services.tokenRefreshes.stop());
    address.url ??= listening.url;
    // Last of all that can fail: the key is shown once, and a start that fails would show it to nobody.
    const firstKey = await services.access.bootstrap();
    sweeper.start();
    events.start();
    checks.start();
    await sendSandboxEvents(sandbox, listening.url, logger);
    services.tokenRefreshes.start();
    resealing.start();
    const newKeyFile = keys.file?.isNew ? keys.file.path : undefined;
    return { url: listening.url, firstKey, newKeyFile, sandbox, stop: closeAll };
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

async function openSandbox(config: Config, adapters: AppAdapters, storage: Storage): Promise<Simulator | undefined> {
  if (config.sandbox.kind === 'off' || adapters.sandboxUrl !== undefined) return undefined;
  const { port, limits, stateFile } = config.sandbox;
  return startSimulator({
    seed: storage.deriveText('rollcall/sandbox/v1'),
    port,
    stateFile,
    switches: { limitsEnabled: limits },
    logger: { warn: (message) => adapters.logger.warn({}, message) },
  });
}

/** Over loopback, where the sandbox is: its events do not depend on how others reach the gateway. */
async function sendSandboxEvents(sandbox: Simulator | undefined, url: string, logger: Logger): Promise<void> {
  try {
    await sandbox?.setEventsUrl(`${url}${EVENTS_PATH}`);
  } catch (error) {
    logger.warn({ err: error }, 'the sandbox will send no events');
  }
}

interface Means {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
}

/** The sandbox's app is not configured: it belongs to the simulator, where its secret can be changed at any time. */
function slackAppsOf({ slack }: Config, sandboxApp: (() => ShownCredentials) | undefined): SlackApps {
  return { ...slack.apps, ...(sandboxApp === undefined ? {} : { SANDBOX: slackAppOf(sandboxApp) }) };
}

interface EdgeMeans {
  readonly sandboxUrl: string | undefined;
  readonly apps: SlackApps;
  readonly publicUrl: () => string;
}

function createEdge(config: Config, means: Means, { sandboxUrl, apps, publicUrl }: EdgeMeans): SlackEdge {
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
  });
}

type Services = ReturnType<typeof wireServices>;

function wireServices(
  { database, keys, feed }: Storage,
  edge: SlackEdge,
  { logger, clock, random, hasSandbox, checkEveryMs }: Means & { hasSandbox: boolean; checkEveryMs: number },
) {
  const environments: ConnectionEnvironment[] = hasSandbox ? ['LIVE', 'GOV', 'SANDBOX'] : ['LIVE', 'GOV'];
  const upkeep = wireGrants(database, edge, { logger, clock, random }, environments);
  const directoryAccess = new DirectoryAccess({ ...upkeep, database, directory: edge.directory, logger });
  const idempotency = new IdempotencyService(database, clock, logger);
  const reseal = new ResealService({ database, ring: keys, clock, logger });
  const connections = new ConnectionService({ ...upkeep, database, webApi: edge.webApi });
  const connectionQueries = new ConnectionQueryService(database, edge.directory, clock);
  return {
    access: new AccessService(database, clock),
    sealingKeys: new SealingKeyService(new KeyCustody(database, keys, clock, logger), reseal, clock),
    reseal,
    ...upkeep,
    connections,
    connectionChecks: new ConnectionCheckService({ database, connections, clock, random, logger, checkEveryMs }),
    slackEvents: new SlackEventService({ ...upkeep, database, connections, clock, logger }),
    rotation: new ConnectionRotationService({ ...upkeep, database }),
    connectionQueries,
    connectionWatches: new ConnectionWatchService({ queries: connectionQueries, feed, clock }),
    directoryQueries: new DirectoryQueryService(directoryAccess),
    provisioning: new ProvisioningService(directoryAccess, idempotency, clock, random),
    idempotency,
  };
}

/** Everything about a connection's token: checked, stored, handed out, refreshed. */
function wireGrants(
  database: Database,
  { webApi, oauth, directory }: SlackEdge,
  { logger, clock, random }: Means,
  environments: readonly ConnectionEnvironment[],
) {
  const health = new ConnectionHealth(database, clock, logger);
  const keeper = new PairKeeper({ health, webApi, clock, random, logger });
  const refreshes = new TokenRefreshService({ database, oauth, health, keeper, clock, random, logger });
  const tokens = new AccessTokenService(database, refreshes, clock, logger);
  const verifier = new GrantVerifier(webApi, directory);
  const check = new GrantCheck({ tokens, verifier, health });
  const grants = new ConnectionGrantService({ database, clock, logger, webApi, verifier, health, environments });
  const tokenRefreshes = new TokenRefreshRunner({ database, refreshes, clock, random, logger });
  return { health, refreshes, tokens, check, grants, tokenRefreshes };
}

function resolversOf(services: Services): Map<ClassType, object> {
  return new Map<ClassType, object>([
    [AccessResolver, new AccessResolver(services.access)],
    [SealingKeyResolver, new SealingKeyResolver(services.sealingKeys)],
    [ConnectionResolver, new ConnectionResolver(services.connectionQueries, services.connections, services.grants)],
    [ConnectionRotationResolver, new ConnectionRotationResolver(services.rotation)],
    [OAuthTokenResolver, new OAuthTokenResolver()],
    [ConnectionSubscriptionResolver, new ConnectionSubscriptionResolver()],
    [ConnectionUsersResolver, new ConnectionUsersResolver(services.directoryQueries)],
    [UserResolver, new UserResolver(services.provisioning)],
    [NodeResolver, new NodeResolver(services.connectionQueries, services.directoryQueries)],
  ]);
}

async function listen(
  { http }: Config,
  services: Services,
  means: { logger: Logger; clock: Clock; storage: Storage; apps: SlackApps; events: SlackEventRunner },
) {
  const { logger, clock, storage } = means;
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
  const makeLoaders = () => new RequestLoaders(services.connectionQueries);
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
    operations: new LiveOperations(schema, { introspection: http.introspection, logger }),
    authenticate: (authorization) => authenticateCall(authorization, newId('req')),
    makeContext: (authorization, { requestId, ended }) =>
      LiveContext.create({
        requestId,
        ended,
        authenticate: () => authenticateCall(authorization, requestId),
        makeLoaders,
        watches: services.connectionWatches,
      }),
    publicUrl: http.publicUrl,
    logger,
  });
  subscriptions.register(server);
  registerEvents(server, services, means);
  await registerPages(server, options);
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
      await streamsEnded;
      await closeHttpServer(server);
      await apollo.stop();
    },
  };
}

function registerEvents(
  server: ReturnType<typeof createHttpServer>,
  { slackEvents }: Services,
  { logger, clock, apps, events }: { logger: Logger; clock: Clock; apps: SlackApps; events: SlackEventRunner },
): void {
  const known = connectionEnvironments.flatMap((environment) => {
    const app = apps[environment];
    return app ? [{ environment, app }] : [];
  });
  const accept = async (event: SlackEvent) => {
    if (await slackEvents.accept(event)) events.wake();
  };
  registerSlackEvents(server, { apps: known, accept, clock, logger });
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
