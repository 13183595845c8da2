import fc from 'fast-check';
import { ManualClock } from '../../../src/simulator/clock';
import { limitRows, RateLimiter, TokenBucket } from '../../../src/simulator/scim/rate-limit';
import { ScimError } from '../../../src/simulator/scim/scim-error';

const limit = fc.record({ perMinute: fc.integer({ min: 1, max: 2000 }), burst: fc.integer({ min: 1, max: 200 }) });
const steps = fc.array(
  fc.record({ waitMs: fc.integer({ min: 0, max: 5000 }), calls: fc.integer({ min: 0, max: 30 }) }),
  { maxLength: 40 },
);

describe('a token bucket', () => {
  it('never lets more through than its burst and what it gained since', () => {
    fc.assert(
      fc.property(limit, steps, (rate, plan) => {
        const bucket = new TokenBucket(rate, 0);
        let now = 0;
        let passed = 0;
        for (const { waitMs, calls } of plan) {
          now += waitMs;
          for (let call = 0; call < calls; call += 1) {
            if (bucket.waitMs(now) > 0) continue;
            bucket.take(now);
            passed += 1;
          }
          expect(passed).toBeLessThanOrEqual(rate.burst + (now * rate.perMinute) / 60_000 + 1e-6);
        }
      }),
    );
  });

  it('has a token after exactly the time that it names', () => {
    fc.assert(
      fc.property(limit, fc.integer({ min: 0, max: 100_000 }), (rate, start) => {
        const bucket = new TokenBucket(rate, start);
        for (let call = 0; call < rate.burst; call += 1) bucket.take(start);
        const waitMs = bucket.waitMs(start);
        expect(waitMs).toBeGreaterThan(0);
        expect(bucket.waitMs(start + waitMs)).toBe(0);
        expect(new TokenBucket(rate, start).waitMs(start)).toBe(0);
      }),
    );
  });

  it('does not lose tokens when the clock goes back', () => {
    const bucket = new TokenBucket(limitRows.createUser, 10_000);
    bucket.take(10_000);
    expect(bucket.tokens(0)).toBe(19);
    expect(bucket.tokens(10_000)).toBe(19);
  });
});

describe('the limiter', () => {
  const refusal = (work: () => void): ScimError => {
    try {
      work();
    } catch (error) {
      if (error instanceof ScimError) return error;
    }
    throw new Error('Nothing was refused');
  };

  it('names whole seconds, at least one, after which the call passes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 59_999 }), (waitMs) => {
        const clock = new ManualClock();
        const limiter = new RateLimiter(clock);
        for (let call = 0; call < 20; call += 1) limiter.take('T1', ['allWrites', 'createUser']);
        clock.advance(waitMs % 300);
        const { retryAfterSeconds = 0, code } = refusal(() => limiter.take('T1', ['allWrites', 'createUser']));
        expect(code).toBe('too_many_requests');
        expect(Number.isInteger(retryAfterSeconds) && retryAfterSeconds >= 1).toBe(true);
        clock.advance(retryAfterSeconds * 1000);
        limiter.take('T1', ['allWrites', 'createUser']);
      }),
    );
  });

  it('takes from no row when one is empty', () => {
    const limiter = new RateLimiter(new ManualClock());
    for (let call = 0; call < 20; call += 1) limiter.take('T1', ['allWrites', 'createUser']);
    refusal(() => limiter.take('T1', ['allWrites', 'createUser']));
    expect(limiter.inspect()).toEqual({ T1: { allWrites: 160, createUser: 0 } });
  });
});
