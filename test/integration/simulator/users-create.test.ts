import { ManualClock } from '../../../src/simulator/clock';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import {
  codeOf,
  enterpriseUrn,
  errorText,
  guestUrn,
  profileUrn,
  SimulatorClient,
  userUrn,
} from '../../support/simulator-client';

const clock = new ManualClock(Date.UTC(2026, 6, 1, 17, 0, 0));
let simulator: Simulator;
let slack: SimulatorClient;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'users-create', clock, switches: { limitsEnabled: false } });
  slack = new SimulatorClient(simulator);
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.stop());

const someone = { userName: 'new.person', emails: [{ value: 'new.person@northwind.example' }] };

/** Key orders of Slack's recorded and documented answers. */
const keyOrder = {
  withProfile: [
    ...[
      'schemas',
      'id',
      'externalId',
      'meta',
      'userName',
      'nickName',
      'name',
      'displayName',
      'profileUrl',
      'title',
      'timezone',
    ],
    ...['active', 'emails', 'photos', 'addresses', 'phoneNumbers', 'userType', 'roles', 'preferredLanguage', 'locale'],
    ...[enterpriseUrn, profileUrn, 'groups'],
  ],
  plain: [
    ...[
      'schemas',
      'id',
      'externalId',
      'meta',
      'userName',
      'nickName',
      'name',
      'displayName',
      'profileUrl',
      'title',
      'timezone',
    ],
    ...['active', 'emails', 'photos', 'groups'],
  ],
};

describe('a minimal person', () => {
  it('gets the documented defaults in the plain shape', async () => {
    const { status, json } = await slack.createUser(someone);
    expect(status).toBe(201);
    expect(Object.keys(json)).toEqual(keyOrder.plain);
    expect(json).toMatchObject({
      schemas: [userUrn],
      externalId: '',
      userName: 'new.person',
      nickName: 'new.person',
      name: { givenName: 'new.person', familyName: '' },
      displayName: 'new.person',
      profileUrl: 'https://northwind.slack.com/team/new.person',
      title: '',
      timezone: 'America/Los_Angeles',
      active: true,
      emails: [{ value: 'new.person@northwind.example', primary: true }],
      groups: [],
    });
    expect(json.id).toMatch(/^U[A-Z0-9]{10,}$/);
    expect(json.meta).toEqual({
      created: '2026-07-01T10:00:00-07:00',
      location: `${simulator.url}/scim/v2/Users/${json.id}`,
    });
    expect(JSON.stringify(json.photos)).toContain('https://secure.gravatar.com/avatar/');
    expect((await slack.scim('GET', `/Users/${json.id}`)).json).toEqual(json);
  });

  it('needs schemas, a userName and an address', async () => {
    const { emails, userName } = someone;
    expect(codeOf(await slack.scim('POST', '/Users', someone))).toBe('missing_schema_element');
    expect(codeOf(await slack.createUser({ emails }))).toBe('username_required');
    expect(codeOf(await slack.createUser({ emails, userName: ' ' }))).toBe('username_empty');
    expect(codeOf(await slack.createUser({ userName }))).toBe('email_empty');
    expect(codeOf(await slack.createUser({ userName, emails: [] }))).toBe('email_empty');
    expect(codeOf(await slack.createUser({ userName, emails: [{ value: '' }] }))).toBe('email_empty');
  });

  it('never keeps an externalId or a password', async () => {
    const { json } = await slack.createUser({ ...someone, externalId: 'hr-7', password: 'correct horse' });
    expect(json.externalId).toBe('');
    expect(JSON.stringify(simulator.snapshot())).not.toMatch(/hr-7|correct horse/);
  });

  it('takes the display name for the given name', async () => {
    const { json } = await slack.createUser({ ...someone, displayName: 'New Person' });
    expect(json).toMatchObject({ displayName: 'New Person', name: { givenName: 'New Person', familyName: '' } });
  });

  it('refuses attributes that SCIM does not define unless told to ignore them', async () => {
    expect(codeOf(await slack.createUser({ ...someone, shoeSize: 42 }))).toBe('invalid_request_payload');
    simulator.switches.unknownAttributes = 'ignore';
    expect((await slack.createUser({ ...someone, shoeSize: 42 })).status).toBe(201);
  });

  it('may be created deactivated', async () => {
    expect((await slack.createUser({ ...someone, active: false })).json.active).toBe(false);
  });

  it('is answered without a body, or with a Location, under switches', async () => {
    simulator.switches.emptyPostBody = 'always';
    const empty = await slack.createUser(someone);
    expect([empty.status, empty.text]).toEqual([201, '']);
    Object.assign(simulator.switches, { emptyPostBody: 'groups', locationHeader: true });
    const full = await slack.createUser({ userName: 'other', emails: [{ value: 'other@northwind.example' }] });
    expect(full.headers.get('location')).toBe(`${simulator.url}/scim/v2/Users/${full.json.id}`);
  });
});

describe('userName', () => {
  it.each([
    ['Grace.Hopper@navy.example', 'grace.hopper'],
    ['José García', 'jos__garc_a'],
    ['a b/c', 'a_b_c'],
    ['UPPER-case_9', 'upper-case_9'],
  ])('is rewritten: %s becomes %s', async (requested, stored) => {
    const { json } = await slack.createUser({ ...someone, userName: requested });
    expect([json.userName, json.nickName]).toEqual([stored, stored]);
  });

  it('holds 21 characters and no more, under one of two codes', async () => {
    expect((await slack.createUser({ ...someone, userName: 'a'.repeat(21) })).status).toBe(201);
    const long = { userName: 'b'.repeat(22), emails: [{ value: 'b@northwind.example' }] };
    expect(codeOf(await slack.createUser(long))).toBe('username_too_long');
    simulator.switches.longUserNameCode = 'long_username';
    expect(codeOf(await slack.createUser(long))).toBe('long_username');
    expect(codeOf(await slack.createUser({ ...long, userName: 'b', nickName: 'b'.repeat(22) }))).toBe('long_nickname');
  });

  it.each([
    ['barbara.liskov', 'an active person'],
    ['felix.braun', 'a deactivated person'],
    ['General', 'a channel'],
  ])('is taken when it is %s, the name of %s', async (userName) => {
    const answer = await slack.createUser({ ...someone, userName });
    expect([answer.status, errorText(answer.json)]).toEqual([
      409,
      `username_taken (username=${userName.toLowerCase()})`,
    ]);
  });

  it('cannot be reserved or made of signs alone', async () => {
    expect(codeOf(await slack.createUser({ ...someone, userName: 'slackbot' }))).toBe('username_not_allowed');
    expect(codeOf(await slack.createUser({ ...someone, userName: '漢字' }))).toBe('username_invalid');
  });
});

describe('e-mail addresses', () => {
  it.each([
    [
      'the one marked primary',
      [
        { value: 'a@x.example', type: 'work' },
        { value: 'b@x.example', primary: true },
      ],
      'b@x.example',
      'a@x.example',
    ],
    [
      'else the one for work',
      [
        { value: 'a@x.example', type: 'home' },
        { value: 'b@x.example', type: 'work' },
      ],
      'b@x.example',
      'a@x.example',
    ],
    ['else the first', [{ value: 'a@x.example' }, { value: 'b@x.example' }], 'a@x.example', 'b@x.example'],
  ])('take as primary %s', async (_rule, emails, primary, secondary) => {
    const { json } = await slack.createUser({ ...someone, emails });
    expect(json.emails).toEqual([
      { value: primary, primary: true },
      { value: secondary, primary: false },
    ]);
  });

  it('are two at most', async () => {
    const emails = ['a', 'b', 'c'].map((name) => ({ value: `${name}@x.example` }));
    expect((await slack.createUser({ ...someone, emails })).json.emails).toHaveLength(2);
  });

  it.each(['barbara.liskov', 'felix.braun'])(
    'are taken, with the id of the holder %s, active or not',
    async (holder) => {
      const answer = await slack.createUser({
        userName: holder,
        emails: [{ value: `${holder.toUpperCase()}@northwind.example` }],
      });
      expect([answer.status, errorText(answer.json)]).toEqual([
        409,
        `email_taken (existing_user=${slack.person(holder).id})`,
      ]);
    },
  );

  it('are taken by a second address too', async () => {
    await slack.createUser({ ...someone, emails: [{ value: 'a@x.example' }, { value: 'b@x.example' }] });
    const answer = await slack.createUser({
      userName: 'late',
      emails: [{ value: 'c@x.example' }, { value: 'B@x.example' }],
    });
    expect(codeOf(answer)).toBe('email_taken');
  });

  it('must be addresses in a list of objects', async () => {
    expect(codeOf(await slack.createUser({ ...someone, emails: [{ value: 'nobody' }] }))).toBe('email_invalid');
    expect(codeOf(await slack.createUser({ ...someone, emails: [{ value: `${'a'.repeat(250)}@x.example` }] }))).toBe(
      'bad_email_address',
    );
    expect(codeOf(await slack.createUser({ ...someone, emails: ['a@x.example'] }))).toBe('emails_invalid');
    expect(codeOf(await slack.createUser({ ...someone, emails: 'a@x.example' }))).toBe('invalid_attribute_format');
  });
});

describe('names', () => {
  it.each([
    ['x'.repeat(81), 'invalid_name_maxlength'],
    ['@grace', 'invalid_starts_with_at'],
    ['grace@navy', 'invalid_name_specials'],
    ['Grace 🚀', 'invalid_emoji_not_allowed'],
  ])('refuse the display name %s', async (displayName, code) => {
    const answer = await slack.createUser({ ...someone, displayName });
    expect([answer.status, errorText(answer.json)]).toEqual([400, `${code} (user=new.person)`]);
  });

  it('keep the signs that the field reports as kept', async () => {
    const displayName = "Zoë O'Neill (Ops), née [Ng]; a/b";
    expect((await slack.createUser({ ...someone, displayName })).json.displayName).toBe(displayName);
  });

  it('cannot be blanks alone', async () => {
    expect(codeOf(await slack.createUser({ ...someone, name: { givenName: ' ', familyName: ' ' } }))).toBe(
      'invalid_name_required',
    );
  });

  it('are singular', async () => {
    expect(codeOf(await slack.createUser({ ...someone, displayName: ['a'] }))).toBe('invalid_attribute_format');
    expect(codeOf(await slack.createUser({ ...someone, name: [{ givenName: 'a' }] }))).toBe('invalid_attribute_format');
  });
});

describe('profile fields', () => {
  const full = {
    ...someone,
    schemas: [userUrn, enterpriseUrn, profileUrn],
    name: { givenName: 'New', familyName: 'Person', honorificPrefix: 'Dr.' },
    addresses: [
      {
        streetAddress: '1 Navy Way',
        locality: 'Arlington',
        region: 'VA',
        postalCode: '22201',
        country: 'USA',
        primary: true,
      },
    ],
    phoneNumbers: [
      { value: '+1-555-0100', type: 'work' },
      { value: '+1-555-0101', type: 'mobile' },
    ],
    roles: ['Engineer'],
    userType: 'Employee',
    [enterpriseUrn]: { employeeNumber: '1906', manager: { managerId: 'ada.lovelace@northwind.example' } },
    [profileUrn]: { startDate: '2024-04-10' },
  };

  it('bring the shape with profile, labels of phones swapped and blanks as null', async () => {
    const { json } = await slack.createUser(full);
    expect(Object.keys(json)).toEqual(keyOrder.withProfile);
    expect(json.schemas).toEqual([userUrn, enterpriseUrn, profileUrn]);
    expect(json).toMatchObject({
      name: { honorificPrefix: 'Dr.' },
      phoneNumbers: [
        { value: '+1-555-0100', type: 'mobile' },
        { value: '+1-555-0101', primary: true },
      ],
      userType: 'Employee',
      roles: [{ value: 'Engineer', primary: true }],
      preferredLanguage: null,
      [enterpriseUrn]: {
        employeeNumber: '1906',
        costCenter: null,
        manager: { managerId: slack.person('ada.lovelace').id },
      },
      [profileUrn]: { startDate: '2024-04-10T00:00:00+0000' },
    });
    expect(json.addresses).toEqual([
      { streetAddress: '1 Navy Way', locality: 'Arlington', region: 'VA', postalCode: '22201', country: 'USA' },
    ]);
  });

  it('are all dropped when one is unfit, while the person is made', async () => {
    const unfit: object[] = [
      { userType: 'x'.repeat(256) },
      { [profileUrn]: { startDate: 'next week' } },
      { [profileUrn]: { startDate: '2024-04-10', shirt: 'L' } },
      { [enterpriseUrn]: { manager: { managerId: 'nobody' } } },
    ];
    for (const [index, part] of unfit.entries()) {
      const answer = await slack.createUser({
        ...full,
        ...part,
        userName: `new.${index}`,
        emails: [{ value: `new.${index}@x.example` }],
      });
      expect(answer.status).toBe(201);
      expect(Object.keys(answer.json)).toEqual(keyOrder.plain);
      expect(answer.json.name).toEqual({ givenName: 'New', familyName: 'Person' });
    }
  });

  it('look at the profile extension only when its URN is among the schemas', async () => {
    const { json } = await slack.createUser({
      ...someone,
      schemas: [userUrn],
      userType: 'Employee',
      [profileUrn]: { startDate: '2024-04-10' },
    });
    expect(json[profileUrn]).toEqual({ startDate: null });
  });

  it('need a managerId in a manager, and lists where lists are due', async () => {
    expect(codeOf(await slack.createUser({ ...someone, [enterpriseUrn]: { manager: {} } }))).toBe(
      'improper_enterprise_schema_format',
    );
    expect(codeOf(await slack.createUser({ ...someone, addresses: ['here'] }))).toBe('addresses_invalid');
    expect(codeOf(await slack.createUser({ ...someone, phoneNumbers: [7] }))).toBe('phoneNumbers_invalid');
    expect(codeOf(await slack.createUser({ ...someone, roles: [7] }))).toBe('roles_invalid');
    expect(codeOf(await slack.createUser({ ...someone, photos: [{ value: 'ftp://x' }] }))).toBe('photos_invalid');
    expect(codeOf(await slack.createUser({ ...someone, userType: ['a'] }))).toBe('invalid_attribute_format');
  });
});

describe('photos', () => {
  it('show after the write that sets them, and after the delay', async () => {
    simulator.switches.photoDelayMs = 5000;
    const url = 'https://photos.example.com/new.jpg';
    const { json } = await slack.createUser({ ...someone, photos: [{ value: url, type: 'photo' }] });
    expect(JSON.stringify(json.photos)).toContain('gravatar');
    const photosNow = async () => JSON.stringify((await slack.scim('GET', `/Users/${json.id}`)).json.photos);
    clock.advance(4999);
    expect(await photosNow()).toContain('gravatar');
    clock.advance(1);
    expect(await photosNow()).toBe(JSON.stringify([{ value: url, type: 'photo' }]));
  });
});

describe('guests', () => {
  const guest = { userName: 'guest.one', emails: [{ value: 'guest.one@partner.example' }] };
  const multi = { [guestUrn]: { type: 'multi', expiration: '2030-11-30T23:59:59Z' } };

  it('are made on Enterprise, with the extension after the groups', async () => {
    const { status, json } = await slack.as('enterprise-owner').createUser({ ...guest, ...multi });
    expect(status).toBe(201);
    expect(Object.keys(json)).toEqual([...keyOrder.plain, guestUrn]);
    expect(json[guestUrn]).toEqual({ type: 'multi', expiration: '2030-11-30T23:59:59Z' });
    expect(json.profileUrl).toBe('https://acme-group.enterprise.slack.com/team/guest.one');
  });

  it('are not made on another plan, nor of another type', async () => {
    const plan = await slack.createUser({ ...guest, ...multi });
    expect([plan.status, codeOf(plan)]).toEqual([403, 'plus_teams_only']);
    const type = await slack.as('enterprise-owner').createUser({ ...guest, [guestUrn]: { type: 'single' } });
    expect(codeOf(type)).toBe('invalid_request_payload');
  });
});
