import type { Caller } from '../../../src/domain/access/access';
import type { Connection } from '../../../src/domain/connections/connection';
import { StorageUnavailable } from '../../../src/domain/errors';
import type { Database, Stores } from '../../../src/domain/ports';
import { systemClock } from '../../../src/shared/clock';
import { Secret } from '../../../src/shared/secret';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import type { Storage } from '../../../src/storage/open-storage';
import { type Gate, startGate } from '../../support/gate';
import {
  activeTokenOf,
  aStoredCaller,
  callerOf,
  type GrantServices,
  install,
  pairsGiven,
  wireGrantServices,
} from '../../support/grant-services';
import { MovedClock } from '../../support/moved-clock';
import { sqliteMemoryDatabase } from '../../support/test-database';
import { OAuthClient } from '../simulator/oauth-client';

const HOUR = 60 * 60_000;
const EXCHANGE = /oauth\.v2\.access/;

let shared: Storage;
let slackClock = new MovedClock();
let clock = new MovedClock();
let simulator: Simulator;
let gate: Gate;
let slack: OAuthClient;
let services: GrantServices;
let caller: Caller;
let clientSecret: string | undefined;
/** How many of the next attempts to store a pair fail. */
let failingSaves = 0;
/** Who took a lease last. */
let leaseOwner = '';

beforeAll(async () => {
  shared = await (await sqliteMemoryDatabase()).open();
  // Slack's clock is read through the object, so that each test may begin with one of its own.
  simulator = await startSimulator({ seed: 'refreshes', clock: { now: () => slackClock.now() } });
  gate = await startGate(simulator.url);
  slack = new OAuthClient(simulator);
});
beforeEach(async () => {
  slackClock = new MovedClock();
  clock = new MovedClock();
  failingSaves = 0;
  clientSecret = undefined;
  simulator.reset();
  services = wire();
  caller = await aStoredCaller(shared.database, clock);
});
afterEach(async () => {
  await services.refreshes.stop(0);
  await services.edge.close();
  // What is left would come up in the rounds of the next test.
  await shared.database.transaction(async (stores) => {
    const { items } = await stores.connections.list(caller.tenant.id, {}, 10, undefined);
    for (const { id } of items) await stores.connections.delete(caller.tenant.id, id);
  });
});
afterAll(async () => {
  await shared?.close();
  await gate?.stop();
  await simulator?.stop();
});

const wire = (attemptTimeoutMs = 10_000) =>
  wireGrantServices({
    database: failingDatabase(),
    simulator,
    clock,
    slackUrl: gate.url,
    clientSecret: () => clientSecret ?? simulator.app.clientSecret,
    attemptTimeoutMs,
  });

/** The real one, whose tokens cannot be saved as often as a test says. */
function failingDatabase(): Database {
  const { database } = shared;
  return {
    read: (work) => database.read(work),
    ping: () => database.ping(),
    transaction: (work) =>
      database.transaction((stores) => {
        const tokens = new Proxy(stores.tokens, {
          get(target, name) {
            if (name === 'saveRefreshed' && failingSaves > 0) {
              return async () => {
                failingSaves -= 1;
                throw new StorageUnavailable('The disk is full.');
              };
            }
            const member: unknown = Reflect.get(target, name);
            return typeof member === 'function' ? member.bind(target) : member;
          },
        });
        const leases: Stores['leases'] = {
          acquire(name, owner, forMs) {
            leaseOwner = owner;
            return stores.leases.acquire(name, owner, forMs);
          },
          confirm: (name, owner) => stores.leases.confirm(name, owner),
          release: (name, owner) => stores.leases.release(name, owner),
          deleteEnded: (limit) => stores.leases.deleteEnded(limit),
          now: () => stores.leases.now(),
        };
        return work({ ...stores, tokens, leases });
      }),
  };
}

function pass(ms: number): void {
  clock.advance(ms);
  slackClock.advance(ms);
}

const now = (withinMs?: number) => callerOf(caller.tenant, clock, withinMs);
const lease = (connection: Connection) => services.tokens.lease(connection, 'user.read', now());
const active = (connection: Connection) => activeTokenOf(shared.database, connection);
const current = async ({ tenantId, id }: Connection) => {
  const found = await shared.database.read((stores) => stores.connections.find(tenantId, id));
  if (!found) throw new Error('The connection is gone');
  return found;
};
const openIssues = async ({ id }: Connection) =>
  (await shared.database.read((stores) => stores.issues.list(id, { includeResolved: false }))).map(({ code }) => code);
const standing = async (connection: Connection) => slack.standing((await lease(connection)).secret.reveal());
const runRound = () => services.runner.refreshDue(new AbortController().signal);

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await systemClock.sleep(5);
}

/** How many pairs Slack gives while `work` runs, whoever gets to know them. */
async function exchangesOf(work: () => Promise<unknown>): Promise<number> {
  const before = pairsGiven(simulator);
  await work();
  return pairsGiven(simulator) - before;
}

/** One that has only a moment left. */
async function anEndingConnection(): Promise<Connection> {
  const connection = await install(services, simulator, caller);
  pass(12 * HOUR - 60_000);
  return connection;
}

describe('a token that is about to end', () => {
  it('is refreshed before it is handed out, and only then', async () => {
    const connection = await install(services, simulator, caller);
    pass(11 * HOUR);
    const first = await lease(connection);
    expect(first.generation).toBe(1);

    pass(HOUR - 60_000);
    const exchanges = await exchangesOf(async () => {
      const second = await lease(connection);
      expect(second).toMatchObject({ id: first.id, generation: 2 });
      expect(second.secret.reveal()).not.toBe(first.secret.reveal());
      expect((await lease(connection)).generation).toBe(2);
    });

    expect(exchanges).toBe(1);
    expect(await standing(connection)).toBe('ok');
    const token = await active(connection);
    expect(token).toMatchObject({ refreshable: true, refreshStartedAt: undefined });
    expect(token.expiresAt?.getTime()).toBeGreaterThan(clock.now() + 12 * HOUR - 60_000);
    expect(token.expiresAt?.getTime()).toBeLessThanOrEqual(clock.now() + 12 * HOUR);
  });

  it('is exchanged once for fifty calls at the same moment, which all get the new one', async () => {
    const connection = await install(services, simulator, caller);
    pass(13 * HOUR);

    let leased: Awaited<ReturnType<typeof lease>>[] = [];
    const exchanges = await exchangesOf(async () => {
      leased = await Promise.all(Array.from({ length: 50 }, () => lease(connection)));
    });

    expect(exchanges).toBe(1);
    expect(new Set(leased.map(({ secret }) => secret.reveal())).size).toBe(1);
    expect(await slack.standing(leased[0]?.secret.reveal() ?? '')).toBe('ok');
  });

  it('is exchanged once for fifty calls over two processes', async () => {
    const connection = await install(services, simulator, caller);
    pass(13 * HOUR);
    const other = wire();

    const exchanges = await exchangesOf(() =>
      Promise.all(
        [services, other].flatMap(({ tokens }) =>
          Array.from({ length: 25 }, () => tokens.lease(connection, 'user.read', now())),
        ),
      ),
    );

    expect(exchanges).toBe(1);
    await other.refreshes.stop(0);
    await other.edge.close();
  });

  it('is used as it is while Slack does not answer, after a moment of patience', async () => {
    await services.edge.close();
    services = wire(200);
    const connection = await anEndingConnection();
    simulator.faults.add({ kind: 'hangBefore', match: { path: EXCHANGE }, times: 'always' });

    expect((await lease(connection)).generation).toBe(1);
    expect(await standing(connection)).toBe('ok');
    expect(await openIssues(connection)).toEqual([]);

    pass(2 * 60_000);
    await expect(lease(connection)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true });

    simulator.faults.clear();
    pass(6_000);
    expect((await lease(connection)).generation).toBe(2);
  });

  it('is refreshed in the background two hours before its end, once by all replicas', async () => {
    const connection = await install(services, simulator, caller);
    pass(9.9 * HOUR);
    expect(await exchangesOf(runRound)).toBe(0);

    pass(0.2 * HOUR);
    const other = wire();
    const rounds = () => Promise.all([runRound(), other.runner.refreshDue(new AbortController().signal)]);
    expect(await exchangesOf(rounds)).toBe(1);
    expect(await exchangesOf(rounds)).toBe(0);

    expect((await active(connection)).generation).toBe(2);
    await other.edge.close();
  });
});

describe('a token that Slack calls expired although our clock does not', () => {
  it('is refreshed once, and the call is told that there is another one', async () => {
    const connection = await install(services, simulator, caller);
    clock.advance(HOUR);
    slackClock.advance(12 * HOUR);
    const source = services.tokens.sourceFor(connection, now());
    const rejected = await source.lease('user.read');
    expect(await slack.standing(rejected.secret.reveal())).toBe('token_expired');

    const exchanges = await exchangesOf(async () => {
      expect(await Promise.all(Array.from({ length: 20 }, () => source.reportRejected(rejected)))).toEqual(
        Array(20).fill(true),
      );
      const next = await source.lease('user.read');
      expect(await slack.standing(next.secret.reveal())).toBe('ok');
      // It is less than a minute old: whatever is wrong now, another one would not help.
      expect(await source.reportRejected(next)).toBe(false);
    });

    expect(exchanges).toBe(1);
  });

  it('is refreshed by a check, which then finds nothing wrong', async () => {
    const connection = await install(services, simulator, caller);
    clock.advance(HOUR);
    slackClock.advance(12 * HOUR);

    const { connection: checked, problem } = await services.connections.verify(now(), connection.id);

    expect(problem).toBeUndefined();
    expect(checked.status).toBe('ACTIVE');
    expect(await active(connection)).toMatchObject({ generation: 2, verifiedAt: expect.any(Date) });
  });
});

describe('a clock that is set', () => {
  const MINUTE = 60_000;
  const jumps: [string, number[]][] = [
    ['ten minutes ahead', [10 * MINUTE]],
    ['ten minutes back', [-10 * MINUTE]],
    ['ahead and back again and again', [10 * MINUTE, -10 * MINUTE, 10 * MINUTE, -10 * MINUTE]],
    ['a day ahead', [24 * HOUR]],
    ['a day ahead and back again and again', [24 * HOUR, -24 * HOUR, 24 * HOUR, -24 * HOUR]],
    ['a day back', [-24 * HOUR]],
  ];

  it.each(jumps)('%s costs at most one refresh and no token', async (_, steps) => {
    const connection = await install(services, simulator, caller);

    const exchanges = await exchangesOf(async () => {
      for (const ms of steps) {
        clock.advance(ms);
        expect(await Promise.all([standing(connection), standing(connection)])).toEqual(['ok', 'ok']);
        await runRound();
      }
    });
    expect(exchanges).toBeLessThanOrEqual(1);

    // Whatever our clock says now, the end of the token at Slack is met.
    slackClock.advance(12 * HOUR);
    clock.advance(2 * MINUTE);
    const source = services.tokens.sourceFor(connection, now());
    const rejected = await source.lease('user.read');
    if ((await slack.standing(rejected.secret.reveal())) !== 'ok') {
      expect(await source.reportRejected(rejected)).toBe(true);
    }
    expect(await standing(connection)).toBe('ok');
    expect(await openIssues(connection)).toEqual([]);
  });

  it('during a refresh loses no pair', async () => {
    const connection = await anEndingConnection();
    const held = gate.hold(EXCHANGE);
    const leased = lease(connection);
    await held.arrived;
    clock.advance(24 * HOUR);
    held.release();

    await leased;
    await until(async () => (await active(connection)).generation === 2);
    clock.advance(-24 * HOUR);
    expect(await standing(connection)).toBe('ok');
  });
});

describe('an answer that is lost', () => {
  const loseAnswers = (times: number) => simulator.faults.add({ kind: 'resetAfter', match: { path: EXCHANGE }, times });

  it('once is asked for again at once', async () => {
    const connection = await anEndingConnection();
    loseAnswers(1);

    expect((await lease(connection)).generation).toBe(2);
    expect(await standing(connection)).toBe('ok');
  });

  it('twice is made up for in the background while the grace period runs', async () => {
    const connection = await anEndingConnection();
    loseAnswers(2);
    expect((await lease(connection)).generation).toBe(1);
    expect((await active(connection)).refreshStartedAt).toBeInstanceOf(Date);

    pass(20_000);
    await runRound();

    expect(await active(connection)).toMatchObject({ generation: 2, refreshStartedAt: undefined });
    expect(await standing(connection)).toBe('ok');
    pass(12 * HOUR - 60_000);
    expect(await standing(connection)).toBe('ok');
    expect(await openIssues(connection)).toEqual([]);
  });

  it('beyond the grace period needs a person, says since when, and goes on saying so', async () => {
    const connection = await anEndingConnection();
    loseAnswers(2);
    await lease(connection);

    pass(2 * 60_000);
    await runRound();

    expect(await current(connection)).toMatchObject({ status: 'REAUTHORIZATION_REQUIRED' });
    expect(await openIssues(connection)).toEqual(['REAUTHORIZATION_REQUIRED']);
    expect(await active(connection)).toMatchObject({ refreshable: false, generation: 1 });
    const { problem } = await services.connections.verify(now(), connection.id);
    expect(problem).toMatchObject({
      code: 'REAUTHORIZATION_REQUIRED',
      detail: expect.stringMatching(/^Slack does not accept .*invalid_refresh_token.*begun at 20\d\d-.*not finished/),
    });
    expect(await exchangesOf(runRound)).toBe(0);

    const again = await install(services, simulator, now());
    expect(again).toMatchObject({ id: connection.id, status: 'ACTIVE' });
    expect(await openIssues(connection)).toEqual([]);
    expect(await standing(connection)).toBe('ok');
  });
});

describe("the app's own credentials", () => {
  it('refused by Slack are an issue for the operator, take nothing from the customer, and are tried again', async () => {
    const connection = await install(services, simulator, caller);
    pass(11 * HOUR);
    clientSecret = 'wrong';
    await runRound();

    expect(await current(connection)).toMatchObject({ status: 'DEGRADED' });
    expect(await openIssues(connection)).toEqual(['APP_CREDENTIALS_REFUSED']);
    expect(await standing(connection)).toBe('ok');
    await services.health.recordAnswer(await current(connection));
    await services.connections.verify(now(), connection.id);
    expect(await openIssues(connection)).toEqual(['APP_CREDENTIALS_REFUSED']);

    pass(2 * HOUR);
    await expect(lease(connection)).rejects.toMatchObject({ code: 'APP_CREDENTIALS_REFUSED' });
    const calls = simulator.requests.length;
    await expect(lease(connection)).rejects.toMatchObject({ code: 'APP_CREDENTIALS_REFUSED' });
    expect(simulator.requests).toHaveLength(calls);

    clientSecret = undefined;
    pass(20_000);
    await runRound();
    expect(await current(connection)).toMatchObject({ status: 'ACTIVE' });
    expect(await openIssues(connection)).toEqual([]);
    expect(await standing(connection)).toBe('ok');
  });
});

describe('a database that fails when the pair is to be stored', () => {
  it('is tried until it takes it, and Slack is not asked again', async () => {
    const connection = await anEndingConnection();
    pass(2 * HOUR);
    failingSaves = 3;

    const exchanges = await exchangesOf(async () => {
      expect((await lease(connection)).generation).toBe(2);
    });

    expect(exchanges).toBe(1);
    expect(await standing(connection)).toBe('ok');
  });

  it('at the end of the process leaves a refresh that a successor makes up for', async () => {
    const connection = await anEndingConnection();
    failingSaves = 1_000;
    const leased = lease(connection).catch(() => undefined);
    await until(() => failingSaves < 999);
    await services.refreshes.stop(50);
    await leased;
    failingSaves = 0;

    const successor = wire();
    await successor.runner.refreshDue(new AbortController().signal);
    expect((await active(connection)).generation).toBe(2);
    expect(await standing(connection)).toBe('ok');
    await successor.edge.close();
  });
});

describe('a refresh under way', () => {
  it('ends in time when the process ends, and is made up for by the next', async () => {
    const connection = await anEndingConnection();
    simulator.faults.add({ kind: 'hangAfter', match: { path: EXCHANGE } });
    const leased = lease(connection).catch(() => undefined);
    await until(async () => (await active(connection)).refreshStartedAt !== undefined);

    const startedAt = performance.now();
    await services.refreshes.stop(100);
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    await leased;
    await expect(services.refreshes.refresh(connection, await active(connection), now())).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });

    // On SQLite a start takes all leases away; here the owner's has to end.
    await until(() => seizeLease(connection));
    await giveLeaseBack(connection);
    const successor = wire();
    await successor.runner.refreshDue(new AbortController().signal);
    expect((await active(connection)).generation).toBe(2);
    await successor.edge.close();
  });

  it('is waited for by a disconnect, which then ends both tokens of the new pair', async () => {
    const connection = await anEndingConnection();
    const held = gate.hold(EXCHANGE);
    const leased = lease(connection).catch(() => undefined);
    await held.arrived;
    const ended = services.connections.disconnect(now(), connection.id, { revokeToken: true });
    held.release();

    expect(await ended).toMatchObject({ lifecycle: 'DISCONNECTED' });
    await leased;
    // What was in use before ends by itself: its last minute, and the grace period.
    pass(61_000);
    expect(livingTokens()).toEqual({ access: 0, refresh: 0 });
  });

  it('for a connection that is disconnected, replaced or deleted meanwhile ends the pair that nobody needs', async () => {
    const ends: ((connection: Connection) => Promise<unknown>)[] = [
      ({ id }) => services.connections.disconnect(now(), id, { revokeToken: false }),
      () => install(services, simulator, now()),
      ({ id }) => services.connections.delete(now(), id),
    ];
    for (const end of ends) {
      simulator.reset();
      const connection = await anEndingConnection();
      const held = gate.hold(EXCHANGE);
      const refreshed = services.refreshes.refresh(connection, await active(connection), now());
      await held.arrived;
      await end(connection);
      const before = livingTokens();
      held.release();
      await refreshed;

      // The spent refresh token lives on for its grace period; what came in its place does not.
      expect(livingTokens().refresh).toBe(before.refresh);
      const stored = await shared.database.read((stores) => stores.tokens.findActive(connection.id));
      expect(stored?.generation ?? 1).toBe(1);
      if (stored) expect(await standing(connection)).toBe('ok');
      await services.connections.delete(now(), connection.id).catch(() => undefined);
    }
  });

  it('is stored when the connection is paused meanwhile, and nothing is lost by a pause', async () => {
    const connection = await anEndingConnection();
    const held = gate.hold(EXCHANGE);
    const leased = lease(connection);
    await held.arrived;
    await services.connections.pause(now(), connection.id);
    held.release();

    await expect(leased).rejects.toMatchObject({ code: 'CONNECTION_NOT_READY' });
    await until(async () => (await active(connection)).generation === 2);
    pass(13 * HOUR);
    expect(await exchangesOf(runRound)).toBe(0);
    await services.connections.resume(now(), connection.id);
    expect(await standing(connection)).toBe('ok');
  });
});

const leaseOf = ({ teamKey, installer }: Connection) =>
  `refresh:SANDBOX:${simulator.app.appId}:${teamKey}:${installer?.slackId}`;
const seizeLease = (connection: Connection) =>
  shared.database.transaction((stores) => stores.leases.acquire(leaseOf(connection), 'somebody else', 60_000));
const giveLeaseBack = (connection: Connection) =>
  shared.database.transaction((stores) => stores.leases.release(leaseOf(connection), 'somebody else'));

describe('a refresh whose lease ran out while Slack was answering', () => {
  /** Slack has the call, and the lease is somebody else's from then on. */
  async function overtaken(connection: Connection): Promise<{ refreshed: Promise<void>; answer(): void }> {
    const held = gate.hold(EXCHANGE);
    const token = await active(connection);
    const refreshed = services.refreshes.refresh(connection, token, now());
    await held.arrived;
    await shared.database.transaction((stores) => stores.leases.release(leaseOf(connection), leaseOwner));
    expect(await seizeLease(connection)).toBe(true);
    return { refreshed, answer: held.release };
  }

  it('keeps its pair until the other gives up, and then stores it', async () => {
    const connection = await anEndingConnection();
    const { refreshed, answer } = await overtaken(connection);
    const asked = leaseOwner;
    leaseOwner = '';
    answer();
    // It has the pair, and asks for the lease again and again.
    await until(() => leaseOwner === asked);
    expect((await active(connection)).generation).toBe(1);

    await giveLeaseBack(connection);
    await refreshed;

    expect((await active(connection)).generation).toBe(2);
    expect(await standing(connection)).toBe('ok');
  });

  it('never overwrites the pair that the other stored', async () => {
    const connection = await anEndingConnection();
    const { refreshed, answer } = await overtaken(connection);
    const token = await active(connection);
    const pair = { secret: new Secret('xoxe.xoxp-1-newer'), refreshToken: new Secret('xoxe-1-newer'), hint: 'newer' };
    await shared.database.transaction((stores) =>
      stores.tokens.saveRefreshed(connection.tenantId, token, {
        ...pair,
        grantedScopes: ['admin'],
        refreshedAt: new Date(clock.now()),
      }),
    );
    answer();
    await refreshed;

    expect(await active(connection)).toMatchObject({ generation: 2, hint: 'newer' });
    await giveLeaseBack(connection);
  });
});

/** Of the person who installs. */
function livingTokens(): { access: number; refresh: number } {
  const { world } = simulator;
  const { id } = slack.person('ada.lovelace', 'business');
  const at = slackClock.now();
  return {
    access: [...world.grants.values()].filter(
      ({ personId, isRotating, isRevoked, expiresAt, name }) =>
        personId === id && isRotating && name.startsWith('issued') && !isRevoked && (expiresAt ?? 0) > at,
    ).length,
    refresh: [...world.oauth.refreshTokens.values()].filter(
      ({ personId, endsAt }) => personId === id && (endsAt === null || endsAt > at),
    ).length,
  };
}

describe('two tenants whose connections one person installed', () => {
  it('have a pair each, refreshed one after the other, and both work', async () => {
    const second = await aStoredCaller(shared.database, clock);
    const one = await install(services, simulator, caller);
    const two = await install(services, simulator, second);
    expect((await active(one)).fingerprint).not.toBe((await active(two)).fingerprint);
    pass(13 * HOUR);

    expect(await exchangesOf(() => Promise.all([lease(one), lease(two), lease(one), lease(two)]))).toBe(2);

    expect(await Promise.all([standing(one), standing(two)])).toEqual(['ok', 'ok']);
    await services.connections.disconnect(now(), one.id, { revokeToken: true });
    expect(await standing(two)).toBe('ok');
    await services.connections.delete(callerOf(second.tenant, clock), two.id);
  });
});
