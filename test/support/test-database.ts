import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../src/shared/clock';
import { silentLogger } from '../../src/shared/logger';
import { Secret } from '../../src/shared/secret';
import type { SealingKeys } from '../../src/storage/cipher';
import { createDataSource, type DatabaseConfig } from '../../src/storage/data-source';
import { givenKeys, type KeyProvider } from '../../src/storage/key-provider';
import { openStorage, type Storage, type StorageOptions } from '../../src/storage/open-storage';
import { createPostgresDatabase } from './postgres';

/** An empty database that a test may open as often as it likes. */
export interface TestDatabase {
  readonly config: DatabaseConfig;
  open(options?: { keys?: SealingKeys | KeyProvider; clock?: Clock; role?: StorageOptions['role'] }): Promise<Storage>;
  /** Runs one statement on a connection of its own, past the stores. Not for `:memory:`, which has one connection only. */
  query(sql: string): Promise<Record<string, unknown>[]>;
  drop(): Promise<void>;
}

export type MakeTestDatabase = () => Promise<TestDatabase>;

/** A sealing key whose bytes all have this value. */
export function testKey(value: number): Buffer {
  return Buffer.alloc(32, value);
}

export async function sqliteMemoryDatabase(): Promise<TestDatabase> {
  return testDatabase({ kind: 'sqlite', file: ':memory:' }, async () => {});
}

export async function sqliteFileDatabase(): Promise<TestDatabase & { readonly file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-sqlite-'));
  const file = join(folder, 'rollcall.sqlite');
  return { ...testDatabase({ kind: 'sqlite', file }, () => rm(folder, { recursive: true })), file };
}

export async function postgresDatabase(serverUrl?: string): Promise<TestDatabase> {
  const { url, drop } = await createPostgresDatabase(serverUrl);
  return testDatabase({ kind: 'postgres', url: new Secret(url) }, drop);
}

function testDatabase(config: DatabaseConfig, drop: () => Promise<void>): TestDatabase {
  return {
    config,
    open: ({ keys = [testKey(1)], clock = systemClock, role } = {}) =>
      openStorage({
        database: config,
        keys: 'loadKeys' in keys ? keys : givenKeys(keys),
        clock,
        logger: silentLogger,
        role,
      }),
    async query(sql) {
      const dataSource = await createDataSource(config).initialize();
      try {
        return await dataSource.query(sql);
      } finally {
        await dataSource.destroy();
      }
    },
    drop,
  };
}
