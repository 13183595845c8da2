/** A Slack account in our words, as Slack last answered it. */
export interface DirectoryUser {
  readonly slackId: string;
  readonly userName: string;
  readonly active: boolean;
  readonly displayName?: string;
  readonly givenName?: string;
  readonly familyName?: string;
  readonly honorificPrefix?: string;
  readonly emails: readonly EmailAddress[];
  readonly title?: string;
  readonly timezone?: string;
  readonly locale?: string;
  readonly preferredLanguage?: string;
  readonly userType?: string;
  readonly photoUrl?: string;
  readonly profileUrl?: string;
  readonly phoneNumbers: readonly PhoneNumber[];
  readonly addresses: readonly PostalAddress[];
  readonly employment: Employment;
  readonly profileFields: readonly ProfileField[];
  readonly guest?: GuestStatus;
  readonly groups: readonly GroupReference[];
  readonly createdAt?: Date;
}

export interface EmailAddress {
  readonly value: string;
  readonly primary: boolean;
}

/** Slack keeps two numbers: the primary one and the mobile one. */
export interface PhoneNumber {
  readonly value: string;
  readonly kind: 'PRIMARY' | 'MOBILE' | 'OTHER';
}

export interface PostalAddress {
  readonly streetAddress?: string;
  readonly locality?: string;
  readonly region?: string;
  readonly postalCode?: string;
  readonly country?: string;
}

export interface Employment {
  readonly employeeNumber?: string;
  readonly costCenter?: string;
  readonly organization?: string;
  readonly division?: string;
  readonly department?: string;
  readonly managerSlackId?: string;
  readonly startDate?: Date;
}

export interface ProfileField {
  readonly key: string;
  readonly value: string;
}

export interface GuestStatus {
  readonly kind: 'MULTI_CHANNEL' | 'SINGLE_CHANNEL' | 'UNKNOWN';
  readonly expiresAt?: Date;
}

export interface GroupReference {
  readonly slackId: string;
  readonly name?: string;
}

/** What a caller wants an account to be. An absent field is left to Slack on creation, and as it is on update. */
export interface UserDraft {
  readonly email: string;
  readonly userName?: string;
  readonly displayName?: string;
  readonly givenName?: string;
  readonly familyName?: string;
  readonly title?: string;
  readonly timezone?: string;
  readonly locale?: string;
  readonly preferredLanguage?: string;
  readonly userType?: string;
  readonly phoneNumber?: string;
  readonly photoUrl?: string;
  readonly employeeNumber?: string;
  readonly costCenter?: string;
  readonly organization?: string;
  readonly division?: string;
  readonly department?: string;
  readonly managerSlackId?: string;
  readonly startDate?: Date;
  readonly profileFields?: readonly ProfileField[];
  /** Without expiresAt a new guest never expires and an existing one keeps the end; null removes it. */
  readonly guest?: { readonly expiresAt?: Date | null };
}

/** `undefined` keeps a value, `null` clears it. */
export type UserChanges = { readonly [Field in keyof UserDraft]?: UserDraft[Field] | null };

export type UserSelector = { readonly slackId: string } | { readonly email: string } | { readonly userName: string };

export interface UserFilter {
  readonly active?: boolean;
  readonly email?: string;
  readonly userName?: string;
  readonly nameContains?: string;
  readonly guest?: boolean;
}

export const provisionOutcomes = [
  'CREATED',
  'UPDATED',
  'REACTIVATED',
  'ADOPTED',
  'UNCHANGED',
  'DEACTIVATED',
  'HELD',
  'FAILED',
] as const;
export type ProvisionOutcome = (typeof provisionOutcomes)[number];

export const ifExistsPolicies = ['UPDATE', 'ADOPT', 'FAIL'] as const;
export type IfExists = (typeof ifExistsPolicies)[number];

export function primaryEmailOf(user: DirectoryUser): string | undefined {
  return (user.emails.find(({ primary }) => primary) ?? user.emails[0])?.value;
}

/** Slack compares addresses without regard to case. */
export function isSameEmail(left: string, right: string): boolean {
  return left.trim().toLowerCase() === right.trim().toLowerCase();
}

export function holdsEmail(user: DirectoryUser, email: string): boolean {
  return user.emails.some(({ value }) => isSameEmail(value, email));
}

/** Slack gives the bots that SCIM lists addresses of their own (seen in recordings). */
export function isBot(user: DirectoryUser): boolean {
  return user.emails.some(({ value }) => value.toLowerCase().endsWith('@slack-bots.com'));
}

/** Of several who hold an address the one who has it as primary comes first, then an active one. */
export function bestHolder(users: readonly DirectoryUser[], email: string): DirectoryUser | undefined {
  const rank = (user: DirectoryUser) =>
    (isSameEmail(primaryEmailOf(user) ?? '', email) ? 2 : 0) + (user.active ? 1 : 0);
  return [...users].sort((left, right) => rank(right) - rank(left))[0];
}
