import type { DirectoryUser } from './directory/user';

/** Every way a request can fail, as the API names it: a problem's `code`, and `extensions.code` of a top-level error. */
export const errorCodes = [
  'INVALID_INPUT',
  'NOT_FOUND',
  'FORBIDDEN',
  'UNAUTHENTICATED',
  'CONFLICT',
  'IDEMPOTENCY_CONFLICT',
  'CONNECTION_NOT_READY',
  'INVALID_TOKEN',
  'WRONG_TOKEN_KIND',
  'MISSING_SCOPES',
  'WRONG_INSTALL_LEVEL',
  'PLAN_TOO_LOW',
  'INSTALLER_LOST_RIGHTS',
  'REAUTHORIZATION_REQUIRED',
  'TOKEN_REVOKED',
  'TOKEN_EXPIRED',
  'APP_UNINSTALLED',
  'APP_CREDENTIALS_REFUSED',
  'INSTALL_DENIED',
  'INSTALL_EXPIRED',
  'WRONG_WORKSPACE',
  'DUPLICATE_CONNECTION',
  'IP_NOT_ALLOWED',
  'EMAIL_TAKEN',
  'USERNAME_UNAVAILABLE',
  'USERNAME_INVALID',
  'PROTECTED_USER',
  'USER_INACTIVE',
  'PROFILE_FIELDS_DROPPED',
  'GUEST_NOT_ALLOWED',
  'GROUP_LIMIT',
  'GROUP_MEMBER_REFUSED',
  'GROUP_MEMBERS_INCOMPLETE',
  'GROUP_LINKED_TO_CHANNELS',
  'PROTECTED_GROUP',
  'AMBIGUOUS_GROUP',
  'RATE_LIMITED',
  'RESOURCE_LOCKED',
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_REJECTED',
  'UPSTREAM_OUTCOME_UNKNOWN',
  'GUARDRAIL_EXCEEDED',
  'PLAN_STALE',
  'OPERATION_NOT_CANCELABLE',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorOptionsWithRemedy extends ErrorOptions {
  /** What a person can do about it, in one or two sentences. */
  remedy?: string;
  /** Path of the input field at fault, e.g. ['input', 'user', 'email']. */
  path?: readonly string[];
}

/**
 * The family of expected failures. `message`, `remedy`, `path` and the fields of the subclasses may reach the client;
 * `cause` goes to the log only. No field may ever hold a token or an upstream body.
 */
export abstract class AppError extends Error {
  abstract readonly code: ErrorCode;
  /** True when the same request may succeed later without anybody changing anything. */
  readonly retryable: boolean = false;
  readonly remedy: string | undefined;
  readonly path: readonly string[] | undefined;

  constructor(message: string, { remedy, path, ...options }: ErrorOptionsWithRemedy = {}) {
    super(message, options);
    this.name = new.target.name;
    this.remedy = remedy;
    this.path = path;
  }

  /** Names the input field at fault, where only whoever catches the problem knows it. */
  at(path: readonly string[]): this {
    return Object.assign(this, { path });
  }
}

export class InvalidInput extends AppError {
  readonly code = 'INVALID_INPUT';
}

/** Unknown, or another tenant's: the two must not be told apart. */
export class NotFound extends AppError {
  readonly code = 'NOT_FOUND';
}

export class Unauthenticated extends AppError {
  readonly code = 'UNAUTHENTICATED';
}

export class Forbidden extends AppError {
  readonly code = 'FORBIDDEN';
}

export class Conflict extends AppError {
  readonly code = 'CONFLICT';
}

/** Another call is at the same thing right now; asking again later gives an answer. */
export class StillRunning extends AppError {
  readonly code = 'CONFLICT';
  override readonly retryable = true;
}

export class IdempotencyConflict extends AppError {
  readonly code = 'IDEMPOTENCY_CONFLICT';
}

export class ConnectionNotReady extends AppError {
  readonly code = 'CONNECTION_NOT_READY';
}

export class DuplicateConnection extends AppError {
  readonly code = 'DUPLICATE_CONNECTION';

  constructor(
    message: string,
    readonly existingConnectionId: string,
    options?: ErrorOptionsWithRemedy,
  ) {
    super(message, options);
  }
}

export class EmailTaken extends AppError {
  readonly code = 'EMAIL_TAKEN';

  constructor(
    message: string,
    readonly heldBy: DirectoryUser | undefined,
    options?: ErrorOptionsWithRemedy,
  ) {
    super(message, options);
  }
}

export class UserNameUnavailable extends AppError {
  readonly code = 'USERNAME_UNAVAILABLE';
}

export class UserNameInvalid extends AppError {
  readonly code = 'USERNAME_INVALID';
}

export const protectionReasons = [
  'PRIMARY_OWNER',
  'OWNER',
  'INSTALLER',
  'BOT',
  'ERASED',
  'HIGHER_RANK',
  'ADMIN_OR_OWNER',
] as const;
export type ProtectionReason = (typeof protectionReasons)[number];

export class ProtectedUser extends AppError {
  readonly code = 'PROTECTED_USER';

  constructor(
    message: string,
    readonly reason: ProtectionReason,
    options?: ErrorOptionsWithRemedy,
  ) {
    super(message, options);
  }
}

/** The account is deactivated, and what was asked for would reactivate it, which nobody agreed to. Nothing was written. */
export class UserInactive extends AppError {
  readonly code = 'USER_INACTIVE';

  constructor(
    message: string,
    readonly user: DirectoryUser,
    options?: ErrorOptionsWithRemedy,
  ) {
    super(message, options);
  }
}

/** The person was written, but Slack did not keep these fields. A warning beside a success, never thrown. */
export class ProfileFieldsDropped extends AppError {
  readonly code = 'PROFILE_FIELDS_DROPPED';

  constructor(
    message: string,
    readonly fields: readonly string[],
    options?: ErrorOptionsWithRemedy,
  ) {
    super(message, options);
  }
}

export class GuestNotAllowed extends AppError {
  readonly code = 'GUEST_NOT_ALLOWED';
}

export class GroupLimit extends AppError {
  readonly code = 'GROUP_LIMIT';
}

export class RateLimited extends AppError {
  readonly code = 'RATE_LIMITED';
  override readonly retryable = true;

  constructor(
    message: string,
    readonly retryAfterSeconds: number,
    options?: ErrorOptionsWithRemedy,
  ) {
    super(message, options);
  }
}

export class ResourceLocked extends AppError {
  readonly code = 'RESOURCE_LOCKED';
  override readonly retryable = true;

  constructor(
    message: string,
    readonly retryAfterSeconds: number,
    options?: ErrorOptionsWithRemedy,
  ) {
    super(message, options);
  }
}

/** Slack could not be reached or answered with a server error, and nothing was written. */
export class UpstreamUnavailable extends AppError {
  readonly code = 'UPSTREAM_UNAVAILABLE';
  override readonly retryable = true;
}

/** Slack refused for a reason that has no kind of its own here. */
export class UpstreamRejected extends AppError {
  readonly code = 'UPSTREAM_REJECTED';

  constructor(
    message: string,
    readonly slackCode: string,
    readonly httpStatus: number,
    options?: ErrorOptionsWithRemedy,
  ) {
    super(message, options);
  }
}

/** A write was sent and its answer was lost. Only reading can tell whether it took effect. */
export class UpstreamOutcomeUnknown extends AppError {
  readonly code = 'UPSTREAM_OUTCOME_UNKNOWN';
  override readonly retryable = true;
}

/** The operation has ended, or is in a state from which it cannot go where it was asked to. */
export class OperationNotCancelable extends AppError {
  readonly code = 'OPERATION_NOT_CANCELABLE';
}

/** The gateway's own database is busy, full or away. Whether the last write took effect may be unknown. */
export class StorageUnavailable extends AppError {
  readonly code = 'INTERNAL';
  override readonly retryable = true;
}

/** Slack does not take the refresh token (any more): the authorization is over, or somebody else has used it. */
export class GrantLost extends AppError {
  readonly code = 'REAUTHORIZATION_REQUIRED';

  constructor(readonly slackCode: string) {
    super('Slack does not accept the refresh token any more.');
  }
}

/** Slack refuses the gateway's own client id or secret. The operator must repair the configuration; grants stay as they are. */
export class AppCredentialsRefused extends AppError {
  readonly code = 'APP_CREDENTIALS_REFUSED';

  constructor(readonly slackCode: string) {
    super("Slack refuses the credentials of this gateway's own app.", {
      remedy:
        'The operator of this gateway must set the client id and the client secret as the pages of its Slack app show them.',
    });
  }
}

/** An installation did not come about. `canRetry` tells whether beginning again may help without anybody changing anything. */
export class InstallRefused extends AppError {
  readonly canRetry: boolean;

  constructor(
    readonly code: 'INSTALL_DENIED' | 'INSTALL_EXPIRED' | 'UPSTREAM_REJECTED',
    message: string,
    { canRetry = true, ...options }: ErrorOptionsWithRemedy & { canRetry?: boolean } = {},
  ) {
    super(message, options);
    this.canRetry = canRetry;
  }
}
