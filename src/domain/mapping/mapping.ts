import type { ApiKeyId } from '../access/access';
import type { ConnectionId } from '../connections/connection';
import type { GroupSelector } from '../directory/group';
import { textFields as draftTextFields } from '../directory/user-draft';
import type { Condition, Expression } from './expression';

export type MappingId = string & { readonly __brand: 'MappingId' };

/** Fields of a Slack user that one expression fills with a text. */
export const textFields = ['email', 'userName', ...draftTextFields, 'managerEmail'] as const;
export type TextField = (typeof textFields)[number];

/** Fields that one expression fills with a date. */
export const dateFields = ['startDate', 'guestExpiresAt'] as const;
export type DateField = (typeof dateFields)[number];

export type MappedField = TextField | DateField;

export interface ProfileFieldExpression {
  readonly key: string;
  readonly value: Expression;
}

export type FieldExpressions = { readonly [Field in MappedField]?: Expression } & {
  readonly email: Expression;
  readonly profileFields?: readonly ProfileFieldExpression[];
};

export const accountKinds = ['MEMBER', 'GUEST'] as const;
export type AccountKind = (typeof accountKinds)[number];

/**
 * Who gets what. The rules are looked at in their order: the groups of all that match add up; of `account`, `userType` and
 * each profile field the first rule that matches and gives one decides, and a rule goes before the field's own expression.
 */
export interface MappingRule {
  /** Unique within the mapping; explanations name the rule by it. */
  readonly name: string;
  /** Absent: the rule matches everybody. */
  readonly when?: Condition;
  readonly groups?: readonly GroupSelector[];
  readonly account?: AccountKind;
  /** Goes with `account: GUEST`; without it the field `guestExpiresAt` gives the end. */
  readonly guestExpiresAt?: Expression;
  readonly userType?: Expression;
  readonly profileFields?: readonly ProfileFieldExpression[];
}

/** How records of the partner's system become Slack users: plain JSON, stored and shown as it was given. */
export interface MappingDefinition {
  readonly fields: FieldExpressions;
  readonly rules?: readonly MappingRule[];
  /**
   * Whether people who are provisioned leave the groups that rules name and that no matching rule gives them. Absent:
   * nobody leaves a group.
   */
  readonly leaveUnmatchedGroups?: boolean;
}

/** One version of a connection's mapping. The newest is in force; older ones are kept as they were. */
export interface Mapping {
  readonly id: MappingId;
  readonly connectionId: ConnectionId;
  /** 1, 2, 3 … within the connection. */
  readonly version: number;
  readonly definition: MappingDefinition;
  readonly createdAt: Date;
  /** The key that set it. */
  readonly apiKeyId: ApiKeyId;
}

/** What keeps evaluation and explanations small, whatever is sent. */
export const mappingLimits = {
  rules: 200,
  /** Expressions and conditions of the whole mapping. */
  nodes: 2_000,
  /** How deep expressions and conditions nest. */
  depth: 12,
  branches: 100,
  parts: 50,
  tableEntries: 1_000,
  values: 500,
  profileFields: 50,
  groupsOfRule: 50,
  textLength: 1_000,
  fieldPathLength: 200,
  nameLength: 100,
  problems: 100,
} as const;
