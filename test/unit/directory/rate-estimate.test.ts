import type { RateBudget } from '../../../src/domain/directory-ports';
import { callsPerItem, estimatedFinish, sumOfCalls, timesCalls } from '../../../src/domain/rate-estimate';

const now = new Date('2030-01-01T00:00:00Z');
const seconds = (finish: Date | undefined) => finish && (finish.getTime() - now.getTime()) / 1000;

function budget(endpointClass: string, more: Partial<RateBudget> = {}): RateBudget {
  return { endpointClass, limitPerMinute: 180, burst: 20, remaining: 20, reserve: 2, ...more };
}

const full: readonly RateBudget[] = [
  budget('reads', { limitPerMinute: 1000, burst: 1000, remaining: 1000, reserve: 100 }),
  budget('writes', { limitPerMinute: 600, burst: 180, remaining: 180, reserve: 18 }),
  budget('users.get', { limitPerMinute: 300, burst: 300, remaining: 300, reserve: 30 }),
  budget('users.create'),
  budget('users.update'),
];

describe('estimatedFinish', () => {
  it('is what the scantest limit allows: 10,000 new people take 55 minutes', () => {
    const calls = timesCalls(callsPerItem.provision, 10_000);
    expect(seconds(estimatedFinish(now, { calls, budgets: full }))).toBeCloseTo((10_000 - 18) / 3, 2);
  });

  it('adds up what different work needs of the same limit', () => {
    const calls = sumOfCalls(timesCalls(callsPerItem.update, 100), timesCalls(callsPerItem.deprovision, 200));
    expect(calls).toMatchObject({ 'users.update': 300, reads: 500, writes: 300 });
    expect(seconds(estimatedFinish(now, { calls, budgets: full }))).toBeCloseTo((300 - 18) / 3, 2);
  });

  it('is now when the bursts cover everything, and waits for a block and for the reserve to fill', () => {
    const calls = timesCalls(callsPerItem.provision, 10);
    expect(seconds(estimatedFinish(now, { calls, budgets: full }))).toBe(0);
    const used = full.map((row) =>
      row.endpointClass === 'users.create'
        ? { ...row, remaining: 0, blockedUntil: new Date(now.getTime() + 30_000) }
        : row,
    );
    expect(seconds(estimatedFinish(now, { calls, budgets: used }))).toBe(34);
  });

  it('believes the pace that was seen where it is slower, and says nothing where nothing is known', () => {
    const calls = timesCalls(callsPerItem.provision, 100);
    expect(seconds(estimatedFinish(now, { calls, budgets: full, observedMs: 90_000 }))).toBe(90);
    expect(seconds(estimatedFinish(now, { calls, budgets: full, observedMs: 1_000 }))).toBeGreaterThan(27);
    expect(seconds(estimatedFinish(now, { calls, budgets: [], observedMs: 5_000 }))).toBe(5);
    expect(estimatedFinish(now, { calls, budgets: [] })).toBeUndefined();
  });
});
