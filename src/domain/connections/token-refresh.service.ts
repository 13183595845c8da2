import type { Clock } from '../../shared/clock';
import { Cooldown } from '../../shared/cooldown';
import { newId } from '../../shared/ids';
import type { Logger } from '../../shared/logger';
import type { Secret } from '../../shared/secret';
import { SingleFlight } from '../../shared/single-flight';
import {
  AppCredentialsRefused,
  AppError,
  GrantLost,
  RateLimited,
  StillRunning,
  UpstreamRejected,
  UpstreamUnavailable,
} from '../errors';
import { type Database, SealBroken, type UpstreamCall } from '../ports';
import type { SlackOAuth } from '../slack-oauth-port';
import { type AccessToken, type AccessTokenId, type Connection, isSameVersion, type TokenVersion } from './connection';
import type { ConnectionHealth } from './connection-health.service';
import { ConnectionProblem } from './connection-problem';
import { type HeldLease, type PairKeeper, REFRESH_LEASE_MS } from './pair-keeper.service';

const EXCHANGE_MS = 20_000;
const RENEWED_EVERY_MS = REFRESH_LEASE_MS / 3;
const LEASE_POLL_MS = { from: 100, to: 500 };
/** Longer than a lease, so that one whose owner died is outlived. */
const LEASE_PATIENCE_MS = REFRESH_LEASE_MS + 5_000;
/** Slack lets two access tokens of one grant live; a loop of refreshes would end those that others hold. */
const REFRESHED_AT_MOST_EVERY_MS = 60_000;
/** The grace period of a spent refresh token is short, so that a lost answer is asked for again soon. */
const COOLDOWN_MS = 5_000;
/** For refreshes that were told to end, to say so. */
const ENDING_MS = 500;
const REFUSED_APP_COOLDOWN_MS = 15_000;

export interface TokenRefreshParts {
  readonly database: Database;
  readonly oauth: SlackOAuth;
  readonly health: ConnectionHealth;
  readonly keeper: PairKeeper;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * Exchanges refresh tokens, which work once: one exchange at a time for each authorization, in this process and over all
 * replicas, and the new pair is stored before anybody uses it. A refresh belongs to nobody: callers wait for it as long as
 * they like, and it goes on without them.
 */
export class TokenRefreshService {
  readonly #flights = new SingleFlight<void>();
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #cooldown: Cooldown<AppError>;

  constructor(private readonly parts: TokenRefreshParts) {
    this.#cooldown = new Cooldown(parts.clock);
  }

  /** Whether it can be refreshed, and was not a moment ago. A clock that was set back makes a token neither young nor due. */
  mayRefresh({ refreshable, refreshedAt }: Pick<AccessToken, 'refreshable' | 'refreshedAt'>): boolean {
    if (!refreshable || !refreshedAt) return refreshable;
    return Math.abs(this.parts.clock.now() - refreshedAt.getTime()) >= REFRESHED_AT_MOST_EVERY_MS;
  }

  /**
   * Sees to it that the token has another value than this one; resolves when it has, whoever did it, and when the token was
   * replaced or given up.
   * @param call bounds the wait, not the refresh.
   * @param options.despiteFailure tries at once although the last attempt has just failed.
   * @throws ConnectionProblem (REAUTHORIZATION_REQUIRED when Slack does not take the refresh token any more, APP_CREDENTIALS_REFUSED),
   * RateLimited, UpstreamUnavailable, UpstreamRejected, StillRunning, StorageUnavailable
   */
  async refresh(
    connection: Connection,
    { id, generation }: TokenVersion,
    call: UpstreamCall,
    { despiteFailure = false }: { despiteFailure?: boolean } = {},
  ): Promise<void> {
    const key = `${id}:${generation}`;
    if (!despiteFailure) await this.#assertNoFailure(connection, { id, generation }, key);
    return this.#share(key, call, () => this.#refresh(connection, { id, generation }, key, call.requestId));
  }

  /**
   * Exchanges a long-lived token for a pair, which takes its place. Slack does it once for a token: when the answer is lost,
   * the long-lived token goes on working and can only be replaced by an installation.
   * @throws as refresh, and InvalidInput when Slack refuses
   */
  moveIntoRotation(connection: Connection, token: AccessToken, secret: Secret, call: UpstreamCall): Promise<void> {
    const { oauth, keeper } = this.parts;
    return this.#share(`${token.id}:${token.generation}`, call, () =>
      this.#inLease(connection, token, async (current, lease) => {
        if (current.refreshable) return;
        const pair = await oauth.exchangeLongLived(connection.environment, secret, this.#bounds(call.requestId));
        const { refreshToken } = pair;
        if (!refreshToken)
          throw new UpstreamRejected('Slack gave a token that does not rotate.', 'no_refresh_token', 200);
        await keeper.save(connection, current, { ...pair, refreshToken }, lease, this.#stopping.signal);
      }),
    );
  }

  /**
   * Runs `work` while nobody refreshes the connection's token: what is to be ended at Slack must not be renewed meanwhile.
   * @throws StillRunning when a refresh does not end in the time of the call
   */
  async withoutRefresh<T>(connection: Connection, call: UpstreamCall, work: () => Promise<T>): Promise<T> {
    const token = await this.parts.database.read((stores) => stores.tokens.findActive(connection.id));
    if (!token?.refreshable) return work();
    const lease = { name: leaseNameOf(connection, token), owner: newId<string>('own') };
    const patienceMs = call.deadlineAt - this.parts.clock.now();
    if (!(await this.#acquire(lease, { patienceMs, signal: call.signal }))) throw beingRefreshed();
    try {
      return await work();
    } finally {
      await this.#release(lease);
    }
  }

  /**
   * @returns undefined when there is none (any more).
   * @throws ConnectionProblem REAUTHORIZATION_REQUIRED when it cannot be opened.
   */
  async openRefreshToken(id: AccessTokenId): Promise<Secret | undefined> {
    try {
      return await this.parts.database.read((stores) => stores.tokens.openRefreshToken(id));
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      this.parts.logger.error({ tokenId: id, err: error }, 'a stored refresh token cannot be opened');
      throw new ConnectionProblem('REAUTHORIZATION_REQUIRED', {
        detail: 'The stored refresh token cannot be opened: it is damaged, or its sealing key is missing.',
        cause: error,
      });
    }
  }

  /** Lets refreshes under way finish within the time, then ends them; a successor finds out how far they came. */
  async stop(timeoutMs: number): Promise<void> {
    await this.#settled(timeoutMs);
    this.#stopping.abort(new UpstreamUnavailable('The gateway is stopping.', { remedy: 'Try again.' }));
    await this.#settled(ENDING_MS);
  }

  async #settled(withinMs: number): Promise<void> {
    const settled = new AbortController();
    const limit = this.parts.clock.sleep(withinMs, settled.signal).catch(() => undefined);
    await Promise.race([Promise.allSettled(this.#running), limit]);
    settled.abort();
  }

  async #assertNoFailure(connection: Connection, token: TokenVersion, key: string): Promise<void> {
    const own = this.#cooldown.find(key);
    if (own) throw own;
    const ofApp = this.#cooldown.find(connection.environment);
    if (!ofApp) return;
    // Found out with another connection's token, and just as true of this one.
    if (connection.status === 'ACTIVE') await this.parts.health.recordFailure(connection, ofApp, { token });
    throw ofApp;
  }

  async #refresh(connection: Connection, version: TokenVersion, key: string, requestId: string): Promise<void> {
    try {
      await this.#inLease(connection, version, (token, lease) => this.#exchange(connection, token, lease, requestId));
      this.#cooldown.end(key);
    } catch (error) {
      if (error instanceof RateLimited) this.#cooldown.begin(key, error.retryAfterSeconds * 1_000, error);
      else if (error instanceof AppError) this.#cooldown.begin(key, COOLDOWN_MS, error);
      throw error;
    }
  }

  async #exchange(connection: Connection, token: AccessToken, lease: HeldLease, requestId: string): Promise<void> {
    const { database, oauth, keeper, clock } = this.parts;
    if (!this.mayRefresh(token)) return;
    try {
      this.#assertOwnApp(connection, token);
      const refreshToken = await this.openRefreshToken(token.id);
      if (!refreshToken) return;
      const startedAt = new Date(clock.now());
      const hasBegun = await database.transaction((stores) =>
        stores.tokens.beginRefresh(token.id, token.generation, startedAt),
      );
      if (!hasBegun) return;
      const pair = await oauth.refresh(connection.environment, refreshToken, this.#bounds(requestId));
      // Without a new one in the answer, the refresh token was not for one use.
      const kept = { ...pair, refreshToken: pair.refreshToken ?? refreshToken };
      await keeper.save(connection, token, kept, lease, this.#stopping.signal);
    } catch (error) {
      if (error instanceof GrantLost) return this.#recordLoss(connection, token, error);
      if (error instanceof AppCredentialsRefused) return this.#recordRefusedApp(connection, token, error);
      throw error;
    }
  }

  /** Another app's refresh token is unknown to ours, which must not look as if the grant were lost. */
  #assertOwnApp({ environment }: Connection, { appSlackId }: AccessToken): void {
    const { oauth } = this.parts;
    if (!oauth.isAvailable(environment)) throw new AppCredentialsRefused('app_not_configured');
    const own = oauth.appSlackId(environment);
    if (own !== undefined && appSlackId !== undefined && own !== appSlackId) {
      throw new AppCredentialsRefused('other_app_configured');
    }
  }

  async #recordLoss(connection: Connection, token: AccessToken, { slackCode }: GrantLost): Promise<void> {
    const { database, health } = this.parts;
    // Somebody whose lease had run out may have used the refresh token, and saved.
    if (!(await this.#findCurrent(connection, token))) return;
    const interrupted = token.refreshStartedAt
      ? ` A refresh that was begun at ${token.refreshStartedAt.toISOString()} was not finished.`
      : '';
    const problem = new ConnectionProblem('REAUTHORIZATION_REQUIRED', {
      detail: `Slack does not accept the refresh token any more (${slackCode}).${interrupted}`,
    });
    await health.recordFailure(connection, problem, { token });
    await database.transaction((stores) => stores.tokens.dropRefreshToken(token.id, token.generation));
    if (await this.#findCurrent(connection, token)) throw problem;
  }

  async #recordRefusedApp(connection: Connection, token: AccessToken, error: AppCredentialsRefused): Promise<void> {
    const problem = new ConnectionProblem('APP_CREDENTIALS_REFUSED', { detail: error.slackCode, cause: error });
    this.#cooldown.begin(connection.environment, REFUSED_APP_COOLDOWN_MS, problem);
    await this.parts.health.recordFailure(connection, problem, { token });
    throw problem;
  }

  /** Runs `work` with the lease and with the token as it is then; not at all when the token has another value meanwhile. */
  async #inLease(
    connection: Connection,
    version: TokenVersion,
    work: (token: AccessToken, lease: HeldLease) => Promise<void>,
  ): Promise<void> {
    const before = await this.#findCurrent(connection, version);
    if (!before) return;
    const lease = { name: leaseNameOf(connection, before), owner: newId<string>('own') };
    const isOver = async () => (await this.#findCurrent(connection, version)) === undefined;
    const { signal } = this.#stopping;
    if (!(await this.#acquire(lease, { patienceMs: LEASE_PATIENCE_MS, signal, isOver }))) {
      if (await isOver()) return;
      throw beingRefreshed();
    }
    const ended = new AbortController();
    const renewing = this.#renew(lease, ended.signal);
    try {
      const token = await this.#findCurrent(connection, version);
      if (token) await work(token, lease);
    } finally {
      ended.abort();
      await renewing;
      await this.#release(lease);
    }
  }

  /** A lease is short, so that a dead owner's is soon over, and is held for as long as its owner lives. */
  async #renew({ name, owner }: HeldLease, ended: AbortSignal): Promise<void> {
    const { database, clock, logger } = this.parts;
    for (;;) {
      await clock.sleep(RENEWED_EVERY_MS, ended).catch(() => undefined);
      if (ended.aborted) return;
      try {
        await database.transaction((stores) => stores.leases.acquire(name, owner, REFRESH_LEASE_MS));
      } catch (error) {
        logger.warn({ err: error }, 'the lease of a refresh was not renewed');
      }
    }
  }

  /** Time is counted by what was slept, so that a clock that is set cannot end the patience or make it endless. */
  async #acquire(
    { name, owner }: HeldLease,
    options: { patienceMs: number; signal: AbortSignal; isOver?: () => Promise<boolean> },
  ): Promise<boolean> {
    const { database, clock, random } = this.parts;
    for (let sleptMs = 0; ; ) {
      options.signal.throwIfAborted();
      if (await database.transaction((stores) => stores.leases.acquire(name, owner, REFRESH_LEASE_MS))) return true;
      const pauseMs = LEASE_POLL_MS.from + (LEASE_POLL_MS.to - LEASE_POLL_MS.from) * random();
      if (sleptMs + pauseMs > options.patienceMs || (await options.isOver?.())) return false;
      await clock.sleep(pauseMs, options.signal);
      sleptMs += pauseMs;
    }
  }

  async #release({ name, owner }: HeldLease): Promise<void> {
    try {
      await this.parts.database.transaction((stores) => stores.leases.release(name, owner));
    } catch (error) {
      // It ends by itself.
      this.parts.logger.warn({ err: error }, 'the lease of a refresh was not given back');
    }
  }

  async #findCurrent(connection: Connection, version: TokenVersion): Promise<AccessToken | undefined> {
    const active = await this.parts.database.read((stores) => stores.tokens.findActive(connection.id));
    return isSameVersion(active, version) ? active : undefined;
  }

  #bounds(requestId: string): UpstreamCall {
    return { signal: this.#stopping.signal, deadlineAt: this.parts.clock.now() + EXCHANGE_MS, requestId };
  }

  async #share(key: string, call: UpstreamCall, work: () => Promise<void>): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    call.signal.throwIfAborted();
    const flight = this.#flights.run(key, () => {
      const running = work();
      this.#running.add(running);
      return running.finally(() => this.#running.delete(running));
    });
    const { clock } = this.parts;
    const ended = new AbortController();
    const waitMs = Math.max(call.deadlineAt - clock.now(), 0);
    const limit = clock.sleep(waitMs, AbortSignal.any([call.signal, ended.signal])).then(() => {
      throw new UpstreamUnavailable('The token is being refreshed, and Slack has not answered in time.', {
        remedy: 'Try again.',
      });
    });
    try {
      await Promise.race([flight, limit]);
    } finally {
      ended.abort();
      for (const promise of [flight, limit]) promise.catch(() => undefined);
    }
  }
}

/** What one authorization at Slack is known by: connections of several tenants may share one. */
function leaseNameOf({ environment, teamKey, installer }: Connection, { appSlackId }: AccessToken): string {
  return `refresh:${environment}:${appSlackId ?? '-'}:${teamKey}:${installer?.slackId ?? '-'}`;
}

function beingRefreshed(): StillRunning {
  return new StillRunning('The token of this connection is being refreshed.', { remedy: 'Try again.' });
}
