import { connectSandbox } from '../support/operations';
import {
  callsDuring,
  calmDown,
  changePerson,
  holdersOf,
  type PersonPayload,
  readPerson,
  seededPerson,
} from '../support/people';
import { startTestApp, type TestApp } from '../support/start-app';

let app: TestApp;
let workspace: string;

beforeAll(async () => {
  app = await startTestApp();
  workspace = (await connectSandbox(app)).id;
});
afterEach(() => calmDown(app.simulator));
afterAll(() => app.stop());

const filled = {
  displayName: 'Filled In',
  givenName: 'Filled',
  familyName: 'In',
  title: 'Before',
  timezone: 'Europe/Paris',
  locale: 'fr_FR',
  preferredLanguage: 'fr-FR',
  userType: 'Contractor',
  phoneNumber: '+33 1',
  employeeNumber: '1',
  costCenter: 'A',
  organization: 'O',
  division: 'D',
  department: 'P',
  startDate: '2026-01-02T00:00:00Z',
  profileFields: [
    { key: 'role', value: 'Painter' },
    { key: 'mobilePhone', value: '+33 6' },
  ],
};

async function aPerson(email: string): Promise<PersonPayload> {
  const made = await changePerson(app, 'provisionUser', { connectionId: workspace, user: { email, ...filled } });
  expect(made).toMatchObject({ outcome: 'CREATED', problems: [] });
  return made;
}

function update(email: string, changes: object) {
  return changePerson(app, 'updateUser', { connectionId: workspace, user: { email }, changes });
}

/** Where each field of the input is found in the answer. */
const shownAt: Record<string, (user: NonNullable<PersonPayload['user']>) => unknown> = {
  displayName: (user) => user.displayName,
  givenName: (user) => Reflect.get(Reflect.get(user, 'name') ?? {}, 'givenName'),
  familyName: (user) => Reflect.get(Reflect.get(user, 'name') ?? {}, 'familyName') ?? null,
  title: (user) => user.title,
  timezone: (user) => user.timezone,
  locale: (user) => Reflect.get(user, 'locale'),
  preferredLanguage: (user) => Reflect.get(user, 'preferredLanguage'),
  userType: (user) => Reflect.get(user, 'userType'),
  phoneNumber: (user) => {
    const numbers: { value: string; kind: string }[] = Reflect.get(user, 'phoneNumbers');
    return numbers.find(({ kind }) => kind === 'PRIMARY')?.value ?? null;
  },
  employeeNumber: (user) => user.employment?.employeeNumber ?? null,
  costCenter: (user) => user.employment?.costCenter ?? null,
  organization: (user) => user.employment?.organization ?? null,
  division: (user) => user.employment?.division ?? null,
  department: (user) => user.employment?.department ?? null,
  managerSlackId: (user) => user.employment?.managerSlackId ?? null,
  startDate: (user) => user.employment?.startDate ?? null,
};

describe('updateUser', () => {
  it('renames a person, and says that a user name is not free', async () => {
    const email = 'to.rename@example.com';
    await aPerson(email);
    expect(await update(email, { userName: 'Renamed' })).toMatchObject({
      outcome: 'UPDATED',
      problems: [],
      user: { userName: 'renamed' },
    });
    expect(await update(email, { userName: 'renamed' })).toMatchObject({ outcome: 'UNCHANGED' });
    expect(await update(email, { userName: 'general' })).toMatchObject({
      outcome: 'FAILED',
      problems: [{ code: 'USERNAME_UNAVAILABLE', path: ['input', 'changes', 'userName'] }],
    });
  });

  const changes: [string, string, string | null][] = [
    ['displayName', 'Changed Name', null],
    ['givenName', 'Given', null],
    ['familyName', 'Family', null],
    ['title', 'After', null],
    ['timezone', 'Asia/Tokyo', 'America/Los_Angeles'],
    ['locale', 'ja_JP', null],
    ['preferredLanguage', 'ja-JP', null],
    ['userType', 'Employee', null],
    ['phoneNumber', '+81 3', null],
    ['employeeNumber', '2', null],
    ['costCenter', 'B', null],
    ['organization', 'O2', null],
    ['division', 'D2', null],
    ['department', 'P2', null],
    ['startDate', '2027-03-04T00:00:00.000Z', null],
  ];

  it.each(changes)(
    'changes %s alone, finds it unchanged the second time, and clears it with null',
    async (field, value, blank) => {
      const email = `change.${field.toLowerCase().slice(0, 12)}@example.com`;
      const { user: before } = await aPerson(email);
      const changed = await update(email, { [field]: value });
      expect(changed).toMatchObject({ outcome: 'UPDATED', problems: [] });
      for (const [name, shown] of Object.entries(shownAt)) {
        const expected = name === field ? value : before && shown(before);
        expect([name, changed.user && shown(changed.user)]).toEqual([name, expected]);
      }
      const calls = await callsDuring(app.simulator, async () => {
        expect(await update(email, { [field]: value })).toMatchObject({ outcome: 'UNCHANGED', problems: [] });
      });
      expect(calls).toEqual(['GET /Users']);

      const cleared = await update(email, { [field]: null });
      expect(cleared).toMatchObject({ outcome: 'UPDATED', problems: [] });
      expect(cleared.user && shownAt[field]?.(cleared.user)).toBe(blank);
      expect(await update(email, { [field]: null })).toMatchObject({ outcome: 'UNCHANGED', problems: [] });
    },
  );

  it('changes and clears the manager', async () => {
    const email = 'has.manager@example.com';
    await aPerson(email);
    const managerSlackId = seededPerson(app.simulator, 'petra.vogel').id;
    expect(await update(email, { managerSlackId })).toMatchObject({
      outcome: 'UPDATED',
      problems: [],
      user: { employment: { managerSlackId, department: 'P' } },
    });
    expect(await update(email, { managerSlackId: null })).toMatchObject({
      outcome: 'UPDATED',
      problems: [],
      user: { employment: { managerSlackId: null, department: 'P' } },
    });
  });

  it('changes single profile fields, leaves the others, and clears all of them with null', async () => {
    const email = 'profile.fields@example.com';
    await aPerson(email);
    const profileFields = [
      { key: 'role', value: 'Sculptor' },
      { key: 'address.country', value: 'FR' },
    ];
    const changed = await update(email, { profileFields });
    expect(changed).toMatchObject({ outcome: 'UPDATED', problems: [] });
    expect(changed.user?.profileFields).toEqual(
      expect.arrayContaining([...profileFields, { key: 'mobilePhone', value: '+33 6' }]),
    );
    expect(await update(email, { profileFields })).toMatchObject({ outcome: 'UNCHANGED' });

    expect(await update(email, { profileFields: null })).toMatchObject({
      outcome: 'UPDATED',
      problems: [],
      user: { profileFields: [], title: 'Before' },
    });
    expect(await update(email, { profileFields: null })).toMatchObject({ outcome: 'UNCHANGED' });
  });

  it('says that Slack does not let the address of a profile be changed', async () => {
    const email = 'profile.url@example.com';
    await aPerson(email);
    const profileFields = [
      { key: 'profileUrl', value: 'https://people.example.com/me' },
      { key: 'role', value: 'Architect' },
    ];
    const answer = await update(email, { profileFields });
    expect(answer).toMatchObject({
      outcome: 'UPDATED',
      problems: [{ code: 'PROFILE_FIELDS_DROPPED', fields: ['profileFields.profileUrl'] }],
    });
    expect(answer.user?.profileFields).toContainEqual({ key: 'role', value: 'Architect' });
  });

  it('sends a photo, which appears later and costs nothing once it is shown', async () => {
    const email = 'with.photo@example.com';
    await aPerson(email);
    app.simulator.switches.photoDelayMs = 60_000;
    const photoUrl = 'https://example.com/photo.png';
    const sent = await update(email, { photoUrl });
    expect(sent).toMatchObject({ outcome: 'UPDATED', problems: [] });
    expect(sent.user?.photoUrl).not.toBe(photoUrl);
    for (const person of holdersOf(app.simulator, email)) {
      if (person.pendingPhoto) person.pendingPhoto.visibleAt = app.simulator.clock.now();
    }
    expect((await readPerson(app, workspace, { email }))?.photoUrl).toBe(photoUrl);
    expect(await update(email, { photoUrl })).toMatchObject({ outcome: 'UNCHANGED' });
    app.simulator.switches.photoDelayMs = 0;
    expect(await update(email, { photoUrl: null })).toMatchObject({ outcome: 'UPDATED', problems: [] });
    expect((await readPerson(app, workspace, { email }))?.photoUrl).not.toBe(photoUrl);
  });

  it('moves a person to another address, and names who holds one that is taken', async () => {
    const { user } = await aPerson('old.address@example.com');
    const moved = await update('old.address@example.com', { email: 'new.address@example.com' });
    expect(moved).toMatchObject({
      outcome: 'UPDATED',
      problems: [],
      user: { slackId: user?.slackId, primaryEmail: 'new.address@example.com' },
    });
    const barbara = seededPerson(app.simulator, 'barbara.liskov');
    const taken = await update('new.address@example.com', { email: barbara.primaryEmail, title: 'Not changed' });
    expect(taken).toMatchObject({
      outcome: 'FAILED',
      user: null,
      problems: [{ code: 'EMAIL_TAKEN', heldBy: { slackId: barbara.id }, path: ['input', 'changes', 'email'] }],
    });
    expect((await readPerson(app, workspace, { email: 'new.address@example.com' }))?.title).toBe('Before');
  });

  it.each([
    [{}, ['input', 'changes']],
    [{ email: null }, ['input', 'changes', 'email']],
    [{ userName: null }, ['input', 'changes', 'userName']],
  ])('refuses the changes %j', async (changes, path) => {
    const answer = await update('barbara.liskov@northwind.example', changes);
    expect(answer).toMatchObject({ outcome: 'FAILED', problems: [{ code: 'INVALID_INPUT', path }] });
  });

  it('says that there is no such person', async () => {
    const answer = await update('nobody@example.com', { title: 'x' });
    expect(answer).toMatchObject({ outcome: 'FAILED', problems: [{ code: 'NOT_FOUND', path: ['input', 'user'] }] });
  });

  it('does not send names that hold nothing', async () => {
    const email = 'no.names@example.com';
    await aPerson(email);
    const answer = await update(email, { givenName: null, familyName: ' ' });
    expect(answer).toMatchObject({ outcome: 'FAILED', problems: [{ code: 'INVALID_INPUT' }] });
  });
});
