import { createHash } from 'node:crypto';
import type { Answer } from '../call';
import { pacificTimestamp } from '../clock';
import type { Organization } from '../world/organization';
import type { Person } from '../world/person';
import { type Filter, matchesUser, parseFilter } from './filter';
import { listResource, parsePage } from './page';
import { assertMayChange, assertMayDeactivate } from './protection';
import { userResource } from './resource';
import { ScimError } from './scim-error';
import { createdAnswer, parseBody, type ScimRequest } from './scim-request';
import { readUserBody } from './user-attributes';
import { completeDraft, draftOfChange, draftOfNewPerson, draftOfReplacement, type UserDraft } from './user-draft';
import { readUserPatch } from './user-patch';

/** One page of people, deactivated ones and bots included (SCIM §8, reported). */
export function listUsers({ context, call, organization, base }: ScimRequest): Answer {
  const page = parsePage(call.query);
  const text = call.query.get('filter');
  const filter = text === null ? null : parseFilter(text, 'users', context.switches);
  const people = filter ? findPeople(organization, filter) : [...organization.people.values()];
  const body = listResource(people, page, (person) => userResource(organization, person, base), call.lies);
  return { status: 200, body };
}

/** Equality on a name or an address goes through the index: it is what every look-up before a write asks. */
function findPeople(organization: Organization, filter: Filter): Person[] {
  if (filter.kind === 'comparison' && filter.operator === 'eq') {
    if (filter.attribute === 'username') return listOf(organization.personByUserName(filter.literal));
    if (filter.attribute.startsWith('email')) return listOf(organization.personByEmail(filter.literal));
  }
  return [...organization.people.values()].filter((person) => matchesUser(filter, person));
}

function listOf(person: Person | undefined): Person[] {
  return person ? [person] : [];
}

export function getUser(request: ScimRequest, id: string): Answer {
  return { status: 200, body: userResource(request.organization, findUser(request, id), request.base) };
}

export function createUser(request: ScimRequest): Answer {
  const { context, call, organization, base } = request;
  const body = parseBody(call);
  const now = context.clock.now();
  const identity = { id: context.world.nextId('U'), created: pacificTimestamp(now) };
  const draft = draftOfNewPerson({ organization, switches: context.switches }, identity);
  readUserBody(draft, body);
  completeDraft(draft);
  draft.person.active = draft.active ?? true;
  requestPhoto(draft, now + context.switches.photoDelayMs);
  organization.addPerson(draft.person);
  const resource = userResource(organization, draft.person, base);
  return createdAnswer(request, 'users', `${base}/Users/${draft.person.id}`, resource);
}

/** PUT, with the blanks of SCIM §6.2. */
export function replaceUser(request: ScimRequest, id: string): Answer {
  const { context, call, organization } = request;
  const body = parseBody(call);
  const draft = draftOfReplacement({ organization, switches: context.switches }, changeableUser(request, id));
  readUserBody(draft, body);
  if (draft.active === undefined && !draft.isConverted && context.switches.putWithoutActive === 'deactivates') {
    draft.active = false;
  }
  return commit(request, draft);
}

/** All operations apply together or none does (SCIM §6.4, RFC 7644). */
export function patchUser(request: ScimRequest, id: string): Answer {
  const { context, call, organization } = request;
  const body = parseBody(call);
  const draft = draftOfChange({ organization, switches: context.switches }, changeableUser(request, id));
  readUserPatch(draft, body);
  return commit(request, draft);
}

/** Deactivates; accounts are never deleted, and repeating it succeeds (SCIM §3 and §4.8, documented). */
export function deleteUser(request: ScimRequest, id: string): Answer {
  const { context, caller, organization } = request;
  const person = changeableUser(request, id);
  if (person.active) assertMayDeactivate(caller, person);
  organization.deactivate(person, context.clock.now(), context.switches.deactivationDelayMs);
  return { status: 204 };
}

/**
 * Keeps an accepted draft. `active` comes last: a request that converts a guest and deactivates ends deactivated, and a
 * deactivation may be delayed while the rest of the draft shows at once.
 */
function commit({ context, caller, organization, base }: ScimRequest, draft: UserDraft): Answer {
  const now = context.clock.now();
  completeDraft(draft);
  const { before } = draft;
  if (!before) throw new Error('A new person is added, not committed');
  if (draft.active === false && before.active) assertMayDeactivate(caller, before);
  if (draft.photo !== undefined) requestPhoto(draft, now + context.switches.photoDelayMs);
  const becameGuest = draft.isConverted && draft.person.guest !== null;
  organization.replacePerson(draft.person);
  // Converting to guest drops memberships (SCIM §4.6, reported); either conversion reactivates (documented).
  if (becameGuest) organization.leaveGroups(before.id);
  if (draft.isConverted || draft.active === true) organization.reactivate(before);
  if (draft.active === false) organization.deactivate(before, now, context.switches.deactivationDelayMs);
  return { status: 200, body: userResource(organization, before, base) };
}

/** Photos are fetched later: the answer of the write shows the old one (SCIM §4.2, documented). */
function requestPhoto({ person, photo }: UserDraft, visibleAt: number): void {
  if (photo === undefined || (photo === person.photo && !person.pendingPhoto)) return;
  person.pendingPhoto = { value: photo?.startsWith('data:') ? hostedPhoto(photo) : photo, visibleAt };
}

/** Assumed: a picture that came as data gets an address of Slack's picture host (form recorded). */
function hostedPhoto(data: string): string {
  const name = createHash('sha256').update(data).digest('hex').slice(0, 32);
  return `https://avatars.slack-edge.com/${name}_192.png`;
}

function changeableUser(request: ScimRequest, id: string): Person {
  const person = findUser(request, id);
  assertMayChange(request.caller, person);
  return person;
}

function findUser({ organization }: ScimRequest, id: string): Person {
  // Which ids cannot be decoded is assumed; unknown ones are 404 (SCIM §9.2 and §9.3).
  if (!/^[UW][A-Za-z0-9]+$/.test(id)) throw new ScimError('cannot_decode_user_id');
  const person = organization.people.get(id);
  if (!person) throw new ScimError('no_such_user');
  return person;
}
