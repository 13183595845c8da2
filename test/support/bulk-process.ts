import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { OperationCounts } from '../../src/domain/operations/operation';
import type { TestDatabase } from './test-database';

export interface Progress {
  readonly status: string;
  readonly counts: OperationCounts;
}

/** A process of its own that carries out operations of the database. It needs the built server. */
export class BulkProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #listeners = new Set<(message: unknown) => void>();

  constructor(options: {
    readonly database: TestDatabase;
    readonly slackUrl: string;
    /** Of which the process tells how it stands. */
    readonly operationId: string;
    readonly concurrency?: number;
  }) {
    const { database, slackUrl, operationId, concurrency = 8 } = options;
    const { config } = database;
    const facts = {
      database: config.kind === 'postgres' ? { ...config, url: config.url.reveal() } : config,
      keyByte: 1,
      slackUrl,
      operationId,
      concurrency,
      lookEveryMs: 50,
    };
    this.#child = fork(join(__dirname, 'bulk-working-process.cjs'), {
      env: { PATH: process.env.PATH, BULK_LOG: process.env.BULK_LOG ?? '', BULK_PROCESS: JSON.stringify(facts) },
      execArgv: [],
    });
    this.#exited = once(this.#child, 'exit');
    this.#child.on('message', (message) => {
      for (const listener of [...this.#listeners]) listener(message);
    });
  }

  /** Resolves when it has begun to look for work. */
  async ready(): Promise<this> {
    await this.#until((message) => message === 'ready');
    return this;
  }

  /** Resolves with the first progress that fits. */
  async progress(holds: (progress: Progress) => boolean): Promise<Progress> {
    return (await this.#until((message) => isProgress(message) && holds(message))) as Progress;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** As on SIGTERM. */
  async stop(): Promise<void> {
    this.#child.send('stop');
    await this.#exited;
  }

  #until(holds: (message: unknown) => boolean): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const listener = (message: unknown) => {
        if (!holds(message)) return;
        this.#listeners.delete(listener);
        resolve(message);
      };
      this.#listeners.add(listener);
      this.#exited.then(() => reject(new Error('The process ended')), reject);
    });
  }
}

function isProgress(message: unknown): message is Progress {
  return typeof message === 'object' && message !== null && 'counts' in message;
}
