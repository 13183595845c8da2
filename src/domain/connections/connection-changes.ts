import type { Clock } from '../../shared/clock';
import type { Caller, TenantId } from '../access/access';
import { AppError } from '../errors';
import type { ConnectionChange, ConnectionFeed } from '../install-ports';
import type { ListPosition } from '../ports';
import type { Connection, ConnectionId } from './connection';
import type { ConnectionQueryService } from './connection-query.service';

/** Who watches, and until when. */
export interface Watcher {
  /** Asked before each look, so that a key that was revoked meanwhile sees nothing more. @throws Unauthenticated */
  caller(): Promise<Caller>;
  /** Aborts when the watch is over: with an AppError, which the watcher then meets, or with anything else quietly. */
  readonly ended: AbortSignal;
}

export interface WatchedSource {
  readonly queries: ConnectionQueryService;
  readonly feed: ConnectionFeed;
  readonly clock: Clock;
}

/** How far the clocks of two replicas may be apart: what was written that long before a gap may have come in it. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;
const PAGE_SIZE = 100;

/**
 * Connections as they are after each change. It listens from its making on, and keeps no more than the ids of what changed, so
 * that a slow reader costs little and gets the latest state. Written out, since the `return` of an async generator waits
 * for the change that may never come.
 */
export class ConnectionChanges implements AsyncIterableIterator<Connection> {
  readonly #changed = new Set<ConnectionId>();
  readonly #seen = new Map<ConnectionId, number>();
  readonly #stopListening: () => void;
  #startedAt: number;
  #hasGap = false;
  #isOver = false;
  #failure: AppError | undefined;
  #wake = () => {};

  /** @param only undefined: every connection of the tenant. */
  constructor(
    private readonly source: WatchedSource,
    private readonly watcher: Watcher,
    private readonly tenantId: TenantId,
    private readonly only: ConnectionId | undefined,
  ) {
    this.#startedAt = source.clock.now();
    const stopFeed = source.feed.subscribe((change) => this.#note(change));
    const onEnd = () => this.#end(watcher.ended.reason);
    watcher.ended.addEventListener('abort', onEnd, { once: true });
    this.#stopListening = () => {
      stopFeed();
      watcher.ended.removeEventListener('abort', onEnd);
    };
    // A watcher that comes back sees what it missed: the state as it is now.
    if (only !== undefined) this.#changed.add(only);
    if (watcher.ended.aborted) onEnd();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws Unauthenticated once the key is not valid any more, and whatever `Watcher.ended` was aborted with. */
  async next(): Promise<IteratorResult<Connection, undefined>> {
    try {
      const connection = await this.#nextChange();
      if (connection) return { done: false, value: connection };
    } catch (error) {
      this.#end(error);
      throw error;
    }
    this.#end(undefined);
    if (this.#failure) throw this.#failure;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Connection, undefined>> {
    this.#end(undefined);
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<Connection, undefined>> {
    this.#end(undefined);
    throw error;
  }

  /** @returns undefined when the watch is over. */
  async #nextChange(): Promise<Connection | undefined> {
    while (!this.#isOver) {
      const [id] = this.#changed;
      if (id !== undefined) {
        this.#changed.delete(id);
        const connection = await this.#read(id);
        if (this.#isOver) return undefined;
        if (connection) return connection;
        if (this.only !== undefined) return undefined;
      } else if (this.#hasGap) {
        this.#hasGap = false;
        await this.#catchUp();
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
    return undefined;
  }

  async #read(id: ConnectionId): Promise<Connection | undefined> {
    const connection = await this.source.queries.find(await this.watcher.caller(), id);
    if (connection) this.#seen.set(id, connection.version);
    else this.#seen.delete(id);
    return connection;
  }

  /** After changes may have been missed: finds those connections that are not as they were last seen. */
  async #catchUp(): Promise<void> {
    const caller = await this.watcher.caller();
    const { queries, clock } = this.source;
    const since = this.#startedAt - CLOCK_TOLERANCE_MS;
    const now = clock.now();
    if (this.only !== undefined) {
      const connection = await queries.find(caller, this.only);
      if (connection?.version !== this.#seen.get(this.only)) this.#changed.add(this.only);
      return;
    }
    let after: ListPosition | undefined;
    do {
      const { items, hasMore } = await queries.list(caller, {}, { first: PAGE_SIZE, after });
      for (const { id, version, updatedAt } of items) {
        if (updatedAt.getTime() >= since && this.#seen.get(id) !== version) this.#changed.add(id);
      }
      after = hasMore ? items.at(-1) : undefined;
    } while (after && !this.#isOver);
    this.#startedAt = now;
  }

  #note(change: ConnectionChange): void {
    if (change === undefined) this.#hasGap = true;
    else if (change.tenantId !== this.tenantId) return;
    else if (this.only === undefined || change.connectionId === this.only) this.#changed.add(change.connectionId);
    else return;
    this.#wake();
  }

  #end(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (reason instanceof AppError) this.#failure = reason;
    this.#stopListening();
    this.#changed.clear();
    this.#wake();
  }
}
