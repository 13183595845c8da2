import { once, setMaxListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { isMovable, OffsetClock, type SimulatorClock } from './clock';
import { EventDispatcher, type EventRecord } from './events/event-dispatcher';
import { FaultList } from './faults/fault';
import { removeApp, takeBackGrants } from './oauth/admin-actions';
import type { AppContext } from './oauth/app-context';
import { type AppCredentials, SlackApp } from './oauth/slack-app';
import { TokenMint } from './oauth/token-mint';
import { RequestLog, type RequestRecord } from './request-log';
import { RateLimiter } from './scim/rate-limit';
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

/**
 * A running simulator. Web API at `url` + `/api/…`, consent page at `url` + `/oauth/v2/authorize`, SCIM at `url` + `/scim/v2/…`,
 * control at `url` + `/_simulator/…`.
 */
export interface Simulator {
  readonly url: string;
  readonly tokens: Readonly<Record<TokenName, string>>;
  /** The one app at this Slack; its tokens are all the tokens there are. */
  readonly app: AppCredentials;
  /** Another object after `reset`. */
  readonly world: World;
  /** May be changed at any time. */
  readonly switches: Switches;
  readonly faults: FaultList;
  /** The last 10,000 calls, oldest first. */
  readonly requests: readonly RequestRecord[];
  /** The last 1,000 attempts to send an event, oldest first. */
  readonly events: readonly EventRecord[];
  readonly eventsUrl: string | null;
  readonly clock: SimulatorClock;
  /**
   * Registers the app's request URL for events with a signed challenge; null sends none any more.
   * @throws RangeError when the challenge does not come back.
   */
  setEventsUrl(url: string | null): Promise<void>;
  /** Sends the events that are due by the simulator's clock, and waits for their answers. */
  settleEvents(): Promise<void>;
  /** An owner removes the app from a workspace or organization. @throws RangeError when it is not installed there. */
  uninstallApp(placeId: string): void;
  /** A person takes back their grants. @throws RangeError when they have given none. */
  revokeGrants(personId: string): void;
  /** People, groups, installations and the standing of tokens as JSON, without token values. */
  snapshot(): Snapshot;
  /** World, faults, switches, logs, buckets and waiting events back to the seed. The clock and the request URL stay. */
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
  readonly #app: SlackApp;
  readonly #events: EventDispatcher;
  readonly #context: AppContext;
  readonly #server: FastifyInstance;
  #world: World;
  #url = '';

  constructor(options: SimulatorOptions, clock: SimulatorClock, world: World, stateFile: StateFile | null) {
    this.#options = options;
    // Every call that waits listens to it.
    setMaxListeners(0, this.#stopping.signal);
    this.clock = clock;
    this.#world = world;
    this.#stateFile = stateFile;
    this.#limits = new RateLimiter(clock);
    this.switches = { ...defaultSwitches, ...options.switches };
    const values = tokenNames.map((name) => [name, tokenValue(options.seed, name)]);
    this.tokens = Object.freeze(Object.fromEntries(values) as Record<TokenName, string>);
    this.#app = new SlackApp(options.seed);
    this.#events = new EventDispatcher({
      app: this.#app,
      clock,
      switches: this.switches,
      signal: this.#stopping.signal,
      world: () => this.#world,
    });
    this.#context = this.#makeContext();
    this.#server = buildServer({
      context: this.#context,
      faults: this.faults,
      log: this.#log,
      controlled: {
        simulator: this,
        context: this.#context,
        buckets: () => this.#limits.inspect(),
        locks: () => this.#context.locks.held(),
        advance: (ms) => this.#advance(ms),
        onChange: () => this.#onChange(),
      },
      unanswered: this.#unanswered,
      onChange: () => this.#onChange(),
      saved: async () => this.#stateFile?.flush(),
    });
  }

  get url(): string {
    return this.#url;
  }

  get world(): World {
    return this.#world;
  }

  get app(): AppCredentials {
    return this.#app.credentials(this.#world.oauth);
  }

  get events(): readonly EventRecord[] {
    return this.#events.records;
  }

  get eventsUrl(): string | null {
    return this.#events.url;
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

  setEventsUrl(url: string | null): Promise<void> {
    return this.#events.register(url);
  }

  settleEvents(): Promise<void> {
    return this.#events.settle();
  }

  uninstallApp(placeId: string): void {
    removeApp(this.#context, placeId);
    this.#onChange();
  }

  revokeGrants(personId: string): void {
    takeBackGrants(this.#context, personId);
    this.#onChange();
  }

  reset(): void {
    this.#world = seedWorld(this.#options.seed, this.clock.now(), this.#world.oauth.issuedTokens);
    this.#events.clear();
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

  #makeContext(): AppContext {
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
      app: this.#app,
      mint: new TokenMint(this.#options.seed),
      events: this.#events,
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
