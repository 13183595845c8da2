import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { PostgresBudgetLedger } from '../../src/storage/rate-budget.store';
import { endedStatuses } from './bulk';
import { LiveSocket } from './live-socket';
import { LiveStream } from './live-stream';
import { MovedClock } from './moved-clock';
import { type Engine, newPeople, type OperationWorld, startOperationWorld } from './operation-world';
import { connectSandbox } from './operations';
import { calmDown, holdersOf } from './people';
import type { TestApp } from './start-app';

interface UploadAnswer {
  readonly status: number;
  readonly operation?: { readonly id: string; readonly counts: { readonly total: number } };
  readonly error?: { readonly code: string; readonly retryable: boolean; readonly problemPath?: readonly string[] };
}

const progress = 'subscription ($id: ID!) { operationProgress(id: $id) { status counts { succeeded } } }';

/** The edge of operations beside the mutations: files, keys for them, and streams; on every replica. */
export function operationEdgeContract(name: string, engine: Engine): void {
  describe(name, () => {
    let world: OperationWorld;
    let apps: readonly TestApp[];

    beforeAll(async () => {
      const clocks = Array.from({ length: engine === 'sqlite' ? 1 : 2 }, () => new MovedClock());
      const env = { ROLLCALL_SLACK_LIMITS: 'slack', ROLLCALL_CALL_TIMEOUT_MS: '60000' };
      world = await startOperationWorld({ engine, clocks, env });
      ({ apps } = world);
    });
    afterEach(() => calmDown(world.simulator));
    afterAll(() => world.stop());

    const app = (index: number) => apps[index % apps.length] ?? world.app;
    const uploadUrl = ({ url }: TestApp) =>
      `${url}/operations/upload?connectionId=${world.connectionId}&kind=PROVISION_USERS`;
    const headersOf = (key: string | undefined) => ({
      authorization: `Bearer ${world.key}`,
      'content-type': 'application/x-ndjson',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    });
    const fileOf = (people: readonly object[]) => people.map((row) => `${JSON.stringify(row)}\n`).join('');

    async function upload(to: TestApp, body: string, key?: string): Promise<UploadAnswer> {
      const response = await fetch(uploadUrl(to), { method: 'POST', headers: headersOf(key), body });
      const { operation, errors } = (await response.json()) as {
        operation?: UploadAnswer['operation'];
        errors?: { extensions: UploadAnswer['error'] }[];
      };
      return { status: response.status, operation, error: errors?.[0]?.extensions };
    }

    /** Sends the file and goes away without waiting for the answer. */
    function uploadAndLeave(to: TestApp, body: string, key: string): Promise<void> {
      return new Promise((resolve) => {
        const outgoing = request(uploadUrl(to), { method: 'POST', headers: headersOf(key), agent: false });
        outgoing.on('error', () => {});
        outgoing.end(body, () => {
          outgoing.destroy();
          resolve();
        });
      });
    }

    async function operationsOfAll(): Promise<number> {
      const query = 'query ($id: ID!) { connection(id: $id) { operations(first: 1) { totalCount } } }';
      const { data } = await world.app.call<{ connection: { operations: { totalCount: number } } }>(
        query,
        { id: world.connectionId },
        { key: world.key },
      );
      return data?.connection.operations.totalCount ?? -1;
    }

    const holders = (people: readonly { email: string }[]) =>
      people.map(({ email }) => holdersOf(world.simulator, email).length);

    it('begins one operation for one file under one key, at once and later, on every replica and after a restart (F7)', async () => {
      const key = randomUUID();
      const people = newPeople(5, 'upload');
      const file = fileOf(people);
      const before = await operationsOfAll();
      const answers = await Promise.all(
        Array.from({ length: 3 * apps.length }, (_, index) => upload(app(index), file, index % 2 ? key : `"${key}"`)),
      );
      const [first] = answers;
      const heard = answers.map(({ status, operation }) => [status, operation?.id]);
      expect(heard).toEqual(answers.map(() => [202, first?.operation?.id]));
      expect(first?.operation?.counts.total).toBe(5);

      const id = first?.operation?.id ?? '';
      expect(await world.ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { total: 5, succeeded: 5 } });
      await world.app.restart();
      for (const each of apps) expect((await upload(each, file, key)).operation?.id).toBe(id);
      expect(await operationsOfAll()).toBe(before + 1);
      expect(holders(people)).toEqual(people.map(() => 1));
    });

    it('answers the operation of a file whose answer was lost (F7)', async () => {
      const people = newPeople(3, 'lost');
      const before = await operationsOfAll();
      await uploadAndLeave(app(0), fileOf(people), 'lost');
      const again = await upload(app(1), fileOf(people), 'lost');

      expect(again.status).toBe(202);
      expect(await world.ended(again.operation?.id ?? '')).toMatchObject({ counts: { total: 3, succeeded: 3 } });
      expect(await operationsOfAll()).toBe(before + 1);
      expect(holders(people)).toEqual([1, 1, 1]);
    });

    it('refuses another file under the key, and the first is unharmed (F8)', async () => {
      const people = newPeople(2, 'conflict');
      const first = await upload(app(0), fileOf(people), 'conflict');
      const others = newPeople(3, 'conflicting');
      expect(await upload(app(1), fileOf(others), 'conflict')).toMatchObject({
        status: 422,
        error: { code: 'IDEMPOTENCY_CONFLICT', retryable: false, problemPath: ['idempotency-key'] },
      });
      expect((await upload(app(1), fileOf(people), 'conflict')).operation?.id).toBe(first.operation?.id);
      expect(await world.ended(first.operation?.id ?? '')).toMatchObject({ status: 'SUCCEEDED' });
      expect(holders(others)).toEqual([0, 0, 0]);

      const bad = await upload(app(0), fileOf(others), 'with a blank');
      expect(bad).toMatchObject({ status: 400, error: { code: 'INVALID_INPUT', problemPath: ['idempotency-key'] } });
      const [one, two] = [await upload(app(0), fileOf(people)), await upload(app(0), fileOf(people))];
      expect(one.operation?.id).not.toBe(two.operation?.id);
    });

    it('keeps nothing of a file that breaks off, and takes the whole file under the same key', async () => {
      const people = newPeople(300, 'broken');
      const before = await operationsOfAll();
      const broken = await upload(app(0), `${fileOf(people)}nonsense`, 'broken');
      expect(broken).toMatchObject({ status: 400, error: { code: 'INVALID_INPUT' } });
      expect(await operationsOfAll()).toBe(before);
      const rows = await world.query("SELECT count(*) AS count FROM operation_items WHERE subject LIKE 'broken.%'");
      expect(rows.map(({ count }) => Number(count))).toEqual([0]);
      expect((await upload(app(1), fileOf(people.slice(0, 2)), 'broken')).status).toBe(202);
    });

    it('tells of the same progress over WebSocket and server-sent events, whichever replica is at it', async () => {
      world.simulator.faults.add({ kind: 'latency', ms: 250, times: 'always' });
      const { id } = await world.begin('provisionUsers', { users: newPeople(12, 'followed') });
      const streams = await Promise.all(
        apps.map((each) => LiveStream.open(each.url, { key: world.key, query: progress, variables: { id } })),
      );
      const sockets = await Promise.all(apps.map((each) => LiveSocket.connect(each.url, world.key)));
      const followed = sockets.map((socket) => ({ socket, subscription: socket.subscribe(progress, { id }) }));

      const seen = await Promise.all([
        ...streams.map(async (stream) => {
          const states: unknown[] = [];
          for (let event = await stream.next(); event?.event === 'next'; event = await stream.next()) {
            states.push(event.answer?.data?.operationProgress);
          }
          return states;
        }),
        ...followed.map(async ({ socket, subscription }) => {
          const states: unknown[] = [];
          for (;;) {
            states.push((await socket.answer(subscription)).data?.operationProgress);
            if (endedStatuses.includes((states.at(-1) as { status: string }).status)) break;
          }
          await socket.take('complete', subscription);
          socket.socket.close();
          return states;
        }),
      ]);

      for (const states of seen as { status: string; counts: { succeeded: number } }[][]) {
        const succeeded = states.map(({ counts }) => counts.succeeded);
        expect(succeeded).toEqual([...succeeded].sort((left, right) => left - right));
        expect(states.at(-1)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: 12 } });
        expect(states.length).toBeGreaterThan(1);
      }
    });

    it('looks once at the rate budgets of a page of connections', async () => {
      await connectSandbox(world.app, 'enterprise-owner', { key: world.key });
      const looks = jest.spyOn(PostgresBudgetLedger.prototype, 'look');
      const query = '{ connections(first: 10) { nodes { id rateBudget { endpointClass remaining burst } } } }';
      const { data } = await world.app.call<{ connections: { nodes: { rateBudget: object[] }[] } }>(
        query,
        {},
        { key: world.key },
      );
      const nodes = data?.connections.nodes ?? [];

      expect(nodes).toHaveLength(2);
      expect(nodes.every(({ rateBudget }) => rateBudget.length === 10)).toBe(true);
      expect(looks).toHaveBeenCalledTimes(engine === 'sqlite' ? 0 : 1);
      looks.mockRestore();
    });
  });
}
