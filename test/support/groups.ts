import type { Simulator } from '../../src/simulator/simulator';
import type { Group } from '../../src/simulator/world/group';
import type { OrganizationKey } from '../../src/simulator/world/organization';
import { mutate, type ProblemAnswer } from './operations';
import type { TestApp } from './start-app';

export interface GroupAnswer {
  readonly id: string;
  readonly slackId: string;
  readonly name: string;
  readonly memberCount: number;
  readonly members: { readonly nodes: readonly { readonly slackId: string; readonly name: string | null }[] };
}

export interface MemberProblemAnswer extends ProblemAnswer {
  readonly index: number | null;
  readonly refusal: string | null;
  readonly member: { readonly slackId: string | null; readonly email: string | null; readonly userName: string | null };
}

export interface GroupPayloadAnswer {
  readonly group: GroupAnswer | null;
  readonly addedCount: number;
  readonly removedCount: number;
  readonly memberProblems: readonly MemberProblemAnswer[];
  readonly problems: readonly (ProblemAnswer & {
    readonly existingGroup?: { readonly slackId: string } | null;
    readonly candidates?: readonly { readonly slackId: string }[];
  })[];
  readonly requestId: string;
}

export const groupFields = 'id slackId name memberCount members(first: 100) { nodes { slackId name } }';

export type GroupMutation =
  | 'createGroup'
  | 'renameGroup'
  | 'addGroupMembers'
  | 'removeGroupMembers'
  | 'setGroupMembers';

const inputTypes: Readonly<Record<GroupMutation, string>> = {
  createGroup: 'CreateGroupInput',
  renameGroup: 'RenameGroupInput',
  addGroupMembers: 'GroupMembersInput',
  removeGroupMembers: 'GroupMembersInput',
  setGroupMembers: 'GroupMembersInput',
};

/** Runs a mutation on a group and answers the group with up to 100 members. */
export function changeGroup(
  app: TestApp,
  name: GroupMutation,
  input: object,
  options?: { key?: string | null },
): Promise<GroupPayloadAnswer> {
  const selection = `group { ${groupFields} } addedCount removedCount
    memberProblems { code message path retryable remedy index refusal member { slackId email userName } }`;
  return mutate<GroupPayloadAnswer>(app, name, inputTypes[name], selection, input, options);
}

export interface DeletedGroupAnswer {
  readonly deletedId: string | null;
  readonly problems: readonly ProblemAnswer[];
}

export function deleteGroup(app: TestApp, input: object): Promise<DeletedGroupAnswer> {
  return mutate<DeletedGroupAnswer>(app, 'deleteGroup', 'GroupActionInput', 'deletedId', input);
}

export function groupsOf(simulator: Simulator, organization: OrganizationKey = 'business'): Group[] {
  return [...simulator.world.organization(organization).groups.values()];
}

export function groupsNamed(simulator: Simulator, name: string, organization?: OrganizationKey): Group[] {
  return groupsOf(simulator, organization).filter(({ displayName }) => displayName === name);
}

/** Ids of the members of the one group of this name, sorted. */
export function membersNamed(simulator: Simulator, name: string, organization?: OrganizationKey): string[] {
  const [group, ...others] = groupsNamed(simulator, name, organization);
  if (!group || others.length > 0) throw new Error(`There is not one group called ${name}`);
  return [...group.members].sort();
}
