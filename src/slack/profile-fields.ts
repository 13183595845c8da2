import type { PhoneNumber, PostalAddress, ProfileField } from '../domain/directory/user';
import { InvalidInput } from '../domain/errors';

/** Parts of the one postal address that Slack stores. */
export const addressParts = ['streetAddress', 'locality', 'region', 'postalCode', 'country'] as const;
export type AddressPart = (typeof addressParts)[number];

/**
 * The keys of profile fields that stand for a SCIM attribute of their own. Any other key is a member of Slack's profile
 * extension under that name.
 */
export const knownProfileFieldKeys = [
  'honorificPrefix',
  'role',
  'mobilePhone',
  'profileUrl',
  'address.streetAddress',
  'address.locality',
  'address.region',
  'address.postalCode',
  'address.country',
] as const;
export type KnownProfileFieldKey = (typeof knownProfileFieldKeys)[number];

export interface SortedProfileFields {
  /** undefined: not mentioned; '': to be cleared. */
  readonly known: ReadonlyMap<KnownProfileFieldKey, string>;
  readonly custom: ReadonlyMap<string, string>;
}

/** RFC 7643 §2.1. It also keeps a key from ending a PATCH path early. */
const attributeName = /^[A-Za-z][A-Za-z0-9$_-]*$/;
/** Fields of a person that have an input of their own; a second way to write them could contradict the first. */
const namesWithOwnInput: readonly string[] = ['startDate', 'schemas', 'id', 'externalId', 'meta'];

/** @throws InvalidInput for a key that cannot be an attribute's name. */
export function sortProfileFields(fields: readonly ProfileField[]): SortedProfileFields {
  const known = new Map<KnownProfileFieldKey, string>();
  const custom = new Map<string, string>();
  for (const { key, value } of fields) {
    if (isKnown(key)) known.set(key, value);
    else if (attributeName.test(key) && !namesWithOwnInput.includes(key)) custom.set(key, value);
    else {
      throw new InvalidInput('A profile field has a key that Slack cannot store.', {
        remedy: `Use one of ${knownProfileFieldKeys.join(', ')}, or a name of letters, digits, - and _ that begins with a letter. The start date has a field of its own.`,
      });
    }
  }
  return { known, custom };
}

/** What a person's other attributes say in terms of profile fields. */
export interface ProfileFieldSources {
  readonly honorificPrefix?: string;
  readonly role?: string;
  readonly phoneNumbers: readonly PhoneNumber[];
  readonly addresses: readonly PostalAddress[];
  readonly custom: readonly ProfileField[];
}

/** The inverse of sortProfileFields, but for `profileUrl`: everybody has one, and a person has a field for it. */
export function readProfileFields(sources: ProfileFieldSources): ProfileField[] {
  const { honorificPrefix, role, phoneNumbers, addresses, custom } = sources;
  const [address = {}] = addresses;
  const known: readonly (readonly [KnownProfileFieldKey, string | undefined])[] = [
    ['honorificPrefix', honorificPrefix],
    ['role', role],
    ['mobilePhone', phoneNumbers.find(({ kind }) => kind === 'MOBILE')?.value],
    ...addressParts.map((part) => [`address.${part}`, address[part]] as const),
  ];
  return [...known.flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }])), ...custom];
}

/** The address that the fields describe, on top of the one that is there. undefined when no field touches it. */
export function mergedAddress(
  known: SortedProfileFields['known'],
  current: PostalAddress | undefined,
): PostalAddress | undefined {
  const touched = addressParts.filter((part) => known.has(`address.${part}`));
  if (touched.length === 0) return undefined;
  const entries = addressParts.map((part) => [part, known.get(`address.${part}`) ?? current?.[part]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== ''));
}

function isKnown(key: string): key is KnownProfileFieldKey {
  return (knownProfileFieldKeys as readonly string[]).includes(key);
}
