import { ScimError } from './scim-error';
import { enterpriseUrn, groupUrn, guestUrn, profileUrn, userUrn } from './urns';
import { isObject, type JsonObject } from './value';

export interface PatchPath {
  /** The extension's URN, or null for the core resource. */
  readonly urn: string | null;
  /** Empty when the path names a whole extension. */
  readonly attribute: string;
  /** `[value eq "…"]` */
  readonly filter: { readonly attribute: string; readonly value: string | boolean } | null;
  readonly sub: string | null;
}

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: PatchPath;
  /** Undefined when the operation has none. */
  readonly value: unknown;
}

const extensions = [enterpriseUrn, guestUrn, profileUrn];
const pathForm =
  /^([A-Za-z][A-Za-z0-9]*)(?:\[([A-Za-z]+) eq ("(?:[^"\\]|\\.)*"|'[^']*'|[^\]\s"']+)\])?(?:\.([A-Za-z][A-Za-z0-9]*))?$/;

/**
 * The operations of a PATCH, with an object value without path taken apart into one operation per key (SCIM §13.12).
 * `Operations` is capitalised; letter case of `op` does not matter (SCIM §6.4 documented, §13.12 assumed).
 * @throws ScimError `invalid_request_payload`
 */
export function parseOperations(body: JsonObject): PatchOperation[] {
  const { Operations: operations } = body;
  if (!Array.isArray(operations) || operations.length === 0)
    throw new ScimError('invalid_request_payload', 'Operations');
  return operations.flatMap(parseOperation);
}

function parseOperation(operation: unknown): PatchOperation[] {
  if (!isObject(operation)) throw new ScimError('invalid_request_payload', 'Operations');
  const op = typeof operation.op === 'string' ? operation.op.toLowerCase() : '';
  if (op !== 'add' && op !== 'replace' && op !== 'remove') throw new ScimError('invalid_request_payload', 'op');
  const { path, value } = operation;
  if (op !== 'remove' && value === undefined) throw new ScimError('invalid_request_payload', 'value');
  if (path !== undefined && path !== null) {
    if (typeof path !== 'string') throw new ScimError('invalid_request_payload', 'path');
    return [{ op, path: parsePath(path), value }];
  }
  if (op === 'remove' || !isObject(value)) throw new ScimError('invalid_request_payload', 'path');
  return Object.entries(value)
    .filter(([key]) => key !== 'schemas')
    .map(([key, part]) => ({ op, path: parsePath(key), value: part }));
}

/** After a URN both `:` (RFC 7644) and `.` (Slack) are taken; literals may be unquoted (SCIM §6.4, documented). */
export function parsePath(path: string): PatchPath {
  const urn = [...extensions, userUrn, groupUrn].find(
    (known) => path === known || path.startsWith(`${known}:`) || path.startsWith(`${known}.`),
  );
  const rest = urn === undefined ? path : path.slice(urn.length + 1);
  const extension = urn !== undefined && extensions.includes(urn) ? urn : null;
  if (rest === '' && extension !== null) return { urn: extension, attribute: '', filter: null, sub: null };
  const match = pathForm.exec(rest);
  const attribute = match?.[1];
  if (!match || attribute === undefined) throw new ScimError('invalid_request_payload', 'path');
  const [, , filterAttribute, literal, sub] = match;
  const filter =
    filterAttribute === undefined || literal === undefined
      ? null
      : { attribute: filterAttribute, value: parseLiteral(literal) };
  // The docs use both names for one attribute (SCIM §6.4).
  return { urn: extension, attribute: attribute === 'address' ? 'addresses' : attribute, filter, sub: sub ?? null };
}

function parseLiteral(literal: string): string | boolean {
  if (literal.startsWith('"')) {
    try {
      return String(JSON.parse(literal));
    } catch {
      throw new ScimError('invalid_request_payload', 'path');
    }
  }
  if (literal.startsWith("'")) return literal.slice(1, -1);
  if (/^(true|false)$/i.test(literal)) return literal.toLowerCase() === 'true';
  return literal;
}
