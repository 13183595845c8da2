import { enterpriseUrn, groupUrn, guestUrn, listUrn, profileUrn, userUrn } from './urns';

/** One attribute: name, what it is, and how it differs from an optional string that can be read and written. */
interface AttributeRow {
  readonly name: string;
  readonly about: string;
  readonly type?: 'complex' | 'boolean' | 'datetime';
  readonly mutability?: 'readOnly' | 'writeOnly' | 'immutable';
  readonly returned?: 'always' | 'never';
  readonly uniqueness?: 'server' | 'global';
  readonly isRequired?: boolean;
  /** Name of one entry: set for lists. */
  readonly entry?: string;
  readonly canonicalValues?: readonly string[];
  readonly parts?: readonly AttributeRow[];
  /** Slack writes `subattributes` in one place (SCIM §11, recorded). */
  readonly partsKey?: 'subattributes';
}

const primaryRow: AttributeRow = { name: 'primary', type: 'boolean', about: 'True for the preferred entry.' };
const hiddenPrimaryRow: AttributeRow = { ...primaryRow, returned: 'never' };
const valueRow: AttributeRow = { name: 'value', about: 'The value itself. REQUIRED.', isRequired: true };
const kinds = ['work', 'home', 'other'] as const;

function strings(names: readonly string[], about: string): AttributeRow[] {
  return names.map((name) => ({ name, about }));
}

const userRows: readonly AttributeRow[] = [
  {
    name: 'id',
    about: 'Stable id, issued by Slack.',
    mutability: 'readOnly',
    returned: 'always',
    uniqueness: 'global',
    isRequired: true,
  },
  { name: 'userName', about: 'Handle, unique over people and channels.', uniqueness: 'server', isRequired: true },
  { name: 'nickName', about: 'Mirrors userName.' },
  {
    name: 'name',
    type: 'complex',
    about: 'The parts of the name.',
    parts: strings(['familyName', 'givenName', 'honorificPrefix'], 'A part of the name.'),
  },
  {
    name: 'emails',
    type: 'complex',
    entry: 'email',
    isRequired: true,
    about: 'Addresses; two are kept.',
    parts: [valueRow, { name: 'type', about: 'Kind of address.', canonicalValues: kinds }, primaryRow],
  },
  {
    name: 'photos',
    type: 'complex',
    entry: 'photo',
    about: 'Pictures; one is kept.',
    parts: [
      valueRow,
      { name: 'type', about: 'Kind of picture.', canonicalValues: ['photo', 'thumbnail'] },
      hiddenPrimaryRow,
    ],
  },
  {
    name: 'groups',
    type: 'complex',
    entry: 'group',
    mutability: 'readOnly',
    about: 'Groups of the person.',
    partsKey: 'subattributes',
    parts: [
      { ...valueRow, mutability: 'readOnly' },
      { name: 'display', about: 'Name of the group.', mutability: 'readOnly' },
    ],
  },
  { name: 'active', about: 'False for a deactivated account.' },
  {
    name: 'addresses',
    type: 'complex',
    entry: 'address',
    about: 'Postal addresses; one is kept.',
    parts: [
      ...strings(['streetAddress', 'locality', 'region', 'postalCode', 'country'], 'A part of the address.'),
      { name: 'type', about: 'Kind of address.', returned: 'never', canonicalValues: kinds },
      hiddenPrimaryRow,
    ],
  },
  {
    name: 'phoneNumbers',
    type: 'complex',
    entry: 'phoneNumber',
    about: 'Phone numbers; two are kept.',
    parts: [
      valueRow,
      { name: 'type', about: 'Kind of number.', canonicalValues: ['work', 'home', 'mobile', 'pager', 'fax', 'other'] },
      primaryRow,
    ],
  },
  ...strings(['displayName', 'profileUrl', 'userType', 'title', 'preferredLanguage', 'locale', 'timezone'], 'A text.'),
  { name: 'password', about: 'Taken on creation only.', mutability: 'writeOnly', returned: 'never' },
  {
    name: 'roles',
    type: 'complex',
    entry: 'role',
    about: 'Roles; one is kept.',
    parts: [{ name: 'value', about: 'The role.' }, { name: 'type', about: 'Kind of role.' }, primaryRow],
  },
];

const groupRows: readonly AttributeRow[] = [
  {
    name: 'id',
    about: 'Stable id, issued by Slack.',
    mutability: 'readOnly',
    returned: 'always',
    uniqueness: 'global',
    isRequired: true,
  },
  {
    name: 'displayName',
    about: 'Name of the group. REQUIRED.',
    returned: 'always',
    uniqueness: 'server',
    isRequired: true,
  },
  {
    name: 'members',
    type: 'complex',
    entry: 'member',
    isRequired: true,
    about: 'Members, by user id.',
    parts: [
      { ...valueRow, mutability: 'immutable' },
      { name: 'display', about: 'Name of the member.', mutability: 'immutable' },
    ],
  },
];

const extensionRows: readonly AttributeRow[] = [
  {
    name: enterpriseUrn,
    type: 'complex',
    entry: '',
    about: 'The enterprise extension.',
    parts: [
      ...strings(['employeeNumber', 'costCenter', 'organization', 'division', 'department'], 'A text.'),
      {
        name: 'manager',
        type: 'complex',
        about: 'The manager.',
        parts: strings(['managerId'], 'User id of the manager.'),
      },
    ],
  },
  {
    name: guestUrn,
    type: 'complex',
    about: 'The guest extension.',
    parts: [
      { name: 'type', about: 'multi for a multi channel guest.', isRequired: true },
      { name: 'expiration', type: 'datetime', about: 'End of the account.' },
      {
        name: 'channels',
        type: 'complex',
        entry: 'channel',
        about: 'Channels of the guest.',
        parts: [
          { ...valueRow, mutability: 'readOnly' },
          { name: 'display', about: 'Name of the channel.', mutability: 'readOnly' },
        ],
      },
    ],
  },
];

const profileRow: AttributeRow = { name: 'startDate', type: 'datetime', about: 'First day of work.' };

function attribute(row: AttributeRow): object {
  return {
    name: row.name,
    type: row.type ?? 'string',
    multiValued: row.entry !== undefined,
    ...(row.entry ? { multiValuedAttributeChildName: row.entry } : {}),
    description: row.about,
    mutability: row.mutability ?? 'readWrite',
    returned: row.returned ?? 'default',
    uniqueness: row.uniqueness ?? 'none',
    required: row.isRequired ?? false,
    caseExact: false,
    ...(row.canonicalValues ? { canonicalValues: row.canonicalValues } : {}),
    ...(row.parts ? { [row.partsKey ?? 'subAttributes']: row.parts.map(attribute) } : {}),
  };
}

function schemaDocument(id: string, name: 'User' | 'Group', attributes: readonly unknown[]): object {
  // The location lacks `/scim` (SCIM §11, recorded).
  const meta = { resourceType: 'schema', location: `/v2/Schemas/${id}` };
  return { id, name, description: `Core ${name}`, attributes, meta };
}

/**
 * The user schema. Slack flattens the extensions into bare values inside `attributes`, and still calls the profile extension by
 * its first version (SCIM §11, recorded), so a client must read the list defensively.
 */
export function userSchema(): object {
  const bareValues = extensionRows.flatMap((row) => Object.values(attribute(row)));
  const profile = [
    profileUrn,
    'complex',
    false,
    'The profile extension.',
    'urn:scim:schemas:extension:slack:profile:1.0',
  ];
  const bareProfile = [...profile, false, false, false, [attribute(profileRow)]];
  return schemaDocument(userUrn, 'User', [...userRows.map(attribute), ...bareValues, ...bareProfile]);
}

export function groupSchema(): object {
  return schemaDocument(groupUrn, 'Group', groupRows.map(attribute));
}

export function schemaList(): object {
  return { schemas: [listUrn], Resources: [userSchema(), groupSchema()] };
}
