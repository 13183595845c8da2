import type { Database } from '../../src/domain/ports';
import type { Storage } from '../../src/storage/open-storage';
import type { MakeTestDatabase, TestDatabase } from './test-database';

/** The storage that a group of tests shares; there once its tests run. */
export interface SharedStorage {
  readonly storage: Storage;
  readonly database: Database;
  readonly testDatabase: TestDatabase;
}

/** Opens an empty database before the tests of the surrounding group, and drops it after them. */
export function useSharedStorage(makeDatabase: MakeTestDatabase): SharedStorage {
  let opened: { storage: Storage; testDatabase: TestDatabase } | undefined;
  const current = () => {
    if (!opened) throw new Error('The storage is opened before the tests, not while they are declared.');
    return opened;
  };
  beforeAll(async () => {
    const testDatabase = await makeDatabase();
    opened = { testDatabase, storage: await testDatabase.open() };
  });
  afterAll(async () => {
    await current().storage.close();
    await current().testDatabase.drop();
  });
  return {
    get storage() {
      return current().storage;
    },
    get database() {
      return current().storage.database;
    },
    get testDatabase() {
      return current().testDatabase;
    },
  };
}
