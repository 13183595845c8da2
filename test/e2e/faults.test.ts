import type { FaultKind, FaultMatch } from '../../src/simulator/faults/fault';
import {
  type Ending,
  type FaultyWorld,
  passingFaults,
  reads,
  startFaultyWorld,
  type Verb,
  writes,
} from '../support/faults';
import { readConnection } from '../support/operations';
import { calmDown, holdersOf, isScim } from '../support/people';

/** Longer than the gateway's own limit for a call in real time, and far shorter than a hang. */
const LONGEST_CALL_MS = 12_000;
/** Faults last in real time, so that several gateways, each with a Slack of its own, share the cases. */
const WORLDS = 4;

/** One call that meets a fault. */
interface Case {
  readonly verb: Verb;
  readonly match: FaultMatch;
}

let worlds: FaultyWorld[];
let count = 0;

beforeAll(async () => {
  worlds = [];
  while (worlds.length < WORLDS) worlds.push(await startFaultyWorld());
});
afterAll(async () => {
  await Promise.all(worlds.map((world) => world.stop()));
});

/** The call that does what the verb is for, and for two of them the look-up before it, which is the same for all. */
const writeCases: readonly Case[] = [
  ...writes.map((verb) => ({ verb, match: { method: verb.method, path: '/Users' } })),
  ...writes.filter((_, index) => index % 4 === 0).map((verb) => ({ verb, match: {} })),
];
const readCases: readonly Case[] = [
  ...reads.map((verb) => ({ verb, match: {} })),
  ...reads.slice(0, 2).map((verb) => ({ verb, match: { path: '/Users' } })),
];

async function inWorlds(
  cases: readonly Case[],
  run: (world: FaultyWorld, meets: Case) => Promise<void>,
): Promise<void> {
  await Promise.all(
    worlds.map(async (world, index) => {
      for (const meets of cases.filter((_, order) => order % WORLDS === index)) await run(world, meets);
      calmDown(world.simulator);
      await expectReadyAndSilent(world);
    }),
  );
}

function nextEmail(): string {
  count += 1;
  return `fault.${count}@example.com`;
}

async function within<T>(call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The call hangs')), LONGEST_CALL_MS);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What must hold when Slack is well again, whatever happened before. */
async function expectSettled(world: FaultyWorld, verb: Verb, email: string, first: Ending): Promise<void> {
  calmDown(world.simulator);
  const again = await within(verb.call(world, email, email));
  // A write whose answer was lost may have taken effect: then there is nothing left to do.
  expect([verb.success, 'UNCHANGED', 'UPDATED']).toContain(again.outcome);
  expect(again.problems).toEqual([]);
  if (first.outcome === verb.success) expect(again).toEqual(first);
  expect(verb.isDone(world, email)).toBe(true);
  expect(holdersOf(world.simulator, email)).toHaveLength(1);
  expect((await readConnection(world.app, world.connectionId))?.status).toBe('ACTIVE');
}

const linesSeen = new Map<FaultyWorld, number>();

async function expectReadyAndSilent(world: FaultyWorld): Promise<void> {
  const { app, simulator } = world;
  expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
  const logs = app.logs.slice(linesSeen.get(world) ?? 0).join('');
  linesSeen.set(world, app.logs.length);
  for (const token of Object.values(simulator.tokens)) expect(logs.includes(token)).toBe(false);
  expect(logs).not.toContain('Something went wrong');
}

describe.each(passingFaults.map((fault) => [JSON.stringify(fault), fault] as const))('%s', (_, fault) => {
  it('on one call keeps no write from its result, and repeats none', async () => {
    await inWorlds(writeCases, async (world, { verb, match }) => {
      const email = nextEmail();
      verb.prepare(world, email);
      world.simulator.faults.add({ ...fault, match });
      const { outcome, problems, slackId } = await within(verb.call(world, email, email));
      expect([verb.name, outcome, problems]).toEqual([verb.name, verb.success, []]);
      expect(slackId).toBe(holdersOf(world.simulator, email)[0]?.id);
      await expectSettled(world, verb, email, { outcome, problems, slackId });
    });
  });

  it('on one call keeps no read from its result', async () => {
    await inWorlds(readCases, async (world, { verb, match }) => {
      const email = nextEmail();
      verb.prepare(world, email);
      world.simulator.faults.add({ ...fault, match });
      const ending = await within(verb.call(world, email, email));
      expect([verb.name, ending]).toEqual([verb.name, { outcome: verb.success, problems: [] }]);
      calmDown(world.simulator);
    });
  });
});

const lastingFaults: readonly FaultKind[] = [
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503, body: 'empty', applied: true },
  { kind: 'resetBefore' },
  { kind: 'resetAfter' },
  { kind: 'html502' },
  { kind: 'garbage' },
  { kind: 'emptyBody' },
  { kind: 'truncated' },
  { kind: 'hangBefore' },
  { kind: 'hangAfter' },
];

const passingCodes = ['UPSTREAM_UNAVAILABLE', 'UPSTREAM_OUTCOME_UNKNOWN', 'RATE_LIMITED', 'RESOURCE_LOCKED'];
/** Four attempts of a write with three of the read after each, and the look-up. */
const MOST_CALLS = 16;

async function expectTyped(world: FaultyWorld, verb: Verb, email: string): Promise<Ending> {
  const before = world.simulator.requests.length;
  const ending = await within(verb.call(world, email, email));
  expect(world.simulator.requests.slice(before).filter(isScim).length).toBeLessThanOrEqual(MOST_CALLS);
  if (ending.outcome !== 'FAILED') {
    expect([verb.name, ending.outcome]).toEqual([verb.name, verb.success]);
  } else {
    expect(ending.problems).toHaveLength(1);
    expect(passingCodes).toContain(ending.problems[0]?.code);
    expect(ending.problems[0]?.retryable).toBe(true);
  }
  return ending;
}

describe.each(lastingFaults.map((fault) => [JSON.stringify(fault), fault] as const))('a lasting %s', (_, fault) => {
  it('ends every write in a typed problem, and the same key settles it afterwards', async () => {
    await inWorlds(writeCases, async (world, { verb, match }) => {
      const email = nextEmail();
      verb.prepare(world, email);
      world.simulator.faults.add({ ...fault, match, times: 'always' });
      const ending = await expectTyped(world, verb, email);
      await expectSettled(world, verb, email, ending);
    });
  });

  it('ends every read in a typed problem', async () => {
    await inWorlds(
      reads.map((verb) => ({ verb, match: {} })),
      async (world, { verb, match }) => {
        const email = nextEmail();
        verb.prepare(world, email);
        world.simulator.faults.add({ ...fault, match, times: 'always' });
        await expectTyped(world, verb, email);
      },
    );
  });
});
