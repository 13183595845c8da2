import { randomUUID } from 'node:crypto';
import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/logger';
import type { ResealedBatch, SealingKeyRing, UnreadableValue } from '../key-ports';
import type { Database } from '../ports';
import { countOld } from './sealing-key';

/**
 * `DONE`: nothing that can be opened is left under an older key. `STOPPED`: the process is ending.
 * `ELSEWHERE`: another process is at it. `SUPERSEDED`: another replica was given a newer key than this process has first,
 * and sealing with an older one would go back and forth between the two.
 */
export type ResealOutcome = 'DONE' | 'STOPPED' | 'ELSEWHERE' | 'SUPERSEDED';

/** Of the latest run of this process. */
export interface ResealProgress {
  readonly isRunning: boolean;
  /** How many values there were to seal anew. */
  readonly found: number;
  readonly resealed: number;
  readonly unreadable: number;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
}

export interface ResealParts {
  readonly database: Database;
  readonly ring: SealingKeyRing;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onProgress?: (progress: ResealProgress) => void;
}

const LEASE = 'reseal';
/** Extended with each batch. When two are at it all the same, they do each other no harm. */
const LEASE_MS = 10_000;
/** Tokens in one transaction: on SQLite everybody waits for its end. */
const BATCH_SIZE = 50;
/** Between two batches, the others get at least as long as the batch took, and as this. */
const LEAST_PAUSE_MS = 5;
const LOG_EVERY_MS = 10_000;

/**
 * Seals with the newest key what an older one sealed, in short transactions beside the daily work. What is done is done:
 * a run that was cut short is continued by the next, of whichever process.
 */
export class ResealService {
  readonly #owner = randomUUID();
  readonly #stopping = new AbortController();
  #running: Promise<ResealOutcome> | undefined;
  #isWantedAgain = false;
  #progress: ResealProgress = { isRunning: false, found: 0, resealed: 0, unreadable: 0 };
  /** Told in the log already. */
  readonly #unreadable = new Set<string>();

  constructor(private readonly parts: ResealParts) {}

  get progress(): ResealProgress {
    return this.#progress;
  }

  /**
   * One run at a time: whoever calls during one gets its outcome, and it looks once more before it ends.
   * @param options.isForced also when another replica has a newer key first: from then on this process's newest counts.
   */
  run({ isForced = false }: { isForced?: boolean } = {}): Promise<ResealOutcome> {
    if (this.#running && isForced) return this.#running.then(() => this.run({ isForced }));
    if (this.#running) this.#isWantedAgain = true;
    this.#running ??= this.#run(isForced).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** As run, for whoever does not wait for it. */
  runSoon(): void {
    this.run().catch((error: unknown) => {
      this.parts.logger.warn({ err: error }, 'sealing stored secrets anew failed and will be tried again');
    });
  }

  /** Ends the run after the batch that it is at. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running?.catch(() => undefined);
  }

  async #run(isForced: boolean): Promise<ResealOutcome> {
    let outcome: ResealOutcome;
    do {
      this.#isWantedAgain = false;
      outcome = await this.#pass(isForced);
    } while (this.#isWantedAgain && outcome === 'DONE');
    return outcome;
  }

  async #pass(isForced: boolean): Promise<ResealOutcome> {
    const found = await this.#begin(isForced);
    if (found === 'SUPERSEDED') return found;
    if (found === 0) return 'DONE';
    this.#advance({ isRunning: true, found, resealed: 0, unreadable: 0, startedAt: this.#now() });
    let outcome: ResealOutcome = 'STOPPED';
    try {
      outcome = await this.#workThrough();
    } finally {
      this.#advance({ ...this.#progress, isRunning: false, endedAt: this.#now() });
      if (outcome !== 'ELSEWHERE') await this.#release();
    }
    if (this.#progress.resealed > 0) this.#log(outcome);
    return outcome;
  }

  /** @returns how many values there are to seal anew. */
  async #begin(isForced: boolean): Promise<number | 'SUPERSEDED'> {
    const { database, ring } = this.parts;
    await ring.file?.reload();
    const { used, old } = await database.read(async ({ sealingKeys }) => ({
      used: await sealingKeys.listUsed(),
      old: countOld(ring, await sealingKeys.countSealed()),
    }));
    const newest = ring.keyIds[0] ?? '';
    if (used[0] !== newest) {
      if (used.includes(newest) && !isForced) return 'SUPERSEDED';
      await database.transaction(({ sealingKeys }) => sealingKeys.declareNewest(this.#now()));
    }
    return old;
  }

  async #workThrough(): Promise<ResealOutcome> {
    const { clock, ring } = this.parts;
    let after = '';
    let loggedAt = clock.now();
    while (!this.#stopping.signal.aborted) {
      const startedAt = clock.now();
      const newest = ring.keyIds[0];
      const batch = await this.#resealBatch(after);
      if (!batch) return 'ELSEWHERE';
      this.#note(batch);
      const isChanged = ring.keyIds[0] !== newest;
      if (batch.next === undefined && !isChanged) return 'DONE';
      after = isChanged ? '' : (batch.next ?? '');
      if (clock.now() - loggedAt >= LOG_EVERY_MS) {
        this.#log('UNDER WAY');
        loggedAt = clock.now();
      }
      await this.#pause(clock.now() - startedAt);
    }
    return 'STOPPED';
  }

  /** @returns undefined when another process is at it. */
  #resealBatch(after: string): Promise<ResealedBatch | undefined> {
    const { database, ring } = this.parts;
    return database.transaction(async ({ leases, sealingKeys }) => {
      // Inside the transaction, so that nothing is sealed with a key that another process has taken out since.
      await ring.file?.reload();
      if (!(await leases.acquire(LEASE, this.#owner, LEASE_MS))) return undefined;
      return sealingKeys.resealBatch(after, BATCH_SIZE);
    });
  }

  #note({ resealed, unreadable }: ResealedBatch): void {
    const before = this.#progress;
    this.#advance({
      ...before,
      resealed: before.resealed + resealed,
      unreadable: before.unreadable + unreadable.length,
    });
    for (const value of unreadable) this.#warnOnce(value);
  }

  #warnOnce({ tokenId, connectionId, kind }: UnreadableValue): void {
    const name = `${tokenId} ${kind}`;
    if (this.#unreadable.has(name)) return;
    this.#unreadable.add(name);
    this.parts.logger.warn({ tokenId, connectionId, kind }, 'a stored secret cannot be opened, and stays as it is');
  }

  async #pause(tookMs: number): Promise<void> {
    try {
      await this.parts.clock.sleep(Math.max(tookMs, LEAST_PAUSE_MS), this.#stopping.signal);
    } catch {
      // Stopping: the loop sees it.
    }
  }

  async #release(): Promise<void> {
    try {
      await this.parts.database.transaction(({ leases }) => leases.release(LEASE, this.#owner));
    } catch (error) {
      // It ends by itself.
      this.parts.logger.debug({ err: error }, 'the lease for sealing anew was not given back');
    }
  }

  #advance(progress: ResealProgress): void {
    this.#progress = progress;
    this.parts.onProgress?.(progress);
  }

  #log(outcome: ResealOutcome | 'UNDER WAY'): void {
    const { found, resealed, unreadable } = this.#progress;
    const keyId = this.parts.ring.keyIds[0];
    this.parts.logger.info(
      { outcome, keyId, found, resealed, unreadable },
      'sealed stored secrets with the newest key',
    );
  }

  #now(): Date {
    return new Date(this.parts.clock.now());
  }
}
