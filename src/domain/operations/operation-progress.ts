import type { Clock } from '../../shared/clock';
import type { Watcher } from '../connections/connection-changes';
import { AppError } from '../errors';
import { isEnded, type Operation, type OperationId } from './operation';
import type { OperationQueryService } from './operation-query.service';

/** Often enough for a person who looks on, and the same on every replica, whichever carries the operation out. */
const LOOK_EVERY_MS = 1_000;

/** An operation as it is, and again whenever it has changed, until it has ended. */
export class OperationProgress implements AsyncIterableIterator<Operation> {
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  #seenVersion: number | undefined;
  #isLast = false;

  constructor(
    private readonly queries: OperationQueryService,
    private readonly clock: Clock,
    private readonly watcher: Watcher,
    private readonly id: OperationId,
  ) {
    this.#signal = AbortSignal.any([watcher.ended, this.#over.signal]);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws Unauthenticated once the key is not valid any more, and whatever `Watcher.ended` was aborted with. */
  async next(): Promise<IteratorResult<Operation, undefined>> {
    while (!this.#isLast && !this.#signal.aborted) {
      const operation = await this.queries.find(await this.watcher.caller(), this.id);
      if (!operation || this.#signal.aborted) break;
      if (operation.version !== this.#seenVersion) {
        this.#seenVersion = operation.version;
        this.#isLast = isEnded(operation) && operation.counts.running === 0;
        return { done: false, value: operation };
      }
      await this.clock.sleep(LOOK_EVERY_MS, this.#signal).catch(() => {});
    }
    const { ended } = this.watcher;
    if (!this.#over.signal.aborted && ended.aborted && ended.reason instanceof AppError) throw ended.reason;
    this.#over.abort();
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Operation, undefined>> {
    this.#over.abort();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<Operation, undefined>> {
    this.#over.abort();
    throw error;
  }
}
