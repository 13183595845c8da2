/** First in, first out: each piece of work starts when the one before it has settled, whatever its outcome. */
export class Mutex {
  #tail: Promise<void> = Promise.resolve();

  async run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail;
    let release: () => void = () => {};
    this.#tail = new Promise((resolve) => {
      release = resolve;
    });
    await turn;
    try {
      return await work();
    } finally {
      release();
    }
  }
}

/** So often is the front lane preferred before the back lane has a turn. */
const FRONT_IN_A_ROW = 9;

/** One piece of work at a time; what waits in the front lane goes first, but for one turn in ten, and each lane is first in, first out. */
export class TwoLaneMutex {
  readonly #lanes: Readonly<Record<'front' | 'back', (() => void)[]>> = { front: [], back: [] };
  #isHeld = false;
  #frontInARow = 0;

  async run<T>(lane: 'front' | 'back', work: () => Promise<T>): Promise<T> {
    if (this.#isHeld) await new Promise<void>((begin) => this.#lanes[lane].push(begin));
    this.#isHeld = true;
    try {
      return await work();
    } finally {
      this.#passOn();
    }
  }

  /** Whoever is next holds it at once, so that nobody comes between. */
  #passOn(): void {
    const { front, back } = this.#lanes;
    const isBacksTurn = back.length > 0 && (front.length === 0 || this.#frontInARow >= FRONT_IN_A_ROW);
    this.#frontInARow = isBacksTurn ? 0 : this.#frontInARow + 1;
    const next = (isBacksTurn ? back : front).shift();
    if (next) next();
    else this.#isHeld = false;
  }
}

/**
 * First in, first out for each key. Whoever needs several keys queues for all of them in one step, so that the order of
 * arrival is the same in every queue: nobody overtakes, and two callers cannot wait for each other. A key is dropped when
 * nobody uses it, so that the map does not grow with the roster.
 */
export class KeyedMutex {
  readonly #lasts = new Map<string, Promise<void>>();

  /** How many keys are held or waited for. */
  get size(): number {
    return this.#lasts.size;
  }

  isHeld(key: string): boolean {
    return this.#lasts.has(key);
  }

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    return this.runAll([key], work);
  }

  /** Holds several keys at once. Inside `work` no key may be taken that somebody else takes together with one of these. */
  async runAll<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    let release: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      release = resolve;
    });
    const before: (Promise<void> | undefined)[] = [];
    for (const key of new Set(keys)) {
      before.push(this.#lasts.get(key));
      this.#lasts.set(key, ended);
    }
    await Promise.all(before);
    try {
      return await work();
    } finally {
      for (const key of keys) if (this.#lasts.get(key) === ended) this.#lasts.delete(key);
      release();
    }
  }
}
