import type { SharedLimits } from '../../src/domain/budget-ports';
import { silentLogger } from '../../src/shared/logger';
import { TokenCipher } from '../../src/storage/cipher';
import { LocalFeed } from '../../src/storage/connection-feed';
import { createDataSource } from '../../src/storage/data-source';
import { TypeOrmDatabase } from '../../src/storage/database';
import { postgresDialect } from '../../src/storage/dialect';
import { PostgresBudgetLedger, PostgresTurnLedger } from '../../src/storage/rate-budget.store';
import type { FakeClock } from './fake-clock';
import { type TestDatabase, testKey } from './test-database';

/** Counts real work, which takes no time on a fake clock. */
export class Underway {
  #count = 0;
  #waiting: (() => void)[] = [];

  get isBusy(): boolean {
    return this.#count > 0;
  }

  /** Resolves when all that is under way has ended. */
  ended(): Promise<void> {
    return this.isBusy ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (!this.isBusy) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async track<T>(work: Promise<T>): Promise<T> {
    this.begin();
    try {
      return await work;
    } finally {
      this.end();
    }
  }
}

export interface Replica {
  readonly limits: SharedLimits;
  stop(): Promise<void>;
}

/** What one replica shares with others over the database, with connections of its own. @param clock in place of the database's own. */
export async function startReplica(
  { config }: TestDatabase,
  { clock, underway = new Underway() }: { clock?: FakeClock; underway?: Underway } = {},
): Promise<Replica> {
  const few = config.kind === 'postgres' ? { ...config, poolSize: 3 } : config;
  const dataSource = await createDataSource(few, { logger: silentLogger }).initialize();
  const cipher = new TokenCipher([testKey(1)]);
  const feed = new LocalFeed(silentLogger);
  const database = new TypeOrmDatabase({
    dataSource,
    dialect: postgresDialect,
    cipher,
    feed,
    clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
  });
  const time = {
    get nowMs() {
      return clock === undefined ? postgresDialect.nowMs : `${clock.now()}::bigint`;
    },
  };
  const budgets = new PostgresBudgetLedger(database, time);
  const turns = new PostgresTurnLedger(database, time);
  return {
    limits: {
      budgets: {
        take: (...given) => underway.track(budgets.take(...given)),
        block: (...given) => underway.track(budgets.block(...given)),
        look: (...given) => underway.track(budgets.look(...given)),
      },
      turns: {
        take: (...given) => underway.track(turns.take(...given)),
        release: (...given) => underway.track(turns.release(...given)),
      },
    },
    stop: () => database.close(),
  };
}
