import type { OperationId } from '../domain/operations/operation';
import type { NextSlice, OperationRunner } from '../domain/operations/operation.runner';
import type { Logger } from '../shared/logger';

/**
 * Operations that one process carries out at the same time; the others take turns with them, slice by slice. With eight items
 * each they leave some of the connections to Slack to everybody else, even if all of them hang.
 */
const AT_ONCE = 24;

export interface SliceSlotsParts {
  /** Asked for when the first slice runs: the runner's services announce through the dispatch that has these slots. */
  readonly runner: () => OperationRunner;
  readonly logger: Logger;
}

/** The slices that this process runs at the moment, never two of one operation. */
export class SliceSlots {
  readonly #running = new Map<OperationId, Promise<void>>();
  readonly #closing = new AbortController();
  readonly #ended = new AbortController();

  constructor(private readonly parts: SliceSlotsParts) {}

  get size(): number {
    return this.#running.size;
  }

  get free(): number {
    return this.#closing.signal.aborted ? 0 : AT_ONCE - this.#running.size;
  }

  has(id: OperationId): boolean {
    return this.#running.has(id);
  }

  get longestSliceMs(): number {
    return this.parts.runner().longestSliceMs;
  }

  /** @param then told what comes next, once the slot is free again; it must not reject. */
  run(id: OperationId, then: (next: NextSlice) => void | Promise<void>): void {
    this.#running.set(id, this.#run(id, then));
  }

  /** No further items are begun. */
  close(): void {
    this.#closing.abort();
  }

  /** Gives what is under way the time to end, and then hands it back. */
  async drain(graceMs: number): Promise<void> {
    this.close();
    const timer = setTimeout(() => this.#ended.abort(), graceMs);
    while (this.#running.size > 0) await Promise.all(this.#running.values());
    clearTimeout(timer);
  }

  async #run(id: OperationId, then: (next: NextSlice) => void | Promise<void>): Promise<void> {
    let next: NextSlice;
    try {
      const bounds = { closing: this.#closing.signal, ended: this.#ended.signal };
      next = await this.parts.runner().runSlice(id, bounds);
    } catch (error) {
      this.parts.logger.warn({ operationId: id, err: error }, 'a slice of an operation failed and will be tried again');
    }
    try {
      await then(next);
    } finally {
      this.#running.delete(id);
    }
  }
}
