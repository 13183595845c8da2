import { setTimeout as sleep } from 'node:timers/promises';
import { Foreground } from '../../../src/shared/foreground';

/** Longer than one look at the load is believed. */
const nextLook = () => sleep(60);

describe('Foreground', () => {
  let load: number;
  let foreground: Foreground;
  let end: () => void;
  let call: Promise<void>;

  const begin = () => {
    call = foreground.run(() => new Promise<void>((resolve) => (end = resolve)));
  };
  const turnsIn = async (ms: number) => {
    let turns = 0;
    const until = performance.now() + ms;
    while (performance.now() < until) {
      await foreground.turn();
      turns += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return turns;
  };

  beforeEach(() => {
    load = 1;
    foreground = new Foreground(() => load);
    end = () => {};
    call = Promise.resolve();
  });

  afterEach(async () => {
    end();
    await call;
  });

  it('lets other work begin at once when nobody waits, however busy the process is', async () => {
    await nextLook();
    expect(foreground.isCrowded).toBe(false);
    expect(await turnsIn(100)).toBeGreaterThan(50);
  });

  it('lets it begin at once when there is time for everything', async () => {
    load = 0.7;
    begin();
    await nextLook();
    expect(foreground.isCrowded).toBe(false);
    expect(await turnsIn(100)).toBeGreaterThan(50);
  });

  it('spaces it out, for everybody together, while a call wants what there is, and never stops it', async () => {
    begin();
    await nextLook();
    expect(foreground.isCrowded).toBe(true);
    const turns = await Promise.all([turnsIn(200), turnsIn(200), turnsIn(200)]);
    const total = turns.reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThan(0);
    // One every 20 ms, and one each that was asked for before the end.
    expect(total).toBeLessThanOrEqual(14);
  });

  it('stays spaced out between the calls of somebody who calls again and again, also when the load falls by it', async () => {
    begin();
    await nextLook();
    expect(foreground.isCrowded).toBe(true);
    load = 0.1;
    end();
    await call;
    await nextLook();
    expect(foreground.isCrowded).toBe(true);
  });

  it('passes on what a call answers and throws', async () => {
    expect(await foreground.run(async () => 5)).toBe(5);
    await expect(foreground.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});
