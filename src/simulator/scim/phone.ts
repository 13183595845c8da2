import { ScimError } from './scim-error';
import { type JsonObject, parseBoolean, parseEntries } from './value';

export interface Phones {
  /** Undefined: the request says nothing about this slot. */
  primaryPhone?: string | null;
  mobilePhone?: string | null;
}

interface PhoneEntry {
  readonly value: string | null;
  readonly isPrimary: boolean;
  readonly type: string | null;
}

/**
 * The slot of each number. Slack's labels are swapped: `type: "mobile"` goes to the primary slot and `type: "work"` to the
 * mobile one (SCIM §4.5, documented). `primary: true` is looked at first and keeps its slot (assumed).
 */
export function storePhones(value: unknown, options: { acceptsOne?: boolean } = {}): Phones {
  const entries = parseEntries(value, 'phoneNumbers', options).map(parsePhone);
  const hasPrimary = entries.some((entry) => entry.isPrimary);
  const phones: Phones = {};
  for (const entry of entries.filter(({ isPrimary }) => isPrimary)) phones.primaryPhone ??= entry.value;
  for (const entry of entries.filter(({ isPrimary }) => !isPrimary)) {
    const slot = slotOf(entry, hasPrimary, phones);
    if (slot) phones[slot] ??= entry.value;
  }
  return phones;
}

function slotOf(entry: PhoneEntry, hasPrimary: boolean, phones: Phones): keyof Phones | null {
  if (entry.type === 'mobile') return 'primaryPhone';
  if (entry.type === 'work') return 'mobilePhone';
  // Assumed: other types are kept nowhere, as only two slots exist.
  if (entry.type !== null) return null;
  return hasPrimary || phones.primaryPhone !== undefined ? 'mobilePhone' : 'primaryPhone';
}

function parsePhone(entry: JsonObject): PhoneEntry {
  if (entry.value !== undefined && entry.value !== null && typeof entry.value !== 'string') {
    throw new ScimError('phoneNumbers_invalid');
  }
  return {
    value: entry.value === undefined || entry.value === '' ? null : entry.value,
    isPrimary: entry.primary !== undefined && entry.primary !== null && parseBoolean(entry.primary, 'phoneNumbers'),
    type: typeof entry.type === 'string' ? entry.type.toLowerCase() : null,
  };
}
