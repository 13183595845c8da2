import { InvalidInput, UserNameInvalid } from '../errors';
import type { ProfileField, UserChanges, UserDraft } from './user';
import { deriveUserName, LONGEST_USER_NAME, normalizeUserName } from './user-name';

/** Longer than anything Slack stores in a profile field; beyond it a request is a mistake or an attack. */
const LONGEST_TEXT = 1000;
const LONGEST_DISPLAY_NAME = 80;
const LONGEST_EMAIL = 254;
const MOST_PROFILE_FIELDS = 50;

/** Fields of a draft that are plain texts, but for the two that name the person. */
export const textFields = [
  'displayName',
  'givenName',
  'familyName',
  'title',
  'timezone',
  'locale',
  'preferredLanguage',
  'userType',
  'phoneNumber',
  'photoUrl',
  'employeeNumber',
  'costCenter',
  'organization',
  'division',
  'department',
  'managerSlackId',
] as const satisfies readonly (keyof UserDraft)[];

export type NamedUserDraft = UserDraft & { readonly userName: string };

/**
 * Checks a draft and brings it into the form in which it is compared and sent: trimmed, blank fields left out, with a
 * user name, derived from the e-mail address when none is given.
 * @param path where the draft stands in the input, for the problem's path.
 * @param userNameWish what to derive a user name of in place of the address; '' for none.
 * @throws InvalidInput, UserNameInvalid
 */
export function parseDraft(draft: UserDraft, path: readonly string[], userNameWish = ''): NamedUserDraft {
  const email = parseEmail(draft.email, [...path, 'email']);
  const given = draft.userName?.trim() ? draft.userName : undefined;
  const parsed = parseChanges(Object.assign({}, draft, { email, userName: given }), path);
  const userName = parsed.userName ?? (userNameWish || deriveUserName(email));
  if (!isUsable(userName)) {
    throw new UserNameInvalid('No user name can be derived from this e-mail address.', {
      path: [...path, 'userName'],
      remedy: `Give a userName of at most ${LONGEST_USER_NAME} letters, digits, ".", "_" or "-".`,
    });
  }
  const fields = Object.entries(parsed).filter(([, value]) => value !== undefined && value !== null);
  return Object.assign(Object.fromEntries(fields) as Partial<UserDraft>, { email, userName });
}

/**
 * As parseDraft, for changes: `undefined` keeps, `null` and a blank text clear.
 * @throws InvalidInput, UserNameInvalid
 */
export function parseChanges(changes: UserChanges, path: readonly string[]): UserChanges {
  const parsed: { -readonly [Field in keyof UserChanges]: UserChanges[Field] } = { ...changes };
  for (const field of textFields) {
    const value = changes[field];
    if (typeof value !== 'string') continue;
    parsed[field] = parseText(value, [...path, field]) || null;
  }
  if (changes.email !== undefined) parsed.email = parseEmail(changes.email ?? '', [...path, 'email']);
  if (changes.userName !== undefined) parsed.userName = parseUserName(changes.userName, [...path, 'userName']);
  assertDisplayName(parsed.displayName, [...path, 'displayName']);
  assertUrl(parsed.photoUrl, [...path, 'photoUrl']);
  if (changes.profileFields) {
    parsed.profileFields = parseProfileFields(changes.profileFields, [...path, 'profileFields']);
  }
  return parsed;
}

function parseText(value: string, path: readonly string[]): string {
  const trimmed = value.trim();
  if (trimmed.length > LONGEST_TEXT) {
    throw new InvalidInput(`This text is longer than ${LONGEST_TEXT} characters.`, { path });
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(trimmed)) {
    throw new InvalidInput('This text contains control characters.', { path, remedy: 'Remove line breaks and tabs.' });
  }
  return trimmed;
}

function parseEmail(value: string, path: readonly string[]): string {
  const email = value.trim();
  if (email.length <= LONGEST_EMAIL && /^[^\s@"<>,;]+@[^\s@"<>,;]+\.[^\s@"<>,;]+$/.test(email)) return email;
  throw new InvalidInput('This is not an e-mail address.', {
    path,
    remedy: 'Give one plain address, such as ada@example.com.',
  });
}

function parseUserName(value: string | null, path: readonly string[]): string {
  if (value === null || value.trim() === '') {
    throw new InvalidInput('A user name can be changed, but not cleared.', {
      path,
      remedy: 'Leave it out to keep it.',
    });
  }
  const userName = normalizeUserName(value);
  if (!isUsable(userName)) {
    throw new UserNameInvalid('No user name can be made of this text.', {
      path,
      remedy: 'Give a userName with at least one letter or digit.',
    });
  }
  if (userName.length <= LONGEST_USER_NAME) return userName;
  throw new UserNameInvalid(`Slack's user names have at most ${LONGEST_USER_NAME} characters.`, {
    path,
    remedy: 'Give a shorter userName, or leave it out to have it derived from the e-mail address.',
  });
}

function isUsable(userName: string): boolean {
  return /[a-z0-9]/.test(userName);
}

function assertDisplayName(value: string | null | undefined, path: readonly string[]): void {
  if (typeof value !== 'string') return;
  if (value.length > LONGEST_DISPLAY_NAME) {
    throw new InvalidInput(`Slack's display names have at most ${LONGEST_DISPLAY_NAME} characters.`, { path });
  }
  if (value.includes('@')) throw new InvalidInput('Slack refuses "@" in a display name.', { path });
  if (/\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F/u.test(value)) {
    throw new InvalidInput('Slack refuses emoji in a display name.', { path });
  }
}

function assertUrl(value: string | null | undefined, path: readonly string[]): void {
  if (typeof value !== 'string') return;
  if (/^https?:\/\//i.test(value) && URL.canParse(value)) return;
  throw new InvalidInput('A photo is given as an http or https address.', { path });
}

function parseProfileFields(profileFields: readonly ProfileField[], path: readonly string[]): ProfileField[] {
  if (profileFields.length > MOST_PROFILE_FIELDS) {
    throw new InvalidInput(`Slack keeps at most ${MOST_PROFILE_FIELDS} profile fields.`, { path });
  }
  const seen = new Set<string>();
  return profileFields.map(({ key, value }, index) => {
    const place = [...path, String(index)];
    if (!/^[A-Za-z][A-Za-z0-9_.-]{0,79}$/.test(key)) {
      throw new InvalidInput('A profile field has a key of letters, digits, ".", "_" or "-".', {
        path: [...place, 'key'],
      });
    }
    if (seen.has(key)) throw new InvalidInput('This profile field is given twice.', { path: [...place, 'key'] });
    seen.add(key);
    return { key, value: parseText(value, [...place, 'value']) };
  });
}
