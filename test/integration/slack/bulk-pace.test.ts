import { Agent, DecoratorHandler, type Dispatcher } from 'undici';
import type { TenantId } from '../../../src/domain/access/access';
import { silentLogger } from '../../../src/shared/logger';
import { Secret } from '../../../src/shared/secret';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { createSlackEdge, type SlackEdge } from '../../../src/slack/slack-directory';
import { FakeClock } from '../../support/fake-clock';
import { type Replica, startReplica, Underway } from '../../support/replicas';
import { postgresDatabase, type TestDatabase } from '../../support/test-database';

/** ROLLCALL_PACE_PEOPLE=1000 takes a minute; what is kept to is the same. */
const PEOPLE = Number(process.env.ROLLCALL_PACE_PEOPLE ?? 250);
/** 20 at once, and 180 a minute from then on. */
const LEAST_MS = ((PEOPLE - 20) * 60_000) / 180;

/** A Slack of its own, and the replicas that work for it. */
interface World {
  readonly simulator: Simulator;
  readonly replicas: readonly Replica[];
  readonly edges: readonly SlackEdge[];
  readonly team: string;
}

/** Connections whose calls count as under way until they are answered. */
function countingAgent(underway: Underway): Dispatcher {
  return new Agent().compose((dispatch) => (options, handler) => {
    underway.begin();
    const inner: Dispatcher.DispatchHandler = new DecoratorHandler(handler);
    return dispatch(options, {
      onRequestStart: (...given) => inner.onRequestStart?.(...given),
      onResponseStart: (...given) => inner.onResponseStart?.(...given),
      onResponseData: (...given) => inner.onResponseData?.(...given),
      onResponseEnd: (...given) => {
        inner.onResponseEnd?.(...given);
        underway.end();
      },
      onResponseError: (...given) => {
        inner.onResponseError?.(...given);
        underway.end();
      },
    });
  });
}

/** Time passes only while nothing is under way, so what is measured is waiting, and the same on every machine. */
describe('hundreds of creations under the limits of the simulated Slack', () => {
  const clock = new FakeClock();
  const underway = new Underway();
  let testDatabase: TestDatabase;
  const worlds: World[] = [];

  beforeAll(async () => {
    testDatabase = await postgresDatabase();
    await (await testDatabase.open()).close();
    for (const count of [1, 2, 4]) worlds.push(await startWorld(count));
  });
  afterAll(async () => {
    for (const { simulator, edges, replicas } of worlds) {
      await simulator.stop();
      await Promise.all(edges.map((edge) => edge.close()));
      await Promise.all(replicas.map((replica) => replica.stop()));
    }
    await testDatabase.drop();
  });

  async function startWorld(count: number): Promise<World> {
    const simulator = await startSimulator({ seed: `pace of ${count}`, clock });
    const replicas = await Promise.all(
      Array.from({ length: count }, () => startReplica(testDatabase, { clock, underway })),
    );
    const edges = replicas.map(({ limits: shared }) =>
      createSlackEdge({
        origins: { SANDBOX: { web: simulator.url, scim: simulator.url } },
        apps: {},
        redirectUri: () => '',
        clock,
        random: () => 0,
        logger: silentLogger,
        attemptTimeoutMs: 10_000,
        shared,
        dispatcher: countingAgent(underway),
      }),
    );
    return { simulator, replicas, edges, team: `SANDBOX:team-of-${count}` };
  }

  /** @param index chooses the replica. */
  async function create({ simulator, edges, team }: World, index: number, urgency: 'bulk' | 'interactive') {
    const edge = edges[index % edges.length];
    if (!edge) throw new Error('There are no replicas');
    const client = edge.directory.for({
      environment: 'SANDBOX',
      budgetKey: team,
      tokens: {
        lease: async () => ({ id: undefined, secret: new Secret(simulator.tokens['business-admin']) }),
        reportRejected: async () => false,
      },
    });
    const name = `${urgency}${index}`;
    await client.createUser(
      { email: `${name}@northwind.example`, userName: name },
      {
        signal: new AbortController().signal,
        deadlineAt: clock.now() + 3_600_000,
        requestId: 'req_1',
        urgency,
        tenant: { id: `ten_${urgency}` as TenantId },
      },
    );
  }

  async function work(world: World) {
    const startedAt = clock.now();
    const bulk = Promise.all(Array.from({ length: PEOPLE }, (_, index) => create(world, index, 'bulk')));
    const delays: number[] = [];
    const single = (async () => {
      for (let index = 0; index < 5; index += 1) {
        await clock.sleep(12_000);
        const askedAt = clock.now();
        await create(world, index, 'interactive');
        delays.push(clock.now() - askedAt);
      }
    })();
    await Promise.all([bulk, single]);
    const refused = world.simulator.requests.filter(({ status }) => status !== 201);
    return { tookMs: clock.now() - startedAt, delays, refused, count: world.simulator.requests.length };
  }

  it('are done by 1, 2 and 4 replicas in the least time, without a 429, and a single call does not wait', async () => {
    const outcomes = await clock.runUntil(Promise.all(worlds.map(work)), underway);

    for (const { tookMs, delays, refused, count } of outcomes) {
      expect(refused).toEqual([]);
      expect(count).toBe(PEOPLE + 5);
      expect(delays).toEqual([0, 0, 0, 0, 0]);
      expect(tookMs).toBeGreaterThanOrEqual(LEAST_MS);
      expect(tookMs).toBeLessThanOrEqual(LEAST_MS * 1.05);
    }
  }, 120_000);
});
