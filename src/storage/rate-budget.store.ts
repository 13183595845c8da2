import {
  type BudgetLedger,
  type BudgetState,
  type BudgetTerms,
  TURNS_BEFORE_BULK,
  type TurnLedger,
} from '../domain/budget-ports';
import type { TypeOrmDatabase } from './database';
import type { Dialect } from './dialect';
import { StorageFailure } from './storage-failure';

/** Of which a millisecond gains `limitPerMinute`, so that everything is in whole numbers. */
const CALL = 60_000;
/** Full again long before; so old rows say nothing. */
const IDLE_MS = 24 * 60 * 60 * 1000;
/** How long bulk work counts as waiting without asking again; longer than it waits for its reserve to fill up. */
const BULK_WAITS_MS = 15_000;

/** What a row holds at `clock.now`. A clock that was put back must prolong neither a block nor the filling. */
const FILLED = `
  LEAST(terms.capacity, budgets.content + terms.gain
    * GREATEST(0, clock.now - GREATEST(budgets.seen_at, budgets.blocked_until))) AS content,
  GREATEST(0, budgets.blocked_until - GREATEST(clock.now, budgets.seen_at)) AS blocked_ms`;

const TERMS = `terms AS (
  SELECT * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[])
    AS given (budget_row, gain, capacity, reserve, bulk_waiting)
)`;

/** Whether bulk work waits, and whether it has been passed over often enough. A clock that was put back ends the waiting. */
const WAITING = `budgets.bulk_waits_until - clock.now BETWEEN 1 AND ${BULK_WAITS_MS}`;
const OWED = `(${WAITING} AND budgets.passed_over >= ${TURNS_BEFORE_BULK})`;

/**
 * Budgets in PostgreSQL, for all replicas. A step is one statement and so a transaction by itself: it locks the rows, always
 * in the same order, reads the clock once it has them, and takes from all of them or from none.
 */
export class PostgresBudgetLedger implements BudgetLedger {
  constructor(
    private readonly database: Pick<TypeOrmDatabase, 'statement'>,
    private readonly dialect: Pick<Dialect, 'nowMs'>,
  ) {}

  async take(
    budgetKey: string,
    terms: readonly BudgetTerms[],
    count: number,
  ): Promise<{ taken: number; states: BudgetState[] }> {
    const parameters = [...parametersOf(budgetKey, terms), count];
    const sql = `WITH ${TERMS}, budgets AS MATERIALIZED (
        SELECT budget_row, content, seen_at, blocked_until, passed_over, bulk_waits_until FROM rate_budgets
        WHERE budget_key = $1 AND budget_row = ANY($2::text[]) ORDER BY budget_row FOR UPDATE
      ), clock AS MATERIALIZED (
        SELECT ${this.dialect.nowMs} AS now FROM (SELECT count(*) FROM budgets) AS locked
      ), filled AS MATERIALIZED (
        SELECT budgets.budget_row, budgets.seen_at, budgets.passed_over, budgets.bulk_waits_until,
          terms.reserve, terms.bulk_waiting, clock.now,
          ${OWED} AS is_owed, ${WAITING} AS is_waiting, ${FILLED}
        FROM budgets JOIN terms USING (budget_row) CROSS JOIN clock
      ), spare AS MATERIALIZED (
        SELECT filled.*, GREATEST(0, CASE
          WHEN reserve = 0 THEN content / ${CALL} - CASE WHEN is_owed THEN 1 ELSE 0 END
          WHEN is_owed AND content >= ${CALL} THEN GREATEST(1, (content - reserve) / ${CALL})
          ELSE (content - reserve) / ${CALL} END) AS calls_left
        FROM filled
      ), granted AS MATERIALIZED (
        SELECT CASE WHEN count(*) < cardinality($2::text[]) OR max(blocked_ms) > 0 THEN 0
          ELSE LEAST($7::bigint, min(calls_left)) END AS calls
        FROM spare
      ), after AS MATERIALIZED (
        SELECT budget_row, now, seen_at, blocked_ms, calls, content - calls * ${CALL} AS content, bulk_waits_until,
          CASE WHEN reserve > 0 AND calls_left < $7::bigint OR reserve = 0 AND bulk_waiting
            THEN now + ${BULK_WAITS_MS} ELSE bulk_waits_until END AS waits_until,
          CASE WHEN calls = 0 THEN passed_over WHEN reserve = 0 AND (is_waiting OR bulk_waiting)
            THEN LEAST(passed_over + calls, ${TURNS_BEFORE_BULK}) ELSE 0 END AS passed_over
        FROM spare CROSS JOIN granted
      ), drawn AS (
        UPDATE rate_budgets AS kept
        SET content = after.content, seen_at = after.now, blocked_until = after.now + after.blocked_ms,
          passed_over = after.passed_over, bulk_waits_until = after.waits_until
        FROM after
        WHERE kept.budget_key = $1 AND kept.budget_row = after.budget_row
          AND (after.calls > 0 OR after.seen_at > after.now OR after.waits_until > after.bulk_waits_until)
      )
      SELECT budget_row, content, blocked_ms, calls,
        passed_over >= ${TURNS_BEFORE_BULK} AND waits_until > now AS is_owed FROM after`;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const found = await this.database.statement((handle) => handle.rows(sql, parameters));
      if (found.length === terms.length) return { taken: Number(found[0]?.calls ?? 0), states: found.map(stateOf) };
      await this.#addMissing(budgetKey, terms);
    }
    throw new StorageFailure('BUDGET_ROWS_MISSING');
  }

  async block(budgetKey: string, row: string, waitMs: number): Promise<void> {
    const now = this.dialect.nowMs;
    // The last column undoes what a clock that was put back would add to a block that is there.
    const sql = `INSERT INTO rate_budgets AS kept (budget_key, budget_row, content, seen_at, blocked_until)
      SELECT $1, $2, ${CALL}, clock.now, clock.now + $3 FROM (SELECT ${now} AS now) AS clock
      ON CONFLICT (budget_key, budget_row) DO UPDATE SET content = excluded.content, seen_at = excluded.seen_at,
        blocked_until = GREATEST(excluded.blocked_until,
          kept.blocked_until - GREATEST(0, kept.seen_at - excluded.seen_at))`;
    await this.database.statement((handle) => handle.write(sql, [budgetKey, row, Math.ceil(waitMs)]));
  }

  async look(budgetKeys: readonly string[], terms: readonly BudgetTerms[]): Promise<Map<string, BudgetState[]>> {
    const sql = `WITH ${TERMS}, clock AS (SELECT ${this.dialect.nowMs} AS now)
      SELECT budgets.budget_key, budgets.budget_row, ${FILLED}
      FROM rate_budgets AS budgets JOIN terms USING (budget_row) CROSS JOIN clock
      WHERE budgets.budget_key = ANY($1::text[])`;
    const found = await this.database.statement((handle) => handle.rows(sql, parametersOf(budgetKeys, terms)));
    const states = new Map<string, BudgetState[]>(budgetKeys.map((budgetKey) => [budgetKey, []]));
    for (const row of found) states.get(String(row.budget_key))?.push(stateOf(row));
    return states;
  }

  /** And removes what nobody has used for long, so that the table stays as small as what is in use. */
  async #addMissing(budgetKey: string, terms: readonly BudgetTerms[]): Promise<void> {
    const now = this.dialect.nowMs;
    const sorted = [...terms].sort((left, right) => (left.row < right.row ? -1 : 1));
    await this.database.statement((handle) =>
      handle.write(
        `WITH ${TERMS} INSERT INTO rate_budgets (budget_key, budget_row, content, seen_at, blocked_until)
        SELECT $1, budget_row, capacity, ${now}, 0 FROM terms ORDER BY budget_row
        ON CONFLICT (budget_key, budget_row) DO NOTHING`,
        parametersOf(budgetKey, sorted),
      ),
    );
    await this.database.statement((handle) =>
      handle.write(`DELETE FROM rate_budgets WHERE GREATEST(seen_at, blocked_until) < ${now} - ${IDLE_MS}`, []),
    );
  }
}

/** Turns in PostgreSQL, for all replicas. */
export class PostgresTurnLedger implements TurnLedger {
  constructor(
    private readonly database: Pick<TypeOrmDatabase, 'statement'>,
    private readonly dialect: Pick<Dialect, 'nowMs'>,
  ) {}

  async take(name: string, owner: string, forMs: number): Promise<boolean> {
    const now = this.dialect.nowMs;
    const taken = await this.database.statement((handle) =>
      handle.write(
        `INSERT INTO write_turns (name, owner, expires_at) VALUES ($1, $2, ${now} + $3)
        ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
        WHERE write_turns.owner = excluded.owner OR write_turns.expires_at <= ${now}`,
        [name, owner, Math.ceil(forMs)],
      ),
    );
    return taken === 1;
  }

  async release(name: string, owner: string): Promise<void> {
    await this.database.statement((handle) =>
      // With his own, those that nobody came back for.
      handle.write(
        `DELETE FROM write_turns WHERE name = $1 AND owner = $2 OR name IN (
          SELECT name FROM write_turns WHERE expires_at < ${this.dialect.nowMs} - ${IDLE_MS} LIMIT 10 FOR UPDATE SKIP LOCKED)`,
        [name, owner],
      ),
    );
  }
}

function parametersOf(budgetKey: string | readonly string[], terms: readonly BudgetTerms[]): unknown[] {
  return [
    budgetKey,
    terms.map(({ row }) => row),
    terms.map(({ limitPerMinute }) => limitPerMinute),
    terms.map(({ burst }) => burst * CALL),
    terms.map(({ reserve }) => reserve * CALL),
    terms.map(({ isBulkWaiting = false }) => isBulkWaiting),
  ];
}

function stateOf(found: Record<string, unknown>): BudgetState {
  const { budget_row: row, content, blocked_ms: blockedMs, is_owed: isOwed } = found;
  return {
    row: String(row),
    content: Number(content),
    blockedForMs: Number(blockedMs),
    isOwedToBulk: isOwed === true,
  };
}
