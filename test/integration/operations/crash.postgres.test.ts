import { bulkCrashContract } from '../../support/bulk-crash.contract';
import { postgresDatabase } from '../../support/test-database';

bulkCrashContract('an operation on PostgreSQL, with two replicas', () => postgresDatabase(), { processes: 2 });
