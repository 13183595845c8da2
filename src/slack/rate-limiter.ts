import type { BudgetLedger, BudgetState } from '../domain/budget-ports';
import type { RateBudget } from '../domain/directory-ports';
import type { Clock } from '../shared/clock';
import { type BudgetClass, type BudgetRow, budgetClasses, bulkReserve, type RowLimit, rowLimits } from './endpoints';
import { TeamQueue, type WaitBounds } from './team-queue';
import { TokenBucket } from './token-bucket';

/** `off` keeps no budget of our own, and still honours a wait that Slack asked for. */
export type LimitsMode = 'slack' | 'off';

const SWEEP_INTERVAL_MS = 60_000;
const unlimited: RowLimit = { limitPerMinute: Number.POSITIVE_INFINITY, burst: Number.POSITIVE_INFINITY };
const rows = Object.keys(rowLimits) as BudgetRow[];

/**
 * Keeps calls within Slack's limits. What shares a budget is named by `budgetKey`. Interactive calls go before bulk ones, which
 * leave some of each burst to them; tenants that share a team take turns.
 */
export class RateLimiter {
  readonly #teams = new Map<string, TeamQueue>();
  readonly #limits: Readonly<Record<BudgetRow, RowLimit>>;
  readonly #ledger: BudgetLedger | undefined;
  #sweptAt: number;

  /** @param ledger where other processes draw from the same budgets. */
  constructor(
    private readonly clock: Clock,
    private readonly mode: LimitsMode,
    ledger?: BudgetLedger,
  ) {
    this.#limits = mode === 'slack' ? rowLimits : withoutLimits();
    this.#ledger = mode === 'slack' ? ledger : undefined;
    this.#sweptAt = clock.now();
  }

  /**
   * Waits for the call's turn.
   * @throws RateLimited at once when the turn would certainly come after the deadline, and otherwise at the deadline; the
   * signal's reason when it aborts; what the ledger throws.
   */
  async acquire(budgetKey: string, budgetClass: BudgetClass, bounds: WaitBounds): Promise<void> {
    this.#sweep();
    await this.#team(budgetKey).acquire(budgetClass, bounds);
  }

  /** Slack answered 429: nobody gets a turn in this class for `waitMs`, on any replica. */
  async block(budgetKey: string, budgetClass: BudgetClass, waitMs: number): Promise<void> {
    this.#team(budgetKey).block(budgetClass, waitMs);
    await this.#ledger?.block(budgetKey, budgetClasses[budgetClass][0], waitMs);
  }

  /** What is left of every limit. Empty in mode `off`. */
  async budgetOf(budgetKey: string): Promise<readonly RateBudget[]> {
    return (await this.budgetsOf([budgetKey])).get(budgetKey) ?? [];
  }

  /** The same for many, in one look at what other processes draw from. */
  async budgetsOf(budgetKeys: readonly string[]): Promise<Map<string, readonly RateBudget[]>> {
    if (this.mode === 'off') return new Map();
    const asked = [...new Set(budgetKeys)];
    const states = await this.#ledger?.look(
      asked,
      rows.map((row) => ({ row, ...rowLimits[row], reserve: 0 })),
    );
    return new Map(
      asked.map((budgetKey) => [budgetKey, this.#budgetOf(budgetKey, states && (states.get(budgetKey) ?? []))]),
    );
  }

  /** @param states from the ledger; undefined where this process draws alone. */
  #budgetOf(budgetKey: string, states: readonly BudgetState[] | undefined): RateBudget[] {
    const now = this.clock.now();
    return rows.map((row) => {
      const state = states?.find((candidate) => candidate.row === row);
      if (state === undefined)
        return budgetFrom(row, states ? undefined : this.#teams.get(budgetKey)?.bucket(row), now);
      const bucket = new TokenBucket(rowLimits[row], now);
      bucket.fill(state, now);
      return budgetFrom(row, bucket, now);
    });
  }

  /** What was left of the limits of a class when something was last taken from them; asks nobody. */
  lastKnown(budgetKey: string, budgetClass: BudgetClass): readonly RateBudget[] {
    if (this.mode === 'off') return [];
    const now = this.clock.now();
    const team = this.#teams.get(budgetKey);
    return budgetClasses[budgetClass].map((row: BudgetRow) => budgetFrom(row, team?.bucket(row), now));
  }

  /** How many teams are remembered; falls back to none when all are idle. */
  get size(): number {
    return this.#teams.size;
  }

  #team(budgetKey: string): TeamQueue {
    const known = this.#teams.get(budgetKey);
    if (known !== undefined) return known;
    const team = new TeamQueue(this.clock, this.#limits, this.#ledger && { ledger: this.#ledger, budgetKey });
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

/** @param bucket undefined for one that nobody has drawn from. */
function budgetFrom(row: BudgetRow, bucket: TokenBucket | undefined, now: number): RateBudget {
  const blockedUntil = bucket?.blockedUntil(now);
  return {
    endpointClass: row,
    ...rowLimits[row],
    remaining: bucket?.remaining(now) ?? rowLimits[row].burst,
    reserve: bulkReserve(rowLimits[row]),
    ...(blockedUntil === undefined ? {} : { blockedUntil: new Date(blockedUntil) }),
  };
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
