import fc from 'fast-check';
import type { DirectoryUser, UserChanges } from '../../../src/domain/directory/user';
import { InvalidInput } from '../../../src/domain/errors';
import { patchOperations, quoted } from '../../../src/slack/user-patch';
import { readUser } from '../../../src/slack/user-reading';
import { urns } from '../../../src/slack/wire';

function aUser(members: object = {}): DirectoryUser {
  const user = readUser({
    id: 'U1',
    userName: 'u1',
    emails: [{ value: 'old@example.com', primary: true }],
    ...members,
  });
  if (user === undefined) throw new Error('The sample is no user');
  return user;
}

function operations(changes: UserChanges, current = aUser(), isStandardServer = false) {
  return patchOperations(changes, { current, isStandardServer });
}

describe('patchOperations', () => {
  it('replaces plain fields and removes those that are cleared', () => {
    expect(
      operations({ userName: 'u2', title: 'Lead', displayName: null, locale: '', givenName: 'A', familyName: null }),
    ).toEqual([
      { op: 'replace', path: 'userName', value: 'u2' },
      { op: 'remove', path: 'displayName' },
      { op: 'replace', path: 'title', value: 'Lead' },
      { op: 'remove', path: 'locale' },
      { op: 'replace', path: 'name.givenName', value: 'A' },
      { op: 'remove', path: 'name.familyName' },
    ]);
  });

  it('sends nothing for what is not mentioned', () => {
    expect(operations({})).toEqual([]);
    expect(operations({ title: undefined, guest: undefined, profileFields: [] })).toEqual([]);
  });

  it('reactivates in the same request', () => {
    expect(patchOperations({ title: 'x' }, { current: aUser(), active: true, isStandardServer: false })[0]).toEqual({
      op: 'replace',
      path: 'active',
      value: true,
    });
  });

  it.each([[{ userName: null }], [{ userName: ' ' }], [{ email: null }], [{ email: '' }]])(
    'refuses to clear %j',
    (changes) => {
      expect(() => operations(changes)).toThrow(InvalidInput);
    },
  );

  describe('e-mail', () => {
    const value = { value: 'new@example.com', type: 'work', primary: true };

    it('replaces the primary address by its value', () => {
      expect(operations({ email: 'new@example.com' })).toEqual([
        { op: 'replace', path: 'emails[value eq "old@example.com"]', value },
      ]);
    });

    it('adds one where there is none', () => {
      expect(operations({ email: 'new@example.com' }, aUser({ emails: [] }))).toEqual([
        { op: 'add', path: 'emails', value: [value] },
      ]);
    });

    it('frees the secondary address before it becomes the primary one', () => {
      const current = aUser({ emails: [{ value: 'old@example.com', primary: true }, { value: 'new@example.com' }] });
      expect(operations({ email: 'new@example.com' }, current)).toEqual([
        { op: 'remove', path: 'emails[value eq "new@example.com"]' },
        { op: 'replace', path: 'emails[value eq "old@example.com"]', value },
      ]);
    });

    it('leaves an address that is primary already', () => {
      expect(operations({ email: 'old@example.com' })).toEqual([]);
    });
  });

  describe('phones', () => {
    const both = aUser({
      phoneNumbers: [
        { value: '+2', type: 'mobile' },
        { value: '+1', primary: true },
      ],
    });

    it('changes each slot by the number in it', () => {
      const changes = { phoneNumber: '+3', profileFields: [{ key: 'mobilePhone', value: '+4' }] };
      expect(operations(changes, both)).toEqual([
        { op: 'replace', path: 'phoneNumbers[value eq "+1"].value', value: '+3' },
        { op: 'replace', path: 'phoneNumbers[value eq "+2"].value', value: '+4' },
      ]);
    });

    it('adds with the labels of requests, which differ from those of answers', () => {
      const changes = { phoneNumber: '+3', profileFields: [{ key: 'mobilePhone', value: '+4' }] };
      expect(operations(changes)).toEqual([
        { op: 'add', path: 'phoneNumbers', value: [{ value: '+3', primary: true }] },
        { op: 'add', path: 'phoneNumbers', value: [{ value: '+4', type: 'work' }] },
      ]);
    });

    it('replaces whole entries of a standard server', () => {
      const changes = { phoneNumber: '+3', profileFields: [{ key: 'mobilePhone', value: '+4' }] };
      expect(operations(changes, both, true)).toEqual([
        { op: 'replace', path: 'phoneNumbers[value eq "+1"]', value: { value: '+3', primary: true } },
        { op: 'replace', path: 'phoneNumbers[value eq "+2"]', value: { value: '+4', type: 'mobile' } },
      ]);
    });

    it('removes the number that is there, and nothing when there is none', () => {
      expect(operations({ phoneNumber: null }, both)).toEqual([{ op: 'remove', path: 'phoneNumbers[value eq "+1"]' }]);
      expect(operations({ phoneNumber: null })).toEqual([]);
    });

    it('does not address a slot by a number that both hold', () => {
      const same = aUser({
        phoneNumbers: [
          { value: '+1', type: 'mobile' },
          { value: '+1', primary: true },
        ],
      });
      expect(operations({ phoneNumber: '+3' }, same)).toEqual([
        { op: 'add', path: 'phoneNumbers', value: [{ value: '+3', primary: true }] },
      ]);
    });
  });

  it('replaces the photo, also when it is cleared', () => {
    expect(operations({ photoUrl: 'https://x.example/a.jpg' })).toEqual([
      { op: 'replace', path: 'photos', value: [{ value: 'https://x.example/a.jpg', type: 'photo' }] },
    ]);
    expect(operations({ photoUrl: null })).toEqual([{ op: 'replace', path: 'photos', value: [] }]);
  });

  it('writes enterprise fields one by one, and the manager as the extension takes it', () => {
    expect(operations({ employeeNumber: '7', department: null, managerSlackId: 'U2' })).toEqual([
      { op: 'add', path: `${urns.enterprise}:employeeNumber`, value: '7' },
      { op: 'remove', path: `${urns.enterprise}:department` },
      { op: 'add', path: urns.enterprise, value: { manager: { managerId: 'U2' } } },
    ]);
  });

  it("removes the manager by Slack's documented path, and by the RFC's elsewhere", () => {
    expect(operations({ managerSlackId: null })).toEqual([
      { op: 'remove', path: `${urns.enterprise}.manager.managerId` },
    ]);
    expect(operations({ managerSlackId: null }, aUser(), true)).toEqual([
      { op: 'remove', path: `${urns.enterprise}:manager` },
    ]);
    expect(operations({ managerSlackId: 'U2' }, aUser(), true)).toEqual([
      { op: 'add', path: urns.enterprise, value: { manager: { value: 'U2' } } },
    ]);
  });

  it('writes the start date and custom fields into the profile extension', () => {
    const profileFields = [
      { key: 'pronouns', value: 'they' },
      { key: 'team', value: '' },
    ];
    expect(operations({ startDate: new Date('2030-01-02T00:00:00Z'), profileFields })).toEqual([
      { op: 'remove', path: `${urns.profile}:team` },
      { op: 'add', path: urns.profile, value: { pronouns: 'they', startDate: '2030-01-02T00:00:00.000Z' } },
    ]);
    expect(operations({ startDate: null })).toEqual([{ op: 'remove', path: `${urns.profile}:startDate` }]);
  });

  it('makes guests and members', () => {
    expect(operations({ guest: { expiresAt: new Date('2030-11-30T23:59:59Z') } })).toEqual([
      { op: 'add', path: urns.guest, value: { type: 'multi', expiration: '2030-11-30T23:59:59.000Z' } },
    ]);
    expect(operations({ guest: null })).toEqual([{ op: 'remove', path: urns.guest }]);
    const single = aUser({ [urns.guest]: { type: 'single' } });
    expect(operations({ guest: { expiresAt: new Date('2030-11-30T00:00:00Z') } }, single)).toMatchObject([
      { value: { type: 'single' } },
    ]);
  });

  it('changes one part of the address and keeps the others', () => {
    const current = aUser({ addresses: [{ locality: 'Arlington', country: 'USA' }] });
    expect(operations({ profileFields: [{ key: 'address.locality', value: 'Lyon' }] }, current)).toEqual([
      { op: 'remove', path: 'addresses' },
      { op: 'add', path: 'addresses', value: [{ locality: 'Lyon', country: 'USA' }] },
    ]);
    expect(operations({ profileFields: [{ key: 'address.locality', value: 'Lyon' }] })).toEqual([
      { op: 'add', path: 'addresses', value: [{ locality: 'Lyon' }] },
    ]);
  });

  it('clears every profile field that is there', () => {
    const current = aUser({
      name: { honorificPrefix: 'Dr.' },
      roles: [{ value: 'Lead' }],
      addresses: [{ country: 'USA' }],
      phoneNumbers: [{ value: '+2', type: 'mobile' }],
      [urns.profile]: { pronouns: 'they', startDate: '2024-04-10T00:00:00+0000' },
    });
    expect(operations({ profileFields: null }, current)).toEqual([
      { op: 'remove', path: 'name.honorificPrefix' },
      { op: 'remove', path: 'phoneNumbers[value eq "+2"]' },
      { op: 'remove', path: 'roles' },
      { op: 'remove', path: 'addresses' },
      { op: 'remove', path: `${urns.profile}:pronouns` },
    ]);
  });

  it('changes the profile URL only where that can be patched', () => {
    const profileFields = [{ key: 'profileUrl', value: 'https://x.example/' }];
    expect(operations({ profileFields })).toEqual([]);
    expect(operations({ profileFields }, aUser(), true)).toEqual([
      { op: 'replace', path: 'profileUrl', value: 'https://x.example/' },
    ]);
  });
});

describe('quoted', () => {
  /** RFC 7644 §3.4.2.2: a literal is a JSON string; it ends at the first quote that no backslash escapes. */
  function parse(path: string): { attribute: string; value: string; rest: string } {
    const match = /^([A-Za-z]+)\[value eq ("(?:[^"\\]|\\.)*")\](.*)$/s.exec(path);
    if (match === null) throw new Error(`No value path: ${path}`);
    const [, attribute = '', literal = '', rest = ''] = match;
    return { attribute, value: JSON.parse(literal), rest };
  }

  it('survives a parser, whatever the value holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(parse(`emails[value eq ${quoted(value)}].value`)).toEqual({
          attribute: 'emails',
          value,
          rest: '.value',
        });
      }),
    );
  });

  it('keeps a value from ending the path and naming another one', () => {
    const evil = 'x"] or emails[value eq "victim@example.com\\';
    expect(parse(`emails[value eq ${quoted(evil)}]`)).toEqual({ attribute: 'emails', value: evil, rest: '' });
  });
});
