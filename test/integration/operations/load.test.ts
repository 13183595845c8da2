import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import type { CountsAnswer } from '../../support/bulk';
import { newPeople } from '../../support/operation-world';
import { peopleOf } from '../../support/people';
import { createPostgresDatabase, type PostgresTestDatabase } from '../../support/postgres';
import { ServerProcess } from '../../support/server-process';

/** F19 of the fault table in full: ROLLCALL_CRASH_ITEMS=10000, which takes some minutes and holds the process to time and memory. */
const PEOPLE = Number(process.env.ROLLCALL_CRASH_ITEMS ?? 150);
const IS_FULL = PEOPLE >= 10_000;
const KILLS = IS_FULL ? 3 : 1;
const ENGINES = IS_FULL ? (['sqlite', 'postgres'] as const) : (['sqlite'] as const);
const MEGABYTE = 1024 * 1024;

interface Gauge {
  readonly bytes: number;
  readonly mostBytes: number;
  readonly loopDelayMs: { readonly p99: number };
}

describe.each(ENGINES)('a large operation of the built gateway, which is killed now and then, on %s', (engine) => {
  let simulator: Simulator;
  let directory: string;
  let database: PostgresTestDatabase | undefined;
  let server: ServerProcess;
  let key: string;

  beforeAll(async () => {
    simulator = await startSimulator({ seed: 'load', switches: { limitsEnabled: false } });
    directory = await mkdtemp(join(tmpdir(), 'rollcall-load-'));
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
    const sealing = { ROLLCALL_SEALING_KEYS: Buffer.alloc(32, 7).toString('base64') };
    const shared: Record<string, string> = database ? { DATABASE_URL: database.url, ...sealing } : {};
    const env = {
      ROLLCALL_SANDBOX: 'off',
      ROLLCALL_SLACK_WEB_URL: simulator.url,
      ROLLCALL_SLACK_SCIM_URL: simulator.url,
      ROLLCALL_SLACK_LIMITS: 'off',
      ROLLCALL_LOG_LEVEL: 'warn',
      NODE_OPTIONS: `--require ${join(__dirname, '../../support/process-gauge.cjs')}`,
      GAUGE_FILE: gaugeFile(),
      ...shared,
    };
    return ServerProcess.start({ directory, env });
  }

  function gaugeFile(): string {
    return join(directory, 'gauge.jsonl');
  }

  async function gaugesSoFar(): Promise<Gauge[]> {
    const text = await readFile(gaugeFile(), 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Gauge);
  }

  /** What the process held, and how late its event loop was, since it was last asked. */
  async function readGauge(): Promise<Gauge> {
    const before = await gaugesSoFar();
    server.kill('SIGUSR2');
    for (;;) {
      const gauge = (await gaugesSoFar())[before.length];
      if (gauge) return gauge;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async function connect(): Promise<string> {
    const input = { name: 'Acme', environment: 'LIVE', token: simulator.tokens['business-admin'] };
    const payload = await server.mutate('createConnection', 'CreateConnectionInput', 'connection { id }', input, key);
    return (payload as { connection: { id: string } }).connection.id;
  }

  async function countsUntil(id: string, holds: (counts: CountsAnswer, status: string) => boolean) {
    const query = `query ($id: ID!) { operation(id: $id) { status
      counts { total pending running succeeded failed skipped held } } }`;
    for (;;) {
      const { data } = await server.query(query, { id }, key);
      const operation = data?.operation as { status: string; counts: CountsAnswer } | undefined;
      if (operation && holds(operation.counts, operation.status)) return operation.counts;
      await new Promise((resolve) => setTimeout(resolve, IS_FULL ? 500 : 50));
    }
  }

  it(
    `gives ${PEOPLE} people their accounts once, in bounds of time and memory (F19)`,
    async () => {
      const connectionId = await connect();
      const { bytes: atRest } = await readGauge();
      const users = newPeople(PEOPLE, 'load');
      const startedAt = performance.now();
      const begun = await server.mutate(
        'provisionUsers',
        'ProvisionUsersInput',
        'operation { id }',
        { connectionId, users },
        key,
      );
      const acceptedMs = performance.now() - startedAt;
      const { id } = (begun as { operation: { id: string } }).operation;
      // Each from the acceptance or a start to the next kill: of some tenths of a second the slowest moment would be the p99.
      const gauges: Gauge[] = [];
      for (let kill = 1; kill <= KILLS; kill += 1) {
        await countsUntil(id, ({ succeeded }) => succeeded >= (PEOPLE * kill) / (KILLS + 1));
        gauges.push(await readGauge());
        server.kill('SIGKILL');
        await server.ended;
        server = await start();
      }
      const counts = await countsUntil(id, (_, status) => status === 'SUCCEEDED');
      gauges.push(await readGauge());

      expect(counts).toEqual({
        ...{ total: PEOPLE, succeeded: PEOPLE },
        ...{ pending: 0, running: 0, failed: 0, skipped: 0, held: 0 },
      });
      const made = peopleOf(simulator).filter(({ primaryEmail }) => primaryEmail?.endsWith('@load.example'));
      expect(made).toHaveLength(PEOPLE);
      expect(new Set(made.map(({ primaryEmail }) => primaryEmail)).size).toBe(PEOPLE);
      const grownBytes = Math.max(...gauges.map(({ mostBytes }) => mostBytes)) - atRest;
      const loopDelayMs = Math.max(...gauges.map(({ loopDelayMs: { p99 } }) => p99));
      if (!IS_FULL) return;
      const measured = {
        engine,
        acceptedMs,
        grownMb: grownBytes / MEGABYTE,
        loopDelayMs,
        seconds: (performance.now() - startedAt) / 1_000,
      };
      process.stdout.write(`${JSON.stringify(measured)}\n`);
      expect(acceptedMs).toBeLessThan(5_000);
      expect(grownBytes).toBeLessThan(150 * MEGABYTE);
      expect(loopDelayMs).toBeLessThan(200);
    },
    60_000 + PEOPLE * 100,
  );
});
