import { primaryEmailOf, type UserChanges, type UserDraft } from '../domain/directory/user';
import { type PatchContext, profileFieldsOf } from './user-patch';
import {
  enterpriseFields,
  guestOf,
  mobilePhone,
  plainFields,
  primaryPhone,
  userAttributes,
  withSchemas,
} from './user-writing';
import { isObject, listIn, objectIn, textIn, urns, type WireObject } from './wire';

/** Set by the server alone, or, for groups, changed elsewhere. */
const readOnlyAttributes: readonly string[] = ['meta', 'groups', 'schemas'];

/**
 * The whole account with the changes applied, for a server without PATCH. It starts from the resource as it came, since
 * a PUT blanks whatever it leaves out.
 * @throws InvalidInput as patchOperations does for profile fields.
 */
export function replacementBody(resource: WireObject, changes: UserChanges, context: PatchContext): object {
  const { current, active } = context;
  const profile = profileFieldsOf(changes, current);
  const kept = Object.fromEntries(Object.entries(resource).filter(([key]) => !readOnlyAttributes.includes(key)));
  const wanted = userAttributes({ ...setFields(changes), profileFields: addressInFull(context, profile) }, context);
  const merged: Record<string, unknown> = {
    ...kept,
    ...wanted,
    name: { ...objectIn(resource, 'name'), ...objectIn(wanted, 'name') },
    active: active ?? current.active,
  };
  if (typeof changes.userName === 'string') merged.userName = changes.userName;
  for (const urn of [urns.enterprise, urns.profile]) {
    if (isObject(kept[urn]) || isObject(wanted[urn]))
      merged[urn] = { ...objectIn(kept, urn), ...objectIn(wanted, urn) };
  }
  if (changes.guest) merged[urns.guest] = guestOf(changes.guest, current.guest);
  if (typeof changes.email === 'string') merged.emails = emailsWith(changes.email, resource, context);
  merged.phoneNumbers = phonesWith(changes, context, profile.known.get('mobilePhone'));
  return withSchemas(withoutCleared(merged, changes, [...profile.known, ...profile.custom]));
}

function setFields(changes: UserChanges): Partial<UserDraft> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null && value !== undefined));
}

/** A change of one part of the address must carry the others along. */
function addressInFull({ current }: PatchContext, { known, custom }: ReturnType<typeof profileFieldsOf>) {
  const fields = new Map<string, string>([...known, ...custom]);
  for (const { key, value } of current.profileFields) {
    if (key.startsWith('address.') && !fields.has(key)) fields.set(key, value);
  }
  return [...fields].map(([key, value]) => ({ key, value }));
}

function emailsWith(email: string, resource: WireObject, { current }: PatchContext): unknown[] {
  const old = primaryEmailOf(current);
  const others = listIn(resource, 'emails').filter((entry) => {
    const value = textIn(entry, 'value');
    return value !== undefined && value !== old && value !== email;
  });
  return [{ value: email, type: 'work', primary: true }, ...others];
}

/** Written anew, since the labels of an answer mean something else in a request. */
function phonesWith({ phoneNumber }: UserChanges, context: PatchContext, mobile: string | undefined): object[] {
  const { current } = context;
  const held = (kind: string) => current.phoneNumbers.find((phone) => phone.kind === kind)?.value;
  const primaryNumber = phoneNumber === undefined ? held('PRIMARY') : (phoneNumber ?? undefined);
  const mobileNumber = mobile ?? held('MOBILE');
  const others = current.phoneNumbers.filter(({ kind }) => kind === 'OTHER').map(({ value }) => ({ value }));
  return [
    ...(primaryNumber ? [primaryPhone(primaryNumber)] : []),
    ...(mobileNumber ? [mobilePhone(mobileNumber, context)] : []),
    ...others,
  ];
}

type ClearedPath = readonly [string] | readonly [string, string];

/** Where each field of a person lies in the resource. */
const pathsByField: Readonly<Record<string, ClearedPath>> = {
  ...Object.fromEntries(plainFields.map((field) => [field, [field] as const])),
  ...Object.fromEntries(enterpriseFields.map((field) => [field, [urns.enterprise, field] as const])),
  managerSlackId: [urns.enterprise, 'manager'],
  startDate: [urns.profile, 'startDate'],
  givenName: ['name', 'givenName'],
  familyName: ['name', 'familyName'],
  photoUrl: ['photos'],
  guest: [urns.guest],
};
const pathsByProfileField: Readonly<Record<string, ClearedPath>> = {
  honorificPrefix: ['name', 'honorificPrefix'],
  role: ['roles'],
  profileUrl: ['profileUrl'],
};

function withoutCleared(
  merged: Record<string, unknown>,
  changes: UserChanges,
  profileFields: readonly (readonly [string, string])[],
): Record<string, unknown> {
  const fields = Object.entries(changes).filter(([, value]) => value === null || value === '');
  const cleared = [
    ...fields.map(([field]) => pathsByField[field]),
    ...profileFields
      .filter(([key, value]) => value === '' && !key.startsWith('address.') && key !== 'mobilePhone')
      .map(([key]) => pathsByProfileField[key] ?? ([urns.profile, key] as const)),
  ];
  const result = { ...merged };
  for (const path of cleared) {
    if (path === undefined) continue;
    const [attribute, member] = path;
    if (member === undefined) delete result[attribute];
    else result[attribute] = without(objectIn(result, attribute), member);
  }
  if (profileFields.some(([key]) => key.startsWith('address.')) && !listHasAddress(profileFields)) {
    delete result.addresses;
  }
  return result;
}

function listHasAddress(profileFields: readonly (readonly [string, string])[]): boolean {
  return profileFields.some(([key, value]) => key.startsWith('address.') && value !== '');
}

function without(members: WireObject, key: string): WireObject {
  return Object.fromEntries(Object.entries(members).filter(([name]) => name !== key));
}
