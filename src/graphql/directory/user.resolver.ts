import { Arg, Ctx, FieldResolver, Int, Mutation, Resolver, Root } from 'type-graphql';
import type { Connection } from '../../domain/connections/connection';
import type { DirectoryQueryService } from '../../domain/directory/directory-query.service';
import type { ProvisioningService } from '../../domain/directory/provisioning.service';
import { type RosterPosition, rosterStart } from '../../domain/directory/roster-position';
import type { RecordProvisioningService } from '../../domain/mapping/record-provisioning.service';
import { ConnectionType } from '../connections/connection.type';
import { callerOf, type GraphQLContext } from '../context';
import { withoutNulls } from '../nulls';
import { afterArgument, decodeCursor, encodeCursor, firstArgument, type Page, pageOf, parseFirst } from '../page.type';
import { toGroupSelector } from './group-selector.input';
import {
  IfExistsEnum,
  ProvisionUserInput,
  personIn,
  toChanges,
  toDraft,
  toSelector,
  UpdateUserInput,
  UserActionInput,
  UserFilterInput,
  UserSelectorInput,
} from './user.input';
import { UserPageType, UserType } from './user.type';
import { type DirectoryUserNode, toUserNode } from './user-node';
import { asUserPayload, toPersonCall } from './user-payload';
import { UserPayloadType } from './user-payload.type';

@Resolver(() => ConnectionType)
export class ConnectionUsersResolver {
  constructor(private readonly directory: DirectoryQueryService) {}

  @FieldResolver(() => UserPageType, {
    description: 'The people of this Slack, live, deactivated ones and bots among them. Permission: USERS_READ.',
  })
  async users(
    @Root() connection: Connection,
    @Arg('first', () => Int, firstArgument) first: number | null,
    @Arg('after', () => String, afterArgument) after: string | undefined,
    @Arg('filter', () => UserFilterInput, { nullable: true, description: 'Which of them.' })
    filter: UserFilterInput | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<Page<DirectoryUserNode>> {
    const position = after === undefined || after === null ? rosterStart : decodeCursor(after, parsePosition);
    const page = await this.directory.list(callerOf(context), connection.id, withoutNulls(filter), {
      first: parseFirst(first),
      after: position,
    });
    const edges = page.users.map(({ user, position: at }) => ({
      cursor: encodeCursor(at),
      node: toUserNode(connection.id, user),
    }));
    return pageOf(edges, {
      hasMore: page.hasMore,
      isFirst: position.index === 0,
      totalCount: page.totalCount,
      endCursor: page.lastPosition.index > 0 ? encodeCursor(page.lastPosition) : undefined,
    });
  }

  @FieldResolver(() => UserType, {
    nullable: true,
    description: 'One person, live; null when there is none. Permission: USERS_READ.',
  })
  async user(
    @Root() connection: Connection,
    @Arg('by', () => UserSelectorInput, { description: 'Which person.' }) by: UserSelectorInput,
    @Ctx() context: GraphQLContext,
  ): Promise<DirectoryUserNode | undefined> {
    const user = await this.directory.find(callerOf(context), connection.id, toSelector(by));
    return user && toUserNode(connection.id, user);
  }
}

@Resolver(() => UserType)
export class UserResolver {
  constructor(
    private readonly provisioning: ProvisioningService,
    private readonly records: RecordProvisioningService,
  ) {}

  @Mutation(() => UserPayloadType, {
    description:
      'Makes sure that a person has an account as described, by `user` or by a `record` that goes through the mapping of the connection: creates it, or adopts, updates or reactivates the one that holds the e-mail address. Permission: USERS_WRITE.',
  })
  provisionUser(
    @Arg('input', () => ProvisionUserInput, { description: 'The person and what to do if they exist.' })
    input: ProvisionUserInput,
    @Ctx() context: GraphQLContext,
  ) {
    return asUserPayload(context, input.connectionId, async (caller, connectionId) => {
      const ifExists = input.ifExists ?? IfExistsEnum.UPDATE;
      const call = { connectionId, ifExists, idempotencyKey: input.idempotencyKey ?? undefined };
      const person = personIn(input);
      if ('record' in person) return this.records.provision(caller, { ...call, record: person.record });
      const { user } = person;
      return this.provisioning.provision(caller, {
        ...call,
        user: toDraft(user),
        groups: user.groups?.map(toGroupSelector),
      });
    });
  }

  @Mutation(() => UserPayloadType, {
    description: 'Changes fields of an account. Permission: USERS_WRITE.',
  })
  updateUser(
    @Arg('input', () => UpdateUserInput, { description: 'The person and the changes.' }) input: UpdateUserInput,
    @Ctx() context: GraphQLContext,
  ) {
    return asUserPayload(context, input.connectionId, (caller, connectionId) =>
      this.provisioning.update(caller, { ...toPersonCall(connectionId, input), changes: toChanges(input.changes) }),
    );
  }

  @Mutation(() => UserPayloadType, {
    description:
      'Deactivates an account: the person is signed out everywhere and the content stays. Doing it again changes nothing. The installer of the connection is refused. Permission: USERS_WRITE.',
  })
  deprovisionUser(
    @Arg('input', () => UserActionInput, { description: 'The person.' }) input: UserActionInput,
    @Ctx() context: GraphQLContext,
  ) {
    return asUserPayload(context, input.connectionId, (caller, connectionId) =>
      this.provisioning.deprovision(caller, toPersonCall(connectionId, input)),
    );
  }

  @Mutation(() => UserPayloadType, {
    description: 'Makes a deactivated account active again; an active one stays as it is. Permission: USERS_WRITE.',
  })
  reactivateUser(
    @Arg('input', () => UserActionInput, { description: 'The person.' }) input: UserActionInput,
    @Ctx() context: GraphQLContext,
  ) {
    return asUserPayload(context, input.connectionId, (caller, connectionId) =>
      this.provisioning.reactivate(caller, toPersonCall(connectionId, input)),
    );
  }
}

/** A place in a live list, as a cursor holds it. */
export function parsePosition(decoded: unknown): RosterPosition | undefined {
  if (typeof decoded !== 'object' || decoded === null) return undefined;
  const { index, lastSlackId, firstSlackId }: { [Member in keyof RosterPosition]?: unknown } = decoded;
  const isPosition =
    typeof index === 'number' &&
    Number.isSafeInteger(index) &&
    index >= 0 &&
    typeof lastSlackId === 'string' &&
    typeof firstSlackId === 'string';
  return isPosition ? { index, lastSlackId, firstSlackId } : undefined;
}
