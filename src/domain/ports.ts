import type { Secret } from '../shared/secret';
import type { ApiKey, ApiKeyId, Tenant, TenantId } from './access/access';
import type {
  AccessToken,
  AccessTokenId,
  Connection,
  ConnectionEnvironment,
  ConnectionId,
  ConnectionIssue,
  ConnectionIssueId,
  ConnectionStatus,
  TokenKind,
  TokenStatus,
} from './connections/connection';
import type { Action } from './connections/scopes';
import type { InstallStore, LeaseStore, SlackEventStore } from './install-ports';
import type { SealingKeyStore } from './key-ports';
import type { MappingStore } from './mapping-ports';
import type { OperationStore } from './operation-ports';
import type { UpstreamUsage, Urgency } from './upstream-usage';

// ---------------------------------------------------------------- storage

/**
 * The database as work done with stores bound to one handle. Inside `work` a further call throws, so that no store of
 * another handle can leak in; and no network call may happen inside, since SQLite serves one piece of work at a time.
 */
export interface Database {
  read<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
  transaction<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
  /** Resolves when the database answers; rejects otherwise. */
  ping(): Promise<void>;
}

export interface Stores {
  readonly tenants: TenantStore;
  readonly apiKeys: ApiKeyStore;
  readonly connections: ConnectionStore;
  readonly issues: ConnectionIssueStore;
  readonly tokens: AccessTokenStore;
  readonly idempotency: IdempotencyStore;
  readonly installs: InstallStore;
  readonly leases: LeaseStore;
  readonly slackEvents: SlackEventStore;
  readonly mappings: MappingStore;
  readonly sealingKeys: SealingKeyStore;
  readonly operations: OperationStore;
}

/** A position in a list ordered by creation, newest first; ids break ties. */
export interface ListPosition {
  readonly createdAt: Date;
  readonly id: string;
}

export interface ListSlice<T> {
  readonly items: readonly T[];
  readonly hasMore: boolean;
  readonly totalCount: number;
}

export interface TenantStore {
  insert(tenant: Tenant): Promise<void>;
  find(id: TenantId): Promise<Tenant | undefined>;
  findOperator(): Promise<Tenant | undefined>;
}

export interface StoredApiKey extends ApiKey {
  /** SHA-256 of the key's secret half, 32 bytes. */
  readonly secretHash: Buffer;
}

export interface ApiKeyStore {
  insert(key: StoredApiKey): Promise<void>;
  find(id: ApiKeyId): Promise<StoredApiKey | undefined>;
  /** @returns false when no key of that tenant has this id. Revoking twice keeps the first instant. */
  revoke(tenantId: TenantId, id: ApiKeyId, at: Date): Promise<boolean>;
  touch(id: ApiKeyId, at: Date): Promise<void>;
}

export interface ConnectionFilter {
  readonly status?: readonly ConnectionStatus[];
  readonly environment?: ConnectionEnvironment;
  readonly externalId?: string;
  /** Case-insensitive; `%` and `_` have no special meaning. */
  readonly nameContains?: string;
}

export interface ConnectionStore {
  /** @throws UniqueViolation on the tenant's externalId, or on (tenant, environment, teamKey) among connections not disconnected. */
  insert(connection: Connection): Promise<void>;
  find(tenantId: TenantId, id: ConnectionId): Promise<Connection | undefined>;
  findByTeam(tenantId: TenantId, environment: ConnectionEnvironment, teamKey: string): Promise<Connection | undefined>;
  /** The newest connection of the tenant to this team that was disconnected. */
  findDisconnectedByTeam(
    tenantId: TenantId,
    environment: ConnectionEnvironment,
    teamKey: string,
  ): Promise<Connection | undefined>;
  findByExternalId(tenantId: TenantId, externalId: string): Promise<Connection | undefined>;
  /** Of every tenant, not disconnected: for what Slack says about a team as a whole. */
  listByTeams(environment: ConnectionEnvironment, teamKeys: readonly string[]): Promise<Connection[]>;
  /** Of every tenant, OPEN, with a check due by `now`; the longest overdue first. */
  listDueForCheck(now: Date, limit: number): Promise<Connection[]>;
  /** Says when the connection is to be checked next. It is no change of the connection: the version stays. */
  scheduleCheck(id: ConnectionId, at: Date): Promise<void>;
  list(
    tenantId: TenantId,
    filter: ConnectionFilter,
    first: number,
    after: ListPosition | undefined,
  ): Promise<ListSlice<Connection>>;
  /**
   * Writes every field of `connection` where the stored version is `connection.version`, and raises the version by one.
   * @returns the stored connection, or undefined when another write came first or the row is gone.
   * @throws UniqueViolation as insert does.
   */
  update(connection: Connection): Promise<Connection | undefined>;
  /** Removes the connection with its tokens, issues and idempotency records. @returns false when it was not there. */
  delete(tenantId: TenantId, id: ConnectionId): Promise<boolean>;
}

/** The database refused a second row with the same value. */
export class UniqueViolation extends Error {
  constructor(
    /** The words between which the value must be unique. */
    readonly constraint: 'connection.externalId' | 'connection.team' | 'other',
    options?: ErrorOptions,
  ) {
    super(`Unique constraint violated: ${constraint}`, options);
    this.name = 'UniqueViolation';
  }
}

export interface ConnectionIssueStore {
  insert(issue: ConnectionIssue): Promise<void>;
  /** Oldest first. */
  list(connectionId: ConnectionId, options: { includeResolved: boolean }): Promise<ConnectionIssue[]>;
  /** For many connections at once, open issues only. */
  listOpen(connectionIds: readonly ConnectionId[]): Promise<ConnectionIssue[]>;
  updateDetail(id: ConnectionIssueId, detail: string | undefined): Promise<void>;
  resolve(ids: readonly ConnectionIssueId[], at: Date): Promise<void>;
  /** Removes issues resolved before `before`, at most `limit` of them. @returns how many. */
  deleteResolvedBefore(before: Date, limit: number): Promise<number>;
}

export interface NewAccessToken {
  readonly id: AccessTokenId;
  readonly connectionId: ConnectionId;
  readonly tenantId: TenantId;
  readonly kind: TokenKind;
  readonly grantedScopes: readonly string[];
  readonly hint: string;
  readonly expiresAt?: Date;
  readonly createdAt: Date;
  readonly verifiedAt?: Date;
  /** Slack's id of the app that the token was granted to, for a token that came of an installation. */
  readonly appSlackId?: string;
}

/** A pair that a refresh gave, or that a long-lived token was exchanged for. */
export interface RefreshedToken {
  readonly secret: Secret;
  readonly refreshToken: Secret;
  readonly hint: string;
  readonly grantedScopes: readonly string[];
  readonly expiresAt?: Date;
  readonly refreshedAt: Date;
  readonly appSlackId?: string;
}

export interface DueToken {
  readonly tenantId: TenantId;
  readonly token: AccessToken;
}

export interface AccessTokenStore {
  /** Seals both secrets, each bound to the row and its column, and stores them as the connection's ACTIVE token. */
  insert(token: NewAccessToken, secret: Secret, refreshToken?: Secret): Promise<AccessToken>;
  /** Through the connection, so that another tenant's token is not found. */
  find(tenantId: TenantId, id: AccessTokenId): Promise<AccessToken | undefined>;
  findActive(connectionId: ConnectionId): Promise<AccessToken | undefined>;
  /**
   * The active token together with the way to its secret: `open` answers undefined for one that was erased.
   * @throws SealBroken out of `open`, as `open` of the store does.
   */
  findSealed(connectionId: ConnectionId): Promise<{ token: AccessToken; open: () => Secret | undefined } | undefined>;
  /** The newest token of each connection whatever its status, for display. */
  listLatest(connectionIds: readonly ConnectionId[]): Promise<AccessToken[]>;
  /** @throws SealBroken when the stored value cannot be opened: wrong or missing key, moved or damaged ciphertext. */
  open(id: AccessTokenId): Promise<Secret | undefined>;
  /** @throws SealBroken as open does. */
  openRefreshToken(id: AccessTokenId): Promise<Secret | undefined>;
  /**
   * Notes that a refresh token is about to be spent, so that a successor of this process knows that the answer may be
   * lost. Where the token is ACTIVE and of this generation. @returns false otherwise.
   */
  beginRefresh(id: AccessTokenId, generation: number, at: Date): Promise<boolean>;
  /** Replaces both secrets and raises the generation, where the token is ACTIVE and of this generation. @returns false otherwise. */
  saveRefreshed(
    tenantId: TenantId,
    { id, generation }: Pick<AccessToken, 'id' | 'generation'>,
    pair: RefreshedToken,
  ): Promise<boolean>;
  /** Erases a refresh token that Slack does not take any more; the access token may live on until it expires. */
  dropRefreshToken(id: AccessTokenId, generation: number): Promise<void>;
  /**
   * ACTIVE tokens with a refresh token that expire before `before` or whose refresh was begun and not finished, of OPEN
   * connections that need no new authorization, of every tenant; unfinished ones and soonest expiry first.
   */
  listDueForRefresh(before: Date, limit: number): Promise<DueToken[]>;
  /** Whether a connection other than this one holds an ACTIVE token of the same installer on the same team. */
  isSharedGrant(grant: {
    environment: ConnectionEnvironment;
    teamKey: string;
    installerSlackId: string;
    exceptConnectionId?: ConnectionId;
  }): Promise<boolean>;
  markVerified(
    id: AccessTokenId,
    at: Date,
    grantedScopes: readonly string[],
    expiresAt: Date | undefined,
  ): Promise<void>;
  markUsed(id: AccessTokenId, at: Date): Promise<void>;
  /** Ends a token: writes the status and erases the sealed secret. */
  retire(id: AccessTokenId, status: Exclude<TokenStatus, 'ACTIVE'>): Promise<void>;
  /**
   * Removes tokens that have ended and were last heard of before `before`, but for each connection's newest; at most `limit`
   * of them. @returns how many.
   */
  deleteEndedBefore(before: Date, limit: number): Promise<number>;
}

/** A stored secret cannot be opened. Fails closed: the connection says so, the others go on. */
export class SealBroken extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SealBroken';
  }
}

/**
 * A call under an idempotency key.
 * `RUNNING`: somebody owns it until leaseExpiresAt. `RELEASED`: it ended without a final result, and may be run again.
 * `DONE`: `result` is the answer for everybody who comes with the same key and input.
 */
export interface IdempotencyRecord {
  readonly tenantId: TenantId;
  readonly key: string;
  readonly connectionId: ConnectionId;
  readonly action: string;
  /** SHA-256 of the action and its canonical input, hex. */
  readonly inputHash: string;
  readonly state: 'RUNNING' | 'RELEASED' | 'DONE';
  readonly owner: string;
  readonly leaseExpiresAt: Date;
  /** How far a run got, written before a call whose repetition would be visible; JSON. */
  readonly progress?: string;
  /** JSON. */
  readonly result?: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** Every write after the claim repeats the owner, and answers false when the lease has gone to somebody else. */
export interface IdempotencyStore {
  /** Inserts a RUNNING record. @returns false when the tenant has a record with this key already. */
  claim(record: IdempotencyRecord): Promise<boolean>;
  find(tenantId: TenantId, key: string): Promise<IdempotencyRecord | undefined>;
  /** Takes a record that is RELEASED, or RUNNING with its lease ended before `now`. */
  takeOver(tenantId: TenantId, key: string, owner: string, leaseExpiresAt: Date, now: Date): Promise<boolean>;
  extendLease(tenantId: TenantId, key: string, owner: string, leaseExpiresAt: Date): Promise<boolean>;
  saveProgress(tenantId: TenantId, key: string, owner: string, progress: string): Promise<boolean>;
  finish(tenantId: TenantId, key: string, owner: string, result: string): Promise<boolean>;
  release(tenantId: TenantId, key: string, owner: string): Promise<boolean>;
  delete(tenantId: TenantId, key: string): Promise<void>;
  /** Removes records whose expiresAt is before `now` and that nobody owns, at most `limit` of them. @returns how many. */
  deleteExpired(now: Date, limit: number): Promise<number>;
}

// ---------------------------------------------------------------- Slack

/** Bounds of one call to Slack. */
export interface UpstreamCall {
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch; waiting for a rate limit or a repeat never goes beyond it. */
  readonly deadlineAt: number;
  readonly requestId: string;
  /** How the call stands in the queue for Slack's limits; interactive unless said otherwise. */
  readonly urgency?: Urgency;
  /** For whom: tenants that share a Slack team take turns in that queue. */
  readonly tenant?: { readonly id: TenantId };
  /** Where calls are counted that leave. */
  readonly usage?: UpstreamUsage;
}

/** Who a token belongs to, as Slack's auth.test tells. */
export interface TokenIdentity {
  readonly kind: TokenKind;
  /** undefined when Slack did not say (the header is missing): then only a SCIM call can tell. */
  readonly grantedScopes: readonly string[] | undefined;
  readonly teamSlackId: string;
  readonly teamName: string;
  readonly teamUrl?: string;
  readonly organizationSlackId?: string;
  readonly isOrganizationInstall: boolean;
  readonly userSlackId: string;
  readonly userName?: string;
  readonly expiresAt?: Date;
}

/** Slack's Web API, as far as it concerns a grant. */
export interface SlackWebApi {
  /**
   * @throws ConnectionProblem (INVALID_TOKEN, TOKEN_REVOKED, TOKEN_EXPIRED, INSTALLER_LOST_RIGHTS, IP_NOT_ALLOWED),
   * RateLimited, UpstreamUnavailable, UpstreamRejected
   */
  identify(environment: ConnectionEnvironment, token: Secret, call: UpstreamCall): Promise<TokenIdentity>;
  /** Ends the token at Slack. A token that is dead already counts as ended. @throws RateLimited, UpstreamUnavailable, UpstreamRejected */
  revoke(environment: ConnectionEnvironment, token: Secret, call: UpstreamCall): Promise<void>;
}

export interface LeasedToken {
  readonly id: AccessTokenId | undefined;
  /** Which of the token's successive values this is; undefined for a token that is not stored. */
  readonly generation?: number;
  readonly secret: Secret;
}

/** Hands out the connection's token. The client asks before each attempt, so a rotation in mid-work is followed. */
export interface TokenSource {
  /** @throws ConnectionProblem when the grant does not cover what the action needs, or there is no usable token. */
  lease(action: Action): Promise<LeasedToken>;
  /** Slack refused this token. @returns true when another one is there to try. */
  reportRejected(token: LeasedToken): Promise<boolean>;
}
