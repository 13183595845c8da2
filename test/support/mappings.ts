import fc from 'fast-check';
import type { Condition, Expression } from '../../src/domain/mapping/expression';
import { type MappingDefinition, type MappingRule, textFields } from '../../src/domain/mapping/mapping';

/** Attributes that records of the tests may have, besides others. */
export const attributes = ['email', 'first', 'last', 'title', 'work.city', 'tags', 'tags.0', 'start', '__proto__'];

const attribute = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...attributes) }, text({ maxLength: 12 }));
const date = fc.constantFrom('2026-01-31', '2027-02-28', '2026-05-01T09:00:00+02:00');
const format = fc.constantFrom('ISO', 'DAY_MONTH_YEAR', 'MONTH_DAY_YEAR') as fc.Arbitrary<'ISO'>;

function text(constraints: { maxLength: number }): fc.Arbitrary<string> {
  return fc
    .string({ unit: 'grapheme', minLength: 1, ...constraints })
    .filter((value) => value.trim() !== '' && !value.includes('\u0000'));
}

const comparison = fc.record({ field: attribute, value: text({ maxLength: 8 }) });
const dateComparison = fc.record({ field: attribute, date, format }, { requiredKeys: ['field', 'date'] });

/** Every form of condition and expression, nested a few levels. */
const { condition, expression } = fc.letrec<{ condition: Condition; expression: Expression }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    comparison.map((equals) => ({ equals })),
    fc.record({ all: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('condition') }),
    comparison.map((notEquals) => ({ notEquals })),
    fc.record({
      in: fc.record({ field: attribute, values: fc.array(text({ maxLength: 8 }), { minLength: 1, maxLength: 3 }) }),
    }),
    comparison.map((contains) => ({ contains })),
    comparison.map((startsWith) => ({ startsWith })),
    comparison.map((endsWith) => ({ endsWith })),
    fc.record({ exists: fc.record({ field: attribute }) }),
    dateComparison.map((before) => ({ before })),
    dateComparison.map((after) => ({ after })),
  ),
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ field: attribute }),
    fc.record({ literal: text({ maxLength: 20 }) }),
    fc.record({
      join: fc.record(
        {
          parts: fc.array(tie('expression'), { minLength: 1, maxLength: 3 }),
          separator: fc.constantFrom(' ', '', '.'),
        },
        { requiredKeys: ['parts'] },
      ),
    }),
    fc.record({ firstNonEmpty: fc.array(tie('expression'), { minLength: 1, maxLength: 3 }) }),
    fc.record({
      case: fc.record(
        {
          branches: fc.array(fc.record({ when: tie('condition'), value: tie('expression') }), {
            minLength: 1,
            maxLength: 2,
          }),
          otherwise: tie('expression'),
        },
        { requiredKeys: ['branches'] },
      ),
    }),
    fc.record({
      lookup: fc.record(
        {
          of: tie('expression'),
          table: fc.uniqueArray(fc.record({ key: text({ maxLength: 4 }), value: text({ maxLength: 8 }) }), {
            minLength: 1,
            maxLength: 3,
            selector: ({ key }) => key.trim().toLowerCase(),
          }),
          otherwise: tie('expression'),
        },
        { requiredKeys: ['of', 'table'] },
      ),
    }),
    fc.record({
      dateShift: fc.record(
        {
          of: tie('expression'),
          format,
          days: fc.integer({ min: -36_525, max: 36_525 }),
          months: fc.integer({ min: -1200, max: 1200 }),
        },
        { requiredKeys: ['of'] },
      ),
    }),
    ...(['emailLocalPart', 'transliterate', 'trim', 'lower', 'upper'] as const).map(
      (operation) => tie('expression').map((of) => ({ [operation]: of })) as fc.Arbitrary<Expression>,
    ),
    fc.record({ cut: fc.record({ of: tie('expression'), length: fc.integer({ min: 1, max: 30 }) }) }),
    fc.record({
      split: fc.record({
        of: tie('expression'),
        separator: fc.constantFrom(' ', ',', '@'),
        index: fc.integer({ min: -3, max: 3 }),
      }),
    }),
  ),
}));

export { condition as aCondition, expression as anExpression };

const group = fc.oneof(
  fc.constantFrom('Engineering', 'Design', 'Everyone').map((name) => ({ name })),
  fc.constantFrom('S0000001', 'S0000002').map((slackId) => ({ slackId })),
);
const profileFields = fc.uniqueArray(
  fc.record({ key: fc.constantFrom('role', 'mobilePhone', 'address.locality', 'level'), value: expression }),
  { minLength: 1, maxLength: 2, selector: ({ key }) => key },
);

const rule: fc.Arbitrary<MappingRule> = fc.record(
  {
    name: text({ maxLength: 10 }),
    when: condition,
    groups: fc.array(group, { minLength: 1, maxLength: 2 }),
    account: fc.constantFrom('MEMBER', 'GUEST') as fc.Arbitrary<'MEMBER'>,
    userType: expression,
    profileFields,
  },
  { requiredKeys: ['name', 'groups'] },
);

/** Whole mappings that the validation lets through. */
export const aMapping: fc.Arbitrary<MappingDefinition> = fc.record(
  {
    fields: fc
      .record(
        {
          ...Object.fromEntries(textFields.map((field) => [field, expression])),
          startDate: expression,
          guestExpiresAt: expression,
          profileFields,
        },
        { requiredKeys: [] },
      )
      .map((fields) => ({
        ...fields,
        email: { field: 'email' },
        ...('userName' in fields ? { userName: { join: { parts: [{ field: 'first' }, fields.userName] } } } : {}),
      })) as fc.Arbitrary<MappingDefinition['fields']>,
    rules: fc.uniqueArray(rule, { maxLength: 4, selector: ({ name }) => name }),
    leaveUnmatchedGroups: fc.boolean(),
  },
  { requiredKeys: ['fields'] },
);

const plainText = fc.oneof(
  fc.constantFrom('Łukasz', 'Ada', 'Ελένη', 'Фёдор', '明', 'O’Brien', 'von der Größe', 'Remote', ' '),
  fc
    .string({ unit: 'grapheme', maxLength: 30 })
    .map((value) => value.replace(/[\p{C}\p{Extended_Pictographic}@]/gu, '')),
);
const plainAttribute = fc.constantFrom('first', 'last', 'title', 'work.city', 'missing', 'tags.0');

/** Expressions that find a use for whatever a plain record holds. */
const plainExpression: fc.Arbitrary<Expression> = fc.letrec<{ plain: Expression }>((tie) => ({
  plain: fc.oneof(
    { depthSize: 'small' },
    fc.record({ field: plainAttribute }),
    fc.record({
      literal: text({ maxLength: 20 }).map((value) => value.replace(/[\p{C}\p{Extended_Pictographic}@]/gu, '-')),
    }),
    fc.record({
      join: fc.record({ parts: fc.array(tie('plain'), { minLength: 1, maxLength: 3 }), separator: fc.constant(' ') }),
    }),
    fc.record({ firstNonEmpty: fc.array(tie('plain'), { minLength: 1, maxLength: 3 }) }),
    fc.record({
      case: fc.record({
        branches: fc.array(fc.record({ when: condition, value: tie('plain') }), { minLength: 1, maxLength: 2 }),
        otherwise: tie('plain'),
      }),
    }),
    ...(['transliterate', 'trim', 'lower', 'upper'] as const).map(
      (operation) => tie('plain').map((of) => ({ [operation]: of })) as fc.Arbitrary<Expression>,
    ),
    fc.record({ cut: fc.record({ of: tie('plain'), length: fc.integer({ min: 1, max: 30 }) }) }),
  ),
})).plain;

const shiftedStart = fc
  .integer({ min: -400, max: 400 })
  .map((days): Expression => ({ dateShift: { of: { field: 'start' }, days } }));
const plainProfileFields = fc.uniqueArray(
  fc.record({
    key: fc.constantFrom('role', 'mobilePhone', 'address.locality', 'honorificPrefix'),
    value: plainExpression,
  }),
  { minLength: 1, maxLength: 2, selector: ({ key }) => key },
);
const unmappable = ['email', 'photoUrl', 'managerSlackId', 'managerEmail'];

/** Mappings that make a Slack user of any plain record. */
export const aPlainMapping: fc.Arbitrary<MappingDefinition> = fc.record(
  {
    fields: fc
      .record(
        {
          ...Object.fromEntries(
            textFields
              .filter((field) => !unmappable.includes(field))
              .map((field) => [field, plainExpression.map((of): Expression => ({ cut: { of, length: 80 } }))]),
          ),
          startDate: shiftedStart,
          guestExpiresAt: shiftedStart,
          profileFields: plainProfileFields,
        },
        { requiredKeys: [] },
      )
      .map((fields) => ({
        ...fields,
        email: { field: 'email' },
        userName: { join: { parts: [{ field: 'first' }, { field: 'last' }], separator: ' ' } },
      })) as fc.Arbitrary<MappingDefinition['fields']>,
    rules: fc.uniqueArray(
      fc.record(
        {
          name: text({ maxLength: 10 }),
          when: condition,
          account: fc.constantFrom('MEMBER', 'GUEST') as fc.Arbitrary<'MEMBER'>,
          userType: plainExpression,
          profileFields: plainProfileFields,
        },
        { requiredKeys: ['name', 'account'] },
      ),
      { maxLength: 4, selector: ({ name }) => name },
    ),
  },
  { requiredKeys: ['fields'] },
);

/** Records as they come from an HR system, with blanks and gaps. */
export const aPlainRecord = fc.record(
  {
    first: plainText,
    last: plainText,
    title: fc.oneof(plainText, fc.integer(), fc.boolean(), fc.constant(null)),
    work: fc.record({ city: plainText }),
    tags: fc.array(plainText, { maxLength: 3 }),
    start: date,
  },
  { requiredKeys: ['start'] },
) as fc.Arbitrary<Record<string, unknown>>;

/** Records of any shape, some of whose attributes a mapping reads. */
export const aRecord = fc.oneof(
  fc.record(
    {
      email: fc.oneof(fc.emailAddress(), fc.jsonValue()),
      first: fc.oneof(fc.constantFrom('Łukasz', 'Ada', 'Ελένη', 'Фёдор', '明', ''), fc.jsonValue()),
      last: fc.string({ unit: 'grapheme' }),
      title: fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
      work: fc.oneof(fc.record({ city: fc.string() }), fc.string()),
      tags: fc.array(fc.oneof(fc.string(), fc.integer()), { maxLength: 3 }),
      start: fc.oneof(fc.constantFrom('2026-02-29', '2024-02-29', '31.01.2027', '01/31/2027'), fc.string()),
    },
    { requiredKeys: [] },
  ),
  fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })),
) as fc.Arbitrary<Record<string, never>>;
