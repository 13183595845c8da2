import type { GuestStatus, UserDraft } from '../domain/directory/user';
import { mergedAddress, sortProfileFields } from './profile-fields';
import { urns } from './wire';

/** Fields whose SCIM attribute has the same name. */
export const plainFields = [
  'displayName',
  'title',
  'timezone',
  'locale',
  'preferredLanguage',
  'userType',
] as const satisfies readonly (keyof UserDraft)[];

/** Fields of the enterprise extension, likewise. */
export const enterpriseFields = [
  'employeeNumber',
  'costCenter',
  'organization',
  'division',
  'department',
] as const satisfies readonly (keyof UserDraft)[];

/** Where Slack and RFC 7643 part: the name of the manager's id, and what the types of phone numbers mean. */
export interface WritingStyle {
  readonly isStandardServer: boolean;
}

/**
 * The body of a POST: the core schema and the extensions that carry something.
 * `externalId` is never sent: Slack answers it empty whatever it was, so nothing may depend on it.
 * @throws InvalidInput for a profile field's key that cannot be stored.
 */
export function newUserBody(draft: UserDraft & { readonly userName: string }, style: WritingStyle): object {
  return withSchemas({ userName: draft.userName, active: true, ...userAttributes(draft, style) });
}

/** The attributes that the given fields make up. Blank fields are left out. */
export function userAttributes(draft: Partial<UserDraft>, style: WritingStyle): Record<string, unknown> {
  const { known, custom } = sortProfileFields(draft.profileFields ?? []);
  const address = mergedAddress(known, undefined);
  const role = given(known.get('role'));
  const photoUrl = given(draft.photoUrl);
  return compact({
    name: nonEmpty({
      givenName: given(draft.givenName),
      familyName: given(draft.familyName),
      honorificPrefix: given(known.get('honorificPrefix')),
    }),
    emails: draft.email === undefined ? undefined : [primaryEmail(draft.email)],
    phoneNumbers: phoneNumbers(given(draft.phoneNumber), given(known.get('mobilePhone')), style),
    photos: photoUrl === undefined ? undefined : [photo(photoUrl)],
    addresses: address === undefined || Object.keys(address).length === 0 ? undefined : [address],
    roles: role === undefined ? undefined : [primaryRole(role)],
    profileUrl: given(known.get('profileUrl')),
    [urns.enterprise]: nonEmpty({
      manager: draft.managerSlackId === undefined ? undefined : managerOf(draft.managerSlackId, style),
      ...textsOf(draft, enterpriseFields),
    }),
    [urns.profile]: nonEmpty({
      ...Object.fromEntries([...custom].map(([key, value]) => [key, given(value)])),
      startDate: draft.startDate?.toISOString(),
    }),
    [urns.guest]: draft.guest === undefined ? undefined : guestOf(draft.guest),
    ...textsOf(draft, plainFields),
  });
}

/** Slack refuses a write without the core schema, and ignores an extension that is not listed. */
export function withSchemas(attributes: Record<string, unknown>): Record<string, unknown> {
  const extensions = Object.keys(attributes).filter((key) => key.toLowerCase().startsWith('urn:'));
  return { schemas: [urns.user, ...extensions], ...attributes };
}

export function primaryEmail(value: string): object {
  return { value, type: 'work', primary: true };
}

/** `primary: true` is the label that Slack stores as the primary number, in requests and answers alike. */
export function primaryPhone(value: string): object {
  return { value, primary: true };
}

/** In requests Slack stores `work` as the mobile number, and `mobile` as the primary one; other servers mean what they say. */
export function mobilePhone(value: string, { isStandardServer }: WritingStyle): object {
  return { value, type: isStandardServer ? 'mobile' : 'work' };
}

export function photo(value: string): object {
  return { value, type: 'photo' };
}

export function primaryRole(value: string): object {
  return { value, primary: true };
}

export function managerOf(slackId: string, { isStandardServer }: WritingStyle): object {
  return isStandardServer ? { value: slackId } : { managerId: slackId };
}

/** Slack makes multi-channel guests only. A single-channel one must not become one just because its end changes. */
export function guestOf({ expiresAt }: { readonly expiresAt?: Date | null }, current?: GuestStatus): object {
  const type = current?.kind === 'SINGLE_CHANNEL' ? 'single' : 'multi';
  return compact({ type, expiration: expiresAt?.toISOString() });
}

function phoneNumbers(
  primary: string | undefined,
  mobile: string | undefined,
  style: WritingStyle,
): object[] | undefined {
  const entries = [
    ...(primary === undefined ? [] : [primaryPhone(primary)]),
    ...(mobile === undefined ? [] : [mobilePhone(mobile, style)]),
  ];
  return entries.length === 0 ? undefined : entries;
}

function given(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value;
}

type TextField = (typeof plainFields)[number] | (typeof enterpriseFields)[number];

function textsOf(draft: Partial<UserDraft>, fields: readonly TextField[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const field of fields) {
    const text = given(draft[field]);
    if (text !== undefined) texts[field] = text;
  }
  return texts;
}

function compact(members: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const key of Object.keys(members)) if (members[key] !== undefined) kept[key] = members[key];
  return kept;
}

function nonEmpty(members: Record<string, unknown>): Record<string, unknown> | undefined {
  const kept = compact(members);
  return Object.keys(kept).length === 0 ? undefined : kept;
}
