import type { Clock } from './clock';

/** Remembers for a while why something failed, so that many who want it do not all try again at once. */
export class Cooldown<Reason> {
  readonly #begun = new Map<string, { readonly at: number; readonly forMs: number; readonly reason: Reason }>();

  constructor(private readonly clock: Clock) {}

  begin(key: string, forMs: number, reason: Reason): void {
    for (const other of this.#begun.keys()) this.find(other);
    this.#begun.set(key, { at: this.clock.now(), forMs, reason });
  }

  end(key: string): void {
    this.#begun.delete(key);
  }

  /** @returns undefined once the time is over. A clock that was set back by more than it ends it as well. */
  find(key: string): Reason | undefined {
    const entry = this.#begun.get(key);
    if (!entry) return undefined;
    if (Math.abs(this.clock.now() - entry.at) < entry.forMs) return entry.reason;
    this.#begun.delete(key);
    return undefined;
  }
}
