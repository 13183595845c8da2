import {
  AppError,
  EmailTaken,
  GuestNotAllowed,
  InvalidInput,
  ProfileFieldsDropped,
  ProtectedUser,
  type ProtectionReason,
  UpstreamRejected,
  UserNameInvalid,
  UserNameUnavailable,
} from '../errors';
import type { Outcome } from './idempotency.service';
import type { DirectoryUser, ProvisionOutcome } from './user';

/** What a write did to a person, and the account as read back after it. */
export interface ProvisionResult {
  readonly user: DirectoryUser;
  readonly outcome: ProvisionOutcome;
  /** Things to know about a write that took effect, such as fields that Slack did not keep. */
  readonly warnings: readonly AppError[];
}

/** An outcome as it is kept under an idempotency key. */
interface StoredOutcome {
  readonly user?: StoredUser;
  readonly outcome?: ProvisionOutcome;
  readonly warnings?: readonly StoredProblem[];
  readonly problem?: StoredProblem;
}

type StoredUser = unknown;

interface StoredProblem {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
  readonly path?: readonly string[];
  readonly heldBy?: StoredUser;
  readonly reason?: ProtectionReason;
  readonly fields?: readonly string[];
  readonly slackCode?: string;
  readonly httpStatus?: number;
}

/**
 * Only what Slack definitely decided about the person is final. Anything else (no answer, a limit, a grant that lost a
 * right, a paused connection) can be different at the next call, so it must not be kept for a day.
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

/** @returns undefined when the outcome is not final. */
export function encodeOutcome(outcome: Outcome<ProvisionResult>): string | undefined {
  if ('value' in outcome) {
    const { user, outcome: what, warnings } = outcome.value;
    return JSON.stringify({ user, outcome: what, warnings: warnings.map(storeProblem) } satisfies StoredOutcome);
  }
  const { error } = outcome;
  if (!(error instanceof AppError) || !finalCodes.has(error.code)) return undefined;
  return JSON.stringify({ problem: storeProblem(error) } satisfies StoredOutcome);
}

export function decodeOutcome(stored: string): Outcome<ProvisionResult> {
  const { user, outcome, warnings = [], problem } = JSON.parse(stored) as StoredOutcome;
  if (problem) return { error: reviveProblem(problem) };
  const revived = reviveUser(user);
  if (!revived || !outcome) throw new Error('A stored outcome has neither a user nor a problem');
  return { value: { user: revived, outcome, warnings: warnings.map(reviveProblem) } };
}

function storeProblem(error: AppError): StoredProblem {
  const { code, message, remedy, path } = error;
  return {
    code,
    message,
    remedy,
    path,
    ...(error instanceof EmailTaken ? { heldBy: error.heldBy } : {}),
    ...(error instanceof ProtectedUser ? { reason: error.reason } : {}),
    ...(error instanceof ProfileFieldsDropped ? { fields: error.fields } : {}),
    ...(error instanceof UpstreamRejected ? { slackCode: error.slackCode, httpStatus: error.httpStatus } : {}),
  };
}

function reviveProblem(stored: StoredProblem): AppError {
  const { message, remedy, path } = stored;
  const options = { remedy, path };
  switch (stored.code) {
    case 'EMAIL_TAKEN':
      return new EmailTaken(message, reviveUser(stored.heldBy), options);
    case 'USERNAME_UNAVAILABLE':
      return new UserNameUnavailable(message, options);
    case 'USERNAME_INVALID':
      return new UserNameInvalid(message, options);
    case 'PROTECTED_USER':
      return new ProtectedUser(message, stored.reason ?? 'HIGHER_RANK', options);
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

/** JSON made text of the instants. */
function reviveUser(stored: StoredUser): DirectoryUser | undefined {
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

function reviveDate(stored: string | Date | undefined): Date | undefined {
  return stored === undefined ? undefined : new Date(stored);
}
