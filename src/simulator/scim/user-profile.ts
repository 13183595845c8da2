import { blankProfile, type ProfileFieldName } from '../world/person';
import { storePhones } from './phone';
import { ScimError } from './scim-error';
import type { UserDraft } from './user-draft';
import { isIsoDate, isObject, type JsonObject, parseEntries, parseObject } from './value';

const longestProfileValue = 255;

export const addressParts = ['streetAddress', 'locality', 'region', 'postalCode', 'country'] as const;
export const enterpriseStrings = ['employeeNumber', 'costCenter', 'organization', 'division', 'department'] as const;

/**
 * Writes one custom profile field; blanks become null (SCIM §4.3, documented). An unfit value fails an update, but on create it
 * only marks the draft, since Slack then makes the person without any profile field (SCIM §4.7, documented). Which values are
 * unfit is assumed: more than 255 characters, a start date that is none, a manager nobody knows.
 */
export function setProfileField(draft: UserDraft, name: ProfileFieldName, value: unknown): void {
  if (value === undefined) return;
  if (value !== null && typeof value !== 'string') throw new ScimError('invalid_attribute_format', name);
  const text = value === null || value.trim() === '' ? null : value;
  if (text === null) {
    if (draft.person.profile) draft.person.profile[name] = null;
    return;
  }
  const isFit = text.length <= longestProfileValue && (name !== 'startDate' || isIsoDate(text));
  const stored = name === 'managerId' ? findManagerId(draft, text) : text;
  if (!isFit || stored === undefined) {
    reportUnfit(draft, name);
    return;
  }
  draft.person.profile ??= blankProfile();
  draft.person.profile[name] = name === 'startDate' ? shownStartDate(stored) : stored;
}

/** A manager is named by Slack id, primary address or userName (SCIM §4.6, documented). */
function findManagerId({ organization }: UserDraft, reference: string): string | undefined {
  const byEmail = organization.personByEmail(reference);
  const isPrimary = byEmail?.primaryEmail.toLowerCase() === reference.toLowerCase();
  const manager =
    organization.people.get(reference) ?? (isPrimary ? byEmail : organization.personByUserName(reference));
  return manager?.id;
}

/** Returned like `2024-04-10T00:00:00+0000` (SCIM §4.6, documented). */
function shownStartDate(text: string): string {
  return `${text.slice(0, 10)}T00:00:00+0000`;
}

function reportUnfit(draft: UserDraft, field: string): void {
  if (draft.purpose !== 'create') throw new ScimError('invalid_attribute_format', field);
  draft.hasBadProfileField = true;
}

/** One address is kept; the first (SCIM §4.2, documented). */
export function setAddresses(draft: UserDraft, value: unknown, options: { acceptsOne: boolean }): void {
  const [address] = parseEntries(value, 'addresses', options);
  for (const part of addressParts) {
    const text = address?.[part] ?? null;
    if (text !== null && typeof text !== 'string') throw new ScimError('addresses_invalid');
    setProfileField(draft, part, text);
  }
}

/** One role is kept; entries are objects or plain strings (SCIM §4.2, documented). */
export function setRoles(draft: UserDraft, value: unknown, options: { acceptsOne: boolean }): void {
  const list: unknown = options.acceptsOne && (isObject(value) || typeof value === 'string') ? [value] : value;
  if (list !== null && !Array.isArray(list)) throw new ScimError('invalid_attribute_format', 'roles');
  const entries: unknown[] = list ?? [];
  const first = entries.find((entry) => isObject(entry) && entry.primary === true) ?? entries[0] ?? null;
  const role = isObject(first) ? (first.value ?? null) : first;
  if (role !== null && typeof role !== 'string') throw new ScimError('roles_invalid');
  setProfileField(draft, 'role', role);
}

/** @param options.mode `add` leaves a slot that is not named as it is; `set` blanks it. */
export function setPhones(draft: UserDraft, value: unknown, { mode }: { mode: 'set' | 'add' }): void {
  const phones = storePhones(value, { acceptsOne: mode === 'add' });
  for (const slot of ['primaryPhone', 'mobilePhone'] as const) {
    setProfileField(draft, slot, phones[slot] === undefined && mode === 'set' ? null : phones[slot]);
  }
}

/** The enterprise extension; keys that are left out stay as they are. */
export function setEnterprise(draft: UserDraft, value: unknown): void {
  const extension = parseObject(value, 'enterprise');
  for (const [key, part] of Object.entries(extension)) {
    if (key === 'manager') setManager(draft, part);
    else if (isOneOf(enterpriseStrings, key)) setProfileField(draft, key, part);
    else reportUnfit(draft, key);
  }
}

/** `manager` needs `managerId` (SCIM §4.6, documented); null clears. */
export function setManager(draft: UserDraft, value: unknown): void {
  if (value !== null && (!isObject(value) || value.managerId === undefined)) {
    throw new ScimError('improper_enterprise_schema_format');
  }
  setProfileField(draft, 'managerId', value === null ? null : value.managerId);
}

/** Slack's profile extension: `startDate` is its only key (SCIM §4.6, documented). */
export function setProfileExtension(draft: UserDraft, value: unknown): void {
  const extension: JsonObject = parseObject(value, 'profile');
  for (const [key, part] of Object.entries(extension)) {
    if (key === 'startDate') setProfileField(draft, 'startDate', part);
    else reportUnfit(draft, key);
  }
}

export function isOneOf<const Name extends string>(names: readonly Name[], text: string): text is Name {
  return names.some((name) => name === text);
}
