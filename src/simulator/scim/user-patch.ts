import { defaultTimezone } from '../world/person';
import { parseAddress, parseEmail, sameAddress } from './email';
import { removeGuest, setGuestExpiration } from './guest';
import { type PatchOperation, type PatchPath, parseOperations } from './patch-operation';
import { ScimError } from './scim-error';
import { enterpriseUrn, guestUrn, profileUrn } from './urns';
import { isUserAttribute, setNamePart, setUserAttribute } from './user-attributes';
import type { UserDraft } from './user-draft';
import { addressParts, enterpriseStrings, isOneOf, setManager, setProfileField } from './user-profile';
import { isObject, type JsonObject, parseText } from './value';

/** Cannot be changed after creation (SCIM §4.2: documented for externalId and profileUrl). */
const unchangeable: ReadonlySet<string> = new Set(['id', 'meta', 'schemas', 'externalId', 'groups', 'profileUrl']);

/**
 * Applies a PATCH to a draft, in order. The caller keeps nothing of the draft when this throws, so that all operations apply
 * together or none does (SCIM §6.4, RFC 7644).
 */
export function readUserPatch(draft: UserDraft, body: JsonObject): void {
  // The docs' sample for the profile extension is a plain resource body (SCIM §6.4).
  if (body.Operations === undefined && isObject(body[profileUrn])) {
    setUserAttribute(draft, profileUrn, body[profileUrn], 'add');
    return;
  }
  for (const operation of parseOperations(body)) applyOperation(draft, operation);
}

function applyOperation(draft: UserDraft, operation: PatchOperation): void {
  const { path } = operation;
  if (path.urn === enterpriseUrn) applyToEnterprise(draft, operation);
  else if (path.urn === guestUrn) applyToGuest(draft, operation);
  else if (path.urn === profileUrn) applyToProfile(draft, operation);
  else if (unchangeable.has(path.attribute) || !isUserAttribute(path.attribute)) refuse(path);
  else if (path.filter) applyToEntry(draft, operation, path.filter);
  else if (path.attribute === 'name' && path.sub !== null) applyToNamePart(draft, operation, path.sub);
  else if (path.sub !== null) refuse(path);
  else if (operation.op === 'remove') removeAttribute(draft, path.attribute);
  else setUserAttribute(draft, path.attribute, operation.value, operation.op === 'add' ? 'add' : 'set');
}

function refuse(path: PatchPath): never {
  throw new ScimError('invalid_request_payload', path.attribute);
}

const removals: Readonly<Record<string, (draft: UserDraft) => void>> = {
  nickName: () => {
    throw new ScimError('username_empty');
  },
  userName: () => {
    throw new ScimError('username_empty');
  },
  name: (draft) => {
    for (const part of ['givenName', 'familyName', 'honorificPrefix']) setNamePart(draft, part, null);
  },
  displayName: ({ person }) => {
    person.displayName = '';
  },
  title: ({ person }) => {
    person.title = '';
  },
  timezone: ({ person }) => {
    person.timezone = defaultTimezone;
  },
  // Removing the whole list takes the secondary address only (SCIM §4.4, documented).
  emails: ({ person }) => {
    person.secondaryEmail = null;
  },
  addresses: (draft) => {
    for (const part of addressParts) setProfileField(draft, part, null);
  },
  phoneNumbers: (draft) => {
    for (const slot of ['primaryPhone', 'mobilePhone'] as const) setProfileField(draft, slot, null);
  },
  roles: (draft) => setProfileField(draft, 'role', null),
  userType: (draft) => setProfileField(draft, 'userType', null),
  preferredLanguage: (draft) => setProfileField(draft, 'preferredLanguage', null),
  locale: (draft) => setProfileField(draft, 'locale', null),
  // Clearing works with `replace []` only (SCIM §6.4, reported); the code is assumed.
  photos: () => {
    throw new ScimError('photos_invalid');
  },
  password: () => {
    throw new ScimError('password_change_not_allowed');
  },
};

function removeAttribute(draft: UserDraft, attribute: string): void {
  const removal = Object.hasOwn(removals, attribute) ? removals[attribute] : undefined;
  if (!removal) throw new ScimError('invalid_request_payload', attribute);
  removal(draft);
}

function applyToNamePart(draft: UserDraft, { op, value, path }: PatchOperation, part: string): void {
  if (!['givenName', 'familyName', 'honorificPrefix'].includes(part)) refuse(path);
  setNamePart(draft, part, op === 'remove' ? null : value);
}

function applyToEnterprise(draft: UserDraft, { op, path, value }: PatchOperation): void {
  const isRemoval = op === 'remove';
  if (path.attribute === '') {
    if (!isRemoval) setUserAttribute(draft, enterpriseUrn, value, 'add');
    else for (const name of [...enterpriseStrings, 'managerId'] as const) setProfileField(draft, name, null);
  } else if (path.attribute === 'manager' && path.sub === 'managerId') {
    setProfileField(draft, 'managerId', isRemoval ? null : value);
  } else if (path.attribute === 'manager' && path.sub === null) {
    setManager(draft, isRemoval ? null : value);
  } else if (isOneOf(enterpriseStrings, path.attribute) && path.sub === null) {
    setProfileField(draft, path.attribute, isRemoval ? null : value);
  } else {
    refuse(path);
  }
}

function applyToGuest(draft: UserDraft, { op, path, value }: PatchOperation): void {
  if (path.attribute === '') {
    if (op === 'remove') removeGuest(draft);
    else setUserAttribute(draft, guestUrn, value, 'add');
  } else if (path.attribute === 'expiration') {
    setGuestExpiration(draft, op === 'remove' ? null : value);
  } else if (path.attribute === 'type' && op !== 'remove') {
    setUserAttribute(draft, guestUrn, { type: value }, 'add');
  } else {
    refuse(path);
  }
}

function applyToProfile(draft: UserDraft, { op, path, value }: PatchOperation): void {
  if (path.attribute === '') {
    if (op === 'remove') setProfileField(draft, 'startDate', null);
    else setUserAttribute(draft, profileUrn, value, 'add');
  } else if (path.attribute === 'startDate' && path.sub === null) {
    setProfileField(draft, 'startDate', op === 'remove' ? null : value);
  } else {
    // Assumed: as an unknown key inside the extension.
    throw new ScimError('invalid_attribute_format', path.attribute);
  }
}

function applyToEntry(draft: UserDraft, operation: PatchOperation, filter: NonNullable<PatchPath['filter']>): void {
  if (operation.path.attribute === 'emails') applyToEmail(draft, operation, filter);
  else if (operation.path.attribute === 'phoneNumbers') applyToPhone(draft, operation, filter);
  else refuse(operation.path);
}

/** `emails[primary eq …]` and `emails[value eq …]` (SCIM §6.4, documented). */
function applyToEmail(
  { person }: UserDraft,
  { op, path, value }: PatchOperation,
  filter: NonNullable<PatchPath['filter']>,
): void {
  const slot = emailSlot(person, filter);
  if (slot === undefined) throw new ScimError('emails_invalid', 'no such entry');
  if (op === 'remove') {
    if (slot === 'primaryEmail') throw new ScimError('missing_primary_email');
    person.secondaryEmail = null;
    return;
  }
  if (path.sub !== null && path.sub !== 'value') refuse(path);
  const entry =
    path.sub === 'value' ? { value: parseAddress(value), isPrimary: false } : parseEmail(isObject(value) ? value : {});
  const target = entry.isPrimary ? 'primaryEmail' : slot;
  if (target !== slot) person.secondaryEmail = null;
  person[target] = entry.value;
  if (person.secondaryEmail !== null && sameAddress(person.secondaryEmail, person.primaryEmail))
    person.secondaryEmail = null;
}

function emailSlot(
  person: UserDraft['person'],
  filter: NonNullable<PatchPath['filter']>,
): 'primaryEmail' | 'secondaryEmail' | undefined {
  if (filter.attribute === 'primary') {
    const isPrimary = String(filter.value).toLowerCase() === 'true';
    return isPrimary ? 'primaryEmail' : 'secondaryEmail';
  }
  if (filter.attribute !== 'value') return undefined;
  const address = String(filter.value);
  if (sameAddress(person.primaryEmail, address)) return 'primaryEmail';
  return person.secondaryEmail !== null && sameAddress(person.secondaryEmail, address) ? 'secondaryEmail' : undefined;
}

/** `phoneNumbers[value eq …]` to remove, with `.value` to replace (SCIM §6.4, documented). */
function applyToPhone(
  draft: UserDraft,
  { op, path, value }: PatchOperation,
  filter: NonNullable<PatchPath['filter']>,
): void {
  if (filter.attribute !== 'value') refuse(path);
  const { profile } = draft.person;
  const slot = (['primaryPhone', 'mobilePhone'] as const).find((name) => profile?.[name] === String(filter.value));
  if (!slot) throw new ScimError('phoneNumbers_invalid', 'no such entry');
  if (op === 'remove') {
    setProfileField(draft, slot, null);
    return;
  }
  if (path.sub !== null && path.sub !== 'value') refuse(path);
  const number = path.sub === 'value' ? value : isObject(value) ? value.value : undefined;
  setProfileField(draft, slot, parseText(number ?? null, 'phoneNumbers'));
}
