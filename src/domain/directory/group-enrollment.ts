import type { Clock } from '../../shared/clock';
import type { Caller } from '../access/access';
import type { Connection } from '../connections/connection';
import type { DirectoryClient } from '../directory-ports';
import { AppError } from '../errors';
import type { DirectoryAccess } from './directory-access';
import { type GroupSelector, isSameName } from './group';
import type { GroupJoins } from './group-joins';
import { locateGroup } from './group-lookup';
import { GroupWriter, noSuchGroup } from './group-writer';
import type { ProvisionResult } from './provision-result';
import { type FieldsPlace, pathOf } from './provisioning-problem';
import type { DirectoryUser, GroupReference } from './user';

interface EnrollmentContext {
  readonly caller: Caller;
  readonly connection: Connection;
}

/** Brings a person who was just provisioned into groups. */
export class GroupEnrollment {
  constructor(
    private readonly access: DirectoryAccess,
    private readonly joins: GroupJoins,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {}

  /**
   * Adds the person to those of the groups in which they are not yet, and takes them out of none. A group that cannot be
   * joined is a problem beside the success. An account that was adopted is left as it is, in this, too.
   * @param place where the person stands in the input.
   */
  async enroll(
    context: EnrollmentContext,
    result: ProvisionResult,
    groups: readonly GroupSelector[],
    place: FieldsPlace,
  ): Promise<ProvisionResult> {
    if (groups.length === 0 || result.outcome === 'ADOPTED') return result;
    const joined: GroupReference[] = [];
    const problems: AppError[] = [];
    for (const [index, by] of groups.entries()) {
      if (holds(result.user, by) || joined.some((group) => isNamedBy(group, by))) continue;
      try {
        // In its own right, so that what the failure says about the connection is noted although it is not thrown.
        joined.push(
          await this.access.use(context.caller, context.connection, (client) =>
            this.join(context, client, result.user.slackId, by),
          ),
        );
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        problems.push(error.at(pathOf(place, 'groups', index)));
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
    context: EnrollmentContext,
    client: DirectoryClient,
    userSlackId: string,
    by: GroupSelector,
  ): Promise<GroupReference> {
    const { caller } = context;
    const group: GroupReference | undefined =
      'slackId' in by ? by : await locateGroup(client, caller, by, { withMembers: false });
    if (!group) throw noSuchGroup();
    const { slackId, name } = group;
    const writer = new GroupWriter(client, caller, this.clock, this.random);
    await this.joins.join(context, slackId, userSlackId, (add) => writer.changeMembers(slackId, { remove: [], add }));
    return { slackId, name };
  }
}

/** Whether the account shows that the person is in the group. */
export function holds({ groups }: DirectoryUser, by: GroupSelector): boolean {
  return groups.some((group) => isNamedBy(group, by));
}

/** Whether the selector means this group, as far as the account shows id and name. */
export function isNamedBy(group: GroupReference, by: GroupSelector): boolean {
  return 'slackId' in by ? group.slackId === by.slackId : isSameName(group.name ?? '', by.name);
}
