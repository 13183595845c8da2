import type { IdempotencyService } from '../domain/directory/idempotency.service';
import type { Database, Stores } from '../domain/ports';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import { Repeater } from './repeater';

const HOUR_MS = 60 * 60 * 1000;
/** What was begun and never accepted: whoever took it in is gone. An upload takes less. */
const UNACCEPTED_KEPT_MS = HOUR_MS;
/** Of one transaction, so that no lock is held for long: an operation has as many items as a company has people. */
const ROWS_AT_ONCE = 1_000;

/** How long what is over is kept. */
export interface Retention {
  readonly operationsMs: number;
  readonly issuesMs: number;
  readonly tokensMs: number;
  readonly installsMs: number;
  readonly slackEventsMs: number;
}

interface Removal {
  readonly what: string;
  readonly forMs: number;
  /** @returns how many rows; what is left may go with the next portion. */
  remove(stores: Stores, before: Date, limit: number): Promise<number>;
}

function removalsOf(retention: Retention): readonly Removal[] {
  return [
    {
      what: 'issues',
      forMs: retention.issuesMs,
      remove: ({ issues }, before, limit) => issues.deleteResolvedBefore(before, limit),
    },
    {
      what: 'tokens',
      forMs: retention.tokensMs,
      remove: ({ tokens }, before, limit) => tokens.deleteEndedBefore(before, limit),
    },
    {
      what: 'installs',
      forMs: retention.installsMs,
      remove: ({ installs }, before, limit) => installs.deleteExpired(before, limit),
    },
    {
      what: 'slackEvents',
      forMs: retention.slackEventsMs,
      remove: ({ slackEvents }, before, limit) => slackEvents.deleteHandledBefore(before, limit),
    },
    {
      what: 'operationRows',
      forMs: retention.operationsMs,
      remove: ({ operations }, before, limit) => operations.deleteEndedBefore(before, limit),
    },
    {
      what: 'unacceptedRows',
      forMs: UNACCEPTED_KEPT_MS,
      remove: ({ operations }, before, limit) => operations.deleteUnacceptedBefore(before, limit),
    },
    { what: 'leases', forMs: 0, remove: ({ leases }, _before, limit) => leases.deleteEnded(limit) },
  ];
}

/** Removes, at the start and once an hour, what has been kept long enough; idempotency records know their own time. */
export class SweepRunner {
  readonly #repeater: Repeater;

  constructor(
    private readonly idempotency: IdempotencyService,
    private readonly database: Database,
    private readonly means: { clock: Clock; random: () => number; logger: Logger; retention: Retention },
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

  async #sweep(signal: AbortSignal): Promise<void> {
    const { clock, logger, retention } = this.means;
    const removed: Record<string, number> = {
      idempotencyRecords: await inPortions(signal, () => this.idempotency.sweep(ROWS_AT_ONCE)),
    };
    for (const { what, forMs, remove } of removalsOf(retention)) {
      const before = new Date(clock.now() - forMs);
      removed[what] = await inPortions(signal, () =>
        this.database.transaction((stores) => remove(stores, before, ROWS_AT_ONCE)),
      );
    }
    if (Object.values(removed).some((count) => count > 0)) logger.info(removed, 'removed what was kept long enough');
  }
}

/** Until nothing is left; others have their turn at the database in between. */
async function inPortions(signal: AbortSignal, remove: () => Promise<number>): Promise<number> {
  let removed = 0;
  for (let rows = 1; rows > 0 && !signal.aborted; removed += rows) rows = await remove();
  return removed;
}
