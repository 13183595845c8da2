import { InvalidInput } from '../errors';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A person as the partner's system knows them: attributes with any names, which may hold objects and lists. */
export type SourceRecord = { readonly [key: string]: JsonValue };

const DEEPEST_RECORD = 8;
const MOST_VALUES = 2_000;

/**
 * Checks that a record is one that can be read within bounds.
 * @throws InvalidInput
 */
export function parseRecord(record: unknown, path: readonly string[]): SourceRecord {
  if (!isObject(record)) throw new InvalidInput('A record is an object with the attributes of one person.', { path });
  let values = 0;
  const waiting: { value: unknown; depth: number }[] = [{ value: record, depth: 0 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, depth } = next;
    values += 1;
    if (values > MOST_VALUES || depth > DEEPEST_RECORD) {
      throw new InvalidInput(
        `A record has at most ${MOST_VALUES} values, nested at most ${DEEPEST_RECORD} levels deep.`,
        { path, remedy: 'Send the attributes that the mapping reads, without the rest.' },
      );
    }
    if (typeof value !== 'object' || value === null) continue;
    for (const member of Object.values(value)) waiting.push({ value: member, depth: depth + 1 });
  }
  return record as SourceRecord;
}

/**
 * What stands at a path such as `work.address.city` or `emails.0.value`. A key that contains the dots itself comes first,
 * as columns of a table do. Only what the record itself holds is found, nothing that every object has.
 */
export function valueAt(record: SourceRecord, path: string): JsonValue | undefined {
  let value: JsonValue = record;
  let rest = path;
  for (;;) {
    if (typeof value !== 'object' || value === null) return undefined;
    const whole = member(value, rest);
    if (whole !== undefined) return whole;
    const dot = rest.indexOf('.');
    if (dot === -1) return undefined;
    const next = member(value, rest.slice(0, dot));
    if (next === undefined) return undefined;
    value = next;
    rest = rest.slice(dot + 1);
  }
}

/** A plain value as text; undefined for null, objects and lists. */
export function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function member(value: object, key: string): JsonValue | undefined {
  if (Array.isArray(value) && !/^\d{1,4}$/.test(key)) return undefined;
  return Object.hasOwn(value, key) ? ((value as Record<string, JsonValue>)[key] ?? null) : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
