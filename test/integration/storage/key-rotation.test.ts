import { keyRotationContract } from '../../support/key-rotation.contract';
import { postgresDatabase, sqliteFileDatabase } from '../../support/test-database';

keyRotationContract('SQLite', sqliteFileDatabase);
keyRotationContract('PostgreSQL', postgresDatabase);
