import type { DirectoryGroup, GroupMember } from './group';
import { GroupMembersIncomplete, GroupMembersRefused } from './group-problem';
import { type GroupResult, type MemberProblem, pathOf } from './group-result';
import { type MembershipOutcome, refusalOf } from './membership-writer';
import type { NamedPerson, PeopleLookup } from './people-lookup';
import type { DirectoryUser, UserSelector } from './user';

/** The people whom a call names, found in Slack. */
export class MemberList {
  readonly #indexes = new Map<string, number[]>();
  readonly #users = new Map<string, DirectoryUser>();

  constructor(
    private readonly selectors: readonly UserSelector[],
    private readonly people: readonly (NamedPerson | undefined)[],
  ) {
    for (const [index, person] of people.entries()) {
      if (!person) continue;
      this.#indexes.set(person.slackId, [...(this.#indexes.get(person.slackId) ?? []), index]);
      if (person.user) this.#users.set(person.slackId, person.user);
    }
  }

  names(slackId: string): boolean {
    return this.#indexes.has(slackId);
  }

  /** Who may come to those who are there; of some it is known beforehand that Slack refuses them. */
  fit(current: readonly string[]): string[] {
    const held = new Set(current);
    return [...this.#indexes.keys()].filter((slackId) => !held.has(slackId) && this.refusal(slackId) === undefined);
  }

  /** @param current when given, people who are no members and cannot be, are problems, too. */
  problems(failed: MembershipOutcome['failed'], current: readonly string[] | undefined): MemberProblem[] {
    const held = new Set(current);
    const named = this.people.flatMap((person, index): MemberProblem[] => {
      const member = this.selectors[index];
      if (!member) return [];
      const error = person ? failed.get(person.slackId) : new GroupMembersRefused('UNKNOWN', { path: pathOf(index) });
      if (error) return [{ index, member, error }];
      const reason = current && person && !held.has(person.slackId) ? this.refusal(person.slackId) : undefined;
      if (reason === undefined) return [];
      return [{ index, member, error: new GroupMembersRefused(reason, { path: pathOf(index) }) }];
    });
    const others = [...failed].filter(([slackId]) => !this.names(slackId));
    return [...named, ...others.map(([slackId, error]) => ({ member: { slackId }, error }))];
  }

  memberOf(slackId: string): GroupMember {
    const user = this.#users.get(slackId);
    return { slackId, name: user?.displayName ?? user?.userName };
  }

  /** undefined for somebody named by Slack's id, who was not looked at. */
  private refusal(slackId: string) {
    const user = this.#users.get(slackId);
    return user && refusalOf(user);
  }
}

export async function namedMembers(people: PeopleLookup, selectors: readonly UserSelector[]): Promise<MemberList> {
  return new MemberList(selectors, await people.resolve(selectors));
}

/**
 * The group after a change, worked out from what it was: reads lag behind writes.
 * @param current see MemberList.problems
 */
export function resultOf(
  group: DirectoryGroup,
  { added, removed, failed }: MembershipOutcome,
  list: MemberList,
  current: readonly string[] | undefined,
): GroupResult {
  const before = (group.members ?? []).filter(({ slackId }) => !removed.has(slackId));
  const known = new Set(before.map(({ slackId }) => slackId));
  const newcomers = [...added].filter((slackId) => !known.has(slackId)).map((slackId) => list.memberOf(slackId));
  const memberProblems = list.problems(failed, current);
  return {
    group: { ...group, members: [...before, ...newcomers] },
    addedCount: added.size,
    removedCount: removed.size,
    memberProblems,
    warnings: memberProblems.length === 0 ? [] : [incomplete(memberProblems)],
  };
}

function incomplete(memberProblems: readonly MemberProblem[]): GroupMembersIncomplete {
  const count = memberProblems.length;
  const people = count === 1 ? 'One person' : `${count} people`;
  return new GroupMembersIncomplete(`${people} could not be changed as asked; everybody else was.`, {
    path: ['input', 'members'],
    retryable: memberProblems.some(({ error }) => error.retryable),
    remedy: 'See memberProblems for who and why.',
  });
}
