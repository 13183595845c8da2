import { loadConfig } from './src/config';
import { createDataSource } from './src/storage/data-source';

/** What the TypeORM CLI works on: the database that the gateway would use with the same environment. */
export default createDataSource(loadConfig(process.env).database, { purpose: 'maintenance' });
