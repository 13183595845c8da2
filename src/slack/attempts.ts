import { backoffMs } from '../shared/backoff';
import type { Clock } from '../shared/clock';
import type { WaitBounds } from './team-queue';

const MOST_ATTEMPTS = 3;
const BACKOFF = { baseMs: 500, capMs: 8_000 };
const LOCK_BACKOFF = { baseMs: 250, capMs: 4_000 };
/** What a read may still take when its deadline is over or nearly so. */
const SHORTEST_READ_MS = 1_000;

/** Counts what went wrong in one call, and answers how long to wait before the next attempt. */
export class Attempts {
  #failures = 0;
  #locks = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: () => number,
    private readonly bounds: WaitBounds,
  ) {}

  /** @returns undefined when no further attempt is due: too many were made, or time is up. */
  afterFailure(atLeastMs = 0): number | undefined {
    this.#failures += 1;
    if (this.#failures >= MOST_ATTEMPTS) return undefined;
    return this.#ifInTime(Math.max(atLeastMs, backoffMs(this.#failures - 1, { ...BACKOFF, random: this.random })));
  }

  /** Locks last as long as somebody else's write, so they are not counted: only the deadline ends this. */
  afterLock(atLeastMs: number): { readonly waitMs: number; readonly isInTime: boolean } {
    const waitMs = Math.max(atLeastMs, backoffMs(this.#locks, { ...LOCK_BACKOFF, random: this.random }));
    this.#locks += 1;
    return { waitMs, isInTime: this.#ifInTime(waitMs) !== undefined };
  }

  /** Reads end with their deadline. A write that was sent gets its full time: cut short, its outcome would be unknown. */
  timeoutMs(attemptTimeoutMs: number, { isRead }: { readonly isRead: boolean }): number {
    if (!isRead) return attemptTimeoutMs;
    return Math.min(attemptTimeoutMs, Math.max(this.bounds.deadlineAt - this.clock.now(), SHORTEST_READ_MS));
  }

  #ifInTime(waitMs: number): number | undefined {
    return this.clock.now() + waitMs <= this.bounds.deadlineAt ? waitMs : undefined;
  }
}
