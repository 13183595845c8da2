import type { Switches } from '../switches';
import type { Organization } from '../world/organization';
import { blankProfile, copyPerson, defaultTimezone, emailsOf, type Person } from '../world/person';
import { checkDisplayName } from './display-name';
import { ScimError } from './scim-error';
import { parseUserName } from './user-name';

/** What a write says about a person, on a working copy: nothing is kept until every part of the request has been accepted. */
export interface UserDraft {
  readonly purpose: 'create' | 'replace' | 'change';
  readonly before: Person | null;
  readonly person: Person;
  readonly organization: Organization;
  readonly switches: Readonly<Switches>;
  /** As requested, before rewriting. */
  userName?: string;
  nickName?: string;
  active?: boolean;
  /** Null asks for the default picture. */
  photo?: string | null;
  namesWereGiven: boolean;
  hasBadProfileField: boolean;
  /** Member to guest or back, which reactivates (SCIM §4.6, documented). */
  isConverted: boolean;
}

type Origin = Pick<UserDraft, 'organization' | 'switches'>;

export function draftOfNewPerson(origin: Origin, identity: { id: string; created: string }): UserDraft {
  const person: Person = {
    ...identity,
    rank: 'member',
    active: true,
    userName: '',
    givenName: '',
    familyName: '',
    displayName: '',
    profileUrl: null,
    title: '',
    timezone: defaultTimezone,
    primaryEmail: '',
    secondaryEmail: null,
    photo: null,
    guest: null,
    profile: null,
    pendingDeactivationAt: null,
    pendingPhoto: null,
  };
  return { ...origin, ...untouched, purpose: 'create', before: null, person };
}

export function draftOfChange(origin: Origin, before: Person): UserDraft {
  return { ...origin, ...untouched, purpose: 'change', before, person: copyPerson(before) };
}

/**
 * PUT blanks what it leaves out, but keeps `name` and the primary address (SCIM §6.2: the documented sample kept the name; the
 * address cannot be deleted).
 */
export function draftOfReplacement(origin: Origin, before: Person): UserDraft {
  const person = copyPerson(before);
  if (origin.switches.displayNameUpdatesAllowed) person.displayName = '';
  person.profileUrl = null;
  person.title = '';
  person.timezone = defaultTimezone;
  person.secondaryEmail = null;
  if (person.profile) person.profile = blankProfile();
  return { ...origin, ...untouched, purpose: 'replace', before, person, photo: null };
}

const untouched = { namesWereGiven: false, hasBadProfileField: false, isConverted: false };

/**
 * The last checks, in Slack's order: attributes first, uniqueness last (SCIM §13.4, assumed).
 * @throws ScimError; the draft must then be thrown away.
 */
export function completeDraft(draft: UserDraft): void {
  const { person, before, purpose } = draft;
  resolveUserName(draft);
  if (purpose === 'create' && person.primaryEmail === '') throw new ScimError('email_empty');
  if (purpose === 'create' && draft.hasBadProfileField) person.profile = null;
  checkNames(draft);
  if (purpose === 'create') {
    // Defaults of SCIM §6.1, documented.
    person.displayName ||= person.userName;
    person.givenName ||= person.displayName;
  }
  if (before?.displayName !== person.displayName) checkDisplayName(draft);
  checkUniqueness(draft);
}

/** One field under two names: whichever the request changes wins, and userName if both change (SCIM §4.2 documented; order assumed). */
function resolveUserName({ before, person, userName, nickName, purpose, switches }: UserDraft): void {
  if (purpose !== 'change' && userName === undefined) throw new ScimError('username_required');
  if (userName === undefined && nickName === undefined) return;
  const fromUserName = userName === undefined ? undefined : parseUserName(userName, switches, 'userName');
  const fromNickName =
    nickName === undefined || nickName === '' ? undefined : parseUserName(nickName, switches, 'nickName');
  const isUserNameKept = before !== null && fromUserName === before.userName;
  const chosen = isUserNameKept ? (fromNickName ?? fromUserName) : (fromUserName ?? fromNickName);
  if (chosen === undefined) throw new ScimError('username_empty');
  person.userName = chosen;
}

/** SCIM §4.2, documented for blanks; empty strings are taken as "not given" on create only (assumed). */
function checkNames({ namesWereGiven, person, purpose }: UserDraft): void {
  if (!namesWereGiven) return;
  const isBlank = person.givenName.trim() === '' && person.familyName.trim() === '';
  const isEmpty = person.givenName === '' && person.familyName === '';
  if (isBlank && !(isEmpty && purpose === 'create')) throw new ScimError('invalid_name_required');
}

function checkUniqueness({ person, organization }: UserDraft): void {
  for (const email of emailsOf(person)) {
    const holder = organization.personByEmail(email);
    // Active or not (SCIM §4.4, observed; the detail is what a client in the field parses).
    if (holder && holder.id !== person.id) throw new ScimError('email_taken', `existing_user=${holder.id}`);
  }
  if (organization.isUserNameTaken(person.userName, person.id)) {
    throw new ScimError('username_taken', `username=${person.userName}`);
  }
}
