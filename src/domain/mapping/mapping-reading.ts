import type { GroupSelector } from '../directory/group';
import type { InvalidInput } from '../errors';
import { compact, DefinitionReader, type Path } from './definition-reader';
import type { Expression } from './expression';
import { allOf, optional, readCondition, readExpression } from './expression-reading';
import {
  accountKinds,
  dateFields,
  type FieldExpressions,
  type MappingDefinition,
  type MappingRule,
  mappingLimits,
  type ProfileFieldExpression,
  textFields,
} from './mapping';
import { isProfileFieldKey } from './profile-field-key';

const mappedFields = [...textFields, ...dateFields] as const;
const ruleMembers = ['name', 'when', 'groups', 'account', 'guestExpiresAt', 'userType', 'profileFields'] as const;

export type MappingReading =
  | { readonly definition: MappingDefinition; readonly problems?: undefined }
  /** At least one; each with its path. */
  | { readonly definition?: undefined; readonly problems: readonly InvalidInput[] };

/**
 * Reads a mapping of unknown shape and checks all of it.
 * @param path where it stands in the input; the problems' paths begin with it.
 */
export function readMapping(value: unknown, path: Path): MappingReading {
  const reader = new DefinitionReader();
  const members = reader.object(value, path, ['fields', 'rules', 'leaveUnmatchedGroups']);
  const fields = members && readFields(reader, members.fields, [...path, 'fields']);
  const rules = optional(members?.rules, (list) => readRules(reader, list, [...path, 'rules']));
  const leaveUnmatchedGroups = optional(members?.leaveUnmatchedGroups, (flag) =>
    reader.flag(flag, [...path, 'leaveUnmatchedGroups']),
  );
  if (reader.problems.length > 0 || !fields) return { problems: reader.problems };
  return { definition: compact({ fields, rules, leaveUnmatchedGroups }) };
}

function readFields(reader: DefinitionReader, value: unknown, path: Path): FieldExpressions | undefined {
  const members = reader.object(value, path, [...mappedFields, 'profileFields']);
  if (!members) return undefined;
  const expressions: { [Field in (typeof mappedFields)[number]]?: Expression } = {};
  for (const field of mappedFields) {
    if (members[field] !== undefined) expressions[field] = readExpression(reader, members[field], [...path, field]);
  }
  const profileFields = optional(members.profileFields, (list) =>
    readProfileFields(reader, list, [...path, 'profileFields']),
  );
  if (members.email === undefined) {
    reader.report([...path, 'email'], 'Every person needs an e-mail address, which finds the account.');
  }
  for (const field of ['email', 'userName'] as const) {
    const expression = expressions[field];
    if (expression && !readsRecord(expression)) {
      reader.report([...path, field], 'This gives the same for every record, but nobody can share it.');
    }
  }
  const { email } = expressions;
  return email && compact({ ...expressions, email, profileFields });
}

function readProfileFields(
  reader: DefinitionReader,
  value: unknown,
  path: Path,
): readonly ProfileFieldExpression[] | undefined {
  const list = reader.list(value, path, { most: mappingLimits.profileFields });
  const seen = new Set<string>();
  return allOf(list, path, (entry, place): ProfileFieldExpression | undefined => {
    const members = reader.object(entry, place, ['key', 'value']);
    if (!members) return undefined;
    const key = reader.text(members.key, [...place, 'key']);
    const expression = readExpression(reader, members.value, [...place, 'value']);
    if (key === undefined) return undefined;
    if (seen.has(key)) return reader.report([...place, 'key'], 'This profile field is given twice.');
    seen.add(key);
    if (!isProfileFieldKey(key)) {
      return reader.report(
        [...place, 'key'],
        'Slack has no profile field with this key.',
        'Use honorificPrefix, role, mobilePhone, profileUrl, address.streetAddress, address.locality, address.region, address.postalCode, address.country, or a name of letters, digits, - and _ that begins with a letter. The start date has a field of its own.',
      );
    }
    return expression && { key, value: expression };
  });
}

function readRules(reader: DefinitionReader, value: unknown, path: Path): readonly MappingRule[] | undefined {
  const list = reader.list(value, path, { least: 0, most: mappingLimits.rules });
  const names = new Set<string>();
  return allOf(list, path, (entry, place) => readRule(reader, entry, place, names));
}

function readRule(reader: DefinitionReader, value: unknown, path: Path, names: Set<string>): MappingRule | undefined {
  const members = reader.object(value, path, ruleMembers);
  if (!members) return undefined;
  const name = reader.text(members.name, [...path, 'name'], { longest: mappingLimits.nameLength });
  if (name !== undefined && names.has(name)) reader.report([...path, 'name'], 'Another rule has this name.');
  if (name !== undefined) names.add(name);
  const when = optional(members.when, (condition) => readCondition(reader, condition, [...path, 'when']));
  const groups = optional(members.groups, (list) => readGroups(reader, list, [...path, 'groups']));
  const account = optional(members.account, (word) => reader.word(word, [...path, 'account'], accountKinds));
  const expression = (member: 'guestExpiresAt' | 'userType') =>
    optional(members[member], (of) => readExpression(reader, of, [...path, member]));
  const guestExpiresAt = expression('guestExpiresAt');
  const userType = expression('userType');
  const profileFields = optional(members.profileFields, (list) =>
    readProfileFields(reader, list, [...path, 'profileFields']),
  );
  if (members.guestExpiresAt !== undefined && members.account !== 'GUEST') {
    reader.report([...path, 'guestExpiresAt'], 'An end is only for a rule with `account: GUEST`.');
  }
  if ([members.groups, members.account, members.userType, members.profileFields].every((it) => it === undefined)) {
    reader.report(path, 'This rule gives nothing.', 'Give it groups, an account, a userType or profileFields.');
  }
  return name === undefined
    ? undefined
    : compact({ name, when, groups, account, guestExpiresAt, userType, profileFields });
}

function readGroups(reader: DefinitionReader, value: unknown, path: Path): readonly GroupSelector[] | undefined {
  const list = reader.list(value, path, { most: mappingLimits.groupsOfRule });
  return allOf(list, path, (entry, place): GroupSelector | undefined => {
    const [by, given] = reader.one(entry, place, ['slackId', 'name']) ?? [];
    const text = by && reader.text(given, [...place, by], { longest: 255 });
    if (text === undefined) return undefined;
    return by === 'slackId' ? { slackId: text } : { name: text };
  });
}

/** Whether it depends on the record at all. Nesting is bounded by what was read. */
function readsRecord(expression: Expression): boolean {
  return JSON.stringify(expression).includes('"field":');
}
