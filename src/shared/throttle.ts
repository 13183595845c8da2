import type { Clock } from './clock';

/** Lets one call through for each key and interval, and forgets keys that were not due for that long. */
export class Throttle<Key> {
  readonly #passedAt = new Map<Key, number>();

  constructor(
    private readonly intervalMs: number,
    private readonly clock: Clock,
  ) {}

  /** @returns whether the call may pass; it then counts as passed. */
  pass(key: Key): boolean {
    const now = this.clock.now();
    for (const [other, at] of this.#passedAt) {
      // Kept in order of time, so that the first young one ends the search.
      if (now - at < this.intervalMs) break;
      this.#passedAt.delete(other);
    }
    if (this.#passedAt.has(key)) return false;
    this.#passedAt.set(key, now);
    return true;
  }
}
