import { connectSandbox } from '../support/operations';
import { callsDuring, calmDown, changePerson, holdersOf, peopleOf, readPerson, seededPerson } from '../support/people';
import { startTestApp, type TestApp } from '../support/start-app';

let app: TestApp;
let workspace: string;
let organization: string;

beforeAll(async () => {
  app = await startTestApp();
  workspace = (await connectSandbox(app)).id;
  organization = (await connectSandbox(app, 'enterprise-owner')).id;
});
afterEach(() => calmDown(app.simulator));
afterAll(() => app.stop());

function provision(user: object, extra: { connectionId?: string; ifExists?: string; idempotencyKey?: string } = {}) {
  return changePerson(app, 'provisionUser', { connectionId: workspace, user, ...extra });
}

describe('creating a person', () => {
  it('gives every field back as it was given, in the answer and when read later', async () => {
    const manager = seededPerson(app.simulator, 'petra.vogel').id;
    const input = {
      email: 'every.field@example.com',
      userName: 'every-field',
      displayName: 'Every Field',
      givenName: 'Every',
      familyName: 'Field',
      title: 'Complete',
      timezone: 'Europe/Berlin',
      locale: 'de_DE',
      preferredLanguage: 'de-DE',
      userType: 'Employee',
      phoneNumber: '+49 30 1234',
      photoUrl: 'https://example.com/every.png',
      employeeNumber: '42',
      costCenter: 'C-1',
      organization: 'Northwind',
      division: 'North',
      department: 'Research',
      managerSlackId: manager,
      startDate: '2026-05-01T09:30:00Z',
      profileFields: [
        { key: 'honorificPrefix', value: 'Dr.' },
        { key: 'role', value: 'Lead' },
        { key: 'mobilePhone', value: '+49 170 5678' },
        { key: 'address.streetAddress', value: 'Long Road 1' },
        { key: 'address.locality', value: 'Berlin' },
        { key: 'address.region', value: 'BE' },
        { key: 'address.postalCode', value: '10115' },
        { key: 'address.country', value: 'DE' },
        { key: 'profileUrl', value: 'https://people.example.com/every' },
      ],
    };
    const created = await provision(input);
    expect(created).toMatchObject({ outcome: 'CREATED', problems: [] });
    const { profileFields, ...rest } = created.user ?? { profileFields: [] };
    expect(rest).toEqual({
      id: expect.stringMatching(/^usr_/),
      slackId: expect.stringMatching(/^U/),
      userName: 'every-field',
      active: true,
      displayName: 'Every Field',
      primaryEmail: 'every.field@example.com',
      title: 'Complete',
      timezone: 'Europe/Berlin',
      locale: 'de_DE',
      preferredLanguage: 'de-DE',
      userType: 'Employee',
      photoUrl: expect.stringContaining('https://'),
      profileUrl: 'https://people.example.com/every',
      createdAt: expect.any(String),
      name: { givenName: 'Every', familyName: 'Field', honorificPrefix: 'Dr.' },
      emails: [{ value: 'every.field@example.com', primary: true }],
      phoneNumbers: expect.arrayContaining([
        { value: '+49 30 1234', kind: 'PRIMARY' },
        { value: '+49 170 5678', kind: 'MOBILE' },
      ]),
      addresses: [
        { streetAddress: 'Long Road 1', locality: 'Berlin', region: 'BE', postalCode: '10115', country: 'DE' },
      ],
      employment: {
        employeeNumber: '42',
        costCenter: 'C-1',
        organization: 'Northwind',
        division: 'North',
        department: 'Research',
        managerSlackId: manager,
        startDate: '2026-05-01T00:00:00.000Z',
      },
      guest: null,
      groups: [],
    });
    expect(profileFields).toEqual(
      expect.arrayContaining(input.profileFields.filter(({ key }) => key !== 'profileUrl')),
    );
    expect(profileFields.map(({ key }) => key)).not.toContain('profileUrl');
    const read = await readPerson(app, workspace, { email: input.email });
    expect(read).toEqual({ ...created.user, photoUrl: 'https://example.com/every.png' });

    const again = await callsDuring(app.simulator, async () => {
      expect(await provision(input)).toMatchObject({ outcome: 'UNCHANGED', problems: [] });
    });
    expect(again).toEqual(['GET /Users']);
  });

  it('costs one lookup and one creation, and nothing but the lookup when nothing changes', async () => {
    const user = { email: 'two.calls@example.com', title: 'Thrifty' };
    expect(await callsDuring(app.simulator, () => provision(user))).toEqual(['GET /Users', 'POST /Users']);
    expect(await callsDuring(app.simulator, () => provision(user))).toEqual(['GET /Users']);
  });

  it.each([
    ['jean-luc.picard.of.the.enterprise@example.com', 'jean-luc.picard.of.th'],
    ['Über.Größe@example.com', '_ber.gr__e'],
    ["o'neil+slack@example.com", 'o_neil_slack'],
  ])('derives a user name from %s as Slack would', async (email, userName) => {
    const { user, outcome, problems } = await provision({ email });
    expect({ userName: user?.userName, outcome, problems }).toEqual({ userName, outcome: 'CREATED', problems: [] });
  });

  it('brings a user name into the form in which Slack stores it', async () => {
    const { user } = await provision({ email: 'given.name@example.com', userName: 'Given Name!' });
    expect(user?.userName).toBe('given_name_');
  });

  it.each([
    [{ email: 'too.long@example.com', userName: 'a'.repeat(22) }, 'USERNAME_INVALID', ['input', 'user', 'userName']],
    [{ email: 'dots@example.com', userName: '...' }, 'USERNAME_INVALID', ['input', 'user', 'userName']],
    [{ email: '...@example.com' }, 'USERNAME_INVALID', ['input', 'user', 'userName']],
    [{ email: 'no-address' }, 'INVALID_INPUT', ['input', 'user', 'email']],
    [{ email: 'display@example.com', displayName: 'x'.repeat(81) }, 'INVALID_INPUT', ['input', 'user', 'displayName']],
    [{ email: 'at@example.com', displayName: 'a@b' }, 'INVALID_INPUT', ['input', 'user', 'displayName']],
    [{ email: 'emoji@example.com', displayName: 'Ada 🎈' }, 'INVALID_INPUT', ['input', 'user', 'displayName']],
    [{ email: 'photo@example.com', photoUrl: 'file:///etc/passwd' }, 'INVALID_INPUT', ['input', 'user', 'photoUrl']],
    [{ email: 'lines@example.com', title: 'a\nb' }, 'INVALID_INPUT', ['input', 'user', 'title']],
    [
      { email: 'key@example.com', profileFields: [{ key: 'a b', value: 'x' }] },
      'INVALID_INPUT',
      ['input', 'user', 'profileFields', '0', 'key'],
    ],
  ])('refuses %j without a call to Slack', async (user, code, path) => {
    const calls = await callsDuring(app.simulator, async () => {
      const answer = await provision(user);
      expect(answer).toMatchObject({ outcome: 'FAILED', user: null, problems: [{ code, path, retryable: false }] });
    });
    expect(calls).toEqual([]);
  });

  it('passes on that Slack does not accept a user name', async () => {
    const { outcome, problems } = await provision({ email: 'slackbot@example.com' });
    expect({ outcome, code: problems[0]?.code }).toEqual({ outcome: 'FAILED', code: 'USERNAME_INVALID' });
  });

  it.each([
    ['a person', 'barbara.liskov'],
    ['a deactivated person', 'felix.braun'],
    ['a channel', 'general'],
  ])('says that a user name belongs to %s', async (_, userName) => {
    const answer = await provision({ email: `other.${userName}@example.com`, userName });
    expect(answer).toMatchObject({
      outcome: 'FAILED',
      problems: [{ code: 'USERNAME_UNAVAILABLE', path: ['input', 'user', 'userName'] }],
    });
    expect(holdersOf(app.simulator, `other.${userName}@example.com`)).toEqual([]);
  });

  it('tells which profile fields Slack dropped, while the person exists', async () => {
    const user = {
      email: 'dropped@example.com',
      title: 'Kept',
      department: 'Lost',
      profileFields: [
        { key: 'role', value: 'Lost too' },
        { key: 'favouriteColor', value: 'Slack knows no such field' },
      ],
    };
    const answer = await provision(user);
    expect(answer).toMatchObject({ outcome: 'CREATED', user: { title: 'Kept', active: true } });
    expect(answer.problems).toEqual([expect.objectContaining({ code: 'PROFILE_FIELDS_DROPPED', retryable: false })]);
    expect([...(answer.problems[0]?.fields ?? [])].sort()).toEqual([
      'department',
      'profileFields.favouriteColor',
      'profileFields.role',
    ]);
    expect(holdersOf(app.simulator, user.email)).toHaveLength(1);
  });

  it('makes one person of many calls at once with one address', async () => {
    const email = 'race@example.com';
    const answers = await Promise.all(Array.from({ length: 8 }, () => provision({ email, title: 'Only one' })));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['CREATED', ...Array(7).fill('UNCHANGED')]);
    expect(new Set(answers.map(({ user }) => user?.slackId)).size).toBe(1);
    expect(holdersOf(app.simulator, email)).toHaveLength(1);
  });
});

describe('a person who exists', () => {
  it('is updated by default, left alone by ADOPT, and a failure by FAIL', async () => {
    const email = 'edsger.dijkstra@northwind.example';
    const before = seededPerson(app.simulator, 'edsger.dijkstra');
    const adopted = await provision({ email, title: 'Ignored' }, { ifExists: 'ADOPT' });
    expect(adopted).toMatchObject({
      outcome: 'ADOPTED',
      problems: [],
      user: { slackId: before.id, title: 'Engineer' },
    });

    const failed = await provision({ email, title: 'Ignored' }, { ifExists: 'FAIL' });
    expect(failed).toMatchObject({
      outcome: 'FAILED',
      user: null,
      problems: [{ code: 'EMAIL_TAKEN', path: ['input', 'user', 'email'], heldBy: { slackId: before.id } }],
    });

    const calls = await callsDuring(app.simulator, async () => {
      const updated = await provision({ email: email.toUpperCase(), title: 'Professor' });
      expect(updated).toMatchObject({ outcome: 'UPDATED', user: { slackId: before.id, title: 'Professor' } });
    });
    expect(calls).toEqual(['GET /Users', 'PATCH /Users/{id}']);
  });

  it('keeps the user name when none is given, and is renamed when one is', async () => {
    const email = 'margaret.hamilton@northwind.example';
    expect(await provision({ email })).toMatchObject({ outcome: 'UNCHANGED', user: { userName: 'margaret.hamilton' } });
    expect(await provision({ email, userName: 'margaret' })).toMatchObject({
      outcome: 'UPDATED',
      user: { userName: 'margaret' },
    });
    const taken = await provision({ email, userName: 'barbara.liskov' });
    expect(taken).toMatchObject({ outcome: 'FAILED', problems: [{ code: 'USERNAME_UNAVAILABLE' }] });
  });

  it('is reactivated with the new values in one write, and never collides with the own address', async () => {
    const email = 'felix.braun@northwind.example';
    const { id, active } = seededPerson(app.simulator, 'felix.braun');
    expect(active).toBe(false);
    expect(await provision({ email }, { ifExists: 'ADOPT' })).toMatchObject({ outcome: 'ADOPTED', user: { active } });
    const calls = await callsDuring(app.simulator, async () => {
      const back = await provision({ email, title: 'Back again' });
      expect(back).toMatchObject({
        outcome: 'REACTIVATED',
        problems: [],
        user: { slackId: id, active: true, title: 'Back again' },
      });
    });
    expect(calls).toEqual(['GET /Users', 'PATCH /Users/{id}']);
  });

  it('who holds the address as a second one is named, and left alone', async () => {
    const barbara = seededPerson(app.simulator, 'barbara.liskov');
    const second = 'liskov@substitution.example';
    app.simulator.world.organization('business').replacePerson({ ...barbara, secondaryEmail: second });
    const answer = await provision({ email: second, title: 'Nobody' });
    expect(answer).toMatchObject({
      outcome: 'FAILED',
      problems: [{ code: 'EMAIL_TAKEN', heldBy: { slackId: barbara.id }, path: ['input', 'user', 'email'] }],
    });
    expect(holdersOf(app.simulator, second)).toHaveLength(1);
    expect(seededPerson(app.simulator, 'barbara.liskov').title).toBe('Engineer');
  });

  it('keeps a display name that the organization leaves to its members, without losing the other changes', async () => {
    const email = 'barbara.liskov@northwind.example';
    app.simulator.switches.displayNameUpdatesAllowed = false;
    const both = await provision({ email, displayName: 'B.', title: 'Professor', department: 'Theory' });
    expect(both).toMatchObject({
      outcome: 'UPDATED',
      user: { displayName: 'Barbara Liskov', title: 'Professor', employment: { department: 'Theory' } },
      problems: [{ code: 'PROFILE_FIELDS_DROPPED', fields: ['displayName'] }],
    });
    const nameAlone = await provision({ email, displayName: 'B.' });
    expect(nameAlone).toMatchObject({
      outcome: 'UNCHANGED',
      user: { displayName: 'Barbara Liskov' },
      problems: [{ code: 'PROFILE_FIELDS_DROPPED', fields: ['displayName'] }],
    });
  });
});

describe('guests', () => {
  it('are made, kept and given another end on an organization', async () => {
    const email = 'guest@partner.example';
    const inOrganization = { connectionId: organization };
    const made = await provision({ email, guest: { expiresAt: '2031-01-31T00:00:00Z' } }, inOrganization);
    expect(made).toMatchObject({
      outcome: 'CREATED',
      problems: [],
      user: { guest: { kind: 'MULTI_CHANNEL', expiresAt: '2031-01-31T00:00:00.000Z' } },
    });
    expect(await provision({ email, guest: {} }, inOrganization)).toMatchObject({ outcome: 'UNCHANGED' });
    expect(await provision({ email, guest: { expiresAt: null } }, inOrganization)).toMatchObject({
      outcome: 'UPDATED',
      problems: [],
      user: { guest: { kind: 'MULTI_CHANNEL', expiresAt: null } },
    });
    const member = await changePerson(app, 'updateUser', {
      connectionId: organization,
      user: { email },
      changes: { guest: null },
    });
    expect(member).toMatchObject({ outcome: 'UPDATED', problems: [], user: { guest: null } });
  });

  it('cannot be made of an owner', async () => {
    const email = 'olivia.brandt@acme-group.example';
    const { outcome, problems } = await provision({ email, guest: {} }, { connectionId: organization });
    expect(outcome).toBe('FAILED');
    expect(['GUEST_NOT_ALLOWED', 'PROTECTED_USER']).toContain(problems[0]?.code);
  });

  it('are refused on a workspace before anything is sent', async () => {
    const before = peopleOf(app.simulator).length;
    const calls = await callsDuring(app.simulator, async () => {
      const answer = await provision({ email: 'no.guest@partner.example', guest: {} });
      expect(answer).toMatchObject({
        outcome: 'FAILED',
        problems: [{ code: 'GUEST_NOT_ALLOWED', path: ['input', 'user', 'guest'] }],
      });
    });
    expect(calls).toEqual([]);
    expect(peopleOf(app.simulator)).toHaveLength(before);
  });
});
