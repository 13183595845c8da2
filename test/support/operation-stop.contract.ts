import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Simulator, startSimulator } from '../../src/simulator/simulator';
import type { CountsAnswer } from './bulk';
import { type Engine, newPeople } from './operation-world';
import { peopleOf } from './people';
import { createPostgresDatabase, type PostgresTestDatabase } from './postgres';
import { ServerProcess } from './server-process';

const PEOPLE = 60;
const GRACE_MS = 5_000;

interface OperationState {
  readonly status: string;
  readonly counts: CountsAnswer;
}

/** F27: the built gateway is told to stop in the middle of an operation, and another process goes on with it. */
export function operationStopContract(name: string, engine: Engine): void {
  describe(name, () => {
    let simulator: Simulator;
    let directory: string;
    let database: PostgresTestDatabase | undefined;
    let server: ServerProcess;
    let key: string;

    beforeAll(async () => {
      simulator = await startSimulator({ seed: 'stopping', switches: { limitsEnabled: false } });
      directory = await mkdtemp(join(tmpdir(), 'rollcall-stop-'));
      database = engine === 'postgres' ? await createPostgresDatabase() : undefined;
      server = await start();
      key = server.adminKey;
    });
    afterAll(async () => {
      server.kill('SIGKILL');
      await server.ended;
      await simulator.stop();
      await database?.drop();
      await rm(directory, { recursive: true, force: true });
    });

    function start(): Promise<ServerProcess> {
      const shared: Record<string, string> = database
        ? { DATABASE_URL: database.url, ROLLCALL_SEALING_KEYS: Buffer.alloc(32, 7).toString('base64') }
        : {};
      const env = {
        ROLLCALL_SANDBOX: 'off',
        ROLLCALL_SLACK_WEB_URL: simulator.url,
        ROLLCALL_SLACK_SCIM_URL: simulator.url,
        ROLLCALL_SLACK_LIMITS: 'off',
        ROLLCALL_DRAIN_TIMEOUT_MS: String(GRACE_MS),
        ...shared,
      };
      return ServerProcess.start({ directory, env });
    }

    async function begin(): Promise<string> {
      const token = simulator.tokens['business-admin'];
      const input = { name: 'Acme', environment: 'LIVE', token };
      const connected = await server.mutate(
        'createConnection',
        'CreateConnectionInput',
        'connection { id }',
        input,
        key,
      );
      const { id: connectionId } = (connected as { connection: { id: string } }).connection;
      const users = newPeople(PEOPLE, 'stop');
      const work = { connectionId, users };
      const begun = await server.mutate('provisionUsers', 'ProvisionUsersInput', 'operation { id }', work, key);
      return (begun as { operation: { id: string } }).operation.id;
    }

    async function untilOperation(id: string, holds: (state: OperationState) => boolean): Promise<OperationState> {
      const query = `query ($id: ID!) { operation(id: $id) { status
        counts { total pending running succeeded failed skipped held } } }`;
      for (;;) {
        const { data } = await server.query(query, { id }, key);
        const state = data?.operation as OperationState;
        if (holds(state)) return state;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }

    const made = () => peopleOf(simulator).filter(({ primaryEmail }) => primaryEmail?.endsWith('@stop.example'));

    it('hands back what cannot end within the grace, ends with 0, and nobody is made twice by the next process', async () => {
      simulator.switches.writeTimeMs = 80;
      const id = await begin();
      await untilOperation(id, ({ counts }) => counts.succeeded >= 5);
      // One is made, and its answer takes longer than the process may.
      simulator.faults.add({ kind: 'hangAfter', match: { method: 'POST', path: '/Users' } });
      while (!simulator.requests.some(({ fault }) => fault === 'hangAfter')) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const startedAt = performance.now();
      server.kill('SIGTERM');
      await server.prints('stderr', /"stopping"/);
      expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
      expect(await server.ended).toBe(0);
      expect(performance.now() - startedAt).toBeLessThan(GRACE_MS + 3_000);
      const before = made().length;
      expect(before).toBeLessThan(PEOPLE);

      simulator.switches.writeTimeMs = 0;
      server = await start();
      const { status, counts } = await untilOperation(id, (state) => state.status === 'SUCCEEDED');
      expect({ status, ...counts }).toEqual({
        ...{ status: 'SUCCEEDED', total: PEOPLE, succeeded: PEOPLE },
        ...{ pending: 0, running: 0, failed: 0, skipped: 0, held: 0 },
      });
      expect(made()).toHaveLength(PEOPLE);
      const applied = simulator.requests.filter(({ method, isApplied }) => method === 'POST' && isApplied);
      expect(applied).toHaveLength(PEOPLE);
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
      expect(await server.stop()).toBe(0);
    });
  });
}
