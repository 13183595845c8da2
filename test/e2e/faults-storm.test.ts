import type { FaultKind } from '../../src/simulator/faults/fault';
import { startSimulator } from '../../src/simulator/simulator';
import { type FaultyWorld, startFaultyWorld } from '../support/faults';
import { connectSandbox, readConnection } from '../support/operations';
import {
  calmDown,
  changePerson,
  holdersOf,
  isScim,
  type PersonPayload,
  peopleOf,
  seededPerson,
} from '../support/people';
import { seededRandom } from '../support/random';
import { until } from '../support/until';

function provision({ app, connectionId }: FaultyWorld, email: string, extra: object = {}): Promise<PersonPayload> {
  return changePerson(app, 'provisionUser', { connectionId, user: { email, title: 'Wanted' }, ...extra });
}

function creationsIn({ simulator }: FaultyWorld, from: number) {
  return simulator.requests.slice(from).filter(({ method, path }) => method === 'POST' && path.endsWith('/Users'));
}

describe('a Slack that fails now and then', () => {
  let world: FaultyWorld;
  beforeAll(async () => {
    world = await startFaultyWorld();
  });
  afterEach(() => calmDown(world.simulator));
  afterAll(() => world.stop());

  const mixed: readonly FaultKind[] = [
    { kind: 'resetBefore' },
    { kind: 'resetAfter' },
    { kind: 'resetBefore' },
    { kind: 'resetAfter' },
    { kind: 'emptyBody' },
    { kind: 'html502' },
    { kind: 'status', status: 503, applied: true },
    { kind: 'hangAfter' },
  ];

  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'gives nobody up and makes nobody twice, seed %i',
    async (seed) => {
      const random = seededRandom(seed);
      for (let call = 0; call < 30; call += 1) {
        const fault = random() < 0.5 ? mixed[Math.floor(random() * mixed.length)] : undefined;
        world.simulator.faults.add(fault ?? { kind: 'latency', ms: 0 });
      }
      const before = peopleOf(world.simulator).length;
      const emails = Array.from({ length: 4 }, (_, index) => `mixed.${seed}.${index}@example.com`);
      await Promise.all(
        emails.map(async (email) => {
          let answer: PersonPayload;
          let rounds = 0;
          do {
            answer = await provision(world, email, { idempotencyKey: email });
            rounds += 1;
            if (answer.outcome === 'FAILED') expect(answer.problems).toMatchObject([{ retryable: true }]);
            // As many rounds as could use up all faults: without any the call succeeds.
          } while (answer.outcome === 'FAILED' && rounds < 30);
          expect(answer).toMatchObject({ outcome: 'CREATED', problems: [], user: { title: 'Wanted', active: true } });
          expect(holdersOf(world.simulator, email).map(({ id }) => id)).toEqual([answer.user?.slackId]);
        }),
      );
      expect(peopleOf(world.simulator)).toHaveLength(before + emails.length);
    },
  );
});

describe('a Slack that asks to wait', () => {
  let world: FaultyWorld;
  beforeAll(async () => {
    world = await startFaultyWorld();
  });
  afterEach(() => calmDown(world.simulator));
  afterAll(() => world.stop());

  it.each([
    [0, 1_000],
    [7, 7_000],
    ['http-date' as const, 1_000],
    ['missing' as const, 20_000],
  ])('is left alone for the time it states: %s', async (retryAfter, atLeastMs) => {
    const from = world.simulator.requests.length;
    const match = { method: 'POST', path: '/Users' };
    world.simulator.faults.add({ kind: 'rateLimited', retryAfter, match, times: 2 });
    const answer = await provision(world, `patient.${retryAfter}@example.com`);
    expect(answer).toMatchObject({ outcome: 'CREATED', problems: [] });
    const times = creationsIn(world, from).map(({ at }) => at);
    expect(times).toHaveLength(3);
    for (const [index, at] of times.slice(1).entries()) {
      expect(at - (times[index] ?? 0)).toBeGreaterThanOrEqual(atLeastMs);
    }
  });

  it('for a day refuses at once what cannot wait so long, and lets everything else go on', async () => {
    const from = world.simulator.requests.length;
    const match = { method: 'POST', path: '/Users' };
    world.simulator.faults.add({ kind: 'rateLimited', retryAfter: 99_999, match });
    for (const email of ['day.1@example.com', 'day.2@example.com', 'day.1@example.com']) {
      const { outcome, problems } = await provision(world, email, { idempotencyKey: email });
      expect({ outcome, problems }).toMatchObject({ outcome: 'FAILED', problems: [{ code: 'RATE_LIMITED' }] });
      expect(problems[0]?.retryAfterSeconds).toBeGreaterThan(90_000);
    }
    expect(creationsIn(world, from)).toHaveLength(1);
    expect(await provision(world, 'barbara.liskov@northwind.example')).toMatchObject({ outcome: 'UPDATED' });

    world.clock.advance(100_000_000);
    const later = await provision(world, 'day.1@example.com', { idempotencyKey: 'day.1@example.com' });
    expect(later).toMatchObject({ outcome: 'CREATED', problems: [] });
  });
});

describe('a Slack that hangs', () => {
  it('for one team takes nothing from another', async () => {
    const world = await startFaultyWorld({ ROLLCALL_SLACK_TIMEOUT_MS: '3000', ROLLCALL_CALL_TIMEOUT_MS: '600000' });
    try {
      const organization = await connectSandbox(world.app, 'enterprise-owner');
      const match = { organization: 'enterprise', method: 'POST' };
      world.simulator.faults.add({ kind: 'hangAfter', match, times: 20 });
      let ended = 0;
      const hanging = Array.from({ length: 20 }, async (_, index) => {
        const user = { email: `hanging.${index}@example.com`, title: 'Wanted' };
        const answer = await changePerson(world.app, 'provisionUser', { connectionId: organization.id, user });
        ended += 1;
        return answer;
      });
      await until(() => world.simulator.requests.filter(({ fault }) => fault === 'hangAfter').length === 20);

      const others = await Promise.all(
        Array.from({ length: 10 }, (_, index) => provision(world, `unhindered.${index}@example.com`)),
      );
      expect(ended).toBe(0);
      expect(others.map(({ outcome }) => outcome)).toEqual(others.map(() => 'CREATED'));

      for (const answer of await Promise.all(hanging))
        expect(answer).toMatchObject({ outcome: 'CREATED', problems: [] });
      const made = peopleOf(world.simulator, 'enterprise').filter(({ title }) => title === 'Wanted');
      expect(made).toHaveLength(20);
    } finally {
      await world.stop();
    }
  });

  it('lets 20 calls for one person end in time, each with an answer', async () => {
    const world = await startFaultyWorld({ ROLLCALL_CALL_TIMEOUT_MS: '50000' });
    try {
      world.simulator.faults.add({ kind: 'hangBefore', match: { path: '/scim/' }, times: 'always' });
      const answers = await Promise.all(Array.from({ length: 20 }, () => provision(world, 'same@example.com')));
      for (const { outcome, problems } of answers) {
        expect(outcome).toBe('FAILED');
        expect(['UPSTREAM_UNAVAILABLE', 'CONFLICT']).toContain(problems[0]?.code);
        expect(problems).toMatchObject([{ retryable: true }]);
      }
      // The time of a call is over after one second: not more than four of them came to ask three times each.
      expect(world.simulator.requests.filter(({ fault }) => fault === 'hangBefore').length).toBeLessThanOrEqual(12);
      calmDown(world.simulator);
      expect(await provision(world, 'same@example.com')).toMatchObject({ outcome: 'CREATED' });
    } finally {
      await world.stop();
    }
  });
});

describe('a Slack that is down', () => {
  it('gets a stated number of calls, degrades the connection, and is used again when it is back', async () => {
    const world = await startFaultyWorld();
    const { app, connectionId, simulator } = world;
    const port = Number(new URL(simulator.url).port);
    let back = simulator;
    try {
      simulator.faults.add({ kind: 'status', status: 500, times: 'always' });
      const from = simulator.requests.length;
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) => provision(world, `down.${index}@example.com`)),
      );
      for (const { problems } of answers) expect(problems).toMatchObject([{ code: 'UPSTREAM_UNAVAILABLE' }]);
      expect(simulator.requests.slice(from).filter(isScim)).toHaveLength(30);
      const degraded = await readConnection(app, connectionId);
      expect(degraded).toMatchObject({
        status: 'DEGRADED',
        issues: [{ code: 'UPSTREAM_UNAVAILABLE', resolvedAt: null }],
      });

      await simulator.stop();
      const refused = await provision(world, 'refused@example.com');
      expect(refused).toMatchObject({
        outcome: 'FAILED',
        problems: [{ code: 'UPSTREAM_UNAVAILABLE', retryable: true }],
      });
      expect((await fetch(`${app.url}/readyz`)).status).toBe(200);

      back = await startSimulator({ seed: 'faults', clock: world.clock, port, switches: { limitsEnabled: false } });
      expect(seededPerson(back, 'ada.lovelace').active).toBe(true);
      expect(await provision(world, 'down.0@example.com')).toMatchObject({ outcome: 'CREATED', problems: [] });
      const recovered = await readConnection(app, connectionId);
      expect(recovered?.status).toBe('ACTIVE');
      expect(recovered?.issues.filter(({ resolvedAt }) => resolvedAt === null)).toEqual([]);
    } finally {
      await back.stop();
      await world.stop();
    }
  });
});
