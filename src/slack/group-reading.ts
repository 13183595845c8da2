import type { DirectoryGroup, GroupMember } from '../domain/directory/group';
import { instantIn, isObject, listIn, objectIn, textIn } from './wire';

/**
 * A SCIM group in our words.
 * @param options.withMembers whether members were asked for: then a group without the attribute has none.
 * @returns undefined when the value is no group.
 */
export function readGroup(value: unknown, { withMembers }: { withMembers: boolean }): DirectoryGroup | undefined {
  const slackId = textIn(value, 'id');
  if (slackId === undefined) return undefined;
  const showsMembers = isObject(value) && value.members !== undefined && value.members !== null;
  return {
    slackId,
    name: textIn(value, 'displayName') ?? '',
    members: withMembers || showsMembers ? readMembers(value) : undefined,
    createdAt: instantIn(objectIn(value, 'meta'), 'created'),
  };
}

/** Each once, in the order in which they came. A standard server may hold groups in groups: those are no people. */
function readMembers(value: unknown): GroupMember[] {
  const members = new Map<string, GroupMember>();
  for (const entry of listIn(value, 'members')) {
    const slackId = textIn(entry, 'value');
    const isGroup = textIn(entry, 'type')?.toLowerCase() === 'group';
    if (slackId === undefined || isGroup) continue;
    members.set(slackId, { slackId, name: textIn(entry, 'display') });
  }
  return [...members.values()];
}
