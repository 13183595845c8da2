import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, FieldResolver, Info, Int, Mutation, Resolver, Root } from 'type-graphql';
import type { Caller } from '../../domain/access/access';
import type { Connection, ConnectionId } from '../../domain/connections/connection';
import type { GroupMember } from '../../domain/directory/group';
import type { GroupService, MembersCall } from '../../domain/directory/group.service';
import type { GroupQueryService } from '../../domain/directory/group-query.service';
import { type GroupResult, type MemberProblem, pathOf } from '../../domain/directory/group-result';
import { noSuchGroup } from '../../domain/directory/group-writer';
import { rosterStart } from '../../domain/directory/roster-position';
import { ConnectionType, DeletedPayloadType } from '../connections/connection.type';
import { callerOf, type GraphQLContext } from '../context';
import { withoutNulls } from '../nulls';
import { afterArgument, decodeCursor, encodeCursor, firstArgument, type Page, pageOf, parseFirst } from '../page.type';
import type { ProblemNode } from '../problems/problem.type';
import { asPayload, toProblem } from '../problems/problem-node';
import { selectsBelow } from '../selections';
import {
  CreateGroupInput,
  GroupActionInput,
  GroupFilterInput,
  GroupMembersInput,
  RenameGroupInput,
} from './group.input';
import { GroupPageType, GroupPayloadType, GroupType } from './group.type';
import { GroupLoader } from './group-loader';
import { type DirectoryGroupNode, encodeGroupId, toGroupNode } from './group-node';
import { GroupSelectorInput, toGroupSelector } from './group-selector.input';
import { toSelector } from './user.input';
import { parsePosition } from './user.resolver';
import { type UserReferenceNode, UserReferencePageType } from './user-reference.type';

/** What only a read with members can tell. */
const memberFields = ['members', 'memberCount'];

@Resolver(() => ConnectionType)
export class ConnectionGroupsResolver {
  constructor(private readonly queries: GroupQueryService) {}

  @FieldResolver(() => GroupPageType, {
    description:
      'The groups of this Slack, live, those among them that Slack keeps itself. Members asked for inside come with the same calls. Permission: USERS_READ.',
  })
  async groups(
    @Root() connection: Connection,
    @Arg('first', () => Int, firstArgument) first: number | null,
    @Arg('after', () => String, afterArgument) after: string | undefined,
    @Arg('filter', () => GroupFilterInput, { nullable: true, description: 'Which of them.' })
    filter: GroupFilterInput | undefined,
    @Info() info: GraphQLResolveInfo,
    @Ctx() context: GraphQLContext,
  ): Promise<Page<DirectoryGroupNode>> {
    const position = after === undefined || after === null ? rosterStart : decodeCursor(after, parsePosition);
    const page = await this.queries.list(callerOf(context), connection.id, withoutNulls(filter), {
      first: parseFirst(first),
      after: position,
      withMembers: selectsBelow(info, memberFields),
    });
    const edges = page.groups.map(({ group, position: at }) => ({
      cursor: encodeCursor(at),
      node: toGroupNode(connection.id, group),
    }));
    return pageOf(edges, {
      hasMore: page.hasMore,
      isFirst: position.index === 0,
      totalCount: page.totalCount,
      endCursor: page.lastPosition.index > 0 ? encodeCursor(page.lastPosition) : undefined,
    });
  }

  @FieldResolver(() => GroupType, {
    nullable: true,
    description:
      'One group, live; null when there is none. A name that several groups have is the error AMBIGUOUS_GROUP. Permission: USERS_READ.',
  })
  async group(
    @Root() connection: Connection,
    @Arg('by', () => GroupSelectorInput, { description: 'Which group.' }) by: GroupSelectorInput,
    @Info() info: GraphQLResolveInfo,
    @Ctx() context: GraphQLContext,
  ): Promise<DirectoryGroupNode | undefined> {
    const withMembers = selectsBelow(info, memberFields);
    const group = await this.queries.find(callerOf(context), connection.id, toGroupSelector(by), { withMembers });
    return group && toGroupNode(connection.id, group);
  }
}

@Resolver(() => GroupType)
export class GroupResolver {
  /** As long-lived as what else is remembered for one answer. */
  readonly #loaders = new WeakMap<object, GroupLoader>();

  constructor(
    private readonly queries: GroupQueryService,
    private readonly groups: GroupService,
  ) {}

  @FieldResolver(() => Int, { description: 'How many members it has.' })
  async memberCount(@Root() group: DirectoryGroupNode, @Ctx() context: GraphQLContext): Promise<number> {
    return group.memberCount ?? (await this.membersOf(group, context)).length;
  }

  @FieldResolver(() => UserReferencePageType, { description: 'Its members. Permission: USERS_READ, as for the group.' })
  async members(
    @Root() group: DirectoryGroupNode,
    @Arg('first', () => Int, firstArgument) first: number | null,
    @Arg('after', () => String, afterArgument) after: string | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<Page<UserReferenceNode>> {
    const count = parseFirst(first);
    const behind = after === undefined || after === null ? '' : decodeCursor(after, parseSlackId);
    const members = await this.membersOf(group, context);
    const sorted = members.filter(({ slackId }) => slackId > behind).sort(bySlackId);
    const { connectionId } = group;
    const edges = sorted.slice(0, count).map((member) => ({
      cursor: encodeCursor(member.slackId),
      node: { ...member, connectionId },
    }));
    return pageOf(edges, { hasMore: sorted.length > count, isFirst: behind === '', totalCount: members.length });
  }

  @Mutation(() => GroupPayloadType, {
    description:
      'Makes a group, with members or without. Slack itself would take a second group of the same name; this gateway refuses it with CONFLICT and names the first. People who cannot be members are left out and reported. Permission: USERS_WRITE.',
  })
  createGroup(
    @Arg('input', () => CreateGroupInput, { description: 'Name and members.' }) input: CreateGroupInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.write(context, input.connectionId, (caller, connectionId) =>
      this.groups.create(caller, {
        connectionId,
        name: input.name,
        members: (input.members ?? []).map(toSelector),
        idempotencyKey: input.idempotencyKey ?? undefined,
      }),
    );
  }

  @Mutation(() => GroupPayloadType, { description: 'Gives a group another name. Permission: USERS_WRITE.' })
  renameGroup(
    @Arg('input', () => RenameGroupInput, { description: 'The group and its new name.' }) input: RenameGroupInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.write(context, input.connectionId, (caller, connectionId) =>
      this.groups.rename(caller, { ...toCall(connectionId, input), name: input.name }),
    );
  }

  @Mutation(() => GroupPayloadType, {
    description:
      'Adds people to a group. Those who are members already stay; those who cannot be members are reported, and the rest is added. Permission: USERS_WRITE.',
  })
  addGroupMembers(
    @Arg('input', () => GroupMembersInput, { description: 'The group and the people.' }) input: GroupMembersInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.write(context, input.connectionId, (caller, connectionId) =>
      this.groups.addMembers(caller, toMembersCall(connectionId, input)),
    );
  }

  @Mutation(() => GroupPayloadType, {
    description: 'Takes people out of a group. Those who are no members stay out. Permission: USERS_WRITE.',
  })
  removeGroupMembers(
    @Arg('input', () => GroupMembersInput, { description: 'The group and the people.' }) input: GroupMembersInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.write(context, input.connectionId, (caller, connectionId) =>
      this.groups.removeMembers(caller, toMembersCall(connectionId, input)),
    );
  }

  @Mutation(() => GroupPayloadType, {
    description:
      'Makes exactly these people the members of a group: only the difference is sent to Slack, in as few calls as its limits allow. Members who are not named leave, also when a name in the list is mistyped; see `memberProblems`. Permission: USERS_WRITE.',
  })
  setGroupMembers(
    @Arg('input', () => GroupMembersInput, { description: 'The group and all of its members.' })
    input: GroupMembersInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.write(context, input.connectionId, (caller, connectionId) =>
      this.groups.setMembers(caller, toMembersCall(connectionId, input)),
    );
  }

  @Mutation(() => DeletedPayloadType, {
    description:
      'Deletes a group for good; its members keep their accounts, and stay in workspaces that they came into through it. A group that decides who may enter channels is refused with GROUP_LINKED_TO_CHANNELS. Permission: USERS_WRITE.',
  })
  deleteGroup(
    @Arg('input', () => GroupActionInput, { description: 'The group.' }) input: GroupActionInput,
    @Ctx() context: GraphQLContext,
  ) {
    const connectionId = input.connectionId as ConnectionId;
    this.#loaders.delete(context.loaders);
    return asPayload(
      context,
      async (caller) => {
        const { slackId } = await this.groups.delete(caller, toCall(connectionId, input));
        return { deletedId: encodeGroupId(connectionId, slackId) };
      },
      { failure: { deletedId: undefined }, connectionId },
    );
  }

  private async membersOf(group: DirectoryGroupNode, context: GraphQLContext): Promise<readonly GroupMember[]> {
    if (group.members !== undefined) return group.members;
    const loader = this.#loaders.get(context.loaders) ?? new GroupLoader(this.queries);
    this.#loaders.set(context.loaders, loader);
    const read = await loader.load(callerOf(context), group.connectionId, group.slackId);
    if (!read) throw noSuchGroup();
    return read.members ?? [];
  }

  private write(
    context: GraphQLContext,
    connectionId: string,
    work: (caller: Caller, connectionId: ConnectionId) => Promise<GroupResult>,
  ) {
    const id = connectionId as ConnectionId;
    // What was read before must not be shown after a change.
    this.#loaders.delete(context.loaders);
    return asPayload(
      context,
      async (caller) => {
        const { group, addedCount, removedCount, memberProblems, warnings } = await work(caller, id);
        return {
          group: toGroupNode(id, group),
          addedCount,
          removedCount,
          memberProblems: memberProblems.map((problem) => toMemberProblem(problem, id)),
          problems: warnings,
        };
      },
      { failure: { group: undefined, addedCount: 0, removedCount: 0, memberProblems: [] }, connectionId },
    );
  }
}

function toMemberProblem({ index, member, error }: MemberProblem, connectionId: ConnectionId): ProblemNode {
  const problem = { refusal: undefined, ...toProblem(error, connectionId) };
  return { ...problem, kind: 'GroupMemberProblem', path: pathOf(index), index, member } as ProblemNode;
}

function toCall(
  connectionId: ConnectionId,
  { group, idempotencyKey }: { group: GroupSelectorInput; idempotencyKey?: string | null },
) {
  return { connectionId, group: toGroupSelector(group), idempotencyKey: idempotencyKey ?? undefined };
}

function toMembersCall(connectionId: ConnectionId, input: GroupMembersInput): MembersCall {
  return { ...toCall(connectionId, input), members: input.members.map(toSelector) };
}

function parseSlackId(decoded: unknown): string | undefined {
  return typeof decoded === 'string' && decoded !== '' ? decoded : undefined;
}

/** By code unit and not by language: it must be the order that the cursors are compared in. */
function bySlackId(left: GroupMember, right: GroupMember): number {
  return left.slackId < right.slackId ? -1 : 1;
}
