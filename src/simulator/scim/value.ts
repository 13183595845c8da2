import { ScimError } from './scim-error';

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A singular string, with null as blank. Lists and objects are refused (SCIM §4.2, documented). */
export function parseText(value: unknown, attribute: string): string {
  if (value === null) return '';
  if (typeof value !== 'string') throw new ScimError('invalid_attribute_format', attribute);
  return value;
}

/** A boolean; the words are taken too, as the schema calls `active` a string (SCIM §4.2; accepting them is assumed). */
export function parseBoolean(value: unknown, attribute: string): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  throw new ScimError('invalid_attribute_format', attribute);
}

export function parseObject(value: unknown, attribute: string): JsonObject {
  if (!isObject(value)) throw new ScimError('invalid_attribute_format', attribute);
  return value;
}

/**
 * Entries of a multi-valued attribute.
 * @param options.acceptsOne PATCH takes a single entry as well (SCIM §4.4, documented).
 * @throws ScimError `invalid_attribute_format` when it is no list, `<attribute>_invalid` when an entry is no object.
 */
export function parseEntries(value: unknown, attribute: string, { acceptsOne = false } = {}): JsonObject[] {
  if (value === null) return [];
  const list: unknown = acceptsOne && isObject(value) ? [value] : value;
  if (!Array.isArray(list)) throw new ScimError('invalid_attribute_format', attribute);
  return list.map((entry) => {
    if (!isObject(entry)) throw new ScimError(`${attribute}_invalid`);
    return entry;
  });
}

/** A date or an instant of ISO 8601, with `Z`, `+0000` or `-07:00` (SCIM §4.6, documented forms). */
export function isIsoDate(text: string): boolean {
  const form = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
  return (
    form.test(text) &&
    !Number.isNaN(
      Date.parse(
        text.replace(/([+-]\d{2})(\d{2})$/, (match, hours, minutes) =>
          text.includes('T') ? `${hours}:${minutes}` : match,
        ),
      ),
    )
  );
}
