import type { Clock } from '../../shared/clock';
import { newId } from '../../shared/ids';
import { assertAllowed, type Caller } from '../access/access';
import { notReady } from '../connections/access-token.service';
import type { Connection, ConnectionId } from '../connections/connection';
import type { DirectoryAccess } from '../directory/directory-access';
import { assertKey, type IdempotencyService, type Outcome } from '../directory/idempotency.service';
import { Conflict, InvalidInput, NotFound, OperationNotCancelable, StorageUnavailable } from '../errors';
import type { OperationDispatch, OperationStore } from '../operation-ports';
import type { Database } from '../ports';
import {
  isEnded,
  movedOperation,
  noCounts,
  type Operation,
  type OperationId,
  type OperationKind,
  type OperationSettings,
  recounted,
} from './operation';
import { type ItemWork, type NewItem, newItem } from './operation-item';

export interface NewOperation {
  readonly connectionId: ConnectionId;
  readonly kind: OperationKind;
  readonly settings?: OperationSettings;
  /** Read once, a portion at a time. */
  readonly items: Iterable<ItemWork> | AsyncIterable<ItemWork>;
  readonly mostItems: number;
  /** Of the items in the input, for problems. */
  readonly path: readonly string[];
}

export interface KeyedOperation extends NewOperation {
  readonly idempotencyKey?: string;
  readonly action: string;
  /** What must be equal when the key is used again. */
  readonly input: unknown;
}

/** Work that is read from outside, and of which only its end tells what it was. */
export interface StreamedOperation extends NewOperation {
  readonly idempotencyKey?: string;
  readonly action: string;
  /** What must be equal when the key is used again; asked once all items were read. */
  readonly inputOf: () => unknown;
}

/** Stored at once: short enough that others get their turn at the database in between. */
const PORTION = 1_000;

/** Takes in work on many people or groups, and changes its course. Every change is announced to whoever carries it out. */
export class OperationService {
  constructor(
    private readonly parts: {
      readonly database: Database;
      readonly access: DirectoryAccess;
      readonly idempotency: IdempotencyService;
      readonly dispatch: OperationDispatch;
      readonly clock: Clock;
    },
  ) {}

  /**
   * Accepts an operation: from then on it is carried out whatever happens to this process. What is wrong with one item is
   * told on the item.
   * @throws Forbidden, NotFound (connection), ConnectionNotReady (disconnected), InvalidInput (none, or too many)
   */
  async start(caller: Caller, input: KeyedOperation): Promise<Operation> {
    const connection = await this.usable(caller, input);
    const store = () => this.store(this.draftOf(caller, connection, input), input);
    return this.once(caller, connection, { ...input, store });
  }

  /**
   * As start, of what is read only once and may take its time: it is stored as it comes, and compared with what the key was
   * used for at its end. What was stored in vain is removed.
   * @throws what `start` and the items throw
   */
  async startStream(caller: Caller, { inputOf, ...input }: StreamedOperation): Promise<Operation> {
    assertKey(input.idempotencyKey);
    const connection = await this.usable(caller, input);
    const draft = this.draftOf(caller, connection, input);
    try {
      const stored = await this.store(draft, input);
      return await this.once(caller, connection, { ...input, input: inputOf(), store: async () => stored });
    } finally {
      await this.discard(draft.id);
    }
  }

  /** Items that are under way are finished; the others wait. @throws Forbidden, NotFound, Conflict (it has ended) */
  pause(caller: Caller, id: OperationId): Promise<Operation> {
    return this.change(caller, id, async (operation) => {
      if (operation.status === 'PAUSED') return operation;
      if (isEnded(operation)) throw hasEnded();
      const status = movedOperation(operation.status, 'PAUSED');
      return { ...operation, status, pause: { kind: 'REQUESTED' }, dueAt: this.dueIfRunning(operation) };
    });
  }

  /** Continues what was paused or canceled, from then on in the name of the caller's key. @throws Forbidden, NotFound, Conflict */
  resume(caller: Caller, id: OperationId): Promise<Operation> {
    return this.change(caller, id, async (operation, store) => {
      if (operation.status !== 'PAUSED' && operation.status !== 'CANCELED') {
        if (!isEnded(operation)) return operation;
        throw hasEnded();
      }
      if (operation.status === 'CANCELED') {
        const again = await store.requeueItems(operation, 'SKIPPED');
        if (again === 0) throw hasEnded();
        return this.requeued(caller, operation, store, { ...operation, ...moved(operation, 'SKIPPED', again) });
      }
      return {
        ...operation,
        status: movedOperation('PAUSED', 'QUEUED'),
        pause: undefined,
        apiKeyId: caller.apiKey.id,
        setbacks: 0,
        dueAt: new Date(this.parts.clock.now()),
      };
    });
  }

  /** Items that are under way are finished; the others are skipped. @throws Forbidden, NotFound, OperationNotCancelable */
  cancel(caller: Caller, id: OperationId): Promise<Operation> {
    return this.change(caller, id, async (operation, store) => {
      if (operation.status === 'CANCELED') return operation;
      if (isEnded(operation)) {
        throw new OperationNotCancelable('The operation has ended already.', { path: ['input', 'id'] });
      }
      const skipped = await store.moveItems(id, 'PENDING', 'SKIPPED');
      const held = await store.moveItems(id, 'HELD', 'SKIPPED');
      const counts = recounted(recounted(operation.counts, 'PENDING', 'SKIPPED', skipped), 'HELD', 'SKIPPED', held);
      return {
        ...operation,
        status: movedOperation(operation.status, 'CANCELED'),
        counts,
        pause: undefined,
        finishedAt: new Date(this.parts.clock.now()),
        dueAt: this.dueIfRunning(operation),
      };
    });
  }

  /** Tries the failed items of an ended operation again, with fresh attempts. @throws Forbidden, NotFound, Conflict */
  retryFailed(caller: Caller, id: OperationId): Promise<Operation> {
    return this.change(caller, id, async (operation, store) => {
      if (operation.status !== 'FAILED' && operation.status !== 'PARTIALLY_SUCCEEDED') {
        throw new Conflict('The operation has no failed items to try again, or has not ended yet.', {
          path: ['input', 'id'],
        });
      }
      const again = await store.requeueItems(operation, 'FAILED');
      return this.requeued(caller, operation, store, { ...operation, ...moved(operation, 'FAILED', again) });
    });
  }

  /** Continues operations that waited for a connection which can be used again. */
  async resumeRecovered(): Promise<void> {
    const { database, clock, dispatch } = this.parts;
    const ids = await database.read(({ operations }) => operations.listRecovered(RECOVERED_AT_ONCE));
    for (const id of ids) {
      const resumed = await database.transaction(async ({ operations }) => {
        const operation = await operations.lock(id);
        if (operation?.status !== 'PAUSED' || operation.pause?.kind !== 'CONNECTION') return undefined;
        const now = new Date(clock.now());
        const status = movedOperation('PAUSED', 'QUEUED');
        const after = { ...operation, status, pause: undefined, dueAt: now, updatedAt: now };
        await operations.update(after);
        return after;
      });
      if (resumed?.dueAt) await dispatch.announce(id, resumed.dueAt);
    }
  }

  private find(caller: Caller, id: OperationId): Promise<Operation | undefined> {
    return this.parts.database.read(({ operations }) => operations.find(caller.tenant.id, id));
  }

  private async get(caller: Caller, id: OperationId): Promise<Operation> {
    const operation = await this.find(caller, id);
    if (!operation) throw unknownOperation();
    return operation;
  }

  private async usable(caller: Caller, { connectionId }: NewOperation): Promise<Connection> {
    const connection = await this.parts.access.find(caller, connectionId, 'users:write');
    if (connection.lifecycle === 'DISCONNECTED') throw notReady(connection);
    return connection;
  }

  /** Accepts what `store` gives, or answers what was accepted under the key before. */
  private async once(
    caller: Caller,
    connection: Connection,
    call: Pick<KeyedOperation, 'action' | 'idempotencyKey' | 'input'> & { store(): Promise<Operation> },
  ): Promise<Operation> {
    const { id } = await this.parts.idempotency.run<{ id: OperationId }>(caller, {
      connectionId: connection.id,
      action: call.action,
      key: call.idempotencyKey,
      input: call.input,
      ...kept,
      inTurn: (run) => run(),
      work: async (run) => {
        const begun = run.progress as OperationId | undefined;
        if (begun && (await this.find(caller, begun))) return { id: begun };
        const operation = await call.store();
        await run.saveProgress(operation.id);
        await this.accept(operation);
        return { id: operation.id };
      },
    });
    return this.get(caller, id);
  }

  private draftOf(caller: Caller, connection: Connection, input: NewOperation): Operation {
    const now = new Date(this.parts.clock.now());
    return {
      id: newId<OperationId>('opr'),
      tenantId: caller.tenant.id,
      connectionId: connection.id,
      apiKeyId: caller.apiKey.id,
      kind: input.kind,
      status: 'QUEUED',
      settings: input.settings ?? {},
      counts: noCounts,
      setbacks: 0,
      createdAt: now,
      updatedAt: now,
      version: 1,
    };
  }

  /** Stores an operation that nobody sees yet. */
  private async store(operation: Operation, input: NewOperation): Promise<Operation> {
    const total = await this.storeItems(operation, input);
    return { ...operation, counts: { ...noCounts, total, pending: total } };
  }

  /** Unless it was accepted. What cannot be removed now is swept. */
  private async discard(id: OperationId): Promise<void> {
    try {
      for (let rows = 1; rows > 0; ) {
        rows = await this.parts.database.transaction(({ operations }) =>
          operations.deleteUnaccepted(id, DISCARDED_AT_ONCE),
        );
      }
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
    }
  }

  private async accept(operation: Operation): Promise<void> {
    const { database, clock, dispatch } = this.parts;
    const dueAt = new Date(clock.now());
    const accepted = { ...operation, dueAt, updatedAt: dueAt };
    const isAccepted = await database.transaction(({ operations }) => operations.accept(accepted));
    if (!isAccepted) throw new NotFound('There is no such connection.', { path: ['input', 'connectionId'] });
    await dispatch.announce(operation.id, dueAt);
  }

  /** @returns how many. What was stored of an operation that is not accepted in the end is swept. */
  private async storeItems(operation: Operation, { items, mostItems, path }: NewOperation): Promise<number> {
    const { database } = this.parts;
    let portion: NewItem[] = [];
    let count = 0;
    let isBegun = false;
    const store = async () => {
      const stored = portion;
      portion = [];
      await database.transaction(async ({ operations }) => {
        if (!isBegun) await operations.insert(operation);
        await operations.insertItems(operation, stored);
      });
      isBegun = true;
    };
    for await (const work of items) {
      if (count >= mostItems) throw tooMany(mostItems, path);
      portion.push(newItem(count, work));
      count += 1;
      if (portion.length >= PORTION) await store();
    }
    if (portion.length > 0) await store();
    if (count === 0) throw new InvalidInput('There is nothing to do.', { path });
    return count;
  }

  /** @throws Forbidden, NotFound, and what `work` throws */
  private async change(
    caller: Caller,
    id: OperationId,
    work: (operation: Operation, store: OperationStore) => Promise<Operation>,
  ): Promise<Operation> {
    assertAllowed(caller, 'users:write');
    const { database, clock, dispatch } = this.parts;
    const { dueAt } = await database.transaction(async ({ operations }) => {
      const operation = await operations.lock(id);
      if (operation?.tenantId !== caller.tenant.id) throw unknownOperation();
      const changed = await work(operation, operations);
      if (changed === operation) return operation;
      const after = { ...changed, updatedAt: new Date(clock.now()) };
      await operations.update(after);
      return after;
    });
    if (dueAt) await dispatch.announce(id, dueAt);
    return this.get(caller, id);
  }

  /** Behind everything that was accepted meanwhile. */
  private async requeued(
    caller: Caller,
    { status }: Operation,
    store: OperationStore,
    operation: Operation,
  ): Promise<Operation> {
    const again: Operation = {
      ...operation,
      status: movedOperation(status, 'QUEUED'),
      apiKeyId: caller.apiKey.id,
      setbacks: 0,
      finishedAt: undefined,
      dueAt: new Date(this.parts.clock.now()),
    };
    await store.moveToEnd(again);
    return again;
  }

  private dueIfRunning({ counts }: Operation): Date | undefined {
    return counts.running > 0 ? new Date(this.parts.clock.now()) : undefined;
  }
}

const RECOVERED_AT_ONCE = 100;
const DISCARDED_AT_ONCE = 1_000;

const kept = {
  encode(outcome: Outcome<{ id: OperationId }>): string | undefined {
    return 'value' in outcome ? JSON.stringify(outcome.value) : undefined;
  },
  decode(stored: string): Outcome<{ id: OperationId }> {
    return { value: JSON.parse(stored) as { id: OperationId } };
  },
};

function moved({ counts }: Operation, from: 'FAILED' | 'SKIPPED', items: number): Pick<Operation, 'counts'> {
  return { counts: recounted(counts, from, 'PENDING', items) };
}

function unknownOperation(): NotFound {
  return new NotFound('There is no such operation.', { path: ['input', 'id'] });
}

function hasEnded(): Conflict {
  return new Conflict('The operation has ended.', { path: ['input', 'id'] });
}

function tooMany(most: number, path: readonly string[]): InvalidInput {
  return new InvalidInput(`One operation has at most ${most} items.`, {
    path,
    remedy: 'Split the list, or send it as a file to /operations/upload.',
  });
}
