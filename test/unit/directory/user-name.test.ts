import fc from 'fast-check';
import {
  deriveUserName,
  LONGEST_USER_NAME,
  normalizeUserName,
  userNameCandidates,
  userNameFromText,
} from '../../../src/domain/directory/user-name';

// The same inputs in every run.
fc.configureGlobal({ seed: 1815 });

const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.emailAddress());

describe('deriveUserName', () => {
  it("makes nothing but what fits Slack's alphabet and length, of any text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const userName = deriveUserName(text);
        expect(userName).toMatch(/^[a-z0-9._-]*$/);
        expect(userName.length).toBeLessThanOrEqual(LONGEST_USER_NAME);
      }),
    );
  });

  it('leaves alone what it made itself', () => {
    fc.assert(fc.property(anyText, (text) => expect(deriveUserName(deriveUserName(text))).toBe(deriveUserName(text))));
  });

  it('does not look at the letter case or at what follows the @', () => {
    fc.assert(
      fc.property(fc.emailAddress(), fc.domain(), (email, domain) => {
        const [local] = email.split('@');
        expect(deriveUserName(email.toUpperCase())).toBe(deriveUserName(`${local}@${domain}`));
      }),
    );
  });

  it.each([
    ['ada@example.com', 'ada'],
    ['  Ada.Lovelace@example.com ', 'ada.lovelace'],
    ['ada+slack@example.com', 'ada_slack'],
    ['@example.com', ''],
    ['', ''],
  ])('makes of %j the name %j', (text, userName) => {
    expect(deriveUserName(text)).toBe(userName);
  });
});

describe('normalizeUserName', () => {
  it('cuts nothing off, so that a name that is too long is refused and not changed', () => {
    expect(normalizeUserName('A'.repeat(30))).toBe('a'.repeat(30));
  });
});

describe('userNameFromText', () => {
  it('makes nothing but what Slack takes as it is, of any text, and leaves alone what it made itself', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const userName = userNameFromText(text);
        expect(userName).toMatch(/^([a-z0-9]([a-z0-9._-]{0,19}[a-z0-9])?)?$/);
        expect(normalizeUserName(userName)).toBe(userName);
        expect(userNameFromText(userName)).toBe(userName);
      }),
    );
  });

  it.each([
    ['Ada Lovelace', 'ada.lovelace'],
    ['Łukasz Żółć', 'lukasz.zolc'],
    ['Ελένη Παπαδοπούλου', 'eleni.papadopoulou'],
    ["Conan O'Brien", 'conan.obrien'],
    ['Jürgen  von der Größe-Straße', 'jurgen.von.der.grosse'],
    ['Ada.Lovelace@example.com', 'ada.lovelace'],
    ['-._Ada_.-', 'ada'],
    ['明', ''],
  ])('makes of %j the name %j', (text, userName) => {
    expect(userNameFromText(text)).toBe(userName);
  });
});

describe('userNameCandidates', () => {
  const aName = fc
    .string()
    .map(userNameFromText)
    .filter((name) => name !== '');

  it('are different names that Slack takes, the wanted one first, and the same in every run', () => {
    fc.assert(
      fc.property(aName, fc.emailAddress(), (name, email) => {
        const names = [...userNameCandidates(name, email)];
        expect(names[0]).toBe(name);
        expect(new Set(names).size).toBe(names.length);
        expect(names).toHaveLength(11);
        for (const candidate of names) expect(candidate).toMatch(/^[a-z0-9._-]{1,21}$/);
        expect([...userNameCandidates(name, email.toUpperCase())]).toEqual(names);
      }),
    );
  });

  it('count up, within the length, and end with names that only this address has', () => {
    const names = [...userNameCandidates('ada', 'ada@example.com')];
    expect(names.slice(0, 9)).toEqual(['ada', 'ada2', 'ada3', 'ada4', 'ada5', 'ada6', 'ada7', 'ada8', 'ada9']);
    expect(names.slice(9)).toEqual([
      expect.stringMatching(/^ada-[0-9a-f]{6}$/),
      expect.stringMatching(/^ada-[0-9a-f]{6}$/),
    ]);
    expect([...userNameCandidates('ada', 'other@example.com')].slice(9)).not.toEqual(names.slice(9));
    expect([...userNameCandidates('jurgen.von.der.grosse', 'j@example.com')].slice(1, 3)).toEqual([
      'jurgen.von.der.gross2',
      'jurgen.von.der.gross3',
    ]);
    expect([...userNameCandidates('ada1', 'ada@example.com')][1]).toBe('ada1-2');
  });
});
