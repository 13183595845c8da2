import { ConnectionProblem } from '../connections/connection-problem';
import {
  AppError,
  EmailTaken,
  GroupLimit,
  GuestNotAllowed,
  InvalidInput,
  NotFound,
  ProfileFieldsDropped,
  ProtectedUser,
  type ProtectionReason,
  protectionReasons,
  UpstreamRejected,
  UserNameInvalid,
  UserNameUnavailable,
} from '../errors';
import type { DirectoryGroup } from './group';
import {
  AmbiguousGroup,
  GroupMembersIncomplete,
  GroupMembersRefused,
  isMemberRefusal,
  ProtectedGroup,
} from './group-problem';
import type { DirectoryUser } from './user';

/** An account as JSON, with its instants as text. */
export type StoredUser = unknown;

/** A problem that is final, as it is kept under an idempotency key. */
export interface StoredProblem {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
  readonly path?: readonly string[];
  readonly heldBy?: StoredUser;
  readonly reason?: string;
  readonly fields?: readonly string[];
  readonly slackCode?: string;
  readonly httpStatus?: number;
  readonly candidates?: readonly Pick<DirectoryGroup, 'slackId' | 'name'>[];
}

/**
 * Only what Slack definitely decided is final. Anything else (no answer, a limit, a grant that lost a right, a paused
 * connection) can be different at the next call, so it must not be kept for a day.
 */
const finalCodes: ReadonlySet<string> = new Set([
  'EMAIL_TAKEN',
  'USERNAME_UNAVAILABLE',
  'USERNAME_INVALID',
  'PROTECTED_USER',
  'PROFILE_FIELDS_DROPPED',
  'GUEST_NOT_ALLOWED',
  'UPSTREAM_REJECTED',
  'INVALID_INPUT',
]);

/** Whether a call that ended so answers the same when it is repeated with its idempotency key. */
export function isFinal(error: unknown): error is AppError {
  return error instanceof AppError && finalCodes.has(error.code);
}

/** What stands beside a success is kept with it, unless repeating the call may mend it. */
export function isFinalWarning(warning: AppError): boolean {
  return !warning.retryable && !(warning instanceof ConnectionProblem);
}

export function storeProblem(error: AppError): StoredProblem {
  const { code, message, remedy, path } = error;
  return {
    code,
    message,
    remedy,
    path,
    ...(error instanceof EmailTaken ? { heldBy: error.heldBy } : {}),
    ...(error instanceof ProtectedUser ? { reason: error.reason } : {}),
    ...(error instanceof GroupMembersRefused ? { reason: error.reason } : {}),
    ...(error instanceof AmbiguousGroup ? { candidates: error.candidates.map(referenceOf) } : {}),
    ...(error instanceof ProfileFieldsDropped ? { fields: error.fields } : {}),
    ...(error instanceof UpstreamRejected || error instanceof ProtectedGroup
      ? { slackCode: error.slackCode, httpStatus: error.httpStatus }
      : {}),
  };
}

export function reviveProblem(stored: StoredProblem): AppError {
  const { message, remedy, path } = stored;
  const options = { remedy, path };
  const aboutGroup = reviveGroupProblem(stored);
  if (aboutGroup !== undefined) return aboutGroup;
  switch (stored.code) {
    case 'EMAIL_TAKEN':
      return new EmailTaken(message, reviveUser(stored.heldBy), options);
    case 'USERNAME_UNAVAILABLE':
      return new UserNameUnavailable(message, options);
    case 'USERNAME_INVALID':
      return new UserNameInvalid(message, options);
    case 'PROTECTED_USER':
      return new ProtectedUser(message, isProtectionReason(stored.reason) ? stored.reason : 'HIGHER_RANK', options);
    case 'PROFILE_FIELDS_DROPPED':
      return new ProfileFieldsDropped(message, stored.fields ?? [], options);
    case 'GUEST_NOT_ALLOWED':
      return new GuestNotAllowed(message, options);
    case 'INVALID_INPUT':
      return new InvalidInput(message, options);
    default:
      return new UpstreamRejected(message, stored.slackCode ?? 'unknown', stored.httpStatus ?? 0, options);
  }
}

function reviveGroupProblem(stored: StoredProblem): AppError | undefined {
  const { message, remedy, path, reason } = stored;
  const options = { remedy, path };
  switch (stored.code) {
    case 'NOT_FOUND':
      return new NotFound(message, options);
    case 'GROUP_LIMIT':
      return new GroupLimit(message, options);
    case 'GROUP_MEMBERS_INCOMPLETE':
      return new GroupMembersIncomplete(message, { ...options, retryable: false });
    case 'GROUP_MEMBER_REFUSED':
      return new GroupMembersRefused(isMemberRefusal(reason) ? reason : 'DEACTIVATED_OR_GUEST', options);
    case 'PROTECTED_GROUP':
      return new ProtectedGroup(stored.slackCode ?? 'unknown', stored.httpStatus ?? 0, options);
    case 'AMBIGUOUS_GROUP':
      return new AmbiguousGroup((stored.candidates ?? []).map(withoutMembers), options);
    default:
      return undefined;
  }
}

function referenceOf({ slackId, name }: DirectoryGroup): Pick<DirectoryGroup, 'slackId' | 'name'> {
  return { slackId, name };
}

function withoutMembers(group: Pick<DirectoryGroup, 'slackId' | 'name'>): DirectoryGroup {
  return { ...group, members: undefined };
}

function isProtectionReason(reason: string | undefined): reason is ProtectionReason {
  return protectionReasons.some((known) => known === reason);
}

/** JSON made text of the instants. */
export function reviveUser(stored: StoredUser): DirectoryUser | undefined {
  if (!stored) return undefined;
  const user = stored as DirectoryUser & {
    createdAt?: string;
    guest?: { expiresAt?: string };
    employment: { startDate?: string };
  };
  return {
    ...user,
    createdAt: reviveDate(user.createdAt),
    employment: { ...user.employment, startDate: reviveDate(user.employment.startDate) },
    guest: user.guest && { ...user.guest, expiresAt: reviveDate(user.guest.expiresAt) },
  };
}

export function reviveDate(stored: string | Date | undefined): Date | undefined {
  return stored === undefined ? undefined : new Date(stored);
}
