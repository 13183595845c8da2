import { type Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';

export interface RepeaterOptions {
  /** For the log. */
  readonly name: string;
  /** From the end of one round to the start of the next. */
  readonly everyMs: number;
  /** Share of `everyMs` by which a wait is longer or shorter, so that replicas do not work in step; 0 to 1. */
  readonly jitter?: number;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  /** One round. What it throws is logged, and the next round comes as planned. */
  readonly work: (signal: AbortSignal) => Promise<void>;
}

/** Does something again and again until it is stopped, one round at a time. */
export class Repeater {
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #isWoken = false;

  constructor(private readonly options: RepeaterOptions) {}

  /** The first round begins at once. */
  start(): void {
    this.#running ??= this.#repeat();
  }

  /** The next round begins now; when one is under way, right after it. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  /** Ends the wait, tells the round under way to end, and waits for it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #repeat(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#isWoken = false;
      await this.#round(signal);
      await this.#pause(signal);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { name, work, logger } = this.options;
    try {
      await work(signal);
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ err: error, work: name }, 'background work failed and will be tried again');
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    if (this.#isWoken || signal.aborted) return;
    const { everyMs, jitter = 0, clock, random } = this.options;
    const waking = new AbortController();
    this.#wake = () => waking.abort();
    try {
      await clock.sleep(everyMs * (1 + jitter * (2 * random() - 1)), AbortSignal.any([signal, waking.signal]));
    } catch {
      // Woken or stopped.
    } finally {
      this.#wake = undefined;
    }
  }
}
