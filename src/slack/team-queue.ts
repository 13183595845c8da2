import { type BudgetLedger, type BudgetState, type BudgetTerms, TURNS_BEFORE_BULK } from '../domain/budget-ports';
import { RateLimited } from '../domain/errors';
import type { UpstreamCall } from '../domain/ports';
import type { Urgency } from '../domain/upstream-usage';
import type { Clock } from '../shared/clock';
import { type BudgetClass, type BudgetRow, budgetClasses, bulkReserve, type RowLimit } from './endpoints';
import { FairQueue, type Queued } from './fair-queue';
import { wholeSeconds } from './retry-after';
import { TokenBucket } from './token-bucket';

/** Who calls, how far the call may wait, and what stops its waiting. */
export type WaitBounds = Pick<UpstreamCall, 'deadlineAt' | 'signal' | 'urgency' | 'tenant'>;

interface Waiter extends Queued {
  readonly budgetClass: BudgetClass;
  /** Order over all classes: the oldest is served first where classes share a row. */
  readonly arrival: number;
  readonly deadlineAt: number;
  readonly grant: () => void;
  readonly refuse: (error: unknown) => void;
}

/** A team's place in the budgets that all replicas draw from. */
export interface SharedBudget {
  readonly ledger: BudgetLedger;
  readonly budgetKey: string;
}

/** So many turns are asked for in one step; a burst comes in a few of them. */
const MOST_AT_ONCE = 20;
const urgencies: readonly Urgency[] = ['interactive', 'bulk'];

/**
 * One team's buckets and whoever waits for them. Interactive calls go before bulk work, until it has been passed over so often
 * that a turn is owed to it: that one they leave, and bulk work takes it without leaving a reserve. A queue a class, so that a class that has to wait does not hold up
 * another; and a single alarm, set for the earliest moment at which the head of some queue can go.
 *
 * With a ledger each turn is taken from it at the moment of sending. What is counted here is then an upper bound, since other
 * replicas draw as well: it tells when asking is worth it, and who certainly comes too late.
 */
export class TeamQueue {
  readonly #buckets: Readonly<Record<BudgetRow, TokenBucket>>;
  /** Holds no empty queue. */
  readonly #queues = new Map<BudgetClass, FairQueue<Waiter>>();
  /** Classes for which the ledger is being asked. */
  readonly #asking = new Set<BudgetClass>();
  /** Interactive turns in a row that bulk work waited for, too. Counted by the ledger where there is one. */
  readonly #passedOver = new Map<BudgetRow, number>();
  /** Of which the ledger says so. */
  readonly #owedToBulk = new Set<BudgetRow>();
  #arrivals = 0;
  #alarm: { readonly at: number; readonly canceler: AbortController } | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly limits: Readonly<Record<BudgetRow, RowLimit>>,
    private readonly shared?: SharedBudget,
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
    const isWaitedFor = this.#queues.size > 0 || this.#asking.size > 0;
    return !isWaitedFor && Object.values(this.#buckets).every((bucket) => bucket.isFull(now));
  }

  async acquire(
    budgetClass: BudgetClass,
    { deadlineAt, signal, urgency = 'interactive', tenant }: WaitBounds,
  ): Promise<void> {
    signal.throwIfAborted();
    const now = this.clock.now();
    // Whose turn has come since the last alarm goes first.
    if (this.#queues.size > 0) this.#serve();
    const place: Queued = { urgency, tenant: tenant?.id ?? '' };
    const waitMs = this.#waitMs(budgetClass, urgency, now, this.#ahead(budgetClass, place));
    if (waitMs === 0 && this.shared === undefined) {
      this.#take(budgetClass, urgency, now);
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
        ...place,
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
      const queue = this.#queues.get(budgetClass) ?? new FairQueue();
      this.#queues.set(budgetClass, queue);
      queue.push(waiter);
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
  #waitMs(
    budgetClass: BudgetClass,
    urgency: Urgency,
    now: number,
    ahead: ReadonlyMap<BudgetRow, number> = new Map(),
  ): number {
    const waits = budgetClasses[budgetClass].map((row: BudgetRow) =>
      this.#buckets[row].waitMs(now, (ahead.get(row) ?? 0) + 1 + this.#reserve(row, urgency)),
    );
    return Math.max(...waits);
  }

  #reserve(row: BudgetRow, urgency: Urgency): number {
    const isOwed = this.#isOwedToBulk(row);
    if (urgency === 'interactive') return isOwed ? 1 : 0;
    return isOwed ? 0 : bulkReserve(this.limits[row]);
  }

  #isOwedToBulk(row: BudgetRow): boolean {
    if (this.shared !== undefined) return this.#owedToBulk.has(row);
    return (this.#passedOver.get(row) ?? 0) >= TURNS_BEFORE_BULK && this.#isBulkWaiting(row);
  }

  #isBulkWaiting(row: BudgetRow): boolean {
    for (const [budgetClass, queue] of this.#queues) {
      if (queue.count('bulk') > 0 && countsIn(budgetClass, row)) return true;
    }
    return false;
  }

  /** How many come before somebody who comes now, by the rows that they share with him. */
  #ahead(budgetClass: BudgetClass, place: Queued): Map<BudgetRow, number> {
    const counts = new Map<BudgetRow, number>();
    for (const [other, queue] of this.#queues) {
      const all = place.urgency === 'bulk' ? queue.size : queue.count('interactive');
      const ahead = other === budgetClass ? queue.ahead(place) : all;
      for (const row of budgetClasses[other]) counts.set(row, (counts.get(row) ?? 0) + ahead);
    }
    return counts;
  }

  /** After a block, whoever certainly cannot have a turn in time any more is told now, not at the deadline. */
  #refuseHopeless(now: number): void {
    for (const [budgetClass, queue] of [...this.#queues]) {
      let before = 0;
      for (const waiter of queue.inOrder()) {
        const ahead = new Map(budgetClasses[budgetClass].map((row: BudgetRow) => [row, before]));
        const waitMs = this.#waitMs(budgetClass, waiter.urgency, now, ahead);
        if (now + waitMs > waiter.deadlineAt) {
          this.#remove(waiter);
          waiter.refuse(rateLimited(waitMs));
        } else {
          before += 1;
        }
      }
    }
  }

  /** Gives out what can be given now, and sets the alarm for the rest. Called after every change. */
  #serve(): void {
    const now = this.clock.now();
    for (;;) {
      const late = this.#fronts().find(({ deadlineAt }) => deadlineAt < now);
      if (late !== undefined) {
        this.#remove(late);
        late.refuse(rateLimited(this.#waitMs(late.budgetClass, late.urgency, now)));
        continue;
      }
      const next = this.#heads().find(({ budgetClass, urgency }) => this.#waitMs(budgetClass, urgency, now) === 0);
      if (next === undefined) break;
      if (this.shared === undefined) {
        this.#take(next.budgetClass, next.urgency, now);
        this.#shift(next.budgetClass, next.urgency)?.grant();
      } else {
        this.#asking.add(next.budgetClass);
        void this.#ask(this.shared, next);
      }
    }
    this.#setAlarm(now);
  }

  /** Takes turns from the ledger for whoever is at the head of the class when it answers. Never rejects. */
  async #ask({ ledger, budgetKey }: SharedBudget, { budgetClass, urgency }: Waiter): Promise<void> {
    const wanted = Math.min(this.#queues.get(budgetClass)?.count(urgency) ?? 1, MOST_AT_ONCE);
    try {
      const { taken, states } = await ledger.take(budgetKey, this.#terms(budgetClass, urgency), wanted);
      this.#asking.delete(budgetClass);
      this.#learn(states);
      // Slack may have asked for quiet meanwhile.
      if (!this.#isBlocked(budgetClass)) this.#grant(budgetClass, urgency, taken);
    } catch (error) {
      this.#asking.delete(budgetClass);
      for (let turn = 0; turn < wanted; turn += 1) this.#shift(budgetClass, urgency)?.refuse(error);
    }
    this.#serve();
  }

  #learn(states: readonly BudgetState[]): void {
    const now = this.clock.now();
    for (const state of states) {
      const row = (Object.keys(this.#buckets) as BudgetRow[]).find((candidate) => candidate === state.row);
      if (row === undefined) continue;
      this.#buckets[row].fill(state, now);
      if (state.isOwedToBulk) this.#owedToBulk.add(row);
      else this.#owedToBulk.delete(row);
    }
  }

  #isBlocked(budgetClass: BudgetClass): boolean {
    const now = this.clock.now();
    return budgetClasses[budgetClass].some((row: BudgetRow) => this.#buckets[row].blockedUntil(now) !== undefined);
  }

  /** Who has left since these turns were asked for loses his. */
  #grant(budgetClass: BudgetClass, urgency: Urgency, turns: number): void {
    const now = this.clock.now();
    for (let turn = 0; turn < turns; turn += 1) {
      const next = this.#shift(budgetClass, urgency);
      if (next === undefined) return;
      if (next.deadlineAt < now) next.refuse(rateLimited(this.#waitMs(budgetClass, next.urgency, now)));
      else next.grant();
    }
  }

  #terms(budgetClass: BudgetClass, urgency: Urgency): BudgetTerms[] {
    return budgetClasses[budgetClass].map((row: BudgetRow) => ({
      row,
      ...this.limits[row],
      reserve: urgency === 'bulk' ? bulkReserve(this.limits[row]) : 0,
      isBulkWaiting: this.#isBulkWaiting(row),
    }));
  }

  #take(budgetClass: BudgetClass, urgency: Urgency, now: number): void {
    for (const row of budgetClasses[budgetClass]) {
      this.#buckets[row].take(now);
      const isPassedOver = urgency === 'interactive' && this.#isBulkWaiting(row);
      if (isPassedOver) this.#passedOver.set(row, (this.#passedOver.get(row) ?? 0) + 1);
      else this.#passedOver.delete(row);
    }
  }

  /** Whose turn it is in each line that is not being asked for, the most urgent first, then the oldest. */
  #heads(): Waiter[] {
    return [...this.#queues]
      .flatMap(([budgetClass, queue]) =>
        this.#asking.has(budgetClass) ? [] : urgencies.flatMap((urgency) => queue.peek(urgency) ?? []),
      )
      .sort((left, right) =>
        left.urgency === right.urgency ? left.arrival - right.arrival : left.urgency === 'bulk' ? 1 : -1,
      );
  }

  /** Whoever may be too late: within a tenant's list those behind have hardly less time. */
  #fronts(): Waiter[] {
    return [...this.#queues].flatMap(([budgetClass, queue]) => (this.#asking.has(budgetClass) ? [] : queue.fronts()));
  }

  #setAlarm(now: number): void {
    const turns = [
      ...this.#heads().map(({ budgetClass, urgency }) => now + this.#waitMs(budgetClass, urgency, now)),
      ...this.#fronts().map(({ deadlineAt }) => deadlineAt + 1),
    ];
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

  #shift(budgetClass: BudgetClass, urgency: Urgency): Waiter | undefined {
    const waiter = this.#queues.get(budgetClass)?.shift(urgency);
    this.#dropIfEmpty(budgetClass);
    return waiter;
  }

  #remove(waiter: Waiter): void {
    this.#queues.get(waiter.budgetClass)?.remove(waiter);
    this.#dropIfEmpty(waiter.budgetClass);
  }

  #dropIfEmpty(budgetClass: BudgetClass): void {
    if (this.#queues.get(budgetClass)?.size === 0) this.#queues.delete(budgetClass);
  }
}

function countsIn(budgetClass: BudgetClass, row: BudgetRow): boolean {
  const counted: readonly BudgetRow[] = budgetClasses[budgetClass];
  return counted.includes(row);
}

export function rateLimited(waitMs: number): RateLimited {
  return new RateLimited('Slack takes no more calls of this kind for the moment.', wholeSeconds(waitMs), {
    remedy: 'Try again after the stated time.',
  });
}
