import { storeContract } from '../../support/store-contract';
import { sqliteFileDatabase, sqliteMemoryDatabase } from '../../support/test-database';

storeContract('SQLite in memory', sqliteMemoryDatabase);
storeContract('SQLite in a file', sqliteFileDatabase);
