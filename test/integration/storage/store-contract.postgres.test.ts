import { storeContract } from '../../support/store-contract';
import { postgresDatabase } from '../../support/test-database';

storeContract('PostgreSQL', postgresDatabase);
