import type { ClassType } from 'type-graphql';
import { AccessService } from './domain/access/access.service';
import { AccessTokenService } from './domain/connections/access-token.service';
import type { ConnectionEnvironment } from './domain/connections/connection';
import { ConnectionService } from './domain/connections/connection.service';
import { ConnectionCheckService } from './domain/connections/connection-check.service';
import { ConnectionGrantService } from './domain/connections/connection-grant.service';
import { ConnectionHealth } from './domain/connections/connection-health.service';
import { ConnectionQueryService } from './domain/connections/connection-query.service';
import { ConnectionRotationService } from './domain/connections/connection-rotation.service';
import { ConnectionSnapshots } from './domain/connections/connection-snapshots';
import { ConnectionWatchService } from './domain/connections/connection-watch.service';
import { GrantCheck } from './domain/connections/grant-check.service';
import { GrantVerifier } from './domain/connections/grant-verifier.service';
import { PairKeeper } from './domain/connections/pair-keeper.service';
import { SlackEventService } from './domain/connections/slack-event.service';
import { TokenRefreshService } from './domain/connections/token-refresh.service';
import { DirectoryAccess } from './domain/directory/directory-access';
import { DirectoryQueryService } from './domain/directory/directory-query.service';
import { GroupService } from './domain/directory/group.service';
import { GroupDeparture } from './domain/directory/group-departure';
import { GroupEnrollment } from './domain/directory/group-enrollment';
import { GroupJoins } from './domain/directory/group-joins';
import { GroupQueryService } from './domain/directory/group-query.service';
import { GroupTurns } from './domain/directory/group-turns';
import { GuestService } from './domain/directory/guest.service';
import { IdempotencyService } from './domain/directory/idempotency.service';
import { PersonCalls } from './domain/directory/person-calls';
import { ProvisioningService } from './domain/directory/provisioning.service';
import { type InstallRules, InstallService } from './domain/installs/install.service';
import { InstallCallbackService } from './domain/installs/install-callback.service';
import { InstallDoors } from './domain/installs/install-door';
import { type Addresses, ReconnectLinks } from './domain/installs/install-link';
import { InstallTurns } from './domain/installs/install-turns';
import { InstallVisitService } from './domain/installs/install-visit.service';
import { KeyCustody } from './domain/keys/key-custody.service';
import { ResealService } from './domain/keys/reseal.service';
import { SealingKeyService } from './domain/keys/sealing-key.service';
import { MappingService } from './domain/mapping/mapping.service';
import { MappingPreviewService } from './domain/mapping/mapping-preview.service';
import { RecordProvisioningService } from './domain/mapping/record-provisioning.service';
import type { OperationDispatch } from './domain/operation-ports';
import { OperationRunner } from './domain/operations/operation.runner';
import { OperationService } from './domain/operations/operation.service';
import { OperationLooks } from './domain/operations/operation-looks';
import { OperationQueryService } from './domain/operations/operation-query.service';
import type { RunnerRules } from './domain/operations/operation-slice';
import { OperationWatchService } from './domain/operations/operation-watch.service';
import type { Database } from './domain/ports';
import { type SlackOAuth } from './domain/slack-oauth-port';
import { AccessResolver } from './graphql/access/access.resolver';
import { ConnectionResolver, OAuthTokenResolver } from './graphql/connections/connection.resolver';
import { ConnectionRotationResolver } from './graphql/connections/connection-rotation.resolver';
import { ConnectionSubscriptionResolver } from './graphql/connections/connection-subscription.resolver';
import { ConnectionGroupsResolver, GroupResolver } from './graphql/directory/group.resolver';
import { GuestResolver } from './graphql/directory/guest.resolver';
import { ConnectionUsersResolver, UserResolver } from './graphql/directory/user.resolver';
import { UserReferenceResolver } from './graphql/directory/user-reference.resolver';
import { InstallResolver } from './graphql/installs/install.resolver';
import { ConnectionIssueResolver, MissingScopesProblemResolver } from './graphql/installs/reconnect.resolver';
import { SealingKeyResolver } from './graphql/keys/sealing-key.resolver';
import { ConnectionMappingResolver, MappingResolver } from './graphql/mapping/mapping.resolver';
import { NodeResolver } from './graphql/node.resolver';
import { ConnectionOperationsResolver, OperationResolver } from './graphql/operations/operation.resolver';
import { OperationSubscriptionResolver } from './graphql/operations/operation-subscription.resolver';
import { type Clock } from './shared/clock';
import { Foreground } from './shared/foreground';
import type { Logger } from './shared/logger';
import { type SlackEdge } from './slack/slack-directory';
import { type Storage } from './storage/open-storage';
import { TokenRefreshRunner } from './worker/token-refresh.runner';

export interface Means {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
}

export type Services = ReturnType<typeof wireServices>;

export interface ServiceMeans extends Means, InstallRules, Addresses {
  readonly hasSandbox: boolean;
  readonly checkEveryMs: number;
  readonly idempotencyKeptMs: number;
  readonly dispatch: OperationDispatch;
  readonly runnerRules: RunnerRules;
}

/** Builds what the domain offers, once each, from what the edges supply. */
export function wireServices(storage: Storage, edge: SlackEdge, means: ServiceMeans) {
  const { database, keys, feed } = storage;
  const { logger, clock, random, hasSandbox, checkEveryMs } = means;
  const environments: ConnectionEnvironment[] = hasSandbox ? ['LIVE', 'GOV', 'SANDBOX'] : ['LIVE', 'GOV'];
  const upkeep = wireGrants(storage, edge, { logger, clock, random }, environments);
  const foreground = new Foreground();
  const directoryAccess = new DirectoryAccess({ ...upkeep, database, directory: edge.directory, foreground, logger });
  const idempotency = new IdempotencyService(database, clock, logger, means.idempotencyKeptMs);
  const groupTurns = new GroupTurns(clock);
  const enrollment = new GroupEnrollment(directoryAccess, new GroupJoins(groupTurns), clock, random);
  const departure = new GroupDeparture(directoryAccess, groupTurns, clock, random);
  const personCalls = new PersonCalls(directoryAccess, idempotency, clock, random);
  const provisioning = new ProvisioningService(personCalls, enrollment, departure);
  const reseal = new ResealService({ database, ring: keys, clock, logger });
  const connections = new ConnectionService({ ...upkeep, database, webApi: edge.webApi });
  const connectionQueries = new ConnectionQueryService(database, edge.directory, clock);
  const groups = new GroupService(directoryAccess, idempotency, groupTurns, clock, random);
  const bulk = { database, access: directoryAccess, foreground, idempotency, provisioning, groups };
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
    provisioning,
    guests: new GuestService(personCalls, clock),
    mappings: new MappingService(database, clock),
    mappingPreviews: new MappingPreviewService(database, directoryAccess),
    records: new RecordProvisioningService(database, provisioning),
    groupQueries: new GroupQueryService(directoryAccess),
    groups,
    idempotency,
    ...wireOperations({ ...bulk, backgroundDatabase: storage.backgroundDatabase }, edge, means),
    ...wireInstalls(storage, edge.oauth, means, { environments, grants: upkeep.grants }),
  };
}

/** Work on many people at once. */
function wireOperations(
  parts: {
    database: Database;
    backgroundDatabase: Database;
    access: DirectoryAccess;
    foreground: Foreground;
    idempotency: IdempotencyService;
    provisioning: ProvisioningService;
    groups: GroupService;
  },
  { directory }: SlackEdge,
  { clock, random, logger, dispatch, runnerRules }: ServiceMeans,
) {
  const operationQueries = new OperationQueryService(parts.database, directory, clock);
  return {
    operations: new OperationService({ ...parts, dispatch, clock }),
    operationQueries,
    operationWatches: new OperationWatchService(operationQueries, new OperationLooks(parts.database, clock)),
    operationRunner: new OperationRunner({
      ...parts,
      database: parts.backgroundDatabase,
      rules: runnerRules,
      clock,
      random,
      logger,
    }),
  };
}

/** Installing the app in a browser: what partners do, what people do before Slack, and after it. */
function wireInstalls(
  { database, deriveTexts }: Storage,
  oauth: SlackOAuth,
  means: ServiceMeans,
  { environments, grants }: { environments: readonly ConnectionEnvironment[]; grants: ConnectionGrantService },
) {
  const { clock, logger, returnUrls } = means;
  const links = new ReconnectLinks(means, () => deriveTexts('rollcall/reconnect/v1'));
  const doors = new InstallDoors(database, clock, links);
  const turns = new InstallTurns(database, clock);
  const parts = { database, clock, logger, oauth, turns, connections: grants };
  return {
    installs: new InstallService({ ...parts, environments, addresses: means, links, rules: means }),
    installVisits: new InstallVisitService({ ...parts, doors }),
    installCallbacks: new InstallCallbackService({ ...parts, returnUrls }),
  };
}

/** Everything about a connection's token: checked, stored, handed out, refreshed. */
function wireGrants(
  { database, feed }: Storage,
  { webApi, oauth, directory }: SlackEdge,
  { logger, clock, random }: Means,
  environments: readonly ConnectionEnvironment[],
) {
  const health = new ConnectionHealth(database, clock, logger);
  const keeper = new PairKeeper({ health, webApi, clock, random, logger });
  const refreshes = new TokenRefreshService({ database, oauth, health, keeper, clock, random, logger });
  const snapshots = new ConnectionSnapshots(database, clock, feed);
  const tokens = new AccessTokenService(database, snapshots, refreshes, clock, logger);
  const verifier = new GrantVerifier(webApi, directory);
  const check = new GrantCheck({ tokens, verifier, health });
  const grants = new ConnectionGrantService({ database, clock, logger, webApi, verifier, health, environments });
  const tokenRefreshes = new TokenRefreshRunner({ database, refreshes, clock, random, logger });
  return { health, refreshes, snapshots, tokens, check, grants, tokenRefreshes };
}

/** The instances that the schema's fields are resolved by. */
export function resolversOf(services: Services): Map<ClassType, object> {
  return new Map<ClassType, object>([
    [AccessResolver, new AccessResolver(services.access)],
    [SealingKeyResolver, new SealingKeyResolver(services.sealingKeys)],
    [ConnectionResolver, new ConnectionResolver(services.connectionQueries, services.connections, services.grants)],
    [ConnectionRotationResolver, new ConnectionRotationResolver(services.rotation)],
    [OAuthTokenResolver, new OAuthTokenResolver()],
    [ConnectionSubscriptionResolver, new ConnectionSubscriptionResolver()],
    [ConnectionUsersResolver, new ConnectionUsersResolver(services.directoryQueries)],
    [UserResolver, new UserResolver(services.provisioning, services.records)],
    [GuestResolver, new GuestResolver(services.guests)],
    [ConnectionGroupsResolver, new ConnectionGroupsResolver(services.groupQueries)],
    [UserReferenceResolver, new UserReferenceResolver(services.directoryQueries)],
    [GroupResolver, new GroupResolver(services.groupQueries, services.groups)],
    [InstallResolver, new InstallResolver(services.installs, services.connectionQueries)],
    [ConnectionIssueResolver, new ConnectionIssueResolver(services.installs)],
    [MissingScopesProblemResolver, new MissingScopesProblemResolver(services.installs)],
    [
      OperationResolver,
      new OperationResolver(services.operationQueries, services.operations, services.connectionQueries),
    ],
    [OperationSubscriptionResolver, new OperationSubscriptionResolver()],
    [ConnectionOperationsResolver, new ConnectionOperationsResolver(services.operationQueries)],
    [ConnectionMappingResolver, new ConnectionMappingResolver(services.mappings)],
    [MappingResolver, new MappingResolver(services.mappings, services.mappingPreviews)],
    [
      NodeResolver,
      new NodeResolver(
        services.connectionQueries,
        services.directoryQueries,
        services.groupQueries,
        services.installs,
        services.operationQueries,
        services.mappings,
      ),
    ],
  ]);
}
