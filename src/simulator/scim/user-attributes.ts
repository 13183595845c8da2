import { defaultTimezone, gravatarUrl } from '../world/person';
import { parseEmails, sameAddress, selectEmails } from './email';
import { removeGuest, setGuest } from './guest';
import { ScimError } from './scim-error';
import { enterpriseUrn, guestUrn, profileUrn } from './urns';
import type { UserDraft } from './user-draft';
import { setAddresses, setEnterprise, setPhones, setProfileExtension, setProfileField, setRoles } from './user-profile';
import { isObject, type JsonObject, parseBoolean, parseObject, parseText } from './value';

export type Mode = 'set' | 'add';
type Setter = (draft: UserDraft, value: unknown, mode: Mode) => void;

/** Every attribute that a write can change; `add` merges into a list where `set` replaces it (SCIM §4.2, documented). */
const setters: Readonly<Record<string, Setter>> = {
  userName(draft, value) {
    draft.userName = parseText(value, 'userName');
  },
  nickName(draft, value) {
    draft.nickName = parseText(value, 'nickName');
  },
  name: (draft, value) => setName(draft, value),
  displayName(draft, value) {
    draft.person.displayName = parseText(value, 'displayName').trim();
  },
  profileUrl(draft, value) {
    const url = parseText(value, 'profileUrl');
    draft.person.profileUrl = url === '' || url === defaultProfileUrl(draft) ? null : url;
  },
  title(draft, value) {
    draft.person.title = parseText(value, 'title').trim();
  },
  timezone(draft, value) {
    draft.person.timezone = parseText(value, 'timezone') || defaultTimezone;
  },
  active(draft, value) {
    draft.active = parseBoolean(value, 'active');
  },
  emails: setEmails,
  photos: (draft, value) => setPhotos(draft, value),
  addresses: (draft, value, mode) => setAddresses(draft, value, { acceptsOne: mode === 'add' }),
  phoneNumbers: (draft, value, mode) => setPhones(draft, value, { mode }),
  userType: (draft, value) => setProfileField(draft, 'userType', value),
  roles: (draft, value, mode) => setRoles(draft, value, { acceptsOne: mode === 'add' }),
  preferredLanguage: (draft, value) => setProfileField(draft, 'preferredLanguage', value),
  locale: (draft, value) => setProfileField(draft, 'locale', value),
  password({ purpose }) {
    // Taken on create and never kept (SCIM §4.2, documented).
    if (purpose !== 'create') throw new ScimError('password_change_not_allowed');
  },
  [enterpriseUrn]: setEnterprise,
  [guestUrn]: setGuest,
  [profileUrn]: setProfileExtension,
};

/** Read-only for writes, or defined by RFC 7643 and without meaning to Slack: taken and ignored. */
const ignoredAttributes: ReadonlySet<string> = new Set([
  'schemas',
  'id',
  'externalId',
  'meta',
  'ims',
  'entitlements',
  'x509Certificates',
]);

/** Reads a whole resource, as POST and PUT send it. */
export function readUserBody(draft: UserDraft, body: JsonObject): void {
  const schemas = Array.isArray(body.schemas) ? body.schemas : [];
  for (const [name, value] of Object.entries(body)) {
    if (ignoredAttributes.has(name)) continue;
    // Only with its URN in `schemas` is the profile extension looked at (SCIM §4.6, documented).
    if (name === profileUrn && !schemas.includes(profileUrn)) continue;
    if (name === 'groups') {
      if (value !== null && !Array.isArray(value)) throw new ScimError('groups_invalid');
      continue;
    }
    if (!Object.hasOwn(setters, name)) {
      if (draft.switches.unknownAttributes === 'refuse') throw new ScimError('invalid_request_payload', name);
      continue;
    }
    setUserAttribute(draft, name, value, 'set');
  }
  // Assumed: an extension that a PUT leaves out is removed, like any other attribute (SCIM §6.2).
  if (draft.purpose === 'replace' && !isObject(body[guestUrn])) removeGuest(draft);
}

export function isUserAttribute(name: string): boolean {
  return Object.hasOwn(setters, name);
}

/** @throws ScimError `invalid_request_payload` when there is no such attribute. */
export function setUserAttribute(draft: UserDraft, name: string, value: unknown, mode: Mode): void {
  const setter = Object.hasOwn(setters, name) ? setters[name] : undefined;
  if (!setter) throw new ScimError('invalid_request_payload', name);
  // Null for a whole extension is the same as leaving it out.
  if (value === null && name.startsWith('urn:')) return;
  setter(draft, value, mode);
}

export function setName(draft: UserDraft, value: unknown): void {
  if (value === null) return;
  for (const [part, text] of Object.entries(parseObject(value, 'name'))) setNamePart(draft, part, text);
}

export function setNamePart(draft: UserDraft, part: string, value: unknown): void {
  if (part === 'honorificPrefix') {
    setProfileField(draft, part, value);
    return;
  }
  // Other parts of an RFC 7643 name are not stored.
  if (part !== 'givenName' && part !== 'familyName') return;
  draft.person[part] = parseText(value, `name.${part}`);
  draft.namesWereGiven = true;
}

function setEmails(draft: UserDraft, value: unknown, mode: Mode): void {
  const entries = parseEmails(value, { acceptsOne: mode === 'add' });
  const { person } = draft;
  if (mode === 'set') {
    const selected = selectEmails(entries);
    // The primary address can be replaced, never deleted (SCIM §4.4, documented).
    if (!selected) throw new ScimError(draft.purpose === 'create' ? 'email_empty' : 'missing_primary_email');
    person.primaryEmail = selected.primary;
    person.secondaryEmail = selected.secondary;
    return;
  }
  const primary = entries.find((entry) => entry.isPrimary)?.value;
  if (primary !== undefined) {
    person.primaryEmail = primary;
    if (person.secondaryEmail !== null && sameAddress(person.secondaryEmail, primary)) person.secondaryEmail = null;
  }
  const secondary = entries.find((entry) => !entry.isPrimary && !sameAddress(entry.value, person.primaryEmail));
  if (secondary) person.secondaryEmail = secondary.value;
}

/** One photo is kept: a public URL or a data URL; an empty list brings back the default (SCIM §4.2 and §6.4). */
function setPhotos(draft: UserDraft, value: unknown): void {
  if (value !== null && !Array.isArray(value)) throw new ScimError('invalid_attribute_format', 'photos');
  const [photo] = value ?? [];
  if (photo === undefined) {
    draft.photo = null;
    return;
  }
  if (!isObject(photo) || typeof photo.value !== 'string') throw new ScimError('photos_invalid');
  if (!/^(https?:\/\/\S+|data:image\/\S+)$/.test(photo.value)) throw new ScimError('photos_invalid');
  // A client that sends back what it read must not turn the default into a picture of its own.
  draft.photo = draft.before && photo.value === gravatarUrl(draft.before.primaryEmail) ? null : photo.value;
}

function defaultProfileUrl({ before, organization }: UserDraft): string | null {
  return before ? profileUrlOf(organization, before.userName) : null;
}

/** Follows the userName (SCIM §4.2, documented for Enterprise; the workspace form is assumed). */
export function profileUrlOf(organization: { domain: string; isEnterprise: boolean }, userName: string): string {
  const host = organization.isEnterprise
    ? `${organization.domain}.enterprise.slack.com`
    : `${organization.domain}.slack.com`;
  return `https://${host}/team/${userName}`;
}
