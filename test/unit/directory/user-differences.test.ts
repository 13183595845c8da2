import fc from 'fast-check';
import type { DirectoryUser, UserChanges } from '../../../src/domain/directory/user';
import { differences, hasChanges, unkeptFields } from '../../../src/domain/directory/user-differences';

// The same inputs in every run.
fc.configureGlobal({ seed: 1815 });

const text = fc.stringMatching(/^[A-Za-z0-9]{1,8}$/);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const day = fc.date({ min: new Date('2000-01-01'), max: new Date('2040-01-01'), noInvalidDate: true });
const profileFields = fc.uniqueArray(fc.record({ key: text, value: text }), {
  selector: ({ key }) => key,
  maxLength: 4,
});

const user: fc.Arbitrary<DirectoryUser> = fc.record({
  slackId: text,
  userName: text,
  active: fc.boolean(),
  displayName: maybe(text),
  givenName: maybe(text),
  familyName: maybe(text),
  emails: text.map((name) => [{ value: `${name}@example.com`, primary: true }]),
  title: maybe(text),
  timezone: maybe(text),
  locale: maybe(text),
  preferredLanguage: maybe(text),
  userType: maybe(text),
  photoUrl: maybe(fc.webUrl()),
  profileUrl: maybe(fc.webUrl()),
  phoneNumbers: fc.oneof(
    fc.constant([]),
    text.map((value) => [{ value, kind: 'PRIMARY' as const }]),
  ),
  addresses: fc.constant([]),
  employment: fc.record({ employeeNumber: maybe(text), department: maybe(text), startDate: maybe(day) }),
  profileFields,
  guest: maybe(fc.record({ kind: fc.constant('MULTI_CHANNEL' as const), expiresAt: maybe(day) })),
  groups: fc.constant([]),
});

const change = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const changes: fc.Arbitrary<UserChanges> = fc.record(
  {
    email: text.map((name) => `${name}@example.com`),
    userName: text,
    displayName: change(text),
    givenName: change(text),
    title: change(text),
    timezone: change(text),
    locale: change(text),
    phoneNumber: change(text),
    photoUrl: change(fc.webUrl()),
    employeeNumber: change(text),
    department: change(text),
    startDate: change(day),
    profileFields: change(profileFields),
    guest: change(fc.record({ expiresAt: fc.oneof(day, fc.constantFrom(null, undefined)) })),
  },
  { requiredKeys: [] },
);

/** What a Slack that keeps everything would show after a write. */
function applied(before: DirectoryUser, wanted: UserChanges): DirectoryUser {
  const { email, phoneNumber, employeeNumber, department, startDate, guest, profileFields: fields, ...plain } = wanted;
  const set = Object.entries(plain).filter(([, value]) => value !== undefined);
  const held = new Map(before.profileFields.map(({ key, value }) => [key, value]));
  for (const { key, value } of fields ?? []) held.set(key, value);
  const employment = Object.entries({ employeeNumber, department, startDate }).filter(
    ([, value]) => value !== undefined,
  );
  return {
    ...before,
    ...Object.fromEntries(set.map(([field, value]) => [field, value ?? undefined])),
    emails: email ? [{ value: email, primary: true }] : before.emails,
    phoneNumbers:
      phoneNumber === undefined ? before.phoneNumbers : phoneNumber ? [{ value: phoneNumber, kind: 'PRIMARY' }] : [],
    employment: {
      ...before.employment,
      ...Object.fromEntries(employment.map(([field, value]) => [field, value ?? undefined])),
    },
    profileFields: fields === null ? [] : [...held].map(([key, value]) => ({ key, value })),
    guest: guestAfter(before.guest, guest),
  };
}

function guestAfter(before: DirectoryUser['guest'], wanted: UserChanges['guest']): DirectoryUser['guest'] {
  if (wanted === undefined) return before;
  if (wanted === null) return undefined;
  const expiresAt = wanted.expiresAt === undefined ? before?.expiresAt : (wanted.expiresAt ?? undefined);
  return { kind: 'MULTI_CHANNEL', expiresAt };
}

describe('differences', () => {
  it('leaves none when what it says is applied, and then nothing was dropped either', () => {
    fc.assert(
      fc.property(user, changes, (before, wanted) => {
        const missing = differences(before, wanted);
        const { photoUrl: _, ...visible } = missing;
        const after = applied(before, missing);
        expect(hasChanges(differences(after, { ...wanted, photoUrl: undefined }))).toBe(false);
        expect(unkeptFields(after, visible)).toEqual([]);
        expect(hasChanges(differences(applied(before, wanted), { ...wanted, photoUrl: undefined }))).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('says nothing that was not wanted', () => {
    fc.assert(
      fc.property(user, changes, (before, wanted) => {
        for (const [field, value] of Object.entries(differences(before, wanted))) {
          const given = wanted[field as keyof UserChanges];
          if (field !== 'profileFields') expect(value).toBe(given);
        }
      }),
    );
  });

  const plain = fc.sample(user, { numRuns: 1, seed: 1 })[0];
  if (!plain) throw new Error('There is no sample');

  it('compares start dates by day, as Slack keeps them', () => {
    const shown = { ...plain, employment: { startDate: new Date('2026-05-01T00:00:00Z') } };
    expect(differences(shown, { startDate: new Date('2026-05-01T17:30:00Z') })).toEqual({});
    expect(hasChanges(differences(shown, { startDate: new Date('2026-05-02T00:00:00Z') }))).toBe(true);
  });

  it("takes Slack's default for a time zone that was cleared", () => {
    expect(differences({ ...plain, timezone: 'America/Los_Angeles' }, { timezone: null })).toEqual({});
    expect(differences({ ...plain, timezone: 'Europe/Berlin' }, { timezone: null })).toEqual({ timezone: null });
  });

  it('compares addresses and user names without regard to case', () => {
    const shown = { ...plain, userName: 'ada', emails: [{ value: 'ada@example.com', primary: true }] };
    expect(differences(shown, { email: 'ADA@example.com', userName: 'Ada' })).toEqual({});
  });

  it('finds the address of a profile where a person shows it', () => {
    const wanted = { profileFields: [{ key: 'profileUrl', value: 'https://example.com/me' }] };
    expect(differences({ ...plain, profileUrl: 'https://example.com/me' }, wanted)).toEqual({});
    expect(unkeptFields({ ...plain, profileUrl: undefined }, wanted)).toEqual(['profileFields.profileUrl']);
  });

  it('sends a photo unless its very address is shown, and never says that one was dropped', () => {
    const photoUrl = 'https://example.com/photo.png';
    expect(differences({ ...plain, photoUrl }, { photoUrl })).toEqual({});
    expect(differences({ ...plain, photoUrl: 'https://slack.example/copy' }, { photoUrl })).toEqual({ photoUrl });
    expect(unkeptFields({ ...plain, photoUrl: 'https://slack.example/copy' }, { photoUrl })).toEqual([]);
  });
});
