import { createHash } from 'node:crypto';

/** What a person is in their organization. Guests are members with a `guest` part. */
export type Rank = 'primary-owner' | 'owner' | 'admin' | 'member' | 'bot';

export const ranks: readonly Rank[] = ['primary-owner', 'owner', 'admin', 'member', 'bot'];

const levels: Record<Rank, number> = { 'primary-owner': 3, owner: 2, admin: 1, member: 0, bot: 0 };

export function rankLevel(rank: Rank): number {
  return levels[rank];
}

/** SCIM needs an admin or an owner behind the token (SCIM §2, documented). */
export function mayAdminister(person: Person): boolean {
  return rankLevel(person.rank) >= levels.admin;
}

/** Fields that Slack keeps as custom profile fields, blank as null (SCIM §4.3 and §4.7, documented). */
export const profileFieldNames = [
  'honorificPrefix',
  'streetAddress',
  'locality',
  'region',
  'postalCode',
  'country',
  'primaryPhone',
  'mobilePhone',
  'userType',
  'role',
  'preferredLanguage',
  'locale',
  'employeeNumber',
  'costCenter',
  'organization',
  'division',
  'department',
  'managerId',
  'startDate',
] as const;

export type ProfileFieldName = (typeof profileFieldNames)[number];
export type ProfileFields = Record<ProfileFieldName, string | null>;

export function blankProfile(): ProfileFields {
  return Object.fromEntries(profileFieldNames.map((name) => [name, null])) as ProfileFields;
}

export interface Guest {
  /** `multi` is all that SCIM can make; `single` exists in the seed only (SCIM §4.6, documented). */
  type: 'multi' | 'single';
  /** ISO 8601 as it was sent. */
  expiration: string | null;
}

export interface Person {
  readonly id: string;
  rank: Rank;
  /** As reads show it: a deactivation may be pending. */
  active: boolean;
  userName: string;
  givenName: string;
  familyName: string;
  displayName: string;
  /** Null stands for the default, which follows the userName. */
  profileUrl: string | null;
  title: string;
  timezone: string;
  primaryEmail: string;
  secondaryEmail: string | null;
  /** Null stands for the Gravatar picture. */
  photo: string | null;
  guest: Guest | null;
  /** Null until the first custom profile field was written: the plain shape of SCIM §4.3. */
  profile: ProfileFields | null;
  /** `meta.created`. */
  readonly created: string;
  pendingDeactivationAt: number | null;
  pendingPhoto: { value: string | null; visibleAt: number } | null;
}

export const defaultTimezone = 'America/Los_Angeles';

export function copyPerson(person: Person): Person {
  return {
    ...person,
    guest: person.guest && { ...person.guest },
    profile: person.profile && { ...person.profile },
    pendingPhoto: person.pendingPhoto && { ...person.pendingPhoto },
  };
}

/** The name that group members show (SCIM §5: display or real name). */
export function shownName(person: Person): string {
  return person.displayName || `${person.givenName} ${person.familyName}`.trim() || person.userName;
}

export function emailsOf(person: Person): string[] {
  return person.secondaryEmail === null ? [person.primaryEmail] : [person.primaryEmail, person.secondaryEmail];
}

const gravatars = new Map<string, string>();
const gravatarCacheSize = 50_000;

/** Default photo, 192 px (SCIM §4.2, documented). Cached because a page holds up to a thousand of them. */
export function gravatarUrl(email: string): string {
  const known = gravatars.get(email);
  if (known !== undefined) return known;
  const hash = createHash('md5').update(email.trim().toLowerCase()).digest('hex');
  const fallback = encodeURIComponent('https://a.slack-edge.com/df10d/img/avatars/ava_0007-192.png');
  const url = `https://secure.gravatar.com/avatar/${hash}.jpg?s=192&d=${fallback}`;
  if (gravatars.size >= gravatarCacheSize) gravatars.clear();
  gravatars.set(email, url);
  return url;
}
