import { readDate } from './day';
import { compact, type DefinitionReader, type Path } from './definition-reader';
import {
  type CaseBranch,
  type Condition,
  type DateComparison,
  dateFormats,
  dateTests,
  type Expression,
  type LookupEntry,
  textTests,
} from './expression';
import { mappingLimits } from './mapping';

const operations = [
  'field',
  'literal',
  'join',
  'firstNonEmpty',
  'case',
  'lookup',
  'emailLocalPart',
  'dateShift',
  'transliterate',
  'trim',
  'lower',
  'upper',
  'cut',
  'split',
] as const;
const conditionForms = ['all', 'any', 'not', 'in', 'exists', ...textTests, ...dateTests] as const;

/** A hundred years either way. */
const MOST_DAYS = 36_525;
const MOST_MONTHS = 1_200;

/** @returns undefined when something about it is wrong; the reader knows what. */
export function readExpression(
  reader: DefinitionReader,
  value: unknown,
  path: Path,
  depth = 1,
): Expression | undefined {
  if (!reader.enter(path, depth)) return undefined;
  const [operation, operand] = reader.one(value, path, operations) ?? [];
  if (operation === undefined) return undefined;
  const place = [...path, operation];
  const inner = (of: unknown, at: Path) => readExpression(reader, of, at, depth + 1);
  switch (operation) {
    case 'field':
      return wrapped(readFieldPath(reader, operand, place), (field) => ({ field }));
    case 'literal':
      return wrapped(reader.text(operand, place), (literal) => ({ literal }));
    case 'firstNonEmpty': {
      const parts = reader.list(operand, place, { most: mappingLimits.parts });
      return wrapped(allOf(parts, place, inner), (firstNonEmpty) => ({ firstNonEmpty }));
    }
    case 'join':
      return readJoin(reader, operand, place, inner);
    case 'case':
      return readCase(reader, operand, place, depth);
    case 'lookup':
      return readLookup(reader, operand, place, inner);
    case 'dateShift':
      return readDateShift(reader, operand, place, inner);
    case 'cut':
      return readCut(reader, operand, place, inner);
    case 'split':
      return readSplit(reader, operand, place, inner);
    default:
      return wrapped(inner(operand, place), (of) => ({ [operation]: of }) as unknown as Expression);
  }
}

type Inner = (value: unknown, path: Path) => Expression | undefined;

function readJoin(reader: DefinitionReader, value: unknown, path: Path, inner: Inner): Expression | undefined {
  const members = reader.object(value, path, ['parts', 'separator']);
  if (!members) return undefined;
  const list = reader.list(members.parts, [...path, 'parts'], { most: mappingLimits.parts });
  const parts = allOf(list, [...path, 'parts'], inner);
  const separator =
    members.separator === undefined
      ? undefined
      : reader.text(members.separator, [...path, 'separator'], { longest: 50, isBlankAllowed: true });
  return parts && { join: compact({ parts, separator }) };
}

function readCase(reader: DefinitionReader, value: unknown, path: Path, depth: number): Expression | undefined {
  const members = reader.object(value, path, ['branches', 'otherwise']);
  if (!members) return undefined;
  const inner = (of: unknown, at: Path) => readExpression(reader, of, at, depth + 1);
  const list = reader.list(members.branches, [...path, 'branches'], { most: mappingLimits.branches });
  const branches = allOf(list, [...path, 'branches'], (entry, place): CaseBranch | undefined => {
    const branch = reader.object(entry, place, ['when', 'value']);
    if (!branch) return undefined;
    const when = readCondition(reader, branch.when, [...place, 'when'], depth + 1);
    const result = inner(branch.value, [...place, 'value']);
    return when && result && { when, value: result };
  });
  const otherwise = optional(members.otherwise, (of) => inner(of, [...path, 'otherwise']));
  return branches && { case: compact({ branches, otherwise }) };
}

function readLookup(reader: DefinitionReader, value: unknown, path: Path, inner: Inner): Expression | undefined {
  const members = reader.object(value, path, ['of', 'table', 'otherwise']);
  if (!members) return undefined;
  const of = inner(members.of, [...path, 'of']);
  const list = reader.list(members.table, [...path, 'table'], { most: mappingLimits.tableEntries });
  const seen = new Set<string>();
  const table = allOf(list, [...path, 'table'], (entry, place): LookupEntry | undefined => {
    const members = reader.object(entry, place, ['key', 'value']) ?? {};
    const key = reader.text(members.key, [...place, 'key']);
    const value = reader.text(members.value, [...place, 'value']);
    if (key === undefined || value === undefined) return undefined;
    const plain = key.trim().toLowerCase();
    if (seen.has(plain)) return reader.report([...place, 'key'], 'This table has an entry for this text already.');
    seen.add(plain);
    return { key, value };
  });
  const otherwise = optional(members.otherwise, (expression) => inner(expression, [...path, 'otherwise']));
  return of && table && { lookup: compact({ of, table, otherwise }) };
}

function readDateShift(reader: DefinitionReader, value: unknown, path: Path, inner: Inner): Expression | undefined {
  const members = reader.object(value, path, ['of', 'format', 'days', 'months']);
  if (!members) return undefined;
  const of = inner(members.of, [...path, 'of']);
  const format = optional(members.format, (word) => reader.word(word, [...path, 'format'], dateFormats));
  const days = optional(members.days, (count) =>
    reader.whole(count, [...path, 'days'], { least: -MOST_DAYS, most: MOST_DAYS }),
  );
  const months = optional(members.months, (count) =>
    reader.whole(count, [...path, 'months'], { least: -MOST_MONTHS, most: MOST_MONTHS }),
  );
  return of && { dateShift: compact({ of, format, days, months }) };
}

function readCut(reader: DefinitionReader, value: unknown, path: Path, inner: Inner): Expression | undefined {
  const members = reader.object(value, path, ['of', 'length']);
  if (!members) return undefined;
  const of = inner(members.of, [...path, 'of']);
  const length = reader.whole(members.length, [...path, 'length'], { least: 1, most: mappingLimits.textLength });
  return of && length !== undefined ? { cut: { of, length } } : undefined;
}

function readSplit(reader: DefinitionReader, value: unknown, path: Path, inner: Inner): Expression | undefined {
  const members = reader.object(value, path, ['of', 'separator', 'index']);
  if (!members) return undefined;
  const of = inner(members.of, [...path, 'of']);
  const separator = reader.text(members.separator, [...path, 'separator'], { longest: 50, isBlankAllowed: true });
  if (separator === '') return reader.report([...path, 'separator'], 'This text must not be empty.');
  const index = reader.whole(members.index, [...path, 'index'], { least: -100, most: 100 });
  return of && separator !== undefined && index !== undefined ? { split: { of, separator, index } } : undefined;
}

/** As readExpression. */
export function readCondition(reader: DefinitionReader, value: unknown, path: Path, depth = 1): Condition | undefined {
  if (!reader.enter(path, depth)) return undefined;
  const [form, operand] = reader.one(value, path, conditionForms) ?? [];
  if (form === undefined) return undefined;
  const place = [...path, form];
  const inner = (of: unknown, at: Path) => readCondition(reader, of, at, depth + 1);
  switch (form) {
    case 'all':
    case 'any': {
      const list = reader.list(operand, place, { most: mappingLimits.branches });
      return wrapped(allOf(list, place, inner), (of) => ({ [form]: of }) as unknown as Condition);
    }
    case 'not':
      return wrapped(inner(operand, place), (not) => ({ not }));
    case 'exists':
      return wrapped(reader.object(operand, place, ['field']), (members) =>
        wrapped(readFieldPath(reader, members.field, [...place, 'field']), (field) => ({ exists: { field } })),
      );
    case 'in': {
      const members = reader.object(operand, place, ['field', 'values']);
      if (!members) return undefined;
      const field = readFieldPath(reader, members.field, [...place, 'field']);
      const list = reader.list(members.values, [...place, 'values'], { most: mappingLimits.values });
      const values = allOf(list, [...place, 'values'], (entry, at) => reader.text(entry, at));
      return field !== undefined && values ? { in: { field, values } } : undefined;
    }
    case 'before':
    case 'after':
      return wrapped(
        readDateComparison(reader, operand, place),
        (comparison) => ({ [form]: comparison }) as unknown as Condition,
      );
    default: {
      const members = reader.object(operand, place, ['field', 'value']);
      if (!members) return undefined;
      const field = readFieldPath(reader, members.field, [...place, 'field']);
      const text = reader.text(members.value, [...place, 'value']);
      if (field === undefined || text === undefined) return undefined;
      return { [form]: { field, value: text } } as unknown as Condition;
    }
  }
}

function readDateComparison(reader: DefinitionReader, value: unknown, path: Path): DateComparison | undefined {
  const members = reader.object(value, path, ['field', 'date', 'format']);
  if (!members) return undefined;
  const field = readFieldPath(reader, members.field, [...path, 'field']);
  const date = reader.text(members.date, [...path, 'date']);
  const format = optional(members.format, (word) => reader.word(word, [...path, 'format'], dateFormats));
  if (field === undefined || date === undefined) return undefined;
  if (readDate(date)) return compact({ field, date, format });
  return reader.report(
    [...path, 'date'],
    'This is no date.',
    'Write a day as 2027-01-31, or an instant as 2027-01-31T09:00:00Z.',
  );
}

/** The path of an attribute, as `valueAt` takes it. */
function readFieldPath(reader: DefinitionReader, value: unknown, path: Path): string | undefined {
  return reader.text(value, path, { longest: mappingLimits.fieldPathLength });
}

/** All entries, or undefined when one of them is wrong; the others are read nevertheless. */
export function allOf<Entry>(
  list: readonly unknown[] | undefined,
  path: Path,
  read: (entry: unknown, path: Path) => Entry | undefined,
): readonly Entry[] | undefined {
  const entries = list?.map((entry, index) => read(entry, [...path, String(index)]));
  return entries?.every((entry) => entry !== undefined) ? (entries as readonly Entry[]) : undefined;
}

export function optional<Value>(value: unknown, read: (value: unknown) => Value | undefined): Value | undefined {
  return value === undefined ? undefined : read(value);
}

function wrapped<Value, Result>(value: Value | undefined, wrap: (value: Value) => Result): Result | undefined {
  return value === undefined ? undefined : wrap(value);
}
