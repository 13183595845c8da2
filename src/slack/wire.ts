/** The names of the SCIM 2.0 schemas that we read and write. */
export const urns = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  enterprise: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  guest: 'urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User',
  profile: 'urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User',
  patch: 'urn:ietf:params:scim:api:messages:2.0:PatchOp',
} as const;

/** A JSON object of which nothing is known yet. */
export type WireObject = Readonly<Record<string, unknown>>;

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string;
  readonly value?: unknown;
}

export interface WireList {
  /** As they came: entries that are no people are left to the mapper. */
  readonly entries: readonly unknown[];
  readonly totalResults: number | undefined;
  readonly startIndex: number | undefined;
}

/** What a refusal says, without its text: that may hold names and addresses of people. */
export interface Refusal {
  readonly status: number;
  /** The leading word of Slack's text, or RFC 7644's scimType, or `unknown`. */
  readonly slackCode: string;
  readonly scimType: string | undefined;
  /** What the text of a standard server speaks of, where the code does not tell. */
  readonly mentions: 'EMAIL' | 'USER_NAME' | undefined;
  readonly saysPatchIsUnsupported: boolean;
}

export function isObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member as an object, or an empty one. */
export function objectIn(value: unknown, key: string): WireObject {
  const member = isObject(value) ? value[key] : undefined;
  return isObject(member) ? member : {};
}

/** Text with something in it. Slack writes blanks as "" for some fields and as null for others. */
export function textIn(value: unknown, key: string): string | undefined {
  const member = isObject(value) ? value[key] : undefined;
  if (typeof member === 'number' || typeof member === 'boolean') return String(member);
  return typeof member === 'string' && member.trim() !== '' ? member : undefined;
}

/** A multi-valued attribute; a single value where a list belongs counts as a list of one. */
export function listIn(value: unknown, key: string): readonly unknown[] {
  const member = isObject(value) ? value[key] : undefined;
  if (Array.isArray(member)) return member;
  return member === undefined || member === null ? [] : [member];
}

/** Slack's schema calls `active` a string; other servers write "True". */
export function flagIn(value: unknown, key: string): boolean | undefined {
  const member = isObject(value) ? value[key] : undefined;
  if (typeof member === 'boolean') return member;
  if (typeof member !== 'string') return undefined;
  const word = member.trim().toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : undefined;
}

/** An ISO 8601 instant; also with an offset without its colon, as Slack writes start dates. */
export function instantIn(value: unknown, key: string): Date | undefined {
  const text = textIn(value, key)?.trim();
  if (text === undefined || !/^\d{4}-\d{2}-\d{2}/.test(text)) return undefined;
  const at = new Date(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  return Number.isNaN(at.getTime()) ? undefined : at;
}

/** @returns undefined when the text is no JSON. */
export function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

/** A page that a proxy or a web server put in place of the answer. */
export function isHtml(contentType: string | undefined, text: string | undefined): boolean {
  return /^text\/html\b/i.test(contentType ?? '') || /^\s*</.test(text ?? '');
}

/** @returns undefined when the value is no ListResponse. */
export function readList(value: unknown): WireList | undefined {
  if (!isObject(value)) return undefined;
  const totalResults = wholeNumberIn(value, 'totalResults');
  const { Resources: resources } = value;
  if (resources !== undefined && resources !== null && !Array.isArray(resources)) return undefined;
  if (!Array.isArray(resources) && totalResults === undefined) return undefined;
  return {
    entries: Array.isArray(resources) ? resources : [],
    totalResults,
    startIndex: wholeNumberIn(value, 'startIndex'),
  };
}

/** Reads both styles of Slack's error body, RFC 7644's, and none at all. */
export function readRefusal(status: number, body: unknown): Refusal {
  const errors = listIn(body, 'Errors')[0];
  const text = (textIn(errors, 'description') ?? textIn(body, 'detail') ?? textIn(body, 'error') ?? '').trim();
  const scimType = textIn(body, 'scimType');
  return {
    status,
    slackCode: leadingCode(text) ?? scimType ?? 'unknown',
    scimType,
    mentions: /e-?mail/i.test(text) ? 'EMAIL' : /user ?name/i.test(text) ? 'USER_NAME' : undefined,
    saysPatchIsUnsupported: /patch\b.*\b(not|un) ?(supported|implemented|allowed)/i.test(text),
  };
}

/**
 * Slack's texts are a code, often followed by details in parentheses. A sentence of another server begins with a word
 * too, which may be somebody's name, so a single word counts only with an underscore in it or with nothing after it.
 */
function leadingCode(text: string): string | undefined {
  const word = /^[A-Za-z_]+/.exec(text)?.[0];
  if (word === undefined) return undefined;
  const rest = text.slice(word.length).trim();
  return word.includes('_') || rest === '' || rest.startsWith('(') ? word : undefined;
}

function wholeNumberIn(value: unknown, key: string): number | undefined {
  const text = textIn(value, key);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
