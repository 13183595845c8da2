import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../src/shared/clock';
import type { MovableClock } from '../../src/simulator/clock';
import { type Simulator, startSimulator } from '../../src/simulator/simulator';
import type { Person } from '../../src/simulator/world/person';
import { type OperationAnswer, startOperation, untilOperation } from './bulk';
import { FastClock } from './fast-clock';
import { connectSandbox } from './operations';
import { seededPerson } from './people';
import { createPostgresDatabase, queryPostgres } from './postgres';
import { querySqlite } from './sqlite-file';
import { startTestApp, type TestApp } from './start-app';

export type Engine = 'sqlite' | 'postgres';
export type Row = Readonly<Record<string, unknown>>;

/** Gateways on one database, with one Slack and one connection, for tests of operations that meet a fault. */
export interface OperationWorld {
  readonly simulator: Simulator;
  /** Of the simulator and of the first gateway. */
  readonly clock: Clock & MovableClock;
  /** On SQLite there is one. */
  readonly apps: readonly TestApp[];
  /** The first of them. */
  readonly app: TestApp;
  readonly key: string;
  /** Of the workspace. */
  readonly connectionId: string;
  /** Past the gateway, on a connection of its own. */
  query(sql: string): Promise<Row[]>;
  begin(name: string, input: object, app?: TestApp): Promise<OperationAnswer>;
  /** Until it has ended, or is as `holds` says. */
  ended(id: string, holds?: (operation: OperationAnswer) => boolean, app?: TestApp): Promise<OperationAnswer>;
  stop(): Promise<void>;
}

export interface OperationWorldOptions {
  readonly engine: Engine;
  readonly env?: Record<string, string>;
  /** One for each gateway; the first is the simulator's, too, unless that has one of its own. */
  readonly clocks?: readonly (Clock & MovableClock)[];
  /** Of the simulator, when the gateway's is to jump. */
  readonly slackClock?: Clock & MovableClock;
  /** In place of a new database on the server of this run. */
  readonly databaseUrl?: string;
}

const SEALING_KEY = Buffer.alloc(32, 7).toString('base64');

export async function startOperationWorld(options: OperationWorldOptions): Promise<OperationWorld> {
  const [clock = new FastClock(50), ...otherClocks] = options.clocks ?? [];
  const { slackClock = clock } = options;
  const simulator = await startSimulator({ seed: 'faults', clock: slackClock, switches: { limitsEnabled: false } });
  const database = await openDatabase(options);
  const env = {
    ROLLCALL_SLACK_TIMEOUT_MS: '500',
    ROLLCALL_CALL_TIMEOUT_MS: '300000',
    ...database.env,
    ...options.env,
  };
  const app = await startTestApp({ simulator, clock, env });
  const apps = [app];
  for (const other of otherClocks) apps.push(await startTestApp({ simulator, clock: other, env }));
  const key = app.adminKey;
  const { id: connectionId } = await connectSandbox(app);
  const query = (sql: string) => (database.url ? queryPostgres(database.url, sql) : querySqlite(app, sql));
  return {
    ...{ simulator, clock, apps, app, key, connectionId, query },
    begin: (name, input, on = app) => startOperation(on, name, { connectionId, ...input }, { key }),
    ended: (id, holds, on = app) => untilOperation(on, id, holds, { key }),
    async stop() {
      // What stands in the tables is looked through for secrets together with the files.
      if (database.url) await writeFile(join(app.directory, 'tables.json'), await dumpOf(query));
      for (const each of apps) await each.stop();
      await simulator.stop();
      await database.drop();
    },
  };
}

interface OpenedDatabase {
  readonly url: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  drop(): Promise<void>;
}

async function openDatabase({ engine, databaseUrl }: OperationWorldOptions): Promise<OpenedDatabase> {
  if (engine === 'sqlite') return { url: undefined, env: {}, drop: async () => {} };
  const { url, drop } = databaseUrl ? { url: databaseUrl, drop: async () => {} } : await createPostgresDatabase();
  return { url, env: { DATABASE_URL: url, ROLLCALL_SEALING_KEYS: SEALING_KEY }, drop };
}

/** People to be made, whose names in Slack nobody else has, so that each takes one look and one creation. */
export function newPeople(count: number, tag: string): { email: string }[] {
  return Array.from({ length: count }, (_, index) => ({ email: `${tag}.${index}@${tag}.example` }));
}

/** Active people of the workspace who were there before, without a call for each. */
export function addPeople({ simulator }: Pick<OperationWorld, 'simulator'>, count: number, domain: string): Person[] {
  const organization = simulator.world.organization('business');
  const model = seededPerson(simulator, 'edsger.dijkstra');
  const before = organization.people.size;
  return Array.from({ length: count }, (_, index) => {
    const person = {
      ...model,
      id: `U1${String(before + index).padStart(9, '0')}`,
      userName: `p${index}.${before}`,
      primaryEmail: `p${index}@${domain}`,
    };
    organization.addPerson(person);
    return person;
  });
}

/** Every row of every table, as text. */
async function dumpOf(query: OperationWorld['query']): Promise<string> {
  const tables = await query(
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ('public', 'pgboss')",
  );
  const rows = tables.map(({ name }) => `SELECT t::text AS text FROM ${name} t`);
  const texts = (await query(rows.join(' UNION ALL '))).map(({ text }) => String(text));
  return texts.join('\n');
}
