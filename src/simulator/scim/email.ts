import { ScimError } from './scim-error';
import { type JsonObject, parseBoolean, parseEntries } from './value';

export interface EmailEntry {
  readonly value: string;
  readonly isPrimary: boolean;
  readonly type: string | null;
}

const addressForm = /^[^\s@"<>,;]+@[^\s@"<>,;]+\.[^\s@"<>,;.]+$/u;
const longestAddress = 254;

/** @throws ScimError `email_empty`, `bad_email_address` (too long; assumed) or `email_invalid`. */
export function parseAddress(value: unknown): string {
  if (value === undefined || value === null || value === '') throw new ScimError('email_empty');
  if (typeof value !== 'string') throw new ScimError('emails_invalid');
  const address = value.trim();
  if (address === '') throw new ScimError('email_empty');
  if (address.length > longestAddress) throw new ScimError('bad_email_address');
  if (!addressForm.test(address)) throw new ScimError('email_invalid', `email=${address}`);
  return address;
}

export function parseEmails(value: unknown, options: { acceptsOne?: boolean } = {}): EmailEntry[] {
  return parseEntries(value, 'emails', options).map(parseEmail);
}

export function parseEmail(entry: JsonObject): EmailEntry {
  return {
    value: parseAddress(entry.value),
    isPrimary: entry.primary !== undefined && entry.primary !== null && parseBoolean(entry.primary, 'emails'),
    type: typeof entry.type === 'string' ? entry.type.toLowerCase() : null,
  };
}

/**
 * Which address becomes the primary one: `primary: true`, else `type: "work"`, else the first; of the others only the first is
 * kept (SCIM §4.4, documented).
 */
export function selectEmails(entries: readonly EmailEntry[]): { primary: string; secondary: string | null } | null {
  const chosen =
    entries.find((entry) => entry.isPrimary) ?? entries.find((entry) => entry.type === 'work') ?? entries[0];
  if (!chosen) return null;
  const other = entries.find((entry) => !sameAddress(entry.value, chosen.value));
  return { primary: chosen.value, secondary: other?.value ?? null };
}

/** Letter case does not tell addresses apart, though it is kept (assumed). */
export function sameAddress(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
