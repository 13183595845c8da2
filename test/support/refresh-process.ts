import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Connection } from '../../src/domain/connections/connection';
import type { Clock } from '../../src/shared/clock';
import type { Simulator } from '../../src/simulator/simulator';
import type { TestDatabase } from './test-database';

export interface LeaseAnswer {
  /** SHA-256 of the token, hex. */
  readonly digest?: string;
  readonly failure?: string;
  /** What the process did on the way to it. */
  readonly steps: readonly string[];
}

/** A process of its own that leases a token, refreshing it first where that is due. It needs the built server. */
export class RefreshProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(options: {
    readonly database: TestDatabase;
    readonly simulator: Simulator;
    readonly clock: Clock;
    readonly connection: Connection;
    /** Number of the step at which it kills itself. */
    readonly killAt?: number;
  }) {
    const { simulator, clock, connection, killAt } = options;
    const { config } = options.database;
    const database = config.kind === 'postgres' ? { ...config, url: config.url.reveal() } : config;
    const facts = {
      database,
      keyByte: 1,
      slackUrl: simulator.url,
      app: simulator.app,
      connection,
      clockAheadMs: clock.now() - Date.now(),
      killAt,
    };
    this.#child = fork(join(__dirname, 'refreshing-process.cjs'), {
      env: { PATH: process.env.PATH, REFRESH_PROCESS: JSON.stringify(facts) },
      execArgv: [],
    });
    this.#ended = once(this.#child, 'exit');
  }

  /** Resolves when it has opened the database. */
  async ready(): Promise<this> {
    await this.#nextMessage();
    return this;
  }

  /** @returns undefined when the process was killed on the way. */
  async lease(): Promise<LeaseAnswer | undefined> {
    const answer = this.#nextMessage().catch(() => undefined);
    this.#child.send('lease');
    return (await answer) as LeaseAnswer | undefined;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #nextMessage(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#child.once('message', resolve);
      this.#ended.then(() => reject(new Error('The process ended')), reject);
    });
  }
}
