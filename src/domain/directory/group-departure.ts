import type { Clock } from '../../shared/clock';
import type { Caller } from '../access/access';
import type { Connection } from '../connections/connection';
import { AppError } from '../errors';
import type { DirectoryAccess } from './directory-access';
import type { GroupSelector } from './group';
import { isNamedBy } from './group-enrollment';
import type { GroupTurns } from './group-turns';
import { GroupWriter } from './group-writer';
import type { ProvisionResult } from './provision-result';
import { type FieldsPlace, pathOf } from './provisioning-problem';
import type { DirectoryUser, GroupReference } from './user';

/** The groups that somebody is in, that are among `leaves`, and that are not among `keeps` by their other name. */
export function groupsToLeave(
  { groups }: DirectoryUser,
  { leaves, keeps }: { leaves: readonly GroupSelector[]; keeps: readonly GroupSelector[] },
): readonly GroupReference[] {
  const isAmong = (group: GroupReference, selectors: readonly GroupSelector[]) =>
    selectors.some((by) => isNamedBy(group, by));
  return groups.filter((group) => isAmong(group, leaves) && !isAmong(group, keeps));
}

/** Takes a person who was just provisioned out of groups. */
export class GroupDeparture {
  constructor(
    private readonly access: DirectoryAccess,
    private readonly turns: GroupTurns,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {}

  /**
   * Costs nothing when the account does not show one of the groups. A group that cannot be left is a problem beside the
   * success. An account that was adopted is left as it is.
   * @param place where the person stands in the input.
   */
  async depart(
    context: { readonly caller: Caller; readonly connection: Connection },
    result: ProvisionResult,
    groups: { leaves: readonly GroupSelector[]; keeps: readonly GroupSelector[] },
    place: FieldsPlace,
  ): Promise<ProvisionResult> {
    if (groups.leaves.length === 0 || result.outcome === 'ADOPTED') return result;
    const left = new Set<string>();
    const problems: AppError[] = [];
    for (const { slackId } of groupsToLeave(result.user, groups)) {
      try {
        await this.leave(context, slackId, result.user.slackId);
        left.add(slackId);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        problems.push(error.at(pathOf(place, 'groups')));
      }
    }
    return {
      ...result,
      user: { ...result.user, groups: result.user.groups.filter(({ slackId }) => !left.has(slackId)) },
      outcome: result.outcome === 'UNCHANGED' && left.size > 0 ? 'UPDATED' : result.outcome,
      warnings: [...result.warnings, ...problems],
    };
  }

  private async leave(
    { caller, connection }: { readonly caller: Caller; readonly connection: Connection },
    slackId: string,
    userSlackId: string,
  ): Promise<void> {
    await this.access.use(caller, connection, (client) => {
      const writer = new GroupWriter(client, caller, this.clock, this.random);
      return this.turns.run(caller, connection, { slackId }, () =>
        writer.changeMembers(slackId, { remove: [userSlackId], add: [] }),
      );
    });
  }
}
