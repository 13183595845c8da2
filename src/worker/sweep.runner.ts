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

const OPERATIONS_KEPT_MS = 90 * DAY_MS;
/** Whoever took it in is gone. */
const UNACCEPTED_KEPT_MS = HOUR_MS;
/** Rows that go in one transaction: an operation has as many items as a company has people. */
const ROWS_AT_ONCE = 1_000;

/** Removes, at the start and once an hour, what has been kept long enough; idempotency records know their own time. */
export class SweepRunner {
  readonly #repeater: Repeater;

  constructor(
    private readonly idempotency: IdempotencyService,
    private readonly database: Database,
    private readonly means: { clock: Clock; random: () => number; logger: Logger; operationsKeptMs?: number },
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
    removed.operationRows = await this.#sweepOperations(signal);
    if (Object.values(removed).some((count) => count > 0)) logger.info(removed, 'removed what was kept long enough');
  }

  async #sweepOperations(signal: AbortSignal): Promise<number> {
    const { clock, operationsKeptMs = OPERATIONS_KEPT_MS } = this.means;
    const removals: ((stores: Stores) => Promise<number>)[] = [
      ({ operations }) => operations.deleteEndedBefore(new Date(clock.now() - operationsKeptMs), ROWS_AT_ONCE),
      ({ operations }) => operations.deleteUnacceptedBefore(new Date(clock.now() - UNACCEPTED_KEPT_MS), ROWS_AT_ONCE),
    ];
    let removed = 0;
    for (const remove of removals) {
      for (let rows = 1; rows > 0 && !signal.aborted; removed += rows) {
        rows = await this.database.transaction(remove);
      }
    }
    return removed;
  }
}
