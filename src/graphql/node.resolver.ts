import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import type { Caller } from '../domain/access/access';
import type { AccessTokenId, ConnectionId } from '../domain/connections/connection';
import type { ConnectionQueryService } from '../domain/connections/connection-query.service';
import type { DirectoryQueryService } from '../domain/directory/directory-query.service';
import type { GroupQueryService } from '../domain/directory/group-query.service';
import { NotFound } from '../domain/errors';
import type { InstallId } from '../domain/installs/install';
import type { InstallService } from '../domain/installs/install.service';
import type { MappingId } from '../domain/mapping/mapping';
import type { MappingService } from '../domain/mapping/mapping.service';
import type { OperationId } from '../domain/operations/operation';
import type { OperationQueryService } from '../domain/operations/operation-query.service';
import { callerOf, type GraphQLContext } from './context';
import { decodeGroupId, toGroupNode } from './directory/group-node';
import { decodeUserId, toUserNode } from './directory/user-node';
import { NodeType, typeOfId } from './node.type';
import { toOperationNode } from './operations/operation-node';

@Resolver(() => NodeType)
export class NodeResolver {
  constructor(
    private readonly connections: ConnectionQueryService,
    private readonly directory: DirectoryQueryService,
    private readonly groups: GroupQueryService,
    private readonly installs: InstallService,
    private readonly operations: OperationQueryService,
    private readonly mappings: MappingService,
  ) {}

  @Query(() => NodeType, {
    nullable: true,
    description: "Anything by its global id; null when it is unknown or another tenant's.",
  })
  async node(
    @Arg('id', () => ID, { description: 'A global id of this gateway.' }) id: string,
    @Ctx() context: GraphQLContext,
  ): Promise<object | undefined> {
    const caller = callerOf(context);
    switch (typeOfId(id)) {
      case 'Connection':
        return this.connections.find(caller, id as ConnectionId);
      case 'OAuthToken':
        return this.connections.findToken(caller, id as AccessTokenId);
      case 'Install':
        return this.installs.find(caller, id as InstallId);
      case 'Operation':
        return this.findOperation(caller, id as OperationId);
      case 'Mapping':
        return this.mappings.find(caller, id as MappingId);
      case 'User':
        return this.findUser(id, context);
      case 'Group':
        return this.findGroup(id, context);
      default:
        return undefined;
    }
  }

  private async findOperation(caller: Caller, id: OperationId): Promise<object | undefined> {
    const operation = await this.operations.find(caller, id);
    return operation && toOperationNode(operation);
  }

  private async findGroup(id: string, context: GraphQLContext): Promise<object | undefined> {
    const decoded = decodeGroupId(id);
    if (!decoded) return undefined;
    const { connectionId, by } = decoded;
    try {
      const group = await this.groups.find(callerOf(context), connectionId, by, { withMembers: true });
      return group && toGroupNode(connectionId, group);
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  private async findUser(id: string, context: GraphQLContext): Promise<object | undefined> {
    const decoded = decodeUserId(id);
    if (!decoded) return undefined;
    try {
      const user = await this.directory.find(callerOf(context), decoded.connectionId, decoded.by);
      return user && toUserNode(decoded.connectionId, user);
    } catch (error) {
      // The id names a connection of another tenant, or one that is gone.
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }
}
