import { defaultOAuthSwitches, type OAuthSwitches, oauthChoices } from './oauth/oauth-switches';

/**
 * What public sources leave open, or what differs between organizations: each is a switch that may be turned at any time.
 * Sections are those of the SCIM and OAuth reference that the simulator is written after.
 */
export interface Switches extends OAuthSwitches {
  /** Error body of everything that is no authentication failure (SCIM §9.1): `{schemas, detail, status}` or `{Errors}`. */
  errorStyle: 'new' | 'old';
  /** Error body of version, authentication, plan and install level failures (SCIM §9.1, observed: old). */
  authErrorStyle: 'new' | 'old';
  /** What a bad token gets: 401 since June 2026, 400 `unsupported_version` before (SCIM §2, both observed). */
  badTokenAnswer: 'invalid_authentication' | 'unsupported_version';
  /** Code for a userName over 21 characters: documented, or as seen in the field (SCIM §9.2). */
  longUserNameCode: 'username_too_long' | 'long_username';
  /** PATCH on a group: 200 with body as the docs show, or 204 as the older version did (SCIM §0.4). */
  groupPatchStatus: 200 | 204;
  /** Which POST answers come without a body (SCIM §3, reported for groups). */
  emptyPostBody: 'never' | 'groups' | 'always';
  /** POST answers carry a `Location` header (SCIM §0.9, unknown). */
  locationHeader: boolean;
  /** A PUT without `active` (SCIM §6.2: the documented sample came back inactive). */
  putWithoutActive: 'deactivates' | 'keeps';
  /** Top-level attributes that SCIM does not define (SCIM §9.2 `invalid_request_payload`; which ones is assumed). */
  unknownAttributes: 'refuse' | 'ignore';
  /** False while members may edit their own display name: updates get `invalid_display_name` (SCIM §4.2). */
  displayNameUpdatesAllowed: boolean;
  /** Whether `excludedAttributes=members` keeps the members out of reads of groups (SCIM §0.8, unknown). */
  excludedAttributesHeeded: boolean;
  /** Filter attributes that are understood, in lower case; others get `no_filters` (SCIM §7). */
  filterAttributes: readonly string[];
  /** Time until a deactivation shows in reads (SCIM §3, observed up to 10 s). */
  deactivationDelayMs: number;
  /** Time until a new photo shows in reads; the write's own answer always shows the old one (SCIM §4.2). */
  photoDelayMs: number;
  /** Time during which reads show a group as it was before the write (SCIM §3, reported about 3 s). */
  groupReadDelayMs: number;
  /** Real time that each write takes; its resource is locked meanwhile (SCIM §10). */
  writeTimeMs: number;
  /** Token buckets of SCIM §10. */
  limitsEnabled: boolean;
  /** How 429 answers say when to come back (SCIM §10: seconds; the other forms are met in the field). */
  retryAfter: 'seconds' | 'missing' | 'http-date';
  /** Largest user group of a workspace (SCIM §5, documented). */
  userGroupMemberLimit: number;
  /** Largest IDP group of an organization (SCIM §5, documented as recommended; enforced here). */
  idpGroupMemberLimit: number;
  /** Most members in one call (SCIM §5, documented). */
  membersPerCallLimit: number;
}

export const allFilterAttributes: readonly string[] = [
  'username',
  'email',
  'emails',
  'emails.value',
  'restricted',
  'ultra_restricted',
  'displayname',
];

export const defaultSwitches: Readonly<Switches> = {
  errorStyle: 'new',
  authErrorStyle: 'old',
  badTokenAnswer: 'invalid_authentication',
  longUserNameCode: 'username_too_long',
  groupPatchStatus: 200,
  emptyPostBody: 'never',
  locationHeader: false,
  putWithoutActive: 'deactivates',
  unknownAttributes: 'refuse',
  displayNameUpdatesAllowed: true,
  excludedAttributesHeeded: false,
  filterAttributes: allFilterAttributes,
  deactivationDelayMs: 0,
  photoDelayMs: 0,
  groupReadDelayMs: 0,
  writeTimeMs: 0,
  limitsEnabled: true,
  retryAfter: 'seconds',
  userGroupMemberLimit: 5_000,
  idpGroupMemberLimit: 15_000,
  membersPerCallLimit: 15_000,
  ...defaultOAuthSwitches,
};

const choices: Partial<Record<keyof Switches, readonly unknown[]>> = {
  errorStyle: ['new', 'old'],
  authErrorStyle: ['new', 'old'],
  badTokenAnswer: ['invalid_authentication', 'unsupported_version'],
  longUserNameCode: ['username_too_long', 'long_username'],
  groupPatchStatus: [200, 204],
  emptyPostBody: ['never', 'groups', 'always'],
  putWithoutActive: ['deactivates', 'keeps'],
  unknownAttributes: ['refuse', 'ignore'],
  retryAfter: ['seconds', 'missing', 'http-date'],
  ...oauthChoices,
};

/**
 * Checks switches that came over the control route.
 * @throws RangeError that names the first unknown switch or unfit value.
 */
export function parseSwitches(input: Record<string, unknown>): Partial<Switches> {
  for (const [name, value] of Object.entries(input)) {
    if (!Object.hasOwn(defaultSwitches, name)) throw new RangeError(`There is no switch "${name}"`);
    if (!isFit(name as keyof Switches, value)) throw new RangeError(`The switch "${name}" does not take this value`);
  }
  return input as Partial<Switches>;
}

function isFit(name: keyof Switches, value: unknown): boolean {
  const allowed = choices[name];
  if (allowed) return allowed.includes(value);
  if (name === 'filterAttributes') {
    return Array.isArray(value) && value.every((attribute) => allFilterAttributes.includes(attribute));
  }
  if (Array.isArray(defaultSwitches[name])) {
    return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
  }
  if (name === 'eventClockSkewSeconds') return Number.isSafeInteger(value);
  if (typeof defaultSwitches[name] === 'number') return Number.isSafeInteger(value) && Number(value) >= 0;
  return typeof value === typeof defaultSwitches[name];
}
