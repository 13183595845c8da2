import type { Logger } from '../../../src/shared/logger';
import { Repeater, type RepeaterOptions } from '../../../src/worker/repeater';
import { FakeClock } from '../../support/fake-clock';

const MINUTE_MS = 60_000;

function repeating(work: RepeaterOptions['work'], options: Partial<RepeaterOptions> = {}) {
  const clock = new FakeClock();
  const warnings: object[] = [];
  const logger: Logger = {
    debug() {},
    info() {},
    warn: (fields) => void warnings.push(fields),
    error() {},
  };
  const repeater = new Repeater({
    name: 'test',
    everyMs: MINUTE_MS,
    clock,
    random: () => 0.5,
    logger,
    work,
    ...options,
  });
  return { repeater, clock, warnings };
}

function counted() {
  let rounds = 0;
  return {
    work: async () => {
      rounds += 1;
    },
    get rounds() {
      return rounds;
    },
  };
}

/** Work that a test ends by hand. */
function heldWork() {
  const ends: (() => void)[] = [];
  const work = () =>
    new Promise<void>((resolve) => {
      ends.push(resolve);
    });
  return {
    work,
    get begun() {
      return ends.length;
    },
    end: () => ends.at(-1)?.(),
  };
}

describe('Repeater', () => {
  it('begins at once, and comes again after each pause', async () => {
    const count = counted();
    const { repeater, clock } = repeating(count.work);

    repeater.start();
    await clock.advance(0);
    expect(count.rounds).toBe(1);
    await clock.advance(MINUTE_MS - 1);
    expect(count.rounds).toBe(1);
    await clock.advance(1);
    expect(count.rounds).toBe(2);
    await clock.advance(3 * MINUTE_MS);
    expect(count.rounds).toBe(5);
    await repeater.stop();
  });

  it('counts the pause from the end of a round, and never runs two at once', async () => {
    const held = heldWork();
    const { repeater, clock } = repeating(held.work);
    repeater.start();
    repeater.start();
    await clock.advance(10 * MINUTE_MS);
    expect(held.begun).toBe(1);

    held.end();
    await clock.advance(MINUTE_MS - 1);
    expect(held.begun).toBe(1);
    await clock.advance(1);
    expect(held.begun).toBe(2);

    held.end();
    await repeater.stop();
  });

  it.each([
    ['shorter', 0, 0.8],
    ['longer', 0.999_999, 1.2],
  ])('makes the pause %s by its jitter', async (_, random, share) => {
    const count = counted();
    const { repeater, clock } = repeating(count.work, { jitter: 0.2, random: () => random });
    repeater.start();
    await clock.advance(share * MINUTE_MS - 10);
    expect(count.rounds).toBe(1);

    await clock.advance(20);

    expect(count.rounds).toBe(2);
    await repeater.stop();
  });

  it('begins a round at once when it is woken, and goes back to its pauses', async () => {
    const count = counted();
    const { repeater, clock } = repeating(count.work);
    repeater.start();
    await clock.advance(1_000);

    repeater.wake();
    await clock.advance(0);
    expect(count.rounds).toBe(2);
    expect(clock.sleeperCount).toBe(1);
    await clock.advance(MINUTE_MS - 1);
    expect(count.rounds).toBe(2);
    await clock.advance(1);
    expect(count.rounds).toBe(3);
    await repeater.stop();
  });

  it('runs once more after a round in which it was woken, however often', async () => {
    const held = heldWork();
    const { repeater, clock } = repeating(held.work);
    repeater.start();
    await clock.advance(0);
    repeater.wake();
    repeater.wake();
    expect(held.begun).toBe(1);

    held.end();
    await clock.advance(0);
    expect(held.begun).toBe(2);
    held.end();
    await clock.advance(0);
    expect(held.begun).toBe(2);
    await repeater.stop();
  });

  it('logs a round that fails, and comes again', async () => {
    let rounds = 0;
    const failure = new Error('not today');
    const { repeater, clock, warnings } = repeating(async () => {
      rounds += 1;
      if (rounds === 1) throw failure;
    });
    repeater.start();
    await clock.advance(MINUTE_MS);

    expect(rounds).toBe(2);
    expect(warnings).toEqual([{ err: failure, work: 'test' }]);
    await repeater.stop();
  });

  it('tells the round under way to stop, waits for it, and begins no other', async () => {
    let rounds = 0;
    const { repeater, clock, warnings } = repeating(async (signal) => {
      rounds += 1;
      await clock.sleep(MINUTE_MS, signal);
    });
    repeater.start();
    await clock.advance(0);

    await repeater.stop();
    repeater.wake();
    await clock.advance(10 * MINUTE_MS);

    expect(rounds).toBe(1);
    expect(warnings).toEqual([]);
    expect(clock.sleeperCount).toBe(0);
  });

  it('ends a pause when it is stopped, and does nothing when it was stopped before its start', async () => {
    const count = counted();
    const { repeater, clock } = repeating(count.work);
    repeater.start();
    await clock.advance(0);
    await repeater.stop();
    expect(clock.sleeperCount).toBe(0);
    const never = repeating(count.work);

    await never.repeater.stop();
    never.repeater.start();
    await never.clock.advance(MINUTE_MS);

    expect(count.rounds).toBe(1);
  });
});
