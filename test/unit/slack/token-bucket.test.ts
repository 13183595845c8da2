import fc from 'fast-check';
import { TokenBucket } from '../../../src/slack/token-bucket';

describe('TokenBucket', () => {
  it('never gives more than burst + rate · t in any window', () => {
    const steps = fc.array(fc.oneof(fc.constant('take' as const), fc.integer({ min: 0, max: 20_000 })), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 1, max: 50 }),
        steps,
        (perMinute, burst, plan) => {
          const bucket = new TokenBucket({ limitPerMinute: perMinute, burst }, 0);
          const taken: number[] = [];
          let now = 0;
          for (const step of plan) {
            if (step !== 'take') now += step;
            else if (bucket.waitMs(now) === 0) {
              bucket.take(now);
              taken.push(now);
            }
          }
          taken.forEach((from, first) => {
            taken.slice(first).forEach((to, index) => {
              expect(index + 1).toBeLessThanOrEqual(burst + ((to - from) * perMinute) / 60_000 + 1e-6);
            });
          });
        },
      ),
    );
  });

  it('says truly when the next token comes, and not a millisecond early', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 0, max: 90_000 }), (perMinute, elapsed) => {
        const bucket = new TokenBucket({ limitPerMinute: perMinute, burst: 1 }, 0);
        bucket.take(0);
        const waitMs = bucket.waitMs(elapsed);
        if (waitMs > 0) expect(bucket.waitMs(elapsed + waitMs - 1)).toBeGreaterThan(0);
        expect(bucket.waitMs(elapsed + waitMs)).toBe(0);
      }),
    );
  });

  it('gives out nothing during a block, one token right after it, and refills from there', () => {
    const bucket = new TokenBucket({ limitPerMinute: 60, burst: 20 }, 0);
    bucket.block(0, 30_000);
    expect(bucket.waitMs(0)).toBe(30_000);
    expect(bucket.waitMs(0, 2)).toBe(31_000);
    expect(bucket.remaining(29_999)).toBe(0);
    expect(bucket.blockedUntil(29_999)).toBe(30_000);
    expect(bucket.remaining(30_000)).toBe(1);
    expect(bucket.remaining(35_000)).toBe(6);
    expect(bucket.isFull(35_000)).toBe(false);
    expect(bucket.isFull(49_000)).toBe(true);
  });

  it('keeps the longer of two blocks', () => {
    const bucket = new TokenBucket({ limitPerMinute: 60, burst: 20 }, 0);
    bucket.block(0, 30_000);
    bucket.block(1_000, 5_000);
    expect(bucket.blockedUntil(2_000)).toBe(30_000);
  });

  it('does not prolong a block when the clock is put back', () => {
    const bucket = new TokenBucket({ limitPerMinute: 60, burst: 20 }, 1_000_000);
    bucket.block(1_000_000, 30_000);
    expect(bucket.waitMs(400_000)).toBe(30_000);
  });

  it('only blocks when its limits are infinite', () => {
    const unlimited = { limitPerMinute: Number.POSITIVE_INFINITY, burst: Number.POSITIVE_INFINITY };
    const bucket = new TokenBucket(unlimited, 0);
    for (let count = 0; count < 1000; count += 1) bucket.take(0);
    expect(bucket.waitMs(0, 1000)).toBe(0);
    bucket.block(0, 2_000);
    expect(bucket.waitMs(0)).toBe(2_000);
    expect(bucket.waitMs(2_000)).toBe(0);
    expect(bucket.waitMs(3_000, 5)).toBe(0);
  });
});
