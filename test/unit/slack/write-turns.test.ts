import type { TurnLedger } from '../../../src/domain/budget-ports';
import { ResourceLocked } from '../../../src/domain/errors';
import { WriteTurns } from '../../../src/slack/write-turns';
import { FakeClock } from '../../support/fake-clock';
import { RecordingLogger } from './support';

/** What several replicas share, by the clock of the test. */
class MemoryTurns implements TurnLedger {
  readonly taken = new Map<string, { owner: string; until: number }>();
  failure: Error | undefined;

  constructor(private readonly clock: FakeClock) {}

  async take(name: string, owner: string, forMs: number): Promise<boolean> {
    const held = this.taken.get(name);
    if (held && held.owner !== owner && held.until > this.clock.now()) return false;
    this.taken.set(name, { owner, until: this.clock.now() + forMs });
    return true;
  }

  async release(name: string, owner: string): Promise<void> {
    if (this.failure) throw this.failure;
    if (this.taken.get(name)?.owner === owner) this.taken.delete(name);
  }
}

describe('WriteTurns', () => {
  let clock: FakeClock;
  let logger: RecordingLogger;
  beforeEach(() => {
    clock = new FakeClock(0);
    logger = new RecordingLogger();
  });

  const makeTurns = (ledger?: TurnLedger) =>
    new WriteTurns({ clock, random: () => 0, logger, attemptTimeoutMs: 10_000 }, ledger);
  const within = (seconds: number, signal = new AbortController().signal) => ({
    deadlineAt: clock.now() + seconds * 1000,
    signal,
    requestId: 'req_1',
  });
  /** Work that takes a second, and notes when it ran. */
  const noting = (log: string[], name: string) => async () => {
    log.push(`${name} begins at ${clock.now()}`);
    await clock.sleep(1_000);
    log.push(`${name} ends at ${clock.now()}`);
    return name;
  };

  it('lets one write on a name at a time, in the order of arrival, and forgets the name', async () => {
    const turns = makeTurns();
    const log: string[] = [];
    const writes = ['a', 'b', 'c'].map((name) => turns.run('T1 U1', within(60), noting(log, name)));
    const other = turns.run('T1 U2', within(60), noting(log, 'other'));
    expect(await clock.runUntil(Promise.all([...writes, other]))).toEqual(['a', 'b', 'c', 'other']);
    expect(log.filter((line) => !line.startsWith('other'))).toEqual([
      'a begins at 0',
      'a ends at 1000',
      'b begins at 1000',
      'b ends at 2000',
      'c begins at 2000',
      'c ends at 3000',
    ]);
    expect(log).toContain('other begins at 0');
    expect(turns.size).toBe(0);
    expect(clock.sleeperCount).toBe(0);
  });

  it('goes on when a write fails', async () => {
    const turns = makeTurns();
    const failing = turns.run('U1', within(60), () => Promise.reject(new Error('no')));
    const next = turns.run('U1', within(60), async () => 'done');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('done');
  });

  it('tells whoever waits too long that nothing was sent, and lets nobody overtake', async () => {
    const turns = makeTurns();
    const log: string[] = [];
    const first = turns.run('U1', within(60), noting(log, 'first'));
    const caller = new AbortController();
    const late = turns.run('U1', within(0.5), noting(log, 'late'));
    const leaving = turns.run('U1', within(60, caller.signal), noting(log, 'leaving'));
    const last = turns.run('U1', within(60), noting(log, 'last'));
    const outcomes = Promise.all([
      expect(late).rejects.toBeInstanceOf(ResourceLocked),
      expect(leaving).rejects.toThrow('gone'),
    ]);
    caller.abort(new Error('gone'));
    await clock.runUntil(Promise.all([first, last]));
    await outcomes;
    expect(log).toEqual(['first begins at 0', 'first ends at 1000', 'last begins at 1000', 'last ends at 2000']);
    expect(turns.size).toBe(0);
  });

  it('waits for a write of another replica, and gives up in time', async () => {
    const ledger = new MemoryTurns(clock);
    const [one, other] = [makeTurns(ledger), makeTurns(ledger)];
    const log: string[] = [];
    const first = one.run('U1', within(60), noting(log, 'first'));
    const second = other.run('U1', within(60), noting(log, 'second'));
    const third = other.run('U2', within(60), noting(log, 'third'));
    await clock.runUntil(Promise.all([first, second, third]));
    expect(log.indexOf('first ends at 1000')).toBeLessThan(log.findIndex((line) => line.startsWith('second begins')));
    expect(log).toContain('third begins at 0');

    const holding = one.run('U1', within(60), noting(log, 'holding'));
    const hopeless = other.run('U1', within(0.5), noting(log, 'hopeless'));
    const outcome = expect(hopeless).rejects.toBeInstanceOf(ResourceLocked);
    await clock.runUntil(holding);
    await outcome;
    expect(log.some((line) => line.startsWith('hopeless'))).toBe(false);
    expect(ledger.taken.size).toBe(0);
  });

  it('takes the turn of a replica that is gone when its time is over', async () => {
    const ledger = new MemoryTurns(clock);
    await ledger.take('U1', 'gone', 15_000);
    const startedAt = clock.now();
    await clock.runUntil(makeTurns(ledger).run('U1', within(60), async () => {}));
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(15_000);
    expect(clock.now() - startedAt).toBeLessThanOrEqual(16_000);
  });

  it('counts a write as done though its turn could not be given back', async () => {
    const ledger = new MemoryTurns(clock);
    ledger.failure = new Error('the database is away');
    expect(await makeTurns(ledger).run('U1', within(60), async () => 'written')).toBe('written');
    expect(logger.lines).toEqual([
      expect.objectContaining({ level: 'warn', message: 'The turn of a write could not be given back' }),
    ]);
  });
});
