import PgBoss from 'pg-boss';
import type { LeaseStore } from '../domain/install-ports';
import type { OperationDispatch } from '../domain/operation-ports';
import type { OperationId } from '../domain/operations/operation';
import type { NextSlice } from '../domain/operations/operation.runner';
import { leaseName } from '../domain/operations/slice-ledger';
import type { Database } from '../domain/ports';
import type { Clock } from '../shared/clock';
import { newId } from '../shared/ids';
import type { Secret } from '../shared/secret';
import { Repeater } from './repeater';
import { SliceSlots, type SliceSlotsParts } from './slice-slots';

const QUEUE = 'operation-slices';
const FETCH_EVERY_MS = 1_000;
/** For operations whose job was lost with the replica that had it, or never sent. */
const PATROL_EVERY_MS = 5_000;
const OVERDUE_MS = 3_000;
const OVERDUE_AT_ONCE = 50;
const HOUR_SECONDS = 60 * 60;
const CONNECTIONS = 2;
/** Handed on to the driver: without them a connection whose other end has vanished would hold up all work for many minutes. */
const CONNECTION_LIMITS = {
  connectionTimeoutMillis: 5_000,
  statement_timeout: 10_000,
  // The server gives up first, so that the connection stays usable whenever the server is there at all.
  query_timeout: 12_000,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
};

interface SliceJob {
  readonly operationId: OperationId;
}

/**
 * The dispatch of replicas that share a PostgreSQL: each slice is a job of pg-boss. Jobs only say that there is work. Who
 * may do it, and where it goes on, is said by the lease and the rows of the operation, so that a job that is lost, comes
 * twice or is run by two replicas at once does no harm.
 */
export class OperationJobs implements OperationDispatch {
  readonly #fetching: Repeater;
  readonly #patrol: Repeater;
  readonly #slots: SliceSlots;
  readonly #boss: PgBoss;
  #isStarted = false;
  #stopped: Promise<void> | undefined;

  constructor(
    private readonly parts: SliceSlotsParts & {
      readonly database: Database;
      readonly url: Secret;
      readonly clock: Clock;
      readonly random: () => number;
    },
  ) {
    this.#slots = new SliceSlots(parts);
    this.#boss = new PgBoss({
      connectionString: parts.url.reveal(),
      application_name: 'rollcall',
      max: CONNECTIONS,
      ...CONNECTION_LIMITS,
      schedule: false,
      archiveCompletedAfterSeconds: HOUR_SECONDS,
      deleteAfterHours: 24,
    });
    this.#boss.on('error', (error) =>
      this.parts.logger.warn({ failure: nameOf(error) }, 'the job queue met a failure'),
    );
    this.#fetching = new Repeater({ ...parts, name: 'jobs', everyMs: FETCH_EVERY_MS, work: () => this.#fetch() });
    this.#patrol = new Repeater({
      ...parts,
      name: 'overdue operations',
      everyMs: PATROL_EVERY_MS,
      jitter: 0.3,
      work: () => this.#announceOverdue(),
    });
  }

  /** A job that could not be sent is sent by the patrol of some replica: what was accepted is in the table. */
  async announce(id: OperationId, at: Date): Promise<void> {
    if (!this.#isStarted || this.#stopped) return;
    try {
      await this.#send(id, at);
      this.#fetching.wake();
    } catch (error) {
      this.parts.logger.warn({ operationId: id, failure: nameOf(error) }, 'a slice could not be announced yet');
    }
  }

  /** The queue is opened in the background: a gateway whose queue is slow to come answers calls all the same. */
  start(): void {
    this.#fetching.start();
    this.#patrol.start();
  }

  /** As OperationPool.stop. */
  stop(graceMs: number): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    return this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#slots.close();
    await Promise.all([this.#fetching.stop(), this.#patrol.stop()]);
    await this.#slots.drain(graceMs);
    if (this.#isStarted) await this.#boss.stop({ graceful: false });
  }

  async #fetch(): Promise<void> {
    if (!this.#isStarted) {
      await this.#boss.start();
      await this.#boss.createQueue(QUEUE, { name: QUEUE, policy: 'short' });
      this.#isStarted = true;
    }
    const { free } = this.#slots;
    if (free <= 0) return;
    for (const { id: jobId, data } of await this.#boss.fetch<SliceJob>(QUEUE, { batchSize: free })) {
      if (this.#slots.has(data.operationId)) await this.#boss.complete(QUEUE, jobId);
      else this.#slots.run(data.operationId, (next) => this.#continue(jobId, data.operationId, next));
    }
  }

  /** The next job is there before this one is done with. */
  async #continue(jobId: string, id: OperationId, next: NextSlice): Promise<void> {
    try {
      if (next) await this.#send(id, next);
      await this.#boss.complete(QUEUE, jobId);
    } catch (error) {
      this.parts.logger.warn({ operationId: id, failure: nameOf(error) }, 'the job queue met a failure');
    }
    setImmediate(() => this.#fetching.wake());
  }

  async #send(id: OperationId, at: Date): Promise<void> {
    const waitSeconds = Math.ceil((at.getTime() - this.parts.clock.now()) / 1_000);
    const isLater = waitSeconds > 0;
    const data: SliceJob = { operationId: id };
    await this.#boss.send(QUEUE, data, {
      // Of those that wait the queue keeps one a key; and what waits for a time must not keep out what is due now.
      singletonKey: isLater ? `${id} later` : id,
      ...(isLater ? { startAfter: waitSeconds } : {}),
      // A job that takes longer would count as failed, although its slice goes on.
      expireInSeconds: Math.ceil((2 * this.#slots.longestSliceMs) / 1_000),
      retryLimit: 0,
    });
  }

  /** Whether nobody has the lease; taken for a moment, and only where nobody has it. */
  async #isFree(leases: LeaseStore, name: string): Promise<boolean> {
    const patrol = newId<string>('patrol');
    if (!(await leases.acquire(name, patrol, 0))) return false;
    await leases.release(name, patrol);
    return true;
  }

  /** Sends a job for operations that are due and that nobody runs. */
  async #announceOverdue(): Promise<void> {
    if (!this.#isStarted) return;
    const { database, clock } = this.parts;
    const now = new Date(clock.now());
    const before = new Date(now.getTime() - OVERDUE_MS);
    const overdue = await database.read(({ operations }) => operations.listDue(before, OVERDUE_AT_ONCE));
    for (const id of overdue) {
      if (this.#slots.has(id)) continue;
      const isIdle = await database.transaction(({ leases }) => this.#isFree(leases, leaseName(id)));
      if (isIdle) await this.announce(id, now);
    }
  }
}

/** Errors of the driver can hold what a statement was given. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
