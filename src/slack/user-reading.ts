import type {
  DirectoryUser,
  EmailAddress,
  Employment,
  GroupReference,
  GuestStatus,
  PhoneNumber,
  PostalAddress,
  ProfileField,
} from '../domain/directory/user';
import { addressParts, readProfileFields } from './profile-fields';
import { flagIn, instantIn, isObject, listIn, objectIn, textIn, urns } from './wire';

/**
 * A SCIM user in our words. Takes Slack's two shapes (with blank profile fields and without any) and standard servers'
 * users: nothing but the id is relied upon, and blanks read as absent.
 * @returns undefined when the value is no user.
 */
export function readUser(value: unknown): DirectoryUser | undefined {
  const slackId = textIn(value, 'id');
  if (slackId === undefined) return undefined;
  const name = objectIn(value, 'name');
  const honorificPrefix = textIn(name, 'honorificPrefix');
  const phoneNumbers = readPhoneNumbers(value);
  const addresses = readAddresses(value);
  return {
    slackId,
    userName: textIn(value, 'userName') ?? textIn(value, 'nickName') ?? '',
    active: flagIn(value, 'active') ?? true,
    displayName: textIn(value, 'displayName'),
    givenName: textIn(name, 'givenName'),
    familyName: textIn(name, 'familyName'),
    honorificPrefix,
    emails: readEmails(value),
    title: textIn(value, 'title'),
    timezone: textIn(value, 'timezone'),
    locale: textIn(value, 'locale'),
    preferredLanguage: textIn(value, 'preferredLanguage'),
    userType: textIn(value, 'userType'),
    photoUrl: valuesOf(value, 'photos')[0],
    profileUrl: textIn(value, 'profileUrl'),
    phoneNumbers,
    addresses,
    employment: readEmployment(value),
    profileFields: readProfileFields({
      honorificPrefix,
      role: valuesOf(value, 'roles')[0],
      phoneNumbers,
      addresses,
      custom: readCustomFields(value),
    }),
    guest: readGuest(value),
    groups: readGroups(value),
    createdAt: instantIn(objectIn(value, 'meta'), 'created'),
  };
}

/** Values of a multi-valued attribute; Slack takes and others return plain strings in place of objects. */
function valuesOf(value: unknown, attribute: string): string[] {
  return listIn(value, attribute).flatMap((entry) => entryValue(entry) ?? []);
}

function entryValue(entry: unknown): string | undefined {
  return isObject(entry) ? textIn(entry, 'value') : textIn({ entry }, 'entry');
}

/** Exactly one is primary: the one that says so, else the work address, else the first, as Slack itself chooses. */
function readEmails(value: unknown): EmailAddress[] {
  const entries = listIn(value, 'emails').flatMap((entry) => {
    const address = entryValue(entry);
    return address === undefined ? [] : [{ address, says: flagIn(entry, 'primary'), type: textIn(entry, 'type') }];
  });
  const primary =
    entries.find(({ says }) => says === true) ?? entries.find(({ type }) => type === 'work') ?? entries[0];
  return entries.map((entry) => ({ value: entry.address, primary: entry === primary }));
}

/** The addresses of a SCIM user, primary and secondary. */
export function readAddressesOf(value: unknown): string[] {
  return listIn(value, 'emails').flatMap((entry) => entryValue(entry) ?? []);
}

/** Slack labels its two slots `primary: true` and `type: "mobile"` in answers. */
function readPhoneNumbers(value: unknown): PhoneNumber[] {
  return listIn(value, 'phoneNumbers').flatMap((entry): PhoneNumber[] => {
    const number = entryValue(entry);
    if (number === undefined) return [];
    if (flagIn(entry, 'primary') === true) return [{ value: number, kind: 'PRIMARY' }];
    return [{ value: number, kind: textIn(entry, 'type')?.toLowerCase() === 'mobile' ? 'MOBILE' : 'OTHER' }];
  });
}

function readAddresses(value: unknown): PostalAddress[] {
  return listIn(value, 'addresses').flatMap((entry) => {
    const parts = addressParts.flatMap((part) => {
      const text = textIn(entry, part);
      return text === undefined ? [] : [[part, text] as const];
    });
    return parts.length === 0 ? [] : [Object.fromEntries(parts)];
  });
}

function readEmployment(value: unknown): Employment {
  const enterprise = objectIn(value, urns.enterprise);
  const manager = objectIn(enterprise, 'manager');
  return {
    employeeNumber: textIn(enterprise, 'employeeNumber'),
    costCenter: textIn(enterprise, 'costCenter'),
    organization: textIn(enterprise, 'organization'),
    division: textIn(enterprise, 'division'),
    department: textIn(enterprise, 'department'),
    // RFC 7643 names it `value`, and some servers write the id in place of the object.
    managerSlackId: textIn(manager, 'managerId') ?? textIn(manager, 'value') ?? textIn(enterprise, 'manager'),
    startDate: instantIn(objectIn(value, urns.profile), 'startDate'),
  };
}

function readCustomFields(value: unknown): ProfileField[] {
  const profile = objectIn(value, urns.profile);
  return Object.keys(profile).flatMap((key) => {
    const text = key === 'startDate' ? undefined : textIn(profile, key);
    return text === undefined ? [] : [{ key, value: text }];
  });
}

const guestKinds: Readonly<Record<string, GuestStatus['kind']>> = { multi: 'MULTI_CHANNEL', single: 'SINGLE_CHANNEL' };

function readGuest(value: unknown): GuestStatus | undefined {
  const guest = isObject(value) ? value[urns.guest] : undefined;
  if (!isObject(guest)) return undefined;
  const type = textIn(guest, 'type')?.toLowerCase() ?? '';
  return {
    kind: Object.hasOwn(guestKinds, type) ? (guestKinds[type] ?? 'UNKNOWN') : 'UNKNOWN',
    expiresAt: instantIn(guest, 'expiration'),
  };
}

function readGroups(value: unknown): GroupReference[] {
  return listIn(value, 'groups').flatMap((entry) => {
    const slackId = entryValue(entry);
    return slackId === undefined ? [] : [{ slackId, name: textIn(entry, 'display') }];
  });
}
