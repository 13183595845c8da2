import type { Clock } from '../../src/shared/clock';
import type { MovableClock } from '../../src/simulator/clock';

interface Sleeper {
  readonly at: number;
  timer: NodeJS.Timeout;
  readonly wake: () => void;
}

/**
 * A clock that runs so many times faster than real time, and can be put forward. One object may serve a gateway and its
 * simulator, so that limits, waits and deadlines of both agree. Sockets keep to real time.
 */
export class FastClock implements Clock, MovableClock {
  readonly #startedAt = performance.now();
  readonly #sleepers = new Set<Sleeper>();
  #origin: number;

  constructor(
    private readonly speed: number,
    startAt = Date.UTC(2030, 0, 1),
  ) {
    this.#origin = startAt;
  }

  now(): number {
    return Math.floor(this.#origin + (performance.now() - this.#startedAt) * this.speed);
  }

  advance(ms: number): void {
    this.#origin += ms;
    for (const sleeper of this.#sleepers) this.#setTimer(sleeper);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const end = () => {
        clearTimeout(sleeper.timer);
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', onAbort);
      };
      const onAbort = () => {
        end();
        reject(signal?.reason);
      };
      const wake = () => {
        end();
        resolve();
      };
      const sleeper: Sleeper = { at: this.now() + Math.max(ms, 0), wake, timer: setTimeout(() => {}, 0) };
      this.#sleepers.add(sleeper);
      this.#setTimer(sleeper);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #setTimer(sleeper: Sleeper): void {
    clearTimeout(sleeper.timer);
    // A timer may fire a moment early, and nobody may wake before the alarm.
    sleeper.timer = setTimeout(
      () => {
        if (this.now() >= sleeper.at) sleeper.wake();
        else this.#setTimer(sleeper);
      },
      Math.min(Math.max(Math.ceil((sleeper.at - this.now()) / this.speed), 0), 2_147_483_647),
    );
  }
}
