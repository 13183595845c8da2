import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { isMovable, OffsetClock, type SimulatorClock } from './clock';
import { FaultList } from './faults/fault';
import { RequestLog, type RequestRecord } from './request-log';
import { RateLimiter } from './scim/rate-limit';
import type { SlackContext } from './scim/scim-request';
import { WriteLocks } from './scim/write-lock';
import { buildServer } from './server';
import { defaultSwitches, type Switches } from './switches';
import { seedWorld } from './world/seed';
import { type Snapshot, snapshotOf } from './world/snapshot';
import { StateFile } from './world/state-file';
import { type TokenName, TokenRegistry, tokenNames, tokenValue } from './world/token';
import type { World } from './world/world';

export interface SimulatorOptions {
  /** Everything random comes from it, the tokens above all: keep it as secret as the sandbox needs to be. */
  readonly seed: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default: real time, movable over the control route. */
  readonly clock?: SimulatorClock;
  readonly switches?: Partial<Switches>;
  /** Keeps people and groups over restarts. */
  readonly stateFile?: string;
  readonly logger?: { warn(message: string): void };
}

/** A running simulator. Web API at `url` + `/api/…`, SCIM at `url` + `/scim/v2/…`, control at `url` + `/_simulator/…`. */
export interface Simulator {
  readonly url: string;
  readonly tokens: Readonly<Record<TokenName, string>>;
  /** Another object after `reset`. */
  readonly world: World;
  /** May be changed at any time. */
  readonly switches: Switches;
  readonly faults: FaultList;
  /** The last 10,000 calls, oldest first. */
  readonly requests: readonly RequestRecord[];
  readonly clock: SimulatorClock;
  /** People, groups and the standing of tokens as JSON, without token values. */
  snapshot(): Snapshot;
  /** World, faults, switches, log and buckets back to the seed. The clock keeps its time. */
  reset(): void;
  /** Ends hanging calls, lets the others finish for a moment, and closes every connection. */
  stop(): Promise<void>;
}

/** Longest wait for answers that are on their way when the simulator stops. */
const drainMs = 1000;

/** @throws Error when the address cannot be listened on. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const clock = options.clock ?? new OffsetClock();
  const stateFile = options.stateFile === undefined ? null : new StateFile(options.stateFile, warner(options));
  const world = (await stateFile?.read(options.seed)) ?? seedWorld(options.seed, clock.now());
  const simulator = new RunningSimulator(options, clock, world, stateFile);
  await simulator.listen(options.host ?? '127.0.0.1', options.port ?? 0);
  return simulator;
}

function warner({ logger }: SimulatorOptions): (message: string) => void {
  return (message) => logger?.warn(message);
}

class RunningSimulator implements Simulator {
  readonly tokens: Readonly<Record<TokenName, string>>;
  readonly switches: Switches;
  readonly faults = new FaultList();
  readonly clock: SimulatorClock;
  readonly #options: SimulatorOptions;
  readonly #stateFile: StateFile | null;
  readonly #log = new RequestLog();
  readonly #limits: RateLimiter;
  readonly #stopping = new AbortController();
  readonly #unanswered = new Set<ServerResponse>();
  readonly #server: FastifyInstance;
  #world: World;
  #url = '';

  constructor(options: SimulatorOptions, clock: SimulatorClock, world: World, stateFile: StateFile | null) {
    this.#options = options;
    this.clock = clock;
    this.#world = world;
    this.#stateFile = stateFile;
    this.#limits = new RateLimiter(clock);
    this.switches = { ...defaultSwitches, ...options.switches };
    const values = tokenNames.map((name) => [name, tokenValue(options.seed, name)]);
    this.tokens = Object.freeze(Object.fromEntries(values) as Record<TokenName, string>);
    const context = this.#context();
    this.#server = buildServer({
      context,
      faults: this.faults,
      log: this.#log,
      controlled: {
        simulator: this,
        buckets: () => this.#limits.inspect(),
        locks: () => context.locks.held(),
        advance: (ms) => this.#advance(ms),
        onChange: () => this.#onChange(),
      },
      unanswered: this.#unanswered,
      onChange: () => this.#onChange(),
    });
  }

  get url(): string {
    return this.#url;
  }

  get world(): World {
    return this.#world;
  }

  get requests(): readonly RequestRecord[] {
    return this.#log.records;
  }

  async listen(host: string, port: number): Promise<void> {
    // Fastify names one concrete address when it listens on all of them.
    this.#url = await this.#server.listen({ host, port });
  }

  snapshot(): Snapshot {
    return structuredClone(snapshotOf(this.#world));
  }

  reset(): void {
    this.#world = seedWorld(this.#options.seed, this.clock.now());
    this.faults.clear();
    Object.assign(this.switches, defaultSwitches, this.#options.switches);
    this.#log.clear();
    this.#limits.reset();
    this.#onChange();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#drain();
    await this.#server.close();
    await this.#stateFile?.flush();
  }

  /** What is being answered gets a moment to leave; closing the server then cuts every connection. */
  async #drain(): Promise<void> {
    const answered = [...this.#unanswered].map((response) => once(response, 'close'));
    await Promise.race([Promise.all(answered), new Promise((resolve) => setTimeout(resolve, drainMs).unref())]);
  }

  #context(): SlackContext {
    const current = this;
    return {
      get world() {
        return current.#world;
      },
      get origin() {
        return current.#url;
      },
      switches: this.switches,
      clock: this.clock,
      tokens: new TokenRegistry(this.#options.seed),
      limits: this.#limits,
      locks: new WriteLocks(),
      pause: (ms) => pause(ms, this.#stopping.signal),
    };
  }

  #advance(ms: number): void {
    if (!isMovable(this.clock)) throw new RangeError('This simulator runs on a clock that cannot be moved');
    this.clock.advance(ms);
  }

  #onChange(): void {
    this.#stateFile?.schedule(() => this.#world);
  }
}

/** Real time; a stopping simulator waits for nobody. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
