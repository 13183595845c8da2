import { connectSandbox } from '../support/operations';
import { callsDuring, calmDown, changePerson, holdersOf, peopleOf } from '../support/people';
import { startTestApp, type TestApp } from '../support/start-app';

let app: TestApp;
let connectionId: string;
let count = 0;

beforeAll(async () => {
  app = await startTestApp();
  connectionId = (await connectSandbox(app)).id;
});
afterEach(() => calmDown(app.simulator));
afterAll(() => app?.stop());

const provision = (email: string, extra: object = {}) =>
  changePerson(app, 'provisionUser', { connectionId, user: { email }, ...extra });
/** An address with this part before the @ that nobody has yet. */
function addressOf(localPart: string): string {
  count += 1;
  return `${localPart}@host${count}.example.com`;
}

describe('a user name that was derived from the address', () => {
  it.each([
    ['a person', 'barbara.liskov', 'barbara.liskov2'],
    ['a deactivated person', 'felix.braun', 'felix.braun2'],
    ['a channel', 'helpdesk', 'helpdesk2'],
  ])('gives way to the next one when it belongs to %s', async (_, taken, next) => {
    const answer = await provision(addressOf(taken));
    expect(answer).toMatchObject({ outcome: 'CREATED', problems: [], user: { userName: next } });
  });

  it('stays with whoever has it, however often and in whatever order people are provisioned again', async () => {
    const addresses = [1, 2, 3].map(() => addressOf('john.smith'));
    for (const address of addresses) expect((await provision(address)).outcome).toBe('CREATED');
    for (const [index, address] of [...addresses.entries()].reverse()) {
      const { outcome, user } = await provision(address);
      expect([outcome, user?.userName]).toEqual(['UNCHANGED', index === 0 ? 'john.smith' : `john.smith${index + 1}`]);
    }
  });

  it('is found with one look-up for each name that people carry, and with no creation that is refused for it', async () => {
    const calls = await callsDuring(app.simulator, async () => {
      expect((await provision(addressOf('john.smith'))).user?.userName).toBe('john.smith4');
    });
    expect(calls.filter((call) => call === 'POST /Users')).toHaveLength(2);
    expect(calls).toHaveLength(7);
  });

  it('ends with letters of the address when all numbers are taken, and is then given up', async () => {
    const names = ['crowd', ...[2, 3, 4, 5, 6, 7, 8, 9].map((number) => `crowd${number}`)];
    for (const userName of names) {
      const answer = await changePerson(app, 'provisionUser', {
        connectionId,
        user: { email: addressOf('somebody'), userName },
      });
      expect(answer.outcome).toBe('CREATED');
    }
    const crowded = await provision(addressOf('crowd'));
    expect(crowded.user?.userName).toMatch(/^crowd-[0-9a-f]{6}$/);

    app.simulator.faults.add({
      kind: 'slackError',
      error: 'username_taken',
      match: { method: 'POST' },
      times: 'always',
    });
    const email = addressOf('nobody');
    const calls = await callsDuring(app.simulator, async () => {
      expect(await provision(email)).toMatchObject({
        outcome: 'FAILED',
        problems: [{ code: 'USERNAME_UNAVAILABLE', path: ['input', 'user', 'userName'], retryable: false }],
      });
    });
    expect(calls.filter((call) => call === 'POST /Users')).toHaveLength(11);
    expect(holdersOf(app.simulator, email)).toEqual([]);
  });

  it('is one account under one name when answers are lost on the way to it', async () => {
    for (const kind of ['resetAfter', 'resetBefore', 'garbage'] as const) {
      for (const nth of [1, 2]) {
        const email = addressOf('barbara.liskov');
        app.simulator.faults.add({ kind, match: { method: 'POST', path: '/Users', nth } });
        const before = peopleOf(app.simulator).length;
        const { outcome, user, problems } = await provision(email, { idempotencyKey: `${kind}-${nth}` });
        expect({ outcome, problems }).toEqual({ outcome: 'CREATED', problems: [] });
        expect(peopleOf(app.simulator)).toHaveLength(before + 1);
        expect(holdersOf(app.simulator, email)).toMatchObject([{ id: user?.slackId, userName: user?.userName }]);
        expect(user?.userName).toMatch(/^barbara\.liskov\d$/);
        calmDown(app.simulator);
        expect(await provision(email)).toMatchObject({ outcome: 'UNCHANGED', user: { userName: user?.userName } });
      }
    }
  });

  it('is another one for each of many people who come at once with the same', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => provision(addressOf('same.name'))));
    expect(answers.map(({ outcome }) => outcome)).toEqual(Array(8).fill('CREATED'));
    expect(new Set(answers.map(({ user }) => user?.userName)).size).toBe(8);
  });
});
