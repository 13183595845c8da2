import fc from 'fast-check';
import { mappingLimits } from '../../../src/domain/mapping/mapping';
import { readMapping } from '../../../src/domain/mapping/mapping-reading';
import { aMapping } from '../../support/mappings';

// The same inputs in every run.
fc.configureGlobal({ seed: 1815 });

const email = { field: 'email' };
const pathsOf = (mapping: unknown) => (readMapping(mapping, []).problems ?? []).map(({ path }) => path?.join('.'));

/** Mistakes of every kind, each where an expression or a condition is expected, and the path of the problem below it. */
const wrongExpressions: readonly (readonly [unknown, string])[] = [
  ['text', ''],
  [[], ''],
  [{}, ''],
  [{ field: 'a', literal: 'b' }, ''],
  [{ feild: 'a' }, ''],
  [{ field: ' ' }, '.field'],
  [{ field: 'x'.repeat(mappingLimits.fieldPathLength + 1) }, '.field'],
  [{ literal: 7 }, '.literal'],
  [{ literal: 'xoxp-1234567890-1234567890' }, '.literal'],
  [{ literal: 'a\u0000b' }, '.literal'],
  [{ join: { parts: [] } }, '.join.parts'],
  [{ join: { parts: [{ field: 'a' }, { field: 1 }] } }, '.join.parts.1.field'],
  [{ join: { parts: [{ field: 'a' }], separator: 1 } }, '.join.separator'],
  [{ join: { parts: [{ field: 'a' }], by: ' ' } }, '.join'],
  [{ firstNonEmpty: {} }, '.firstNonEmpty'],
  [{ case: { branches: [{ when: { exists: { field: 'a' } } }] } }, '.case.branches.0.value'],
  [{ case: { branches: [{ when: {}, value: email }] } }, '.case.branches.0.when'],
  [{ lookup: { of: email, table: [{ key: 'a' }] } }, '.lookup.table.0.value'],
  [
    {
      lookup: {
        of: email,
        table: [
          { key: 'a', value: 'b' },
          { key: 'A ', value: 'c' },
        ],
      },
    },
    '.lookup.table.1.key',
  ],
  [{ lookup: { of: email, table: [{ key: 'a', value: 'b' }], otherwise: 'c' } }, '.lookup.otherwise'],
  [{ dateShift: { of: email, format: 'YYYY' } }, '.dateShift.format'],
  [{ dateShift: { of: email, days: 1.5 } }, '.dateShift.days'],
  [{ dateShift: { of: email, months: 1e9 } }, '.dateShift.months'],
  [{ cut: { of: email, length: 0 } }, '.cut.length'],
  [{ split: { of: email, separator: '', index: 0 } }, '.split.separator'],
  [{ split: { of: email, separator: ',' } }, '.split.index'],
  [{ lower: { lower: { lower: {} } } }, '.lower.lower.lower'],
];
const wrongConditions: readonly (readonly [unknown, string])[] = [
  [null, ''],
  [{ equals: { field: 'a' } }, '.equals.value'],
  [{ all: [] }, '.all'],
  [{ any: [{ exists: {} }] }, '.any.0.exists.field'],
  [{ not: { in: { field: 'a', values: [] } } }, '.not.in.values'],
  [{ in: { field: 'a', values: ['b', 3] } }, '.in.values.1'],
  [{ before: { field: 'a', date: '31.01.2027' } }, '.before.date'],
  [{ after: { field: 'a', date: '2027-02-30' } }, '.after.date'],
  [{ after: { field: 'a', date: '2027-02-01', format: 'ISO8601' } }, '.after.format'],
];

describe('a mapping', () => {
  it('that fits comes back as it was given, without members that say nothing', () => {
    fc.assert(
      fc.property(aMapping, (mapping) => {
        const withNulls = { ...mapping, rules: mapping.rules ?? null };
        expect(readMapping(withNulls, []).definition).toEqual(mapping);
        expect(readMapping(JSON.parse(JSON.stringify(mapping)), []).definition).toEqual(mapping);
      }),
      { numRuns: 100 },
    );
  });

  it('of any shape is read or refused, and never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const { definition, problems = [] } = readMapping({ fields: { email: value }, rules: [value] }, ['input']);
        expect(definition === undefined).toBe(problems.length > 0);
      }),
    );
  });

  it('is refused with every mistake at its place, however many there are and wherever they stand', () => {
    const wrong = fc.record({
      fields: fc.uniqueArray(
        fc.tuple(fc.constantFrom('title', 'department', 'startDate', 'division'), fc.constantFrom(...wrongExpressions)),
        { maxLength: 4, selector: ([name]) => name },
      ),
      rules: fc.array(
        fc.constantFrom(...wrongConditions).filter(([condition]) => condition !== null),
        {
          maxLength: 3,
        },
      ),
    });
    fc.assert(
      fc.property(wrong, ({ fields, rules }) => {
        const mapping = {
          fields: { email, ...Object.fromEntries(fields.map(([name, [expression]]) => [name, expression])) },
          rules: rules.map(([when], index) => ({ name: `Rule ${index}`, when, account: 'MEMBER' })),
        };
        const planted = [
          ...fields.map(([name, [, path]]) => `fields.${name}${path}`),
          ...rules.map(([, path], index) => `rules.${index}.when${path}`),
        ];
        expect(pathsOf(mapping).sort()).toEqual(planted.sort());
      }),
      { numRuns: 100 },
    );
  });

  it.each(wrongExpressions)('is refused with the expression %j at%s', (expression, path) => {
    expect(pathsOf({ fields: { email, title: expression } })).toEqual([`fields.title${path}`]);
    const nested = { fields: { email, title: { firstNonEmpty: [email, expression] } } };
    expect(pathsOf(nested)).toEqual([`fields.title.firstNonEmpty.1${path}`]);
  });

  it.each(wrongConditions)('is refused with the condition %j at%s', (condition, path) => {
    const mapping = { fields: { email, title: { case: { branches: [{ when: condition, value: email }] } } } };
    expect(pathsOf(mapping)).toEqual([`fields.title.case.branches.0.when${path}`]);
  });

  it.each<[string, unknown, string[]]>([
    ['is none', null, ['']],
    ['has no fields', {}, ['fields']],
    [
      'says unclearly whether groups are left',
      { fields: { email }, leaveUnmatchedGroups: 'yes' },
      ['leaveUnmatchedGroups'],
    ],
    ['gives no address', { fields: { title: email } }, ['fields.email']],
    ['gives everybody one address', { fields: { email: { literal: 'a@example.com' } } }, ['fields.email']],
    ['gives everybody one user name', { fields: { email, userName: { literal: 'ada' } } }, ['fields.userName']],
    ['fills a field that Slack does not have', { fields: { email, shoeSize: email } }, ['fields']],
    [
      'fills profile fields that Slack does not have, or twice',
      {
        fields: {
          email,
          profileFields: [
            { key: 'address.planet', value: email },
            { key: 'startDate', value: email },
            { key: 'role', value: email },
            { key: 'role', value: email },
          ],
        },
      },
      ['fields.profileFields.0.key', 'fields.profileFields.1.key', 'fields.profileFields.3.key'],
    ],
    [
      'has rules that give nothing, are called alike, or end the accounts of members',
      {
        fields: { email },
        rules: [
          { name: 'One' },
          { name: 'One', account: 'MEMBER', guestExpiresAt: email },
          { name: 'Two', account: 'OWNER' },
          { account: 'GUEST' },
          { name: 'Three', groups: [{ name: 'A', slackId: 'S1' }, {}, { name: '' }, { id: 'S1' }] },
        ],
      },
      [
        'rules.0',
        'rules.1.name',
        'rules.1.guestExpiresAt',
        'rules.2.account',
        'rules.3.name',
        'rules.4.groups.0',
        'rules.4.groups.1',
        'rules.4.groups.2.name',
        'rules.4.groups.3',
      ],
    ],
  ])('is refused when it %s', (_, mapping, paths) => {
    expect(pathsOf(mapping)).toEqual(paths);
  });

  it('repeats nothing of what was given, which may be a secret in the wrong place', () => {
    const { problems = [] } = readMapping(
      { fields: { email: { 'xoxp-secret-key': 1 } }, rules: [{ name: 'xoxp-1234567890-secret', account: 'secret' }] },
      ['input', 'mapping'],
    );
    expect(problems).toHaveLength(3);
    expect(JSON.stringify(problems.map(({ message, path, remedy }) => [message, path, remedy]))).not.toMatch(/secret/);
  });

  it('has bounds: nesting, size, and how many mistakes are told', () => {
    let deep: unknown = email;
    for (let depth = 0; depth < mappingLimits.depth; depth += 1) deep = { lower: deep };
    expect(readMapping({ fields: { email: deep } }, []).problems).toHaveLength(1);
    for (let depth = 0; depth < 100_000; depth += 1) deep = { lower: deep };
    expect(readMapping({ fields: { email: deep } }, []).problems).toHaveLength(1);

    const many = { firstNonEmpty: Array.from({ length: mappingLimits.parts }, () => email) };
    const tooMany = { firstNonEmpty: Array.from({ length: mappingLimits.parts }, () => many) };
    expect(readMapping({ fields: { email: many } }, []).problems).toBeUndefined();
    expect(readMapping({ fields: { email: tooMany } }, []).problems?.[0]?.message).toContain('2000');

    const rules = Array.from({ length: mappingLimits.rules }, () => ({}));
    expect(readMapping({ fields: { email }, rules }, []).problems).toHaveLength(mappingLimits.problems);
  });
});
