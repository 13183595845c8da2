import { Throttle } from '../../../src/shared/throttle';
import { FakeClock } from '../../support/fake-clock';

describe('Throttle', () => {
  it('lets one call through for each key and interval', () => {
    const clock = new FakeClock();
    const throttle = new Throttle<string>(1000, clock);

    expect([throttle.pass('a'), throttle.pass('a'), throttle.pass('b')]).toEqual([true, false, true]);
    clock.jump(999);
    expect(throttle.pass('a')).toBe(false);
    clock.jump(1);
    expect([throttle.pass('a'), throttle.pass('a'), throttle.pass('b')]).toEqual([true, false, true]);
  });

  it('lets each key through at its own time, whatever others do meanwhile', () => {
    const clock = new FakeClock();
    const throttle = new Throttle<number>(1000, clock);
    for (let turn = 0; turn < 50; turn += 1) {
      clock.jump(100);
      expect(throttle.pass(turn)).toBe(true);
      if (turn >= 5) expect(throttle.pass(turn - 5)).toBe(false);
      if (turn >= 10) expect(throttle.pass(turn - 10)).toBe(true);
    }
  });
});
