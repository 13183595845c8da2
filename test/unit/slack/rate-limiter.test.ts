import fc from 'fast-check';
import type { TenantId } from '../../../src/domain/access/access';
import { RateLimited } from '../../../src/domain/errors';
import type { BudgetClass } from '../../../src/slack/endpoints';
import { budgetClasses, rowLimits } from '../../../src/slack/endpoints';
import { RateLimiter } from '../../../src/slack/rate-limiter';
import { FakeClock } from '../../support/fake-clock';

function within(clock: FakeClock, seconds: number, signal = new AbortController().signal) {
  return { deadlineAt: clock.now() + seconds * 1000, signal };
}

describe('RateLimiter', () => {
  let clock: FakeClock;
  let limiter: RateLimiter;
  beforeEach(() => {
    clock = new FakeClock(0);
    limiter = new RateLimiter(clock, 'slack');
  });

  it('lets a burst through at once and the rest at the rate of the row, first come first served', async () => {
    const granted: { name: number; at: number }[] = [];
    const calls = Array.from({ length: 26 }, (_, name) =>
      limiter.acquire('T1', 'users.create', within(clock, 60)).then(() => granted.push({ name, at: clock.now() })),
    );
    await clock.advance(0);
    expect(granted).toHaveLength(20);
    await clock.advance(2_000);
    await Promise.all(calls);
    expect(granted.map(({ name }) => name)).toEqual([...Array(26).keys()]);
    expect(granted.slice(20).map(({ at }) => at)).toEqual([334, 667, 1000, 1334, 1667, 2000]);
    expect(clock.sleeperCount).toBe(0);
  });

  it('refuses at once, with an honest time, when the turn would come after the deadline', async () => {
    const waiting = Array.from({ length: 50 }, () => limiter.acquire('T1', 'users.create', within(clock, 60)));
    const error = await limiter.acquire('T1', 'users.create', within(clock, 5)).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(RateLimited);
    expect(error).toMatchObject({ retryAfterSeconds: 11, retryable: true });
    await clock.advance(60_000);
    await Promise.all(waiting);
  });

  it('keeps teams, and classes of one team, apart', async () => {
    await Promise.all(Array.from({ length: 20 }, () => limiter.acquire('T1', 'users.create', within(clock, 0))));
    await expect(limiter.acquire('T1', 'users.create', within(clock, 0))).rejects.toBeInstanceOf(RateLimited);
    await limiter.acquire('T1', 'users.update', within(clock, 0));
    await limiter.acquire('T2', 'users.create', within(clock, 0));
  });

  it('sends nothing to a class while Slack wants quiet, and lets the others go on', async () => {
    await limiter.block('T1', 'users.create', 30_000);
    let isGranted = false;
    const waiting = limiter.acquire('T1', 'users.create', within(clock, 60)).then(() => {
      isGranted = true;
    });
    await limiter.acquire('T1', 'users.get', within(clock, 0));
    await clock.advance(29_999);
    expect(isGranted).toBe(false);
    await clock.advance(1);
    await waiting;
  });

  it('blocks all reads when a list, which has no row of its own, is refused', async () => {
    await limiter.block('T1', 'users.list', 30_000);
    await expect(limiter.acquire('T1', 'users.get', within(clock, 10))).rejects.toMatchObject({
      retryAfterSeconds: 30,
    });
    await limiter.acquire('T1', 'users.create', within(clock, 0));
  });

  it('tells those who wait already when a block leaves them no chance', async () => {
    await Promise.all(Array.from({ length: 20 }, () => limiter.acquire('T1', 'users.create', within(clock, 0))));
    const hopeless = limiter.acquire('T1', 'users.create', within(clock, 10));
    const patient = limiter.acquire('T1', 'users.create', within(clock, 100_000));
    const outcome = expect(hopeless).rejects.toMatchObject({ retryAfterSeconds: 99_999 });
    await limiter.block('T1', 'users.create', 99_999_000);
    await outcome;
    await clock.advance(99_999_000);
    await patient;
  });

  it('stops waiting at once when the signal aborts, and lets the next one move up', async () => {
    await Promise.all(Array.from({ length: 20 }, () => limiter.acquire('T1', 'users.create', within(clock, 0))));
    const caller = new AbortController();
    const reason = new Error('gone');
    const leaving = limiter.acquire('T1', 'users.create', within(clock, 60, caller.signal));
    const staying = limiter.acquire('T1', 'users.create', within(clock, 60));
    const outcome = expect(leaving).rejects.toBe(reason);
    caller.abort(reason);
    await outcome;
    await clock.advance(334);
    await staying;
    await expect(limiter.acquire('T1', 'users.create', within(clock, 60, caller.signal))).rejects.toBe(reason);
    expect(clock.sleeperCount).toBe(0);
  });

  it('reports what is left, also for a team it has not met, without remembering that team', async () => {
    expect(await limiter.budgetOf('T9')).toContainEqual({
      endpointClass: 'users.create',
      limitPerMinute: 180,
      burst: 20,
      remaining: 20,
      reserve: 2,
    });
    expect(limiter.size).toBe(0);
    await limiter.acquire('T9', 'users.create', within(clock, 0));
    await limiter.block('T9', 'users.delete', 5_000);
    const budget = await limiter.budgetOf('T9');
    expect(budget.find(({ endpointClass }) => endpointClass === 'users.create')?.remaining).toBe(19);
    expect(budget.find(({ endpointClass }) => endpointClass === 'writes')?.remaining).toBe(179);
    expect(budget.find(({ endpointClass }) => endpointClass === 'users.delete')).toMatchObject({
      remaining: 0,
      blockedUntil: new Date(5_000),
    });
  });

  it('forgets teams that have been idle long enough to be like new', async () => {
    for (let team = 0; team < 100; team += 1) await limiter.acquire(`T${team}`, 'users.create', within(clock, 0));
    expect(limiter.size).toBe(100);
    await clock.advance(61_000);
    await limiter.acquire('T0', 'users.create', within(clock, 0));
    expect(limiter.size).toBe(1);
  });

  it('sends at once when switched off, and still keeps the quiet that Slack asks for', async () => {
    limiter = new RateLimiter(clock, 'off');
    await Promise.all(Array.from({ length: 500 }, () => limiter.acquire('T1', 'users.create', within(clock, 0))));
    await limiter.block('T1', 'users.create', 5_000);
    await expect(limiter.acquire('T1', 'users.create', within(clock, 1))).rejects.toBeInstanceOf(RateLimited);
    expect(await limiter.budgetOf('T1')).toEqual([]);
  });

  describe('between people who wait and bulk work', () => {
    const as = (seconds: number, urgency: 'interactive' | 'bulk', tenant: string) => ({
      ...within(clock, seconds),
      urgency,
      tenant: { id: tenant as TenantId },
    });

    it('lets bulk work leave a tenth of each burst untouched, so that a single call never waits for it', async () => {
      const bulk = Array.from({ length: 300 }, () => limiter.acquire('T1', 'users.create', as(600, 'bulk', 'big')));
      for (let second = 0; second < 30; second += 1) {
        await clock.advance(1_000);
        const askedAt = clock.now();
        await limiter.acquire('T1', 'users.create', as(0, 'interactive', 'small'));
        expect(clock.now()).toBe(askedAt);
      }
      await clock.advance(600_000);
      await Promise.all(bulk);
    });

    it('uses the whole rate for bulk work: the reserve costs its own filling, once', async () => {
      const bulk = Promise.all(
        Array.from({ length: 1_000 }, () => limiter.acquire('T1', 'users.create', as(600, 'bulk', 'big'))),
      );
      await clock.runUntil(bulk);
      const least = ((1_000 - 20) * 1000) / 3;
      expect(clock.now()).toBeGreaterThanOrEqual(least);
      expect(clock.now()).toBeLessThanOrEqual(least + 668);
    });

    it('puts a call that somebody waits for before every bulk call that came earlier', async () => {
      const order: string[] = [];
      const ask = (name: string, urgency: 'interactive' | 'bulk') =>
        limiter.acquire('T1', 'users.create', as(60, urgency, 'a')).then(() => order.push(name));
      await Promise.all(Array.from({ length: 20 }, () => limiter.acquire('T1', 'users.create', within(clock, 0))));
      const calls = [
        ask('bulk 1', 'bulk'),
        ask('bulk 2', 'bulk'),
        ask('one', 'interactive'),
        ask('two', 'interactive'),
      ];
      await clock.runUntil(Promise.all(calls));
      expect(order).toEqual(['one', 'two', 'bulk 1', 'bulk 2']);
    });

    it('gives bulk work one turn in ten as long as interactive calls want all of them', async () => {
      const order: string[] = [];
      await Promise.all(Array.from({ length: 20 }, () => limiter.acquire('T1', 'users.create', within(clock, 0))));
      const ask = (urgency: 'interactive' | 'bulk') =>
        limiter.acquire('T1', 'users.create', as(600, urgency, urgency)).then(() => order.push(urgency));
      const calls = [
        ...Array.from({ length: 40 }, () => ask('bulk')),
        ...Array.from({ length: 90 }, () => ask('interactive')),
      ];
      await clock.advance(100 * 334);
      expect(order.slice(0, 100)).toEqual(
        Array.from({ length: 100 }, (_, turn) => (turn % 10 === 9 ? 'bulk' : 'interactive')),
      );
      await clock.runUntil(Promise.all(calls));
    });

    it.each([
      ['just as many as the limit allows', 334],
      ['more than the limit allows', 250],
    ])('keeps bulk work going while people call all the time, %s', async (_, everyMs) => {
      const finished = { interactive: 0, bulk: 0, refused: 0 };
      const bulk = new AbortController();
      const work = async () => {
        while (!bulk.signal.aborted) {
          await limiter.acquire('T1', 'users.create', as(60, 'bulk', 'big')).then(
            () => {
              finished.bulk += 1;
            },
            () => {
              finished.refused += 1;
            },
          );
        }
      };
      const workers = [work(), work()];
      const people: Promise<unknown>[] = [];
      for (let ms = 0; ms < 600_000; ms += everyMs) {
        people.push(
          limiter.acquire('T1', 'users.create', as(60, 'interactive', 'small')).then(
            () => {
              finished.interactive += 1;
            },
            (error: unknown) => expect(error).toBeInstanceOf(RateLimited),
          ),
        );
        await clock.advance(everyMs);
      }
      bulk.abort();
      await clock.runUntil(Promise.all([...workers, ...people]));
      expect(finished.refused).toBe(0);
      // Ten minutes at 180 a minute, the burst, and the last waiting calls.
      expect(finished.bulk).toBeGreaterThanOrEqual(175);
      expect(finished.bulk).toBeLessThanOrEqual(220);
      expect(finished.interactive).toBeGreaterThanOrEqual(1_600);
    });

    it('does not take what is kept for people while bulk work has turns of its own', async () => {
      const bulk = Array.from({ length: 900 }, () => limiter.acquire('T1', 'users.create', as(900, 'bulk', 'big')));
      // Updates do not make the creations wait, and so owe them nothing.
      for (let call = 0; call < 300; call += 1) {
        await clock.advance(700);
        const askedAt = clock.now();
        await limiter.acquire('T1', 'users.update', as(0, 'interactive', 'small'));
        await limiter.acquire('T1', 'users.create', as(0, 'interactive', 'small'));
        expect(clock.now()).toBe(askedAt);
      }
      await clock.runUntil(Promise.all(bulk));
    });

    it.each(['interactive', 'bulk'] as const)('lets tenants take turns who share a team (%s)', async (urgency) => {
      const order: string[] = [];
      const ask = (tenant: string) =>
        limiter.acquire('T1', 'users.create', as(60, urgency, tenant)).then(() => order.push(tenant));
      await Promise.all(Array.from({ length: 20 }, () => limiter.acquire('T1', 'users.create', within(clock, 0))));
      const calls = [...Array.from({ length: 5 }, () => ask('big')), ask('small'), ask('small'), ask('other')];
      await clock.runUntil(Promise.all(calls));
      expect(order).toEqual(['big', 'small', 'other', 'big', 'small', 'big', 'big', 'big']);
    });

    it('tells honestly how long a turn takes: behind those of others too, as far as they come before', async () => {
      await Promise.all(Array.from({ length: 20 }, () => limiter.acquire('T1', 'users.create', within(clock, 0))));
      const calls = Array.from({ length: 30 }, () => limiter.acquire('T1', 'users.create', as(60, 'bulk', 'big')));
      const refusal = (urgency: 'interactive' | 'bulk', tenant: string) =>
        limiter.acquire('T1', 'users.create', as(0.1, urgency, tenant)).catch((error: unknown) => error);
      expect(await refusal('interactive', 'small')).toMatchObject({ retryAfterSeconds: 1 });
      // The reserve of 2, one of the others, and its own.
      expect(await refusal('bulk', 'small')).toMatchObject({ retryAfterSeconds: 2 });
      expect(await refusal('bulk', 'big')).toMatchObject({ retryAfterSeconds: 11 });
      await clock.runUntil(Promise.all(calls));
    });

    it('refuses bulk calls at their deadline, however many go before them', async () => {
      await Promise.all(Array.from({ length: 20 }, () => limiter.acquire('T1', 'users.create', within(clock, 0))));
      const late = limiter.acquire('T1', 'users.create', as(2, 'bulk', 'big'));
      const outcome = expect(late).rejects.toBeInstanceOf(RateLimited);
      const others = Array.from({ length: 40 }, () =>
        limiter.acquire('T1', 'users.create', as(60, 'interactive', 'small')),
      );
      await clock.advance(2_001);
      await outcome;
      await clock.runUntil(Promise.all(others));
    });
  });

  it('survives any mixture of calls, aborts and blocks: in order, within limits, nobody forgotten', async () => {
    const classes = Object.keys(budgetClasses) as BudgetClass[];
    const event = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          call: fc.constantFrom(...classes),
          seconds: fc.integer({ min: 0, max: 90 }),
          urgency: fc.constantFrom('interactive' as const, 'bulk' as const),
          tenant: fc.constantFrom('a', 'b', 'c'),
        }),
      },
      { weight: 2, arbitrary: fc.record({ advance: fc.integer({ min: 1, max: 8_000 }) }) },
      {
        weight: 1,
        arbitrary: fc.record({ block: fc.constantFrom(...classes), ms: fc.integer({ min: 1_000, max: 20_000 }) }),
      },
      { weight: 1, arbitrary: fc.record({ abort: fc.nat(60) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 80 }), fc.integer({ min: 1, max: 30 }), async (plan, copies) => {
        const time = new FakeClock(0);
        const subject = new RateLimiter(time, 'slack');
        const grants: { budgetClass: BudgetClass; order: number; at: number; who: string }[] = [];
        const callers: { controller: AbortController; settled: Promise<void>; isSettled: boolean }[] = [];
        for (const step of plan) {
          if ('advance' in step) await time.advance(step.advance);
          else if ('block' in step) await subject.block('T1', step.block, step.ms);
          else if ('abort' in step)
            callers[step.abort % Math.max(1, callers.length)]?.controller.abort(new Error('gone'));
          else {
            for (let copy = 0; copy < copies; copy += 1) {
              const order = callers.length;
              const controller = new AbortController();
              const bounds = {
                deadlineAt: time.now() + step.seconds * 1000,
                signal: controller.signal,
                urgency: step.urgency,
                tenant: { id: step.tenant as TenantId },
              };
              const who = `${step.urgency} ${step.tenant}`;
              const caller = { controller, isSettled: false, settled: Promise.resolve() };
              caller.settled = subject
                .acquire('T1', step.call, bounds)
                .then(() => {
                  expect(time.now()).toBeLessThanOrEqual(bounds.deadlineAt);
                  grants.push({ budgetClass: step.call, order, at: time.now(), who });
                })
                .catch((error: unknown) => {
                  if (!(error instanceof RateLimited) && !controller.signal.aborted) throw error;
                })
                .finally(() => {
                  caller.isSettled = true;
                });
              callers.push(caller);
            }
          }
        }
        await time.advance(300_000);
        expect(callers.every(({ isSettled }) => isSettled)).toBe(true);
        await Promise.all(callers.map(({ settled }) => settled));
        for (const budgetClass of classes) {
          for (const asker of new Set(grants.map(({ who }) => who))) {
            const own = grants.filter((grant) => grant.budgetClass === budgetClass && grant.who === asker);
            const orders = own.map(({ order }) => order);
            expect(orders).toEqual([...orders].sort((left, right) => left - right));
          }
        }
        for (const [row, { limitPerMinute, burst }] of Object.entries(rowLimits)) {
          const times = grants
            .filter(({ budgetClass }) => (budgetClasses[budgetClass] as readonly string[]).includes(row))
            .map(({ at }) => at);
          times.forEach((from, first) => {
            const last = times.length - 1;
            const to = times[last] ?? from;
            expect(last - first + 1).toBeLessThanOrEqual(burst + ((to - from) * limitPerMinute) / 60_000 + 1e-6);
          });
        }
        expect(time.sleeperCount).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
