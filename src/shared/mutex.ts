/** First in, first out: each piece of work starts when the one before it has settled, whatever its outcome. */
export class Mutex {
  #tail: Promise<void> = Promise.resolve();
  #pending = 0;

  get isIdle(): boolean {
    return this.#pending === 0;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#pending += 1;
    const turn = this.#tail;
    let release: () => void = () => {};
    this.#tail = new Promise((resolve) => {
      release = resolve;
    });
    await turn;
    try {
      return await work();
    } finally {
      this.#pending -= 1;
      release();
    }
  }
}

/** One Mutex per key, dropped when nobody uses it, so that the map does not grow with the roster. */
export class KeyedMutex {
  readonly #mutexes = new Map<string, Mutex>();

  isHeld(key: string): boolean {
    return this.#mutexes.has(key);
  }

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const mutex = this.#mutexes.get(key) ?? new Mutex();
    this.#mutexes.set(key, mutex);
    try {
      return await mutex.run(work);
    } finally {
      if (mutex.isIdle) this.#mutexes.delete(key);
    }
  }

  /** Holds several keys at once. They are taken in sorted order, so two callers cannot wait for each other. */
  async runAll<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const [first, ...rest] = [...new Set(keys)].sort();
    if (first === undefined) return work();
    return this.run(first, () => (rest.length === 0 ? work() : this.runAll(rest, work)));
  }
}
