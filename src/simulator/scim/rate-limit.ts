import type { SimulatorClock } from '../clock';
import { ScimError } from './scim-error';

/** Rows of SCIM §10, documented: calls per minute, and how many may come at once. */
export const limitRows = {
  allReads: { perMinute: 1000, burst: 1000 },
  allWrites: { perMinute: 600, burst: 180 },
  getUser: { perMinute: 300, burst: 300 },
  createUser: { perMinute: 180, burst: 20 },
  updateUser: { perMinute: 180, burst: 20 },
  deleteUser: { perMinute: 180, burst: 20 },
  getGroup: { perMinute: 300, burst: 300 },
  createGroup: { perMinute: 180, burst: 20 },
  updateGroup: { perMinute: 180, burst: 80 },
  deleteGroup: { perMinute: 180, burst: 20 },
} as const;

export type LimitRow = keyof typeof limitRows;

/** Holds up to `burst` tokens and gains `perMinute` of them a minute (SCIM §13.6). Starts full. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perMs: number;
  #tokens: number;
  #filledAt: number;

  constructor(limit: { perMinute: number; burst: number }, now: number) {
    this.#burst = limit.burst;
    this.#perMs = limit.perMinute / 60_000;
    this.#tokens = limit.burst;
    this.#filledAt = now;
  }

  tokens(now: number): number {
    const elapsedMs = Math.max(0, now - this.#filledAt);
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsedMs * this.#perMs);
    this.#filledAt = Math.max(this.#filledAt, now);
    return this.#tokens;
  }

  /** Milliseconds until there is a whole token; 0 when there is one. */
  waitMs(now: number): number {
    // Sums of fractions fall a hair short of the whole: without the tolerance a client that waits exactly would be refused.
    const missing = 1 - this.tokens(now);
    return missing <= 1e-9 ? 0 : missing / this.#perMs;
  }

  take(now: number): void {
    this.#tokens = Math.max(0, this.tokens(now) - 1);
  }
}

/** The buckets of all organizations. Every SCIM app of an organization shares them (SCIM §10, documented). */
export class RateLimiter {
  readonly #clock: SimulatorClock;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(clock: SimulatorClock) {
    this.#clock = clock;
  }

  /**
   * Takes a token from every row, or none at all (that a refused call costs nothing is assumed).
   * @throws ScimError `too_many_requests` with the seconds until all rows have a token, rounded up, at least 1.
   */
  take(organizationId: string, rows: readonly LimitRow[]): void {
    const now = this.#clock.now();
    const buckets = rows.map((row) => this.#bucket(organizationId, row));
    const waitMs = Math.max(...buckets.map((bucket) => bucket.waitMs(now)));
    if (waitMs > 0) {
      throw new ScimError('too_many_requests', undefined, { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) });
    }
    for (const bucket of buckets) bucket.take(now);
  }

  /** Whole tokens left, by organization and row; rows nobody has used are full and not listed. */
  inspect(): Record<string, Record<string, number>> {
    const view: Record<string, Record<string, number>> = {};
    for (const [key, bucket] of this.#buckets) {
      const [organizationId = '', row = ''] = key.split('/');
      view[organizationId] = { ...view[organizationId], [row]: Math.floor(bucket.tokens(this.#clock.now()) + 1e-9) };
    }
    return view;
  }

  reset(): void {
    this.#buckets.clear();
  }

  #bucket(organizationId: string, row: LimitRow): TokenBucket {
    const key = `${organizationId}/${row}`;
    const bucket = this.#buckets.get(key) ?? new TokenBucket(limitRows[row], this.#clock.now());
    this.#buckets.set(key, bucket);
    return bucket;
  }
}
