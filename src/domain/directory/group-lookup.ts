import type { Caller } from '../access/access';
import type { DirectoryClient } from '../directory-ports';
import { type DirectoryGroup, type GroupSelector, isSameName } from './group';
import { AmbiguousGroup } from './group-problem';

/**
 * Finds one group, by Slack's id directly, otherwise by its name.
 * @returns undefined when there is none; by name its members may be undefined.
 * @throws AmbiguousGroup
 */
export async function locateGroup(
  client: DirectoryClient,
  caller: Caller,
  by: GroupSelector,
  { withMembers, path }: { withMembers: boolean; path?: readonly string[] },
): Promise<DirectoryGroup | undefined> {
  if ('slackId' in by) return client.getGroup(by.slackId, { withMembers }, caller);
  const named = groupOfName(await client.findGroups(by.name, caller), by.name, path);
  if (!named || !withMembers || named.members !== undefined) return named;
  return client.getGroup(named.slackId, { withMembers }, caller);
}

/** Of several groups the one that is spelled in the same way counts. @throws AmbiguousGroup */
export function groupOfName(
  groups: readonly DirectoryGroup[],
  name: string,
  path?: readonly string[],
): DirectoryGroup | undefined {
  const alike = groups.filter((group) => isSameName(group.name, name));
  const exact = alike.filter((group) => group.name.trim() === name.trim());
  const candidates = exact.length > 0 ? exact : alike;
  if (candidates.length > 1) throw new AmbiguousGroup(candidates, { path });
  return candidates[0];
}
