import type { DataSource, QueryRunner } from 'typeorm';
import type { Database, Stores } from '../domain/ports';
import { backoffMs } from '../shared/backoff';
import type { Clock } from '../shared/clock';
import { TwoLaneMutex } from '../shared/mutex';
import { TypeOrmAccessTokenStore } from './access-token.store';
import { TypeOrmApiKeyStore } from './api-key.store';
import type { TokenCipher } from './cipher';
import { TypeOrmConnectionStore } from './connection.store';
import type { LocalFeed } from './connection-feed';
import { TypeOrmConnectionIssueStore } from './connection-issue.store';
import type { Dialect } from './dialect';
import { TypeOrmIdempotencyStore } from './idempotency.store';
import { TypeOrmInstallStore } from './install.store';
import { TypeOrmLeaseStore } from './lease.store';
import { TypeOrmMappingStore } from './mapping.store';
import { NestedUse } from './nested-use';
import { TypeOrmOperationStore } from './operation.store';
import { TypeOrmSealingKeyStore } from './sealing-key.store';
import { TypeOrmSlackEventStore } from './slack-event.store';
import { TransientFailure, type TransientKind } from './storage-failure';
import { StoreHandle } from './store-handle';
import { TypeOrmTenantStore } from './tenant.store';

/** How long a piece of work may be tried again, counted from the call: whoever waited in line has used up his time too. */
const RETRY_FOR_MS = 5_000;
const RETRY_BACKOFF = { baseMs: 20, capMs: 400 };

/** After these the work left no trace, so it can run again from its beginning. */
const repeatable: readonly TransientKind[] = ['BUSY', 'CONFLICT', 'DISCONNECTED'];

type Work<T> = (stores: Stores, handle: StoreHandle) => Promise<T>;
type Mode = 'READ' | 'TRANSACTION';
type Lane = 'front' | 'back';

export interface TypeOrmDatabaseParts {
  readonly dataSource: DataSource;
  readonly dialect: Dialect;
  readonly cipher: TokenCipher;
  /** Told what was committed here where the engine does not tell it itself. */
  readonly feed: LocalFeed;
  readonly clock: Clock;
}

/**
 * On SQLite all work takes turns on one connection. TypeORM gives one SQLite data source a single query runner: two
 * pieces of work at once would share a transaction, and the rollback of one would take the other's rows with it.
 */
export class TypeOrmDatabase implements Database {
  readonly #turns = new TwoLaneMutex();
  readonly #nestedUse = new NestedUse();
  /** A transaction on the single connection could not be rolled back, and must be before anything else is done. */
  #isUnclean = false;
  readonly #running = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(private readonly parts: TypeOrmDatabaseParts) {}

  read<T>(work: Work<T>): Promise<T> {
    return this.#counted(() => this.#repeated('READ', work));
  }

  transaction<T>(work: Work<T>): Promise<T> {
    return this.#counted(() => this.#repeated('TRANSACTION', work));
  }

  /** The same database for what nobody waits for: where work takes turns, it goes behind what somebody waits for. */
  inBackground(): Database {
    return {
      read: (work) => this.#counted(() => this.#repeated('READ', work, 'back')),
      transaction: (work) => this.#counted(() => this.#repeated('TRANSACTION', work, 'back')),
      ping: () => this.ping(),
    };
  }

  /** For work that is one statement, and so a transaction by itself. It may run twice when the connection is lost. */
  statement<T>(work: (handle: StoreHandle) => Promise<T>): Promise<T> {
    return this.#counted(() => this.#repeated('READ', (_stores, handle) => work(handle)));
  }

  ping(): Promise<void> {
    return this.#counted(() => this.#inTurn(() => this.#attempt('READ', async () => {}, 'SELECT 1')));
  }

  /** Lets the work under way end, refuses new work, and gives up the connections. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#running);
    if (this.parts.dataSource.isInitialized) await this.parts.dataSource.destroy();
  }

  async #counted<T>(start: () => Promise<T>): Promise<T> {
    this.#nestedUse.assertNone();
    if (this.#isClosed) throw new TransientFailure('DISCONNECTED', 'CLOSED');
    const running = start();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** @throws what `work` throws; TransientFailure when the database stays away, StorageFailure when it refuses. */
  async #repeated<T>(mode: Mode, work: Work<T>, lane: Lane = 'front'): Promise<T> {
    const { clock } = this.parts;
    const giveUpAt = clock.now() + RETRY_FOR_MS;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#inTurn(() => this.#attempt(mode, work), lane);
      } catch (error) {
        if (!(error instanceof TransientFailure) || !repeatable.includes(error.kind)) throw error;
        const waitMs = backoffMs(attempt, { ...RETRY_BACKOFF, random: Math.random });
        if (clock.now() + waitMs >= giveUpAt) throw error;
        // Waiting outside the line, so that reads go on while another process holds the write lock.
        await clock.sleep(waitMs);
      }
    }
  }

  #inTurn<T>(work: () => Promise<T>, lane: Lane = 'front'): Promise<T> {
    return this.parts.dialect.isSingleConnection ? this.#turns.run(lane, work) : work();
  }

  async #attempt<T>(mode: Mode, work: Work<T>, opening = this.#openingOf(mode)): Promise<T> {
    const { dataSource, dialect } = this.parts;
    const runner = dataSource.createQueryRunner();
    const handle = new StoreHandle(runner, dialect);
    try {
      if (this.#isUnclean) await this.#cleanUp(runner);
      if (opening) await handle.execute(opening);
      return await this.#run(mode, handle, work);
    } finally {
      if (handle.isConnectionLost) await dialect.discard(runner);
      await runner.release();
    }
  }

  #openingOf(mode: Mode): string | undefined {
    return mode === 'TRANSACTION' ? this.parts.dialect.begin : undefined;
  }

  async #run<T>(mode: Mode, handle: StoreHandle, work: Work<T>): Promise<T> {
    try {
      const result = await this.#using(handle, work);
      if (mode === 'TRANSACTION') await this.#commit(handle);
      return result;
    } catch (error) {
      if (mode === 'TRANSACTION' && !(await handle.rollback())) this.#isUnclean = this.parts.dialect.isSingleConnection;
      throw error;
    }
  }

  async #commit(handle: StoreHandle): Promise<void> {
    const changes = await handle.commit();
    if (this.parts.dialect.isSingleConnection) for (const change of changes) this.parts.feed.publish(change);
  }

  async #cleanUp(runner: QueryRunner): Promise<void> {
    const handle = new StoreHandle(runner, this.parts.dialect);
    if (!(await handle.rollback())) throw handle.failure;
    this.#isUnclean = false;
  }

  async #using<T>(handle: StoreHandle, work: Work<T>): Promise<T> {
    try {
      return await this.#nestedUse.run(() => work(this.#stores(handle), handle));
    } finally {
      await handle.close();
    }
  }

  #stores(handle: StoreHandle): Stores {
    return {
      tenants: new TypeOrmTenantStore(handle),
      apiKeys: new TypeOrmApiKeyStore(handle),
      connections: new TypeOrmConnectionStore(handle),
      issues: new TypeOrmConnectionIssueStore(handle),
      tokens: new TypeOrmAccessTokenStore(handle, this.parts.cipher),
      idempotency: new TypeOrmIdempotencyStore(handle),
      installs: new TypeOrmInstallStore(handle),
      leases: new TypeOrmLeaseStore(handle, this.parts.dialect),
      slackEvents: new TypeOrmSlackEventStore(handle),
      mappings: new TypeOrmMappingStore(handle),
      sealingKeys: new TypeOrmSealingKeyStore(handle, this.parts.cipher),
      operations: new TypeOrmOperationStore(handle, this.parts.dialect),
    };
  }
}
