import type { DirectoryUser, UserChanges } from '../../../src/domain/directory/user';
import type { DirectoryClient } from '../../../src/domain/directory-ports';
import {
  EmailTaken,
  GuestNotAllowed,
  ProtectedUser,
  UserNameInvalid,
  UserNameUnavailable,
} from '../../../src/domain/errors';
import { type Simulated, startSimulated } from './simulated';

describe('people at the simulated Slack', () => {
  let slack: Simulated;
  let client: DirectoryClient;
  beforeAll(async () => {
    slack = await startSimulated();
  });
  afterAll(() => slack.stop());
  beforeEach(() => {
    slack.simulator.reset();
    client = slack.client();
  });

  async function get(slackId: string): Promise<DirectoryUser> {
    const user = await client.getUser(slackId, slack.call());
    if (user === undefined) throw new Error('Nobody there');
    return user;
  }
  async function byEmail(email: string): Promise<DirectoryUser> {
    const [user] = await client.findUsers({ email }, slack.call());
    if (user === undefined) throw new Error(`Nobody holds ${email}`);
    return user;
  }
  async function update(user: DirectoryUser, changes: UserChanges, active?: boolean): Promise<DirectoryUser> {
    await client.updateUser(user, changes, { active, action: 'user.update' }, slack.call());
    return get(user.slackId);
  }
  function create(changes: Partial<UserChanges> = {}) {
    const draft = { email: 'new.person@northwind.example', userName: 'new.person', ...changes };
    return client.createUser(draft as Parameters<DirectoryClient['createUser']>[0], slack.call());
  }

  const everyField = {
    displayName: 'New Person',
    givenName: 'New',
    familyName: 'Person',
    title: 'Lead',
    timezone: 'Europe/Berlin',
    locale: 'de_DE',
    preferredLanguage: 'de_DE',
    userType: 'Employee',
    phoneNumber: '+49-1',
    employeeNumber: '7',
    costCenter: '8',
    organization: 'Northwind',
    division: 'East',
    department: 'Tea',
    startDate: new Date('2030-01-02T00:00:00Z'),
    profileFields: [
      { key: 'honorificPrefix', value: 'Dr.' },
      { key: 'role', value: 'Engineer' },
      { key: 'mobilePhone', value: '+49-2' },
      { key: 'address.locality', value: 'Berlin' },
      { key: 'address.country', value: 'Germany' },
    ],
  };
  const everyFieldShown = {
    displayName: 'New Person',
    givenName: 'New',
    familyName: 'Person',
    title: 'Lead',
    timezone: 'Europe/Berlin',
    locale: 'de_DE',
    preferredLanguage: 'de_DE',
    userType: 'Employee',
    phoneNumbers: expect.arrayContaining([
      { value: '+49-1', kind: 'PRIMARY' },
      { value: '+49-2', kind: 'MOBILE' },
    ]),
    employment: {
      employeeNumber: '7',
      costCenter: '8',
      organization: 'Northwind',
      division: 'East',
      department: 'Tea',
      startDate: new Date('2030-01-02T00:00:00Z'),
    },
    profileFields: expect.arrayContaining(everyField.profileFields),
  };

  it('are created with every field', async () => {
    const manager = await byEmail('barbara.liskov@northwind.example');
    const created = await create({ ...everyField, managerSlackId: manager.slackId });
    expect(created).toMatchObject({ ...everyFieldShown, userName: 'new.person', active: true });
    expect(created?.employment.managerSlackId).toBe(manager.slackId);
    expect(created?.emails).toEqual([{ value: 'new.person@northwind.example', primary: true }]);
  });

  it('take every field in an update, and lose it again when it is cleared', async () => {
    const before = await byEmail('edsger.dijkstra@northwind.example');
    const manager = await byEmail('barbara.liskov@northwind.example');
    const filled = await update(before, { ...everyField, managerSlackId: manager.slackId });
    expect(filled).toMatchObject(everyFieldShown);
    expect(filled.employment.managerSlackId).toBe(manager.slackId);
    const changed = await update(filled, {
      phoneNumber: '+49-3',
      profileFields: [
        { key: 'mobilePhone', value: '+49-4' },
        { key: 'address.locality', value: 'Lyon' },
        { key: 'role', value: 'Lead' },
      ],
    });
    expect(changed.profileFields).toEqual(
      expect.arrayContaining([
        { key: 'mobilePhone', value: '+49-4' },
        { key: 'address.locality', value: 'Lyon' },
        { key: 'address.country', value: 'Germany' },
        { key: 'role', value: 'Lead' },
      ]),
    );
    expect(changed.phoneNumbers).toContainEqual({ value: '+49-3', kind: 'PRIMARY' });
    const clearings = Object.fromEntries(Object.keys(everyField).map((field) => [field, null]));
    const { givenName: _, ...cleared } = clearings;
    const emptied = await update(changed, { ...cleared, managerSlackId: null });
    expect(emptied).toMatchObject({ givenName: 'New', phoneNumbers: [], addresses: [] });
    expect([emptied.title, emptied.displayName, emptied.familyName, emptied.locale, emptied.userType]).toEqual(
      Array(5).fill(undefined),
    );
    expect(Object.values(emptied.employment).every((value) => value === undefined)).toBe(true);
    expect(emptied.profileFields.map(({ key }) => key)).toEqual([]);
  });

  it('change their primary address and their user name', async () => {
    const before = await byEmail('edsger.dijkstra@northwind.example');
    const after = await update(before, { email: 'ewd@northwind.example', userName: 'ewd' });
    expect(after).toMatchObject({ userName: 'ewd', emails: [{ value: 'ewd@northwind.example', primary: true }] });
    await expect(client.findUsers({ email: 'edsger.dijkstra@northwind.example' }, slack.call())).resolves.toEqual([]);
    await expect(client.findUsers({ userName: 'EWD' }, slack.call())).resolves.toHaveLength(1);
  });

  it('are deactivated and reactivated, together with other changes', async () => {
    const before = await byEmail('edsger.dijkstra@northwind.example');
    const off = await update(before, { title: 'Emeritus' }, false);
    expect(off).toMatchObject({ active: false, title: 'Emeritus' });
    await expect(update(off, {}, false)).resolves.toMatchObject({ active: false });
    await expect(update(off, { title: 'Back' }, true)).resolves.toMatchObject({ active: true, title: 'Back' });
  });

  it('are found when deactivated, too', async () => {
    await expect(byEmail('felix.braun@northwind.example')).resolves.toMatchObject({ active: false });
  });

  it('become guests and members on an Enterprise organization', async () => {
    client = slack.client('enterprise-owner');
    const before = await byEmail('alan.turing@acme-group.example');
    const expiresAt = new Date('2031-01-01T00:00:00Z');
    const guest = await update(before, { guest: { expiresAt } });
    expect(guest.guest).toEqual({ kind: 'MULTI_CHANNEL', expiresAt });
    const slice = await client.listUsers({ startIndex: 1, count: 50, filter: { guest: true } }, slack.call());
    expect(slice.users.map(({ slackId }) => slackId)).toContain(guest.slackId);
    expect(slice.users.every((user) => user.guest !== undefined)).toBe(true);
    await expect(update(guest, { guest: null })).resolves.toMatchObject({ guest: undefined });
  });

  it.each([
    ['an address that somebody holds', { email: 'barbara.liskov@northwind.example' }, EmailTaken],
    ['an address of a deactivated person', { email: 'felix.braun@northwind.example' }, EmailTaken],
    ['a taken user name', { userName: 'barbara.liskov' }, UserNameUnavailable],
    ["a channel's name", { userName: 'general' }, UserNameUnavailable],
    ['a long user name', { userName: 'a-name-that-is-much-too-long' }, UserNameInvalid],
    ['a guest outside Enterprise', { guest: {} }, GuestNotAllowed],
  ])('are not created with %s', async (_, changes, type) => {
    await expect(create(changes)).rejects.toBeInstanceOf(type);
  });

  it.each([
    ['petra.vogel@northwind.example', ['OWNER', 'PRIMARY_OWNER', 'HIGHER_RANK']],
    ['owen.baker@northwind.example', ['OWNER', 'HIGHER_RANK']],
    ['bot', ['BOT']],
  ])('are protected when they are %s', async (who, reasons) => {
    const everybody = await client.listUsers({ startIndex: 1, count: 100 }, slack.call());
    const person = everybody.users.find(({ emails, userName }) =>
      who === 'bot' ? userName.endsWith('_bot') : emails.some(({ value }) => value === who),
    );
    if (person === undefined) throw new Error('The seed has changed');
    const error = await update(person, {}, false).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ProtectedUser);
    expect(reasons).toContain((error as ProtectedUser).reason);
  });

  it('are listed page by page, in an order without repeats', async () => {
    const ids: string[] = [];
    let total = 1;
    for (let startIndex = 1; startIndex <= total; startIndex += 4) {
      const slice = await client.listUsers({ startIndex, count: 4 }, slack.call());
      total = slice.totalResults;
      ids.push(...slice.users.map(({ slackId }) => slackId));
    }
    expect(ids).toHaveLength(total);
    expect(new Set(ids).size).toBe(total);
  });

  it.each([[[]], [['username']], [['email', 'username']], [['emails', 'username']], [['emails.value']]])(
    'are found whichever filters are understood: %j',
    async (filterAttributes: string[]) => {
      slack.simulator.switches.filterAttributes = filterAttributes;
      await expect(byEmail('Barbara.Liskov@northwind.example')).resolves.toMatchObject({ userName: 'barbara.liskov' });
      await expect(client.findUsers({ userName: 'barbara.liskov' }, slack.call())).resolves.toHaveLength(1);
      await expect(client.findUsers({ email: 'nobody@northwind.example' }, slack.call())).resolves.toEqual([]);
    },
  );

  it.each(['old', 'new'] as const)('are refused in %s error bodies alike', async (errorStyle) => {
    slack.simulator.switches.errorStyle = errorStyle;
    await expect(create({ email: 'barbara.liskov@northwind.example' })).rejects.toBeInstanceOf(EmailTaken);
    await expect(client.getUser('U0NOBODY', slack.call())).resolves.toBeUndefined();
  });
});
