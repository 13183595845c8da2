import type { RateBudget } from '../domain/directory-ports';
import type { Clock } from '../shared/clock';
import { type BudgetClass, type BudgetRow, type RowLimit, rowLimits } from './endpoints';
import { TeamQueue, type WaitBounds } from './team-queue';

/**
 * Keeps calls within Slack's limits. What shares a budget is named by `budgetKey`. The operations that change the budget
 * are asynchronous so that a version shared by several processes can take this place.
 */
export interface RateLimiter {
  /**
   * Waits for the call's turn, first come first served within a class.
   * @throws RateLimited at once when the turn would come after the deadline; the signal's reason when it aborts.
   */
  acquire(budgetKey: string, budgetClass: BudgetClass, bounds: WaitBounds): Promise<void>;
  /** Slack answered 429: nobody gets a turn in this class for `waitMs`. */
  block(budgetKey: string, budgetClass: BudgetClass, waitMs: number): Promise<void>;
  budgetOf(budgetKey: string): readonly RateBudget[];
}

/** `off` keeps no budget of our own, and still honours a wait that Slack asked for. */
export type LimitsMode = 'slack' | 'off';

const SWEEP_INTERVAL_MS = 60_000;
const unlimited: RowLimit = { limitPerMinute: Number.POSITIVE_INFINITY, burst: Number.POSITIVE_INFINITY };

export class InProcessRateLimiter implements RateLimiter {
  readonly #teams = new Map<string, TeamQueue>();
  readonly #limits: Readonly<Record<BudgetRow, RowLimit>>;
  #sweptAt: number;

  constructor(
    private readonly clock: Clock,
    private readonly mode: LimitsMode,
  ) {
    this.#limits = mode === 'slack' ? rowLimits : withoutLimits();
    this.#sweptAt = clock.now();
  }

  async acquire(budgetKey: string, budgetClass: BudgetClass, bounds: WaitBounds): Promise<void> {
    this.#sweep();
    await this.#team(budgetKey).acquire(budgetClass, bounds);
  }

  async block(budgetKey: string, budgetClass: BudgetClass, waitMs: number): Promise<void> {
    this.#team(budgetKey).block(budgetClass, waitMs);
  }

  budgetOf(budgetKey: string): readonly RateBudget[] {
    if (this.mode === 'off') return [];
    const now = this.clock.now();
    const team = this.#teams.get(budgetKey);
    return (Object.keys(rowLimits) as BudgetRow[]).map((row) => {
      const bucket = team?.bucket(row);
      const blockedUntil = bucket?.blockedUntil(now);
      return {
        endpointClass: row,
        ...rowLimits[row],
        remaining: bucket?.remaining(now) ?? rowLimits[row].burst,
        ...(blockedUntil === undefined ? {} : { blockedUntil: new Date(blockedUntil) }),
      };
    });
  }

  /** How many teams are remembered; falls back to none when all are idle. */
  get size(): number {
    return this.#teams.size;
  }

  #team(budgetKey: string): TeamQueue {
    const known = this.#teams.get(budgetKey);
    if (known !== undefined) return known;
    const team = new TeamQueue(this.clock, this.#limits);
    this.#teams.set(budgetKey, team);
    return team;
  }

  /** A team whose buckets are full again is like one never seen, so it can be forgotten. */
  #sweep(): void {
    const now = this.clock.now();
    if (Math.abs(now - this.#sweptAt) < SWEEP_INTERVAL_MS) return;
    this.#sweptAt = now;
    for (const [budgetKey, team] of this.#teams) {
      if (team.isIdle(now)) this.#teams.delete(budgetKey);
    }
  }
}

function withoutLimits(): Readonly<Record<BudgetRow, RowLimit>> {
  return {
    reads: unlimited,
    writes: unlimited,
    'users.get': unlimited,
    'users.create': unlimited,
    'users.update': unlimited,
    'users.delete': unlimited,
    'groups.get': unlimited,
    'groups.create': unlimited,
    'groups.update': unlimited,
    'groups.delete': unlimited,
  };
}
