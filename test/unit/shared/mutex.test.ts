import { TwoLaneMutex } from '../../../src/shared/mutex';

describe('TwoLaneMutex', () => {
  it('runs one piece of work at a time, the front lane first, each lane in order, and every tenth turn of the back lane', async () => {
    const mutex = new TwoLaneMutex();
    const order: string[] = [];
    let running = 0;
    const ask = (lane: 'front' | 'back', name: string) =>
      mutex.run(lane, async () => {
        running += 1;
        expect(running).toBe(1);
        order.push(name);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      });
    const first = ask('back', 'first');
    const back = Array.from({ length: 3 }, (_, index) => ask('back', `back ${index}`));
    const front = Array.from({ length: 12 }, (_, index) => ask('front', `front ${index}`));
    await Promise.all([first, ...back, ...front]);
    const fronts = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => `front ${from + index}`);
    expect(order).toEqual(['first', ...fronts(0, 9), 'back 0', ...fronts(9, 12), 'back 1', 'back 2']);
  });

  it('goes on after work that fails', async () => {
    const mutex = new TwoLaneMutex();
    const failing = mutex.run('front', () => Promise.reject(new Error('no')));
    const next = mutex.run('back', async () => 'done');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('done');
    expect(await mutex.run('front', async () => 'again')).toBe('again');
  });
});
