import type { Answer } from '../call';
import { pacificTimestamp } from '../clock';
import type { Group } from '../world/group';
import { matchesGroup, parseFilter } from './filter';
import { listResource, parsePage } from './page';
import { type PatchOperation, parseOperations } from './patch-operation';
import { groupResource } from './resource';
import { ScimError } from './scim-error';
import { createdAnswer, parseBody, type ScimRequest } from './scim-request';
import { isObject, type JsonObject, parseEntries, parseText } from './value';

/** A group as a write wants it; kept only when every part of the request has been accepted. */
interface GroupDraft {
  displayName: string;
  members: Set<string>;
}

const knownAttributes: ReadonlySet<string> = new Set(['schemas', 'id', 'externalId', 'meta', 'displayName', 'members']);

/** One page of groups, members included (SCIM §3, documented). */
export function listGroups(request: ScimRequest): Answer {
  const { context, call, organization } = request;
  const page = parsePage(call.query);
  const text = call.query.get('filter');
  const filter = text === null ? null : parseFilter(text, 'groups', context.switches);
  const groups = [...organization.groups.values()].filter((group) => !filter || matchesGroup(filter, group));
  const body = listResource(groups, page, (group) => shownGroup(request, group), call.lies);
  return { status: 200, body };
}

export function getGroup(request: ScimRequest, id: string): Answer {
  return { status: 200, body: shownGroup(request, findGroup(request, id)) };
}

/** As a read shows it. */
function shownGroup({ context, call, organization, base }: ScimRequest, group: Group): object {
  const excluded = call.query.get('excludedAttributes')?.split(',') ?? [];
  const withMembers = !(context.switches.excludedAttributesHeeded && excluded.includes('members'));
  return groupResource(organization, group, base, { withMembers });
}

/** Names are not unique: a repeated POST makes a second group. */
export function createGroup(request: ScimRequest): Answer {
  const { context, call, organization, base } = request;
  const body = parseBody(call);
  const draft: GroupDraft = { displayName: '', members: new Set() };
  readGroupBody(request, draft, body);
  const now = context.clock.now();
  const delayMs = context.switches.groupReadDelayMs;
  const group: Group = {
    id: context.world.nextId('S'),
    displayName: draft.displayName,
    members: draft.members,
    created: pacificTimestamp(now),
    isAutomatic: false,
    isLinkedToChannels: false,
    earlier: delayMs > 0 ? { displayName: draft.displayName, members: [], until: now + delayMs } : null,
  };
  organization.addGroup(group);
  return createdAnswer(request, 'groups', `${base}/Groups/${group.id}`, groupResource(organization, group, base));
}

/** PUT without members empties the group (SCIM §5, documented). */
export function replaceGroup(request: ScimRequest, id: string): Answer {
  const body = parseBody(request.call);
  const group = changeableGroup(request, id);
  const draft: GroupDraft = { displayName: group.displayName, members: new Set() };
  readGroupBody(request, draft, body, group.members);
  commit(request, group, draft);
  return getGroup(request, id);
}

/** 200 with the group as the docs show, or 204 under a switch (SCIM §0.4). */
export function patchGroup(request: ScimRequest, id: string): Answer {
  const body = parseBody(request.call);
  const group = changeableGroup(request, id);
  const draft: GroupDraft = { displayName: group.displayName, members: new Set(group.members) };
  let named = 0;
  for (const operation of parseOperations(body)) named += applyOperation(request, draft, operation);
  assertCallSize(request, named);
  commit(request, group, draft);
  return request.context.switches.groupPatchStatus === 204 ? { status: 204 } : getGroup(request, id);
}

/** For good; a second time there is no such group (SCIM §5 documented, §13.13 assumed). */
export function deleteGroup(request: ScimRequest, id: string): Answer {
  const group = changeableGroup(request, id);
  if (group.isLinkedToChannels) throw new ScimError('idp_group_linked_to_channels');
  request.organization.removeGroup(group);
  return { status: 204 };
}

function readGroupBody(
  request: ScimRequest,
  draft: GroupDraft,
  body: JsonObject,
  kept: ReadonlySet<string> = new Set(),
): void {
  const unknown = Object.keys(body).find((name) => !knownAttributes.has(name));
  if (unknown !== undefined && request.context.switches.unknownAttributes === 'refuse') {
    throw new ScimError('invalid_request_payload', unknown);
  }
  draft.displayName = parseGroupName(body.displayName);
  const ids = body.members === undefined ? [] : memberIds(body.members);
  assertCallSize(request, ids.length);
  for (const id of ids) addMember(request, draft, id, kept);
  assertGroupSize(request, draft);
}

function commit({ context, organization }: ScimRequest, group: Group, draft: GroupDraft): void {
  const delayMs = context.switches.groupReadDelayMs;
  organization.changeGroup(group, draft, delayMs > 0 ? context.clock.now() + delayMs : null);
}

/** @returns how many members the operation names, for the limit of a call. */
function applyOperation(request: ScimRequest, draft: GroupDraft, { op, path, value }: PatchOperation): number {
  if (path.urn !== null || path.sub !== null) throw new ScimError('invalid_request_payload', 'path');
  if (path.attribute === 'displayName' && op !== 'remove' && !path.filter) {
    draft.displayName = parseGroupName(value);
    return 0;
  }
  if (path.attribute !== 'members') throw new ScimError('invalid_request_payload', path.attribute);
  if (path.filter) {
    // `members[value eq U…]`, quoted or not (SCIM §6.4, documented and reported).
    if (op !== 'remove' || path.filter.attribute !== 'value') throw new ScimError('invalid_request_payload', 'path');
    draft.members.delete(String(path.filter.value));
    return 1;
  }
  if (op === 'remove') return removeMembers(draft, value);
  const ids = memberIds(value);
  const kept = new Set(draft.members);
  if (op === 'replace') draft.members.clear();
  for (const id of ids) addMember(request, draft, id, kept);
  assertGroupSize(request, draft);
  return ids.length;
}

/** Without a value the group is emptied, with a list just those leave (SCIM §6.4, documented). */
function removeMembers(draft: GroupDraft, value: unknown): number {
  if (value === undefined || value === null) {
    draft.members.clear();
    return 0;
  }
  const ids = memberIds(value);
  for (const id of ids) draft.members.delete(id);
  return ids.length;
}

function memberIds(value: unknown): string[] {
  return parseEntries(isObject(value) ? [value] : value, 'members').map(({ value: id }) => {
    if (typeof id !== 'string' || id === '') throw new ScimError('invalid_attribute_format', 'members');
    return id;
  });
}

/** Regular users and multi-channel guests (SCIM §5, documented); deactivated people, single-channel guests and bots are refused (assumed). */
function addMember({ organization }: ScimRequest, draft: GroupDraft, id: string, kept: ReadonlySet<string>): void {
  const person = organization.people.get(id);
  if (!person) throw new ScimError('no_such_group_members', `user=${id}`);
  const isFit = person.active && person.rank !== 'bot' && person.guest?.type !== 'single';
  if (!isFit && !kept.has(id)) throw new ScimError('unable_to_add_deleted_or_guest_to_group', `user=${id}`);
  draft.members.add(id);
}

function parseGroupName(value: unknown): string {
  const name = parseText(value ?? null, 'displayName').trim();
  // The code for a group without a name is assumed.
  if (name === '') throw new ScimError('group_creation_failed', 'displayName');
  return name;
}

function assertCallSize({ context }: ScimRequest, named: number): void {
  if (named > context.switches.membersPerCallLimit) throw new ScimError('too_many_users');
}

function assertGroupSize({ context, organization }: ScimRequest, { members }: GroupDraft): void {
  const { idpGroupMemberLimit, userGroupMemberLimit } = context.switches;
  const limit = organization.isEnterprise ? idpGroupMemberLimit : userGroupMemberLimit;
  if (members.size > limit) throw new ScimError('group_member_max_exceeded');
}

function changeableGroup(request: ScimRequest, id: string): Group {
  const group = findGroup(request, id);
  // Automatic groups cannot be changed (SCIM §5, reported); the code is assumed.
  if (group.isAutomatic) throw new ScimError('permission_denied', `group=${id}`);
  return group;
}

function findGroup({ organization }: ScimRequest, id: string): Group {
  const group = organization.groups.get(id);
  if (!group) throw new ScimError('no_such_group');
  return group;
}
