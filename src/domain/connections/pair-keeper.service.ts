import { backoffMs } from '../../shared/backoff';
import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/logger';
import type { Secret } from '../../shared/secret';
import { AppError, StorageUnavailable } from '../errors';
import type { SlackWebApi } from '../ports';
import type { GrantedToken } from '../slack-oauth-port';
import { type AccessToken, type Connection, isSameVersion } from './connection';
import { type ConnectionHealth, idsOf } from './connection-health.service';
import type { ConnectionProblemCode } from './connection-problem';
import { hintOf } from './grant-verifier.service';

/**
 * How long the lease of a refresh lasts when its owner dies: a successor has to wait for its end, and the grace period of the
 * spent refresh token is running meanwhile.
 */
export const REFRESH_LEASE_MS = 20_000;

const SAVE_BACKOFF = { baseMs: 50, capMs: 5_000 };
/** After this the pair is given up: the database has been away for longer than any grace period. */
const SAVE_PATIENCE_MS = 60 * 60_000;
const REVOKE_MS = 10_000;

/** What a pair that was just given disproves. */
const healedCodes: readonly ConnectionProblemCode[] = [
  'REAUTHORIZATION_REQUIRED',
  'TOKEN_EXPIRED',
  'TOKEN_REVOKED',
  'APP_UNINSTALLED',
  'INVALID_TOKEN',
  'APP_CREDENTIALS_REFUSED',
];

export interface HeldLease {
  readonly name: string;
  readonly owner: string;
}

export interface PairKeeperParts {
  readonly health: ConnectionHealth;
  readonly webApi: SlackWebApi;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
}

export type NewPair = GrantedToken & { readonly refreshToken: Secret };

/**
 * `SAVED` by this attempt, or by one before it whose answer was lost, or somebody else's pair is in its place. `HELD`: somebody
 * else has the lease, and may come with a newer pair. `ORPHANED`: the token is not the connection's any more.
 */
type Attempt = 'SAVED' | 'HELD' | 'ORPHANED' | 'FAILED';

/** Stores what a refresh gave. From Slack's answer on, the pair in memory is the only one there is. */
export class PairKeeper {
  constructor(private readonly parts: PairKeeperParts) {}

  /**
   * Stores the pair in the token's place, if it takes an hour: the database may be locked or full at this very moment. A pair
   * whose token was given up meanwhile is ended at Slack.
   * @param signal ends the waiting; a successor then uses the spent refresh token within its grace period.
   * @throws StorageUnavailable when the pair could not be stored.
   */
  async save(
    connection: Connection,
    token: AccessToken,
    pair: NewPair,
    lease: HeldLease,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, random, logger } = this.parts;
    const facts = { connectionId: connection.id, tokenId: token.id, generation: token.generation };
    for (let attempt = 0, sleptMs = 0; ; attempt += 1) {
      const outcome = await this.#attempt(connection, token, pair, lease);
      if (outcome === 'SAVED') {
        logger.info(facts, 'token refreshed');
        return;
      }
      if (outcome === 'ORPHANED') {
        await this.#discard(connection, pair);
        return;
      }
      const pauseMs = backoffMs(attempt, { ...SAVE_BACKOFF, random });
      sleptMs += pauseMs;
      if (signal.aborted || sleptMs > SAVE_PATIENCE_MS) break;
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
    logger.error(facts, 'a refreshed token could not be stored');
    throw new StorageUnavailable('The database of the gateway did not take the refreshed token.', {
      remedy: 'Try again in a few seconds. If it stays like this, look at the gateway’s database.',
    });
  }

  async #attempt(connection: Connection, token: AccessToken, pair: NewPair, lease: HeldLease): Promise<Attempt> {
    try {
      return await this.#write(connection, token, pair, lease);
    } catch (error) {
      const facts = { connectionId: connection.id, tokenId: token.id, err: error };
      this.parts.logger.warn(facts, 'a refreshed token is not stored yet');
      return 'FAILED';
    }
  }

  /** The lease is the fence, taken anew where it had run out: whoever has it now exchanged the same refresh token later. */
  async #write(connection: Connection, token: AccessToken, pair: NewPair, lease: HeldLease): Promise<Attempt> {
    let outcome: Attempt = 'ORPHANED';
    const changed = await this.parts.health.change(connection, async (stores, open, now) => {
      const active = await stores.tokens.findActive(connection.id);
      outcome = active?.id === token.id ? 'SAVED' : 'ORPHANED';
      if (!isSameVersion(active, token)) return {};
      if (!(await stores.leases.acquire(lease.name, lease.owner, REFRESH_LEASE_MS))) {
        outcome = 'HELD';
        return {};
      }
      await stores.tokens.saveRefreshed(connection.tenantId, token, {
        secret: pair.secret,
        refreshToken: pair.refreshToken,
        hint: hintOf(pair.secret),
        grantedScopes: pair.grantedScopes.length > 0 ? pair.grantedScopes : token.grantedScopes,
        expiresAt: pair.expiresAt,
        refreshedAt: now,
        appSlackId: pair.appSlackId,
      });
      await stores.issues.resolve(idsOf(open.filter(({ code }) => healedCodes.includes(code))), now);
      return {};
    });
    return changed ? outcome : 'ORPHANED';
  }

  /** Best effort: nobody knows the pair but this process, and the access token ends by itself. */
  async #discard({ id, environment }: Connection, { secret, refreshToken }: NewPair): Promise<void> {
    const { webApi, clock, logger } = this.parts;
    const bounds = {
      signal: AbortSignal.timeout(REVOKE_MS),
      deadlineAt: clock.now() + REVOKE_MS,
      requestId: `refresh-${id}`,
    };
    for (const token of [refreshToken, secret]) {
      try {
        await webApi.revoke(environment, token, bounds);
      } catch (error) {
        if (!(error instanceof AppError) && !bounds.signal.aborted) throw error;
        logger.warn({ connectionId: id, err: error }, 'a refreshed token that is not needed any more was not ended');
      }
    }
  }
}
