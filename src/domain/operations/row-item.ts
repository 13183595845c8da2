import type { GroupSelector } from '../directory/group';
import type { UserDraft, UserSelector } from '../directory/user';
import { textFields as draftTextFields } from '../directory/user-draft';
import { InvalidInput } from '../errors';
import type { ItemWork } from './operation-item';

type Row = Readonly<Record<string, unknown>>;

const textFields = ['userName', ...draftTextFields] as const satisfies readonly (keyof UserDraft)[];

const selectorFields = ['slackId', 'email', 'userName'] as const;
const ownFields: ReadonlySet<string> = new Set([
  ...textFields,
  'email',
  'startDate',
  'guest',
  'groups',
  'profileFields',
]);
const PROFILE_PREFIX = 'profileFields.';

/**
 * A person to provision, from a row of a file: the fields of UserInput. `profileFields.<key>` is one profile field; `groups`
 * is a list, or names separated by `;`. Values are checked when the item is carried out.
 * @throws InvalidInput for a field that there is not, or of the wrong kind
 */
export function provisionWorkOf(row: Row, number: number): ItemWork {
  const stray = Object.keys(row).find((name) => !ownFields.has(name) && !name.startsWith(PROFILE_PREFIX));
  if (stray !== undefined)
    throw new InvalidInput(`Row ${number} has a field that there is not: ${stray.slice(0, 80)}.`);
  const fields: Partial<Record<(typeof textFields)[number], string>> = {};
  for (const field of textFields) {
    const text = textOf(row, field, number);
    if (text !== undefined) fields[field] = text;
  }
  const startDate = instantOf(row.startDate, 'startDate', number);
  const profileFields = profileFieldsOf(row, number);
  const user: UserDraft = {
    ...fields,
    email: textOf(row, 'email', number) ?? '',
    ...(startDate ? { startDate } : {}),
    ...(profileFields.length > 0 ? { profileFields } : {}),
    ...guestOf(row.guest, number),
  };
  return { action: 'provisionUser', user, groups: groupsOf(row.groups, number) };
}

/** A person to deprovision, from a row with `slackId`, `email` or `userName`; the first of them that is given counts. */
export function deprovisionWorkOf(row: Row, number: number): ItemWork {
  const [slackId, email, userName] = selectorFields.map((field) => textOf(row, field, number));
  const user: UserSelector | undefined =
    slackId !== undefined
      ? { slackId }
      : email !== undefined
        ? { email }
        : userName !== undefined
          ? { userName }
          : undefined;
  if (user) return { action: 'deprovisionUser', user };
  throw new InvalidInput(`Row ${number} names nobody.`, { remedy: `Give one of ${selectorFields.join(', ')}.` });
}

function textOf(row: Row, field: string, number: number): string | undefined {
  const value = row[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw wrongKind(field, number);
}

function instantOf(value: unknown, field: string, number: number): Date | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const instant = new Date(typeof value === 'string' ? value : Number.NaN);
  if (Number.isNaN(instant.getTime())) throw wrongKind(field, number);
  return instant;
}

function guestOf(value: unknown, number: number): Pick<UserDraft, 'guest'> {
  if (value === undefined || value === null || value === '' || value === 'false' || value === false) return {};
  if (value === true || value === 'true') return { guest: {} };
  if (typeof value !== 'object') throw wrongKind('guest', number);
  return { guest: { expiresAt: instantOf(Reflect.get(value, 'expiresAt'), 'guest', number) } };
}

function profileFieldsOf(row: Row, number: number): { key: string; value: string }[] {
  const listed = row.profileFields ?? [];
  if (!Array.isArray(listed)) throw wrongKind('profileFields', number);
  const own = listed.map((entry: unknown) => {
    const { key, value } = (typeof entry === 'object' && entry !== null ? entry : {}) as Row;
    if (typeof key !== 'string' || typeof value !== 'string') throw wrongKind('profileFields', number);
    return { key, value };
  });
  const named = Object.keys(row)
    .filter((name) => name.startsWith(PROFILE_PREFIX))
    .map((name) => ({ key: name.slice(PROFILE_PREFIX.length), value: textOf(row, name, number) ?? '' }))
    .filter(({ value }) => value !== '');
  return [...own, ...named];
}

function groupsOf(value: unknown, number: number): GroupSelector[] | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const groups: unknown[] = typeof value === 'string' ? value.split(';') : Array.isArray(value) ? value : [undefined];
  return groups.map((group) => {
    if (typeof group === 'string') return { name: group.trim() };
    const { slackId, name } = (typeof group === 'object' && group !== null ? group : {}) as Row;
    if (typeof slackId === 'string') return { slackId };
    if (typeof name === 'string') return { name };
    throw wrongKind('groups', number);
  });
}

function wrongKind(field: string, number: number): InvalidInput {
  return new InvalidInput(`Row ${number} has a value of the wrong kind in "${field}".`);
}
