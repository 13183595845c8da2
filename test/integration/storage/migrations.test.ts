import type { TenantId } from '../../../src/domain/access/access';
import type { AccessTokenId, ConnectionId } from '../../../src/domain/connections/connection';
import type { Secret } from '../../../src/shared/secret';
import { TokenCipher } from '../../../src/storage/cipher';
import { createDataSource } from '../../../src/storage/data-source';
import { secretPlace } from '../../../src/storage/sealed-columns';
import { aSecret, aTenant, later, someInstant } from '../../support/storage-records';
import {
  type MakeTestDatabase,
  postgresDatabase,
  sqliteFileDatabase,
  type TestDatabase,
  testKey,
} from '../../support/test-database';

const tenantId = 'ten_old' as TenantId;
const connectionId = 'con_old' as ConnectionId;
const tokenId = 'tok_old' as AccessTokenId;

/** A database as the first release left it, with a row of each kind. @returns the token that it holds */
async function storeInFirstSchema({ config }: TestDatabase): Promise<Secret> {
  const dataSource = await createDataSource(config).initialize();
  dataSource.migrations.splice(1);
  await dataSource.runMigrations();
  const token = aSecret();
  const sealed = new TokenCipher([testKey(1)]).seal(token, secretPlace(tokenId));
  const at = someInstant.getTime();
  for (const statement of [
    `INSERT INTO tenants (id, name, is_operator, created_at) VALUES ('${tenantId}', 'Old', FALSE, ${at})`,
    `INSERT INTO connections (id, tenant_id, name, name_folded, environment, lifecycle, status, team_key, install_level, created_at, updated_at, version)
     VALUES ('${connectionId}', '${tenantId}', 'Old', 'old', 'LIVE', 'OPEN', 'ACTIVE', 'T1', 'WORKSPACE', ${at}, ${at}, 3)`,
    `INSERT INTO access_tokens (id, connection_id, kind, status, granted_scopes, hint, fingerprint, sealed_secret, created_at)
     VALUES ('${tokenId}', '${connectionId}', 'USER', 'ACTIVE', '["admin"]', 'xoxp-…', 'f1', '${sealed}', ${at})`,
    `INSERT INTO connection_issues (id, connection_id, code, message, remedy, since)
     VALUES ('iss_old', '${connectionId}', 'MISSING_SCOPES', 'Old.', 'Old.', ${at})`,
  ]) {
    await dataSource.query(statement);
  }
  await dataSource.destroy();
  return token;
}

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

  it('keep what a release before installations stored, and let it be used', async () => {
    const token = await storeInFirstSchema(testDatabase);

    const storage = await testDatabase.open();

    const found = await storage.database.read(async ({ connections, tokens }) => ({
      due: await connections.listDueForCheck(later(1), 9),
      connection: await connections.find(tenantId, connectionId),
      token: await tokens.findActive(connectionId),
      secret: (await tokens.open(tokenId))?.reveal(),
      refreshToken: await tokens.openRefreshToken(tokenId),
    }));
    expect(found).toMatchObject({
      due: [{ id: connectionId }],
      connection: { id: connectionId, name: 'Old', status: 'ACTIVE', version: 3 },
      token: { id: tokenId, status: 'ACTIVE', refreshable: false, generation: 1, hint: 'xoxp-…' },
      secret: token.reveal(),
      refreshToken: undefined,
    });
    await storage.close();
    expect(await testDatabase.query('SELECT id FROM connection_issues')).toEqual([{ id: 'iss_old' }]);
  });

  it('leave the tables of the release before as they were when one of the new ones is in the way', async () => {
    await storeInFirstSchema(testDatabase);
    await testDatabase.query('CREATE TABLE leases (mine TEXT)');

    await expect(testDatabase.open()).rejects.toMatchObject({
      message: expect.stringMatching(/leases.*already exists/),
    });

    const [row] = await testDatabase.query('SELECT * FROM access_tokens');
    expect(row).not.toHaveProperty('generation');
    await testDatabase.query('DROP TABLE leases');
    await (await testDatabase.open()).close();
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
