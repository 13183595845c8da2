import type { Caller } from '../../src/domain/access/access';
import { backgroundCaller } from '../../src/domain/access/background-caller';
import { AccessTokenService } from '../../src/domain/connections/access-token.service';
import type { AccessToken, Connection } from '../../src/domain/connections/connection';
import { ConnectionService } from '../../src/domain/connections/connection.service';
import { ConnectionGrantService } from '../../src/domain/connections/connection-grant.service';
import { ConnectionHealth } from '../../src/domain/connections/connection-health.service';
import { ConnectionRotationService } from '../../src/domain/connections/connection-rotation.service';
import { ConnectionSnapshots } from '../../src/domain/connections/connection-snapshots';
import { GrantCheck } from '../../src/domain/connections/grant-check.service';
import { GrantVerifier } from '../../src/domain/connections/grant-verifier.service';
import { PairKeeper } from '../../src/domain/connections/pair-keeper.service';
import { TokenRefreshService } from '../../src/domain/connections/token-refresh.service';
import type { Database } from '../../src/domain/ports';
import type { Clock } from '../../src/shared/clock';
import { silentLogger } from '../../src/shared/logger';
import { Secret } from '../../src/shared/secret';
import type { Simulator } from '../../src/simulator/simulator';
import { slackAppOf } from '../../src/slack/slack-app';
import { createSlackEdge } from '../../src/slack/slack-directory';
import { LocalFeed } from '../../src/storage/connection-feed';
import { TokenRefreshRunner } from '../../src/worker/token-refresh.runner';
import { OAuthClient, redirectUri } from '../integration/simulator/oauth-client';
import { aTenant } from './storage-records';

export type GrantServices = ReturnType<typeof wireGrantServices>;

/** One process's services about tokens, against a simulator. */
export function wireGrantServices(options: {
  readonly database: Database;
  readonly simulator: Simulator;
  readonly clock: Clock;
  /** In place of the simulator's own address. */
  readonly slackUrl?: string;
  readonly clientSecret?: () => string;
  readonly attemptTimeoutMs?: number;
}) {
  const { database, simulator, clock, slackUrl = simulator.url, attemptTimeoutMs = 2_000 } = options;
  const means = { clock, random: Math.random, logger: silentLogger };
  const { clientSecret } = options;
  const edge = createSlackEdge({
    ...means,
    origins: { SANDBOX: { web: slackUrl, scim: slackUrl } },
    apps: {
      SANDBOX: slackAppOf(() => ({ ...simulator.app, ...(clientSecret ? { clientSecret: clientSecret() } : {}) })),
    },
    redirectUri: () => redirectUri,
    attemptTimeoutMs,
    limits: 'off',
  });
  const { webApi, oauth, directory } = edge;
  const health = new ConnectionHealth(database, clock, silentLogger);
  const keeper = new PairKeeper({ ...means, health, webApi });
  const refreshes = new TokenRefreshService({ ...means, database, oauth, health, keeper });
  const snapshots = new ConnectionSnapshots(database, clock, new LocalFeed(silentLogger));
  const tokens = new AccessTokenService(database, snapshots, refreshes, clock, silentLogger);
  const verifier = new GrantVerifier(webApi, directory);
  const check = new GrantCheck({ tokens, verifier, health });
  const parts = { ...means, database, webApi, oauth, verifier, tokens, refreshes, health, check };
  return {
    database,
    edge,
    oauth,
    refreshes,
    tokens,
    health,
    grants: new ConnectionGrantService({ ...parts, environments: ['SANDBOX'] }),
    connections: new ConnectionService(parts),
    rotation: new ConnectionRotationService(parts),
    runner: new TokenRefreshRunner({ ...means, database, refreshes }),
  };
}

export async function aStoredCaller(database: Database, clock: Clock): Promise<Caller> {
  const tenant = aTenant();
  await database.transaction((stores) => stores.tenants.insert(tenant));
  return callerOf(tenant, clock);
}

export function callerOf(tenant: Caller['tenant'], clock: Clock, withinMs = 30_000): Caller {
  const { signal } = new AbortController();
  return backgroundCaller(tenant, { requestId: 'req_test', signal, deadlineAt: clock.now() + withinMs });
}

/** Ada installs the app on her workspace, and the tenant of the caller is given the pair. */
export async function install(
  { oauth, grants }: Pick<GrantServices, 'oauth' | 'grants'>,
  simulator: Simulator,
  caller: Caller,
): Promise<Connection> {
  const slack = new OAuthClient(simulator);
  const code = new Secret(await slack.code(slack.person('ada.lovelace', 'business'), 'Northwind'));
  const grant = await oauth.exchangeCode('SANDBOX', code, caller);
  return grants.connectGrant(caller, { name: 'Northwind', environment: 'SANDBOX', level: 'WORKSPACE', grant });
}

export async function activeTokenOf(database: Database, { id }: Connection): Promise<AccessToken> {
  const token = await database.read((stores) => stores.tokens.findActive(id));
  if (!token) throw new Error('The connection has no active token');
  return token;
}

/** How many pairs Slack has given so far, whoever got to know them. */
export function pairsGiven({ world }: Simulator): number {
  return world.oauth.issuedTokens / 2;
}
