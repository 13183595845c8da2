import { operationDispatchContract } from '../../support/operation-dispatch.contract';
import { postgresDatabase, sqliteFileDatabase } from '../../support/test-database';

operationDispatchContract('the dispatch of one process with SQLite', sqliteFileDatabase);
operationDispatchContract('the dispatch of replicas with PostgreSQL', () => postgresDatabase());
