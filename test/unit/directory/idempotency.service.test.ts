import type { Caller } from '../../../src/domain/access/access';
import type { Connection } from '../../../src/domain/connections/connection';
import {
  IdempotencyService,
  type IdempotentCall,
  type IdempotentRun,
  type Outcome,
} from '../../../src/domain/directory/idempotency.service';
import { UpstreamUnavailable } from '../../../src/domain/errors';
import { silentLogger } from '../../../src/shared/logger';
import { TypeOrmDatabase } from '../../../src/storage/database';
import type { Storage } from '../../../src/storage/open-storage';
import { FakeClock } from '../../support/fake-clock';
import { anApiKey, aTenant, storeConnection } from '../../support/storage-records';
import { sqliteMemoryDatabase } from '../../support/test-database';

const HOUR_MS = 3_600_000;
const DEADLINE_MS = 60_000;

let storage: Storage;
let connection: Connection;
let clock: FakeClock;

beforeEach(async () => {
  clock = new FakeClock();
  storage = await (await sqliteMemoryDatabase()).open();
  connection = await storeConnection(storage.database);
});
afterEach(() => storage.close());

function service(): IdempotencyService {
  return new IdempotencyService(storage.database, clock, silentLogger);
}

/** As time does, by the clock of the database. */
async function endLeases(): Promise<void> {
  const { database } = storage;
  if (!(database instanceof TypeOrmDatabase)) throw new Error('The stores have another database');
  await database.statement((handle) => handle.write('UPDATE idempotency_records SET lease_expires_at = 0', []));
}

function caller(): Caller {
  const tenant = aTenant({ id: connection.tenantId });
  const bounds = { requestId: 'req', signal: new AbortController().signal, deadlineAt: clock.now() + DEADLINE_MS };
  return { tenant, apiKey: anApiKey(tenant.id), ...bounds };
}

function call(
  work: (run: IdempotentRun) => Promise<string>,
  { key = 'key', input = {} as unknown }: { key?: string; input?: unknown } = {},
): IdempotentCall<string> {
  return {
    connectionId: connection.id,
    action: 'test',
    key,
    input,
    encode: (outcome: Outcome<string>) => ('value' in outcome ? JSON.stringify(outcome.value) : undefined),
    decode: (stored) => ({ value: JSON.parse(stored) as string }),
    inTurn: (run) => run(),
    work,
  };
}

/** A promise and what settles it. */
function gate(): { passed: Promise<void>; open: () => void } {
  let open: () => void = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

const unexpected = async (): Promise<string> => {
  throw new Error('The work ran again');
};

describe('IdempotencyService', () => {
  it('answers for 24 hours what the first call led to, and runs the work anew after that', async () => {
    await expect(
      service().run(
        caller(),
        call(async () => 'first'),
      ),
    ).resolves.toBe('first');
    clock.jump(24 * HOUR_MS - 1);
    await expect(service().run(caller(), call(unexpected))).resolves.toBe('first');
    clock.jump(1);
    await expect(
      service().run(
        caller(),
        call(async () => 'second'),
      ),
    ).resolves.toBe('second');
  });

  it('keeps nothing of a failure, but what the work had noted', async () => {
    const failing = call(async (run) => {
      expect(run.progress).toBeUndefined();
      await run.saveProgress('half way');
      throw new UpstreamUnavailable('Away');
    });
    await expect(service().run(caller(), failing)).rejects.toThrow('Away');
    const seen: (string | undefined)[] = [];
    const again = call(async (run) => {
      seen.push(run.progress);
      return 'done';
    });
    await expect(service().run(caller(), again)).resolves.toBe('done');
    expect(seen).toEqual(['half way']);
  });

  it('refuses another input under the key, and leaves the result as it is', async () => {
    await service().run(
      caller(),
      call(async () => 'first', { input: { a: 1, b: 2 } }),
    );
    await expect(service().run(caller(), call(unexpected, { input: { a: 2 } }))).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    await expect(service().run(caller(), call(unexpected, { input: { b: 2, a: 1 } }))).resolves.toBe('first');
  });

  it('waits for another process, and answers what that one stored', async () => {
    const { passed, open } = gate();
    const begun = gate();
    const first = service().run(
      caller(),
      call(async () => {
        begun.open();
        await passed;
        return 'first';
      }),
    );
    await begun.passed;
    const second = service().run(caller(), call(unexpected));
    await clock.advance(1_000);
    open();
    await expect(first).resolves.toBe('first');
    await expect(clock.runUntil(second)).resolves.toBe('first');
  });

  it('waits no longer than its own deadline', async () => {
    const { passed, open } = gate();
    const begun = gate();
    const first = service().run(
      caller(),
      call(async () => {
        begun.open();
        await passed;
        return 'first';
      }),
    );
    await begun.passed;
    const impatient = { ...caller(), deadlineAt: clock.now() + 500 };
    const second = service().run(impatient, call(unexpected));
    await expect(clock.runUntil(second)).rejects.toMatchObject({ code: 'CONFLICT', retryable: true });
    open();
    await first;
  });

  it('takes over from a process that is gone, with its notes, and lets nothing of it count any more', async () => {
    const { passed, open } = gate();
    const begun = gate();
    const attempts: string[] = [];
    const stalled = service().run(
      caller(),
      call(async (run) => {
        await run.saveProgress('sent');
        begun.open();
        await passed;
        await run.saveProgress('late');
        attempts.push('stalled');
        return 'stalled';
      }),
    );
    await begun.passed;
    await endLeases();
    const next = service().run(
      caller(),
      call(async (run) => {
        attempts.push(`next after ${run.progress}`);
        return 'next';
      }),
    );
    await expect(clock.runUntil(next)).resolves.toBe('next');
    open();
    await expect(stalled).rejects.toMatchObject({ code: 'CONFLICT', retryable: true });
    expect(attempts).toEqual(['next after sent']);
    await expect(service().run(caller(), call(unexpected))).resolves.toBe('next');
  });

  it('gives the answer of whoever took over, when the first one ends late', async () => {
    const { passed, open } = gate();
    const begun = gate();
    const late = service().run(
      caller(),
      call(async () => {
        begun.open();
        await passed;
        return 'late';
      }),
    );
    await begun.passed;
    await endLeases();
    await clock.runUntil(
      service().run(
        caller(),
        call(async () => 'next'),
      ),
    );
    open();
    await expect(late).resolves.toBe('next');
  });

  it('runs calls without a key as often as they come', async () => {
    let runs = 0;
    const keyless = {
      ...call(async () => {
        runs += 1;
        return String(runs);
      }),
      key: undefined,
    };
    const idempotency = service();
    await expect(idempotency.run(caller(), keyless)).resolves.toBe('1');
    await expect(idempotency.run(caller(), keyless)).resolves.toBe('2');
  });

  it('sweeps away what is older than a day and at rest', async () => {
    const idempotency = service();
    const { passed, open } = gate();
    const begun = gate();
    await idempotency.run(
      caller(),
      call(async () => 'old', { key: 'old' }),
    );
    clock.jump(23 * HOUR_MS);
    await idempotency.run(
      caller(),
      call(async () => 'new', { key: 'new' }),
    );
    expect(await idempotency.sweep(9)).toBe(0);
    clock.jump(HOUR_MS + 1);
    expect(await idempotency.sweep(9)).toBe(1);
    const running = idempotency.run(
      caller(),
      call(
        async () => {
          begun.open();
          await passed;
          return 'running';
        },
        { key: 'running' },
      ),
    );
    await begun.passed;
    expect(await idempotency.sweep(9)).toBe(0);
    open();
    await expect(running).resolves.toBe('running');
    await expect(idempotency.run(caller(), call(unexpected, { key: 'new' }))).resolves.toBe('new');
  });
});
