import type { IdempotencyService } from './domain/directory/idempotency.service';
import type { Database } from './domain/ports';
import type { Clock } from './shared/clock';
import type { Logger } from './shared/logger';

const SWEEP_EVERY_MS = 60 * 60 * 1000;
const ISSUES_KEPT_MS = 180 * 24 * 60 * 60 * 1000;

/** Removes, once an hour, what has been kept long enough: idempotency records after a day, resolved issues after 180. */
export class Sweeper {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly idempotency: IdempotencyService,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.#timer = setInterval(() => {
      this.#running = this.sweep();
    }, SWEEP_EVERY_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** A sweep that fails is tried again an hour later; nothing depends on it. */
  private async sweep(): Promise<void> {
    try {
      const records = await this.idempotency.sweep();
      const before = new Date(this.clock.now() - ISSUES_KEPT_MS);
      const issues = await this.database.transaction((stores) => stores.issues.deleteResolvedBefore(before));
      this.logger.info({ records, issues }, 'removed what was kept long enough');
    } catch (error) {
      this.logger.warn({ err: error }, 'the sweep failed');
    }
  }
}
