import { transliterate } from '../../shared/transliteration';
import { judge, plain } from './condition';
import { readDate, shifted, writtenDate } from './day';
import { type CaseBranch, type Expression, LONGEST_VALUE, type LookupEntry } from './expression';
import { type JsonValue, type SourceRecord, textOf, valueAt } from './source-record';

/** Why an expression gives nothing. The first four are usual; the others speak of a record that does not fit the mapping. */
export const absences = [
  'MISSING',
  'BLANK',
  'NO_MATCH',
  'NO_LETTERS',
  'NOT_TEXT',
  'TOO_LONG',
  'NOT_A_DATE',
  'NOT_AN_ADDRESS',
] as const;
export type Absence = (typeof absences)[number];

const unusable: readonly Absence[] = ['NOT_TEXT', 'TOO_LONG', 'NOT_A_DATE', 'NOT_AN_ADDRESS'];

/** Whether something was there and could not be used, so that leaving the field out would hide a mistake. */
export function isUnusable(absence: Absence): boolean {
  return unusable.includes(absence);
}

export type Outcome = { readonly value: string } | { readonly absence: Absence };

/** How an outcome came about. */
export interface Trace {
  /** The attributes that were read, in order, with what they held. */
  readonly sources: readonly SourceValue[];
  /** Where the expression had a choice, what it took, as a path within it: `firstNonEmpty.1`, `case.branches.0`. */
  readonly choices: readonly string[];
}

export interface SourceValue {
  readonly field: string;
  /** Plain values as text; undefined when there is nothing, or an object or a list. */
  readonly value: string | undefined;
}

/**
 * Applies an expression to a record. Total: it ends for every expression that the validation lets through, gives the same
 * for the same input, and never throws.
 */
export function evaluate(expression: Expression, record: SourceRecord): { outcome: Outcome; trace: Trace } {
  const evaluation = new Evaluation(record);
  const outcome = evaluation.of(expression, []);
  return { outcome, trace: { sources: evaluation.sources, choices: evaluation.choices } };
}

class Evaluation {
  readonly sources: SourceValue[] = [];
  readonly choices: string[] = [];

  constructor(private readonly record: SourceRecord) {}

  of(expression: Expression, path: readonly string[]): Outcome {
    if ('field' in expression) return this.read(expression.field);
    if ('literal' in expression) return given(expression.literal);
    if ('firstNonEmpty' in expression) return this.first(expression.firstNonEmpty, [...path, 'firstNonEmpty']);
    if ('join' in expression) {
      const { parts, separator = '' } = expression.join;
      return this.joined(parts, separator, [...path, 'join', 'parts']);
    }
    if ('case' in expression) {
      const { branches, otherwise } = expression.case;
      return this.branch(branches, otherwise, [...path, 'case']);
    }
    if ('lookup' in expression) {
      const { of, table, otherwise } = expression.lookup;
      return this.lookUp(of, table, otherwise, [...path, 'lookup']);
    }
    return this.transformed(expression, path);
  }

  private transformed(
    expression: Exclude<
      Expression,
      | { field: string }
      | { literal: string }
      | { firstNonEmpty: unknown }
      | { join: unknown }
      | { case: unknown }
      | { lookup: unknown }
    >,
    path: readonly string[],
  ): Outcome {
    if ('trim' in expression) return this.changed(expression.trim, [...path, 'trim'], (text) => given(text.trim()));
    if ('lower' in expression) {
      return this.changed(expression.lower, [...path, 'lower'], (text) => given(text.toLowerCase()));
    }
    if ('upper' in expression) {
      return this.changed(expression.upper, [...path, 'upper'], (text) => given(text.toUpperCase()));
    }
    if ('transliterate' in expression) {
      return this.changed(expression.transliterate, [...path, 'transliterate'], latinOf);
    }
    if ('emailLocalPart' in expression) {
      return this.changed(expression.emailLocalPart, [...path, 'emailLocalPart'], localPartOf);
    }
    if ('cut' in expression) {
      const { of, length } = expression.cut;
      return this.changed(of, [...path, 'cut', 'of'], (text) => given([...text].slice(0, length).join('')));
    }
    if ('split' in expression) {
      const { of, separator, index } = expression.split;
      return this.changed(of, [...path, 'split', 'of'], (text) => given(text.split(separator).at(index)?.trim() ?? ''));
    }
    const { of, format, days, months } = expression.dateShift;
    return this.changed(of, [...path, 'dateShift', 'of'], (text) => {
      const date = readDate(text, format);
      const moved = date && shifted(date, { days, months });
      return moved ? given(writtenDate(moved)) : { absence: 'NOT_A_DATE' };
    });
  }

  private read(field: string): Outcome {
    const value = valueAt(this.record, field);
    const text = textOf(value);
    if (!this.sources.some((source) => source.field === field)) this.sources.push({ field, value: text });
    if (text === undefined) return { absence: isNothing(value) ? 'MISSING' : 'NOT_TEXT' };
    return given(text);
  }

  private changed(of: Expression, path: readonly string[], change: (text: string) => Outcome): Outcome {
    const outcome = this.of(of, path);
    return 'value' in outcome ? change(outcome.value) : outcome;
  }

  /** Nothing usable among them: the first reason that speaks of a mistake is told, otherwise the last. */
  private first(alternatives: readonly Expression[], path: readonly string[]): Outcome {
    let absence: Absence = 'MISSING';
    for (const [index, alternative] of alternatives.entries()) {
      const place = [...path, String(index)];
      const outcome = this.of(alternative, place);
      if ('value' in outcome) {
        this.choices.push(place.join('.'));
        return outcome;
      }
      if (!isUnusable(absence)) absence = outcome.absence;
    }
    return { absence };
  }

  private joined(parts: readonly Expression[], separator: string, path: readonly string[]): Outcome {
    const texts: string[] = [];
    for (const [index, part] of parts.entries()) {
      const outcome = this.of(part, [...path, String(index)]);
      if ('value' in outcome) texts.push(outcome.value);
      else if (isUnusable(outcome.absence)) return outcome;
    }
    return given(texts.join(separator));
  }

  private branch(branches: readonly CaseBranch[], otherwise: Expression | undefined, path: readonly string[]): Outcome {
    for (const [index, { when, value }] of branches.entries()) {
      if (!judge(when, this.record).holds) continue;
      this.choices.push([...path, 'branches', String(index)].join('.'));
      return this.of(value, [...path, 'branches', String(index), 'value']);
    }
    return this.otherwise(otherwise, path);
  }

  private lookUp(
    of: Expression,
    table: readonly LookupEntry[],
    otherwise: Expression | undefined,
    path: readonly string[],
  ): Outcome {
    const sought = this.of(of, [...path, 'of']);
    if ('absence' in sought && isUnusable(sought.absence)) return sought;
    const wanted = 'value' in sought ? plain(sought.value) : undefined;
    const index = wanted === undefined ? -1 : table.findIndex(({ key }) => plain(key) === wanted);
    const entry = table[index];
    if (!entry) return this.otherwise(otherwise, path);
    this.choices.push([...path, 'table', String(index)].join('.'));
    return given(entry.value);
  }

  private otherwise(expression: Expression | undefined, path: readonly string[]): Outcome {
    if (!expression) return { absence: 'NO_MATCH' };
    this.choices.push([...path, 'otherwise'].join('.'));
    return this.of(expression, [...path, 'otherwise']);
  }
}

/** A blank text counts as none, wherever it comes from. */
function given(text: string): Outcome {
  if (text.length > LONGEST_VALUE) return { absence: 'TOO_LONG' };
  return text.trim() === '' ? { absence: 'BLANK' } : { value: text };
}

function latinOf(text: string): Outcome {
  const latin = transliterate(text);
  return latin.trim() === '' ? { absence: 'NO_LETTERS' } : given(latin);
}

function localPartOf(text: string): Outcome {
  const at = text.lastIndexOf('@');
  return at > 0 ? given(text.slice(0, at).trim()) : { absence: 'NOT_AN_ADDRESS' };
}

/** An empty list or object says no more than a missing attribute. */
function isNothing(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}
