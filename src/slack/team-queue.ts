import { RateLimited } from '../domain/errors';
import type { Clock } from '../shared/clock';
import { type BudgetClass, type BudgetRow, budgetClasses, type RowLimit } from './endpoints';
import { wholeSeconds } from './retry-after';
import { TokenBucket } from './token-bucket';

/** How far a call may wait, and what stops its waiting. */
export interface WaitBounds {
  /** Milliseconds since the epoch. */
  readonly deadlineAt: number;
  readonly signal: AbortSignal;
}

interface Waiter {
  readonly budgetClass: BudgetClass;
  /** Order over all classes: the oldest is served first where classes share a row. */
  readonly arrival: number;
  readonly deadlineAt: number;
  readonly grant: () => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * One team's buckets and whoever waits for them. A queue a class, so that a class that has to wait does not hold up
 * another; and a single alarm, set for the earliest moment at which the head of some queue can go.
 */
export class TeamQueue {
  readonly #buckets: Readonly<Record<BudgetRow, TokenBucket>>;
  /** Holds no empty queue. */
  readonly #queues = new Map<BudgetClass, Waiter[]>();
  #arrivals = 0;
  #alarm: { readonly at: number; readonly canceler: AbortController } | undefined;

  constructor(
    private readonly clock: Clock,
    limits: Readonly<Record<BudgetRow, RowLimit>>,
  ) {
    const now = clock.now();
    const bucket = (row: BudgetRow) => new TokenBucket(limits[row], now);
    this.#buckets = {
      reads: bucket('reads'),
      writes: bucket('writes'),
      'users.get': bucket('users.get'),
      'users.create': bucket('users.create'),
      'users.update': bucket('users.update'),
      'users.delete': bucket('users.delete'),
      'groups.get': bucket('groups.get'),
      'groups.create': bucket('groups.create'),
      'groups.update': bucket('groups.update'),
      'groups.delete': bucket('groups.delete'),
    };
  }

  bucket(row: BudgetRow): TokenBucket {
    return this.#buckets[row];
  }

  isIdle(now: number): boolean {
    return this.#queues.size === 0 && Object.values(this.#buckets).every((bucket) => bucket.isFull(now));
  }

  async acquire(budgetClass: BudgetClass, { deadlineAt, signal }: WaitBounds): Promise<void> {
    signal.throwIfAborted();
    const now = this.clock.now();
    // Whose turn has come since the last alarm goes first.
    if (this.#queues.size > 0) this.#serve();
    const waitMs = this.#waitMs(budgetClass, now, this.#waitersByRow());
    if (waitMs === 0) {
      this.#take(budgetClass, now);
      return;
    }
    if (now + waitMs > deadlineAt) throw rateLimited(waitMs);
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        this.#remove(waiter);
        reject(signal.reason);
        this.#serve();
      };
      const settled = () => signal.removeEventListener('abort', onAbort);
      const waiter: Waiter = {
        budgetClass,
        arrival: this.#arrivals++,
        deadlineAt,
        grant: () => {
          settled();
          resolve();
        },
        refuse: (error) => {
          settled();
          reject(error);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const queue = this.#queues.get(budgetClass);
      if (queue === undefined) this.#queues.set(budgetClass, [waiter]);
      else queue.push(waiter);
      this.#serve();
    });
  }

  /** Stops the class: its own row, or the organization's where it has no row of its own. */
  block(budgetClass: BudgetClass, waitMs: number): void {
    const now = this.clock.now();
    this.#buckets[budgetClasses[budgetClass][0]].block(now, waitMs);
    this.#refuseHopeless(now);
    this.#serve();
  }

  /** The honest estimate of a turn for somebody behind the given numbers of waiters, if nothing unforeseen happens. */
  #waitMs(budgetClass: BudgetClass, now: number, ahead: ReadonlyMap<BudgetRow, number>): number {
    const rows: readonly BudgetRow[] = budgetClasses[budgetClass];
    return Math.max(...rows.map((row) => this.#buckets[row].waitMs(now, (ahead.get(row) ?? 0) + 1)));
  }

  #waitersByRow(): Map<BudgetRow, number> {
    const counts = new Map<BudgetRow, number>();
    for (const [budgetClass, queue] of this.#queues) {
      for (const row of budgetClasses[budgetClass]) counts.set(row, (counts.get(row) ?? 0) + queue.length);
    }
    return counts;
  }

  /** After a block, whoever cannot have a turn in time any more is told now, not at the deadline. */
  #refuseHopeless(now: number): void {
    const ahead = new Map<BudgetRow, number>();
    const waiters = [...this.#queues.values()].flat().sort((left, right) => left.arrival - right.arrival);
    for (const waiter of waiters) {
      const waitMs = this.#waitMs(waiter.budgetClass, now, ahead);
      if (now + waitMs > waiter.deadlineAt) {
        this.#remove(waiter);
        waiter.refuse(rateLimited(waitMs));
      } else {
        for (const row of budgetClasses[waiter.budgetClass]) ahead.set(row, (ahead.get(row) ?? 0) + 1);
      }
    }
  }

  /** Gives out what can be given now, and sets the alarm for the rest. Called after every change. */
  #serve(): void {
    const now = this.clock.now();
    const none = new Map<BudgetRow, number>();
    for (;;) {
      const heads = this.#heads().sort((left, right) => left.arrival - right.arrival);
      const late = heads.find(({ deadlineAt }) => deadlineAt < now);
      const next = late ?? heads.find(({ budgetClass }) => this.#waitMs(budgetClass, now, none) === 0);
      if (next === undefined) break;
      this.#remove(next);
      if (next === late) {
        next.refuse(rateLimited(this.#waitMs(next.budgetClass, now, none)));
      } else {
        this.#take(next.budgetClass, now);
        next.grant();
      }
    }
    this.#setAlarm(now, none);
  }

  #take(budgetClass: BudgetClass, now: number): void {
    for (const row of budgetClasses[budgetClass]) this.#buckets[row].take(now);
  }

  #heads(): Waiter[] {
    return [...this.#queues.values()].flatMap((queue) => queue.slice(0, 1));
  }

  #setAlarm(now: number, none: ReadonlyMap<BudgetRow, number>): void {
    const turns = this.#heads().map((head) =>
      Math.min(now + this.#waitMs(head.budgetClass, now, none), head.deadlineAt + 1),
    );
    if (turns.length === 0) {
      this.#cancelAlarm();
      return;
    }
    const at = Math.min(...turns);
    // An alarm that comes earlier serves as well: it looks again and sets the next one.
    if (this.#alarm !== undefined && this.#alarm.at <= at && this.#alarm.at > now) return;
    this.#cancelAlarm();
    const alarm = { at, canceler: new AbortController() };
    this.#alarm = alarm;
    this.clock.sleep(at - now, alarm.canceler.signal).then(
      () => {
        if (this.#alarm === alarm) this.#alarm = undefined;
        this.#serve();
      },
      () => undefined,
    );
  }

  #cancelAlarm(): void {
    this.#alarm?.canceler.abort();
    this.#alarm = undefined;
  }

  #remove(waiter: Waiter): void {
    const queue = this.#queues.get(waiter.budgetClass);
    const index = queue?.indexOf(waiter) ?? -1;
    if (queue === undefined || index === -1) return;
    queue.splice(index, 1);
    if (queue.length === 0) this.#queues.delete(waiter.budgetClass);
  }
}

export function rateLimited(waitMs: number): RateLimited {
  return new RateLimited('Slack takes no more calls of this kind for the moment.', wholeSeconds(waitMs), {
    remedy: 'Try again after the stated time.',
  });
}
