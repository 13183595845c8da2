import { type DirectoryUser, isSameEmail, type ProfileField, primaryEmailOf, type UserChanges } from './user';
import { normalizeUserName } from './user-name';

type Field = keyof UserChanges;

/** What Slack shows for an account that has no time zone of its own. */
const DEFAULT_TIMEZONE = 'America/Los_Angeles';

/** What an account holds in the place of each field of a draft, as text, '' when blank. */
const readers: {
  readonly [F in Exclude<Field, 'email' | 'userName' | 'startDate' | 'profileFields' | 'guest'>]-?: (
    user: DirectoryUser,
  ) => string;
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
};

/**
 * The changes that an account does not show yet, down to the single profile field. Empty when it is as wanted.
 * A photo counts as different unless its very address is shown: Slack copies photos to addresses of its own.
 */
export function differences(user: DirectoryUser, wanted: UserChanges): UserChanges {
  const missing: { -readonly [F in Field]?: UserChanges[F] } = {};
  for (const [name, value] of Object.entries(wanted)) {
    const field = name as Field;
    if (value !== undefined && !shows(user, field, wanted)) Object.assign(missing, { [field]: value });
  }
  if (missing.profileFields) {
    missing.profileFields = missing.profileFields.filter((profileField) => !showsProfileField(user, profileField));
  }
  return missing;
}

/**
 * The fields that were sent and are not shown, as far as that can be seen: a photo appears late and elsewhere.
 * A profile field is named with its key, as in `profileFields.role`.
 */
export function unkeptFields(user: DirectoryUser, sent: UserChanges): string[] {
  const { photoUrl: _, profileFields, ...others } = differences(user, sent);
  const keys = profileFields?.map(({ key }) => `profileFields.${key}`);
  return [...Object.keys(others), ...(keys ?? (profileFields === null ? ['profileFields'] : []))];
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
    case 'startDate':
      return dayOf(user.employment.startDate) === dayOf(wanted.startDate);
    case 'guest':
      return showsGuest(user, wanted.guest);
    case 'profileFields':
      if (wanted.profileFields === null) return user.profileFields.length === 0;
      return (wanted.profileFields ?? []).every((profileField) => showsProfileField(user, profileField));
    case 'timezone':
      return readers.timezone(user) === (wanted.timezone ?? '') || (!wanted.timezone && hasDefaultTimezone(user));
    default:
      return readers[field](user) === (wanted[field] ?? '');
  }
}

/** Slack keeps the day of a start date and drops the time. */
function dayOf(instant: Date | null | undefined): string {
  return instant?.toISOString().slice(0, 10) ?? '';
}

function hasDefaultTimezone(user: DirectoryUser): boolean {
  return readers.timezone(user) === DEFAULT_TIMEZONE;
}

/** The profile's address is written as a profile field and read as a field of the person. */
function showsProfileField(user: DirectoryUser, { key, value }: ProfileField): boolean {
  const held =
    key === 'profileUrl' ? user.profileUrl : user.profileFields.find((profileField) => profileField.key === key)?.value;
  return (held ?? '') === value.trim();
}

function showsGuest(user: DirectoryUser, wanted: UserChanges['guest']): boolean {
  if (!wanted) return user.guest === undefined;
  if (!user.guest) return false;
  return wanted.expiresAt === undefined || secondOf(wanted.expiresAt) === secondOf(user.guest.expiresAt);
}

/** The end of a guest is compared as finely as Slack's own examples state it. */
function secondOf(instant: Date | null | undefined): number | undefined {
  return instant ? Math.floor(instant.getTime() / 1000) : undefined;
}
