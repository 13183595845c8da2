import type { Switches } from '../switches';
import { ScimError } from './scim-error';

const longestUserName = 21;

/** Names that Slack uses itself (SCIM §9.2 `username_not_allowed`; which ones is assumed). */
const reservedNames: ReadonlySet<string> = new Set(['slackbot', 'everyone', 'channel', 'here', 'group']);

/**
 * Turns what a client sent into a handle: the part before `@`, in lower case, other characters than letters, digits, `.`,
 * `_` and `-` as `_` (SCIM §4.2, documented; the part before `@` as seen in practice). Rewriting twice changes nothing.
 */
export function rewriteUserName(requested: string): string {
  const at = requested.indexOf('@');
  const local = at === -1 ? requested : requested.slice(0, at);
  return local
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9._-]/gu, '_');
}

/**
 * The handle that Slack stores, or its refusal.
 * @param attribute nickName mirrors userName but has its own code for length (SCIM §9.2).
 */
export function parseUserName(requested: string, switches: Switches, attribute: 'userName' | 'nickName'): string {
  if (requested.trim() === '') throw new ScimError('username_empty');
  const handle = rewriteUserName(requested);
  // Assumed: a handle needs one letter or digit that survives the rewriting.
  if (!/[a-z0-9]/.test(handle)) throw new ScimError('username_invalid', `user=${handle}`);
  if (handle.length > longestUserName) {
    throw new ScimError(attribute === 'nickName' ? 'long_nickname' : switches.longUserNameCode, `user=${handle}`);
  }
  if (reservedNames.has(handle)) throw new ScimError('username_not_allowed', `user=${handle}`);
  return handle;
}
