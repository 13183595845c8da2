import type { Clock } from '../../shared/clock';
import type { Caller } from '../access/access';
import type { Connection } from '../connections/connection';
import type { DirectoryClient } from '../directory-ports';
import { AppError } from '../errors';
import { type GroupSelector, isSameName } from './group';
import { locateGroup } from './group-lookup';
import type { GroupTurns } from './group-turns';
import { GroupWriter, noSuchGroup } from './group-writer';
import type { ProvisionResult } from './provision-result';
import type { DirectoryUser, GroupReference } from './user';

interface EnrollmentContext {
  readonly caller: Caller;
  readonly connection: Connection;
  readonly client: DirectoryClient;
}

/** Brings a person who was just provisioned into groups. */
export class GroupEnrollment {
  constructor(
    private readonly turns: GroupTurns,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {}

  /**
   * Adds the person to those of the groups in which they are not yet, and takes them out of none. A group that cannot be
   * joined is a problem beside the success. An account that was adopted is left as it is, in this, too.
   * @param path where the groups stand in the input.
   */
  async enroll(
    context: EnrollmentContext,
    result: ProvisionResult,
    groups: readonly GroupSelector[],
    path: readonly string[],
  ): Promise<ProvisionResult> {
    if (groups.length === 0 || result.outcome === 'ADOPTED') return result;
    const joined: GroupReference[] = [];
    const problems: AppError[] = [];
    for (const [index, by] of groups.entries()) {
      if (holds(result.user, by) || joined.some((group) => isNamedBy(group, by))) continue;
      try {
        joined.push(await this.join(context, result.user.slackId, by));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        problems.push(error.at([...path, String(index)]));
      }
    }
    return {
      ...result,
      user: { ...result.user, groups: [...result.user.groups, ...joined] },
      outcome: result.outcome === 'UNCHANGED' && joined.length > 0 ? 'UPDATED' : result.outcome,
      warnings: [...result.warnings, ...problems],
    };
  }

  /** The members are not read for it: to add somebody who is there already changes nothing. */
  private async join(
    { caller, connection, client }: EnrollmentContext,
    userSlackId: string,
    by: GroupSelector,
  ): Promise<GroupReference> {
    const group: GroupReference | undefined =
      'slackId' in by ? by : await locateGroup(client, caller, by, { withMembers: false });
    if (!group) throw noSuchGroup();
    const { slackId, name } = group;
    const writer = new GroupWriter(client, caller, this.clock, this.random);
    await this.turns.run(caller, connection, { slackId }, () =>
      writer.changeMembers(slackId, { remove: [], add: [userSlackId] }),
    );
    return { slackId, name };
  }
}

function holds({ groups }: DirectoryUser, by: GroupSelector): boolean {
  return groups.some((group) => isNamedBy(group, by));
}

function isNamedBy(group: GroupReference, by: GroupSelector): boolean {
  return 'slackId' in by ? group.slackId === by.slackId : isSameName(group.name ?? '', by.name);
}
