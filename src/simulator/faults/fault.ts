import type { ListLies } from '../call';

/** What goes wrong. `applied` says in each case whether Slack carried the call out before it went wrong. */
export type FaultKind =
  /** The answer comes late, by real time; the call is applied. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** A 4xx or 5xx of a proxy in front; not applied unless `applied` says so. */
  | { readonly kind: 'status'; readonly status: number; readonly body?: 'json' | 'empty'; readonly applied?: boolean }
  /** Slack's own refusal with this code, in the body of the surface that was called; not applied. */
  | { readonly kind: 'slackError'; readonly error: string }
  /** Connection reset; not applied. */
  | { readonly kind: 'resetBefore' }
  /** Applied, then the connection is reset before any byte of the answer. */
  | { readonly kind: 'resetAfter' }
  /** A page of HTML with 200 or 502; not applied unless `applied` says so. */
  | { readonly kind: 'html200' | 'html502'; readonly applied?: boolean }
  /** Applied; half of the body, under the right content-length, then the connection closes. */
  | { readonly kind: 'truncated' }
  /** Applied; the right status with a body that is no JSON. */
  | { readonly kind: 'garbage' }
  /** Applied; the right status without a body. */
  | { readonly kind: 'emptyBody' }
  /** 429; not applied. */
  | { readonly kind: 'rateLimited'; readonly retryAfter: number | 'missing' | 'http-date' }
  /** No answer, ever; not applied. */
  | { readonly kind: 'hangBefore' }
  /** Applied; no answer, ever. */
  | { readonly kind: 'hangAfter' }
  /** Lists lie: a page past the end repeats page one, totals change, one person is on two pages. All three unless chosen. */
  | { readonly kind: 'lyingList'; readonly lies?: readonly Lie[] };

export type Lie = 'repeatsFirstPage' | 'changesTotals' | 'showsPersonTwice';

export interface FaultMatch {
  /** HTTP verb, any letter case. */
  readonly method?: string;
  /** Tested against the path without the query, e.g. `/scim/v2/Users`. A string is a regular expression too. */
  readonly path?: RegExp | string;
  /** Begin at this matching call, counted from 1 since the rule was added. */
  readonly nth?: number;
  /** Organization id or key. */
  readonly organization?: string;
}

export type FaultRule = FaultKind & {
  readonly match?: FaultMatch;
  /** How many calls it spoils; 1 unless stated. */
  readonly times?: number | 'always';
};

export interface CallFacts {
  readonly method: string;
  readonly path: string;
  /** Id and key of the organization that the access or refresh token belongs to. */
  readonly organization: readonly string[];
}

interface Entry {
  readonly id: string;
  readonly rule: FaultRule;
  readonly path: RegExp | null;
  seen: number;
  used: number;
}

/** The faults that are in force. The first rule that matches a call spoils it; later ones wait for their turn. */
export class FaultList {
  readonly #entries: Entry[] = [];
  #added = 0;

  /**
   * @returns the rule's id.
   * @throws RangeError or SyntaxError when the rule makes no sense.
   */
  add(rule: FaultRule): string {
    assertRule(rule);
    this.#added += 1;
    const id = `fault-${this.#added}`;
    const path = rule.match?.path;
    // A `g` or `y` flag would make the expression remember where it stopped.
    const source = path instanceof RegExp ? new RegExp(path.source, path.flags.replace(/[gy]/g, '')) : null;
    this.#entries.push({ id, rule, path: path === undefined ? null : (source ?? new RegExp(path)), seen: 0, used: 0 });
    return id;
  }

  remove(id: string): boolean {
    const index = this.#entries.findIndex((entry) => entry.id === id);
    if (index !== -1) this.#entries.splice(index, 1);
    return index !== -1;
  }

  clear(): void {
    this.#entries.length = 0;
  }

  /** Rules in force with how often each was used; expressions as their source. */
  list(): object[] {
    return this.#entries.map(({ id, rule, path, used }) => ({
      id,
      ...rule,
      match: { ...rule.match, ...(path ? { path: path.source } : {}) },
      used,
    }));
  }

  /** The fault of this call, which counts as used. */
  take(facts: CallFacts): FaultKind | undefined {
    for (const entry of this.#entries) {
      if (!matches(entry, facts)) continue;
      entry.seen += 1;
      if (entry.seen < (entry.rule.match?.nth ?? 1)) continue;
      entry.used += 1;
      const times = entry.rule.times ?? 1;
      if (times !== 'always' && entry.used >= times) this.remove(entry.id);
      return entry.rule;
    }
    return undefined;
  }

  /** How the next lying answer lies, for a fault taken from this list. */
  liesOf(fault: FaultKind | undefined): ListLies | null {
    if (fault?.kind !== 'lyingList') return null;
    this.#lyingTurn += 1;
    const lies = (lie: Lie) => fault.lies === undefined || fault.lies.includes(lie);
    return {
      repeatsFirstPage: lies('repeatsFirstPage'),
      changesTotals: lies('changesTotals'),
      showsPersonTwice: lies('showsPersonTwice'),
      turn: this.#lyingTurn,
    };
  }

  #lyingTurn = 0;
}

function matches({ rule, path }: Entry, facts: CallFacts): boolean {
  const { match } = rule;
  if (!match) return true;
  if (match.method !== undefined && match.method.toUpperCase() !== facts.method) return false;
  if (match.organization !== undefined && !facts.organization.includes(match.organization)) return false;
  return path === null || path.test(facts.path);
}

const kinds: readonly FaultKind['kind'][] = [
  'latency',
  'status',
  'slackError',
  'resetBefore',
  'resetAfter',
  'html200',
  'html502',
  'truncated',
  'garbage',
  'emptyBody',
  'rateLimited',
  'hangBefore',
  'hangAfter',
  'lyingList',
];

// Rules also come as JSON over the control route, so the types prove nothing.
function assertRule(rule: FaultRule): void {
  if (!kinds.includes(rule.kind)) throw new RangeError('There is no such kind of fault');
  const { times = 1 } = rule;
  if (times !== 'always' && !(times >= 1)) throw new RangeError('A fault happens once or more, or "always"');
  if (rule.kind === 'latency' && !(rule.ms >= 0)) throw new RangeError('A latency has a number of milliseconds: ms');
  if (rule.kind === 'status' && !(rule.status >= 400 && rule.status <= 599)) {
    throw new RangeError('A status fault has a status from 400 to 599');
  }
  if (rule.kind === 'slackError' && !/^[a-z_]+$/.test(rule.error)) {
    throw new RangeError('A slackError has an error: a code of lower case letters');
  }
  if (
    rule.kind === 'rateLimited' &&
    !(['missing', 'http-date'] as unknown[]).includes(rule.retryAfter) &&
    !(Number(rule.retryAfter) >= 0)
  ) {
    throw new RangeError('A rateLimited fault has retryAfter: seconds, "missing" or "http-date"');
  }
}
