import type { FaultKind } from '../../src/simulator/faults/fault';
import { type Simulator, startSimulator } from '../../src/simulator/simulator';
import type { Person } from '../../src/simulator/world/person';
import { FastClock } from './fast-clock';
import { changeConnection, connectSandbox, type ProblemAnswer } from './operations';
import { changePerson, holdersOf, type PersonMutation, seededPerson } from './people';
import { startTestApp, type TestApp } from './start-app';

/** A gateway whose clock, and that of its simulator, runs fast, so that backoffs and `Retry-After` cost little. */
export interface FaultyWorld {
  readonly app: TestApp;
  readonly simulator: Simulator;
  readonly clock: FastClock;
  /** Of the workspace. */
  readonly connectionId: string;
  stop(): Promise<void>;
}

export async function startFaultyWorld(env: Record<string, string> = {}): Promise<FaultyWorld> {
  const clock = new FastClock(50);
  const simulator = await startSimulator({ seed: 'faults', clock, switches: { limitsEnabled: false } });
  const app = await startTestApp({
    simulator,
    clock,
    env: { ROLLCALL_SLACK_TIMEOUT_MS: '500', ROLLCALL_CALL_TIMEOUT_MS: '300000', ...env },
  });
  await warmUp(app, simulator);
  const { id: connectionId } = await connectSandbox(app);
  return {
    app,
    simulator,
    clock,
    connectionId,
    async stop() {
      await app.stop();
      await simulator.stop();
    },
  };
}

/** The first call of each kind takes long, and the time for an answer is short here. */
async function warmUp(app: TestApp, simulator: Simulator): Promise<void> {
  const headers = { authorization: `Bearer ${simulator.tokens['business-admin']}` };
  await fetch(`${simulator.url}/api/auth.test`, { method: 'POST', headers });
  await fetch(`${simulator.url}/scim/v2/Users?count=1`, { headers });
  await app.call('{ connections(first: 1) { totalCount } }');
}

/** What one call led to, for calls of every kind. */
export interface Ending {
  /** An outcome of a person's mutation, `OK`, or `FAILED`. */
  readonly outcome: string;
  readonly problems: readonly Pick<ProblemAnswer, 'code' | 'retryable'>[];
  readonly slackId?: string;
}

export interface Verb {
  readonly name: string;
  /** The HTTP verb of the call that matters most. */
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly success: string;
  /** Brings the simulator into the state before the call. */
  prepare(world: FaultyWorld, email: string): void;
  call(world: FaultyWorld, email: string, key: string): Promise<Ending>;
  /** Whether Slack shows what the call was to bring about. */
  isDone(world: FaultyWorld, email: string): boolean;
}

let people = 0;

function addPerson({ simulator }: FaultyWorld, email: string, fields: Partial<Person> = {}): void {
  people += 1;
  const organization = simulator.world.organization('business');
  const model = seededPerson(simulator, 'edsger.dijkstra');
  organization.addPerson({
    ...model,
    id: `U0${String(people).padStart(9, '0')}`,
    userName: email.split('@')[0] ?? '',
    primaryEmail: email,
    ...fields,
  });
}

function only(world: FaultyWorld, email: string): Person | undefined {
  const [person, ...others] = holdersOf(world.simulator, email);
  return others.length === 0 ? person : undefined;
}

function personVerb(
  name: string,
  mutation: PersonMutation,
  method: Verb['method'],
  success: string,
  options: {
    before?: Partial<Person>;
    input: (email: string) => object;
    isDone: (person: Person) => boolean;
  },
): Verb {
  return {
    name,
    method,
    success,
    prepare: (world, email) => {
      if (options.before) addPerson(world, email, options.before);
    },
    async call({ app, connectionId }, email, idempotencyKey) {
      const input = { connectionId, idempotencyKey, ...options.input(email) };
      const { outcome, problems, user } = await changePerson(app, mutation, input);
      return { outcome, problems, slackId: user?.slackId };
    },
    isDone: (world, email) => {
      const person = only(world, email);
      return person !== undefined && options.isDone(person);
    },
  };
}

const titled = (person: Person) => person.title === 'After' && person.active;
const byEmail = (email: string) => ({ user: { email } });

export const writes: readonly Verb[] = [
  personVerb('provisionUser that creates', 'provisionUser', 'POST', 'CREATED', {
    input: (email) => ({ user: { email, title: 'After', department: 'D' } }),
    isDone: titled,
  }),
  personVerb('provisionUser that updates', 'provisionUser', 'PATCH', 'UPDATED', {
    before: { title: 'Before' },
    input: (email) => ({ user: { email, title: 'After' } }),
    isDone: titled,
  }),
  personVerb('provisionUser that reactivates', 'provisionUser', 'PATCH', 'REACTIVATED', {
    before: { active: false },
    input: (email) => ({ user: { email, title: 'After' } }),
    isDone: titled,
  }),
  personVerb('updateUser', 'updateUser', 'PATCH', 'UPDATED', {
    before: { title: 'Before' },
    input: (email) => ({ ...byEmail(email), changes: { title: 'After', phoneNumber: '+1' } }),
    isDone: titled,
  }),
  personVerb('deprovisionUser', 'deprovisionUser', 'PATCH', 'DEACTIVATED', {
    before: { active: true },
    input: byEmail,
    isDone: ({ active }) => !active,
  }),
  personVerb('reactivateUser', 'reactivateUser', 'PATCH', 'REACTIVATED', {
    before: { active: false },
    input: byEmail,
    isDone: ({ active }) => active,
  }),
];

async function query(app: TestApp, text: string, variables: object): Promise<Ending> {
  const { status, data, errors } = await app.call(text, variables);
  if (status !== 200) throw new Error(`HTTP ${status}`);
  if (!errors && data) return { outcome: 'OK', problems: [] };
  const problems = (errors ?? []).map(({ extensions }) => ({ code: String(extensions.code), retryable: true }));
  return { outcome: 'FAILED', problems };
}

/** The organization is connected and deleted again, since a team can be connected once. */
async function connectOrganization({ app, simulator }: FaultyWorld): Promise<Ending> {
  const input = { name: 'Test', environment: 'SANDBOX', token: simulator.tokens['enterprise-owner'] };
  const { connection, problems } = await changeConnection(app, 'createConnection', input);
  if (!connection) return { outcome: 'FAILED', problems };
  const remove = 'mutation ($input: ConnectionIdInput!) { deleteConnection(input: $input) { deletedId } }';
  await app.call(remove, { input: { id: connection.id } });
  return { outcome: connection.status, problems };
}

const always = () => true;

export const reads: readonly Verb[] = [
  {
    name: 'createConnection',
    method: 'GET',
    success: 'ACTIVE',
    prepare: () => {},
    call: (world) => connectOrganization(world),
    isDone: always,
  },
  {
    name: 'verifyConnection',
    method: 'GET',
    success: 'ACTIVE',
    prepare: () => {},
    async call({ app, connectionId: id }) {
      const { connection, problems } = await changeConnection(app, 'verifyConnection', { id });
      return { outcome: problems.length > 0 ? 'FAILED' : (connection?.status ?? 'NONE'), problems };
    },
    isDone: always,
  },
  {
    name: 'users',
    method: 'GET',
    success: 'OK',
    prepare: () => {},
    call: ({ app, connectionId: id }) =>
      query(app, 'query ($id: ID!) { connection(id: $id) { users(first: 5) { nodes { slackId } } } }', { id }),
    isDone: always,
  },
  {
    name: 'user',
    method: 'GET',
    success: 'OK',
    prepare: addPerson,
    call: ({ app, connectionId: id }, email) =>
      query(app, 'query ($id: ID!, $by: UserSelector!) { connection(id: $id) { user(by: $by) { slackId } } }', {
        id,
        by: { email },
      }),
    isDone: always,
  },
];

/** Each is over in a moment, and happens to one call. */
export const passingFaults: readonly FaultKind[] = [
  { kind: 'latency', ms: 30 },
  { kind: 'latency', ms: 800 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 500, applied: true },
  { kind: 'status', status: 503, body: 'empty', applied: true },
  { kind: 'resetBefore' },
  { kind: 'resetAfter' },
  { kind: 'html200', applied: true },
  { kind: 'html502' },
  { kind: 'html502', applied: true },
  { kind: 'truncated' },
  { kind: 'garbage' },
  { kind: 'emptyBody' },
  { kind: 'rateLimited', retryAfter: 0 },
  { kind: 'rateLimited', retryAfter: 'http-date' },
  { kind: 'rateLimited', retryAfter: 'missing' },
  { kind: 'hangBefore' },
  { kind: 'hangAfter' },
  { kind: 'lyingList' },
];
