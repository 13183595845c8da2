import fc from 'fast-check';
import type { FaultKind } from '../../src/simulator/faults/fault';
import type { Guest, Person, Rank } from '../../src/simulator/world/person';
import { connectSandbox } from '../support/operations';
import {
  answerOf,
  callsDuring,
  calmDown,
  changePerson,
  type PersonMutation,
  type PersonPayload,
  seededPerson,
} from '../support/people';
import { startTestApp, type TestApp } from '../support/start-app';

let app: TestApp;
let organization: string;
let workspace: string;
let made = 0;

beforeAll(async () => {
  app = await startTestApp();
  organization = (await connectSandbox(app, 'enterprise-owner')).id;
  workspace = (await connectSandbox(app)).id;
});
afterEach(() => calmDown(app.simulator));
afterAll(() => app?.stop());

const END = '2030-11-30T23:59:59Z';
const LATER = '2031-06-30T12:00:00Z';
const until = (expiration: string | null): Guest => ({ type: 'multi', expiration });

function aPerson(fields: Partial<Person> = {}): Person {
  made += 1;
  const userName = `visitor.${made}`;
  const person: Person = {
    ...seededPerson(app.simulator, 'alan.turing', 'enterprise'),
    id: `W9${String(made).padStart(9, '0')}`,
    userName,
    primaryEmail: `${userName}@acme-group.example`,
    ...fields,
  };
  app.simulator.world.organization('enterprise').addPerson(person);
  return person;
}

const now = ({ id }: Person): Person | undefined => app.simulator.world.organization('enterprise').people.get(id);

type Conversion = Extract<PersonMutation, 'convertToGuest' | 'convertToMember'>;

function convert(name: Conversion, { id }: Person, input: object = {}): Promise<PersonPayload> {
  return changePerson(app, name, { connectionId: organization, user: { slackId: id }, ...input });
}

const toGuest = (person: Person, input: object = {}) => convert('convertToGuest', person, input);
const toMember = (person: Person, input: object = {}) => convert('convertToMember', person, input);

interface Case {
  readonly name: string;
  readonly before: Partial<Person>;
  readonly call: Conversion;
  readonly input?: object;
  readonly outcome: 'UPDATED' | 'UNCHANGED' | 'REACTIVATED';
  readonly guest: { kind: string; expiresAt: string | null } | null;
  readonly active?: boolean;
}

const multi = (expiresAt: string | null) => ({ kind: 'MULTI_CHANNEL', expiresAt: expiresAt && iso(expiresAt) });
const iso = (text: string) => new Date(text).toISOString();
const consent = { reactivateIfInactive: true };
const off = { active: false };

const cases: Case[] = [
  {
    name: 'a member with an end',
    before: {},
    call: 'convertToGuest',
    input: { expiresAt: END },
    outcome: 'UPDATED',
    guest: multi(END),
  },
  { name: 'a member without an end', before: {}, call: 'convertToGuest', outcome: 'UPDATED', guest: multi(null) },
  {
    name: 'a guest with the same end',
    before: { guest: until(END) },
    call: 'convertToGuest',
    input: { expiresAt: END },
    outcome: 'UNCHANGED',
    guest: multi(END),
  },
  {
    name: 'a guest with the end of another zone',
    before: { guest: until('2030-11-30T15:59:59-08:00') },
    call: 'convertToGuest',
    input: { expiresAt: END },
    outcome: 'UNCHANGED',
    guest: multi(END),
  },
  {
    name: 'a guest with a later end',
    before: { guest: until(END) },
    call: 'convertToGuest',
    input: { expiresAt: LATER },
    outcome: 'UPDATED',
    guest: multi(LATER),
  },
  {
    name: 'a guest whose end is taken away',
    before: { guest: until(END) },
    call: 'convertToGuest',
    input: { expiresAt: null },
    outcome: 'UPDATED',
    guest: multi(null),
  },
  {
    name: 'a guest whose end is not mentioned',
    before: { guest: until(END) },
    call: 'convertToGuest',
    outcome: 'UNCHANGED',
    guest: multi(END),
  },
  {
    name: 'a deactivated member, with consent',
    before: off,
    call: 'convertToGuest',
    input: { expiresAt: END, ...consent },
    outcome: 'REACTIVATED',
    guest: multi(END),
  },
  {
    name: 'a deactivated guest with another end, with consent',
    before: { ...off, guest: until(END) },
    call: 'convertToGuest',
    input: { expiresAt: LATER, ...consent },
    outcome: 'REACTIVATED',
    guest: multi(LATER),
  },
  {
    name: 'a deactivated guest as it is, with consent',
    before: { ...off, guest: until(END) },
    call: 'convertToGuest',
    input: consent,
    outcome: 'REACTIVATED',
    guest: multi(END),
  },
  {
    name: 'a deactivated guest as it is',
    before: { ...off, guest: until(END) },
    call: 'convertToGuest',
    outcome: 'UNCHANGED',
    guest: multi(END),
    active: false,
  },
  {
    name: 'an active member whose reactivation is agreed to',
    before: {},
    call: 'convertToGuest',
    input: consent,
    outcome: 'UPDATED',
    guest: multi(null),
  },
  { name: 'a guest', before: { guest: until(END) }, call: 'convertToMember', outcome: 'UPDATED', guest: null },
  {
    name: 'a single-channel guest',
    before: { guest: { type: 'single', expiration: null } },
    call: 'convertToMember',
    outcome: 'UPDATED',
    guest: null,
  },
  { name: 'a member', before: {}, call: 'convertToMember', outcome: 'UNCHANGED', guest: null },
  {
    name: 'an owner, who is a member',
    before: { rank: 'owner' },
    call: 'convertToMember',
    outcome: 'UNCHANGED',
    guest: null,
  },
  {
    name: 'a deactivated guest, with consent',
    before: { ...off, guest: until(END) },
    call: 'convertToMember',
    input: consent,
    outcome: 'REACTIVATED',
    guest: null,
  },
  {
    name: 'a deactivated member, with consent',
    before: off,
    call: 'convertToMember',
    input: consent,
    outcome: 'REACTIVATED',
    guest: null,
  },
  {
    name: 'a deactivated member',
    before: off,
    call: 'convertToMember',
    outcome: 'UNCHANGED',
    guest: null,
    active: false,
  },
];

describe('conversions', () => {
  it.each(cases.map((each) => [`${each.call} of ${each.name} is ${each.outcome}`, each] as const))(
    '%s',
    async (_, { before, call, input = {}, outcome, guest, active = true }) => {
      const person = aPerson(before);
      let answer: PersonPayload | undefined;
      const calls = await callsDuring(app.simulator, async () => {
        answer = await convert(call, person, input);
      });
      expect(answer).toMatchObject({ outcome, problems: [], user: { slackId: person.id, active, guest } });
      expect(calls).toEqual(['GET /Users/{id}', ...(outcome === 'UNCHANGED' ? [] : ['PATCH /Users/{id}'])]);
      expect(now(person)?.active).toBe(active);
    },
  );

  it('find the person by address or user name, and say that nobody is there', async () => {
    const { primaryEmail, userName } = aPerson();
    const call = (name: Conversion, user: object) => changePerson(app, name, { connectionId: organization, user });
    expect(await call('convertToGuest', { email: primaryEmail })).toMatchObject({ outcome: 'UPDATED' });
    expect(await call('convertToMember', { userName })).toMatchObject({ outcome: 'UPDATED' });
    expect(await call('convertToGuest', { email: 'nobody@acme-group.example' })).toMatchObject({
      outcome: 'FAILED',
      problems: [{ code: 'NOT_FOUND', path: ['input', 'user'] }],
    });
  });

  it('take a member out of their groups, and a guest is put back into none', async () => {
    const grace = seededPerson(app.simulator, 'grace.hopper', 'enterprise');
    expect((await toMember(grace)).user?.groups).toMatchObject([{ name: 'Compilers' }]);
    expect((await toGuest(grace)).user?.groups).toEqual([]);
    expect((await toMember(grace)).user?.groups).toEqual([]);
  });

  it('take turns with other writes to the same person', async () => {
    const person = aPerson();
    const { id: slackId, primaryEmail: email } = person;
    const answers = await Promise.all([
      toGuest(person, { expiresAt: END }),
      changePerson(app, 'updateUser', { connectionId: organization, user: { email }, changes: { title: 'Painter' } }),
      toMember(person),
      changePerson(app, 'convertToGuest', { connectionId: organization, user: { email }, expiresAt: LATER }),
    ]);
    expect(answers.map(({ problems }) => problems)).toEqual([[], [], [], []]);
    expect(answers.map(({ outcome }) => outcome)).toEqual(['UPDATED', 'UPDATED', 'UPDATED', 'UPDATED']);
    expect(now(person)).toMatchObject({ id: slackId, title: 'Painter', guest: { type: 'multi' } });
  });
});

describe('a conversion is refused', () => {
  const refused = async (work: () => Promise<PersonPayload>, calls: string[], problem: object) => {
    let answer: PersonPayload | undefined;
    const sent = await callsDuring(app.simulator, async () => {
      answer = await work();
    });
    expect(answer).toMatchObject({ outcome: 'FAILED', user: null, problems: [{ retryable: false, ...problem }] });
    expect(sent).toEqual(calls);
  };
  const looked = ['GET /Users/{id}'];
  const asked = ['GET /Users/{id}', 'PATCH /Users/{id}'];

  it.each<[Conversion, Partial<Person>, object]>([
    ['convertToGuest', off, { expiresAt: END }],
    ['convertToGuest', { ...off, guest: until(END) }, { expiresAt: LATER }],
    ['convertToMember', { ...off, guest: until(END) }, {}],
    ['convertToMember', { ...off, guest: until(END) }, { reactivateIfInactive: null }],
  ])('%s of a deactivated account %j without consent', async (call, before, input) => {
    const person = aPerson(before);
    await refused(() => convert(call, person, input), looked, {
      __typename: 'InactiveUserProblem',
      code: 'USER_INACTIVE',
      path: ['input', 'user'],
      user: { slackId: person.id, active: false },
    });
    expect(now(person)).toEqual(person);
  });

  it.each([1, 50 * 365 * 86_400_000])('for an end that was %d ms ago', async (ms) => {
    const expiresAt = new Date(Date.now() - ms).toISOString();
    await refused(() => toGuest(aPerson(), { expiresAt, idempotencyKey: `past-${ms}` }), [], {
      code: 'INVALID_INPUT',
      path: ['input', 'expiresAt'],
    });
  });

  it.each<[Rank, unknown]>([
    ['admin', 'ADMIN_OR_OWNER'],
    ['owner', 'ADMIN_OR_OWNER'],
    // The token reaches nobody of a higher rank, whatever is asked for.
    ['primary-owner', expect.stringMatching(/OWNER|HIGHER_RANK/)],
  ])('for an account of the rank %s, as Slack says', async (rank, reason) => {
    await refused(() => toGuest(aPerson({ rank })), asked, {
      __typename: 'ProtectedUserProblem',
      code: 'PROTECTED_USER',
      path: ['input', 'user'],
      reason,
    });
  });

  it('for the installer, whose token the connection works with, before Slack is asked', async () => {
    const installer = seededPerson(app.simulator, 'oscar.lindqvist', 'enterprise');
    await refused(() => toGuest(installer), looked, { code: 'PROTECTED_USER', reason: 'INSTALLER' });
  });

  it('for a single-channel guest, whom it would let into every channel', async () => {
    const sina = seededPerson(app.simulator, 'sina.weber', 'enterprise');
    await refused(() => toGuest(sina, { expiresAt: END }), looked, {
      code: 'GUEST_NOT_ALLOWED',
      path: ['input', 'user'],
    });
  });

  it('for a bot', async () => {
    const answer = await toGuest(seededPerson(app.simulator, 'calendar_bot', 'enterprise'));
    expect(answer).toMatchObject({ outcome: 'FAILED', problems: [{ code: 'PROTECTED_USER', reason: 'BOT' }] });
  });

  it.each<Conversion>(['convertToGuest', 'convertToMember'])('%s on a workspace', async (call) => {
    const { id } = seededPerson(app.simulator, 'barbara.liskov');
    await refused(() => convert(call, { id } as Person, { connectionId: workspace }), [], {
      code: 'GUEST_NOT_ALLOWED',
      path: ['input', 'connectionId'],
    });
  });

  it('on a plan without guests, which does not speak against the connection', async () => {
    const enterprise = app.simulator.world.organization('enterprise');
    enterprise.plan = 'business';
    try {
      await refused(() => toGuest(aPerson()), asked, { code: 'GUEST_NOT_ALLOWED' });
    } finally {
      enterprise.plan = 'enterprise';
    }
    expect(await toGuest(aPerson())).toMatchObject({ outcome: 'UPDATED', problems: [] });
  });
});

describe('other writes that convert', () => {
  it.each<[Partial<Person>, object]>([
    [off, { guest: { expiresAt: END } }],
    [{ ...off, guest: until(END) }, { guest: null }],
    [
      { ...off, guest: until(END) },
      { title: 'New', guest: { expiresAt: LATER } },
    ],
  ])('updateUser of a deactivated account %j to %j is refused', async (before, changes) => {
    const person = aPerson(before);
    const call = { connectionId: organization, user: { slackId: person.id }, changes };
    expect(await changePerson(app, 'updateUser', call)).toMatchObject({
      outcome: 'FAILED',
      problems: [{ code: 'USER_INACTIVE', user: { slackId: person.id } }],
    });
    expect(now(person)).toEqual(person);
  });

  it('updateUser of other fields leaves a deactivated account deactivated', async () => {
    const person = aPerson({ ...off, guest: until(END) });
    const changes = { title: 'New', guest: { expiresAt: END } };
    const call = { connectionId: organization, user: { slackId: person.id }, changes };
    expect(await changePerson(app, 'updateUser', call)).toMatchObject({ outcome: 'UPDATED', user: { active: false } });
  });

  it.each([
    ['UPDATE', 'REACTIVATED', true],
    ['ADOPT', 'ADOPTED', false],
    ['FAIL', 'FAILED', false],
  ])('provisionUser with ifExists %s is %s', async (ifExists, outcome, active) => {
    const person = aPerson(off);
    const user = { email: person.primaryEmail, guest: { expiresAt: END } };
    const answer = await changePerson(app, 'provisionUser', { connectionId: organization, user, ifExists });
    expect(answer.outcome).toBe(outcome);
    expect(now(person)).toMatchObject({ active, guest: active ? { type: 'multi' } : null });
  });

  it('provisionUser refuses to make a guest of an admin', async () => {
    const { primaryEmail: email } = aPerson({ rank: 'admin' });
    const call = { connectionId: organization, user: { email, guest: {} } };
    expect(await changePerson(app, 'provisionUser', call)).toMatchObject({
      outcome: 'FAILED',
      problems: [{ code: 'PROTECTED_USER', reason: 'ADMIN_OR_OWNER' }],
    });
  });
});

describe('a conversion whose answer is lost', () => {
  const lost: [string, FaultKind][] = [
    ['after it took effect', { kind: 'resetAfter' }],
    ['after it took effect, behind an error', { kind: 'status', status: 500, applied: true }],
    ['before it took effect', { kind: 'status', status: 500 }],
  ];
  const conversions: [Conversion, Partial<Person>, object, string][] = [
    ['convertToGuest', {}, { expiresAt: END }, 'UPDATED'],
    ['convertToGuest', off, { expiresAt: END, ...consent }, 'REACTIVATED'],
    ['convertToMember', { guest: until(END) }, {}, 'UPDATED'],
  ];
  const pairs = conversions.flatMap((conversion) => lost.map((fault) => [...conversion, ...fault] as const));

  it.each(pairs)(
    'is settled by reading: %s of %j with %j is %s, lost %s',
    async (call, before, input, outcome, _, fault) => {
      const person = aPerson(before);
      app.simulator.faults.add({ ...fault, match: { method: 'PATCH' } });
      let answer: PersonPayload | undefined;
      const calls = await callsDuring(app.simulator, async () => {
        answer = await convert(call, person, input);
      });
      expect(answer).toMatchObject({ outcome, problems: [], user: { active: true } });
      const wasApplied = fault.kind !== 'status' || fault.applied === true;
      expect(calls.filter((name) => name.startsWith('PATCH'))).toHaveLength(wasApplied ? 1 : 2);
    },
  );

  it('and cannot be read either has its outcome when it is called again with its key', async () => {
    const person = aPerson(off);
    const input = { expiresAt: END, ...consent, idempotencyKey: 'lost-twice' };
    app.simulator.faults.add({ kind: 'resetAfter', match: { method: 'PATCH' } });
    app.simulator.faults.add({
      kind: 'rateLimited',
      retryAfter: 3600,
      match: { method: 'GET', path: '/Users/W9', nth: 2 },
    });
    expect(await toGuest(person, input)).toMatchObject({
      outcome: 'FAILED',
      problems: [{ code: 'UPSTREAM_OUTCOME_UNKNOWN', retryable: true }],
    });
    await app.restart();
    const again = await toGuest(person, input);
    expect(again).toMatchObject({ outcome: 'REACTIVATED', problems: [], user: { active: true } });
    const calls = await callsDuring(app.simulator, async () => {
      expect(answerOf(await toGuest(person, input))).toBe(answerOf(again));
    });
    expect(calls).toEqual([]);
  });

  it('is not repeated on an account that somebody deactivated meanwhile', async () => {
    const person = aPerson();
    const enterprise = app.simulator.world.organization('enterprise');
    const { requests } = app.simulator;
    app.simulator.faults.add({ kind: 'status', status: 500, match: { method: 'PATCH' } });
    app.simulator.faults.add({ kind: 'latency', ms: 150, match: { method: 'GET', path: '/Users/W9', nth: 2 } });
    const before = requests.length;
    const answer = toGuest(person);
    while (requests.slice(before).every(({ method }) => method !== 'PATCH')) await new Promise(setImmediate);
    enterprise.deactivate(person, Date.now(), 0);
    expect(await answer).toMatchObject({ outcome: 'FAILED', problems: [{ code: 'USER_INACTIVE' }] });
    expect(now(person)).toMatchObject({ active: false, guest: null });
  });
});

it('converting twice changes nothing the second time, whoever it is and whatever was asked for', async () => {
  const end = fc.constantFrom(undefined, null, END, LATER, '2032-01-01T00:00:00.750Z');
  const guest = fc.option(fc.constantFrom(null, END, LATER).map(until));
  await fc.assert(
    fc.asyncProperty(
      fc.record({ active: fc.boolean(), guest }),
      fc.constantFrom<Conversion>('convertToGuest', 'convertToMember'),
      end,
      fc.boolean(),
      async (before, call, expiresAt, reactivateIfInactive) => {
        const person = aPerson({ ...before, guest: before.guest && { ...before.guest } });
        const input = { reactivateIfInactive, ...(call === 'convertToGuest' ? { expiresAt } : {}) };
        const first = await convert(call, person, input);
        const between = structuredClone(now(person));
        let second: PersonPayload | undefined;
        const calls = await callsDuring(app.simulator, async () => {
          second = await convert(call, person, input);
        });
        expect(second?.outcome).toBe(first.outcome === 'FAILED' ? 'FAILED' : 'UNCHANGED');
        expect(calls).toEqual(['GET /Users/{id}']);
        expect(now(person)).toEqual(between);
        if (!reactivateIfInactive) expect(between?.active).toBe(before.active);
        if (first.outcome !== 'FAILED') expect(first.user?.guest === null).toBe(call === 'convertToMember');
      },
    ),
    { numRuns: 40, seed: 4 },
  );
});
