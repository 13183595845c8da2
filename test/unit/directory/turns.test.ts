import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { backoffMs } from '../../../src/shared/backoff';
import { canonicalJson } from '../../../src/shared/canonical-json';
import { KeyedMutex } from '../../../src/shared/mutex';

// The same inputs in every run.
fc.configureGlobal({ seed: 1815 });

describe('KeyedMutex', () => {
  const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 });

  it('lets nobody hold a key together with somebody else, keeps the order of arrival, and forgets every key', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(keys, { maxLength: 20 }), fc.scheduler(), async (wishes, scheduler) => {
        const mutex = new KeyedMutex();
        const holders = new Map<string, number>();
        const order = new Map<string, number[]>();
        const work = (wish: readonly string[], number: number) => async () => {
          for (const key of wish) {
            expect(holders.has(key)).toBe(false);
            holders.set(key, number);
            order.set(key, [...(order.get(key) ?? []), number]);
          }
          await scheduler.schedule(Promise.resolve());
          for (const key of wish) holders.delete(key);
        };
        const all = Promise.all(wishes.map((wish, number) => mutex.runAll(wish, work(wish, number))));
        await scheduler.waitFor(all);
        for (const numbers of order.values()) expect(numbers).toEqual([...numbers].sort((left, right) => left - right));
        expect(mutex.size).toBe(0);
      }),
    );
  });

  it('goes on after work that failed', async () => {
    const mutex = new KeyedMutex();
    const failed = mutex.runAll(['a', 'b'], async () => Promise.reject(new Error('no')));
    const next = mutex.run('b', async () => 'next');
    await expect(failed).rejects.toThrow('no');
    await expect(next).resolves.toBe('next');
    expect(mutex.size).toBe(0);
  });

  it('takes a key that is named twice once, and needs none at all', async () => {
    const mutex = new KeyedMutex();
    await expect(mutex.runAll(['a', 'a'], async () => mutex.isHeld('a'))).resolves.toBe(true);
    await expect(mutex.runAll([], async () => 'free')).resolves.toBe('free');
    expect(mutex.size).toBe(0);
  });

  it('lets others go on beside a key that is held', async () => {
    const mutex = new KeyedMutex();
    let release: () => void = () => {};
    const held = mutex.run('a', () => new Promise<void>((resolve) => (release = resolve)));
    await expect(mutex.run('b', async () => 'other')).resolves.toBe('other');
    release();
    await held;
  });
});

describe('canonicalJson', () => {
  const json = fc.jsonValue();

  it('is the same whatever the order of the members, and holds the same value', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
        expect(canonicalJson(JSON.parse(canonicalJson(value)))).toBe(canonicalJson(value));
      }),
    );
  });

  it('differs for different values', () => {
    fc.assert(
      fc.property(json, json, (left, right) => {
        const isSame = canonicalJson(left) === canonicalJson(right);
        expect(isSame).toBe(isDeepStrictEqual(JSON.parse(JSON.stringify(left)), JSON.parse(JSON.stringify(right))));
      }),
    );
  });

  it('leaves out undefined members, and writes instants as text', () => {
    const at = new Date('2026-05-01T00:00:00Z');
    expect(canonicalJson({ b: undefined, a: { at } })).toBe('{"a":{"at":"2026-05-01T00:00:00.000Z"}}');
    expect(canonicalJson(undefined)).toBe('null');
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

describe('backoffMs', () => {
  it('waits between half the step and the step, which doubles up to its cap', () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 1, max: 60_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, baseMs, capMs, random) => {
          const step = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
          const ms = backoffMs(attempt, { baseMs, capMs, random: () => random });
          expect(ms).toBeGreaterThanOrEqual(Math.floor(step / 2));
          expect(ms).toBeLessThanOrEqual(Math.ceil(step));
          expect(Number.isSafeInteger(ms)).toBe(true);
        },
      ),
    );
  });
});
