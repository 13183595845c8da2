import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { Connection, ConnectionId, ConnectionIssue } from '../../domain/connections/connection';
import { actorOf, type IssueActor } from '../../domain/connections/connection-problem';
import type { InstallService } from '../../domain/installs/install.service';
import { ConnectionIssueType, IssueActorEnum } from '../connections/connection.type';
import { callerOf, type GraphQLContext } from '../context';
import { MissingScopesProblemType } from '../problems/problem.type';
import { UrlScalar } from '../scalars';

const reauthorizeUrlText =
  'Where a person repairs this by installing the app again, for a week. Null where that repairs nothing, where the gateway has no app of its own, and for keys without CONNECTIONS_WRITE.';

/** An issue with the connection that it belongs to, as `Connection.issues` gives it. */
export type ConnectionIssueNode = ConnectionIssue & { readonly connection: Connection };

/** Who must act on an issue, and where. */
@Resolver(() => ConnectionIssueType)
export class ConnectionIssueResolver {
  constructor(private readonly installs: InstallService) {}

  @FieldResolver(() => IssueActorEnum, { description: 'Who must act.' })
  actor(@Root() { code, connection }: ConnectionIssueNode): IssueActor {
    return actorOf(code, connection.installLevel);
  }

  @FieldResolver(() => UrlScalar, { nullable: true, description: reauthorizeUrlText })
  reauthorizeUrl(
    @Root() { code, connection, resolvedAt }: ConnectionIssueNode,
    @Ctx() context: GraphQLContext,
  ): string | undefined {
    return resolvedAt ? undefined : this.installs.reconnectUrl(callerOf(context), connection, code);
  }
}

@Resolver(() => MissingScopesProblemType)
export class MissingScopesProblemResolver {
  constructor(private readonly installs: InstallService) {}

  @FieldResolver(() => UrlScalar, { nullable: true, description: reauthorizeUrlText })
  async reauthorizeUrl(
    @Root() { connectionId }: { readonly connectionId?: ConnectionId },
    @Ctx() context: GraphQLContext,
  ): Promise<string | undefined> {
    return connectionId && this.installs.findReconnectUrl(callerOf(context), connectionId, 'MISSING_SCOPES');
  }
}
