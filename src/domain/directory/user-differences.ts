import { type DirectoryUser, isSameEmail, primaryEmailOf, type UserChanges } from './user';
import { normalizeUserName } from './user-name';

type Field = keyof UserChanges;

/** What an account holds in the place of each field of a draft, as text, '' when blank. */
const readers: {
  readonly [F in Exclude<Field, 'email' | 'userName' | 'profileFields' | 'guest'>]-?: (user: DirectoryUser) => string;
} = {
  displayName: (user) => user.displayName ?? '',
  givenName: (user) => user.givenName ?? '',
  familyName: (user) => user.familyName ?? '',
  title: (user) => user.title ?? '',
  timezone: (user) => user.timezone ?? '',
  locale: (user) => user.locale ?? '',
  preferredLanguage: (user) => user.preferredLanguage ?? '',
  userType: (user) => user.userType ?? '',
  phoneNumber: (user) => user.phoneNumbers.find(({ kind }) => kind === 'PRIMARY')?.value ?? '',
  photoUrl: (user) => user.photoUrl ?? '',
  employeeNumber: (user) => user.employment.employeeNumber ?? '',
  costCenter: (user) => user.employment.costCenter ?? '',
  organization: (user) => user.employment.organization ?? '',
  division: (user) => user.employment.division ?? '',
  department: (user) => user.employment.department ?? '',
  managerSlackId: (user) => user.employment.managerSlackId ?? '',
  startDate: (user) => user.employment.startDate?.toISOString() ?? '',
};

/**
 * Fields that Slack stores as something else than it was given, so that comparing text would find a difference for ever:
 * a photo is copied to an address of Slack's own, and it appears late.
 */
const incomparable: ReadonlySet<Field> = new Set(['photoUrl']);

/**
 * The changes that an account does not show yet. Empty when it is as wanted.
 * A photo always counts as different, since what was sent cannot be seen in what is stored.
 */
export function differences(user: DirectoryUser, wanted: UserChanges): UserChanges {
  const entries = Object.entries(wanted).filter(
    ([field, value]) =>
      value !== undefined && (incomparable.has(field as Field) || !shows(user, field as Field, wanted)),
  );
  return Object.fromEntries(entries) as UserChanges;
}

/** The fields that were sent and are not shown, as far as that can be seen. */
export function unkeptFields(user: DirectoryUser, sent: UserChanges): Field[] {
  return (Object.keys(differences(user, sent)) as Field[]).filter((field) => !incomparable.has(field));
}

export function hasChanges(changes: UserChanges): boolean {
  return Object.values(changes).some((value) => value !== undefined);
}

function shows(user: DirectoryUser, field: Field, wanted: UserChanges): boolean {
  switch (field) {
    case 'email':
      return isSameEmail(primaryEmailOf(user) ?? '', wanted.email ?? '');
    case 'userName':
      return normalizeUserName(user.userName) === normalizeUserName(wanted.userName ?? '');
    case 'guest':
      return showsGuest(user, wanted.guest);
    case 'profileFields':
      return (wanted.profileFields ?? []).every(
        ({ key, value }) => (user.profileFields.find((field) => field.key === key)?.value ?? '') === value.trim(),
      );
    default: {
      const value = wanted[field];
      return readers[field](user) === (value instanceof Date ? value.toISOString() : (value ?? ''));
    }
  }
}

function showsGuest(user: DirectoryUser, wanted: UserChanges['guest']): boolean {
  if (!wanted) return user.guest === undefined;
  if (!user.guest) return false;
  return wanted.expiresAt === undefined || wanted.expiresAt.getTime() === user.guest.expiresAt?.getTime();
}
