import { bulkCrashContract } from '../../support/bulk-crash.contract';
import { sqliteFileDatabase } from '../../support/test-database';

bulkCrashContract('an operation on SQLite', sqliteFileDatabase, { processes: 1 });
