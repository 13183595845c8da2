import fc from 'fast-check';
import { deriveUserName, LONGEST_USER_NAME, normalizeUserName } from '../../../src/domain/directory/user-name';

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
