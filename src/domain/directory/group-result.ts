import type { AppError } from '../errors';
import type { DirectoryGroup } from './group';
import type { Outcome } from './idempotency.service';
import { isFinal, isFinalWarning, reviveDate, reviveProblem, type StoredProblem, storeProblem } from './stored-problem';
import type { UserSelector } from './user';

/** What kept one person from becoming, or ceasing to be, a member. */
export interface MemberProblem {
  /** Place in the input; undefined for a member whom the input did not name. */
  readonly index?: number;
  readonly member: UserSelector;
  readonly error: AppError;
}

/** What a write did to a group, and the group after it. */
export interface GroupResult {
  readonly group: DirectoryGroup;
  readonly addedCount: number;
  readonly removedCount: number;
  readonly memberProblems: readonly MemberProblem[];
  /** Things to know about a write that took effect. */
  readonly warnings: readonly AppError[];
}

/** Larger groups are kept without their members, which are read when they are asked for. */
const MOST_MEMBERS_KEPT = 1_000;

/** A problem, and whom it concerns: most often many have the same. */
interface StoredMemberProblem {
  readonly problem: StoredProblem;
  readonly members: readonly { readonly index?: number; readonly member: UserSelector }[];
}

interface StoredGroupOutcome extends Partial<Pick<GroupResult, 'group' | 'addedCount' | 'removedCount'>> {
  readonly memberProblems?: readonly StoredMemberProblem[];
  readonly warnings?: readonly StoredProblem[];
  readonly problem?: StoredProblem;
}

/** @returns undefined when the outcome is not final. */
export function encodeGroupOutcome(outcome: Outcome<GroupResult>): string | undefined {
  if ('error' in outcome) {
    return isFinal(outcome.error) ? stored({ problem: storeProblem(outcome.error) }) : undefined;
  }
  const { group, memberProblems, warnings, ...counts } = outcome.value;
  if (![...warnings, ...memberProblems.map(({ error }) => error)].every(isFinalWarning)) return undefined;
  const { members = [] } = group;
  return stored({
    ...counts,
    group: members.length > MOST_MEMBERS_KEPT ? { ...group, members: undefined, memberCount: members.length } : group,
    memberProblems: gathered(memberProblems),
    warnings: warnings.map(storeProblem),
  });
}

export function decodeGroupOutcome(text: string): Outcome<GroupResult> {
  const { group, addedCount = 0, removedCount = 0, memberProblems = [], warnings = [], problem } = parsed(text);
  if (problem) return { error: reviveProblem(problem) };
  if (!group) throw new Error('A stored outcome has neither a group nor a problem');
  return {
    value: {
      group: { ...group, members: group.members, createdAt: reviveDate(group.createdAt) },
      addedCount,
      removedCount,
      memberProblems: memberProblems.flatMap(({ problem: shared, members }) =>
        members.map(({ index, member }) => ({
          index,
          member,
          error: reviveProblem({ ...shared, path: pathOf(index) }),
        })),
      ),
      warnings: warnings.map(reviveProblem),
    },
  };
}

/** Where a member stands in the input. */
export function pathOf(index: number | undefined): readonly string[] | undefined {
  return index === undefined ? undefined : ['input', 'members', String(index)];
}

function gathered(memberProblems: readonly MemberProblem[]): StoredMemberProblem[] {
  const groups = new Map<string, { problem: StoredProblem; members: { index?: number; member: UserSelector }[] }>();
  for (const { error, index, member } of memberProblems) {
    const problem = { ...storeProblem(error), path: undefined };
    const key = JSON.stringify(problem);
    const known = groups.get(key);
    if (known) known.members.push({ index, member });
    else groups.set(key, { problem, members: [{ index, member }] });
  }
  return [...groups.values()];
}

function stored(outcome: StoredGroupOutcome): string {
  return JSON.stringify(outcome);
}

function parsed(text: string): StoredGroupOutcome {
  return JSON.parse(text) as StoredGroupOutcome;
}
