/**
 * What fills a field, as data: a closed set of operations, each an object with exactly one member. An expression gives a
 * text or nothing; it never fails.
 */
export type Expression =
  /** An attribute of the source record, by its path. */
  | { readonly field: string }
  | { readonly literal: string }
  /** The parts that give something, with the separator between them. */
  | { readonly join: { readonly parts: readonly Expression[]; readonly separator?: string } }
  | { readonly firstNonEmpty: readonly Expression[] }
  | { readonly case: { readonly branches: readonly CaseBranch[]; readonly otherwise?: Expression } }
  /** Compares without regard to case and surrounding blanks. */
  | {
      readonly lookup: {
        readonly of: Expression;
        readonly table: readonly LookupEntry[];
        readonly otherwise?: Expression;
      };
    }
  | { readonly emailLocalPart: Expression }
  /** Reads a date, moves it and writes it as ISO 8601. */
  | {
      readonly dateShift: {
        readonly of: Expression;
        readonly format?: DateFormat;
        readonly days?: number;
        readonly months?: number;
      };
    }
  | { readonly transliterate: Expression }
  | { readonly trim: Expression }
  | { readonly lower: Expression }
  | { readonly upper: Expression }
  | { readonly cut: { readonly of: Expression; readonly length: number } }
  /** One part of a text, counted from 0, or from the end with -1, -2 … */
  | { readonly split: { readonly of: Expression; readonly separator: string; readonly index: number } };

export interface CaseBranch {
  readonly when: Condition;
  readonly value: Expression;
}

export interface LookupEntry {
  readonly key: string;
  readonly value: string;
}

/** How a date is written: 2027-01-31 (also with time and zone), 31.01.2027 or 01/31/2027. */
export const dateFormats = ['ISO', 'DAY_MONTH_YEAR', 'MONTH_DAY_YEAR'] as const;
export type DateFormat = (typeof dateFormats)[number];

/**
 * Something that a record fulfils or not. Texts are compared without regard to case and surrounding blanks. A list
 * fulfils a comparison when one of its entries does; what is missing fulfils none but `notEquals`.
 */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly equals: Comparison }
  | { readonly notEquals: Comparison }
  | { readonly in: { readonly field: string; readonly values: readonly string[] } }
  | { readonly contains: Comparison }
  | { readonly startsWith: Comparison }
  | { readonly endsWith: Comparison }
  | { readonly exists: { readonly field: string } }
  | { readonly before: DateComparison }
  | { readonly after: DateComparison };

export interface Comparison {
  readonly field: string;
  readonly value: string;
}

export interface DateComparison {
  readonly field: string;
  /** ISO 8601: a day, or an instant with a time zone. */
  readonly date: string;
  /** How the record writes its date. */
  readonly format?: DateFormat;
}

/** What a record's date or a mapping's own can be compared with: texts that an attribute must equal, contain, … */
export const textTests = ['equals', 'notEquals', 'contains', 'startsWith', 'endsWith'] as const;
export const dateTests = ['before', 'after'] as const;
export type ConditionTest = (typeof textTests)[number] | (typeof dateTests)[number] | 'in' | 'exists';

/** Text that was read or made, longer than anything Slack stores; beyond it a value counts as unusable. */
export const LONGEST_VALUE = 2_000;
