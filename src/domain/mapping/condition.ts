import { instantOf, readDate } from './day';
import type { Comparison, Condition, ConditionTest, DateComparison } from './expression';
import { type JsonValue, type SourceRecord, textOf, valueAt } from './source-record';

/** One comparison as it came out. */
export interface Check {
  /** Path of the attribute in the record. */
  readonly field: string;
  readonly test: ConditionTest;
  /** What the attribute was compared with; empty for `exists`. */
  readonly expected: readonly string[];
  /** What the record holds there as text, lists as their entries; undefined when there is nothing. */
  readonly actual: readonly string[] | undefined;
  readonly holds: boolean;
}

export interface Judgement {
  readonly holds: boolean;
  /** The comparisons that decided: of those of `all` the first that failed, of those of `any` the first that held. */
  readonly decisive: readonly Check[];
}

/** Total and without side effects: the same condition and record always give the same. */
export function judge(condition: Condition, record: SourceRecord): Judgement {
  if ('all' in condition) return judgeMany(condition.all, record, false);
  if ('any' in condition) return judgeMany(condition.any, record, true);
  if ('not' in condition) {
    const { holds, decisive } = judge(condition.not, record);
    return { holds: !holds, decisive };
  }
  const check = checkOf(condition, record);
  return { holds: check.holds, decisive: [check] };
}

/** @param decider the outcome that one condition alone is enough for. */
function judgeMany(conditions: readonly Condition[], record: SourceRecord, decider: boolean): Judgement {
  const judgements: Judgement[] = [];
  for (const condition of conditions) {
    const judgement = judge(condition, record);
    if (judgement.holds === decider) return judgement;
    judgements.push(judgement);
  }
  return { holds: !decider, decisive: judgements.flatMap(({ decisive }) => decisive) };
}

type Leaf = Exclude<Condition, { readonly all: unknown } | { readonly any: unknown } | { readonly not: unknown }>;

function checkOf(condition: Leaf, record: SourceRecord): Check {
  if ('equals' in condition) return compare('equals', condition.equals, record, isEqual);
  if ('notEquals' in condition) {
    const { holds, ...check } = compare('notEquals', condition.notEquals, record, isEqual);
    return { ...check, holds: !holds };
  }
  if ('contains' in condition)
    return compare('contains', condition.contains, record, (text, part) => text.includes(part));
  if ('startsWith' in condition) {
    return compare('startsWith', condition.startsWith, record, (text, part) => text.startsWith(part));
  }
  if ('endsWith' in condition) {
    return compare('endsWith', condition.endsWith, record, (text, part) => text.endsWith(part));
  }
  if ('before' in condition) return compareDates('before', condition.before, record, (left, right) => left < right);
  if ('after' in condition) return compareDates('after', condition.after, record, (left, right) => left > right);
  if ('exists' in condition) {
    const value = valueAt(record, condition.exists.field);
    const holds = typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : !isBlank(value);
    return {
      field: condition.exists.field,
      test: 'exists',
      expected: [],
      actual: textsAt(record, condition.exists.field).actual,
      holds,
    };
  }
  const { field, values } = condition.in;
  const { actual, plain: texts } = textsAt(record, field);
  const wanted = new Set(values.map(plain));
  return { field, test: 'in', expected: values, actual, holds: texts.some((text) => wanted.has(text)) };
}

function compare(
  test: ConditionTest,
  { field, value }: Comparison,
  record: SourceRecord,
  holdsFor: (text: string, value: string) => boolean,
): Check {
  const { actual, plain: texts } = textsAt(record, field);
  const wanted = plain(value);
  return { field, test, expected: [value], actual, holds: texts.some((text) => holdsFor(text, wanted)) };
}

function compareDates(
  test: ConditionTest,
  { field, date, format }: DateComparison,
  record: SourceRecord,
  holdsFor: (left: number, right: number) => boolean,
): Check {
  const { actual } = textsAt(record, field);
  const limit = readDate(date);
  const holds = (actual ?? []).some((text) => {
    const given = readDate(text, format);
    return (
      given !== undefined && limit !== undefined && holdsFor(instantOf(given).getTime(), instantOf(limit).getTime())
    );
  });
  return { field, test, expected: [date], actual, holds };
}

/** Of a list so many entries count, so that many comparisons with long lists take no time. */
const MOST_ENTRIES = 100;

interface Texts {
  /** A list as its entries; undefined when there is no text at all. */
  readonly actual: readonly string[] | undefined;
  /** The same in the form in which they are compared. */
  readonly plain: readonly string[];
}

/** What was read of a record, since hundreds of rules may look at the same attribute. */
const read = new WeakMap<SourceRecord, Map<string, Texts>>();

function textsAt(record: SourceRecord, field: string): Texts {
  const known = read.get(record) ?? new Map<string, Texts>();
  read.set(record, known);
  const texts = known.get(field) ?? textsOf(valueAt(record, field));
  known.set(field, texts);
  return texts;
}

function textsOf(value: JsonValue | undefined): Texts {
  const entries = Array.isArray(value) ? (value as readonly JsonValue[]).slice(0, MOST_ENTRIES) : [value];
  const texts = entries.flatMap((entry) => textOf(entry) ?? []);
  return { actual: texts.length > 0 ? texts : undefined, plain: texts.map(plain) };
}

function isBlank(value: JsonValue | undefined): boolean {
  return (textOf(value) ?? '').trim() === '';
}

function isEqual(left: string, right: string): boolean {
  return left === right;
}

/** The form in which texts are compared. */
export function plain(text: string): string {
  return text.trim().toLowerCase();
}
