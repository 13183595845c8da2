import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What replicas share about Slack's limits. Only PostgreSQL has replicas. The tables are not logged: what is in them is true for
 * a minute, and a commit that touches nothing else waits for no disk. After a crash of the server they are empty, which
 * reads as "nothing was used lately".
 */
export class AddRateBudgets1764980000000 implements MigrationInterface {
  readonly name = 'AddRateBudgets1764980000000';

  async up(runner: QueryRunner): Promise<void> {
    if (!hasReplicas(runner)) return;
    await runner.query(
      `CREATE UNLOGGED TABLE rate_budgets (
        budget_key text NOT NULL,
        budget_row text NOT NULL,
        content bigint NOT NULL,
        seen_at bigint NOT NULL,
        blocked_until bigint NOT NULL,
        PRIMARY KEY (budget_key, budget_row)
      ) WITH (fillfactor = 50)`,
    );
    await runner.query(
      `CREATE UNLOGGED TABLE write_turns (
        name text NOT NULL PRIMARY KEY,
        owner text NOT NULL,
        expires_at bigint NOT NULL
      )`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    if (!hasReplicas(runner)) return;
    await runner.query('DROP TABLE write_turns');
    await runner.query('DROP TABLE rate_budgets');
  }
}

function hasReplicas({ connection }: QueryRunner): boolean {
  return connection.options.type === 'postgres';
}
