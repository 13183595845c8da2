import type { TokenRefreshService } from '../domain/connections/token-refresh.service';
import { AppError } from '../domain/errors';
import type { Database, DueToken } from '../domain/ports';
import { aFewAtATime } from '../shared/a-few-at-a-time';
import type { Clock } from '../shared/clock';
import { newId } from '../shared/ids';
import type { Logger } from '../shared/logger';
import { Repeater } from './repeater';

/** Often, because a refresh that was interrupted can be made up for only while the grace period runs. */
const LOOK_EVERY_MS = 20_000;
/** Of twelve hours: enough for an outage of Slack, and rare enough to keep Slack's limit of two live tokens. */
const REFRESHED_AHEAD_MS = 2 * 60 * 60_000;
const MOST_AT_ONCE = 500;
const REFRESHES_AT_A_TIME = 4;
/** Longer than a lease whose owner died. */
const LONGEST_REFRESH_MS = 60_000;

export interface TokenRefreshRunnerParts {
  readonly database: Database;
  readonly refreshes: TokenRefreshService;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * Refreshes tokens two hours before they end, and first of all those whose refresh a process did not live to finish: at a
 * start, and three times a minute.
 */
export class TokenRefreshRunner {
  readonly #repeater: Repeater;

  constructor(private readonly parts: TokenRefreshRunnerParts) {
    this.#repeater = new Repeater({
      ...parts,
      name: 'token refreshes',
      everyMs: LOOK_EVERY_MS,
      jitter: 0.3,
      work: (signal) => this.refreshDue(signal),
    });
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): Promise<void> {
    return this.#repeater.stop();
  }

  /** One round. */
  async refreshDue(signal: AbortSignal): Promise<void> {
    const { database, clock } = this.parts;
    const before = new Date(clock.now() + REFRESHED_AHEAD_MS);
    const due = await database.read((stores) => stores.tokens.listDueForRefresh(before, MOST_AT_ONCE));
    await aFewAtATime(this.#spread(due), REFRESHES_AT_A_TIME, async (token) => {
      if (!signal.aborted) await this.#refresh(token, signal);
    });
  }

  /** The unfinished ones in their order; the others by chance, so that replicas do not queue up for the same token. */
  #spread(due: readonly DueToken[]): DueToken[] {
    const { random } = this.parts;
    const placed = due.map((item) => ({ item, place: item.token.refreshStartedAt ? 0 : 1 + random() }));
    return placed.sort((one, other) => one.place - other.place).map(({ item }) => item);
  }

  async #refresh({ tenantId, token }: DueToken, signal: AbortSignal): Promise<void> {
    const { database, refreshes, clock, logger } = this.parts;
    if (!refreshes.mayRefresh(token)) return;
    try {
      const connection = await database.read((stores) => stores.connections.find(tenantId, token.connectionId));
      if (!connection) return;
      const deadlineAt = clock.now() + LONGEST_REFRESH_MS;
      await refreshes.refresh(connection, token, { signal, deadlineAt, requestId: newId('ref') });
    } catch (error) {
      if (signal.aborted) return;
      const facts = { connectionId: token.connectionId, err: error };
      if (error instanceof AppError) logger.warn(facts, 'a token was not refreshed');
      else logger.error(facts, 'a refresh met a defect');
    }
  }
}
