/** After so many interactive turns in a row that bulk work waited for, too, one is kept for it, so that it never stands still. */
export const TURNS_BEFORE_BULK = 9;

/** How one of Slack's limits counts, and how much of it a call leaves to others. */
export interface BudgetTerms {
  /** The row of Slack's table; with the budget key it names what is shared. */
  readonly row: string;
  readonly limitPerMinute: number;
  readonly burst: number;
  /** Calls that stay untouched; 0 for interactive calls, and more for all bulk work. */
  readonly reserve: number;
  /** Bulk work of the one who asks waits for this row as well. */
  readonly isBulkWaiting?: boolean;
}

/** What is left in a row. */
export interface BudgetState {
  readonly row: string;
  /** In sixty-thousandths of a call, the unit of which a millisecond gains `limitPerMinute`. */
  readonly content: number;
  /** 0 unless Slack has asked for quiet. */
  readonly blockedForMs: number;
  /** The next call belongs to bulk work, which takes it without leaving a reserve. */
  readonly isOwedToBulk: boolean;
}

/**
 * The budgets that all replicas draw from. Time is the database's own, so that clocks that disagree give nothing away. A row
 * that nobody has drawn from is full.
 */
export interface BudgetLedger {
  /**
   * Takes up to `count` calls, each from every row; as many as the scantest of them has above its reserve. Interactive calls leave
   * one when it is owed to bulk work that waits anywhere; see TURNS_BEFORE_BULK.
   * @returns how many, and what is left.
   */
  take(
    budgetKey: string,
    terms: readonly BudgetTerms[],
    count: number,
  ): Promise<{ readonly taken: number; readonly states: readonly BudgetState[] }>;
  /** Nobody gets anything from the row for `waitMs`, and a single call after it. A longer block that is there stays. */
  block(budgetKey: string, row: string, waitMs: number): Promise<void>;
  /** Takes nothing, and reads once for all of the keys. Rows that are full may be left out. */
  look(
    budgetKeys: readonly string[],
    terms: readonly BudgetTerms[],
  ): Promise<ReadonlyMap<string, readonly BudgetState[]>>;
}

/** Turns that all replicas take. One that is not given back ends by itself, by the database's clock. */
export interface TurnLedger {
  /** @returns false while somebody else has it. */
  take(name: string, owner: string, forMs: number): Promise<boolean>;
  release(name: string, owner: string): Promise<void>;
}

/** What several processes keep together, so that they treat Slack as one. */
export interface SharedLimits {
  readonly budgets: BudgetLedger;
  readonly turns: TurnLedger;
}
