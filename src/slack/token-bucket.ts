import type { RowLimit } from './endpoints';

/** Sums of fractions may miss a whole token by a rounding error. */
const ROUNDING = 1e-6;

/** Holds up to `burst` tokens and gains `limitPerMinute` a minute. Infinite limits make a bucket that only blocks. */
export class TokenBucket {
  readonly #burst: number;
  readonly #tokensPerMs: number;
  #tokens: number;
  #seenAt: number;
  #blockedUntil: number;

  constructor({ limitPerMinute, burst }: RowLimit, now: number) {
    this.#burst = burst;
    this.#tokensPerMs = limitPerMinute / 60_000;
    this.#tokens = burst;
    this.#seenAt = now;
    this.#blockedUntil = now;
  }

  /** Milliseconds until the count-th token from now is there; 0 when it is there already. */
  waitMs(now: number, count = 1): number {
    this.#advance(now);
    const missing = count - this.#tokens;
    const blockedMs = this.#blockedUntil - now;
    return Math.max(0, blockedMs) + (missing <= ROUNDING ? 0 : Math.ceil(missing / this.#tokensPerMs - ROUNDING));
  }

  take(now: number): void {
    this.#advance(now);
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  /**
   * Gives out nothing for `ms`, and a single token after it, which is what Slack's Retry-After promises: its own bucket
   * is empty, whatever was counted here, since other apps draw from it too.
   */
  block(now: number, ms: number): void {
    this.#advance(now);
    this.#blockedUntil = Math.max(this.#blockedUntil, now + ms);
    if (Number.isFinite(this.#burst)) this.#tokens = 1;
  }

  /** Whole tokens that could be taken now. */
  remaining(now: number): number {
    this.#advance(now);
    return this.#blockedUntil > now ? 0 : Math.floor(this.#tokens + ROUNDING);
  }

  /** undefined unless blocked. */
  blockedUntil(now: number): number | undefined {
    this.#advance(now);
    return this.#blockedUntil > now ? this.#blockedUntil : undefined;
  }

  /** True when nothing would be forgotten by dropping the bucket. */
  isFull(now: number): boolean {
    this.#advance(now);
    return this.#blockedUntil <= now && this.#tokens >= this.#burst - ROUNDING;
  }

  #advance(now: number): void {
    // A clock that was put back must not prolong a block by the difference.
    if (now < this.#seenAt) this.#blockedUntil -= this.#seenAt - now;
    const gainingMs = now - Math.max(this.#seenAt, this.#blockedUntil);
    if (gainingMs > 0) this.#tokens = Math.min(this.#burst, this.#tokens + gainingMs * this.#tokensPerMs);
    this.#seenAt = now;
  }
}
