import fc from 'fast-check';
import { judge } from '../../../src/domain/mapping/condition';
import { evaluate } from '../../../src/domain/mapping/evaluation';
import type { Condition, Expression } from '../../../src/domain/mapping/expression';
import type { SourceRecord } from '../../../src/domain/mapping/source-record';
import { aCondition, anExpression, aRecord } from '../../support/mappings';

// The same inputs in every run.
fc.configureGlobal({ seed: 1815 });

const ada: SourceRecord = {
  email: 'Ada.Lovelace@example.com',
  first: 'Ada',
  last: 'Lovelace',
  full: 'Lovelace, Ada',
  blank: ' ',
  nothing: null,
  number: 42,
  flag: true,
  tags: ['Remote', 'Leads'],
  work: { city: 'Berlin', start: '2026-01-31' },
  'Cost.Center': 'C-7',
  hired: '31.12.2025',
};

const field = (path: string): Expression => ({ field: path });
const outcomeOf = (expression: Expression, record = ada) => {
  const { outcome } = evaluate(expression, record);
  return 'value' in outcome ? outcome.value : `(${outcome.absence})`;
};

describe('an expression', () => {
  it('gives the same for the same record, whatever both are, and never throws', () => {
    fc.assert(
      fc.property(anExpression, aRecord, (expression, record) => {
        expect(evaluate(expression, record)).toEqual(evaluate(expression, structuredClone(record)));
      }),
      { numRuns: 150 },
    );
  });

  it('reads nothing that the record does not hold itself', () => {
    for (const path of ['__proto__', 'constructor.name', 'tags.length', 'first.length', 'toString', 'work.__proto__']) {
      expect(outcomeOf(field(path))).toBe('(MISSING)');
    }
  });

  it.each([
    ['first', 'Ada'],
    ['work.city', 'Berlin'],
    ['Cost.Center', 'C-7'],
    ['tags.1', 'Leads'],
    ['number', '42'],
    ['flag', 'true'],
    ['blank', '(BLANK)'],
    ['nothing', '(MISSING)'],
    ['missing', '(MISSING)'],
    ['work.city.name', '(MISSING)'],
    ['work', '(NOT_TEXT)'],
    ['tags', '(NOT_TEXT)'],
  ])('reads the attribute %s as %s', (path, expected) => {
    expect(outcomeOf(field(path))).toBe(expected);
  });

  it.each<[string, Expression, string]>([
    [
      'join with what is there',
      { join: { parts: [field('first'), field('blank'), field('last')], separator: ' ' } },
      'Ada Lovelace',
    ],
    ['join of nothing', { join: { parts: [field('missing'), field('blank')], separator: '-' } }, '(BLANK)'],
    ['firstNonEmpty', { firstNonEmpty: [field('missing'), field('blank'), field('first')] }, 'Ada'],
    ['firstNonEmpty of nothing', { firstNonEmpty: [field('work'), field('missing')] }, '(NOT_TEXT)'],
    ['emailLocalPart', { emailLocalPart: field('email') }, 'Ada.Lovelace'],
    ['emailLocalPart of no address', { emailLocalPart: field('first') }, '(NOT_AN_ADDRESS)'],
    ['split', { split: { of: field('full'), separator: ',', index: 1 } }, 'Ada'],
    ['split from the end', { split: { of: field('full'), separator: ',', index: -2 } }, 'Lovelace'],
    ['split beyond the end', { split: { of: field('full'), separator: ',', index: 2 } }, '(BLANK)'],
    ['cut', { cut: { of: { literal: 'a🎈bc' }, length: 2 } }, 'a🎈'],
    ['lower', { lower: field('first') }, 'ada'],
    ['upper', { upper: field('first') }, 'ADA'],
    ['trim', { trim: { literal: ' x ' } }, 'x'],
    ['transliterate', { transliterate: { literal: 'Łukasz Żółć' } }, 'Lukasz Zolc'],
    ['transliterate of an unknown script', { transliterate: { literal: '明' } }, '(NO_LETTERS)'],
  ])('evaluates %s', (_, expression, expected) => {
    expect(outcomeOf(expression)).toBe(expected);
  });

  it.each<[string, Expression, string]>([
    ['a month to a shorter one', { dateShift: { of: field('work.start'), months: 1 } }, '2026-02-28'],
    ['months first, then days', { dateShift: { of: field('work.start'), months: 1, days: 1 } }, '2026-03-01'],
    ['back over the new year', { dateShift: { of: field('work.start'), days: -31 } }, '2025-12-31'],
    ['a day of another form', { dateShift: { of: field('hired'), format: 'DAY_MONTH_YEAR', days: 1 } }, '2026-01-01'],
    [
      'the day of an instant',
      { dateShift: { of: { literal: '2026-01-31T23:30:00+02:00' }, days: 1 } },
      '2026-02-01T23:30:00+02:00',
    ],
    ['no day that is none', { dateShift: { of: { literal: '2026-02-29' } } }, '(NOT_A_DATE)'],
    ['nothing out of the calendar', { dateShift: { of: { literal: '9999-12-31' }, days: 1 } }, '(NOT_A_DATE)'],
    ['no text', { dateShift: { of: field('first') } }, '(NOT_A_DATE)'],
  ])('shifts %s', (_, expression, expected) => {
    expect(outcomeOf(expression)).toBe(expected);
  });

  it('takes the first branch whose condition holds, and says which', () => {
    const branched: Expression = {
      case: {
        branches: [
          { when: { equals: { field: 'work.city', value: 'Paris' } }, value: { literal: 'Europe/Paris' } },
          {
            when: { exists: { field: 'work.city' } },
            value: { firstNonEmpty: [field('missing'), { literal: 'Somewhere' }] },
          },
        ],
        otherwise: { literal: 'Nowhere' },
      },
    };
    const { outcome, trace } = evaluate(branched, ada);
    expect(outcome).toEqual({ value: 'Somewhere' });
    expect(trace).toEqual({
      sources: [{ field: 'missing', value: undefined }],
      choices: ['case.branches.1', 'case.branches.1.value.firstNonEmpty.1'],
    });
    expect(outcomeOf(branched, {})).toBe('Nowhere');
  });

  it('finds the entry of a table whatever the case, and otherwise the default or nothing', () => {
    const table = [{ key: 'berlin ', value: 'Europe/Berlin' }];
    const lookup = { of: field('work.city'), table };
    expect(evaluate({ lookup }, ada)).toEqual({
      outcome: { value: 'Europe/Berlin' },
      trace: { sources: [{ field: 'work.city', value: 'Berlin' }], choices: ['lookup.table.0'] },
    });
    expect(outcomeOf({ lookup: { ...lookup, of: field('first') } })).toBe('(NO_MATCH)');
    expect(outcomeOf({ lookup: { ...lookup, of: field('missing'), otherwise: { literal: 'UTC' } } })).toBe('UTC');
    expect(outcomeOf({ lookup: { ...lookup, of: field('work'), otherwise: { literal: 'UTC' } } })).toBe('(NOT_TEXT)');
  });
});

describe('a condition', () => {
  const holds = (condition: Condition) => judge(condition, ada).holds;

  it('holds or not, the same each time, whatever the record, and its opposite is the contrary', () => {
    fc.assert(
      fc.property(aCondition, aRecord, (condition, record) => {
        const judgement = judge(condition, record);
        expect(judge(condition, structuredClone(record))).toEqual(judgement);
        expect(judge({ not: condition }, record).holds).toBe(!judgement.holds);
        expect(judgement.decisive.length).toBeGreaterThan(0);
      }),
      { numRuns: 150 },
    );
  });

  it.each<[Condition, boolean]>([
    [{ equals: { field: 'first', value: ' ADA' } }, true],
    [{ equals: { field: 'tags', value: 'leads' } }, true],
    [{ equals: { field: 'number', value: '42' } }, true],
    [{ equals: { field: 'missing', value: 'x' } }, false],
    [{ notEquals: { field: 'missing', value: 'x' } }, true],
    [{ notEquals: { field: 'tags', value: 'leads' } }, false],
    [{ in: { field: 'work.city', values: ['Paris', 'berlin'] } }, true],
    [{ in: { field: 'tags', values: ['Paris'] } }, false],
    [{ contains: { field: 'last', value: 'LACE' } }, true],
    [{ startsWith: { field: 'email', value: 'ada.' } }, true],
    [{ endsWith: { field: 'email', value: '@EXAMPLE.com' } }, true],
    [{ exists: { field: 'tags' } }, true],
    [{ exists: { field: 'blank' } }, false],
    [{ exists: { field: 'nothing' } }, false],
    [{ before: { field: 'work.start', date: '2026-02-01' } }, true],
    [{ before: { field: 'work.start', date: '2026-01-31' } }, false],
    [{ after: { field: 'hired', date: '2025-12-30', format: 'DAY_MONTH_YEAR' } }, true],
    [{ after: { field: 'hired', date: '2025-12-30' } }, false],
    [{ before: { field: 'missing', date: '2026-02-01' } }, false],
  ])('%j is %s', (condition, expected) => {
    expect(holds(condition)).toBe(expected);
    expect(holds({ all: [condition] })).toBe(expected);
    expect(holds({ any: [condition] })).toBe(expected);
  });

  it('names what decided: the one that failed of `all`, the one that held of `any`, otherwise all of them', () => {
    const yes: Condition = { equals: { field: 'first', value: 'Ada' } };
    const no: Condition = { equals: { field: 'last', value: 'Byron' } };
    const decisiveOf = (condition: Condition) => judge(condition, ada).decisive.map((check) => check.field);
    expect(decisiveOf({ all: [yes, no, yes] })).toEqual(['last']);
    expect(decisiveOf({ any: [no, yes, no] })).toEqual(['first']);
    expect(decisiveOf({ all: [yes, yes] })).toEqual(['first', 'first']);
    expect(decisiveOf({ any: [no, no] })).toEqual(['last', 'last']);
    expect(judge({ not: no }, ada)).toEqual({
      holds: true,
      decisive: [{ field: 'last', test: 'equals', expected: ['Byron'], actual: ['Lovelace'], holds: false }],
    });
  });
});
