import { ManualClock } from '../../../src/simulator/clock';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { codeOf, enterpriseUrn, errorText, profileUrn, SimulatorClient, userUrn } from '../../support/simulator-client';

const clock = new ManualClock();
let simulator: Simulator;
let slack: SimulatorClient;
let id: string;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'users-change', clock, switches: { limitsEnabled: false } });
  slack = new SimulatorClient(simulator);
});
beforeEach(() => {
  simulator.reset();
  id = slack.person('barbara.liskov').id;
});
afterAll(() => simulator.stop());

const read = async () => (await slack.scim('GET', `/Users/${id}`)).json;
const patch = (...operations: object[]) => slack.patch('Users', id, ...operations);
const set = (path: string, value: unknown) => patch({ op: 'replace', path, value });

describe('PUT', () => {
  it('accepts what a GET showed and changes nothing', async () => {
    const before = await read();
    const answer = await slack.scim('PUT', `/Users/${id}`, before);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual(before);
  });

  it('blanks what it leaves out, but keeps the name and the primary address', async () => {
    await patch({ op: 'add', path: 'emails', value: { value: 'second@x.example' } });
    const { json } = await slack.scim('PUT', `/Users/${id}`, {
      schemas: [userUrn],
      userName: 'barbara.liskov',
      active: true,
    });
    expect(json).toMatchObject({
      name: { givenName: 'Barbara', familyName: 'Liskov' },
      displayName: '',
      title: '',
      timezone: 'America/Los_Angeles',
      active: true,
      emails: [{ value: 'barbara.liskov@northwind.example', primary: true }],
      [enterpriseUrn]: { department: null, employeeNumber: null },
    });
    expect(json.emails).toHaveLength(1);
  });

  it('without active deactivates, unless the switch keeps people active', async () => {
    const body = { schemas: [userUrn], userName: 'barbara.liskov', displayName: 'Barbara Liskov' };
    simulator.switches.putWithoutActive = 'keeps';
    expect((await slack.scim('PUT', `/Users/${id}`, body)).json.active).toBe(true);
    simulator.switches.putWithoutActive = 'deactivates';
    expect((await slack.scim('PUT', `/Users/${id}`, body)).json.active).toBe(false);
  });

  it('needs a userName, and never empties the addresses', async () => {
    expect(codeOf(await slack.scim('PUT', `/Users/${id}`, { schemas: [userUrn] }))).toBe('username_required');
    const body = { schemas: [userUrn], userName: 'barbara.liskov', active: true, emails: [] };
    expect(codeOf(await slack.scim('PUT', `/Users/${id}`, body))).toBe('missing_primary_email');
  });

  it('renames by either of the two names when the other is sent back as it was', async () => {
    const before = await read();
    expect((await slack.scim('PUT', `/Users/${id}`, { ...before, userName: 'barbara' })).json).toMatchObject({
      userName: 'barbara',
      nickName: 'barbara',
    });
    expect(
      (await slack.scim('PUT', `/Users/${id}`, { ...before, userName: 'barbara', nickName: 'bl' })).json,
    ).toMatchObject({ userName: 'bl', nickName: 'bl' });
  });

  it('cannot change a password', async () => {
    const answer = await slack.scim('PUT', `/Users/${id}`, { ...(await read()), password: 'new' });
    expect(codeOf(answer)).toBe('password_change_not_allowed');
  });

  it('loses a phone number when an answer is sent back, as the labels are swapped', async () => {
    await patch({
      op: 'add',
      path: 'phoneNumbers',
      value: [
        { value: '+1', type: 'work' },
        { value: '+2', type: 'mobile' },
      ],
    });
    const { json } = await slack.scim('PUT', `/Users/${id}`, await read());
    expect(json.phoneNumbers).toEqual([
      { value: null, type: 'mobile' },
      { value: '+2', primary: true },
    ]);
  });

  it('refuses people and ids that do not exist', async () => {
    expect(errorText((await slack.scim('PUT', '/Users/U0NOBODY', { schemas: [userUrn] })).json)).toBe('no_such_user');
    const odd = await slack.scim('PUT', '/Users/not-an-id', { schemas: [userUrn] });
    expect([odd.status, codeOf(odd)]).toEqual([400, 'cannot_decode_user_id']);
  });
});

describe('PATCH of single attributes', () => {
  it.each([
    ['userName', 'B.Liskov@mit.example', 'b.liskov'],
    ['nickName', 'bl', 'bl'],
    ['displayName', 'Barbara', 'Barbara'],
    ['title', 'Professor', 'Professor'],
    ['userType', 'Employee', 'Employee'],
    ['preferredLanguage', 'en_US', 'en_US'],
    ['locale', 'en-US', 'en-US'],
    ['timezone', 'Europe/Berlin', 'Europe/Berlin'],
    ['active', false, false],
    ['active', 'False', false],
  ])('replaces %s with %s', async (path, value, stored) => {
    const answer = await set(path, value);
    expect([answer.status, answer.json[path]]).toEqual([200, stored]);
    expect((await read())[path]).toBe(stored);
  });

  it('keeps userName and nickName the same, and the address of the profile with them', async () => {
    expect((await set('nickName', 'bl')).json).toMatchObject({
      userName: 'bl',
      profileUrl: 'https://northwind.slack.com/team/bl',
    });
    expect(await slack.filter('Users', 'userName eq "barbara.liskov"')).toEqual([]);
    expect(await slack.filter('Users', 'userName eq "bl"')).toEqual(['bl']);
  });

  it('sets and removes parts of the name', async () => {
    await patch({ op: 'add', path: 'name', value: { givenName: 'Barb', honorificPrefix: 'Prof.' } });
    await patch({ op: 'replace', path: 'name.familyName', value: 'L.' });
    expect((await read()).name).toEqual({ givenName: 'Barb', familyName: 'L.', honorificPrefix: 'Prof.' });
    await patch({ op: 'remove', path: 'name.honorificPrefix' }, { op: 'remove', path: 'name.familyName' });
    expect((await read()).name).toEqual({ givenName: 'Barb', familyName: '', honorificPrefix: null });
    expect(codeOf(await patch({ op: 'remove', path: 'name.givenName' }))).toBe('invalid_name_required');
  });

  it('refuses display names while members may edit their own', async () => {
    simulator.switches.displayNameUpdatesAllowed = false;
    const answer = await set('displayName', 'Barbara');
    expect([answer.status, codeOf(answer)]).toEqual([400, 'invalid_display_name']);
    expect((await set('displayName', 'Barbara Liskov')).status).toBe(200);
    const { json } = await slack.scim('PUT', `/Users/${id}`, {
      schemas: [userUrn],
      userName: 'barbara.liskov',
      active: true,
    });
    expect(json.displayName).toBe('Barbara Liskov');
  });

  it.each(['externalId', 'profileUrl', 'id', 'meta', 'groups', 'shoeSize', 'title.text', 'name.middleName'])(
    'refuses the path %s',
    async (path) => {
      expect(codeOf(await set(path, 'x'))).toBe('invalid_request_payload');
    },
  );

  it('refuses to change a password or to remove a userName', async () => {
    expect(codeOf(await set('password', 'x'))).toBe('password_change_not_allowed');
    expect(codeOf(await patch({ op: 'remove', path: 'userName' }))).toBe('username_empty');
  });

  it('checks uniqueness as a creation does', async () => {
    expect(errorText((await set('userName', 'ada.lovelace')).json)).toBe('username_taken (username=ada.lovelace)');
    const taken = await patch({ op: 'add', path: 'emails', value: [{ value: 'felix.braun@northwind.example' }] });
    expect([taken.status, codeOf(taken)]).toEqual([409, 'email_taken']);
  });
});

describe('PATCH of lists', () => {
  const emailsOf = async () => (await read()).emails;
  const primary = { value: 'barbara.liskov@northwind.example', primary: true };

  it('adds, replaces and removes the second address', async () => {
    await patch({ op: 'add', path: 'emails', value: [{ value: 'b@x.example', type: 'home' }] });
    expect(await emailsOf()).toEqual([primary, { value: 'b@x.example', primary: false }]);
    await patch({ op: 'replace', path: 'emails[primary eq false]', value: { value: 'c@x.example' } });
    expect(await emailsOf()).toEqual([primary, { value: 'c@x.example', primary: false }]);
    await patch({ op: 'remove', path: 'emails[value eq "C@x.example"]' });
    expect(await emailsOf()).toEqual([primary]);
    await patch({ op: 'add', path: 'emails', value: { value: 'd@x.example' } });
    await patch({ op: 'remove', path: 'emails' });
    expect(await emailsOf()).toEqual([primary]);
  });

  it('replaces the primary address but never removes it', async () => {
    const value = { value: 'barbara@x.example', type: 'work', primary: true };
    await patch({ op: 'replace', path: `emails[value eq "${primary.value}"]`, value });
    expect(await emailsOf()).toEqual([{ value: 'barbara@x.example', primary: true }]);
    for (const path of ['emails[primary eq true]', 'emails[value eq "barbara@x.example"]']) {
      expect(codeOf(await patch({ op: 'remove', path }))).toBe('missing_primary_email');
    }
    expect(codeOf(await patch({ op: 'remove', path: 'emails[value eq "other@x.example"]' }))).toBe('emails_invalid');
  });

  it('lets a new primary address in by add', async () => {
    await patch({ op: 'add', path: 'emails', value: [{ value: 'new@x.example', primary: true }] });
    expect(await emailsOf()).toEqual([{ value: 'new@x.example', primary: true }]);
    expect(
      simulator.world.findPersonByEmail(simulator.world.organization('business').id, primary.value),
    ).toBeUndefined();
  });

  it('fills, changes and clears phone slots', async () => {
    const phones = async () => (await read()).phoneNumbers;
    await patch({ op: 'add', path: 'phoneNumbers', value: { value: '+1' } });
    await patch({ op: 'add', path: 'phoneNumbers', value: [{ value: '+2', type: 'work' }] });
    expect(await phones()).toEqual([
      { value: '+2', type: 'mobile' },
      { value: '+1', primary: true },
    ]);
    await patch({ op: 'replace', path: 'phoneNumbers[value eq "+2"].value', value: '+3' });
    await patch({ op: 'remove', path: 'phoneNumbers[value eq "+1"]' });
    expect(await phones()).toEqual([
      { value: '+3', type: 'mobile' },
      { value: null, primary: true },
    ]);
    await patch({ op: 'remove', path: 'phoneNumbers' });
    expect(await phones()).toEqual([
      { value: null, type: 'mobile' },
      { value: null, primary: true },
    ]);
    expect(codeOf(await patch({ op: 'remove', path: 'phoneNumbers[value eq "+9"]' }))).toBe('phoneNumbers_invalid');
  });

  it('takes addresses under both names, and roles as objects or strings', async () => {
    await patch({ op: 'add', path: 'address', value: [{ locality: 'Cambridge' }] });
    await patch({ op: 'add', path: 'roles', value: ['Engineer'] });
    expect(await read()).toMatchObject({
      addresses: [{ locality: 'Cambridge', region: null }],
      roles: [{ value: 'Engineer', primary: true }],
    });
    await patch(
      { op: 'add', path: 'roles', value: [{ value: 'Lead', primary: true }] },
      { op: 'remove', path: 'addresses' },
    );
    expect(await read()).toMatchObject({ addresses: [{ locality: null }], roles: [{ value: 'Lead', primary: true }] });
  });

  it('clears photos by an empty list only', async () => {
    await patch({ op: 'replace', path: 'photos', value: [{ value: 'https://photos.example.com/b.jpg' }] });
    expect(JSON.stringify((await read()).photos)).toContain('photos.example.com');
    expect(codeOf(await patch({ op: 'remove', path: 'photos' }))).toBe('photos_invalid');
    await patch({ op: 'replace', path: 'photos', value: [] });
    expect(JSON.stringify((await read()).photos)).toContain('gravatar');
  });
});

describe('PATCH of extensions', () => {
  const manager = () => slack.person('ada.lovelace').id;

  it('takes a colon or a dot after the URN', async () => {
    await patch(
      { op: 'add', path: `${enterpriseUrn}:employeeNumber`, value: '7' },
      { op: 'add', path: `${enterpriseUrn}.costCenter`, value: '8' },
    );
    await patch({ op: 'add', path: enterpriseUrn, value: { manager: { managerId: manager() } } });
    expect((await read())[enterpriseUrn]).toMatchObject({
      employeeNumber: '7',
      costCenter: '8',
      department: 'Engineering',
      manager: { managerId: manager() },
    });
    await patch(
      { op: 'remove', path: `${enterpriseUrn}.manager.managerId` },
      { op: 'remove', path: `${enterpriseUrn}:department` },
    );
    expect((await read())[enterpriseUrn]).toMatchObject({
      employeeNumber: '7',
      department: null,
      manager: { managerId: null },
    });
    await patch({ op: 'remove', path: enterpriseUrn });
    expect((await read())[enterpriseUrn]).toMatchObject({ employeeNumber: null, costCenter: null });
  });

  it('takes the start date as an operation, as a path, and as a plain body', async () => {
    const startDate = async () => JSON.stringify((await read())[profileUrn]);
    await patch({ op: 'add', path: profileUrn, value: { startDate: '2024-01-01' } });
    expect(await startDate()).toContain('2024-01-01T00:00:00+0000');
    await patch({ op: 'replace', path: `${profileUrn}:startDate`, value: '2024-02-02T00:00:00Z' });
    expect(await startDate()).toContain('2024-02-02T00:00:00+0000');
    await slack.scim('PATCH', `/Users/${id}`, { schemas: [profileUrn], [profileUrn]: { startDate: '2024-03-03' } });
    expect(await startDate()).toContain('2024-03-03T00:00:00+0000');
    await patch({ op: 'remove', path: profileUrn });
    expect(await startDate()).toContain('null');
  });

  it('fails on an unfit profile field, unlike a creation', async () => {
    expect(codeOf(await set(`${profileUrn}:startDate`, 'soon'))).toBe('invalid_attribute_format');
    expect(codeOf(await set(`${profileUrn}:shirt`, 'L'))).toBe('invalid_attribute_format');
    expect(codeOf(await set('userType', 'x'.repeat(256)))).toBe('invalid_attribute_format');
    expect(codeOf(await set(`${enterpriseUrn}:manager`, {}))).toBe('improper_enterprise_schema_format');
  });
});

describe('PATCH forms', () => {
  it('take op in any letter case, and an object value without a path', async () => {
    await patch({ op: 'Replace', path: 'title', value: 'A' });
    await patch({
      op: 'ADD',
      value: { timezone: 'Europe/Paris', 'name.givenName': 'Babs', [`${enterpriseUrn}:division`]: 'R&D' },
    });
    expect(await read()).toMatchObject({
      title: 'A',
      timezone: 'Europe/Paris',
      name: { givenName: 'Babs' },
      [enterpriseUrn]: { division: 'R&D' },
    });
  });

  it.each([
    ['no operations', { schemas: [userUrn] }],
    ['operations in lower case', { schemas: [userUrn], operations: [{ op: 'replace', path: 'title', value: 'x' }] }],
    ['an empty list', { schemas: [userUrn], Operations: [] }],
    ['an unknown op', { schemas: [userUrn], Operations: [{ op: 'move', path: 'title', value: 'x' }] }],
    ['no value', { schemas: [userUrn], Operations: [{ op: 'replace', path: 'title' }] }],
    ['a removal without a path', { schemas: [userUrn], Operations: [{ op: 'remove' }] }],
    ['a broken path', { schemas: [userUrn], Operations: [{ op: 'replace', path: 'emails[value eq "a', value: 'x' }] }],
  ])('are refused with %s', async (_case, body) => {
    expect(codeOf(await slack.scim('PATCH', `/Users/${id}`, body))).toBe('invalid_request_payload');
  });

  it('apply together or not at all', async () => {
    const before = await read();
    const answer = await patch(
      { op: 'replace', path: 'title', value: 'Changed' },
      { op: 'replace', path: 'active', value: false },
      { op: 'remove', path: 'emails[primary eq true]' },
    );
    expect(codeOf(answer)).toBe('missing_primary_email');
    expect(await read()).toEqual(before);
  });
});
