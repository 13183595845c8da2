import fc from 'fast-check';
import { parseFilter } from '../../../src/simulator/scim/filter';
import { parsePath } from '../../../src/simulator/scim/patch-operation';
import { ScimError } from '../../../src/simulator/scim/scim-error';
import { defaultSwitches } from '../../../src/simulator/switches';
import { enterpriseUrn } from '../../support/simulator-client';

/** The result, or the code of the refusal; anything else that is thrown fails the test. */
function attempt<T>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    if (error instanceof ScimError) return error.code;
    throw error;
  }
}

const words = fc.constantFrom(
  'userName',
  'email',
  'eq',
  'and',
  'or',
  'pr',
  '(',
  ')',
  '"a"',
  "'1'",
  'ne',
  ' ',
  '"',
  '\\',
);

describe('filters', () => {
  it('are read or refused with a code, whatever the text is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words).map((parts) => parts.join(' ')),
        ),
        (text) => {
          attempt(() => parseFilter(text, 'users', defaultSwitches));
        },
      ),
    );
  });

  it('bring every literal back that JSON can write, in lower case', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (literal) => {
        const filter = parseFilter(`userName eq ${JSON.stringify(literal)}`, 'users', defaultSwitches);
        expect(filter).toMatchObject({ kind: 'comparison', literal: literal.toLowerCase() });
      }),
    );
  });

  it('bind and closer than or', () => {
    const filter = parseFilter('userName pr or userName pr and email pr', 'users', defaultSwitches);
    expect(filter).toMatchObject({ kind: 'or', right: { kind: 'and' } });
  });
});

describe('paths of PATCH', () => {
  it('are read or refused with a code, whatever the text is', () => {
    fc.assert(fc.property(fc.string(), (text) => void attempt(() => parsePath(text))));
  });

  it('bring every quoted literal back', () => {
    fc.assert(
      fc.property(fc.string(), (literal) => {
        expect(parsePath(`emails[value eq ${JSON.stringify(literal)}].value`)).toEqual({
          urn: null,
          attribute: 'emails',
          filter: { attribute: 'value', value: literal },
          sub: 'value',
        });
      }),
    );
  });

  it.each([':', '.'])('take %s after a URN', (sign) => {
    const path = parsePath(`${enterpriseUrn}${sign}manager.managerId`);
    expect(path).toEqual({ urn: enterpriseUrn, attribute: 'manager', filter: null, sub: 'managerId' });
  });
});
