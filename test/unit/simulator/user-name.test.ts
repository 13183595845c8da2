import fc from 'fast-check';
import { parseUserName, rewriteUserName } from '../../../src/simulator/scim/user-name';
import { defaultSwitches } from '../../../src/simulator/switches';

describe('rewriting a userName', () => {
  it('leaves only lower-case letters, digits and the three signs', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(rewriteUserName(text)).toMatch(/^[a-z0-9._-]*$/);
      }),
    );
  });

  it('changes nothing when it is done twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(rewriteUserName(rewriteUserName(text))).toBe(rewriteUserName(text));
      }),
    );
  });

  it('keeps the local part of an address that is fit already', () => {
    const fit = fc.stringMatching(/^[a-z0-9._-]{1,21}$/);
    fc.assert(
      fc.property(fit, fc.emailAddress(), (name, email) => rewriteUserName(`${name}@${email.split('@')[1]}`) === name),
    );
  });

  it('gives a handle of 1 to 21 characters with a letter or digit, or refuses', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        let handle: string;
        try {
          handle = parseUserName(text, defaultSwitches, 'userName');
        } catch (error) {
          expect(String(error)).toMatch(/username_(empty|invalid|too_long|not_allowed)/);
          return;
        }
        expect(handle).toMatch(/^(?=.*[a-z0-9])[a-z0-9._-]{1,21}$/);
      }),
    );
  });
});
