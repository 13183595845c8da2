import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Caller } from '../../domain/access/access';
import type { Connection, ConnectionId } from '../../domain/connections/connection';
import type { ConnectionQueryService } from '../../domain/connections/connection-query.service';
import { NotFound } from '../../domain/errors';
import type { OperationFilter } from '../../domain/operation-ports';
import type { ItemStatus, Operation, OperationId, OperationStatus } from '../../domain/operations/operation';
import type { OperationService } from '../../domain/operations/operation.service';
import type { OperationQueryService } from '../../domain/operations/operation-query.service';
import { parsePosition } from '../connections/connection.resolver';
import { ConnectionType } from '../connections/connection.type';
import { callerOf, type GraphQLContext } from '../context';
import { IfExistsEnum } from '../directory/user.input';
import { afterArgument, decodeCursor, encodeCursor, firstArgument, type Page, pageOf, parseFirst } from '../page.type';
import { asPayload } from '../problems/problem-node';
import { DateTimeScalar } from '../scalars';
import {
  ChangeGroupMembersInput,
  DeprovisionUsersInput,
  MOST_ITEMS_IN_A_CALL,
  OperationIdInput,
  ProvisionUsersInput,
  toDeprovisionWork,
  toGroupWork,
  toProvisionWork,
} from './operation.input';
import {
  OperationItemPageType,
  OperationItemStatusEnum,
  type OperationItemType,
  OperationPageType,
  OperationPayloadType,
  OperationStatusEnum,
  OperationType,
} from './operation.type';
import { type OperationNode, toItemNode, toOperationNode } from './operation-node';

const nothing = { operation: undefined };

@Resolver(() => OperationType)
export class OperationResolver {
  constructor(
    private readonly queries: OperationQueryService,
    private readonly operations: OperationService,
    private readonly connections: ConnectionQueryService,
  ) {}

  @Query(() => OperationType, {
    nullable: true,
    description: "One operation; null when it is unknown or another tenant's. Permission: USERS_READ.",
  })
  async operation(
    @Arg('id', () => ID, { description: 'The operation.' }) id: string,
    @Ctx() context: GraphQLContext,
  ): Promise<OperationNode | undefined> {
    const operation = await this.queries.find(callerOf(context), id as OperationId);
    return operation && toOperationNode(operation);
  }

  @Query(() => OperationPageType, {
    name: 'operations',
    description: 'The operations of your tenant, newest first. Permission: USERS_READ.',
  })
  operationPage(
    @Arg('connectionId', () => ID, { nullable: true, description: 'Only those of this connection.' })
    connectionId: string | undefined,
    @Arg('status', () => [OperationStatusEnum], { nullable: true, description: 'Only those that stand so.' })
    status: OperationStatus[] | undefined,
    @Arg('first', () => Int, firstArgument) first: number | null,
    @Arg('after', () => String, afterArgument) after: string | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<Page<OperationNode>> {
    const filter = {
      connectionId: (connectionId ?? undefined) as ConnectionId | undefined,
      status: status ?? undefined,
    };
    return pageOfOperations(this.queries, context, filter, { first, after });
  }

  @FieldResolver(() => ConnectionType, { description: 'The connection that it works through.' })
  async connection(@Root() operation: OperationNode, @Ctx() context: GraphQLContext): Promise<Connection> {
    const connection = await this.connections.find(callerOf(context), operation.connectionId);
    if (!connection) throw new NotFound('There is no such connection.');
    return connection;
  }

  @FieldResolver(() => DateTimeScalar, {
    nullable: true,
    description:
      "When it is likely to end, from the items that remain and Slack's rate limits; null when it has ended or waits for somebody.",
  })
  estimatedFinishAt(@Root() operation: OperationNode, @Ctx() context: GraphQLContext): Promise<Date | undefined> {
    return this.queries.estimatedFinish(callerOf(context), operation);
  }

  @FieldResolver(() => OperationItemPageType, {
    description: 'Its items, in the order in which they were sent. Permission: USERS_READ.',
  })
  async items(
    @Root() operation: OperationNode,
    @Arg('status', () => [OperationItemStatusEnum], { nullable: true, description: 'Only those that stand so.' })
    status: ItemStatus[] | undefined,
    @Arg('first', () => Int, firstArgument) first: number | null,
    @Arg('after', () => String, afterArgument) after: string | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<Page<OperationItemType>> {
    const position = after === undefined || after === null ? undefined : decodeCursor(after, parseIndex);
    const { items, hasMore, totalCount } = await this.queries.items(
      callerOf(context),
      operation,
      { status: status ?? undefined },
      { first: parseFirst(first), after: position },
    );
    const edges = items.map((item) => ({ cursor: encodeCursor(item.index), node: toItemNode(operation, item) }));
    return pageOf(edges, { hasMore, isFirst: position === undefined, totalCount });
  }

  @Mutation(() => OperationPayloadType, {
    description:
      'Makes sure that many people have accounts as described, each as provisionUser would. It answers as soon as the work is accepted. What is wrong with one person is told on the item, and the others go on. Permission: USERS_WRITE.',
  })
  provisionUsers(
    @Arg('input', () => ProvisionUsersInput, { description: 'The people and what to do if they exist.' })
    { users, idempotencyKey, ...input }: ProvisionUsersInput,
    @Ctx() context: GraphQLContext,
  ) {
    const ifExists = input.ifExists ?? IfExistsEnum.UPDATE;
    return this.begin(context, input.connectionId, idempotencyKey, {
      kind: 'PROVISION_USERS',
      action: 'provisionUsers',
      settings: { ifExists },
      input: { users, ifExists },
      items: users.map(toProvisionWork),
      path: ['input', 'users'],
    });
  }

  @Mutation(() => OperationPayloadType, {
    description: 'Deactivates many accounts, each as deprovisionUser would. Permission: USERS_WRITE.',
  })
  deprovisionUsers(
    @Arg('input', () => DeprovisionUsersInput, { description: 'The people.' })
    { connectionId, users, idempotencyKey }: DeprovisionUsersInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.begin(context, connectionId, idempotencyKey, {
      kind: 'DEPROVISION_USERS',
      action: 'deprovisionUsers',
      input: { users },
      items: users.map(toDeprovisionWork),
      path: ['input', 'users'],
    });
  }

  @Mutation(() => OperationPayloadType, {
    description:
      'Changes the members of many groups, each as addGroupMembers, removeGroupMembers or setGroupMembers would. Permission: USERS_WRITE.',
  })
  changeGroupMembers(
    @Arg('input', () => ChangeGroupMembersInput, { description: 'The groups and the changes.' })
    { connectionId, changes, idempotencyKey }: ChangeGroupMembersInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.begin(context, connectionId, idempotencyKey, {
      kind: 'CHANGE_GROUP_MEMBERS',
      action: 'changeGroupMembers',
      input: { changes },
      items: changes.map(toGroupWork),
      path: ['input', 'changes'],
    });
  }

  @Mutation(() => OperationPayloadType, {
    description: 'Lets the items under way end and begins no others until resumeOperation. Permission: USERS_WRITE.',
  })
  pauseOperation(
    @Arg('input', () => OperationIdInput, { description: 'The operation.' }) { id }: OperationIdInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.change(context, (caller) => this.operations.pause(caller, id as OperationId));
  }

  @Mutation(() => OperationPayloadType, {
    description:
      'Continues an operation that was paused or canceled, from then on in the name of the API key of this call. Permission: USERS_WRITE.',
  })
  resumeOperation(
    @Arg('input', () => OperationIdInput, { description: 'The operation.' }) { id }: OperationIdInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.change(context, (caller) => this.operations.resume(caller, id as OperationId));
  }

  @Mutation(() => OperationPayloadType, {
    description: 'Lets the items under way end and skips the others; what is done stays done. Permission: USERS_WRITE.',
  })
  cancelOperation(
    @Arg('input', () => OperationIdInput, { description: 'The operation.' }) { id }: OperationIdInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.change(context, (caller) => this.operations.cancel(caller, id as OperationId));
  }

  @Mutation(() => OperationPayloadType, {
    description:
      'Tries the failed items of an operation that has ended again; those that succeeded are not touched. Permission: USERS_WRITE.',
  })
  retryFailedItems(
    @Arg('input', () => OperationIdInput, { description: 'The operation.' }) { id }: OperationIdInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.change(context, (caller) => this.operations.retryFailed(caller, id as OperationId));
  }

  private begin(
    context: GraphQLContext,
    connectionId: string,
    idempotencyKey: string | null | undefined,
    work: Omit<Parameters<OperationService['start']>[1], 'connectionId' | 'idempotencyKey' | 'mostItems'>,
  ) {
    return this.change(context, (caller) =>
      this.operations.start(caller, {
        ...work,
        connectionId: connectionId as ConnectionId,
        idempotencyKey: idempotencyKey ?? undefined,
        mostItems: MOST_ITEMS_IN_A_CALL,
      }),
    );
  }

  private change(context: GraphQLContext, work: (caller: Caller) => Promise<Operation>) {
    return asPayload(context, async (caller) => ({ operation: toOperationNode(await work(caller)) }), {
      failure: nothing,
    });
  }
}

@Resolver(() => ConnectionType)
export class ConnectionOperationsResolver {
  constructor(private readonly queries: OperationQueryService) {}

  @FieldResolver(() => OperationPageType, {
    name: 'operations',
    description: 'The operations of this connection, newest first. Permission: USERS_READ.',
  })
  operationsOfConnection(
    @Root() connection: Connection,
    @Arg('first', () => Int, firstArgument) first: number | null,
    @Arg('after', () => String, afterArgument) after: string | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<Page<OperationNode>> {
    return pageOfOperations(this.queries, context, { connectionId: connection.id }, { first, after });
  }
}

async function pageOfOperations(
  queries: OperationQueryService,
  context: GraphQLContext,
  filter: OperationFilter,
  { first, after }: { first: number | null; after: string | undefined },
): Promise<Page<OperationNode>> {
  const position = after === undefined || after === null ? undefined : decodeCursor(after, parsePosition);
  const page = { first: parseFirst(first), after: position };
  const { items, hasMore, totalCount } = await queries.list(callerOf(context), filter, page);
  const edges = items.map((operation) => ({
    cursor: encodeCursor([operation.createdAt.getTime(), operation.id]),
    node: toOperationNode(operation),
  }));
  return pageOf(edges, { hasMore, isFirst: position === undefined, totalCount });
}

function parseIndex(decoded: unknown): number | undefined {
  return typeof decoded === 'number' && Number.isSafeInteger(decoded) && decoded >= 0 ? decoded : undefined;
}
