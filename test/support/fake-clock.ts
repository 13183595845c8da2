import type { Clock } from '../../src/shared/clock';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now: number;
  #sleepers: Sleeper[] = [];

  constructor(now = Date.UTC(2030, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** How many callers sleep at the moment. */
  get sleeperCount(): number {
    return this.#sleepers.length;
  }

  /** Puts the clock forward or back without waking anybody, as an administrator would. */
  jump(ms: number): void {
    this.#now += ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const sleeper: Sleeper = {
        at: this.#now + Math.max(ms, 0),
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.push(sleeper);
    });
  }

  /** Moves time on, waking sleepers in the order of their alarms; what a woken one does comes before the next wakes. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settleCallbacks();
    while (this.#wakeNext(until)) await settleCallbacks();
    this.#now = until;
    await settleCallbacks();
  }

  /**
   * Moves time on, as far as it takes, until the promise has settled, and passes its outcome on.
   * @param realWork stops the clock while it is under way, and so takes no time.
   */
  async runUntil<T>(promise: Promise<T>, realWork?: { readonly isBusy: boolean; ended(): Promise<void> }): Promise<T> {
    let isSettled = false;
    const watched = promise.finally(() => {
      isSettled = true;
    });
    watched.catch(() => undefined);
    while (!isSettled) {
      await settleCallbacks();
      if (realWork?.isBusy) await realWork.ended();
      else if (!isSettled) this.#wakeNext(Number.POSITIVE_INFINITY);
    }
    return watched;
  }

  #wakeNext(until: number): boolean {
    const next = this.#sleepers.reduce<Sleeper | undefined>(
      (first, sleeper) => (first === undefined || sleeper.at < first.at ? sleeper : first),
      undefined,
    );
    if (next === undefined || next.at > until) return false;
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
    this.#now = Math.max(this.#now, next.at);
    next.wake();
    return true;
  }
}

/** Lets promise callbacks and finished socket work run. */
async function settleCallbacks(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
