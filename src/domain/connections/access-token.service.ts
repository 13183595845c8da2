import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/logger';
import type { Secret } from '../../shared/secret';
import { Throttle } from '../../shared/throttle';
import { AppError, ConnectionNotReady, StorageUnavailable, UpstreamRejected } from '../errors';
import { type Database, type LeasedToken, SealBroken, type TokenSource, type UpstreamCall } from '../ports';
import { type AccessToken, type AccessTokenId, type Connection, isSameVersion, type TokenVersion } from './connection';
import { ConnectionProblem } from './connection-problem';
import type { ConnectionSnapshot, ConnectionSnapshots } from './connection-snapshots';
import { type Action, missingScopes, requirementOf } from './scopes';
import type { TokenRefreshService } from './token-refresh.service';

/** `lastUsedAt` is for people who look at a token; a write for each call would cost more than it tells. */
const USE_RECORDED_EVERY_MS = 60_000;

/** A token is replaced by a person's hand or by one refresh: more often between two reads it is not a race any more. */
const OPEN_ROUNDS = 4;

/** A token with less left than this is refreshed before it is used. The background does it long before. */
const REFRESHED_BEFORE_USE_MS = 5 * 60_000;

/** How long a call waits for the refresh of a token that would do without. */
const PATIENCE_MS = 2_000;

export interface OpenedToken {
  readonly token: AccessToken;
  readonly secret: Secret;
}

/** There is nothing to open: the token was erased, and why is an issue of the connection. */
export class TokenMissing extends ConnectionProblem {
  constructor() {
    super('REAUTHORIZATION_REQUIRED', { detail: 'No token is stored.' });
  }
}

/** The only way to a stored token. Nobody gets one without naming the action it is for. */
export class AccessTokenService {
  readonly #uses: Throttle<AccessTokenId>;

  constructor(
    private readonly database: Database,
    private readonly snapshots: ConnectionSnapshots,
    private readonly refreshes: TokenRefreshService,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    this.#uses = new Throttle(USE_RECORDED_EVERY_MS, clock);
  }

  /** A source that asks the store at each lease, so that a replaced or retired token is noticed between two attempts. */
  sourceFor(connection: Connection, call: UpstreamCall): TokenSource {
    return {
      lease: (action) => this.lease(connection, action, call),
      reportRejected: (token) => this.reportRejected(connection, token, call),
    };
  }

  /**
   * Opens the active token after checking that the connection may be used and that the grant covers the action. One that is
   * about to end is refreshed first.
   * @throws ConnectionNotReady, ConnectionProblem (MISSING_SCOPES, WRONG_INSTALL_LEVEL, TOKEN_EXPIRED, REAUTHORIZATION_REQUIRED),
   * and what a refresh throws when the token has ended already
   */
  async lease(connection: Connection, action: Action, call: UpstreamCall): Promise<LeasedToken> {
    const { token, secret } = await this.openActive(connection, call, (current, active) => {
      if (current?.lifecycle !== 'OPEN') throw notReady(current);
      if (!active) throw new TokenMissing();
      assertUsable(action, current, active, this.clock.now());
    });
    await this.recordUse(token.id);
    return { id: token.id, generation: token.generation, secret };
  }

  /**
   * Opens the active token for a check of the grant itself: that may not depend on what is known of scopes or lifecycle,
   * because it is what finds out. One that is about to end is refreshed first.
   * @param action what the token is opened for; nothing else may be done with it.
   * @throws ConnectionProblem REAUTHORIZATION_REQUIRED when there is none (TokenMissing), or it cannot be opened; what a refresh
   * throws when the token has ended already
   */
  async openForGrant(connection: Connection, action: 'connection.verify', call: UpstreamCall): Promise<OpenedToken> {
    const opened = await this.openActive(connection, call, () => {});
    this.logger.debug({ connectionId: connection.id, tokenId: opened.token.id, action }, 'token opened');
    return opened;
  }

  /**
   * Opens what is to be ended at Slack, whatever state it is in.
   * @returns undefined when no token is there.
   * @throws ConnectionProblem REAUTHORIZATION_REQUIRED when it cannot be opened.
   */
  async openForRevocation(connection: Connection): Promise<(OpenedToken & { refreshToken?: Secret }) | undefined> {
    const sealed = await this.database.read((stores) => stores.tokens.findSealed(connection.id));
    if (!sealed) return undefined;
    const { token } = sealed;
    const secret = opened(token.id, sealed.open, this.logger);
    if (!secret) return undefined;
    const refreshToken = await this.refreshes.openRefreshToken(token.id);
    this.logger.debug({ connectionId: connection.id, tokenId: token.id, action: 'connection.revoke' }, 'token opened');
    return { token, secret, refreshToken };
  }

  /**
   * Slack refused the token although its time is not over by our clock: that may be wrong, or Slack ended this one token.
   * @returns whether another one is there now; false when this one cannot be refreshed, or was less than a minute ago.
   * @throws what TokenRefreshService.refresh throws
   */
  async renewRejected(connection: Connection, rejected: TokenVersion, call: UpstreamCall): Promise<boolean> {
    const active = await this.database.read((stores) => stores.tokens.findActive(connection.id));
    if (!active) return false;
    if (!isSameVersion(active, rejected)) return true;
    if (!this.refreshes.mayRefresh(active)) return false;
    await this.refreshes.refresh(connection, active, call);
    return true;
  }

  private async reportRejected(connection: Connection, rejected: LeasedToken, call: UpstreamCall): Promise<boolean> {
    const { id, generation } = rejected;
    this.snapshots.forget(connection.id);
    if (id === undefined || generation === undefined) return false;
    try {
      return await this.renewRejected(connection, { id, generation }, call);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // The check that follows a refused token meets the same, and says it.
      this.logger.warn({ connectionId: connection.id, err: error }, 'a refused token could not be refreshed');
      return false;
    }
  }

  /**
   * @param check throws when the token may not be opened.
   * @throws what `check` throws; ConnectionProblem REAUTHORIZATION_REQUIRED; what a refresh throws
   */
  private async openActive(
    connection: Connection,
    call: UpstreamCall,
    check: (current: Connection | undefined, active: AccessToken | undefined) => void,
  ): Promise<OpenedToken> {
    let hasRenewed = false;
    for (let round = 0; round < OPEN_ROUNDS; round += 1) {
      const { connection: current, sealed } = await this.read(connection, call);
      check(current, sealed?.token);
      if (!sealed) break;
      const { token } = sealed;
      if (!hasRenewed && this.isDue(token)) {
        hasRenewed = true;
        await this.renewDue(connection, token, call);
        this.snapshots.forget(connection.id);
        // Another value is there now, or the connection was paused or given up meanwhile.
        continue;
      }
      const secret = opened(token.id, sealed.open, this.logger);
      if (secret) return { token, secret };
      this.snapshots.forget(connection.id);
    }
    throw new TokenMissing();
  }

  private read({ tenantId, id }: Connection, { urgency }: UpstreamCall): Promise<ConnectionSnapshot> {
    if (urgency === 'bulk') return this.snapshots.of(tenantId, id);
    return this.database.read(async ({ connections, tokens }) => ({
      connection: await connections.find(tenantId, id),
      sealed: await tokens.findSealed(id),
    }));
  }

  private isDue(token: AccessToken): boolean {
    if (!token.expiresAt || !this.refreshes.mayRefresh(token)) return false;
    return token.expiresAt.getTime() - this.clock.now() < REFRESHED_BEFORE_USE_MS;
  }

  /** @throws what the refresh throws, when the token has ended. While it lives, it is used as it is. */
  private async renewDue(connection: Connection, token: AccessToken, call: UpstreamCall): Promise<void> {
    const now = this.clock.now();
    const isAlive = token.expiresAt !== undefined && token.expiresAt.getTime() > now;
    if (!isAlive) return this.renewDead(connection, token, call);
    try {
      const deadlineAt = Math.min(call.deadlineAt, now + PATIENCE_MS);
      await this.refreshes.refresh(connection, token, { ...call, deadlineAt });
    } catch (error) {
      if (!(error instanceof AppError) || call.signal.aborted) throw error;
      this.logger.warn({ connectionId: connection.id, err: error }, 'a token that is about to end was not refreshed');
    }
  }

  private async renewDead(connection: Connection, token: AccessToken, call: UpstreamCall): Promise<void> {
    try {
      await this.refreshes.refresh(connection, token, call);
    } catch (error) {
      if (!(error instanceof UpstreamRejected)) throw error;
      throw new ConnectionProblem('TOKEN_EXPIRED', {
        detail: `Slack does not renew it (${error.slackCode}).`,
        cause: error,
      });
    }
  }

  private async recordUse(id: AccessTokenId): Promise<void> {
    if (!this.#uses.pass(id)) return;
    try {
      await this.database.transaction((stores) => stores.tokens.markUsed(id, new Date(this.clock.now())));
    } catch (error) {
      // While another process holds the database, calls that only read go on without this note.
      if (!(error instanceof StorageUnavailable)) throw error;
    }
  }
}

/**
 * Whether the grant, as far as it is known here, lets an action through. A token that can be refreshed is never held back for
 * its time: it was refreshed before this is asked, and if the clock says otherwise then it is the clock that is wrong.
 * @param now milliseconds since the epoch
 * @throws ConnectionProblem (MISSING_SCOPES, TOKEN_EXPIRED), ConnectionNotReady (install level)
 */
export function assertUsable(
  action: Action,
  connection: Pick<Connection, 'installLevel'>,
  token: Pick<AccessToken, 'grantedScopes' | 'expiresAt' | 'refreshable'>,
  now: number,
): void {
  const { requiredScopes, installLevel } = requirementOf(action);
  const missing = missingScopes(requiredScopes, token.grantedScopes);
  if (missing.length > 0) {
    throw new ConnectionProblem('MISSING_SCOPES', {
      missingScopes: missing,
      detail: `Missing user token scopes: ${missing.join(', ')}.`,
    });
  }
  if (installLevel && installLevel !== connection.installLevel) {
    throw new ConnectionNotReady(`This action needs an ${installLevel.toLowerCase()} install.`, {
      remedy: 'Connect the Enterprise organization, with an app installed on the organization itself.',
    });
  }
  if (token.refreshable || !token.expiresAt) return;
  if (token.expiresAt.getTime() <= now) throw new ConnectionProblem('TOKEN_EXPIRED');
}

export function notReady(connection: Connection | undefined): ConnectionNotReady {
  if (connection?.lifecycle === 'PAUSED') {
    return new ConnectionNotReady('The connection is paused.', { remedy: 'Resume it with resumeConnection.' });
  }
  return new ConnectionNotReady('The connection is disconnected.', {
    remedy: 'Give it a new token with replaceToken.',
  });
}

/**
 * @returns undefined when the token was erased.
 * @throws ConnectionProblem REAUTHORIZATION_REQUIRED
 */
function opened(tokenId: AccessTokenId, open: () => Secret | undefined, logger: Logger): Secret | undefined {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error;
    logger.error({ tokenId, err: error }, 'a stored token cannot be opened');
    throw new ConnectionProblem('REAUTHORIZATION_REQUIRED', {
      detail: 'The stored token cannot be opened: it is damaged, or its sealing key is missing.',
      cause: error,
    });
  }
}
