import { type Clock, systemClock } from '../../src/shared/clock';

/** Real time, which a test moves forward. Who sleeps is not woken by it. */
export class MovedClock implements Clock {
  #aheadMs = 0;

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal);
  }

  advance(ms: number): void {
    this.#aheadMs += ms;
  }

  /** Lets time run forty times as fast for as long as `work` takes: for waits that end by the clock. */
  async hurried<T>(work: () => Promise<T>): Promise<T> {
    const timer = setInterval(() => this.advance(2_000), 50);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }
}
