import { isMovable, ManualClock, OffsetClock, pacificTimestamp } from '../../../src/simulator/clock';

describe('time in US Pacific', () => {
  it.each([
    [Date.UTC(2024, 3, 8, 16, 15, 2), '2024-04-08T09:15:02-07:00'],
    [Date.UTC(2024, 11, 31, 7, 59, 59), '2024-12-30T23:59:59-08:00'],
    [Date.UTC(2024, 2, 10, 9, 59, 59), '2024-03-10T01:59:59-08:00'],
    [Date.UTC(2024, 2, 10, 10, 0, 0), '2024-03-10T03:00:00-07:00'],
    [Date.UTC(2024, 0, 1, 8, 0, 0), '2024-01-01T00:00:00-08:00'],
  ])('writes %i as %s', (instant, text) => {
    expect(pacificTimestamp(instant)).toBe(text);
    expect(Date.parse(text)).toBe(instant);
  });
});

describe('clocks', () => {
  it('stand still or run, and move forward only', () => {
    const manual = new ManualClock(1000);
    manual.advance(500);
    expect(manual.now()).toBe(1500);
    const offset = new OffsetClock();
    offset.advance(3_600_000);
    expect(offset.now()).toBeGreaterThanOrEqual(Date.now() + 3_599_000);
    for (const clock of [manual, offset]) expect(() => clock.advance(-1)).toThrow(RangeError);
  });

  it('may be fixed by whoever starts the simulator', () => {
    expect(isMovable({ now: () => 7 })).toBe(false);
    expect(isMovable(new ManualClock())).toBe(true);
  });
});
