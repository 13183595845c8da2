import type { Answer } from '../call';
import type { Switches } from '../switches';
import { errorUrn } from './urns';

/**
 * Statuses of SCIM §9.3 and §13.3. 401, 404, 405, 409 and 429 were observed or follow from HTTP; 403 is assumed. Codes that
 * are not listed are validation failures: 400.
 */
const statuses: Readonly<Record<string, number>> = {
  missing_authentication: 401,
  invalid_authentication: 401,
  plus_teams_only: 403,
  permission_denied: 403,
  cannot_modify_owner: 403,
  cannot_disable_primary_owner: 403,
  cannot_make_user_guest: 403,
  cannot_disable_bot_user_with_scim: 403,
  no_such_user: 404,
  no_such_group: 404,
  bad_endpoint: 404,
  method_not_allowed: 405,
  username_taken: 409,
  email_taken: 409,
  too_many_requests: 429,
  resource_locked: 429,
};

/** Failures that come before Slack knows the caller keep the old body (SCIM §9.1, observed for authentication). */
const authenticationCodes: ReadonlySet<string> = new Set([
  'unsupported_version',
  'missing_authentication',
  'invalid_authentication',
  'non_org_teams_only',
  'plus_teams_only',
]);

/** A refusal in Slack's words: a code, often followed by a blank and details in parentheses (SCIM §9.1, observed). */
export class ScimError extends Error {
  readonly code: string;
  readonly retryAfterSeconds: number | undefined;

  /**
   * @param details shown in parentheses, e.g. `user=grace`.
   * @param options.retryAfterSeconds whole seconds, for 429 only.
   */
  constructor(code: string, details?: string, options: { retryAfterSeconds?: number } = {}) {
    super(details === undefined ? code : `${code} (${details})`);
    this.name = 'ScimError';
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return statuses[this.code] ?? 400;
  }
}

export function errorAnswer(error: ScimError, switches: Switches, now: number): Answer {
  const style = authenticationCodes.has(error.code) ? switches.authErrorStyle : switches.errorStyle;
  return {
    status: error.status,
    headers: retryHeaders(error.retryAfterSeconds, switches, now),
    body: errorBody(error.message, error.status, style),
  };
}

/** Both styles state the status as an integer, though RFC 7644 wants a string (SCIM §9.1, documented). */
export function errorBody(text: string, status: number, style: Switches['errorStyle']): object {
  return style === 'old'
    ? { Errors: { description: text, code: status } }
    : { schemas: [errorUrn], detail: text, status };
}

function retryHeaders(seconds: number | undefined, switches: Switches, now: number): Record<string, string> {
  if (seconds === undefined || switches.retryAfter === 'missing') return {};
  if (switches.retryAfter === 'http-date') return { 'retry-after': new Date(now + seconds * 1000).toUTCString() };
  return { 'retry-after': String(seconds) };
}
