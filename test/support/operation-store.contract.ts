import type { Connection } from '../../src/domain/connections/connection';
import type { ItemResult } from '../../src/domain/operation-ports';
import { noCounts, type Operation, type OperationId } from '../../src/domain/operations/operation';
import { type ItemWork, newItem } from '../../src/domain/operations/operation-item';
import type { Stores } from '../../src/domain/ports';
import { newId } from '../../src/shared/ids';
import type { SharedStorage } from './shared-storage';
import { anApiKey, later, someInstant, storeConnection } from './storage-records';

export function anOperation({ id, tenantId }: Connection, fields: Partial<Operation> = {}): Operation {
  return {
    id: newId<OperationId>('opr'),
    tenantId,
    connectionId: id,
    apiKeyId: anApiKey(tenantId).id,
    kind: 'PROVISION_USERS',
    status: 'QUEUED',
    settings: { ifExists: 'ADOPT' },
    counts: noCounts,
    setbacks: 0,
    createdAt: someInstant,
    updatedAt: someInstant,
    version: 1,
    ...fields,
  };
}

const provision = (email: string): ItemWork => ({ action: 'provisionUser', user: { email } });
const deprovision = (email: string): ItemWork => ({ action: 'deprovisionUser', user: { email } });

export function operationStoreContract(shared: SharedStorage): void {
  describe('operations', () => {
    const inTransaction = <T>(work: (stores: Stores) => Promise<T>) => shared.database.transaction(work);
    const claim = (id: OperationId, limit = 99, now = someInstant) =>
      inTransaction(({ operations }) => operations.claimItems(id, now, limit));
    const settle = (id: OperationId, ...results: ItemResult[]) =>
      inTransaction(({ operations }) => operations.settleItems({ id }, results));
    const indexes = (items: readonly { readonly index: number }[]) => items.map(({ index }) => index);
    const succeeded = (index: number): ItemResult => ({ index, status: 'SUCCEEDED', attempts: 1, outcome: 'CREATED' });

    async function store(connection: Connection, works: readonly ItemWork[], fields: Partial<Operation> = {}) {
      const operation = anOperation(connection, { dueAt: someInstant, ...fields });
      await inTransaction(async ({ operations }) => {
        await operations.insert(operation);
        await operations.insertItems(
          operation,
          works.map((work, index) => newItem(index, work)),
        );
      });
      await inTransaction(({ operations }) => operations.accept(operation));
      return operation;
    }

    it('keep every text as it is, but for half a character, in items, results and notes', async () => {
      const connection = await storeConnection(shared.database);
      const texts = ['"quoted" \\ \\u0041 \n', '\u{1F600} ä ß', "'; DROP TABLE operation_items; --", '\ud83d half'];
      const operation = await store(
        connection,
        texts.map((text) => ({ action: 'provisionUser', user: { email: text, displayName: text } })),
      );
      const stored = texts.with(3, '\ufffd half');
      const claimed = await claim(operation.id);
      expect(claimed.map(({ work }) => work)).toEqual(
        texts.map((text) => ({ action: 'provisionUser', user: { email: text, displayName: text } })),
      );
      await inTransaction(({ operations }) =>
        operations.saveProgress(
          operation.id,
          texts.map((progress, index) => ({ index, progress })),
        ),
      );
      await settle(
        operation.id,
        ...texts.map((text, index) => ({ ...succeeded(index), user: { slackId: `U${index}`, name: text } })),
      );
      const { items } = await shared.database.read(({ operations }) =>
        operations.listItems(operation.id, undefined, 9, undefined),
      );
      expect(items.map(({ subject, user }) => [subject, user?.name])).toEqual(
        stored.map((text) => [text.trim(), text]),
      );
    });

    it('are seen by nobody until they are accepted, and then as they were written', async () => {
      const connection = await storeConnection(shared.database);
      const operation = anOperation(connection, {
        counts: { ...noCounts, total: 2, pending: 2 },
        pause: { kind: 'CONNECTION', problem: { code: 'TOKEN_REVOKED', message: 'Gone.', retryable: false } },
        setbacks: 3,
        dueAt: later(5),
        startedAt: later(1),
        finishedAt: later(2),
      });
      const { tenantId } = connection;
      await inTransaction(({ operations }) => operations.insert(operation));
      const seen = () =>
        shared.database.read(async ({ operations }) => ({
          found: await operations.find(tenantId, operation.id),
          listed: (await operations.list(tenantId, {}, 9, undefined)).items,
        }));
      expect(await seen()).toEqual({ found: undefined, listed: [] });
      expect(await inTransaction(({ operations }) => operations.lock(operation.id))).toBeUndefined();

      expect(await inTransaction(({ operations }) => operations.accept(operation))).toBe(true);

      const stored = { ...operation, version: 2 };
      expect(await seen()).toEqual({ found: stored, listed: [stored] });
      const other = await storeConnection(shared.database);
      expect(
        await shared.database.read(({ operations }) => operations.find(other.tenantId, operation.id)),
      ).toBeUndefined();
    });

    it('are listed newest first, by connection and status, a page at a time', async () => {
      const connection = await storeConnection(shared.database);
      const [first, second, third] = [
        await store(connection, [], { createdAt: later(1), status: 'SUCCEEDED' }),
        await store(connection, [], { createdAt: later(2) }),
        await store(connection, [], { createdAt: later(3), status: 'SUCCEEDED' }),
      ];
      const list = (filter: object, count: number, after?: Operation) =>
        shared.database.read(({ operations }) => operations.list(connection.tenantId, filter, count, after));

      const page = await list({ connectionId: connection.id }, 2);
      expect(page.items.map(({ id }) => id)).toEqual([third.id, second.id]);
      expect(page).toMatchObject({ hasMore: true, totalCount: 3 });
      expect((await list({}, 2, second)).items.map(({ id }) => id)).toEqual([first.id]);
      expect((await list({ status: ['SUCCEEDED'] }, 9)).items.map(({ id }) => id)).toEqual([third.id, first.id]);
      expect((await list({ status: [] }, 9)).totalCount).toBe(0);
    });

    it('give their items out in order, each once, with what was noted of it', async () => {
      const connection = await storeConnection(shared.database);
      const startDate = new Date('2031-02-03T00:00:00.000Z');
      const works: ItemWork[] = [
        { action: 'provisionUser', user: { email: 'dated@example.com', startDate, guest: { expiresAt: startDate } } },
        ...['b', 'c', 'd'].map((name) => provision(`${name}@example.com`)),
      ];
      const { id } = await store(connection, works);

      expect(indexes(await claim(id, 3))).toEqual([0, 1, 2]);
      expect(indexes(await claim(id, 3))).toEqual([3]);
      expect(await claim(id, 3)).toEqual([]);
      const noted = await inTransaction(({ operations }) =>
        operations.saveProgress(id, [
          { index: 0, progress: 'creation-sent' },
          { index: 2, progress: 'nothing-sent' },
        ]),
      );
      expect(noted).toBe(2);
      expect(await inTransaction(({ operations }) => operations.moveItems(id, 'RUNNING', 'PENDING'))).toBe(4);
      const [again, plain] = await claim(id, 2);
      expect(again).toEqual({ index: 0, work: works[0], attempts: 0, progress: 'creation-sent' });
      expect(plain).toEqual({ index: 1, work: works[1], attempts: 0, progress: undefined });
    });

    it('keep what became of their items, and take nothing of one that nobody has under way', async () => {
      const connection = await storeConnection(shared.database);
      const { id } = await store(
        connection,
        ['a', 'b', 'c', 'd'].map((name) => provision(`${name}@example.com`)),
      );
      await claim(id, 3);
      const problem = {
        code: 'EMAIL_TAKEN',
        message: 'Taken.',
        path: ['input', 'users', '1', 'email'],
        retryable: false,
      };

      const settled = await settle(
        id,
        { ...succeeded(0), user: { slackId: 'U1', name: 'Ada' } },
        { index: 1, status: 'FAILED', attempts: 1, outcome: 'FAILED', problem },
        { index: 2, status: 'PENDING', attempts: 2, notBefore: later(500) },
        succeeded(3),
      );
      expect(settled).toBe(3);
      expect(await settle(id, { index: 0, status: 'FAILED', attempts: 9 })).toBe(0);

      const { items, totalCount } = await shared.database.read(({ operations }) =>
        operations.listItems(id, undefined, 9, undefined),
      );
      expect(totalCount).toBe(4);
      expect(items).toMatchObject([
        { index: 0, subject: 'a@example.com', status: 'SUCCEEDED', attempts: 1, user: { slackId: 'U1', name: 'Ada' } },
        { index: 1, status: 'FAILED', outcome: 'FAILED', problem },
        { index: 2, status: 'PENDING', attempts: 2 },
        { index: 3, status: 'PENDING', attempts: 0 },
      ]);
      const page = await shared.database.read(({ operations }) =>
        operations.listItems(id, ['PENDING', 'FAILED'], 1, 1),
      );
      expect({ ...page, items: indexes(page.items) }).toEqual({ items: [2], hasMore: true, totalCount: 3 });
      expect(await shared.database.read(({ operations }) => operations.countItems(id))).toEqual({
        ...{ total: 4, pending: 2, running: 0, succeeded: 1, failed: 1, skipped: 0, held: 0 },
      });
      expect(indexes(await claim(id, 9, later(499)))).toEqual([3]);
      expect(await shared.database.read(({ operations }) => operations.earliestPending(id))).toEqual(later(500));
      expect(indexes(await claim(id, 9, later(500)))).toEqual([2]);
    });

    it('let nobody overtake on one person, neither within an operation nor between several', async () => {
      const connection = await storeConnection(shared.database);
      const first = await store(connection, [
        provision('ada@example.com'),
        provision('bob@example.com'),
        deprovision('ADA@example.com '),
      ]);
      const second = await store(connection, [deprovision('ada@example.com'), deprovision('carl@example.com')]);
      const elsewhere = await store(await storeConnection(shared.database), [deprovision('ada@example.com')]);

      expect(indexes(await claim(second.id))).toEqual([1]);
      expect(indexes(await claim(elsewhere.id))).toEqual([0]);
      expect(indexes(await claim(first.id))).toEqual([0, 1]);
      await settle(first.id, { index: 0, status: 'PENDING', attempts: 1 });
      expect(await claim(second.id)).toEqual([]);
      expect(indexes(await claim(first.id))).toEqual([0]);
      await settle(first.id, succeeded(0));
      expect(indexes(await claim(first.id))).toEqual([2]);
      expect(await claim(second.id)).toEqual([]);
      await settle(first.id, { index: 2, status: 'FAILED', attempts: 1 });
      expect(indexes(await claim(second.id))).toEqual([0]);
    });

    it('give up their place when they are skipped, and get a new one behind the others when they are queued again', async () => {
      const connection = await storeConnection(shared.database);
      const first = await store(connection, [provision('eve@example.com')]);
      const second = await store(connection, [deprovision('eve@example.com')]);
      expect(await claim(second.id)).toEqual([]);
      expect(await inTransaction(({ operations }) => operations.moveItems(first.id, 'PENDING', 'SKIPPED'))).toBe(1);
      await inTransaction(async ({ operations }) => {
        expect(await operations.requeueItems(first, 'SKIPPED')).toBe(1);
        expect(await operations.moveToEnd(first)).toBe(true);
      });

      expect(await claim(first.id)).toEqual([]);
      expect(indexes(await claim(second.id))).toEqual([0]);
      await settle(second.id, succeeded(0));
      expect(indexes(await claim(first.id))).toEqual([0]);
    });

    it('say when they are due, and when the connection that they wait for can be used again', async () => {
      const connection = await storeConnection(shared.database, { status: 'REAUTHORIZATION_REQUIRED' });
      const soon = await store(connection, [], { dueAt: later(-2) });
      const late = await store(connection, [], { dueAt: later(60_000) });
      const farAway = await store(connection, [], { dueAt: later(90 * 60_000) });
      const paused = await store(connection, [], { dueAt: undefined, status: 'PAUSED', pause: { kind: 'CONNECTION' } });
      const asked = await store(connection, [], { dueAt: undefined, status: 'PAUSED', pause: { kind: 'REQUESTED' } });
      const all = [soon, late, farAway, paused, asked].map(({ id }) => id);
      const ours = (ids: readonly OperationId[]) => ids.filter((id) => all.includes(id));
      const due = async () =>
        ours(await shared.database.read(({ operations }) => operations.listDue(someInstant, 999)));
      const recovered = async () => ours(await shared.database.read(({ operations }) => operations.listRecovered(999)));

      // After a clock was put back, a time that lies hours ahead is none.
      expect(await due()).toEqual([soon.id, farAway.id]);
      expect(await recovered()).toEqual([]);
      await inTransaction(({ connections }) => connections.update({ ...connection, status: 'ACTIVE' }));
      expect(await recovered()).toEqual([paused.id]);
    });

    it('go with their items when they have been kept long enough, a portion at a time, or were never accepted', async () => {
      const connection = await storeConnection(shared.database);
      const works = ['a', 'b', 'c'].map((name) => provision(`${name}@old.example`));
      const old = await store(connection, works, { dueAt: undefined, finishedAt: later(-10_000) });
      const busy = await store(connection, works, { dueAt: someInstant, finishedAt: later(-10_000) });
      const young = await store(connection, works, { dueAt: undefined, finishedAt: later(0) });
      const half = anOperation(connection, { createdAt: later(-10_000) });
      await inTransaction(({ operations }) => operations.insert(half));
      const remove = async (before: Date) => {
        let rows = 1;
        while (rows > 0) rows = await inTransaction(({ operations }) => operations.deleteEndedBefore(before, 2));
        return inTransaction(({ operations }) => operations.deleteUnacceptedBefore(before, 2));
      };

      expect(await remove(later(-9_000))).toBe(1);

      const left = await shared.database.read(({ operations }) =>
        operations.list(connection.tenantId, {}, 9, undefined),
      );
      expect(left.items.map(({ id }) => id).sort()).toEqual([busy.id, young.id].sort());
      expect((await shared.database.read(({ operations }) => operations.countItems(old.id))).total).toBe(0);
    });

    it('are discarded with all that is theirs, a portion at a time, unless they were accepted', async () => {
      const connection = await storeConnection(shared.database);
      const items = ['a', 'b', 'c'].map((name, index) => newItem(index, provision(`${name}@vain.example`)));
      const [vain, twin] = [anOperation(connection), anOperation(connection)];
      const accepted = await store(connection, [provision('d@vain.example')]);
      await inTransaction(async ({ operations }) => {
        for (const draft of [vain, twin]) {
          await operations.insert(draft);
          await operations.insertItems(draft, items);
        }
      });
      const discard = (id: OperationId) => inTransaction(({ operations }) => operations.deleteUnaccepted(id, 2));

      const portions: number[] = [];
      while (portions.at(-1) !== 0) portions.push(await discard(vain.id));

      expect(portions).toEqual([2, 1, 2, 1, 1, 0]);
      expect(await discard(accepted.id)).toBe(0);
      const left = await shared.database.read(async ({ operations }) => [
        (await operations.countItems(vain.id)).total,
        (await operations.countItems(twin.id)).total,
        (await operations.countItems(accepted.id)).total,
      ]);
      expect(left).toEqual([0, 3, 1]);
    });

    it('go with their connection', async () => {
      const connection = await storeConnection(shared.database);
      const { id } = await store(connection, [provision('a@example.com')]);
      await inTransaction(({ connections }) => connections.delete(connection.tenantId, connection.id));
      expect(await inTransaction(({ operations }) => operations.lock(id))).toBeUndefined();
      expect((await shared.database.read(({ operations }) => operations.countItems(id))).total).toBe(0);
    });

    it('take in 10,000 items in a few seconds', async () => {
      const connection = await storeConnection(shared.database);
      const operation = anOperation(connection);
      await inTransaction(({ operations }) => operations.insert(operation));
      const startedAt = performance.now();
      for (let start = 0; start < 10_000; start += 250) {
        const items = Array.from({ length: 250 }, (_, place) =>
          newItem(start + place, provision(`p${start + place}@big.example`)),
        );
        await inTransaction(({ operations }) => operations.insertItems(operation, items));
      }
      await inTransaction(({ operations }) => operations.accept(operation));
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      const claimStartedAt = performance.now();
      expect(indexes(await claim(operation.id, 3))).toEqual([0, 1, 2]);
      expect(performance.now() - claimStartedAt).toBeLessThan(500);
    });
  });
}
