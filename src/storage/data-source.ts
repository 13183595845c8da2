import { mkdir, open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { DataSource, type DataSourceOptions, type Logger as TypeOrmLogger } from 'typeorm';
import type { Logger } from '../shared/logger';
import type { Secret } from '../shared/secret';
import { accessTokenEntity } from './access-token.entity';
import { apiKeyEntity } from './api-key.entity';
import { connectionEntity } from './connection.entity';
import { connectionIssueEntity } from './connection-issue.entity';
import { type Dialect, postgresDialect, sqliteDialect } from './dialect';
import { idempotencyRecordEntity } from './idempotency-record.entity';
import { installEntity } from './install.entity';
import { installAttemptEntity } from './install-attempt.entity';
import { keyCheckEntity } from './key-check.entity';
import { leaseEntity } from './lease.entity';
import { mappingVersionEntity } from './mapping-version.entity';
import { CreateSchema1764000000000 } from './migrations/1764000000000-create-schema';
import { AddInstalls1764900000000 } from './migrations/1764900000000-add-installs';
import { AddMappings1764950000000 } from './migrations/1764950000000-add-mappings';
import { AddRateBudgets1764980000000 } from './migrations/1764980000000-add-rate-budgets';
import { AddOperations1765000000000 } from './migrations/1765000000000-add-operations';
import { AddBulkShare1765100000000 } from './migrations/1765100000000-add-bulk-share';
import { operationEntity } from './operation.entity';
import { operationItemEntity } from './operation-item.entity';
import { operationSubjectEntity } from './operation-subject.entity';
import { slackEventEntity } from './slack-event.entity';
import { driverFailureOf } from './storage-failure';
import { tenantEntity } from './tenant.entity';

export type DatabaseConfig = SqliteConfig | PostgresConfig;

export interface SqliteConfig {
  readonly kind: 'sqlite';
  /** A path, or `:memory:`. */
  readonly file: string;
}

export interface PostgresConfig {
  readonly kind: 'postgres';
  readonly url: Secret;
  readonly poolSize?: number;
  /** How long one statement may take. */
  readonly statementTimeoutMs?: number;
}

export interface DataSourceUse {
  readonly logger?: Logger;
  /** `maintenance` has no time limits: migrations may take long, and wait for each other. */
  readonly purpose?: 'service' | 'maintenance';
}

const DEFAULT_POOL_SIZE = 10;

/** Long enough for a writer that is nearly done, and short, since it blocks one of libuv's four threads. */
const BUSY_TIMEOUT_MS = 50;

const DEFAULT_STATEMENT_TIMEOUT_MS = 10_000;
/** The server gives up before the client does, so that the connection stays usable whenever the server is there at all. */
const ANSWER_MARGIN_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** The one place that knows which engine is used. The driver's package is loaded when its data source is made. */
export function createDataSource(config: DatabaseConfig, use: DataSourceUse = {}): DataSource {
  return config.kind === 'sqlite' ? new SqliteDataSource(config, use) : new DataSource(postgresOptions(config, use));
}

export function dialectOf({ kind }: DatabaseConfig): Dialect {
  return kind === 'sqlite' ? sqliteDialect : postgresDialect;
}

const commonOptions = {
  entities: [
    tenantEntity,
    apiKeyEntity,
    connectionEntity,
    connectionIssueEntity,
    accessTokenEntity,
    idempotencyRecordEntity,
    installEntity,
    installAttemptEntity,
    leaseEntity,
    slackEventEntity,
    mappingVersionEntity,
    keyCheckEntity,
    operationEntity,
    operationItemEntity,
    operationSubjectEntity,
  ],
  migrations: [
    CreateSchema1764000000000,
    AddInstalls1764900000000,
    AddMappings1764950000000,
    AddRateBudgets1764980000000,
    AddOperations1765000000000,
    AddBulkShare1765100000000,
  ],
  migrationsRun: false,
  migrationsTransactionMode: 'each',
  synchronize: false,
  logging: false,
  // Otherwise `tenantId: undefined` would match the rows of every tenant.
  invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
} as const satisfies Partial<DataSourceOptions>;

/**
 * TypeORM's own log lines print bound values, and some come even with `logging: false`. The CLI, which gives no logger of
 * ours, keeps them.
 */
const quiet: TypeOrmLogger = {
  logQuery() {},
  logQueryError() {},
  logQuerySlow() {},
  logSchemaBuild() {},
  logMigration() {},
  log() {},
};

/** Applies our settings wherever the data source is opened, also by the TypeORM CLI. */
class SqliteDataSource extends DataSource {
  readonly #file: string;

  constructor({ file }: SqliteConfig, { logger }: DataSourceUse) {
    super({
      ...commonOptions,
      ...(logger && { logger: quiet }),
      type: 'sqlite',
      driver: sqliteDriver(),
      database: file,
      enableWAL: true,
      busyTimeout: BUSY_TIMEOUT_MS,
    });
    this.#file = file;
  }

  override async initialize(): Promise<this> {
    if (this.#file !== ':memory:') await createPrivately(this.#file);
    await super.initialize();
    // An acknowledged write survives a power cut. NORMAL would save one fsync a commit and could lose the last commits,
    // among them the note that a person was just created in Slack.
    await this.query('PRAGMA synchronous = FULL');
    // Deleted rows would otherwise stay readable in the file.
    await this.query('PRAGMA secure_delete = ON');
    await this.query('PRAGMA foreign_keys = ON');
    return this;
  }
}

/**
 * TypeORM switches the driver to its verbose mode, in which each statement takes a stack trace that nobody gets to see: a
 * fifth of the time of a bulk.
 */
function sqliteDriver(): object {
  const driver: typeof import('sqlite3') = createRequire(__filename)('sqlite3');
  return Object.create(driver, { verbose: { value: () => driver } });
}

/** SQLite gives its journal files the mode of the database file. */
async function createPrivately(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, 'a', 0o600);
  await handle.close();
}

function postgresOptions(
  { url, poolSize = DEFAULT_POOL_SIZE, statementTimeoutMs = DEFAULT_STATEMENT_TIMEOUT_MS }: PostgresConfig,
  { logger, purpose = 'service' }: DataSourceUse,
): DataSourceOptions {
  const isMaintenance = purpose === 'maintenance';
  const limits = isMaintenance
    ? {}
    : {
        statement_timeout: statementTimeoutMs,
        idle_in_transaction_session_timeout: statementTimeoutMs,
        // Without it a half-open connection would hold its caller for the minutes that TCP takes to give up.
        query_timeout: statementTimeoutMs + ANSWER_MARGIN_MS,
      };
  return {
    ...commonOptions,
    ...(logger && { logger: quiet }),
    type: 'postgres',
    url: url.reveal(),
    // One connection holds the lock of the start while another migrates.
    poolSize: isMaintenance ? 2 : poolSize,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    installExtensions: false,
    applicationName: 'rollcall',
    extra: { ...limits, keepAlive: true, keepAliveInitialDelayMillis: 10_000 },
    poolErrorHandler: (error: unknown) => {
      logger?.warn({ driverCode: driverFailureOf(error).code }, 'An idle database connection was lost');
    },
  };
}
