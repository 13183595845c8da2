import { retryAfterMs, wholeSeconds } from '../../../src/slack/retry-after';

const now = Date.UTC(2030, 0, 1, 12, 0, 0);
const half = () => 0.5;

describe('retryAfterMs', () => {
  it.each([
    ['whole seconds', '7', 7_000],
    ['zero, which becomes a second', '0', 1_000],
    ['a very long time', '99999', 99_999_000],
    ['an HTTP date', 'Tue, 01 Jan 2030 12:00:45 GMT', 45_000],
    ['an HTTP date that is over', 'Tue, 01 Jan 2030 11:00:00 GMT', 1_000],
    ['blanks around the number', ' 3 ', 3_000],
  ])('reads %s', (_, header, expected) => {
    expect(retryAfterMs(header, now, half)).toBe(expected);
  });

  it('takes an absurd time for a mistake and waits a week at most', () => {
    expect(retryAfterMs('99999999999', now, half)).toBe(604_800_000);
  });

  it.each([[undefined], [''], ['soon'], ['-5'], ['Someday, maybe']])('waits 20 to 30 s for %p', (header) => {
    expect(retryAfterMs(header, now, () => 0)).toBe(20_000);
    expect(retryAfterMs(header, now, half)).toBe(25_000);
    expect(retryAfterMs(header, now, () => 0.999)).toBeLessThanOrEqual(30_000);
  });

  it('rounds seconds up, so that nobody comes back too early', () => {
    expect(wholeSeconds(1)).toBe(1);
    expect(wholeSeconds(0)).toBe(1);
    expect(wholeSeconds(2_001)).toBe(3);
  });
});
