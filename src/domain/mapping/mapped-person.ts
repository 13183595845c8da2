import type { GroupSelector } from '../directory/group';
import type { ProfileField, UserDraft } from '../directory/user';
import { parseChanges } from '../directory/user-draft';
import { userNameFromText } from '../directory/user-name';
import { InvalidInput, UserNameInvalid } from '../errors';
import { type Check, judge } from './condition';
import { instantOf, readDate } from './day';
import { type Absence, evaluate, isUnusable, type Outcome, type Trace } from './evaluation';
import type { Expression } from './expression';
import { type AccountKind, type MappingDefinition, type MappingRule, textFields } from './mapping';
import type { SourceRecord } from './source-record';

/** How one field of the person came about. A profile field is named with its key, as in `profileFields.role`. */
export interface FieldExplanation {
  readonly field: string;
  readonly value?: string;
  /** Why there is no value. The field is then left to Slack, or as it is. */
  readonly absence?: Absence;
  /** Name of the rule that gave the value; undefined when the field's own expression did. */
  readonly rule?: string;
  readonly trace: Trace;
}

export interface RuleExplanation {
  readonly name: string;
  readonly matched: boolean;
  /** The comparisons that decided; none for a rule that matches everybody. */
  readonly decisive: readonly Check[];
  /** What it gave that took effect: `groups`, `account`, `guestExpiresAt`, `userType`, `profileFields.role` … */
  readonly gave: readonly string[];
}

/** Of a person everything but the user name, which depends on who is in Slack already. */
export type MappedUser = Omit<UserDraft, 'userName' | 'email' | 'guest'> & {
  readonly email?: string;
  /** What the user name is to be made of; '' or undefined: of the e-mail address. */
  readonly userNameWish?: string;
  /** null: a full member; undefined: as it is. */
  readonly guest?: { readonly expiresAt?: Date } | null;
  /** Finds the manager when there is no `managerSlackId`. */
  readonly managerEmail?: string;
};

export interface MappedPerson {
  readonly user: MappedUser;
  readonly groups: readonly GroupSelector[];
  /** Groups that rules name and that no matching rule gives; empty unless the mapping says that they are left. */
  readonly leaves: readonly GroupSelector[];
  readonly account: AccountKind | undefined;
  readonly fields: readonly FieldExplanation[];
  readonly rules: readonly RuleExplanation[];
  /** Why the record cannot be provisioned; empty when it can. */
  readonly problems: readonly InvalidInput[];
}

/**
 * The Slack user that a mapping makes of a record, with the reasons. Total, and the same for the same input.
 * @param path where the record stands in the input; the problems' paths begin with it.
 */
export function mapPerson(definition: MappingDefinition, record: SourceRecord, path: readonly string[]): MappedPerson {
  return new PersonMapping(definition, record, path).result();
}

interface JudgedRule {
  readonly rule: MappingRule;
  readonly matched: boolean;
  readonly decisive: readonly Check[];
  readonly gave: string[];
}

class PersonMapping {
  readonly #fields: FieldExplanation[] = [];
  readonly #problems: InvalidInput[] = [];
  readonly #refused = new Set<string>();
  readonly #rules: readonly JudgedRule[];

  constructor(
    private readonly definition: MappingDefinition,
    private readonly record: SourceRecord,
    private readonly path: readonly string[],
  ) {
    this.#rules = (definition.rules ?? []).map((rule) => {
      const { holds, decisive } = rule.when ? judge(rule.when, record) : { holds: true, decisive: [] };
      return { rule, matched: holds, decisive, gave: [] };
    });
  }

  result(): MappedPerson {
    const groups = this.groups();
    const { account, guest } = this.account();
    const texts = this.texts();
    const profileFields = this.profileFields();
    const startDate = this.date('startDate', this.definition.fields.startDate);
    const user: MappedUser = {
      ...texts,
      ...(startDate && { startDate }),
      ...(profileFields.length > 0 && { profileFields }),
      ...(guest !== undefined && { guest }),
    };
    const rules = this.#rules.map(({ rule, ...judged }) => ({ name: rule.name, ...judged }));
    const leaves = this.definition.leaveUnmatchedGroups ? this.unmatchedGroups(groups) : [];
    return { user, groups, leaves, account, fields: this.#fields, rules, problems: this.#problems };
  }

  private get matching(): readonly JudgedRule[] {
    return this.#rules.filter(({ matched }) => matched);
  }

  /** Those of all matching rules, each once, in the order of the rules. */
  private groups(): readonly GroupSelector[] {
    const givers = this.matching.filter(({ rule }) => rule.groups);
    for (const { gave } of givers) gave.push('groups');
    return distinct(givers.flatMap(({ rule }) => rule.groups ?? []));
  }

  private unmatchedGroups(given: readonly GroupSelector[]): readonly GroupSelector[] {
    const keys = new Set(given.map(groupKey));
    const named = distinct(this.#rules.flatMap(({ rule }) => rule.groups ?? []));
    return named.filter((group) => !keys.has(groupKey(group)));
  }

  private account(): { account: AccountKind | undefined; guest: MappedUser['guest'] } {
    const decider = this.matching.find(({ rule }) => rule.account !== undefined);
    const account = decider?.rule.account;
    decider?.gave.push('account');
    if (!decider || account !== 'GUEST') return { account, guest: account && null };
    const own = decider.rule.guestExpiresAt;
    if (own) decider.gave.push('guestExpiresAt');
    const expression = own ?? this.definition.fields.guestExpiresAt;
    const expiresAt = this.date('guestExpiresAt', expression, own && decider.rule.name);
    return { account, guest: expiresAt ? { expiresAt } : {} };
  }

  private texts(): Partial<MappedUser> {
    const texts: Record<string, string> = {};
    for (const field of textFields) {
      const outcome = this.outcomeOf(
        field,
        field === 'userType' ? ({ userType }) => userType : undefined,
        this.definition.fields[field],
      );
      if (field === 'userName') {
        if (outcome && 'value' in outcome) texts.userNameWish = userNameFromText(outcome.value);
      } else {
        const text = outcome && 'value' in outcome ? this.parsed(field, outcome.value) : undefined;
        if (text !== undefined) texts[field] = text;
      }
    }
    if (texts.email === undefined && !this.#refused.has('email')) {
      this.refuse('email', 'there is no e-mail address, which finds the account');
    }
    return texts;
  }

  private profileFields(): readonly ProfileField[] {
    const { profileFields = [] } = this.definition.fields;
    const ofRules = this.matching.flatMap(({ rule }) => rule.profileFields ?? []);
    const keys = new Set([...profileFields, ...ofRules].map(({ key }) => key));
    return [...keys].flatMap((key): ProfileField[] => {
      const valueIn = (fields: MappingRule['profileFields']) => fields?.find((field) => field.key === key)?.value;
      const name = `profileFields.${key}`;
      const outcome = this.outcomeOf(name, (rule) => valueIn(rule.profileFields), valueIn(profileFields));
      if (!outcome || !('value' in outcome)) return [];
      const value = this.guarded(name, () => {
        const [parsed] = parseChanges({ profileFields: [{ key, value: outcome.value }] }, []).profileFields ?? [];
        return parsed?.value;
      });
      return value === undefined ? [] : [{ key, value }];
    });
  }

  /** What the first matching rule that gives something says, otherwise the field's own expression. */
  private outcomeOf(
    field: string,
    ofRule: ((rule: MappingRule) => Expression | undefined) | undefined,
    own: Expression | undefined,
  ): Outcome | undefined {
    for (const { rule, gave } of ofRule ? this.matching : []) {
      const expression = ofRule?.(rule);
      if (!expression) continue;
      const { outcome, trace } = evaluate(expression, this.record);
      if ('absence' in outcome && !isUnusable(outcome.absence)) continue;
      gave.push(field);
      return this.noted(field, outcome, trace, rule.name);
    }
    if (!own) return undefined;
    const { outcome, trace } = evaluate(own, this.record);
    return this.noted(field, outcome, trace);
  }

  private noted(field: string, outcome: Outcome, trace: Trace, rule?: string): Outcome {
    this.#fields.push({ field, ...outcome, rule, trace });
    if ('absence' in outcome && isUnusable(outcome.absence)) this.refuse(field, unusableTexts[outcome.absence] ?? '');
    return outcome;
  }

  private date(
    field: 'startDate' | 'guestExpiresAt',
    expression: Expression | undefined,
    rule?: string,
  ): Date | undefined {
    if (!expression) return undefined;
    const { outcome, trace } = evaluate(expression, this.record);
    this.noted(field, outcome, trace, rule);
    if (!('value' in outcome)) return undefined;
    const date = readDate(outcome.value);
    // Of a first day at work Slack keeps the day, which is the one that was written, whatever the zone.
    if (date) return instantOf(field === 'startDate' ? { ...date, time: '' } : date);
    return this.refuse(field, 'the text is no date such as 2027-01-31; `dateShift` reads other forms');
  }

  private parsed(field: (typeof textFields)[number], text: string): string | undefined {
    if (field === 'managerSlackId' && !/^[UW][A-Z0-9]{2,}$/.test(text.trim())) {
      return this.refuse(field, "the text is no id of Slack's, such as U0123ABCD");
    }
    return this.guarded(field, () => {
      const asField = field === 'managerEmail' ? 'email' : field;
      const parsed = parseChanges({ [asField]: text }, [])[asField];
      return typeof parsed === 'string' ? parsed : undefined;
    });
  }

  private guarded(field: string, parse: () => string | undefined): string | undefined {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof InvalidInput || error instanceof UserNameInvalid)) throw error;
      const reason = error.message.replace(/\.$/, '').replace(/^(?!Slack)\w/, (letter) => letter.toLowerCase());
      return this.refuse(field, reason);
    }
  }

  /** Names the attribute when the field was read from a single one. */
  private refuse(field: string, why: string): undefined {
    const sources = this.#fields.find((explanation) => explanation.field === field)?.trace.sources ?? [];
    const [only] = sources;
    this.#refused.add(field);
    this.#problems.push(
      new InvalidInput(`The mapping cannot fill \`${field}\` from this record: ${why}.`, {
        path: only && sources.length === 1 ? [...this.path, only.field] : this.path,
        remedy: 'Correct the record, or the mapping with setMapping; previewMapping shows how the field comes about.',
      }),
    );
    return undefined;
  }
}

function groupKey(group: GroupSelector): string {
  return 'slackId' in group ? `id ${group.slackId}` : `name ${group.name.trim().toLowerCase()}`;
}

function distinct(groups: readonly GroupSelector[]): readonly GroupSelector[] {
  const seen = new Set<string>();
  return groups.filter((group) => !seen.has(groupKey(group)) && seen.add(groupKey(group)));
}

const unusableTexts: { readonly [Reason in Absence]?: string } = {
  NOT_TEXT: 'an attribute is an object or a list, not a text',
  TOO_LONG: 'a text is longer than anything Slack stores',
  NOT_A_DATE: 'a text is no date in the form that the mapping expects',
  NOT_AN_ADDRESS: 'a text is no e-mail address',
};
