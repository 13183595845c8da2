import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tokenValue } from '../../src/simulator/world/token';
import { ServerProcess } from './server-process';

const repository = join(__dirname, '../..');

/** Milliseconds of each call, by what was called. */
export type Timings = Readonly<Record<ProbeName, readonly number[]>>;
export const probeNames = ['provisionUser', 'updateUser', 'connection', 'healthz'] as const;
export type ProbeName = (typeof probeNames)[number];

export interface Gauge {
  readonly bytes: number;
  readonly mostBytes: number;
  readonly loopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly cpuMs: number;
}

export interface OperationState {
  readonly status: string;
  readonly counts: { readonly total: number; readonly running: number; readonly succeeded: number };
}

export interface CompareRules {
  readonly rounds: number;
  readonly restMs: number;
  /** How often it changes between the two. */
  readonly blocks: number;
}

export interface Comparison {
  readonly idle: Timings;
  readonly busy: Timings;
  readonly grownBytes: number;
  /** The largest of the blocks. */
  readonly loopDelayP99Ms: number;
  /** People of the operation. */
  readonly perSecond: number;
}

interface SlackProcess {
  readonly url: string;
  readonly token: string;
  stop(): Promise<void>;
}

/**
 * Two tenants of a gateway, in processes as in production: the built gateway, and for each tenant a Slack of its own, so that
 * what one of them waits for is the gateway and not the other's Slack.
 */
export class SharedGateway {
  #count = 0;

  private constructor(
    private readonly server: ServerProcess,
    private readonly slacks: readonly SlackProcess[],
    private readonly directory: string,
    readonly busy: Tenant,
    readonly other: Tenant,
  ) {}

  /** @param databaseUrl of an empty PostgreSQL database; SQLite without it. */
  static async start({ limits, databaseUrl }: { limits: 'on' | 'off'; databaseUrl?: string }): Promise<SharedGateway> {
    const directory = await mkdtemp(join(tmpdir(), 'rollcall-isolation-'));
    await writeFile(join(directory, 'gauge'), '');
    const [live, gov] = await Promise.all([startSlack(limits), startSlack(limits)]);
    const server = await ServerProcess.start({
      directory,
      env: {
        NODE_OPTIONS: `--require=${join(__dirname, 'process-gauge.cjs')}`,
        GAUGE_FILE: join(directory, 'gauge'),
        ROLLCALL_SANDBOX: 'off',
        ROLLCALL_LOG_LEVEL: 'warn',
        ROLLCALL_SLACK_LIMITS: limits === 'on' ? 'slack' : 'off',
        ROLLCALL_SLACK_WEB_URL: live.url,
        ROLLCALL_SLACK_SCIM_URL: live.url,
        ROLLCALL_SLACK_GOV_WEB_URL: gov.url,
        ROLLCALL_SLACK_GOV_SCIM_URL: gov.url,
        ...(databaseUrl && { DATABASE_URL: databaseUrl, ROLLCALL_SEALING_KEYS: randomBytes(32).toString('base64') }),
      },
    });
    const busy = await Tenant.create(server, { environment: 'LIVE', token: live.token });
    const other = await Tenant.create(server, { environment: 'GOV', token: gov.token });
    return new SharedGateway(server, [live, gov], directory, busy, other);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await Promise.all(this.slacks.map((slack) => slack.stop()));
    await rm(this.directory, { recursive: true, force: true });
  }

  /** What the gateway's process held, and how late it was, since the last reading. */
  async readGauge(): Promise<Gauge> {
    const lines = async () => (await readFile(join(this.directory, 'gauge'), 'utf8')).trimEnd().split('\n');
    const before = (await lines()).filter(Boolean).length;
    this.server.kill('SIGUSR2');
    while ((await lines()).filter(Boolean).length <= before) await rest(5);
    return JSON.parse((await lines()).at(-1) ?? '');
  }

  /** The other tenant's calls, one after the other, with a rest after each round. */
  async probe(rounds: number, restMs: number): Promise<Timings> {
    const timings = noTimings();
    const timed = async (name: ProbeName, call: () => Promise<unknown>) => {
      const startedAt = performance.now();
      await call();
      timings[name].push(performance.now() - startedAt);
    };
    for (let round = 0; round < rounds; round += 1) {
      this.#count += 1;
      const email = `person-${this.#count}@other.example`;
      await timed('provisionUser', () => this.other.provision(email));
      await timed('updateUser', () => this.other.update(email));
      await timed('connection', () => this.other.readConnection());
      await timed('healthz', () => this.health());
      await rest(restMs);
    }
    return timings;
  }

  /**
   * Probes in turns while the operation of the busy tenant is paused and while it runs, so that a machine that slows down slows
   * both.
   * @param rounds of each.
   */
  async compare(id: string, { rounds, restMs, blocks }: CompareRules): Promise<Comparison> {
    const [idle, busy] = [noTimings(), noTimings()];
    let [done, busyMs, bytesBefore, mostBytes, longestLoopDelayMs] = [0, 0, 0, 0, 0];
    await this.busy.pause(id);
    for (let block = 0; block < blocks; block += 1) {
      await this.readGauge();
      add(idle, await this.probe(Math.ceil(rounds / blocks), restMs));
      bytesBefore ||= (await this.readGauge()).mostBytes;
      const before = await this.busy.resume(id);
      const startedAt = performance.now();
      add(busy, await this.probe(Math.ceil(rounds / blocks), restMs));
      busyMs += performance.now() - startedAt;
      const gauge = await this.readGauge();
      mostBytes = Math.max(mostBytes, gauge.mostBytes);
      longestLoopDelayMs = Math.max(longestLoopDelayMs, gauge.loopDelayMs.p99);
      done += (await this.busy.pause(id)).counts.succeeded - before.counts.succeeded;
    }
    return {
      idle,
      busy,
      grownBytes: mostBytes - bytesBefore,
      loopDelayP99Ms: longestLoopDelayMs,
      perSecond: (done * 1000) / busyMs,
    };
  }

  async health(): Promise<void> {
    const response = await fetch(`${this.server.url}/healthz`);
    await response.text();
    if (response.status !== 200) throw new Error(`/healthz answered ${response.status}`);
  }
}

/** One tenant with a connection. */
class Tenant {
  private constructor(
    private readonly server: ServerProcess,
    private readonly key: string,
    private readonly connectionId: string,
  ) {}

  static async create(server: ServerProcess, slack: { environment: string; token: string }): Promise<Tenant> {
    const made = await server.mutate('createTenant', 'CreateTenantInput', 'tenant { id }', { name: slack.environment });
    const { tenant } = made as { tenant: { id: string } };
    const keyInput = { name: 'Key', permissions: ['ADMIN'], tenantId: tenant.id };
    const issued = await server.mutate('createApiKey', 'CreateApiKeyInput', 'secret', keyInput);
    const { secret: key } = issued as { secret: string };
    const payload = await server.mutate(
      'createConnection',
      'CreateConnectionInput',
      'connection { id } problems { message }',
      { name: 'Slack', ...slack },
      key,
    );
    const { connection, problems } = payload as { connection: { id: string } | null; problems: object[] };
    if (!connection) throw new Error(`The tenant was not connected: ${JSON.stringify(problems)}`);
    return new Tenant(server, key, connection.id);
  }

  async provision(email: string): Promise<void> {
    await this.#person('provisionUser', 'ProvisionUserInput', { user: { email } });
  }

  async update(email: string): Promise<void> {
    const changes = { givenName: 'Ada', familyName: `Lovelace ${email}` };
    await this.#person('updateUser', 'UpdateUserInput', { user: { email }, changes });
  }

  async readConnection(): Promise<void> {
    const query =
      'query ($id: ID!) { connection(id: $id) { status issues { code } capabilities { action available } } }';
    const { data, text } = await this.server.query(query, { id: this.connectionId }, this.key);
    if (!data?.connection) throw new Error(`The connection was not read: ${text}`);
  }

  /** @returns the id of the operation. */
  async provisionMany(people: number): Promise<string> {
    const users = Array.from({ length: people }, (_, index) => ({ email: `person-${index}@busy.example` }));
    const payload = await this.server.mutate(
      'provisionUsers',
      'ProvisionUsersInput',
      'operation { id } problems { message }',
      { connectionId: this.connectionId, users },
      this.key,
    );
    const { operation, problems } = payload as { operation: { id: string } | null; problems: object[] };
    if (!operation) throw new Error(`The operation was not accepted: ${JSON.stringify(problems)}`);
    return operation.id;
  }

  async readOperation(id: string): Promise<OperationState> {
    const query = 'query ($id: ID!) { operation(id: $id) { status counts { total running succeeded } } }';
    const { data, text } = await this.server.query(query, { id }, this.key);
    if (!data?.operation) throw new Error(`The operation was not read: ${text}`);
    return data.operation as OperationState;
  }

  /** Resolves when nothing of it is under way any more. */
  async pause(id: string): Promise<OperationState> {
    await this.server.mutate('pauseOperation', 'OperationIdInput', 'problems { message }', { id }, this.key);
    for (;;) {
      const state = await this.readOperation(id);
      if (state.status !== 'RUNNING' && state.counts.running === 0) return state;
      await rest(20);
    }
  }

  /** Resolves when it is well under way again. */
  async resume(id: string): Promise<OperationState> {
    const before = await this.readOperation(id);
    await this.server.mutate('resumeOperation', 'OperationIdInput', 'problems { message }', { id }, this.key);
    for (;;) {
      const state = await this.readOperation(id);
      if (state.counts.succeeded > before.counts.succeeded + 10 || state.status === 'COMPLETED') return state;
      await rest(20);
    }
  }

  async #person(name: string, inputType: string, input: object): Promise<void> {
    const given = { connectionId: this.connectionId, ...input };
    const payload = await this.server.mutate(name, inputType, 'outcome problems { code message }', given, this.key);
    const { outcome, problems } = payload as { outcome: string; problems: object[] };
    if (problems.length > 0) throw new Error(`${name} ended ${outcome}: ${JSON.stringify(problems)}`);
  }
}

/** @param share such as 0.95. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function startSlack(limits: 'on' | 'off'): Promise<SlackProcess> {
  const seed = randomBytes(24).toString('base64url');
  const child = spawn(process.execPath, ['dist/src/simulator/main.js'], {
    cwd: repository,
    env: { PATH: process.env.PATH, SIMULATOR_SEED: seed, SIMULATOR_PORT: '0', SIMULATOR_LIMITS: limits },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`The simulator did not start: ${said}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const [, address] = /^Slack simulator: (\S+)$/m.exec(said) ?? [];
      if (address !== undefined) resolve(address);
    });
  });
  return {
    url,
    token: tokenValue(seed, 'business-admin'),
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function noTimings(): Record<ProbeName, number[]> {
  return { provisionUser: [], updateUser: [], connection: [], healthz: [] };
}

function add(sum: Record<ProbeName, number[]>, more: Timings): void {
  for (const name of probeNames) sum[name].push(...more[name]);
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
