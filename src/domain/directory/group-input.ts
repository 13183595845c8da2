import { InvalidInput } from '../errors';
import { parseLabel } from '../label';
import type { GroupSelector } from './group';
import type { UserSelector } from './user';

const LONGEST_NAME = 255;
/** Slack's largest group; a longer list is a mistake. */
const MOST_MEMBERS = 15_000;
/** Each is a call to Slack. */
const MOST_GROUPS = 50;

/** @throws InvalidInput */
export function parseGroupName(name: string, path: readonly string[]): string {
  const parsed = parseLabel(name, { what: "A group's name", longest: LONGEST_NAME, path });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (!/[\u0000-\u001f\u007f]/.test(parsed)) return parsed;
  throw new InvalidInput('This text contains control characters.', { path, remedy: 'Remove line breaks and tabs.' });
}

/** @throws InvalidInput */
export function parseGroupSelector(by: GroupSelector, path: readonly string[]): GroupSelector {
  const [kind, value] = Object.entries(by)[0] ?? ['', ''];
  if (String(value).trim() !== '') return by;
  throw new InvalidInput(`A group is not named by a blank ${kind}.`, { path: [...path, kind] });
}

/** The groups that one person joins. @throws InvalidInput */
export function parseGroups(groups: readonly GroupSelector[], path: readonly string[]): readonly GroupSelector[] {
  if (groups.length > MOST_GROUPS) {
    throw new InvalidInput(`One call takes a person into at most ${MOST_GROUPS} groups.`, { path });
  }
  return groups.map((by, index) => parseGroupSelector(by, [...path, String(index)]));
}

/** @throws InvalidInput */
export function parseMembers(members: readonly UserSelector[], path: readonly string[]): readonly UserSelector[] {
  if (members.length > MOST_MEMBERS) {
    throw new InvalidInput(`One call takes at most ${MOST_MEMBERS} members.`, { path });
  }
  members.forEach((member, index) => {
    const [kind = '', value] = Object.entries(member)[0] ?? [];
    if (String(value ?? '').trim() !== '') return;
    throw new InvalidInput('A person is not named by a blank.', { path: [...path, String(index), kind] });
  });
  return members;
}
