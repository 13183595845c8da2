import { sweepContract } from '../../support/sweep.contract';
import { postgresDatabase, sqliteFileDatabase } from '../../support/test-database';

sweepContract('the sweep on SQLite', sqliteFileDatabase);
sweepContract('the sweep on PostgreSQL', () => postgresDatabase());
