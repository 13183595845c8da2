import type { Switches } from '../switches';
import { type Group, shownDisplayName } from '../world/group';
import { emailsOf, type Person } from '../world/person';
import { ScimError } from './scim-error';

const operators = ['eq', 'co', 'sw', 'pr', 'gt', 'ge', 'lt', 'le'] as const;
type Operator = (typeof operators)[number];

export interface Comparison {
  readonly kind: 'comparison';
  /** Lower case. */
  readonly attribute: string;
  readonly operator: Operator;
  /** Lower case; empty for `pr`. */
  readonly literal: string;
}

export type Filter = Comparison | { readonly kind: 'and' | 'or'; readonly left: Filter; readonly right: Filter };

const userAttributes: Readonly<Record<string, (person: Person) => string[]>> = {
  username: (person) => [person.userName],
  email: emailsOf,
  emails: emailsOf,
  'emails.value': emailsOf,
  restricted: ({ guest }) => [guest?.type === 'multi' ? '1' : '0'],
  ultra_restricted: ({ guest }) => [guest?.type === 'single' ? '1' : '0'],
};

const groupAttributes: Readonly<Record<string, (group: Group) => string[]>> = {
  displayname: (group) => [shownDisplayName(group)],
};

const attributesOf = { users: Object.keys(userAttributes), groups: Object.keys(groupAttributes) };

/**
 * Reads a filter (SCIM §7): attributes and operators in any letter case, literals as JSON strings, in single quotes or bare,
 * parts separated by exactly one blank.
 * @throws ScimError `no_filters`, `incomplete_filter`, `invalid_filter_group` or `invalid_query`.
 */
export function parseFilter(text: string, resource: 'users' | 'groups', switches: Readonly<Switches>): Filter {
  const attributes = attributesOf[resource].filter((name) => switches.filterAttributes.includes(name));
  return new FilterParser(tokenize(text), attributes).parse();
}

/** Several values of one attribute match when any of them does, as addresses do. */
export function matchesUser(filter: Filter, person: Person): boolean {
  return matches(filter, (attribute) => userAttributes[attribute]?.(person) ?? []);
}

export function matchesGroup(filter: Filter, group: Group): boolean {
  return matches(filter, (attribute) => groupAttributes[attribute]?.(group) ?? []);
}

function matches(filter: Filter, valuesOf: (attribute: string) => string[]): boolean {
  if (filter.kind !== 'comparison') {
    const { kind, left, right } = filter;
    if (kind === 'and') return matches(left, valuesOf) && matches(right, valuesOf);
    return matches(left, valuesOf) || matches(right, valuesOf);
  }
  return valuesOf(filter.attribute).some((value) => compare(value.toLowerCase(), filter));
}

function compare(value: string, { operator, literal }: Comparison): boolean {
  switch (operator) {
    case 'eq':
      return value === literal;
    case 'co':
      return value.includes(literal);
    case 'sw':
      return value.startsWith(literal);
    case 'pr':
      return value !== '';
    case 'gt':
      return value > literal;
    case 'ge':
      return value >= literal;
    case 'lt':
      return value < literal;
    case 'le':
      return value <= literal;
  }
}

interface Token {
  readonly kind: 'word' | 'literal' | '(' | ')';
  readonly text: string;
}

const tokenForm = /"(?:[^"\\]|\\.)*"|'[^']*'|[()]|[^\s()"']+/y;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  while (position < text.length) {
    // Exactly one blank between two parts (SCIM §7, documented); none is needed beside a parenthesis (assumed).
    if (text[position] === ' ' && tokens.length > 0) position += 1;
    tokenForm.lastIndex = position;
    const [part] = tokenForm.exec(text) ?? [];
    if (part === undefined) throw new ScimError('incomplete_filter');
    tokens.push(toToken(part));
    position += part.length;
  }
  return tokens;
}

function toToken(part: string): Token {
  if (part === '(' || part === ')') return { kind: part, text: part };
  if (part.startsWith("'")) return { kind: 'literal', text: part.slice(1, -1) };
  if (!part.startsWith('"')) return { kind: 'word', text: part };
  try {
    return { kind: 'literal', text: String(JSON.parse(part)) };
  } catch {
    throw new ScimError('incomplete_filter');
  }
}

class FilterParser {
  readonly #tokens: readonly Token[];
  readonly #attributes: readonly string[];
  #position = 0;

  constructor(tokens: readonly Token[], attributes: readonly string[]) {
    this.#tokens = tokens;
    this.#attributes = attributes;
  }

  parse(): Filter {
    const filter = this.#alternatives();
    if (this.#position < this.#tokens.length) {
      throw new ScimError(this.#peek()?.kind === ')' ? 'invalid_filter_group' : 'incomplete_filter');
    }
    return filter;
  }

  #alternatives(): Filter {
    let left = this.#conjunction();
    while (this.#takeWord('or')) left = { kind: 'or', left, right: this.#conjunction() };
    return left;
  }

  #conjunction(): Filter {
    let left = this.#term();
    while (this.#takeWord('and')) left = { kind: 'and', left, right: this.#term() };
    return left;
  }

  #term(): Filter {
    if (this.#peek()?.kind !== '(') return this.#comparison();
    this.#position += 1;
    const filter = this.#alternatives();
    if (this.#peek()?.kind !== ')') throw new ScimError('invalid_filter_group');
    this.#position += 1;
    return filter;
  }

  #comparison(): Comparison {
    const attribute = this.#next()?.text.toLowerCase();
    if (attribute === undefined) throw new ScimError('incomplete_filter');
    // A text without a known attribute counts as no filter at all (SCIM §7, observed for `foo`).
    if (!this.#attributes.includes(attribute)) throw new ScimError('no_filters', 'is_aggregate_call=1');
    const operator = this.#next()?.text.toLowerCase();
    if (operator === undefined) throw new ScimError('incomplete_filter');
    if (!isOperator(operator)) throw new ScimError('invalid_query');
    if (operator === 'pr') return { kind: 'comparison', attribute, operator, literal: '' };
    const literal = this.#next();
    if (!literal || literal.kind === '(' || literal.kind === ')') throw new ScimError('incomplete_filter');
    return { kind: 'comparison', attribute, operator, literal: literal.text.toLowerCase() };
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#position];
  }

  #next(): Token | undefined {
    const token = this.#peek();
    this.#position += 1;
    return token;
  }

  #takeWord(word: string): boolean {
    const token = this.#peek();
    if (token?.kind !== 'word' || token.text.toLowerCase() !== word) return false;
    this.#position += 1;
    return true;
  }
}

function isOperator(text: string): text is Operator {
  return operators.some((operator) => operator === text);
}
