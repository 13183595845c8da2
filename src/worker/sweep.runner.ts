import type { IdempotencyService } from '../domain/directory/idempotency.service';
import type { Database, Stores } from '../domain/ports';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import { Repeater } from './repeater';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** How long what has ended is kept, and how it is removed. */
const kept: readonly { what: string; forMs: number; remove(stores: Stores, before: Date): Promise<number> }[] = [
  { what: 'issues', forMs: 180 * DAY_MS, remove: ({ issues }, before) => issues.deleteResolvedBefore(before) },
  { what: 'tokens', forMs: 180 * DAY_MS, remove: ({ tokens }, before) => tokens.deleteEndedBefore(before) },
  { what: 'installs', forMs: 30 * DAY_MS, remove: ({ installs }, before) => installs.deleteExpired(before) },
  {
    what: 'slackEvents',
    forMs: 7 * DAY_MS,
    remove: ({ slackEvents }, before) => slackEvents.deleteHandledBefore(before),
  },
];

/** Removes, at the start and once an hour, what has been kept long enough; idempotency records know their own time. */
export class SweepRunner {
  readonly #repeater: Repeater;

  constructor(
    private readonly idempotency: IdempotencyService,
    private readonly database: Database,
    private readonly means: { clock: Clock; random: () => number; logger: Logger },
  ) {
    this.#repeater = new Repeater({
      ...means,
      name: 'sweep',
      everyMs: HOUR_MS,
      jitter: 0.1,
      work: (signal) => this.#sweep(signal),
    });
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): Promise<void> {
    return this.#repeater.stop();
  }

  /** Kind by kind, each in a transaction of its own, so that no lock is held for long. */
  async #sweep(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.means;
    const removed: Record<string, number> = { idempotencyRecords: await this.idempotency.sweep() };
    for (const { what, forMs, remove } of kept) {
      if (signal.aborted) return;
      const before = new Date(clock.now() - forMs);
      removed[what] = await this.database.transaction((stores) => remove(stores, before));
    }
    if (Object.values(removed).some((count) => count > 0)) logger.info(removed, 'removed what was kept long enough');
  }
}
