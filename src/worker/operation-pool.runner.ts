import type { OperationDispatch } from '../domain/operation-ports';
import type { Database } from '../domain/ports';
import type { Clock } from '../shared/clock';
import { Repeater } from './repeater';
import { SliceSlots, type SliceSlotsParts } from './slice-slots';

/** For what nobody announced: after a crash, and when a time has come. */
const LOOK_EVERY_MS = 1_000;

/**
 * The dispatch of a gateway that is alone with its database: slices run in this process, and the table of operations is the
 * queue, so that nothing is lost with the process.
 */
export class OperationPool implements OperationDispatch {
  readonly #repeater: Repeater;
  readonly #slots: SliceSlots;
  #stopped: Promise<void> | undefined;

  constructor(
    private readonly parts: SliceSlotsParts & {
      readonly database: Database;
      readonly clock: Clock;
      readonly random: () => number;
    },
  ) {
    this.#slots = new SliceSlots(parts);
    this.#repeater = new Repeater({ ...parts, name: 'operations', everyMs: LOOK_EVERY_MS, work: () => this.#look() });
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
    this.#slots.close();
    await this.#repeater.stop();
    await this.#slots.drain(graceMs);
  }

  async #look(): Promise<void> {
    const { database, clock } = this.parts;
    const { free, size } = this.#slots;
    if (free <= 0) return;
    const now = new Date(clock.now());
    const due = await database.read(({ operations }) => operations.listDue(now, free + size));
    for (const id of due) {
      if (this.#slots.free <= 0) return;
      if (this.#slots.has(id)) continue;
      // Without a next slice somebody else may hold the lease: asking again at once would only keep both busy.
      this.#slots.run(id, (next) => {
        if (next) setImmediate(() => this.#repeater.wake());
      });
    }
  }
}
