import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** Somebody who called a moment ago is likely to call again. */
const STAYS_MS = 1_000;
const SAMPLE_MS = 50;
/** Share of its time in which the process is at work; beyond it calls wait for each other. */
const CROWDED_FROM = 0.8;
/** How long it then counts as crowded: other work that got free at once would only fill it again. */
const CROWDED_MS = 10_000;
/** Between two beginnings of other work while it is crowded: many times what Slack's limits allow an organization. */
const TURN_EVERY_MS = 20;

/**
 * The calls to Slack that somebody waits for, and how other work makes room for them. As long as the process has time for
 * everything, nothing waits; and other work never stands still. Times are monotonic: no clock that is put back holds it up.
 */
export class Foreground {
  #calls = 0;
  #endedAt = Number.NEGATIVE_INFINITY;
  #sampledAt = performance.now();
  #crowdedUntil = Number.NEGATIVE_INFINITY;
  #nextTurnAt = Number.NEGATIVE_INFINITY;

  /** @param utilization share of the time since it was last asked in which the process was at work, 0 to 1. */
  constructor(private readonly utilization: () => number = loopUtilization()) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#calls += 1;
    try {
      return await work();
    } finally {
      this.#calls -= 1;
      this.#endedAt = performance.now();
    }
  }

  /** True while there are such calls and the process has more to do than it can. */
  get isCrowded(): boolean {
    const now = performance.now();
    if (now - this.#sampledAt >= SAMPLE_MS) {
      this.#sampledAt = now;
      if (this.utilization() >= CROWDED_FROM) this.#crowdedUntil = now + CROWDED_MS;
    }
    return now < this.#crowdedUntil && (this.#calls > 0 || now - this.#endedAt < STAYS_MS);
  }

  /** Resolves when a piece of other work may begin. */
  async turn(): Promise<void> {
    while (this.isCrowded) {
      const now = performance.now();
      if (now >= this.#nextTurnAt) {
        this.#nextTurnAt = now + TURN_EVERY_MS;
        return;
      }
      await sleep(this.#nextTurnAt - now);
    }
  }
}

function loopUtilization(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const sample = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(sample, last);
    last = sample;
    return utilization;
  };
}
