import { createHash } from 'node:crypto';
import { canonicalJson } from '../../shared/canonical-json';
import type { Clock } from '../../shared/clock';
import { newId } from '../../shared/ids';
import type { Logger } from '../../shared/logger';
import type { Caller } from '../access/access';
import type { ConnectionId } from '../connections/connection';
import { IdempotencyConflict, InvalidInput, StillRunning } from '../errors';
import { holdsSecret } from '../label';
import type { Database, IdempotencyRecord } from '../ports';

const SHORTEST_KEPT_MS = 24 * 60 * 60 * 1000;
/** Short, so that the work of a killed process is soon taken over, and extended while the work runs. */
const LEASE_MS = 10_000;
const HEARTBEAT_MS = 3_000;
const POLL_MS = 150;

export interface IdempotentCall<T> {
  readonly connectionId: ConnectionId;
  readonly action: string;
  readonly key: string | undefined;
  /** Of a caller without a key who keeps the outcome, and what the work notes, by other means. */
  readonly ownRun?: IdempotentRun;
  /** What must be equal when the key is used again. */
  readonly input: unknown;
  /** How a final outcome is stored, and undefined when the outcome is not final and the call may be run again. */
  encode(outcome: Outcome<T>): string | undefined;
  decode(stored: string): Outcome<T>;
  /** Waits for whatever the call must not overtake. The place in line is taken before the database is asked for the key. */
  inTurn<R>(call: () => Promise<R>): Promise<R>;
  work(run: IdempotentRun): Promise<T>;
}

export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** What the work can tell about itself to whoever has to take it over. */
export interface IdempotentRun {
  /** What an earlier, interrupted run saved. */
  readonly progress: string | undefined;
  saveProgress(progress: string): Promise<void>;
}

const unrecorded: IdempotentRun = { progress: undefined, saveProgress: async () => {} };

/**
 * Makes a call under a key happen once: the same key with the same input answers the first result for 24 hours or longer, whoever
 * comes, at the same time or later, on this process or another, before or after a restart.
 *
 * A result that is not final (Slack was down, a rate limit, a lost right) is not kept: the next call with the key runs
 * again, and finds what the earlier run noted in `progress`.
 */
export class IdempotencyService {
  readonly #running = new Map<string, { inputHash: string; outcome: Promise<Outcome<unknown>> }>();
  readonly #owner = newId<string>('run');

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly logger: Logger,
    /** How long a result is kept, from the first call on. */
    private readonly keptMs: number = SHORTEST_KEPT_MS,
  ) {}

  async run<T>(caller: Caller, call: IdempotentCall<T>): Promise<T> {
    if (call.key === undefined) return call.inTurn(() => call.work(call.ownRun ?? unrecorded));
    const { key } = call;
    assertKey(key);
    const inputHash = createHash('sha256')
      .update(canonicalJson({ action: call.action, connectionId: call.connectionId, input: call.input }))
      .digest('hex');
    const slot = `${caller.tenant.id} ${key}`;
    const running = this.#running.get(slot);
    if (running) {
      if (running.inputHash !== inputHash) throw keyReused();
      return settle((await running.outcome) as Outcome<T>);
    }
    const outcome = call
      .inTurn(() => this.runRecorded(caller, key, inputHash, call))
      .catch((error: unknown): Outcome<T> => ({ error }));
    this.#running.set(slot, { inputHash, outcome });
    try {
      return settle(await outcome);
    } finally {
      this.#running.delete(slot);
    }
  }

  /** Removes what is older than it must be kept, at most `limit` records. @returns how many. */
  async sweep(limit: number): Promise<number> {
    return this.database.transaction((stores) => stores.idempotency.deleteExpired(new Date(this.clock.now()), limit));
  }

  private async runRecorded<T>(
    caller: Caller,
    key: string,
    inputHash: string,
    call: IdempotentCall<T>,
  ): Promise<Outcome<T>> {
    const claimed = await this.claim(caller, key, inputHash, call);
    if ('result' in claimed) return call.decode(claimed.result);
    const tenantId = caller.tenant.id;
    const owner = this.#owner;
    const heartbeat = setInterval(() => {
      this.database
        .transaction(async ({ idempotency, leases }) =>
          idempotency.extendLease(tenantId, key, owner, leaseEnd(await leases.now())),
        )
        .catch((error: unknown) => this.logger.warn({ err: error }, 'an idempotency lease could not be extended'));
    }, HEARTBEAT_MS);
    let outcome: Outcome<T>;
    try {
      const value = await call.work({
        progress: claimed.progress,
        saveProgress: async (progress) => {
          const isOurs = await this.database.transaction((stores) =>
            stores.idempotency.saveProgress(tenantId, key, owner, progress),
          );
          // The lease ran out and another process is at it: going on would do the work twice.
          if (!isOurs) throw stillRunning();
        },
      });
      outcome = { value };
    } catch (error) {
      outcome = { error };
    } finally {
      clearInterval(heartbeat);
    }
    return this.keep(caller, key, inputHash, call, outcome);
  }

  /** Stores what is final. When another process took the call over meanwhile, what that one stored is the answer. */
  private async keep<T>(
    { tenant }: Caller,
    key: string,
    inputHash: string,
    call: IdempotentCall<T>,
    outcome: Outcome<T>,
  ): Promise<Outcome<T>> {
    const stored = call.encode(outcome);
    const kept = await this.database.transaction(async ({ idempotency }) => {
      if (stored === undefined) {
        await idempotency.release(tenant.id, key, this.#owner);
        return undefined;
      }
      if (await idempotency.finish(tenant.id, key, this.#owner, stored)) return undefined;
      return idempotency.find(tenant.id, key);
    });
    const isOthers = kept?.state === 'DONE' && kept.inputHash === inputHash && kept.result !== undefined;
    return isOthers ? call.decode(kept.result) : outcome;
  }

  /** Becomes the owner of the key, or waits until whoever is has a result. */
  private async claim<T>(
    caller: Caller,
    key: string,
    inputHash: string,
    call: IdempotentCall<T>,
  ): Promise<{ progress: string | undefined } | { result: string }> {
    for (;;) {
      const outcome = await this.database.transaction(async (stores) => {
        const now = new Date(this.clock.now());
        // A process whose clock is ahead must not take over what another one has under way.
        const leasedAt = await stores.leases.now();
        const tenantId = caller.tenant.id;
        let existing = await stores.idempotency.find(tenantId, key);
        if (existing && existing.state !== 'RUNNING' && existing.expiresAt <= now) {
          await stores.idempotency.delete(tenantId, key);
          existing = undefined;
        }
        if (!existing) {
          const record = this.newRecord(caller, key, inputHash, call, { now, leasedAt });
          return (await stores.idempotency.claim(record)) ? { progress: undefined } : undefined;
        }
        if (existing.inputHash !== inputHash) throw keyReused();
        if (existing.state === 'DONE') return { result: existing.result ?? '' };
        const isOurs = await stores.idempotency.takeOver(tenantId, key, this.#owner, leaseEnd(leasedAt), leasedAt);
        return isOurs ? { progress: existing.progress } : undefined;
      });
      if (outcome) return outcome;
      if (this.clock.now() + POLL_MS > caller.deadlineAt) {
        throw stillRunning();
      }
      await this.clock.sleep(POLL_MS, caller.signal);
    }
  }

  private newRecord<T>(
    caller: Caller,
    key: string,
    inputHash: string,
    call: IdempotentCall<T>,
    { now, leasedAt }: { readonly now: Date; readonly leasedAt: Date },
  ): IdempotencyRecord {
    return {
      tenantId: caller.tenant.id,
      key,
      connectionId: call.connectionId,
      action: call.action,
      inputHash,
      state: 'RUNNING',
      owner: this.#owner,
      leaseExpiresAt: leaseEnd(leasedAt),
      createdAt: now,
      expiresAt: new Date(now.getTime() + this.keptMs),
    };
  }
}

function leaseEnd(from: Date): Date {
  return new Date(from.getTime() + LEASE_MS);
}

function settle<T>(outcome: Outcome<T>): T {
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

/** @throws InvalidInput */
export function assertKey(key: string | undefined): void {
  if (key === undefined) return;
  const path = ['input', 'idempotencyKey'];
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new InvalidInput('An idempotencyKey has 1 to 255 printable characters without blanks.', { path });
  }
  if (holdsSecret(key)) throw new InvalidInput('An idempotencyKey must not hold a token or a key.', { path });
}

function stillRunning(): StillRunning {
  return new StillRunning('A call with this idempotency key is still running.', {
    path: ['input', 'idempotencyKey'],
    remedy: 'Call again with the same key and input to get its result.',
  });
}

function keyReused(): IdempotencyConflict {
  return new IdempotencyConflict('This idempotency key was used with another input.', {
    path: ['input', 'idempotencyKey'],
    remedy: 'Use a new key for a new request, and the same key only to repeat the same request.',
  });
}
