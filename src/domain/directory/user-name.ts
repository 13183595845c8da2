import { createHash } from 'node:crypto';
import { transliterate } from '../../shared/transliteration';

/** Slack's handles have at most 21 characters. */
export const LONGEST_USER_NAME = 21;

/** Tried with numbers behind them, up to this one. */
const LAST_NUMBER = 9;

/**
 * The user name that Slack would make of a text: the part before an `@`, lower case, every character but letters, digits,
 * `.`, `_` and `-` replaced by `_`. Slack refuses longer names than 21 characters, so the result is cut there.
 * @returns '' when nothing is left to make a name of.
 */
export function deriveUserName(emailOrName: string): string {
  const [localPart = ''] = emailOrName.trim().split('@');
  return normalizeUserName(localPart).slice(0, LONGEST_USER_NAME);
}

/** As Slack stores a name it was given, except that nothing is cut off: over-long names are refused there. */
export function normalizeUserName(userName: string): string {
  const [localPart = ''] = userName.trim().split('@');
  return localPart.toLowerCase().replace(/[^a-z0-9._-]/g, '_');
}

/**
 * A user name made of a person's name or an address: in Latin letters, blanks as dots, apostrophes left out, no dots,
 * dashes or underscores at the ends. Making a name of it again changes nothing.
 * @returns '' when nothing is left, as of a name in a script that is not transliterated.
 */
export function userNameFromText(text: string): string {
  const [localPart = ''] = transliterate(text).trim().split('@');
  const name = localPart
    .toLowerCase()
    .replace(/['`]/g, '')
    .replace(/\s+/g, '.')
    .replace(/[^a-z0-9._-]/g, '_')
    .replace(/([._-])\1+/g, '$1');
  return withoutEnds(withoutEnds(name).slice(0, LONGEST_USER_NAME));
}

/**
 * The names to try in turn for an account that is to be made, when a derived name is not free: the name itself, with the
 * numbers 2 to 9 behind it, and at last with letters that come of the address. They depend on nothing else, so whoever
 * has to take the work over tries the same ones. Each is made when it is asked for: nearly always the first is free.
 */
export function userNameCandidates(userName: string, email: string): Iterable<string> {
  return { [Symbol.iterator]: () => candidates(userName, email) };
}

function* candidates(userName: string, email: string): Generator<string> {
  yield userName;
  for (let number = 2; number <= LAST_NUMBER; number += 1) yield suffixed(userName, String(number));
  const digest = createHash('sha256').update(email.trim().toLowerCase()).digest('hex');
  for (const part of [digest.slice(0, 6), digest.slice(6, 12)]) yield `${stem(userName, 7)}-${part}`;
}

function suffixed(userName: string, number: string): string {
  const cut = stem(userName, number.length);
  // Ada1 and a 2 would read as Ada12, who may be somebody else.
  return /\d$/.test(cut) ? `${stem(userName, number.length + 1)}-${number}` : `${cut}${number}`;
}

function stem(userName: string, room: number): string {
  return userName.slice(0, LONGEST_USER_NAME - room).replace(/[._-]+$/, '') || 'user';
}

function withoutEnds(name: string): string {
  return name.replace(/^[._-]+|[._-]+$/g, '');
}
