import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { connectSandbox } from '../../support/operations';
import { answerOf, callsDuring, calmDown, changePerson, holdersOf } from '../../support/people';
import { createPostgresDatabase, type PostgresTestDatabase } from '../../support/postgres';
import { startTestApp, type TestApp } from '../../support/start-app';

describe('two gateways on one PostgreSQL', () => {
  let simulator: Simulator;
  let database: PostgresTestDatabase;
  let gateways: TestApp[];
  let key: string;
  let connectionId: string;

  beforeAll(async () => {
    simulator = await startSimulator({ seed: 'replicas', switches: { limitsEnabled: false } });
    database = await createPostgresDatabase();
    const env = { DATABASE_URL: database.url, ROLLCALL_SEALING_KEYS: Buffer.alloc(32, 7).toString('base64') };
    const first = await startTestApp({ simulator, env });
    gateways = [first, await startTestApp({ simulator, env })];
    key = first.adminKey;
    connectionId = (await connectSandbox(first)).id;
  });
  afterEach(() => calmDown(simulator));
  afterAll(async () => {
    for (const gateway of gateways) await gateway.stop();
    await simulator.stop();
    await database.drop();
  });

  function provision(gateway: number, idempotencyKey: string, user: object) {
    const app = gateways[gateway];
    if (!app) throw new Error('There are two gateways');
    return changePerson(app, 'provisionUser', { connectionId, user, idempotencyKey }, { key });
  }

  it('answer a key that the other one has a result for with that result', async () => {
    const user = { email: 'replica@example.com', title: 'Once' };
    const first = await provision(0, 'after', user);
    expect(first).toMatchObject({ outcome: 'CREATED', problems: [] });
    const calls = await callsDuring(simulator, async () => {
      expect(answerOf(await provision(1, 'after', user))).toBe(answerOf(first));
    });
    expect(calls).toEqual([]);
  });

  it('wait for each other while a call with the key is running', async () => {
    simulator.faults.add({ kind: 'latency', ms: 400, match: { method: 'POST' } });
    const user = { email: 'waiting@example.com' };
    const calls = await callsDuring(simulator, async () => {
      const [first, second] = await Promise.all([provision(0, 'while', user), provision(1, 'while', user)]);
      expect(first.outcome).toBe('CREATED');
      expect(answerOf(second)).toBe(answerOf(first));
    });
    expect(calls).toEqual(['GET /Users', 'POST /Users']);
  });

  it('make one person of 20 calls at once, with one answer', async () => {
    const user = { email: 'both@example.com', title: 'Only one' };
    const calls = await callsDuring(simulator, async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => provision(index % 2, 'both', user)));
      expect(new Set(answers.map(answerOf)).size).toBe(1);
      expect(answers[0]?.outcome).toBe('CREATED');
    });
    expect(calls).toEqual(['GET /Users', 'POST /Users']);
    expect(holdersOf(simulator, user.email)).toHaveLength(1);
  });

  it('see a conflict on the other side, also while the call is running', async () => {
    simulator.faults.add({ kind: 'latency', ms: 300, match: { method: 'POST' } });
    const [first, second] = await Promise.all([
      provision(0, 'conflict', { email: 'conflict.1@example.com' }),
      provision(1, 'conflict', { email: 'conflict.2@example.com' }),
    ]);
    const codes = [first, second].map(({ outcome, problems }) => problems[0]?.code ?? outcome).sort();
    expect(codes).toEqual(['CREATED', 'IDEMPOTENCY_CONFLICT']);
  });

  it('let the other one try again what failed in passing', async () => {
    const user = { email: 'second.try@example.com' };
    simulator.faults.add({ kind: 'status', status: 503, match: { method: 'GET' }, times: 3 });
    expect(await provision(0, 'retry', user)).toMatchObject({ problems: [{ code: 'UPSTREAM_UNAVAILABLE' }] });
    expect(await provision(1, 'retry', user)).toMatchObject({ outcome: 'CREATED', problems: [] });
  });

  it('make one person even of calls without a key', async () => {
    const user = { email: 'no.key@example.com', title: 'Only one' };
    const app = (index: number) => gateways[index % 2] ?? gateways[0];
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => {
        const gateway = app(index);
        if (!gateway) throw new Error('There are two gateways');
        return changePerson(gateway, 'provisionUser', { connectionId, user }, { key });
      }),
    );
    expect(answers.filter(({ outcome }) => outcome === 'CREATED')).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer.user?.slackId)).size).toBe(1);
    expect(holdersOf(simulator, user.email)).toHaveLength(1);
  });
});
