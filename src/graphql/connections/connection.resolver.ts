import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { AccessToken, Connection, ConnectionId } from '../../domain/connections/connection';
import type { ConnectionService } from '../../domain/connections/connection.service';
import type { ConnectionGrantService } from '../../domain/connections/connection-grant.service';
import type { ConnectionQueryService } from '../../domain/connections/connection-query.service';
import { actions, missingScopes, requiredScopes, requirementOf } from '../../domain/connections/scopes';
import type { ListPosition } from '../../domain/ports';
import { Secret } from '../../shared/secret';
import { callerOf, type GraphQLContext } from '../context';
import { withoutNulls } from '../nulls';
import { afterArgument, decodeCursor, encodeCursor, firstArgument, type Page, pageOf, parseFirst } from '../page.type';
import { asPayload } from '../problems/problem-node';
import {
  ConnectionFilterInput,
  ConnectionIdInput,
  CreateConnectionInput,
  DisconnectInput,
  ReplaceTokenInput,
  UpdateConnectionInput,
} from './connection.input';
import {
  CapabilityType,
  ConnectionCapabilityType,
  ConnectionIssueType,
  ConnectionPageType,
  ConnectionPayloadType,
  ConnectionType,
  DeletedPayloadType,
  OAuthTokenType,
  RateBudgetType,
} from './connection.type';

const nothing = { connection: undefined };

@Resolver(() => ConnectionType)
export class ConnectionResolver {
  constructor(
    private readonly queries: ConnectionQueryService,
    private readonly connections: ConnectionService,
    private readonly grants: ConnectionGrantService,
  ) {}

  @Query(() => ConnectionType, {
    nullable: true,
    description: "One connection; null when it is unknown or another tenant's. Permission: CONNECTIONS_READ.",
  })
  connection(
    @Arg('id', () => ID, { description: 'The connection.' }) id: string,
    @Ctx() context: GraphQLContext,
  ): Promise<Connection | undefined> {
    return this.queries.find(callerOf(context), id as ConnectionId);
  }

  @Query(() => ConnectionPageType, {
    name: 'connections',
    description: 'The connections of your tenant, newest first. Permission: CONNECTIONS_READ.',
  })
  async connectionPage(
    @Arg('first', () => Int, firstArgument) first: number | null,
    @Arg('after', () => String, afterArgument) after: string | undefined,
    @Arg('filter', () => ConnectionFilterInput, { nullable: true, description: 'Which of them.' })
    filter: ConnectionFilterInput | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<Page<Connection>> {
    const position = after === undefined || after === null ? undefined : decodeCursor(after, parsePosition);
    const page = { first: parseFirst(first), after: position };
    const { items, hasMore, totalCount } = await this.queries.list(callerOf(context), withoutNulls(filter), page);
    const edges = items.map((node) => ({ cursor: encodeCursor([node.createdAt.getTime(), node.id]), node }));
    return pageOf(edges, { hasMore, isFirst: position === undefined, totalCount });
  }

  @Query(() => [CapabilityType], {
    description: 'What the gateway can do and which OAuth scopes of Slack each action needs.',
  })
  capabilities(@Ctx() context: GraphQLContext): CapabilityType[] {
    callerOf(context);
    return actions.map((action) => ({ action, ...requirementOf(action) }));
  }

  @FieldResolver(() => [ConnectionIssueType], {
    description: 'Why the connection is not ACTIVE, since when, and what to do. Oldest first.',
  })
  async issues(
    @Root() connection: Connection,
    @Arg('includeResolved', () => Boolean, {
      nullable: true,
      defaultValue: false,
      description: 'Also those that have ended.',
    })
    includeResolved: boolean | null,
    @Ctx() context: GraphQLContext,
  ) {
    const caller = callerOf(context);
    const issues = includeResolved
      ? await this.queries.allIssues(caller, connection)
      : await context.loaders.openIssues(caller, connection);
    return issues.map((issue) => ({ ...issue, connection }));
  }

  @FieldResolver(() => OAuthTokenType, { nullable: true, description: 'The newest token of the connection.' })
  token(@Root() connection: Connection, @Ctx() context: GraphQLContext) {
    return context.loaders.latestToken(callerOf(context), connection);
  }

  @FieldResolver(() => [ConnectionCapabilityType], {
    name: 'capabilities',
    description: 'What was granted against what is needed, action by action.',
  })
  async capabilitiesOfConnection(@Root() connection: Connection, @Ctx() context: GraphQLContext) {
    const caller = callerOf(context);
    const token = await context.loaders.latestToken(caller, connection);
    return this.queries.capabilities(caller, connection, token);
  }

  @FieldResolver(() => [RateBudgetType], {
    description: "What is left of Slack's rate limits for this team, per class of calls.",
  })
  rateBudget(@Root() connection: Connection, @Ctx() context: GraphQLContext) {
    return context.loaders.rateBudget(callerOf(context), connection);
  }

  @Mutation(() => ConnectionPayloadType, {
    description:
      'Connects a Slack team with a pasted token. The token is checked first (kind, scopes, install level, plan, and that SCIM answers); when anything is wrong nothing is saved. Permission: CONNECTIONS_WRITE.',
  })
  createConnection(
    @Arg('input', () => CreateConnectionInput, { description: 'The customer and the token.' })
    input: CreateConnectionInput,
    @Ctx() context: GraphQLContext,
  ) {
    const { name, externalId, environment, token } = input;
    return asPayload(
      context,
      async (caller) => ({
        connection: await this.grants.create(caller, {
          name,
          externalId: externalId ?? undefined,
          environment,
          token: new Secret(token.trim()),
        }),
      }),
      { failure: nothing },
    );
  }

  @Mutation(() => ConnectionPayloadType, {
    description:
      'Checks the stored token again and brings status and issues up to date. The connection comes back also when the check finds a problem. Permission: CONNECTIONS_WRITE.',
  })
  verifyConnection(
    @Arg('input', () => ConnectionIdInput, { description: 'The connection.' }) { id }: ConnectionIdInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.change(context, id, async (caller) => {
      const { connection, problem } = await this.connections.verify(caller, id as ConnectionId);
      return { connection, problems: problem ? [problem] : [] };
    });
  }

  @Mutation(() => ConnectionPayloadType, {
    description:
      'Gives the connection a new token of the same Slack team; the old one is erased here once the new one was seen to work. Permission: CONNECTIONS_WRITE.',
  })
  replaceToken(
    @Arg('input', () => ReplaceTokenInput, { description: 'The connection and the token.' }) {
      id,
      token,
    }: ReplaceTokenInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.change(context, id, async (caller) => ({
      connection: await this.grants.replaceToken(caller, id as ConnectionId, new Secret(token.trim())),
    }));
  }

  @Mutation(() => ConnectionPayloadType, {
    description: 'Changes the name or the externalId of a connection. Permission: CONNECTIONS_WRITE.',
  })
  updateConnection(
    @Arg('input', () => UpdateConnectionInput, { description: 'What to change.' })
    { id, name, externalId }: UpdateConnectionInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.change(context, id, async (caller) => ({
      connection: await this.connections.update(caller, id as ConnectionId, { name, externalId }),
    }));
  }

  @Mutation(() => ConnectionPayloadType, {
    description: 'Keeps the token but makes no call with it until resumeConnection. Permission: CONNECTIONS_WRITE.',
  })
  pauseConnection(
    @Arg('input', () => ConnectionIdInput, { description: 'The connection.' }) { id }: ConnectionIdInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.change(context, id, async (caller) => ({
      connection: await this.connections.pause(caller, id as ConnectionId),
    }));
  }

  @Mutation(() => ConnectionPayloadType, {
    description: 'Ends a pause. Permission: CONNECTIONS_WRITE.',
  })
  resumeConnection(
    @Arg('input', () => ConnectionIdInput, { description: 'The connection.' }) { id }: ConnectionIdInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.change(context, id, async (caller) => ({
      connection: await this.connections.resume(caller, id as ConnectionId),
    }));
  }

  @Mutation(() => ConnectionPayloadType, {
    description:
      'Erases the token here and, unless told otherwise, ends it at Slack first, together with its refresh token. The connection keeps its id and can get a new token later. Permission: CONNECTIONS_WRITE.',
  })
  disconnect(
    @Arg('input', () => DisconnectInput, { description: 'The connection.' }) { id, revokeToken }: DisconnectInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.change(context, id, async (caller) => ({
      connection: await this.connections.disconnect(caller, id as ConnectionId, { revokeToken }),
    }));
  }

  @Mutation(() => DeletedPayloadType, {
    description:
      'Removes a connection with its token and history from the gateway. A token that was not revoked before stays alive at Slack: disconnect first. Permission: CONNECTIONS_WRITE.',
  })
  deleteConnection(
    @Arg('input', () => ConnectionIdInput, { description: 'The connection.' }) { id }: ConnectionIdInput,
    @Ctx() context: GraphQLContext,
  ) {
    return asPayload(
      context,
      async (caller) => ({ deletedId: await this.connections.delete(caller, id as ConnectionId) }),
      { failure: { deletedId: undefined } },
    );
  }

  private change(
    context: GraphQLContext,
    id: string,
    work: Parameters<typeof asPayload<{ connection: Connection }, typeof nothing>>[1],
  ) {
    context.loaders.forget(id as ConnectionId);
    return asPayload(context, work, { failure: nothing, connectionId: id });
  }
}

@Resolver(() => OAuthTokenType)
export class OAuthTokenResolver {
  @FieldResolver(() => [String], { description: 'OAuth scopes that this gateway needs.' })
  requiredScopes(): readonly string[] {
    return requiredScopes;
  }

  @FieldResolver(() => [String], { description: 'OAuth scopes that are needed and not granted.' })
  missingScopes(@Root() token: AccessToken): readonly string[] {
    return missingScopes(requiredScopes, token.grantedScopes);
  }
}

export function parsePosition(decoded: unknown): ListPosition | undefined {
  if (!Array.isArray(decoded) || decoded.length !== 2) return undefined;
  const [millis, id] = decoded as unknown[];
  if (!Number.isSafeInteger(millis) || typeof id !== 'string') return undefined;
  const createdAt = new Date(Number(millis));
  return Number.isNaN(createdAt.getTime()) ? undefined : { createdAt, id };
}
