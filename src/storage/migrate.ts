import type { DataSource } from 'typeorm';
import type { Dialect } from './dialect';

/** The database does not have the shape that this release was written for. */
export class SchemaMismatch extends Error {
  constructor(readonly differences: readonly string[]) {
    super(
      `The database differs from what this release expects, after all migrations. It was changed by hand or by a newer release. To make it fit:\n${differences.join('\n')}`,
    );
    this.name = 'SchemaMismatch';
  }
}

/**
 * Runs the migrations that the database lacks, then compares it with the entities. Replicas that start together take turns.
 * @throws SchemaMismatch with the statements that would make them equal.
 */
export async function migrate(dataSource: DataSource, dialect: Dialect): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await dialect.exclusively(runner, async () => {
      await dataSource.runMigrations();
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      if (upQueries.length > 0) throw new SchemaMismatch(upQueries.map(({ query }) => query));
    });
  } finally {
    await runner.release();
  }
}
