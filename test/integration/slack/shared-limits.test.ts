import { randomUUID } from 'node:crypto';
import type { BudgetTerms } from '../../../src/domain/budget-ports';
import { type BudgetClass, type BudgetRow, budgetClasses, rowLimits } from '../../../src/slack/endpoints';
import { RateLimiter } from '../../../src/slack/rate-limiter';
import { FakeClock } from '../../support/fake-clock';
import { type Replica, startReplica, Underway } from '../../support/replicas';
import { postgresDatabase, type TestDatabase } from '../../support/test-database';

function termsOf(budgetClass: BudgetClass, reserve = 0): BudgetTerms[] {
  return budgetClasses[budgetClass].map((row: BudgetRow) => ({ row, ...rowLimits[row], reserve }));
}

describe('limits that replicas share', () => {
  const clock = new FakeClock();
  const underway = new Underway();
  let testDatabase: TestDatabase;
  let replicas: Replica[];
  let team: string;

  beforeAll(async () => {
    testDatabase = await postgresDatabase();
    await (await testDatabase.open()).close();
    replicas = await Promise.all([0, 1, 2, 3].map(() => startReplica(testDatabase, { clock, underway })));
  });
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    await testDatabase.drop();
  });
  beforeEach(() => {
    team = `LIVE:${randomUUID()}`;
  });

  const ledger = (index: number) => {
    const replica = replicas[index % replicas.length];
    if (!replica) throw new Error('There are no replicas');
    return replica.limits.budgets;
  };
  const limiters = () => replicas.map(({ limits }) => new RateLimiter(clock, 'slack', limits.budgets));
  const within = (seconds: number) => ({
    deadlineAt: clock.now() + seconds * 1000,
    signal: new AbortController().signal,
  });
  const run = <T>(work: Promise<T>) => clock.runUntil(work, underway);

  describe('in the ledger', () => {
    it('are drawn from each row of a call or from none', async () => {
      expect(await ledger(0).take(team, termsOf('users.create'), 30)).toEqual({
        taken: 20,
        states: expect.arrayContaining([
          { row: 'users.create', content: 0, blockedForMs: 0, isOwedToBulk: false },
          { row: 'writes', content: 160 * 60_000, blockedForMs: 0, isOwedToBulk: false },
        ]),
      });
      expect(await ledger(1).take(team, termsOf('users.create'), 1)).toMatchObject({ taken: 0 });
      expect((await ledger(2).look([team], termsOf('users.update'))).get(team)).toEqual([
        { row: 'writes', content: 160 * 60_000, blockedForMs: 0, isOwedToBulk: false },
      ]);
    });

    it('fill up with the time of the database, to the burst and not beyond', async () => {
      await ledger(0).take(team, termsOf('users.create'), 20);
      clock.jump(333);
      expect((await ledger(1).take(team, termsOf('users.create'), 1)).taken).toBe(0);
      clock.jump(1);
      expect((await ledger(1).take(team, termsOf('users.create'), 5)).taken).toBe(1);
      clock.jump(3_600_000);
      expect((await ledger(2).take(team, termsOf('users.create'), 500)).taken).toBe(20);
    });

    it('are left alone up to the reserve', async () => {
      expect((await ledger(0).take(team, termsOf('users.create', 2), 30)).taken).toBe(18);
      expect((await ledger(1).take(team, termsOf('users.create', 2), 1)).taken).toBe(0);
      expect((await ledger(1).take(team, termsOf('users.create'), 1)).taken).toBe(1);
    });

    it('give nothing while they are blocked and one call after it, and keep the longer of two blocks', async () => {
      await ledger(0).block(team, 'users.create', 30_000);
      await ledger(1).block(team, 'users.create', 10_000);
      clock.jump(29_999);
      expect(await ledger(2).take(team, termsOf('users.create'), 5)).toMatchObject({
        taken: 0,
        states: expect.arrayContaining([
          { row: 'users.create', content: 60_000, blockedForMs: 1, isOwedToBulk: false },
        ]),
      });
      expect((await ledger(2).take(team, termsOf('users.update'), 5)).taken).toBe(5);
      clock.jump(1);
      expect((await ledger(3).take(team, termsOf('users.create'), 5)).taken).toBe(1);
    });

    it('keep a call for bulk work that waits on any replica after nine interactive ones, and for no other', async () => {
      await ledger(0).take(team, termsOf('users.create'), 20);
      expect((await ledger(1).take(team, termsOf('users.create', 2), 5)).taken).toBe(0);
      clock.jump(3_000);
      expect((await ledger(2).take(team, termsOf('users.create'), 9)).taken).toBe(9);
      clock.jump(334);
      const kept = await ledger(3).take(team, termsOf('users.create'), 1);
      expect(kept.taken).toBe(0);
      expect(kept.states.find(({ row }) => row === 'users.create')).toMatchObject({ isOwedToBulk: true });
      expect((await ledger(1).take(team, termsOf('users.create', 2), 5)).taken).toBe(1);
      clock.jump(333);
      expect((await ledger(3).take(team, termsOf('users.create'), 1)).taken).toBe(1);
    });

    it('keep nothing for bulk work that has not come back', async () => {
      await ledger(0).take(team, termsOf('users.create'), 20);
      await ledger(1).take(team, termsOf('users.create', 2), 5);
      clock.jump(3_000);
      await ledger(2).take(team, termsOf('users.create'), 9);
      clock.jump(15_000);
      expect((await ledger(3).take(team, termsOf('users.create'), 30)).taken).toBe(20);
    });

    it('survive a clock that is put back: no block grows, and filling goes on', async () => {
      await ledger(0).take(team, termsOf('users.create'), 20);
      await ledger(0).block(team, 'users.update', 10_000);
      clock.jump(-600_000);
      expect((await ledger(1).take(team, termsOf('users.create'), 1)).taken).toBe(0);
      expect(await ledger(1).take(team, termsOf('users.update'), 1)).toMatchObject({ taken: 0 });
      clock.jump(10_000);
      expect((await ledger(2).take(team, termsOf('users.create'), 20)).taken).toBe(20);
      expect((await ledger(2).take(team, termsOf('users.update'), 1)).taken).toBe(1);
    });

    it('give 4 replicas at once no more than one would get, to the last call', async () => {
      const classes: BudgetClass[] = ['users.create', 'users.update', 'groups.update', 'users.delete', 'groups.create'];
      const takings = await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const budgetClass = classes[index % classes.length] ?? 'users.create';
          const { taken } = await ledger(index).take(team, termsOf(budgetClass), (index % 3) + 1);
          return { budgetClass, taken };
        }),
      );
      const sum = (budgetClass: BudgetClass) =>
        takings.filter((taking) => taking.budgetClass === budgetClass).reduce((total, { taken }) => total + taken, 0);
      expect(classes.map(sum)).toEqual([20, 20, 80, 20, 20]);
      const [writes] = (await ledger(0).look([team], termsOf('users.create').slice(1))).get(team) ?? [];
      expect(writes).toEqual({ row: 'writes', content: 20 * 60_000, blockedForMs: 0, isOwedToBulk: false });
    });

    it('do not keep teams that nobody has used for a day', async () => {
      await ledger(0).take(team, termsOf('users.create'), 1);
      clock.jump(2 * 24 * 3_600_000);
      await ledger(0).take(`${team}-other`, termsOf('users.create'), 1);
      const rows = await testDatabase.query('SELECT budget_key FROM rate_budgets');
      expect(rows.map((row) => row.budget_key)).toEqual([`${team}-other`, `${team}-other`]);
    });
  });

  it('are counted by the clock of the database where nothing else is said', async () => {
    const real = await Promise.all([startReplica(testDatabase), startReplica(testDatabase)]);
    const startedAt = performance.now();
    let taken = 0;
    await Promise.all(
      real.map(async ({ limits }) => {
        while (taken < 22) {
          const got = await limits.budgets.take(team, termsOf('users.create'), 3);
          taken += got.taken;
        }
      }),
    );
    const seconds = (performance.now() - startedAt) / 1000;
    await Promise.all(real.map((replica) => replica.stop()));
    expect(taken).toBeLessThanOrEqual(20 + seconds * 3);
  });

  describe('in the limiters of 4 replicas', () => {
    it('are waited for by everybody, never exceeded, and never left unused', async () => {
      const times: number[] = [];
      const startedAt = clock.now();
      await run(
        Promise.all(
          limiters().flatMap((limiter) =>
            Array.from({ length: 20 }, async () => {
              await limiter.acquire(team, 'users.create', within(60));
              times.push(clock.now());
            }),
          ),
        ),
      );
      expect(times).toHaveLength(80);
      times.forEach((at, index) => {
        for (let first = 0; first <= index; first += 1) {
          const from = times[first] ?? at;
          expect(index - first + 1).toBeLessThanOrEqual(20 + ((at - from) * 180) / 60_000 + 1e-6);
        }
      });
      expect(clock.now() - startedAt).toBe(20_000);
    });

    it('are learned from a 429 of one of them by all', async () => {
      const [one, ...others] = limiters();
      await one?.block(team, 'users.create', 30_000);
      const startedAt = clock.now();
      const grants = others.map(async (other) => {
        await other.acquire(team, 'users.create', within(60));
        return clock.now() - startedAt;
      });
      expect((await run(Promise.all(grants))).sort((left, right) => left - right)).toEqual([30_000, 30_334, 30_667]);
      const seen = await Promise.all(others.map((other) => other.budgetOf(team)));
      expect(new Set(seen.map((budget) => JSON.stringify(budget))).size).toBe(1);
    });

    it('leave interactive calls undelayed by the bulk work of other replicas, and refuse the late at once', async () => {
      const [bulk, other, third] = limiters();
      if (!bulk || !other || !third) throw new Error('There are too few replicas');
      const startedAt = clock.now();
      const work = Array.from({ length: 60 }, () =>
        bulk.acquire(team, 'users.create', { ...within(600), urgency: 'bulk' }),
      );
      const delays: number[] = [];
      const people = (async () => {
        for (let call = 0; call < 10; call += 1) {
          await clock.sleep(1_000);
          const askedAt = clock.now();
          await other.acquire(team, 'users.create', within(10));
          delays.push(clock.now() - askedAt);
        }
      })();
      await run(Promise.all([...work, people]));
      expect(delays).toEqual(Array(10).fill(0));
      // 70 calls and the 2 that bulk work always leaves: all but the burst at the rate of the limit.
      expect(clock.now() - startedAt).toBeLessThanOrEqual(((70 + 2 - 20) * 1000) / 3 + 1);
      const hopeless = third.acquire(team, 'users.create', { ...within(0), urgency: 'bulk' });
      await expect(run(hopeless)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: 1 });
    });

    it.each([
      ['another replica', 3],
      ['the same replica', 0],
    ])('keep bulk work going while people call all the time, on %s', async (_, bulkAt) => {
      const replicasOf = limiters();
      const bulk = replicasOf[bulkAt];
      if (!bulk) throw new Error('There are too few replicas');
      const until = clock.now() + 60_000;
      const finished = { interactive: 0, bulk: 0 };
      const work = async (limiter: RateLimiter, urgency: 'interactive' | 'bulk') => {
        while (clock.now() < until) {
          await limiter.acquire(team, 'users.create', { ...within(urgency === 'bulk' ? 60 : 600), urgency });
          finished[urgency] += 1;
        }
      };
      // Six people, each with the next call as soon as the last one is through: more than the limit allows.
      const people = replicasOf
        .slice(0, 3)
        .flatMap((limiter) => [work(limiter, 'interactive'), work(limiter, 'interactive')]);
      await run(Promise.all([work(bulk, 'bulk'), work(bulk, 'bulk'), ...people]));
      expect(finished.interactive + finished.bulk).toBeGreaterThanOrEqual(190);
      expect(finished.bulk).toBeGreaterThanOrEqual(17);
      expect(finished.bulk).toBeLessThanOrEqual(30);
    });
  });

  describe('on turns to write', () => {
    const turns = (index: number) => {
      const replica = replicas[index % replicas.length];
      if (!replica) throw new Error('There are no replicas');
      return replica.limits.turns;
    };

    it('give a name to one of many who ask at once, until it is given back or its time is over', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 12 }, (_, index) => turns(index).take(team, `owner ${index}`, 15_000)),
      );
      const winner = outcomes.indexOf(true);
      expect(outcomes.filter(Boolean)).toHaveLength(1);
      await turns(winner + 1).release(team, 'owner 99');
      expect(await turns(0).take(team, 'next', 15_000)).toBe(false);
      await turns(winner).release(team, `owner ${winner}`);
      expect(await turns(0).take(team, 'next', 15_000)).toBe(true);
      clock.jump(14_999);
      expect(await turns(1).take(team, 'third', 15_000)).toBe(false);
      clock.jump(1);
      expect(await turns(1).take(team, 'third', 15_000)).toBe(true);
    });

    it('do not keep what nobody came back for', async () => {
      await turns(0).take(`${team} forgotten`, 'gone', 15_000);
      clock.jump(3 * 24 * 3_600_000);
      await turns(1).take(team, 'a', 15_000);
      await turns(1).release(team, 'a');
      expect(await testDatabase.query(`SELECT name FROM write_turns WHERE name LIKE '${team}%'`)).toEqual([]);
    });
  });
});
