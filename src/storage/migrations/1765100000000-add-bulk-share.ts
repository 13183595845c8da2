import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What replicas must know to keep one turn in ten for bulk work: that it waits somewhere, and how often it was passed over. */
export class AddBulkShare1765100000000 implements MigrationInterface {
  readonly name = 'AddBulkShare1765100000000';

  async up(runner: QueryRunner): Promise<void> {
    if (!hasReplicas(runner)) return;
    await runner.query(
      `ALTER TABLE rate_budgets
        ADD COLUMN passed_over integer NOT NULL DEFAULT 0,
        ADD COLUMN bulk_waits_until bigint NOT NULL DEFAULT 0`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    if (!hasReplicas(runner)) return;
    await runner.query('ALTER TABLE rate_budgets DROP COLUMN passed_over, DROP COLUMN bulk_waits_until');
  }
}

function hasReplicas({ connection }: QueryRunner): boolean {
  return connection.options.type === 'postgres';
}
