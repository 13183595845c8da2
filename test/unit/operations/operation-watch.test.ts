import type { ApiKeyId, Caller, TenantId } from '../../../src/domain/access/access';
import type { Watcher } from '../../../src/domain/connections/connection-changes';
import type { SlackDirectory } from '../../../src/domain/directory-ports';
import { Forbidden, NotFound, StorageUnavailable, Unauthenticated } from '../../../src/domain/errors';
import type { Operation, OperationId } from '../../../src/domain/operations/operation';
import { OperationLooks } from '../../../src/domain/operations/operation-looks';
import { OperationQueryService } from '../../../src/domain/operations/operation-query.service';
import { OperationWatchService } from '../../../src/domain/operations/operation-watch.service';
import type { Database, Stores } from '../../../src/domain/ports';
import { FakeClock } from '../../support/fake-clock';

const tenantId = 'ten_1' as TenantId;
const id = 'opr_1' as OperationId;

/** One operation in a database whose reads are counted. */
function rig() {
  const clock = new FakeClock();
  const state = { operation: undefined as Operation | undefined, reads: 0, failure: undefined as Error | undefined };
  const stores = {
    operations: {
      find: async (of: TenantId) => (of === tenantId ? state.operation : undefined),
    },
  } as unknown as Stores;
  const database = {
    async read(work: (given: Stores) => Promise<unknown>) {
      state.reads += 1;
      if (state.failure) throw state.failure;
      return work(stores);
    },
  } as unknown as Database;
  const queries = new OperationQueryService(database, {} as SlackDirectory, clock);
  const watches = new OperationWatchService(queries, new OperationLooks(database, clock));
  const set = (version: number, fields: Partial<Operation> = {}) => {
    const counts = { running: 1 } as Operation['counts'];
    state.operation = { id, tenantId, status: 'RUNNING', counts, version, ...fields } as Operation;
  };
  set(1);
  return { clock, state, watches, set };
}

function watcher(permissions: Caller['apiKey']['permissions'] = ['users:read'], tenant = tenantId) {
  const ending = new AbortController();
  const state = { failure: undefined as Error | undefined };
  const apiKey = { id: 'key_1' as ApiKeyId, tenantId: tenant, name: 'Some', permissions, createdAt: new Date(0) };
  const caller = { tenant: { id: tenant }, apiKey } as unknown as Caller;
  const watching: Watcher = {
    async caller() {
      if (state.failure) throw state.failure;
      return caller;
    },
    ended: ending.signal,
  };
  return { watching, state, end: (reason?: unknown) => ending.abort(reason) };
}

const versionOf = async (next: Promise<IteratorResult<Operation, undefined>>) => (await next).value?.version;

describe('operations that are followed', () => {
  it('are looked at once a second for all who follow, and by nobody once all have left', async () => {
    const { clock, state, watches, set } = rig();
    const streams = await Promise.all(Array.from({ length: 50 }, () => watches.watch(watcher().watching, id)));
    expect(await Promise.all(streams.map((stream) => versionOf(stream.next())))).toEqual(streams.map(() => 1));
    state.reads = 0;

    for (let second = 1; second <= 5; second += 1) {
      set(second + 1);
      const nexts = streams.map((stream) => versionOf(stream.next()));
      await clock.advance(1_000);
      expect(await Promise.all(nexts)).toEqual(streams.map(() => second + 1));
    }
    expect(state.reads).toBe(5);

    await Promise.all(streams.map((stream) => stream.return?.()));
    expect(clock.sleeperCount).toBe(0);
    await clock.advance(5_000);
    expect(state.reads).toBe(5);
  });

  it('give a slow reader the latest state, and whoever comes later the state that there is', async () => {
    const { clock, watches, set } = rig();
    const slow = await watches.watch(watcher().watching, id);
    for (let version = 2; version <= 4; version += 1) {
      set(version);
      await clock.advance(1_000);
    }
    expect(await versionOf(slow.next())).toBe(4);

    set(5);
    const late = await watches.watch(watcher().watching, id);
    expect(await versionOf(late.next())).toBe(5);
    const next = versionOf(late.next());
    await clock.advance(1_000);
    set(6);
    await clock.advance(1_000);
    expect(await next).toBe(6);
    await Promise.all([slow.return?.(), late.return?.()]);
  });

  it('are over with their last state, also for whoever comes after it', async () => {
    const { clock, watches, set } = rig();
    const stream = await watches.watch(watcher().watching, id);
    await stream.next();
    set(2, { status: 'CANCELED' });
    const canceled = versionOf(stream.next());
    await clock.advance(1_000);
    expect(await canceled).toBe(2);
    set(3, { status: 'CANCELED', counts: { running: 0 } as Operation['counts'] });
    const last = versionOf(stream.next());
    await clock.advance(1_000);
    expect(await last).toBe(3);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(clock.sleeperCount).toBe(0);

    const after = await watches.watch(watcher().watching, id);
    expect(await versionOf(after.next())).toBe(3);
    expect((await after.next()).done).toBe(true);
    expect(clock.sleeperCount).toBe(0);
  });

  it('are over when they are gone', async () => {
    const { clock, state, watches } = rig();
    const stream = await watches.watch(watcher().watching, id);
    await stream.next();
    state.operation = undefined;
    const next = stream.next();
    await clock.advance(1_000);
    expect((await next).done).toBe(true);
  });

  it('are followed on when the database was away', async () => {
    const { clock, state, watches, set } = rig();
    const stream = await watches.watch(watcher().watching, id);
    await stream.next();
    const next = versionOf(stream.next());
    state.failure = new StorageUnavailable('The database does not answer.');
    await clock.advance(3_000);
    state.failure = undefined;
    set(2);
    await clock.advance(1_000);
    expect(await next).toBe(2);

    state.failure = new Error('A defect');
    const broken = stream.next();
    const met = expect(broken).rejects.toThrow('A defect');
    await clock.advance(1_000);
    await met;
    expect(clock.sleeperCount).toBe(0);
  });

  it('show nothing to a key that is refused meanwhile, nor to one that may not read people', async () => {
    const { clock, watches, set } = rig();
    const { watching, state } = watcher();
    const stream = await watches.watch(watching, id);
    await stream.next();
    state.failure = new Unauthenticated('Revoked.');
    set(2);
    const next = expect(stream.next()).rejects.toThrow(Unauthenticated);
    await clock.advance(1_000);
    await next;
    expect(clock.sleeperCount).toBe(0);

    await expect(watches.watch(watcher(['connections:read']).watching, id)).rejects.toThrow(Forbidden);
    await expect(watches.watch(watcher(['users:read'], 'ten_2' as TenantId).watching, id)).rejects.toThrow(NotFound);
    expect(clock.sleeperCount).toBe(0);
  });

  it.each([
    ['with an error of ours', new Unauthenticated('The key ended.'), true],
    ['quietly', 'gone', false],
  ])('are over at once when the watch ends %s', async (_, reason, isMet) => {
    const { clock, watches } = rig();
    const { watching, end } = watcher();
    const stream = await watches.watch(watching, id);
    await stream.next();
    const next = stream.next();
    end(reason);
    if (isMet) await expect(next).rejects.toBe(reason);
    else expect((await next).done).toBe(true);
    expect(clock.sleeperCount).toBe(0);
  });
});
