import { randomUUID } from 'node:crypto';
import type { TurnLedger } from '../domain/budget-ports';
import { ResourceLocked } from '../domain/errors';
import type { UpstreamCall } from '../domain/ports';
import { backoffMs } from '../shared/backoff';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import { wholeSeconds } from './retry-after';

export interface WriteTurnParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** From opening the connection to the last byte of the answer. */
  readonly attemptTimeoutMs: number;
}

/** How often another replica's write is asked after: most take a tenth of a second. */
const ASK_AGAIN = { baseMs: 40, capMs: 1_000 };
/** Beyond the longest attempt, so that a turn ends by itself only when its owner is gone. */
const SPARE_MS = 5_000;

/**
 * One write on a person or group at a time, as Slack wants it: it locks whatever is being changed, and a second write, which
 * it refuses, would cost a call of the budget. Within a process in the order of arrival.
 */
export class WriteTurns {
  readonly #lasts = new Map<string, Promise<void>>();

  /** @param ledger where other processes write to the same people. */
  constructor(
    private readonly parts: WriteTurnParts,
    private readonly ledger?: TurnLedger,
  ) {}

  /** How many names are taken or waited for. */
  get size(): number {
    return this.#lasts.size;
  }

  /**
   * @param name of the person or the group, the same wherever it is written to.
   * @throws ResourceLocked when others take all the time until the deadline; the signal's reason when it aborts first. Then
   * `work` was not begun.
   */
  async run<T>(name: string, call: UpstreamCall, work: () => Promise<T>): Promise<T> {
    const before = this.#lasts.get(name);
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    // Who leaves early must not let the next one overtake whoever is at it.
    const last = Promise.all([before, ended]).then(() => {
      if (this.#lasts.get(name) === last) this.#lasts.delete(name);
    });
    this.#lasts.set(name, last);
    try {
      if (before !== undefined) await this.#inTime(before, call);
      return await (this.ledger === undefined ? work() : this.#runShared(this.ledger, name, call, work));
    } finally {
      end();
    }
  }

  async #inTime(before: Promise<void>, { deadlineAt, signal }: UpstreamCall): Promise<void> {
    const { clock } = this.parts;
    signal.throwIfAborted();
    const waiting = new AbortController();
    const onAbort = () => waiting.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const timeUp = clock
      .sleep(Math.max(deadlineAt - clock.now(), 0), waiting.signal)
      .then(() => Promise.reject(stillBusy(ASK_AGAIN.capMs)));
    // Whichever comes second must not count as unhandled.
    timeUp.catch(() => undefined);
    try {
      await Promise.race([before, timeUp]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      waiting.abort();
    }
  }

  async #runShared<T>(ledger: TurnLedger, name: string, call: UpstreamCall, work: () => Promise<T>): Promise<T> {
    const { clock, random, logger, attemptTimeoutMs } = this.parts;
    const owner = randomUUID();
    for (let asked = 0; !(await ledger.take(name, owner, attemptTimeoutMs + SPARE_MS)); asked += 1) {
      const waitMs = backoffMs(asked, { ...ASK_AGAIN, random });
      if (clock.now() + waitMs > call.deadlineAt) throw stillBusy(waitMs);
      await clock.sleep(waitMs, call.signal);
    }
    try {
      return await work();
    } finally {
      // What was written is written; the turn ends by itself.
      await ledger.release(name, owner).catch((error: unknown) => {
        logger.warn({ requestId: call.requestId, err: error }, 'The turn of a write could not be given back');
      });
    }
  }
}

function stillBusy(waitMs: number): ResourceLocked {
  return new ResourceLocked(
    'Another change of the same account or group is under way. Nothing was sent.',
    wholeSeconds(waitMs),
    { remedy: 'Try again.' },
  );
}
