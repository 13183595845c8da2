import fc from 'fast-check';
import type { UserDraft } from '../../../src/domain/directory/user';
import { parseChanges, parseDraft } from '../../../src/domain/directory/user-draft';
import { InvalidInput, UserNameInvalid } from '../../../src/domain/errors';

// The same inputs in every run.
fc.configureGlobal({ seed: 1815 });

const path = ['input', 'user'];
const email = fc.tuple(fc.stringMatching(/^[a-z0-9][a-z0-9.+-]{0,20}$/), fc.domain()).map((parts) => parts.join('@'));
const text = fc.string({ maxLength: 60 }).map((value) => value.replace(/[^ -~]|@/g, ' '));
const draft: fc.Arbitrary<UserDraft> = fc.record(
  {
    email,
    userName: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/),
    displayName: text,
    givenName: text,
    title: text,
    timezone: text,
    department: text,
    startDate: fc.date({ noInvalidDate: true }),
    profileFields: fc.uniqueArray(fc.record({ key: fc.stringMatching(/^[A-Za-z][a-z]{0,9}$/), value: text }), {
      selector: ({ key }) => key,
      maxLength: 5,
    }),
  },
  { requiredKeys: ['email'] },
);

describe('parseDraft', () => {
  it('trims texts, leaves out blank ones, and finds nothing more to do the second time', () => {
    fc.assert(
      fc.property(draft, (given) => {
        const parsed = parseDraft(given, path);
        expect(parseDraft(parsed, path)).toEqual(parsed);
        for (const value of Object.values(parsed)) {
          expect(value).not.toBeNull();
          expect(value).not.toBe('');
          if (typeof value === 'string') expect(value).toBe(value.trim());
        }
        expect(parsed.userName).toMatch(/^[a-z0-9._-]{1,21}$/);
      }),
    );
  });

  it('never fails in another way than with a problem that names the place', () => {
    const wild = fc.record({
      email: fc.string({ unit: 'binary' }),
      userName: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
      displayName: fc.option(fc.string({ unit: 'binary', maxLength: 200 }), { nil: undefined }),
      title: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
      photoUrl: fc.option(fc.webUrl(), { nil: undefined }),
      profileFields: fc.option(fc.array(fc.record({ key: fc.string(), value: fc.string() })), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.oneof(
          wild,
          fc.tuple(wild, email).map(([fields, address]) => ({ ...fields, email: address })),
        ),
        (given) => {
          try {
            parseDraft(given, path);
          } catch (error) {
            if (!(error instanceof InvalidInput || error instanceof UserNameInvalid)) throw error;
            expect(error.path?.slice(0, 2)).toEqual(path);
          }
        },
      ),
    );
  });
});

describe('parseChanges', () => {
  it('keeps what is undefined and clears what is null or blank', () => {
    const parsed = parseChanges({ title: '  ', givenName: null, familyName: undefined, userType: ' Guest ' }, path);
    expect(parsed).toEqual({ title: null, givenName: null, familyName: undefined, userType: 'Guest' });
  });

  it.each([
    [{ email: null }, 'email'],
    [{ userName: null }, 'userName'],
    [{ userName: ' ' }, 'userName'],
    [{ title: 'x'.repeat(1001) }, 'title'],
    [{ photoUrl: 'javascript:alert(1)' }, 'photoUrl'],
    [{ profileFields: Array.from({ length: 51 }, (_, index) => ({ key: `k${index}`, value: '' })) }, 'profileFields'],
    [
      {
        profileFields: [
          { key: 'role', value: '' },
          { key: 'role', value: '' },
        ],
      },
      'profileFields',
    ],
  ])('refuses %j', (changes, field) => {
    expect(() => parseChanges(changes, path)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', path: expect.arrayContaining([...path, field]) }),
    );
  });
});
