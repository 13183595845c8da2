import { assertAllowed } from '../access/access';
import type { Watcher } from '../connections/connection-changes';
import { AppError } from '../errors';
import { isEnded, type Operation } from './operation';
import type { OperationLooks, Sight } from './operation-looks';

/**
 * An operation as it is, and again whenever it has changed, until it has ended. A slow reader gets the latest state and
 * not each. Written out, since the `return` of an async generator waits for the change that may never come.
 */
export class OperationProgress implements AsyncIterableIterator<Operation> {
  readonly #stopFollowing: () => void;
  #news: Sight | undefined;
  #seenVersion = 0;
  #isOver = false;
  #failure: AppError | undefined;
  #wake = () => {};

  /** @param first as it was when the watch began. */
  constructor(
    looks: OperationLooks,
    private readonly watcher: Watcher,
    first: Operation,
  ) {
    this.#news = { operation: first };
    const stop = looks.follow(first.tenantId, first.id, (sight) => this.#note(sight));
    const onEnd = () => this.#end(watcher.ended.reason);
    watcher.ended.addEventListener('abort', onEnd, { once: true });
    this.#stopFollowing = () => {
      stop();
      watcher.ended.removeEventListener('abort', onEnd);
    };
    if (watcher.ended.aborted) onEnd();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws Unauthenticated once the key is not valid any more, and whatever `Watcher.ended` was aborted with. */
  async next(): Promise<IteratorResult<Operation, undefined>> {
    try {
      const operation = await this.#nextState();
      if (operation) return { done: false, value: operation };
    } catch (error) {
      this.#end(error);
      throw error;
    }
    this.#end(undefined);
    if (this.#failure) throw this.#failure;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Operation, undefined>> {
    this.#end(undefined);
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<Operation, undefined>> {
    this.#end(undefined);
    throw error;
  }

  /** @returns undefined when the watch is over. */
  async #nextState(): Promise<Operation | undefined> {
    while (!this.#isOver) {
      const news = this.#news;
      this.#news = undefined;
      if (!news) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      assertAllowed(await this.watcher.caller(), 'users:read');
      if (this.#isOver) return undefined;
      if ('error' in news) throw news.error;
      const { operation } = news;
      if (!operation) return undefined;
      if (operation.version <= this.#seenVersion) continue;
      this.#seenVersion = operation.version;
      // The last state is still given; the call after it finds nothing more.
      if (isEnded(operation) && operation.counts.running === 0) this.#end(undefined);
      return operation;
    }
    return undefined;
  }

  #note(sight: Sight): void {
    // What the looks last saw may be older than what the watch began with.
    if (versionOf(sight) < versionOf(this.#news)) return;
    this.#news = sight;
    this.#wake();
  }

  #end(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (reason instanceof AppError) this.#failure = reason;
    this.#stopFollowing();
    this.#news = undefined;
    this.#wake();
  }
}

/** What is gone, or cannot be looked at, is newer than any state. */
function versionOf(sight: Sight | undefined): number {
  if (!sight) return 0;
  return 'error' in sight || !sight.operation ? Number.POSITIVE_INFINITY : sight.operation.version;
}
