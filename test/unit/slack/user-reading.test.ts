import fc from 'fast-check';
import { readUser } from '../../../src/slack/user-reading';
import { readList, urns } from '../../../src/slack/wire';

/** Slack's answer for somebody with every field filled. */
const fullUser = {
  schemas: [urns.user, urns.enterprise, urns.profile],
  id: 'U0EXAMPLE1',
  externalId: '',
  meta: { created: '2024-04-08T09:15:02-07:00', location: 'https://api.slack.com/scim/v2/Users/U0EXAMPLE1' },
  userName: 'grace.hopper',
  nickName: 'grace.hopper',
  name: { givenName: 'Grace', familyName: 'Hopper', honorificPrefix: 'Dr.' },
  displayName: 'Grace Hopper',
  profileUrl: 'https://people.example.com/grace.hopper',
  title: 'Rear Admiral',
  timezone: 'America/New_York',
  active: true,
  emails: [
    { value: 'grace@example.net', primary: false },
    { value: 'grace.hopper@example.com', primary: true },
  ],
  photos: [{ value: 'https://photos.example.com/grace.jpg', type: 'photo' }],
  addresses: [
    { streetAddress: '1 Navy Way', locality: 'Arlington', region: 'VA', postalCode: '22201', country: 'USA' },
  ],
  phoneNumbers: [
    { value: '+1-555-0100', type: 'mobile' },
    { value: '+1-555-0101', primary: true },
  ],
  userType: 'Employee',
  roles: [{ value: 'Engineer', primary: true }],
  preferredLanguage: 'en_US',
  locale: 'en_US',
  [urns.enterprise]: {
    employeeNumber: '1906',
    costCenter: '4711',
    organization: 'Example Inc',
    division: 'R&D',
    department: 'Compilers',
    manager: { managerId: 'U0MANAGER1' },
  },
  [urns.profile]: { startDate: '2024-04-10T00:00:00+0000', pronouns: 'she/her' },
  groups: [{ value: 'S0EXAMPLE1', display: 'Compilers' }],
};

describe('readUser', () => {
  it("reads Slack's full shape", () => {
    expect(readUser(fullUser)).toEqual({
      slackId: 'U0EXAMPLE1',
      userName: 'grace.hopper',
      active: true,
      displayName: 'Grace Hopper',
      givenName: 'Grace',
      familyName: 'Hopper',
      honorificPrefix: 'Dr.',
      emails: [
        { value: 'grace@example.net', primary: false },
        { value: 'grace.hopper@example.com', primary: true },
      ],
      title: 'Rear Admiral',
      timezone: 'America/New_York',
      locale: 'en_US',
      preferredLanguage: 'en_US',
      userType: 'Employee',
      photoUrl: 'https://photos.example.com/grace.jpg',
      profileUrl: 'https://people.example.com/grace.hopper',
      phoneNumbers: [
        { value: '+1-555-0100', kind: 'MOBILE' },
        { value: '+1-555-0101', kind: 'PRIMARY' },
      ],
      addresses: [
        { streetAddress: '1 Navy Way', locality: 'Arlington', region: 'VA', postalCode: '22201', country: 'USA' },
      ],
      employment: {
        employeeNumber: '1906',
        costCenter: '4711',
        organization: 'Example Inc',
        division: 'R&D',
        department: 'Compilers',
        managerSlackId: 'U0MANAGER1',
        startDate: new Date('2024-04-10T00:00:00Z'),
      },
      profileFields: [
        { key: 'honorificPrefix', value: 'Dr.' },
        { key: 'role', value: 'Engineer' },
        { key: 'mobilePhone', value: '+1-555-0100' },
        { key: 'address.streetAddress', value: '1 Navy Way' },
        { key: 'address.locality', value: 'Arlington' },
        { key: 'address.region', value: 'VA' },
        { key: 'address.postalCode', value: '22201' },
        { key: 'address.country', value: 'USA' },
        { key: 'pronouns', value: 'she/her' },
      ],
      guest: undefined,
      groups: [{ slackId: 'S0EXAMPLE1', name: 'Compilers' }],
      createdAt: new Date('2024-04-08T16:15:02Z'),
    });
  });

  it('reads blanks as absent: "", null, and lists of nothing but nulls', () => {
    const user = readUser({
      id: 'U2',
      userName: 'alan.turing',
      name: { givenName: 'Alan', familyName: '', honorificPrefix: null },
      displayName: '',
      title: '',
      active: false,
      emails: [
        { value: 'alan@example.com', primary: true },
        { value: '', primary: false },
      ],
      photos: [{ type: 'photo' }],
      addresses: [{ streetAddress: null, locality: null, region: null, postalCode: null, country: null }],
      phoneNumbers: [
        { value: null, type: 'mobile' },
        { value: null, primary: true },
      ],
      userType: null,
      roles: [{ value: null, primary: true }],
      [urns.enterprise]: { employeeNumber: null, manager: { managerId: null } },
      [urns.profile]: { startDate: null },
      groups: [],
    });
    expect(user).toMatchObject({ active: false, phoneNumbers: [], addresses: [], profileFields: [], groups: [] });
    expect(user?.emails).toEqual([{ value: 'alan@example.com', primary: true }]);
    expect(user?.guest).toBeUndefined();
    expect(Object.values(user?.employment ?? {}).every((value) => value === undefined)).toBe(true);
    expect([user?.displayName, user?.title, user?.familyName, user?.photoUrl]).toEqual(Array(4).fill(undefined));
  });

  it.each([
    [{ type: 'multi', expiration: '2030-11-30T23:59:59Z' }, 'MULTI_CHANNEL', new Date('2030-11-30T23:59:59Z')],
    [{ type: 'single' }, 'SINGLE_CHANNEL', undefined],
    [{}, 'UNKNOWN', undefined],
    [{ type: 'constructor' }, 'UNKNOWN', undefined],
  ])('reads the guest extension %j', (guest, kind, expiresAt) => {
    expect(readUser({ id: 'U3', [urns.guest]: guest })?.guest).toEqual({ kind, expiresAt });
  });

  it("reads a standard server's user, with as little as an id", () => {
    expect(readUser({ id: '2819c223-7f76-453a-919d-413861904646' })).toMatchObject({
      slackId: '2819c223-7f76-453a-919d-413861904646',
      active: true,
      emails: [],
    });
    expect(
      readUser({
        id: 42,
        userName: 'bjensen@example.com',
        active: 'False',
        emails: [
          { value: 'home@example.com', type: 'home' },
          { value: 'bjensen@example.com', type: 'work' },
        ],
        phoneNumbers: [{ value: '555-1', type: 'work' }],
        [urns.enterprise]: { manager: { value: '26118915-6090-4610-87e4-49d8ca9f808d', $ref: '../Users/26118915' } },
      }),
    ).toMatchObject({
      slackId: '42',
      active: false,
      emails: [
        { value: 'home@example.com', primary: false },
        { value: 'bjensen@example.com', primary: true },
      ],
      phoneNumbers: [{ value: '555-1', kind: 'OTHER' }],
      employment: { managerSlackId: '26118915-6090-4610-87e4-49d8ca9f808d' },
    });
  });

  it('takes single values where lists belong, and plain strings where objects belong', () => {
    expect(
      readUser({
        id: 'U1',
        emails: { value: 'a@example.com' },
        roles: 'Lead',
        groups: ['S1'],
        [urns.enterprise]: { manager: 'U2' },
      }),
    ).toMatchObject({
      emails: [{ value: 'a@example.com', primary: true }],
      profileFields: [{ key: 'role', value: 'Lead' }],
      groups: [{ slackId: 'S1' }],
      employment: { managerSlackId: 'U2' },
    });
  });

  it('never fails, whatever comes', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        readUser(value);
        readUser({ id: 'U1', emails: value, name: value, meta: value, active: value, [urns.guest]: value });
        readUser({
          id: 'U1',
          phoneNumbers: value,
          addresses: [value],
          [urns.enterprise]: value,
          [urns.profile]: value,
        });
        readList(value);
        readList({ Resources: value, totalResults: value });
      }),
    );
  });
});

describe('readList', () => {
  it('takes lists without Resources, without totals, and with totals as text', () => {
    expect(readList({ totalResults: 0 })).toEqual({ entries: [], totalResults: 0, startIndex: undefined });
    expect(readList({ Resources: [] })).toEqual({ entries: [], totalResults: undefined, startIndex: undefined });
    expect(readList({ Resources: [1], totalResults: '7', startIndex: 3 })).toMatchObject({
      totalResults: 7,
      startIndex: 3,
    });
  });

  it.each([[undefined], [[]], [{}], [{ Resources: 'x', totalResults: 1 }], [{ ok: true }]])('refuses %j', (value) => {
    expect(readList(value)).toBeUndefined();
  });
});
