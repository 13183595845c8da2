import { connectSandbox } from '../support/operations';
import { callsDuring, calmDown, changePerson, type PersonMutation, seededPerson } from '../support/people';
import { startTestApp, type TestApp } from '../support/start-app';

let app: TestApp;
let byAdmin: string;
let byOwner: string;

beforeAll(async () => {
  app = await startTestApp();
  byAdmin = (await connectSandbox(app)).id;
  byOwner = (await connectSandbox(app, 'enterprise-owner')).id;
});
afterEach(() => calmDown(app.simulator));
afterAll(() => app.stop());

function act(name: PersonMutation, user: object, connectionId = byAdmin) {
  return changePerson(app, name, { connectionId, user });
}

async function aMember(email: string): Promise<string> {
  const { user } = await changePerson(app, 'provisionUser', { connectionId: byAdmin, user: { email } });
  if (!user) throw new Error('The member was not made');
  return user.slackId;
}

describe('deprovisionUser', () => {
  it('deactivates once, and finds nothing to do the second time', async () => {
    const slackId = await aMember('leaver@example.com');
    const first = await callsDuring(app.simulator, async () => {
      expect(await act('deprovisionUser', { email: 'leaver@example.com' })).toMatchObject({
        outcome: 'DEACTIVATED',
        problems: [],
        user: { slackId, active: false },
      });
    });
    expect(first).toEqual(['GET /Users', 'PATCH /Users/{id}']);
    const second = await callsDuring(app.simulator, async () => {
      expect(await act('deprovisionUser', { slackId })).toMatchObject({
        outcome: 'UNCHANGED',
        user: { active: false },
      });
    });
    expect(second).toEqual(['GET /Users/{id}']);
  });

  it('waits until a deactivation that Slack finishes later is to be seen', async () => {
    const slackId = await aMember('late.leaver@example.com');
    app.simulator.switches.deactivationDelayMs = 700;
    expect(await act('deprovisionUser', { slackId })).toMatchObject({
      outcome: 'DEACTIVATED',
      problems: [],
      user: { active: false },
    });
    expect(await act('reactivateUser', { slackId })).toMatchObject({ outcome: 'REACTIVATED', user: { active: true } });
  });

  it('counts a deactivation that was accepted as done, although it cannot be read back', async () => {
    const slackId = await aMember('unread.leaver@example.com');
    app.simulator.switches.deactivationDelayMs = 400;
    const match = { method: 'GET', path: '/Users/', nth: 2 };
    app.simulator.faults.add({ kind: 'status', status: 503, match, times: 'always' });
    expect(await act('deprovisionUser', { slackId })).toMatchObject({ outcome: 'DEACTIVATED', problems: [] });
    calmDown(app.simulator);
    expect(await act('deprovisionUser', { slackId })).toMatchObject({ user: { active: false }, problems: [] });
  });

  it.each([
    ['the installer', 'ada.lovelace', 'INSTALLER'],
    ['an owner', 'owen.baker', 'OWNER'],
    ['a bot', 'helpdesk_bot', 'BOT'],
  ])('refuses %s of a workspace', async (_, userName, reason) => {
    const answer = await act('deprovisionUser', { userName });
    expect(answer).toMatchObject({
      outcome: 'FAILED',
      user: null,
      problems: [{ code: 'PROTECTED_USER', reason, retryable: false }],
    });
    expect(seededPerson(app.simulator, userName).active).toBe(true);
  });

  it.each([
    ['petra.vogel', () => byAdmin, ['OWNER', 'PRIMARY_OWNER']],
    ['olivia.brandt', () => byOwner, ['HIGHER_RANK', 'PRIMARY_OWNER']],
  ])('refuses the Primary Owner %s', async (userName, connection, reasons) => {
    const { outcome, problems } = await act('deprovisionUser', { userName }, connection());
    expect({ outcome, code: problems[0]?.code }).toEqual({ outcome: 'FAILED', code: 'PROTECTED_USER' });
    expect(reasons).toContain(problems[0]?.reason);
  });

  it('does not call Slack to refuse the installer, beyond finding them', async () => {
    const calls = await callsDuring(app.simulator, () => act('deprovisionUser', { userName: 'ada.lovelace' }));
    expect(calls).toEqual(['GET /Users']);
  });

  it('says that there is no such person', async () => {
    const answer = await act('deprovisionUser', { slackId: 'U0NOBODY' });
    expect(answer).toMatchObject({ outcome: 'FAILED', problems: [{ code: 'NOT_FOUND', path: ['input', 'user'] }] });
  });
});

describe('changes to people of a higher rank', () => {
  it.each([
    ['owen.baker', () => byAdmin],
    ['olivia.brandt', () => byOwner],
  ])('are refused for %s', async (userName, connection) => {
    const input = { connectionId: connection(), user: { userName }, changes: { title: 'Demoted' } };
    const { outcome, problems } = await changePerson(app, 'updateUser', input);
    expect({ outcome, code: problems[0]?.code }).toEqual({ outcome: 'FAILED', code: 'PROTECTED_USER' });
  });
});

describe('reactivateUser', () => {
  it('brings a deactivated person back in one write, and finds nothing to do the second time', async () => {
    const userName = 'felix.braun';
    const first = await callsDuring(app.simulator, async () => {
      expect(await act('reactivateUser', { userName })).toMatchObject({
        outcome: 'REACTIVATED',
        problems: [],
        user: { active: true },
      });
    });
    expect(first).toEqual(['GET /Users', 'PATCH /Users/{id}']);
    const second = await callsDuring(app.simulator, async () => {
      expect(await act('reactivateUser', { userName })).toMatchObject({ outcome: 'UNCHANGED', user: { active: true } });
    });
    expect(second).toEqual(['GET /Users']);
  });
});
