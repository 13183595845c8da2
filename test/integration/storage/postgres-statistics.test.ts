import { type ItemWork, newItem } from '../../../src/domain/operations/operation-item';
import type { Database } from '../../../src/domain/ports';
import type { Storage } from '../../../src/storage/open-storage';
import { anOperation } from '../../support/operation-store.contract';
import { someInstant, storeConnection } from '../../support/storage-records';
import { postgresDatabase, type TestDatabase } from '../../support/test-database';

const PEOPLE = 5_000;
const TAKEN = 128;

async function storeOperation(database: Database, connection: Awaited<ReturnType<typeof storeConnection>>) {
  const operation = anOperation(connection, { dueAt: someInstant });
  const items = Array.from({ length: PEOPLE }, (_, index) => {
    const work: ItemWork = { action: 'provisionUser', user: { email: `p${index}@${operation.id}.example` } };
    return newItem(index, work);
  });
  await database.transaction(async ({ operations }) => {
    await operations.insert(operation);
    await operations.insertItems(operation, items);
    await operations.accept(operation);
  });
  return operation;
}

describe('on PostgreSQL', () => {
  let testDatabase: TestDatabase;
  let storage: Storage;

  beforeAll(async () => {
    testDatabase = await postgresDatabase();
    storage = await testDatabase.open();
  });
  afterAll(async () => {
    await storage.close();
    await testDatabase.drop();
  });

  // It plans by what it counted last. Between two counts an operation of thousands can come and go.
  it('taking items costs about the same when the tables are far from what was counted last', async () => {
    const { database } = storage;
    const connection = await storeConnection(database);
    await storeOperation(database, connection);
    await testDatabase.query('DELETE FROM operation_subjects');
    await testDatabase.query('ANALYZE operation_items, operation_subjects');
    const { id } = await storeOperation(database, connection);
    const take = () => database.transaction(({ operations }) => operations.claimItems(id, someInstant, TAKEN));
    const fastestMs = async () => {
      const times: number[] = [];
      while (times.length < 3) {
        const begunAt = performance.now();
        expect(await take()).toHaveLength(TAKEN);
        times.push(performance.now() - begunAt);
      }
      return Math.min(...times);
    };
    const outdatedMs = await fastestMs();
    await testDatabase.query('ANALYZE operation_items, operation_subjects');
    const countedMs = await fastestMs();

    expect(outdatedMs / countedMs).toBeLessThan(50);
  });
});
