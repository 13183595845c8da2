import type { RowLimit } from './endpoints';

/** A token in the unit of which a bucket gains `limitPerMinute` a millisecond: whole numbers, so nothing is rounded. */
const TOKEN = 60_000;

/** Holds up to `burst` tokens and gains `limitPerMinute` a minute. Infinite limits make a bucket that only blocks. */
export class TokenBucket {
  readonly #capacity: number;
  readonly #gainPerMs: number;
  #content: number;
  #seenAt: number;
  #blockedUntil: number;

  constructor({ limitPerMinute, burst }: RowLimit, now: number) {
    this.#capacity = burst * TOKEN;
    this.#gainPerMs = limitPerMinute;
    this.#content = this.#capacity;
    this.#seenAt = now;
    this.#blockedUntil = now;
  }

  /** Milliseconds until so many tokens are there; 0 when they are there already. */
  waitMs(now: number, count = 1): number {
    this.#advance(now);
    const missing = count * TOKEN - this.#content;
    const blockedMs = this.#blockedUntil - now;
    return Math.max(0, blockedMs) + (missing <= 0 ? 0 : Math.ceil(missing / this.#gainPerMs));
  }

  take(now: number): void {
    this.#advance(now);
    this.#content = Math.max(0, this.#content - TOKEN);
  }

  /**
   * Gives out nothing for `ms`, and a single token after it, which is what Slack's Retry-After promises: its own bucket
   * is empty, whatever was counted here, since other apps draw from it too.
   */
  block(now: number, ms: number): void {
    this.#advance(now);
    this.#blockedUntil = Math.max(this.#blockedUntil, now + ms);
    if (Number.isFinite(this.#capacity)) this.#content = TOKEN;
  }

  /** Puts in what another one holds, which knows better what was taken. A longer block that is known here stays. */
  fill({ content, blockedForMs }: { content: number; blockedForMs: number }, now: number): void {
    this.#advance(now);
    this.#content = Math.min(content, this.#capacity);
    this.#blockedUntil = Math.max(this.#blockedUntil, now + blockedForMs);
  }

  /** Whole tokens that could be taken now. */
  remaining(now: number): number {
    this.#advance(now);
    return this.#blockedUntil > now ? 0 : Math.floor(this.#content / TOKEN);
  }

  /** undefined unless blocked. */
  blockedUntil(now: number): number | undefined {
    this.#advance(now);
    return this.#blockedUntil > now ? this.#blockedUntil : undefined;
  }

  /** True when nothing would be forgotten by dropping the bucket. */
  isFull(now: number): boolean {
    this.#advance(now);
    return this.#blockedUntil <= now && this.#content >= this.#capacity;
  }

  #advance(now: number): void {
    // A clock that was put back must not prolong a block by the difference.
    if (now < this.#seenAt) this.#blockedUntil -= this.#seenAt - now;
    const gainingMs = now - Math.max(this.#seenAt, this.#blockedUntil);
    if (gainingMs > 0) this.#content = Math.min(this.#capacity, this.#content + gainingMs * this.#gainPerMs);
    this.#seenAt = now;
  }
}
