import type { DataSource } from 'typeorm';
import type { SharedLimits } from '../domain/budget-ports';
import type { ConnectionFeed } from '../domain/install-ports';
import type { SealingKeyRing } from '../domain/key-ports';
import type { Database } from '../domain/ports';
import type { Clock } from '../shared/clock';
import type { Logger } from '../shared/logger';
import type { Secret } from '../shared/secret';
import { LocalFeed } from './connection-feed';
import { createDataSource, type DatabaseConfig, dialectOf } from './data-source';
import { TypeOrmDatabase } from './database';
import type { Dialect } from './dialect';
import { verifyKeys, WrongSealingKey } from './key-check.store';
import type { KeyProvider } from './key-provider';
import { KeyRing } from './key-ring';
import { migrate, SchemaMismatch } from './migrate';
import { PostgresListener } from './postgres-listener';
import { PostgresBudgetLedger, PostgresTurnLedger } from './rate-budget.store';
import { DatabaseNotOpened, driverFailureOf } from './storage-failure';

export interface StorageOptions {
  readonly database: DatabaseConfig;
  readonly keys: KeyProvider;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A `command` runs beside a gateway that may be serving: it leaves that one's leases alone, and hears of no changes. */
  readonly role?: 'gateway' | 'command';
}

export interface Storage {
  readonly database: Database;
  /** The same, for what nobody waits for. */
  readonly backgroundDatabase: Database;
  readonly fingerprints: { of(tenantId: string, secret: Secret): string };
  /** The sealing keys in use. */
  readonly keys: SealingKeyRing;
  /** A text that only the holder of the sealing keys can know, and that stays the same when they are rotated. */
  deriveText(label: string): string;
  /** One such text for each key that is held, newest first: sign with the first, and accept every one. */
  deriveTexts(label: string): readonly string[];
  /** What was committed about connections, by this process and, on PostgreSQL, by other replicas. */
  readonly feed: ConnectionFeed;
  /** What replicas keep together about Slack's limits; undefined where there is one process only. */
  readonly sharedLimits: SharedLimits | undefined;
  /** Waits for the work under way, and refuses new work. */
  close(): Promise<void>;
}

/**
 * Opens the database, migrates it, and makes sure that the sealing keys are the right ones.
 * @throws WrongSealingKey, SchemaMismatch, DatabaseNotOpened: each with what the operator can do about it; and what the
 * key provider throws.
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { database: config, keys, clock, logger, role = 'gateway' } = options;
  const ring = await KeyRing.load(keys);
  const { cipher } = ring;
  const dialect = dialectOf(config);
  const dataSource = createDataSource(config, { logger });
  const preparing = dialect.isSingleConnection
    ? dataSource
    : createDataSource(config, { logger, purpose: 'maintenance' });
  try {
    await preparing.initialize();
    await migrate(preparing, dialect);
    await verifyKeys(preparing, dialect, cipher, clock);
    if (!dataSource.isInitialized) await dataSource.initialize();
    if (dialect.isSingleConnection && role === 'gateway') await endLeases(dataSource, dialect);
  } catch (error) {
    await destroy(dataSource);
    const isKeyLost = error instanceof WrongSealingKey && (await keys.file?.discardNew());
    throw isKeyLost ? lostKeyFile(keys.file?.path) : startFailure(error, config);
  } finally {
    if (preparing !== dataSource) await destroy(preparing);
  }
  const feed = new LocalFeed(logger);
  const opened = new TypeOrmDatabase({ dataSource, dialect, cipher, clock, feed });
  const listener =
    config.kind === 'postgres' && role === 'gateway'
      ? await PostgresListener.start(dataSource, config.url, feed, logger)
      : undefined;
  return {
    database: opened,
    backgroundDatabase: opened.inBackground(),
    keys: ring,
    fingerprints: { of: (tenantId, secret) => cipher.fingerprint(tenantId, secret) },
    deriveText: (label) => cipher.deriveText(label),
    deriveTexts: (label) => cipher.deriveTexts(label),
    feed,
    sharedLimits: dialect.isSingleConnection
      ? undefined
      : { budgets: new PostgresBudgetLedger(opened, dialect), turns: new PostgresTurnLedger(opened, dialect) },
    async close() {
      await opened.close();
      await listener?.stop();
    },
  };
}

/** One process alone serves an SQLite file, so whoever held them is gone. */
async function endLeases(dataSource: DataSource, dialect: Dialect): Promise<void> {
  try {
    await dataSource.query('DELETE FROM leases');
  } catch (error) {
    // They end by themselves in a minute; that somebody copies the file is no reason not to start.
    if (dialect.kindOf(driverFailureOf(error)) !== 'BUSY') throw error;
  }
}

async function destroy(dataSource: DataSource): Promise<void> {
  if (dataSource.isInitialized) await dataSource.destroy();
}

/** Of a database that was sealed before, with a key that is not there. */
function lostKeyFile(path: string | undefined): WrongSealingKey {
  return new WrongSealingKey(
    `The key file ${path} is missing, and the database holds what was sealed with its keys. Restore it from a backup; nothing was changed.`,
  );
}

function startFailure(error: unknown, config: DatabaseConfig): Error {
  if (error instanceof WrongSealingKey || error instanceof SchemaMismatch) return error;
  return new DatabaseNotOpened(placeOf(config), driverFailureOf(error));
}

function placeOf(config: DatabaseConfig): string {
  if (config.kind === 'sqlite') return `The database file ${config.file}`;
  const { host, pathname } = new URL(config.url.reveal());
  return `The PostgreSQL database ${pathname.slice(1)} at ${host}`;
}
