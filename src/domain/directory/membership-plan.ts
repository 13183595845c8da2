import type { MembershipChange } from '../directory-ports';
import { MEMBERS_PER_CALL } from './group';

/** Who has to leave a group and who has to come, each once. */
export interface MembershipDifference {
  readonly remove: readonly string[];
  readonly add: readonly string[];
}

export function membershipDifference(current: Iterable<string>, wanted: Iterable<string>): MembershipDifference {
  const [held, goal] = [new Set(current), new Set(wanted)];
  return {
    remove: [...held].filter((id) => !goal.has(id)),
    add: [...goal].filter((id) => !held.has(id)),
  };
}

/**
 * The least calls that make a difference. In whatever order they arrive the group ends up the same, since nobody is named
 * in two of them; removals are put first, so that they make room in a group at its limit.
 * @param options.current when given, everybody may be replaced at once where that takes fewer calls.
 */
export function membershipCalls(
  { remove, add }: MembershipDifference,
  { current, perCall = MEMBERS_PER_CALL }: { current?: readonly string[]; perCall?: number } = {},
): MembershipChange[] {
  const count = remove.length + add.length;
  if (current !== undefined && count > perCall) {
    const gone = new Set(remove);
    const replaceWith = [...current.filter((id) => !gone.has(id)), ...add];
    if (replaceWith.length <= perCall) return [{ replaceWith }];
  }
  const calls: MembershipChange[] = [];
  for (let start = 0; start < count; start += perCall) {
    const end = start + perCall;
    calls.push({
      remove: remove.slice(start, end),
      add: add.slice(Math.max(0, start - remove.length), Math.max(0, end - remove.length)),
    });
  }
  return calls;
}
