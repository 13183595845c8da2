import { FastClock } from '../support/fast-clock';
import { connectSandbox } from '../support/operations';
import { answerOf, callsDuring, calmDown, changePerson, holdersOf, peopleOf, seededPerson } from '../support/people';
import { startTestApp, type TestApp } from '../support/start-app';
import { createTenant } from '../support/tenants';

const HOUR_MS = 3_600_000;

let app: TestApp;
let connectionId: string;
/** As fast as real time, but it can be put forward. */
const clock = new FastClock(1);

beforeAll(async () => {
  app = await startTestApp({ clock });
  connectionId = (await connectSandbox(app)).id;
});
afterEach(() => calmDown(app.simulator));
afterAll(() => app.stop());

function provision(idempotencyKey: string, user: object, extra: object = {}) {
  return changePerson(app, 'provisionUser', { connectionId, user, idempotencyKey, ...extra });
}

describe('the same key with the same input', () => {
  it('answers the first result again without asking Slack, also after a restart', async () => {
    const user = { email: 'again@example.com', title: 'Once', startDate: '2026-05-01T00:00:00Z' };
    const first = await provision('again', user);
    expect(first.outcome).toBe('CREATED');
    const calls = await callsDuring(app.simulator, async () => {
      expect(answerOf(await provision('again', user))).toBe(answerOf(first));
      await app.restart();
      expect(answerOf(await provision('again', user))).toBe(answerOf(first));
    });
    expect(calls).toEqual([]);
  });

  it('does not depend on the order of the fields', async () => {
    const first = await provision('order', { email: 'order@example.com', title: 'A', department: 'B' });
    const again = await provision('order', { department: 'B', title: 'A', email: 'order@example.com' });
    expect(answerOf(again)).toBe(answerOf(first));
  });

  it('waits for a call that is still running', async () => {
    const user = { email: 'running@example.com' };
    app.simulator.faults.add({ kind: 'latency', ms: 200, match: { method: 'POST' } });
    const calls = await callsDuring(app.simulator, async () => {
      const [first, second] = await Promise.all([provision('running', user), provision('running', user)]);
      expect(answerOf(second)).toBe(answerOf(first));
    });
    expect(calls).toEqual(['GET /Users', 'POST /Users']);
  });

  it('20 times at once has one effect and one answer', async () => {
    const user = { email: 'twenty@example.com' };
    const calls = await callsDuring(app.simulator, async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => provision('twenty', user)));
      expect(new Set(answers.map(answerOf)).size).toBe(1);
      expect(answers[0]?.outcome).toBe('CREATED');
    });
    expect(calls).toEqual(['GET /Users', 'POST /Users']);
  });

  it('holds for every mutation on a person', async () => {
    const user = { email: 'every.verb@example.com' };
    await provision('every.0', user);
    for (const [name, input, outcome] of [
      ['updateUser', { changes: { title: 'New' } }, 'UPDATED'],
      ['deprovisionUser', {}, 'DEACTIVATED'],
      ['reactivateUser', {}, 'REACTIVATED'],
    ] as const) {
      const call = () => changePerson(app, name, { connectionId, user, idempotencyKey: `every.${name}`, ...input });
      const first = await call();
      expect(first.outcome).toBe(outcome);
      const calls = await callsDuring(app.simulator, async () => {
        expect(answerOf(await call())).toBe(answerOf(first));
      });
      expect(calls).toEqual([]);
    }
  });
});

describe('a key that was used', () => {
  it('with another input is a conflict, which leaves the first result as it is', async () => {
    const user = { email: 'conflict@example.com', title: 'First' };
    const first = await provision('conflict', user);
    const others = await Promise.all([
      provision('conflict', { ...user, title: 'Second' }),
      provision('conflict', user, { ifExists: 'FAIL' }),
      changePerson(app, 'deprovisionUser', { connectionId, user: { email: user.email }, idempotencyKey: 'conflict' }),
    ]);
    for (const { outcome, problems } of others) {
      expect(outcome).toBe('FAILED');
      expect(problems).toMatchObject([{ code: 'IDEMPOTENCY_CONFLICT', path: ['input', 'idempotencyKey'] }]);
    }
    expect(answerOf(await provision('conflict', user))).toBe(answerOf(first));
    expect(holdersOf(app.simulator, user.email)).toMatchObject([{ title: 'First', active: true }]);
  });

  it('is a conflict also while the first call is running', async () => {
    app.simulator.faults.add({ kind: 'latency', ms: 200, match: { method: 'POST' } });
    const [first, second] = await Promise.all([
      provision('busy', { email: 'busy.1@example.com' }),
      provision('busy', { email: 'busy.2@example.com' }),
    ]);
    const outcomes = [first, second].map(({ outcome, problems }) => problems[0]?.code ?? outcome).sort();
    expect(outcomes).toEqual(['CREATED', 'IDEMPOTENCY_CONFLICT']);
  });

  it('by one tenant means nothing for another', async () => {
    const tenant = await createTenant(app);
    const options = { key: tenant.key };
    const other = await connectSandbox(app, 'business-admin', options);
    const first = await provision('tenants', { email: 'tenant.1@example.com' });
    const input = { connectionId: other.id, user: { email: 'tenant.2@example.com' }, idempotencyKey: 'tenants' };
    const second = await changePerson(app, 'provisionUser', input, options);
    expect([first.outcome, second.outcome]).toEqual(['CREATED', 'CREATED']);
    expect(second.user?.primaryEmail).toBe('tenant.2@example.com');
  });

  it.each(['', 'a b', 'ä', 'x'.repeat(256)])('must be printable and of a length that can be kept: %j', async (key) => {
    const answer = await provision(key, { email: 'bad.key@example.com' });
    expect(answer).toMatchObject({
      outcome: 'FAILED',
      problems: [{ code: 'INVALID_INPUT', path: ['input', 'idempotencyKey'] }],
    });
  });
});

describe('what is kept under a key', () => {
  it('is no failure that may pass', async () => {
    const user = { email: 'retry@example.com' };
    app.simulator.faults.add({ kind: 'rateLimited', retryAfter: 3600, match: { method: 'POST' } });
    const { problems } = await provision('retry', user);
    expect(problems).toMatchObject([{ code: 'RATE_LIMITED', retryable: true }]);
    clock.advance(HOUR_MS + 1000);
    expect(await provision('retry', user)).toMatchObject({ outcome: 'CREATED', problems: [] });
  });

  it('is no failure over a person who may still come', async () => {
    const input = { connectionId, user: { email: 'later@example.com' }, idempotencyKey: 'later' };
    expect(await changePerson(app, 'deprovisionUser', input)).toMatchObject({ problems: [{ code: 'NOT_FOUND' }] });
    await provision('later.made', input.user);
    expect(await changePerson(app, 'deprovisionUser', input)).toMatchObject({ outcome: 'DEACTIVATED' });
  });

  const finalFailures: [string, () => Promise<Awaited<ReturnType<typeof provision>>>][] = [
    ['USERNAME_UNAVAILABLE', () => provision('final.1', { email: 'final.1@example.com', userName: 'general' })],
    ['USERNAME_INVALID', () => provision('final.2', { email: 'everyone@example.com' })],
    ['EMAIL_TAKEN', () => provision('final.3', { email: 'barbara.liskov@northwind.example' }, { ifExists: 'FAIL' })],
    ['GUEST_NOT_ALLOWED', () => provision('final.4', { email: 'final.4@example.com', guest: {} })],
    [
      'PROTECTED_USER',
      () =>
        changePerson(app, 'deprovisionUser', {
          connectionId,
          user: { userName: 'owen.baker' },
          idempotencyKey: 'final.5',
        }),
    ],
    [
      'PROFILE_FIELDS_DROPPED',
      () => provision('final.6', { email: 'final.6@example.com', profileFields: [{ key: 'shoeSize', value: '44' }] }),
    ],
    ['INVALID_INPUT', () => provision('final.7', { email: 'final.7@example.com', displayName: '😀' })],
  ];
  it.each(finalFailures)('is the problem %s, with everything it says', async (code, call) => {
    const first = await call();
    expect(first.problems[0]).toMatchObject({ code, retryable: false });
    const calls = await callsDuring(app.simulator, async () => {
      expect(answerOf(await call())).toBe(answerOf(first));
    });
    expect(calls).toEqual([]);
  });

  it('is forgotten after 24 hours, and not before', async () => {
    const first = await provision('day', { email: 'day.1@example.com' });
    clock.advance(23 * HOUR_MS);
    expect(answerOf(await provision('day', { email: 'day.1@example.com' }))).toBe(answerOf(first));
    clock.advance(HOUR_MS + 1000);
    expect(await provision('day', { email: 'day.2@example.com' })).toMatchObject({
      outcome: 'CREATED',
      user: { primaryEmail: 'day.2@example.com' },
    });
  });

  it('says of a creation whose answer was lost that it was a creation, whoever asks again', async () => {
    const user = { email: 'lost@example.com', title: 'Lost and found' };
    app.simulator.faults.add({ kind: 'resetAfter', match: { method: 'POST' } });
    app.simulator.faults.add({ kind: 'status', status: 503, match: { method: 'GET', nth: 2 }, times: 3 });
    const lost = await provision('lost', user, { ifExists: 'FAIL' });
    expect(lost).toMatchObject({ outcome: 'FAILED', problems: [{ code: 'UPSTREAM_OUTCOME_UNKNOWN' }] });
    calmDown(app.simulator);
    await app.restart();
    const found = await provision('lost', user, { ifExists: 'FAIL' });
    expect(found).toMatchObject({ outcome: 'CREATED', problems: [], user: { title: 'Lost and found' } });
    expect(holdersOf(app.simulator, user.email)).toHaveLength(1);
  });

  it.each([
    ['address', { email: 'renamed.address@example.com' }],
    ['user name', { userName: 'renamed' }],
  ])('finds a person again whose new %s was stored, though its answer was lost', async (what, changes) => {
    const user = what === 'address' ? { email: 'rename.address@example.com' } : { userName: 'rename.name' };
    await provision(`rename.${what.length}`, { email: 'rename.name@example.com', ...user });
    app.simulator.faults.add({ kind: 'resetAfter', match: { method: 'PATCH' } });
    app.simulator.faults.add({ kind: 'status', status: 503, match: { method: 'GET', path: '/Users/' }, times: 3 });
    const input = { connectionId, user, changes, idempotencyKey: `update.${what.length}` };
    expect(await changePerson(app, 'updateUser', input)).toMatchObject({
      outcome: 'FAILED',
      problems: [{ code: 'UPSTREAM_OUTCOME_UNKNOWN', retryable: true }],
    });
    calmDown(app.simulator);
    await app.restart();
    expect(await changePerson(app, 'updateUser', input)).toMatchObject({ outcome: 'UPDATED', problems: [] });
  });

  it("does not take somebody else's account for its own after a creation that never left", async () => {
    const user = { email: 'never.left@example.com' };
    app.simulator.faults.add({ kind: 'rateLimited', retryAfter: 3600, match: { method: 'POST' } });
    expect(await provision('never.left', user, { ifExists: 'FAIL' })).toMatchObject({ outcome: 'FAILED' });
    const organization = app.simulator.world.organization('business');
    const somebody = { ...seededPerson(app.simulator, 'edsger.dijkstra'), id: 'U0SOMEBODY' };
    organization.addPerson({ ...somebody, userName: 'never.left', primaryEmail: user.email });
    const before = peopleOf(app.simulator).length;
    expect(await provision('never.left', user, { ifExists: 'FAIL' })).toMatchObject({
      outcome: 'FAILED',
      problems: [{ code: 'EMAIL_TAKEN', heldBy: { slackId: 'U0SOMEBODY' } }],
    });
    expect(peopleOf(app.simulator)).toHaveLength(before);
    clock.advance(HOUR_MS + 1000);
  });
});
