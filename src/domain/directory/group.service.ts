import type { Clock } from '../../shared/clock';
import { assertAllowed, type Caller } from '../access/access';
import type { Connection, ConnectionId } from '../connections/connection';
import type { DirectoryClient } from '../directory-ports';
import { GroupLimit, InvalidInput } from '../errors';
import type { DirectoryAccess } from './directory-access';
import { type DirectoryGroup, type GroupSelector, isSameName, LARGEST_USER_GROUP, MEMBERS_PER_CALL } from './group';
import { parseGroupName, parseGroupSelector, parseMembers } from './group-input';
import { groupOfName, locateGroup } from './group-lookup';
import { GroupMembersRefused, GroupNameTaken } from './group-problem';
import { decodeGroupOutcome, encodeGroupOutcome, type GroupResult } from './group-result';
import type { GroupTurns } from './group-turns';
import { type CreatedGroup, GroupWriter, noSuchGroup } from './group-writer';
import type { IdempotencyService, IdempotentRun, Outcome } from './idempotency.service';
import { type MemberList, namedMembers, resultOf } from './member-list';
import { type MembershipDifference, membershipDifference } from './membership-plan';
import { MembershipWriter } from './membership-writer';
import { PeopleLookup } from './people-lookup';
import { isFinal, reviveProblem, type StoredProblem, storeProblem } from './stored-problem';
import type { UserSelector } from './user';

export interface GroupCall {
  readonly connectionId: ConnectionId;
  readonly group: GroupSelector;
  readonly idempotencyKey?: string;
  /** In place of a key, for whoever keeps the outcome with something of his own. */
  readonly run?: IdempotentRun;
}

export type MembersCall = GroupCall & { readonly members: readonly UserSelector[] };

interface WriteContext {
  readonly caller: Caller;
  readonly connection: Connection;
  readonly client: DirectoryClient;
  readonly writer: GroupWriter;
  readonly people: PeopleLookup;
}

interface OnceCall<T> {
  readonly connectionId: ConnectionId;
  readonly idempotencyKey?: string;
  readonly run?: IdempotentRun;
  readonly action: string;
  readonly input: unknown;
  /** Whose turn is waited for before anything is read. */
  readonly turn: GroupSelector;
  encode(outcome: Outcome<T>): string | undefined;
  decode(stored: string): Outcome<T>;
}

/** Noted before a creation leaves, so that whoever takes the call over knows that a group it finds may be its own. */
const CREATION_SENT = 'creation-sent';
const NOTHING_SENT = 'nothing-sent';
/** Noted, with Slack's id, before a group gets another name or is deleted, after which it would not be found again. */
const SENT_TO = 'sent-to ';

const groupPath = ['input', 'group'];
const namePath = ['input', 'name'];
const kept = { encode: encodeGroupOutcome, decode: decodeGroupOutcome };

/** Creates, renames and deletes groups and changes their members. Writes on one group go one after the other. */
export class GroupService {
  constructor(
    private readonly access: DirectoryAccess,
    private readonly idempotency: IdempotencyService,
    private readonly turns: GroupTurns,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {}

  /** @throws InvalidInput, GroupNameTaken, GroupLimit, UpstreamOutcomeUnknown, and what DirectoryAccess.use throws */
  async create(
    caller: Caller,
    input: {
      connectionId: ConnectionId;
      name: string;
      members: readonly UserSelector[];
      idempotencyKey?: string;
    },
  ): Promise<GroupResult> {
    assertAllowed(caller, 'users:write');
    const name = parseGroupName(input.name, namePath);
    const members = parseMembers(input.members, ['input', 'members']);
    const call = { ...input, ...kept, action: 'createGroup', input: { name, members }, turn: { name } };
    return this.once(caller, call, async (context, run) => {
      const mayBeOurs = run.progress === CREATION_SENT;
      const namesakes = await context.client.findGroups(name, caller);
      const [namesake] = namesakes;
      if (namesake && !mayBeOurs) throw new GroupNameTaken(namesake, { path: namePath });
      const list = await namedMembers(context.people, members);
      const fit = list.fit([]);
      assertRoom(context.connection, fit.length, 0);
      const own = mayBeOurs ? groupOfName(namesakes, name, namePath) : undefined;
      const created = own
        ? { group: await context.writer.read(own.slackId, { withMembers: true }), isFound: true }
        : await this.createNew(context, run, name, fit);
      return this.complete(context, created, list);
    });
  }

  /** @throws InvalidInput, NotFound, AmbiguousGroup, GroupNameTaken, ProtectedGroup, and as `create` */
  async rename(caller: Caller, input: GroupCall & { readonly name: string }): Promise<GroupResult> {
    assertAllowed(caller, 'users:write');
    const name = parseGroupName(input.name, namePath);
    const group = parseGroupSelector(input.group, groupPath);
    const call = { ...input, ...kept, action: 'renameGroup', input: { group, name }, turn: group };
    return this.once(caller, call, async (context, run) => {
      const work = async (found: DirectoryGroup): Promise<GroupResult> => {
        if (found.name !== name) {
          if (!isSameName(found.name, name)) await assertNameFree(context, name);
          await run.saveProgress(SENT_TO + found.slackId);
          await context.writer.rename(found.slackId, name);
        }
        return { group: { ...found, name }, addedCount: 0, removedCount: 0, memberProblems: [], warnings: [] };
      };
      return this.onGroup(context, group, work, sentToOf(run));
    });
  }

  /** Those who are members already stay. @throws as `rename`, and GroupLimit */
  addMembers(caller: Caller, input: MembersCall): Promise<GroupResult> {
    return this.changeMembers(caller, input, 'addGroupMembers', (current, list) => ({
      remove: [],
      add: list.fit(current),
    }));
  }

  /** Those who are no members stay out. */
  removeMembers(caller: Caller, input: MembersCall): Promise<GroupResult> {
    return this.changeMembers(caller, input, 'removeGroupMembers', (current, list) => ({
      remove: current.filter((slackId) => list.names(slackId)),
      add: [],
    }));
  }

  /** Members whom the call does not name leave. A name that nobody bears is a problem of its own, and the rest goes on. */
  setMembers(caller: Caller, input: MembersCall): Promise<GroupResult> {
    return this.changeMembers(caller, input, 'setGroupMembers', (current, list) => {
      const stay = current.filter((slackId) => list.names(slackId));
      return membershipDifference(current, [...stay, ...list.fit(current)]);
    });
  }

  /** @throws InvalidInput, NotFound, AmbiguousGroup, GroupLinkedToChannels, ProtectedGroup, and as `create` */
  async delete(caller: Caller, input: GroupCall): Promise<{ readonly slackId: string }> {
    assertAllowed(caller, 'users:write');
    const group = parseGroupSelector(input.group, groupPath);
    const call = { ...input, ...keptDeletion, action: 'deleteGroup', input: { group }, turn: group };
    return this.once(caller, call, async (context, run) => {
      const { client, writer, connection } = context;
      const sentTo = sentToOf(run);
      const slackId =
        sentTo ?? (await locateGroup(client, caller, group, { withMembers: false, path: groupPath }))?.slackId;
      if (slackId === undefined) throw noSuchGroup(groupPath);
      const work = async () => {
        await run.saveProgress(SENT_TO + slackId);
        await writer.delete(slackId, { mayBeDone: sentTo !== undefined });
        return { slackId };
      };
      return 'slackId' in group ? work() : this.turns.run(caller, connection, { slackId }, work);
    });
  }

  private async changeMembers(
    caller: Caller,
    input: MembersCall,
    action: string,
    differenceOf: (current: readonly string[], list: MemberList) => MembershipDifference,
  ): Promise<GroupResult> {
    assertAllowed(caller, 'users:write');
    const group = parseGroupSelector(input.group, groupPath);
    const members = parseMembers(input.members, ['input', 'members']);
    const call = { ...input, ...kept, action, input: { group, members }, turn: group };
    return this.once(caller, call, (context) =>
      this.onGroup(context, group, async (found) => {
        const list = await namedMembers(context.people, members);
        const current = (found.members ?? []).map(({ slackId }) => slackId);
        const difference = differenceOf(current, list);
        const { add, remove } = difference;
        assertRoom(context.connection, current.length - remove.length + add.length, current.length);
        const outcome = await new MembershipWriter(context.writer, context.people).apply(found.slackId, difference, {
          current: action === 'setGroupMembers' ? current : undefined,
        });
        const isAbout = action === 'removeGroupMembers' ? undefined : current;
        return resultOf(found, outcome, list, isAbout);
      }),
    );
  }

  private async createNew(
    { writer }: WriteContext,
    run: IdempotentRun,
    name: string,
    memberSlackIds: readonly string[],
  ): Promise<CreatedGroup> {
    await run.saveProgress(CREATION_SENT);
    try {
      return await writer.create(name, memberSlackIds.slice(0, MEMBERS_PER_CALL));
    } catch (error) {
      const isAboutMembers = error instanceof GroupMembersRefused || error instanceof InvalidInput;
      // The members are tried one by one afterwards.
      if (isAboutMembers && memberSlackIds.length > 0) return await writer.create(name, []);
      if (!writer.mayHaveCreated) await run.saveProgress(NOTHING_SENT);
      throw error;
    }
  }

  /** Adds who is still missing in a new group. An answer that does not show somebody yet is no reason to add them again. */
  private async complete(
    { writer, people }: WriteContext,
    { group, isFound, sentSlackIds = [] }: CreatedGroup,
    list: MemberList,
  ): Promise<GroupResult> {
    const shown = (group.members ?? []).map(({ slackId }) => slackId);
    const current = [...new Set(isFound ? shown : [...shown, ...sentSlackIds])];
    const outcome = await new MembershipWriter(writer, people).apply(group.slackId, {
      remove: [],
      add: list.fit(current),
    });
    const added = new Set([...current, ...outcome.added]);
    return resultOf(group, { ...outcome, added }, list, []);
  }

  /** @param renamedId of the group that an interrupted run of this call may have given another name. */
  private async onGroup<T>(
    { caller, connection, client }: WriteContext,
    by: GroupSelector,
    work: (group: DirectoryGroup) => Promise<T>,
    renamedId?: string,
  ): Promise<T> {
    const target = renamedId === undefined ? by : { slackId: renamedId };
    const group = await locateGroup(client, caller, target, { withMembers: true, path: groupPath });
    if (!group) throw noSuchGroup(groupPath);
    if ('slackId' in by) return work(group);
    const mayHaveChanged = this.turns.isHeld(connection, group);
    return this.turns.run(caller, connection, { slackId: group.slackId }, async () => {
      if (!mayHaveChanged) return work(group);
      const again = await client.getGroup(group.slackId, { withMembers: true }, caller);
      if (!again) throw noSuchGroup(groupPath);
      return work(again);
    });
  }

  private async once<T>(
    caller: Caller,
    { connectionId, idempotencyKey, run: ownRun, action, input, turn, encode, decode }: OnceCall<T>,
    work: (context: WriteContext, run: IdempotentRun) => Promise<T>,
  ): Promise<T> {
    const connection = await this.access.find(caller, connectionId, 'users:write');
    return this.idempotency.run(caller, {
      connectionId: connection.id,
      action,
      key: idempotencyKey,
      ownRun,
      input,
      encode,
      decode,
      inTurn: (run) => this.turns.run(caller, connection, turn, run),
      work: (run) =>
        this.access.use(caller, connection, (client) => {
          const writer = new GroupWriter(client, caller, this.clock, this.random);
          return work({ caller, connection, client, writer, people: new PeopleLookup(client, caller) }, run);
        }),
    });
  }
}

const keptDeletion = {
  encode(outcome: Outcome<{ readonly slackId: string }>): string | undefined {
    if ('value' in outcome) return JSON.stringify(outcome.value);
    return isFinal(outcome.error) ? JSON.stringify({ problem: storeProblem(outcome.error) }) : undefined;
  },
  decode(stored: string): Outcome<{ readonly slackId: string }> {
    const { slackId = '', problem } = JSON.parse(stored) as { slackId?: string; problem?: StoredProblem };
    return problem ? { error: reviveProblem(problem) } : { value: { slackId } };
  },
};

function sentToOf({ progress }: IdempotentRun): string | undefined {
  return progress?.startsWith(SENT_TO) ? progress.slice(SENT_TO.length) : undefined;
}

/** Slack documents a maximum for the user groups of a workspace, and only a recommended size for those of organizations. */
function assertRoom({ installLevel }: Connection, size: number, current: number): void {
  if (installLevel !== 'WORKSPACE' || size <= LARGEST_USER_GROUP || size <= current) return;
  throw new GroupLimit(
    `The group would have ${size} members; Slack allows ${LARGEST_USER_GROUP}. Nothing was changed.`,
    {
      path: ['input', 'members'],
      remedy: 'Split the people into several groups.',
    },
  );
}

async function assertNameFree({ client, caller }: WriteContext, name: string): Promise<void> {
  const [namesake] = await client.findGroups(name, caller);
  if (namesake) throw new GroupNameTaken(namesake, { path: namePath });
}
