import { custodyContract } from '../../support/custody.contract';
import { postgresDatabase, sqliteFileDatabase } from '../../support/test-database';

custodyContract('SQLite', sqliteFileDatabase);
custodyContract('PostgreSQL', postgresDatabase);
