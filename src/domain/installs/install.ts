import type { ApiKeyId, TenantId } from '../access/access';
import type { ConnectionEnvironment, ConnectionId, InstallLevel } from '../connections/connection';
import type { ErrorCode } from '../errors';

export type InstallId = string & { readonly __brand: 'InstallId' };
export type InstallAttemptId = string & { readonly __brand: 'InstallAttemptId' };

/**
 * How a person may finish an installation: through Slack's consent page alone (`startInstall`), or on the hosted page
 * that also takes a pasted token (`createConnectLink`).
 */
export const installWays = ['CONSENT', 'CONSENT_OR_TOKEN'] as const;
export type InstallWays = (typeof installWays)[number];

/** `EXPIRED` is not stored: it follows from the time. */
export const installStatuses = ['OPEN', 'COMPLETED', 'EXPIRED'] as const;
export type InstallStatus = (typeof installStatuses)[number];

/** What went wrong, as far as it may be shown to the person and to the partner. */
export interface InstallProblem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy?: string;
  readonly detail?: string;
  /** Of WRONG_INSTALL_LEVEL: what Slack granted. */
  readonly grantedLevel?: InstallLevel;
}

/** An installation that a partner began and a person at the customer's has yet to finish, or has finished. */
export interface Install {
  readonly id: InstallId;
  readonly tenantId: TenantId;
  /** Whose key began it. The key must still be allowed to when it is finished. */
  readonly apiKeyId: ApiKeyId;
  readonly ways: InstallWays;
  readonly name: string;
  readonly externalId?: string;
  readonly environment: ConnectionEnvironment;
  /** What must be granted; undefined while the person may choose. */
  readonly level?: InstallLevel;
  /** Where the person is sent afterwards; on the operator's list of allowed addresses. */
  readonly returnUrl?: string;
  /** The connection to repair; once completed, the connection that came of it. */
  readonly connectionId?: ConnectionId;
  /** The outcome of the latest attempt that failed. */
  readonly problem?: InstallProblem;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly completedAt?: Date;
}

/** The install with the hash that its address is found by: SHA-256 of the address's secret part, 32 bytes. */
export interface StoredInstall extends Install {
  readonly secretHash: Buffer;
}

export const attemptOutcomes = ['CONNECTED', 'DENIED', 'FAILED'] as const;
export type AttemptOutcome = (typeof attemptOutcomes)[number];

/**
 * One way to Slack's consent page and back, by one browser. Several may be open for one install (two tabs, a second try);
 * each has a state of its own that is consumed once.
 */
export interface InstallAttempt {
  readonly id: InstallAttemptId;
  readonly installId: InstallId;
  /** SHA-256 of the OAuth state, 32 bytes. */
  readonly stateHash: Buffer;
  /** SHA-256 of the secret in the browser's cookie, 32 bytes. */
  readonly browserHash: Buffer;
  readonly level: InstallLevel;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** When the callback came. From then on the state is worth nothing. */
  readonly consumedAt?: Date;
  readonly finishedAt?: Date;
  readonly outcome?: AttemptOutcome;
  readonly problem?: InstallProblem;
}

export function statusOfInstall({ completedAt, expiresAt }: Install, now: number): InstallStatus {
  if (completedAt) return 'COMPLETED';
  return expiresAt.getTime() <= now ? 'EXPIRED' : 'OPEN';
}
