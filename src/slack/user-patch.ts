import { type DirectoryUser, primaryEmailOf, type UserChanges } from '../domain/directory/user';
import { InvalidInput } from '../domain/errors';
import { mergedAddress, type SortedProfileFields, sortProfileFields } from './profile-fields';
import {
  enterpriseFields,
  guestOf,
  managerOf,
  mobilePhone,
  photo,
  plainFields,
  primaryEmail,
  primaryPhone,
  primaryRole,
  type WritingStyle,
} from './user-writing';
import { type PatchOperation, urns } from './wire';

export interface PatchContext extends WritingStyle {
  readonly current: DirectoryUser;
  /** Reactivates or deactivates in the same request. */
  readonly active?: boolean;
}

/**
 * The operations that turn the account as last read into the wanted one, in forms that both Slack and RFC 7644 §3.5.2
 * know. Empty when nothing is to be sent.
 * @throws InvalidInput when the primary address or the user name would be cleared.
 */
export function patchOperations(changes: UserChanges, context: PatchContext): PatchOperation[] {
  const { active } = context;
  const profile = profileFieldsOf(changes, context.current);
  const activity: PatchOperation[] = active === undefined ? [] : [{ op: 'replace', path: 'active', value: active }];
  return [
    ...activity,
    ...coreOperations(changes),
    ...nameOperations(changes, profile),
    ...emailOperations(changes, context.current),
    ...phoneOperations(changes, profile, context),
    ...singleEntryOperations(changes, profile, context.current),
    ...enterpriseOperations(changes, context),
    ...profileOperations(changes, profile, context),
    ...guestOperations(changes, context.current),
  ];
}

/** A string literal in a filter or a value path: a JSON string (RFC 7644 §3.4.2.2). */
export function quoted(value: string): string {
  return JSON.stringify(value);
}

/** Clearing them all means clearing those that are there. */
export function profileFieldsOf({ profileFields }: UserChanges, current: DirectoryUser): SortedProfileFields {
  if (profileFields !== null) return sortProfileFields(profileFields ?? []);
  return sortProfileFields(current.profileFields.map(({ key }) => ({ key, value: '' })));
}

/** undefined when the change keeps the value. */
function setOrRemove(path: string, value: string | null | undefined): PatchOperation[] {
  if (value === undefined) return [];
  return [isBlank(value) ? { op: 'remove', path } : { op: 'replace', path, value }];
}

function isBlank(value: string | null): value is null {
  return value === null || value.trim() === '';
}

function coreOperations(changes: UserChanges): PatchOperation[] {
  const { userName } = changes;
  if (userName !== undefined && isBlank(userName)) throw new InvalidInput('A user name cannot be cleared.');
  return ['userName' as const, ...plainFields].flatMap((field) => setOrRemove(field, changes[field]));
}

function nameOperations({ givenName, familyName }: UserChanges, { known }: SortedProfileFields): PatchOperation[] {
  return [
    ...setOrRemove('name.givenName', givenName),
    ...setOrRemove('name.familyName', familyName),
    ...setOrRemove('name.honorificPrefix', known.get('honorificPrefix')),
  ];
}

function emailOperations({ email }: UserChanges, current: DirectoryUser): PatchOperation[] {
  if (email === undefined) return [];
  if (isBlank(email)) throw new InvalidInput('The primary e-mail address can be replaced, but not cleared.');
  const primary = primaryEmailOf(current);
  if (primary === undefined) return [{ op: 'add', path: 'emails', value: [primaryEmail(email)] }];
  if (primary === email) return [];
  // Replaced without this, the account would hold the address twice.
  const secondary = current.emails.find(({ value }) => value !== primary && value === email);
  return [
    ...(secondary === undefined ? [] : [removal('emails', secondary.value)]),
    { op: 'replace', path: `emails[value eq ${quoted(primary)}]`, value: primaryEmail(email) },
  ];
}

function phoneOperations(
  { phoneNumber }: UserChanges,
  { known }: SortedProfileFields,
  context: PatchContext,
): PatchOperation[] {
  const { current } = context;
  const mobileEntry = (value: string) => mobilePhone(value, context);
  const held = (kind: 'PRIMARY' | 'MOBILE') => current.phoneNumbers.find((phone) => phone.kind === kind)?.value;
  const [primary, mobile] = [held('PRIMARY'), held('MOBILE')];
  return [
    ...phoneOperation(phoneNumber, { held: primary, other: mobile, entryOf: primaryPhone }, context),
    ...phoneOperation(known.get('mobilePhone'), { held: mobile, other: primary, entryOf: mobileEntry }, context),
  ];
}

interface PhoneSlot {
  readonly held: string | undefined;
  /** What the other slot holds. */
  readonly other: string | undefined;
  readonly entryOf: (value: string) => object;
}

function phoneOperation(
  wanted: string | null | undefined,
  { held, other, entryOf }: PhoneSlot,
  { isStandardServer }: PatchContext,
): PatchOperation[] {
  if (wanted === undefined || wanted === held) return [];
  if (isBlank(wanted)) return held === undefined ? [] : [removal('phoneNumbers', held)];
  // A value path cannot tell the two slots apart when they hold the same number.
  if (held === undefined || held === other) return [{ op: 'add', path: 'phoneNumbers', value: [entryOf(wanted)] }];
  const path = `phoneNumbers[value eq ${quoted(held)}]`;
  // Slack documents only the form with `.value`; SCIMMY, for one, finds no target in it.
  if (isStandardServer) return [{ op: 'replace', path, value: entryOf(wanted) }];
  return [{ op: 'replace', path: `${path}.value`, value: wanted }];
}

function removal(attribute: string, value: string): PatchOperation {
  return { op: 'remove', path: `${attribute}[value eq ${quoted(value)}]` };
}

/** Attributes of which Slack stores one entry. Elsewhere an `add` would append, so what is there goes first. */
function singleEntryOperations(
  { photoUrl }: UserChanges,
  { known }: SortedProfileFields,
  current: DirectoryUser,
): PatchOperation[] {
  const operations: PatchOperation[] = [];
  if (photoUrl !== undefined) {
    // Slack does not take `remove` for photos.
    operations.push({ op: 'replace', path: 'photos', value: isBlank(photoUrl) ? [] : [photo(photoUrl)] });
  }
  const role = known.get('role');
  if (role !== undefined) {
    if (current.profileFields.some(({ key }) => key === 'role')) operations.push({ op: 'remove', path: 'roles' });
    if (!isBlank(role)) operations.push({ op: 'add', path: 'roles', value: [primaryRole(role)] });
  }
  const address = mergedAddress(known, current.addresses[0]);
  if (address !== undefined) {
    if (current.addresses.length > 0) operations.push({ op: 'remove', path: 'addresses' });
    if (Object.keys(address).length > 0) operations.push({ op: 'add', path: 'addresses', value: [address] });
  }
  return operations;
}

function enterpriseOperations(changes: UserChanges, context: PatchContext): PatchOperation[] {
  const operations = enterpriseFields.flatMap((field): PatchOperation[] => {
    const value = changes[field];
    const path = `${urns.enterprise}:${field}`;
    if (value === undefined) return [];
    return [isBlank(value) ? { op: 'remove', path } : { op: 'add', path, value }];
  });
  const { managerSlackId } = changes;
  if (managerSlackId === undefined) return operations;
  if (!isBlank(managerSlackId)) {
    const value = { manager: managerOf(managerSlackId, context) };
    return [...operations, { op: 'add', path: urns.enterprise, value }];
  }
  // Slack documents a dot after the URN for this path alone; RFC 7644 knows only the colon.
  const path = context.isStandardServer ? `${urns.enterprise}:manager` : `${urns.enterprise}.manager.managerId`;
  return [...operations, { op: 'remove', path }];
}

/**
 * Custom fields, the start date and the profile URL. Slack takes no PATCH of the URL, so it is left out there; whoever
 * reads back sees that it was not kept.
 */
function profileOperations(
  { startDate }: UserChanges,
  { known, custom }: SortedProfileFields,
  { isStandardServer }: PatchContext,
): PatchOperation[] {
  const values = new Map<string, string>(custom);
  if (startDate !== undefined) values.set('startDate', startDate?.toISOString() ?? '');
  const set = [...values].filter(([, value]) => !isBlank(value));
  const cleared = [...values].filter(([, value]) => isBlank(value));
  return [
    ...(isStandardServer ? setOrRemove('profileUrl', known.get('profileUrl')) : []),
    ...cleared.map(([key]): PatchOperation => ({ op: 'remove', path: `${urns.profile}:${key}` })),
    ...(set.length === 0 ? [] : [{ op: 'add' as const, path: urns.profile, value: Object.fromEntries(set) }]),
  ];
}

/** Slack documents a dot after the URN for the end of a guest account. */
function guestOperations({ guest }: UserChanges, current: DirectoryUser): PatchOperation[] {
  if (guest === undefined) return [];
  if (guest === null) return [{ op: 'remove', path: urns.guest }];
  if (guest.expiresAt === null && current.guest) return [{ op: 'remove', path: `${urns.guest}.expiration` }];
  return [{ op: 'add', path: urns.guest, value: guestOf(guest, current.guest) }];
}
