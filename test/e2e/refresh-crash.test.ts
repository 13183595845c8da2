import type { Caller } from '../../src/domain/access/access';
import type { Connection } from '../../src/domain/connections/connection';
import { systemClock } from '../../src/shared/clock';
import { type Simulator, startSimulator } from '../../src/simulator/simulator';
import { OAuthClient } from '../integration/simulator/oauth-client';
import {
  activeTokenOf,
  aStoredCaller,
  callerOf,
  type GrantServices,
  install,
  pairsGiven,
  wireGrantServices,
} from '../support/grant-services';
import { MovedClock } from '../support/moved-clock';
import { seededRandom } from '../support/random';
import { RefreshProcess } from '../support/refresh-process';
import { sqliteFileDatabase, type TestDatabase } from '../support/test-database';

const HOUR = 60 * 60_000;
const EXCHANGE = '/api/oauth.v2.access';
/** `ROLLCALL_CRASH_ROUNDS=200` for the long run; `ROLLCALL_CRASH_SEED` for another one. */
const SHORT_RUN = 10;
const rounds = Number(process.env.ROLLCALL_CRASH_ROUNDS ?? SHORT_RUN);
const random = seededRandom(Number(process.env.ROLLCALL_CRASH_SEED ?? 1));

/** A process takes its own life at a step, or is killed while Slack does not answer: before it did anything, or after. */
type Kill = number | 'hangBefore' | 'hangAfter';

interface Outcome {
  readonly kill: string;
  /** Whether the successor came while Slack still took the spent refresh token. */
  readonly isInGrace: boolean;
  /** Slack had given a pair that was not stored. */
  readonly isPairLost: boolean;
  readonly ends: 'WORKS' | 'REAUTHORIZATION_REQUIRED' | 'SILENTLY LOST';
}

describe('a gateway that is killed while it refreshes a token', () => {
  const clock = new MovedClock();
  let simulator: Simulator;
  let slack: OAuthClient;
  let database: TestDatabase;
  let caller: Caller;
  let connection: Connection;
  let steps: readonly string[];

  beforeAll(async () => {
    simulator = await startSimulator({ seed: 'crashes', clock });
    slack = new OAuthClient(simulator);
    database = await sqliteFileDatabase();
    await running(async (services, storage) => {
      caller = await aStoredCaller(storage, clock);
      connection = await install(services, simulator, caller);
    });
    clock.advance(12 * HOUR - 60_000);
    const process = await new RefreshProcess({ database, simulator, clock, connection }).ready();
    steps = (await process.lease())?.steps ?? [];
    await process.kill();
  });
  afterAll(async () => {
    await simulator?.stop();
    await database?.drop();
  });

  const now = () => callerOf(caller.tenant, clock);

  /** A gateway that starts, works and stops, as a successor does. */
  async function running(work: (services: GrantServices, stored: GrantServices['database']) => Promise<void>) {
    const storage = await database.open({ clock });
    const services = wireGrantServices({ database: storage.database, simulator, clock });
    try {
      await work(services, storage.database);
    } finally {
      await services.refreshes.stop(0);
      await services.edge.close();
      await storage.close();
    }
  }

  async function killed(kill: Kill): Promise<void> {
    const killAt = typeof kill === 'number' ? kill : undefined;
    const process = await new RefreshProcess({ database, simulator, clock, connection, killAt }).ready();
    if (typeof kill === 'number') {
      expect(await process.lease()).toBeUndefined();
      return;
    }
    simulator.faults.add({ kind: kill, match: { path: EXCHANGE } });
    const before = simulator.requests.length;
    const leased = process.lease();
    while (!simulator.requests.slice(before).some(({ path }) => path === EXCHANGE)) await systemClock.sleep(2);
    await process.kill();
    expect(await leased).toBeUndefined();
  }

  async function live(kill: Kill, { isInGrace }: { isInGrace: boolean }): Promise<Outcome> {
    clock.advance(12 * HOUR - 60_000);
    const given = pairsGiven(simulator);
    await killed(kill);
    const hasExchanged = pairsGiven(simulator) > given;
    clock.advance(isInGrace ? 1_000 : 120_000);
    let outcome: Outcome | undefined;
    await running(async (services, stored) => {
      const token = await activeTokenOf(stored, connection);
      const isPairLost = hasExchanged && token.refreshStartedAt !== undefined;
      await services.runner.refreshDue(new AbortController().signal);
      const { status } =
        (await stored.read((stores) => stores.connections.find(caller.tenant.id, connection.id))) ?? {};
      outcome = { kill: nameOf(kill), isInGrace, isPairLost, ends: await endOf(services, status) };
      if (outcome.ends !== 'WORKS') connection = await install(services, simulator, now());
    });
    if (!outcome) throw new Error('The successor did not come to an end');
    return outcome;
  }

  async function endOf(services: GrantServices, status: string | undefined): Promise<Outcome['ends']> {
    if (status === 'REAUTHORIZATION_REQUIRED') return status;
    try {
      const { secret } = await services.tokens.lease(connection, 'user.read', now());
      return (await slack.standing(secret.reveal())) === 'ok' ? 'WORKS' : 'SILENTLY LOST';
    } catch {
      return 'SILENTLY LOST';
    }
  }

  const nameOf = (kill: Kill) => (typeof kill === 'number' ? (steps[kill] ?? `step ${kill}`) : kill);

  /** In the short run every kind of step once, spread over the refresh; in a long one by chance, the exchange above all. */
  function plan(): Kill[] {
    const kills: Kill[] = ['hangBefore', 'hangAfter', steps.indexOf('after the exchange')];
    const spread = Math.max(rounds - kills.length, 0);
    for (let place = 0; place < spread; place += 1) {
      const share = rounds > SHORT_RUN ? random() : (place + 0.5) / spread;
      kills.push(rounds > SHORT_RUN && random() < 0.2 ? (kills[place % 3] ?? 0) : Math.floor(share * steps.length));
    }
    return kills;
  }

  it(
    `at any step, ${rounds} times, works again or says that it must be authorized again`,
    async () => {
      const outcomes: Outcome[] = [];
      for (const [round, kill] of plan().entries()) outcomes.push(await live(kill, { isInGrace: round % 2 === 0 }));

      const unexpected = outcomes.filter(
        ({ isInGrace, isPairLost, ends }) => ends !== (isPairLost && !isInGrace ? 'REAUTHORIZATION_REQUIRED' : 'WORKS'),
      );
      expect(unexpected).toEqual([]);
      expect(outcomes.filter(({ isPairLost }) => isPairLost).length).toBeGreaterThanOrEqual(2);
      expect(new Set(outcomes.map(({ kill }) => kill)).size).toBeGreaterThanOrEqual(Math.min(rounds, SHORT_RUN) - 2);
      if (rounds > SHORT_RUN) console.info(summaryOf(outcomes));
    },
    rounds * 10_000,
  );
});

function summaryOf(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, number>();
  for (const { kill, isInGrace, isPairLost, ends } of outcomes) {
    const line = `${kill}, ${isPairLost ? 'pair lost' : 'no pair lost'}, ${isInGrace ? 'in' : 'after'} the grace period: ${ends}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts]
    .map(([line, count]) => `${count} × ${line}`)
    .sort()
    .join('\n');
}
