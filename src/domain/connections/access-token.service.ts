import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/logger';
import type { Secret } from '../../shared/secret';
import { Throttle } from '../../shared/throttle';
import { ConnectionNotReady, StorageUnavailable } from '../errors';
import { type Database, type LeasedToken, SealBroken, type TokenSource } from '../ports';
import type { AccessToken, AccessTokenId, Connection } from './connection';
import { ConnectionProblem } from './connection-problem';
import { type Action, missingScopes, requirementOf } from './scopes';

/** `lastUsedAt` is for people who look at a token; a write for each call would cost more than it tells. */
const USE_RECORDED_EVERY_MS = 60_000;

/** A token is replaced by a person's hand: twice in the moment between two reads is not a race any more. */
const OPEN_ROUNDS = 3;

export interface OpenedToken {
  readonly token: AccessToken;
  readonly secret: Secret;
}

/** The only way to a stored token. Nobody gets one without naming the action it is for. */
export class AccessTokenService {
  readonly #uses: Throttle<AccessTokenId>;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    this.#uses = new Throttle(USE_RECORDED_EVERY_MS, clock);
  }

  /** A source that asks the store at each lease, so that a replaced or retired token is noticed between two attempts. */
  sourceFor(connection: Connection): TokenSource {
    return {
      lease: (action) => this.lease(connection, action),
      reportRejected: (token) => this.isReplaced(connection, token),
    };
  }

  /**
   * Opens the active token after checking that the connection may be used and that the grant covers the action.
   * @throws ConnectionNotReady, ConnectionProblem (MISSING_SCOPES, WRONG_INSTALL_LEVEL, TOKEN_EXPIRED, REAUTHORIZATION_REQUIRED)
   */
  async lease(connection: Connection, action: Action): Promise<LeasedToken> {
    const { token, secret } = await this.openActive(connection, (current, active) => {
      if (current?.lifecycle !== 'OPEN') throw notReady(current);
      if (!active) throw noToken();
      assertUsable(action, current, active, this.clock.now());
    });
    await this.recordUse(token.id);
    return { id: token.id, generation: token.generation, secret };
  }

  /**
   * Opens the active token for a check of the grant itself, or to end it at Slack: those may not depend on what is
   * known of scopes, expiry or lifecycle, because they are what finds out.
   * @param action what the token is opened for; nothing else may be done with it.
   * @throws ConnectionProblem REAUTHORIZATION_REQUIRED when there is none, or it cannot be opened.
   */
  async openForGrant(connection: Connection, action: 'connection.verify' | 'connection.revoke'): Promise<OpenedToken> {
    const opened = await this.openActive(connection, () => {});
    this.logger.debug({ connectionId: connection.id, tokenId: opened.token.id, action }, 'token opened');
    return opened;
  }

  /**
   * @param check throws when the token may not be opened.
   * @throws what `check` throws; ConnectionProblem REAUTHORIZATION_REQUIRED
   */
  private async openActive(
    connection: Connection,
    check: (current: Connection | undefined, active: AccessToken | undefined) => void,
  ): Promise<OpenedToken> {
    for (let round = 0; round < OPEN_ROUNDS; round += 1) {
      const { current, token } = await this.database.read(async (stores) => ({
        current: await stores.connections.find(connection.tenantId, connection.id),
        token: await stores.tokens.findActive(connection.id),
      }));
      check(current, token);
      if (!token) break;
      const secret = await this.open(token.id);
      if (secret) return { token, secret };
      // Replaced and erased between the two reads: the next round finds the new one.
    }
    throw noToken();
  }

  /** @returns undefined when the token was erased. */
  private async open(id: AccessTokenId): Promise<Secret | undefined> {
    try {
      return await this.database.read((stores) => stores.tokens.open(id));
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      this.logger.error({ tokenId: id, err: error }, 'a stored token cannot be opened');
      throw new ConnectionProblem('REAUTHORIZATION_REQUIRED', {
        detail: 'The stored token cannot be opened: it is damaged, or its sealing key is missing.',
        cause: error,
      });
    }
  }

  private async isReplaced(connection: Connection, rejected: LeasedToken): Promise<boolean> {
    const active = await this.database.read((stores) => stores.tokens.findActive(connection.id));
    return active !== undefined && active.id !== rejected.id;
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
 * Whether the grant, as far as it is known here, lets an action through.
 * @param now milliseconds since the epoch
 * @throws ConnectionProblem (MISSING_SCOPES, TOKEN_EXPIRED), ConnectionNotReady (install level)
 */
export function assertUsable(
  action: Action,
  connection: Pick<Connection, 'installLevel'>,
  token: Pick<AccessToken, 'grantedScopes' | 'expiresAt'>,
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
  if (token.expiresAt && token.expiresAt.getTime() <= now) throw new ConnectionProblem('TOKEN_EXPIRED');
}

function noToken(): ConnectionProblem {
  return new ConnectionProblem('REAUTHORIZATION_REQUIRED', { detail: 'No token is stored.' });
}

export function notReady(connection: Connection | undefined): ConnectionNotReady {
  if (connection?.lifecycle === 'PAUSED') {
    return new ConnectionNotReady('The connection is paused.', { remedy: 'Resume it with resumeConnection.' });
  }
  return new ConnectionNotReady('The connection is disconnected.', {
    remedy: 'Give it a new token with replaceToken.',
  });
}
