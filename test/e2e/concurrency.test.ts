import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startSimulator } from '../../src/simulator/simulator';
import { FastClock } from '../support/fast-clock';
import { connectSandbox } from '../support/operations';
import { answerOf, calmDown, changePerson, holdersOf, peopleOf, readPerson } from '../support/people';
import { querySqlite } from '../support/sqlite-file';
import { lockFromOutside } from '../support/sqlite-locker';
import { startTestApp, type TestApp } from '../support/start-app';
import { until } from '../support/until';

/** 200 calls, the first half under 20 keys with ten calls each, the other half for a person each. */
function crowd(connectionId: string): { email: string; input: object }[] {
  return Array.from({ length: 200 }, (_, number) => {
    const isShared = number < 100;
    const name = isShared ? `shared.${number % 20}` : `single.${number}`;
    const email = `${name}@example.com`;
    const user = { email, title: 'In the crowd', department: 'Crowd' };
    return { email, input: { connectionId, user, ...(isShared ? { idempotencyKey: name } : {}) } };
  });
}

async function expectCrowd(app: TestApp): Promise<void> {
  const { id: connectionId } = await connectSandbox(app);
  const before = peopleOf(app.simulator).length;
  const calls = crowd(connectionId);
  const answers = await Promise.all(calls.map(({ input }) => changePerson(app, 'provisionUser', input)));
  const byEmail = new Map<string, Set<string>>();
  for (const [index, answer] of answers.entries()) {
    expect(answer).toMatchObject({ outcome: 'CREATED', problems: [], user: { title: 'In the crowd' } });
    const email = calls[index]?.email ?? '';
    byEmail.set(email, (byEmail.get(email) ?? new Set()).add(answerOf(answer)));
  }
  expect(byEmail.size).toBe(120);
  for (const [email, different] of byEmail) {
    expect(different.size).toBe(1);
    expect(holdersOf(app.simulator, email)).toHaveLength(1);
  }
  expect(peopleOf(app.simulator)).toHaveLength(before + 120);
}

describe('200 calls at once over SQLite, half of them sharing idempotency keys', () => {
  it('make exactly the right people, each once, and are all answered', async () => {
    const app = await startTestApp();
    try {
      await expectCrowd(app);
      const posts = app.simulator.requests.filter(({ method, path }) => method === 'POST' && path.startsWith('/scim'));
      expect(posts).toHaveLength(120);
    } finally {
      await app.stop();
    }
  });

  it("do so under Slack's own rate limits", async () => {
    const clock = new FastClock(20);
    const simulator = await startSimulator({ seed: 'limits', clock });
    const env = { ROLLCALL_SLACK_LIMITS: 'slack', ROLLCALL_CALL_TIMEOUT_MS: '300000' };
    const app = await startTestApp({ simulator, clock, env });
    try {
      const startedAt = clock.now();
      await expectCrowd(app);
      // 20 at once and then three a second: Slack's limit for creations.
      expect(clock.now() - startedAt).toBeGreaterThan(((120 - 20) / 3) * 1000 - 1000);
      const refused = simulator.requests.filter(({ status }) => status === 429);
      // Calls that leave in time bunch up on the way, the more so as this clock runs twenty times too fast; what Slack then
      // refuses is sent again. Without keeping to the limits each call would be refused many times over.
      expect(refused.length).toBeLessThan(120);
    } finally {
      await app.stop();
      await simulator.stop();
    }
  });
});

describe('calls for one person', () => {
  let app: TestApp;
  let connectionId: string;
  beforeAll(async () => {
    app = await startTestApp();
    connectionId = (await connectSandbox(app)).id;
  });
  afterEach(() => calmDown(app.simulator));
  afterAll(() => app.stop());

  /**
   * Sends requests over one socket without waiting for answers, so that they reach the gateway in this order for certain.
   * @returns the bodies of the answers, in the same order.
   */
  async function pipeline(calls: readonly { mutation: string; inputType: string; input: object }[]): Promise<object[]> {
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname);
    for (const [index, { mutation, inputType, input }] of calls.entries()) {
      const query = `mutation ($input: ${inputType}!) { payload: ${mutation}(input: $input) { outcome user { active title } problems { code } } }`;
      const body = JSON.stringify({ query, variables: { input } });
      const isLast = index === calls.length - 1;
      socket.write(
        `POST /graphql HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${app.adminKey}\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
          `Connection: ${isLast ? 'close' : 'keep-alive'}\r\n\r\n${body}`,
      );
    }
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    await once(socket, 'close');
    return [...text.matchAll(/(\{"data":.*?\})\n?(?=HTTP|$)/gs)].map(
      ([, body = '']) => (JSON.parse(body) as { data: { payload: object } }).data.payload,
    );
  }

  it.each([
    ['without keys', {}],
    ['of which every other one has a key', { idempotencyKey: true }],
  ])('%s take effect in the order in which they came, though the first is slow', async (name, keys) => {
    const email = `ordered.${name.length}@example.com`;
    const user = { email };
    app.simulator.faults.add({ kind: 'latency', ms: 150, match: { method: 'POST' } });
    const key = (text: string) => ('idempotencyKey' in keys ? { idempotencyKey: `${email}.${text}` } : {});
    const answers = await pipeline([
      {
        mutation: 'provisionUser',
        inputType: 'ProvisionUserInput',
        input: { connectionId, user: { email, title: '1' } },
      },
      {
        mutation: 'updateUser',
        inputType: 'UpdateUserInput',
        input: { connectionId, user, changes: { title: '2' }, ...key('a') },
      },
      { mutation: 'deprovisionUser', inputType: 'UserActionInput', input: { connectionId, user } },
      { mutation: 'reactivateUser', inputType: 'UserActionInput', input: { connectionId, user, ...key('b') } },
      { mutation: 'updateUser', inputType: 'UpdateUserInput', input: { connectionId, user, changes: { title: '3' } } },
    ]);
    expect(answers).toEqual([
      { outcome: 'CREATED', user: { active: true, title: '1' }, problems: [] },
      { outcome: 'UPDATED', user: { active: true, title: '2' }, problems: [] },
      { outcome: 'DEACTIVATED', user: { active: false, title: '2' }, problems: [] },
      { outcome: 'REACTIVATED', user: { active: true, title: '2' }, problems: [] },
      { outcome: 'UPDATED', user: { active: true, title: '3' }, problems: [] },
    ]);
    expect(await readPerson(app, connectionId, { email })).toMatchObject({ active: true, title: '3' });
  });

  it('under different names never write to the account at the same time', async () => {
    const email = 'many.names@example.com';
    const { user } = await changePerson(app, 'provisionUser', { connectionId, user: { email } });
    app.simulator.switches.writeTimeMs = 20;
    const names = [{ email }, { slackId: user?.slackId }, { userName: user?.userName }];
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, number) => {
        const changes = { title: `Title ${number}` };
        return changePerson(app, 'updateUser', { connectionId, user: names[number % 3], changes });
      }),
    );
    expect(answers.map(({ outcome }) => outcome)).toEqual(answers.map(() => 'UPDATED'));
    // Slack answers a second write to an account that is being written with 429.
    expect(app.simulator.requests.filter(({ status }) => status === 429)).toEqual([]);
  });
});

describe('the database of a gateway', () => {
  it('keeps the writes of calls that succeed beside calls that are rolled back, also after a restart', async () => {
    const app = await startTestApp();
    try {
      const { id: connectionId } = await connectSandbox(app);
      const inputOf = (key: string, email: string) => ({ connectionId, idempotencyKey: key, user: { email } });
      const provision = (input: object) => changePerson(app, 'provisionUser', input);
      await provision(inputOf('used', 'first@example.com'));
      const inputs = Array.from({ length: 30 }, (_, number) =>
        inputOf(`beside.${number}`, `beside.${number}@example.com`),
      );
      const answers = await Promise.all(
        inputs.map(async (input, number) => {
          const refused = provision(inputOf('used', `other.${number}@example.com`));
          const answer = await provision(input);
          expect(await refused).toMatchObject({ outcome: 'FAILED', problems: [{ code: 'IDEMPOTENCY_CONFLICT' }] });
          return answer;
        }),
      );
      await app.restart();
      const calls = app.simulator.requests.length;
      for (const [index, input] of inputs.entries()) {
        const answer = answers[index];
        expect(answer?.outcome).toBe('CREATED');
        expect(answerOf(await provision(input))).toBe(answer && answerOf(answer));
      }
      expect(app.simulator.requests).toHaveLength(calls);
    } finally {
      await app.stop();
    }
  });

  it('may be locked by another process for a second, and the call waits', async () => {
    const app = await startTestApp();
    try {
      const { id: connectionId } = await connectSandbox(app);
      const release = await lockFromOutside(join(app.directory, 'rollcall.sqlite'));
      const user = { email: 'locked.shortly@example.com' };
      const call = changePerson(app, 'provisionUser', { connectionId, user, idempotencyKey: 'short' });
      expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
      setTimeout(release, 1_000);
      expect(await call).toMatchObject({ outcome: 'CREATED', problems: [] });
    } finally {
      await app.stop();
    }
  });

  it('may be locked for longer: the call fails retryably before Slack is asked, and nothing is half written', async () => {
    const clock = new FastClock(10);
    const app = await startTestApp({ clock });
    try {
      const { id: connectionId } = await connectSandbox(app);
      const release = await lockFromOutside(join(app.directory, 'rollcall.sqlite'));
      const before = app.simulator.requests.length;
      const input = { connectionId, user: { email: 'locked.long@example.com' }, idempotencyKey: 'long' };
      const call = changePerson(app, 'provisionUser', input);
      expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
      expect(await call).toMatchObject({ outcome: 'FAILED', user: null, problems: [{ retryable: true }] });
      expect(app.simulator.requests).toHaveLength(before);
      await release();
      expect(await changePerson(app, 'provisionUser', input)).toMatchObject({ outcome: 'CREATED', problems: [] });
      expect(holdersOf(app.simulator, 'locked.long@example.com')).toHaveLength(1);
      expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
    } finally {
      await app.stop();
    }
  });

  it('may be locked when Slack has made the person: the call fails retryably, and the same key finds them made', async () => {
    const clock = new FastClock(10);
    const app = await startTestApp({ clock });
    try {
      const { id: connectionId } = await connectSandbox(app);
      const email = 'locked.late@example.com';
      const input = { connectionId, user: { email }, ifExists: 'FAIL', idempotencyKey: 'late' };
      // Long enough for a process to start that locks the database.
      app.simulator.switches.writeTimeMs = 2_500;
      const call = changePerson(app, 'provisionUser', input);
      await until(() =>
        app.simulator.requests.some(({ method, path }) => method === 'POST' && path.endsWith('/Users')),
      );
      const release = await lockFromOutside(join(app.directory, 'rollcall.sqlite'));
      expect(await call).toMatchObject({ outcome: 'FAILED', user: null, problems: [{ retryable: true }] });
      expect(holdersOf(app.simulator, email)).toHaveLength(1);
      await release();
      app.simulator.switches.writeTimeMs = 0;
      // The lease of the call that could not be saved, ten seconds by the database's clock, is over.
      await querySqlite(app, 'UPDATE idempotency_records SET lease_expires_at = 0');
      expect(await changePerson(app, 'provisionUser', input)).toMatchObject({ outcome: 'CREATED', problems: [] });
      expect(holdersOf(app.simulator, email)).toHaveLength(1);
    } finally {
      await app.stop();
    }
  });
});
