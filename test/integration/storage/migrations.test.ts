import { createDataSource } from '../../../src/storage/data-source';
import { aTenant } from '../../support/storage-records';
import {
  type MakeTestDatabase,
  postgresDatabase,
  sqliteFileDatabase,
  type TestDatabase,
} from '../../support/test-database';

const engines: [string, MakeTestDatabase][] = [
  ['SQLite', sqliteFileDatabase],
  ['PostgreSQL', postgresDatabase],
];

describe.each(engines)('migrations on %s', (_, makeDatabase) => {
  let testDatabase: TestDatabase;

  beforeEach(async () => {
    testDatabase = await makeDatabase();
  });

  afterEach(() => testDatabase.drop());

  it('make an empty database fit, after which the schema builder finds no difference', async () => {
    await (await testDatabase.open()).close();

    const dataSource = await createDataSource(testDatabase.config).initialize();
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    await dataSource.destroy();
    expect(upQueries).toEqual([]);
  });

  it('do nothing the second time, and keep what is stored', async () => {
    const tenant = aTenant();
    const first = await testDatabase.open();
    await first.database.transaction((stores) => stores.tenants.insert(tenant));
    await first.close();

    const second = await testDatabase.open();

    expect(await second.database.read((stores) => stores.tenants.find(tenant.id))).toEqual(tenant);
    await second.close();
    const [applied] = await testDatabase.query('SELECT COUNT(*) AS times FROM migrations');
    expect(Number(applied?.times)).toBe(createDataSource(testDatabase.config).options.migrations?.length);
  });

  it('can be undone and run again', async () => {
    await (await testDatabase.open()).close();
    const dataSource = await createDataSource(testDatabase.config).initialize();
    for (const _migration of dataSource.migrations) await dataSource.undoLastMigration();
    await dataSource.destroy();
    await expect(testDatabase.query('SELECT * FROM tenants')).rejects.toThrow();

    await (await testDatabase.open()).close();

    await expect(testDatabase.query('SELECT * FROM tenants')).resolves.toEqual([]);
  });

  it('tell what stands in their way, and leave it as it was', async () => {
    await testDatabase.query('CREATE TABLE api_keys (mine TEXT)');

    await expect(testDatabase.open()).rejects.toMatchObject({
      name: 'DatabaseNotOpened',
      message: expect.stringMatching(/api_keys.*already exists/),
    });

    await expect(testDatabase.query('SELECT mine FROM api_keys')).resolves.toEqual([]);
    await expect(testDatabase.query('SELECT * FROM tenants')).rejects.toThrow();
  });

  it('refuse a database that was changed by hand, and say how it differs', async () => {
    await (await testDatabase.open()).close();
    await testDatabase.query('DROP INDEX ix_connections_page');

    await expect(testDatabase.open()).rejects.toMatchObject({
      name: 'SchemaMismatch',
      message: expect.stringContaining('ix_connections_page'),
    });
  });
});

it('lets four replicas start at once on an empty PostgreSQL', async () => {
  const testDatabase = await postgresDatabase();

  const storages = await Promise.all(Array.from({ length: 4 }, () => testDatabase.open()));

  await Promise.all(storages.map((storage) => storage.database.ping()));
  await Promise.all(storages.map((storage) => storage.close()));
  expect(await testDatabase.query('SELECT key_id FROM key_check')).toHaveLength(1);
  await testDatabase.drop();
});
