import type { OperationDispatch } from '../domain/operation-ports';
import type { OperationId } from '../domain/operations/operation';
import type { NextSlice, OperationRunner } from '../domain/operations/operation.runner';
import type { Database } from '../domain/ports';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import { Repeater } from './repeater';

/** For what nobody announced: after a crash, and when a time has come. */
const LOOK_EVERY_MS = 1_000;
/** Operations that are carried out at the same time; the others take turns with them, slice by slice. */
const AT_ONCE = 8;

/**
 * The dispatch of a gateway that is alone with its database: slices run in this process, and the table of operations is the
 * queue, so that nothing is lost with the process.
 */
export class OperationPool implements OperationDispatch {
  readonly #repeater: Repeater;
  readonly #running = new Map<OperationId, Promise<void>>();
  readonly #closing = new AbortController();
  readonly #ended = new AbortController();
  #stopped: Promise<void> | undefined;

  constructor(
    private readonly parts: {
      readonly database: Database;
      /** Not asked for before the start: the runner's services announce through this dispatch. */
      readonly runner: () => OperationRunner;
      readonly clock: Clock;
      readonly random: () => number;
      readonly logger: Logger;
    },
  ) {
    this.#repeater = new Repeater({
      ...parts,
      name: 'operations',
      everyMs: LOOK_EVERY_MS,
      work: () => this.#look(),
    });
  }

  async announce(): Promise<void> {
    this.#repeater.wake();
  }

  start(): void {
    this.#repeater.start();
  }

  /** Begins no further items, gives those under way the time to end, and then hands them back. Calls after the first join it. */
  stop(graceMs: number): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    return this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#closing.abort();
    await this.#repeater.stop();
    const timer = setTimeout(() => this.#ended.abort(), graceMs);
    await Promise.all(this.#running.values());
    clearTimeout(timer);
  }

  async #look(): Promise<void> {
    const { database, clock } = this.parts;
    const free = AT_ONCE - this.#running.size;
    if (free <= 0) return;
    const now = new Date(clock.now());
    const due = await database.read(({ operations }) => operations.listDue(now, free + this.#running.size));
    for (const { id } of due) {
      if (this.#closing.signal.aborted) return;
      if (this.#running.has(id) || this.#running.size >= AT_ONCE) continue;
      this.#running.set(id, this.#run(id));
    }
  }

  async #run(id: OperationId): Promise<void> {
    const bounds = { closing: this.#closing.signal, ended: this.#ended.signal };
    let next: NextSlice;
    try {
      next = await this.parts.runner().runSlice(id, bounds);
    } catch (error) {
      this.parts.logger.warn({ operationId: id, err: error }, 'a slice of an operation failed and will be tried again');
    }
    this.#running.delete(id);
    // Without one, somebody else may hold the lease: asking again at once would only keep both busy.
    if (next) this.#repeater.wake();
  }
}
