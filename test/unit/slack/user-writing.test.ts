import fc from 'fast-check';
import { InvalidInput } from '../../../src/domain/errors';
import { knownProfileFieldKeys } from '../../../src/slack/profile-fields';
import { readUser } from '../../../src/slack/user-reading';
import { newUserBody } from '../../../src/slack/user-writing';
import { urns } from '../../../src/slack/wire';

const slack = { isStandardServer: false };
const draft = { email: 'grace@example.com', userName: 'grace' };

/** What Slack makes of the phone entries of a request: `primary` first, `work` as mobile, both relabelled. */
function asSlackAnswers(body: object): object {
  const { phoneNumbers = [], ...rest } = body as { phoneNumbers?: { value: string; primary?: boolean }[] };
  const relabelled = phoneNumbers.map(({ value, primary }) =>
    primary ? { value, primary } : { value, type: 'mobile' },
  );
  return { ...rest, id: 'U1', phoneNumbers: relabelled };
}

describe('newUserBody', () => {
  it('writes every field where Slack looks for it', () => {
    const body = newUserBody(
      {
        ...draft,
        displayName: 'Grace',
        givenName: 'Grace',
        familyName: 'Hopper',
        title: 'Rear Admiral',
        timezone: 'America/New_York',
        locale: 'en_US',
        preferredLanguage: 'en_US',
        userType: 'Employee',
        phoneNumber: '+1-555-0101',
        photoUrl: 'https://photos.example.com/grace.jpg',
        employeeNumber: '1906',
        costCenter: '4711',
        organization: 'Example Inc',
        division: 'R&D',
        department: 'Compilers',
        managerSlackId: 'U0MANAGER1',
        startDate: new Date('2024-04-10T00:00:00Z'),
        profileFields: [
          { key: 'honorificPrefix', value: 'Dr.' },
          { key: 'role', value: 'Engineer' },
          { key: 'mobilePhone', value: '+1-555-0100' },
          { key: 'address.locality', value: 'Arlington' },
          { key: 'pronouns', value: 'she/her' },
        ],
        guest: { expiresAt: new Date('2030-11-30T23:59:59Z') },
      },
      slack,
    );
    expect(body).toEqual({
      schemas: [urns.user, urns.enterprise, urns.profile, urns.guest],
      userName: 'grace',
      displayName: 'Grace',
      name: { givenName: 'Grace', familyName: 'Hopper', honorificPrefix: 'Dr.' },
      title: 'Rear Admiral',
      timezone: 'America/New_York',
      locale: 'en_US',
      preferredLanguage: 'en_US',
      userType: 'Employee',
      active: true,
      emails: [{ value: 'grace@example.com', type: 'work', primary: true }],
      phoneNumbers: [
        { value: '+1-555-0101', primary: true },
        { value: '+1-555-0100', type: 'work' },
      ],
      photos: [{ value: 'https://photos.example.com/grace.jpg', type: 'photo' }],
      roles: [{ value: 'Engineer', primary: true }],
      addresses: [{ locality: 'Arlington' }],
      [urns.enterprise]: {
        employeeNumber: '1906',
        costCenter: '4711',
        organization: 'Example Inc',
        division: 'R&D',
        department: 'Compilers',
        manager: { managerId: 'U0MANAGER1' },
      },
      [urns.profile]: { startDate: '2024-04-10T00:00:00.000Z', pronouns: 'she/her' },
      [urns.guest]: { type: 'multi', expiration: '2030-11-30T23:59:59.000Z' },
    });
  });

  it('lists only the core schema, and sends no blanks, when there is nothing more', () => {
    const blanks = { displayName: '', givenName: ' ', phoneNumber: '', employeeNumber: '', photoUrl: '' };
    expect(newUserBody({ ...draft, ...blanks, profileFields: [{ key: 'role', value: '' }] }, slack)).toEqual({
      schemas: [urns.user],
      userName: 'grace',
      emails: [{ value: 'grace@example.com', type: 'work', primary: true }],
      active: true,
    });
  });

  it('writes a guest without an end', () => {
    expect(newUserBody({ ...draft, guest: {} }, slack)).toMatchObject({ [urns.guest]: { type: 'multi' } });
  });

  it("uses RFC 7643's own words for a standard server", () => {
    const body = newUserBody(
      { ...draft, managerSlackId: '42', profileFields: [{ key: 'mobilePhone', value: '1' }] },
      { isStandardServer: true },
    );
    expect(body).toMatchObject({
      [urns.enterprise]: { manager: { value: '42' } },
      phoneNumbers: [{ value: '1', type: 'mobile' }],
    });
  });

  it.each(['', 'a b', '1st', 'a"b', 'x.y', '__proto__', 'startDate', 'address.planet', 'externalId'])(
    'refuses the profile field key %j',
    (key) => {
      expect(() => newUserBody({ ...draft, profileFields: [{ key, value: 'x' }] }, slack)).toThrow(InvalidInput);
    },
  );

  it('gives the same profile fields back that were written, and the profile address as a field of the person', () => {
    const customKey = fc
      .stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,20}$/)
      .filter((key) => !['startDate', 'schemas', 'id', 'externalId', 'meta', 'role', 'profileUrl'].includes(key))
      .filter((key) => !(knownProfileFieldKeys as readonly string[]).includes(key));
    const text = fc.string({ minLength: 1 }).filter((value) => value.trim() !== '');
    const fields = fc.uniqueArray(
      fc.record({ key: fc.oneof(fc.constantFrom(...knownProfileFieldKeys), customKey), value: text }),
      {
        selector: ({ key }) => key,
      },
    );
    fc.assert(
      fc.property(fields, (profileFields) => {
        const answer = JSON.parse(JSON.stringify(asSlackAnswers(newUserBody({ ...draft, profileFields }, slack))));
        const byKey = (left: { key: string }, right: { key: string }) => (left.key < right.key ? -1 : 1);
        const read = readUser(answer);
        const shown = profileFields.filter(({ key }) => key !== 'profileUrl');
        expect([...(read?.profileFields ?? [])].sort(byKey)).toEqual(shown.sort(byKey));
        expect(read?.profileUrl).toBe(profileFields.find(({ key }) => key === 'profileUrl')?.value);
      }),
    );
  });
});
