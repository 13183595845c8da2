import type { TenantId } from '../access/access';
import { type ConnectionProblemCode, consequenceOf } from './connection-problem';

export type ConnectionId = string & { readonly __brand: 'ConnectionId' };
export type AccessTokenId = string & { readonly __brand: 'AccessTokenId' };
export type ConnectionIssueId = string & { readonly __brand: 'ConnectionIssueId' };

export const connectionStatuses = [
  'PENDING',
  'ACTIVE',
  'DEGRADED',
  'REAUTHORIZATION_REQUIRED',
  'PAUSED',
  'DISCONNECTED',
] as const;
export type ConnectionStatus = (typeof connectionStatuses)[number];

export const connectionEnvironments = ['LIVE', 'GOV', 'SANDBOX'] as const;
export type ConnectionEnvironment = (typeof connectionEnvironments)[number];

export const installLevels = ['WORKSPACE', 'ORGANIZATION'] as const;
export type InstallLevel = (typeof installLevels)[number];

/** What the tenant decided, apart from what Slack says. */
export type ConnectionLifecycle = 'OPEN' | 'PAUSED' | 'DISCONNECTED';

export const LONGEST_CONNECTION_NAME = 200;

export interface SlackTeam {
  readonly slackId: string;
  readonly name: string;
  readonly url?: string;
}

export interface SlackInstaller {
  readonly slackId: string;
  readonly displayName?: string;
}

export interface Connection {
  readonly id: ConnectionId;
  readonly tenantId: TenantId;
  readonly name: string;
  readonly externalId?: string;
  readonly environment: ConnectionEnvironment;
  readonly lifecycle: ConnectionLifecycle;
  /** Derived by `statusOf` at each write, and stored so that lists can filter by it. */
  readonly status: ConnectionStatus;
  /** The Slack team that the grant covers: the organization (E…) for an organization install, otherwise the workspace (T…). */
  readonly teamKey: string;
  readonly installLevel: InstallLevel;
  readonly workspace?: SlackTeam;
  readonly organization?: SlackTeam;
  readonly installer?: SlackInstaller;
  readonly lastVerifiedAt?: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Grows with each write; a write names the version it read, so two at once cannot overwrite each other. */
  readonly version: number;
}

export interface ConnectionIssue {
  readonly id: ConnectionIssueId;
  readonly connectionId: ConnectionId;
  readonly code: ConnectionProblemCode;
  readonly message: string;
  readonly remedy: string;
  readonly detail?: string;
  readonly since: Date;
  readonly resolvedAt?: Date;
}

export const tokenKinds = ['USER', 'BOT'] as const;
export type TokenKind = (typeof tokenKinds)[number];

export const tokenStatuses = ['ACTIVE', 'EXPIRED', 'REVOKED', 'SUPERSEDED'] as const;
export type TokenStatus = (typeof tokenStatuses)[number];

/** What is known about a token. The token itself is sealed in the store and handed out only as a Secret. */
export interface AccessToken {
  readonly id: AccessTokenId;
  readonly connectionId: ConnectionId;
  readonly kind: TokenKind;
  readonly status: TokenStatus;
  readonly grantedScopes: readonly string[];
  readonly hint: string;
  readonly fingerprint: string;
  readonly expiresAt?: Date;
  /** Whether a refresh token is stored beside it. */
  readonly refreshable: boolean;
  /** Begins with 1 and grows with each refresh: a refresh keeps the id and replaces the value. */
  readonly generation: number;
  readonly appSlackId?: string;
  readonly createdAt: Date;
  readonly verifiedAt?: Date;
  readonly refreshedAt?: Date;
  /** Set while a refresh token may have been spent without its answer being stored. */
  readonly refreshStartedAt?: Date;
  readonly lastUsedAt?: Date;
}

/** One of a token's successive values: a refresh keeps the id. What was found out about one says nothing of the next. */
export type TokenVersion = Pick<AccessToken, 'id' | 'generation'>;

export function isSameVersion(one: TokenVersion | undefined, other: TokenVersion): boolean {
  return one?.id === other.id && one.generation === other.generation;
}

/** The status that a lifecycle and the open issues add up to. */
export function statusOf(
  lifecycle: ConnectionLifecycle,
  openIssues: readonly { code: ConnectionProblemCode }[],
): ConnectionStatus {
  if (lifecycle === 'DISCONNECTED') return 'DISCONNECTED';
  if (lifecycle === 'PAUSED') return 'PAUSED';
  if (openIssues.some(({ code }) => consequenceOf(code) === 'REAUTHORIZE')) return 'REAUTHORIZATION_REQUIRED';
  return openIssues.length > 0 ? 'DEGRADED' : 'ACTIVE';
}
