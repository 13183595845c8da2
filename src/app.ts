import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import type { ClassType } from 'type-graphql';
import type { Config } from './config';
import { AccessService, type IssuedApiKey } from './domain/access/access.service';
import { AccessTokenService } from './domain/connections/access-token.service';
import type { ConnectionEnvironment } from './domain/connections/connection';
import { ConnectionService } from './domain/connections/connection.service';
import { ConnectionHealth } from './domain/connections/connection-health.service';
import { ConnectionQueryService } from './domain/connections/connection-query.service';
import { GrantVerifier } from './domain/connections/grant-verifier.service';
import { DirectoryAccess } from './domain/directory/directory-access';
import { DirectoryQueryService } from './domain/directory/directory-query.service';
import { IdempotencyService } from './domain/directory/idempotency.service';
import { ProvisioningService } from './domain/directory/provisioning.service';
import { UpstreamUnavailable } from './domain/errors';
import { OAUTH_CALLBACK_PATH } from './domain/slack-oauth-port';
import { AccessResolver } from './graphql/access/access.resolver';
import { createApollo } from './graphql/apollo';
import { ConnectionResolver, OAuthTokenResolver } from './graphql/connections/connection.resolver';
import { RequestLoaders } from './graphql/connections/request-loaders';
import type { GraphQLContext } from './graphql/context';
import { ConnectionUsersResolver, UserResolver } from './graphql/directory/user.resolver';
import { NodeResolver } from './graphql/node.resolver';
import { buildGraphQLSchema } from './graphql/schema';
import { authenticate } from './http/authentication';
import { RunningCalls } from './http/running-calls';
import { closeHttpServer, createHttpServer, registerGraphQL, registerPages } from './http/server';
import { type Clock, systemClock } from './shared/clock';
import type { Logger } from './shared/logger';
import { type Simulator, startSimulator } from './simulator/simulator';
import { type ShownCredentials, type SlackApps, slackAppOf } from './slack/slack-app';
import { createSlackEdge, type SlackEdge } from './slack/slack-directory';
import type { SealingKeys } from './storage/cipher';
import { readOrCreateKeyFile } from './storage/key-file';
import { openStorage, type Storage } from './storage/open-storage';
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
const PLAYGROUND_ROOT = resolve(__dirname, '..', 'playground');

/** Opens storage, builds everything once, and listens. Whatever was opened is closed again when a later step fails. */
export async function startApp(config: Config, adapters: AppAdapters): Promise<App> {
  const { logger, clock = systemClock, random = Math.random } = adapters;
  const opened: (() => Promise<void>)[] = [];
  const closeAll = () => closeInReverse(opened.splice(0));
  try {
    const { keys, newKeyFile } = await loadKeys(config);
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
    const services = wireServices(storage, edge, { logger, clock, random, hasSandbox: sandboxUrl !== undefined });
    const sweeper = new SweepRunner(services.idempotency, storage.database, { clock, random, logger });
    opened.push(() => sweeper.stop());
    const listening = await listen(config, services, { logger, clock, storage });
    opened.push(() => listening.stop());
    address.url ??= listening.url;
    // Last of all that can fail: the key is shown once, and a start that fails would show it to nobody.
    const firstKey = await services.access.bootstrap();
    sweeper.start();
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

/** For an operator who lost every admin key: makes one, without serving. */
export async function issueRecoveryKey(config: Config, logger: Logger): Promise<IssuedApiKey> {
  const { keys } = await loadKeys(config);
  const storage = await openStorage({ database: config.database, keys, clock: systemClock, logger, role: 'command' });
  try {
    return await new AccessService(storage.database, systemClock).issueRecoveryKey();
  } finally {
    await storage.close();
  }
}

async function loadKeys({ sealing }: Config): Promise<{ keys: SealingKeys; newKeyFile: string | undefined }> {
  if (sealing.kind === 'keys') {
    return { keys: sealing.keys.map((key) => Buffer.from(key.reveal(), 'base64')), newKeyFile: undefined };
  }
  const { keys, created } = await readOrCreateKeyFile(sealing.file);
  return { keys, newKeyFile: created ? sealing.file : undefined };
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
  { database }: Storage,
  { webApi, directory }: SlackEdge,
  { logger, clock, random, hasSandbox }: Means & { hasSandbox: boolean },
) {
  const health = new ConnectionHealth(database, clock, logger);
  const tokens = new AccessTokenService(database, clock, logger);
  const verifier = new GrantVerifier(webApi, directory);
  const environments: ConnectionEnvironment[] = hasSandbox ? ['LIVE', 'GOV', 'SANDBOX'] : ['LIVE', 'GOV'];
  const directoryAccess = new DirectoryAccess({ database, directory, tokens, verifier, health, logger });
  const idempotency = new IdempotencyService(database, clock, logger);
  return {
    access: new AccessService(database, clock),
    connections: new ConnectionService({ database, clock, webApi, verifier, tokens, health, environments }),
    connectionQueries: new ConnectionQueryService(database, directory, clock),
    directoryQueries: new DirectoryQueryService(directoryAccess),
    provisioning: new ProvisioningService(directoryAccess, idempotency, clock, random),
    idempotency,
  };
}

function resolversOf(services: Services): Map<ClassType, object> {
  return new Map<ClassType, object>([
    [AccessResolver, new AccessResolver(services.access)],
    [ConnectionResolver, new ConnectionResolver(services.connectionQueries, services.connections)],
    [OAuthTokenResolver, new OAuthTokenResolver()],
    [ConnectionUsersResolver, new ConnectionUsersResolver(services.directoryQueries)],
    [UserResolver, new UserResolver(services.provisioning)],
    [NodeResolver, new NodeResolver(services.connectionQueries, services.directoryQueries)],
  ]);
}

async function listen(
  { http }: Config,
  services: Services,
  { logger, clock, storage }: { logger: Logger; clock: Clock; storage: Storage },
) {
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
  registerGraphQL(
    server,
    apollo,
    async (request): Promise<GraphQLContext> => ({
      requestId: request.id,
      loaders: new RequestLoaders(services.connectionQueries),
      authentication: await authenticate(services.access, request.headers.authorization, {
        requestId: request.id,
        signal: shutdown.signal,
        deadlineAt: clock.now() + http.callTimeoutMs,
      }),
    }),
    { calls, hasPlayground: http.playground },
  );
  await registerPages(server, options);
  const url = await server.listen({ host: http.host, port: http.port });
  return {
    url,
    async stop() {
      // The server listens on meanwhile, so that /readyz can say 503 instead of nothing.
      await drain(calls, http.drainTimeoutMs, () => {
        // Waits for Slack end here; what was sent is settled when the caller repeats it with its idempotency key.
        shutdown.abort(new UpstreamUnavailable('The gateway is stopping.', { remedy: 'Try again.' }));
      });
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
