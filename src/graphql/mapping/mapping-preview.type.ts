import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { ProvisionOutcome } from '../../domain/directory/user';
import { type Absence, absences } from '../../domain/mapping/evaluation';
import type { AccountKind } from '../../domain/mapping/mapping';
import { ProvisionOutcomeEnum, UserType } from '../directory/user.type';
import type { DirectoryUserNode } from '../directory/user-node';
import { enumOf } from '../enums';
import { type ProblemNode, ProblemType } from '../problems/problem.type';
import { MappedGroupType, MappedUserType } from './mapped-user.type';
import { AccountKindEnum } from './mapping.input';

export const AbsenceEnum = enumOf(absences);

registerEnumType(AbsenceEnum, {
  name: 'MappingAbsence',
  description: 'Why an expression gives nothing for a record.',
  valuesConfig: {
    MISSING: { description: 'The record has no such attribute, or it is null.' },
    BLANK: { description: 'There is only blank text.' },
    NO_MATCH: { description: 'No branch and no line of the table fits, and there is no `otherwise`.' },
    NO_LETTERS: { description: 'Nothing is left after transliteration: the text is in a script that is not known.' },
    NOT_TEXT: { description: 'The attribute is an object or a list. The record is refused.' },
    TOO_LONG: { description: 'The text is longer than anything Slack stores. The record is refused.' },
    NOT_A_DATE: { description: 'The text is no date in the expected form. The record is refused.' },
    NOT_AN_ADDRESS: { description: 'The text is no e-mail address. The record is refused.' },
  },
});

@ObjectType('MappingSource', { description: 'An attribute of the record that was read.' })
export class MappingSourceType {
  @Field(() => String, { description: 'Its path.' })
  readonly field!: string;

  @Field(() => String, { nullable: true, description: 'What it holds as text; null for nothing, objects and lists.' })
  readonly value?: string;
}

@ObjectType('MappedField', { description: 'How one field of the user came about.' })
export class MappedFieldType {
  @Field(() => String, {
    description: 'The field: one of those of `MappingFieldsInput`, or a profile field as `profileFields.role`.',
  })
  readonly field!: string;

  @Field(() => String, { nullable: true, description: 'What the expression gives; null when it gives nothing.' })
  readonly value?: string;

  @Field(() => AbsenceEnum, { nullable: true, description: 'Why it gives nothing.' })
  readonly absence?: Absence;

  @Field(() => String, {
    nullable: true,
    description: 'Name of the rule that gave the value; null when the expression of the field did.',
  })
  readonly rule?: string;

  @Field(() => [MappingSourceType], { description: 'The attributes that were read for it.' })
  readonly sources!: readonly MappingSourceType[];

  @Field(() => [String], {
    description:
      'Where the expression had a choice, what it took, as paths within it: `firstNonEmpty.1`, `case.branches.0`, `lookup.table.3`, `lookup.otherwise`.',
  })
  readonly choices!: readonly string[];
}

@ObjectType('MappingCheck', { description: 'One comparison of a rule as it came out.' })
export class MappingCheckType {
  @Field(() => String, { description: 'Path of the attribute.' })
  readonly field!: string;

  @Field(() => String, { description: 'The comparison: `equals`, `in`, `before` …' })
  readonly test!: string;

  @Field(() => [String], { description: 'What it was compared with; empty for `exists`.' })
  readonly expected!: readonly string[];

  @Field(() => [String], {
    nullable: true,
    description: 'What the record holds there, a list as its entries; null when there is no text.',
  })
  readonly actual?: readonly string[];

  @Field(() => Boolean, { description: 'Whether the comparison holds.' })
  readonly holds!: boolean;
}

@ObjectType('MappedRule', { description: 'What became of a rule for a record.' })
export class MappedRuleType {
  @Field(() => String, { description: 'Name of the rule.' })
  readonly name!: string;

  @Field(() => Boolean, { description: 'Whether it matched.' })
  readonly matched!: boolean;

  @Field(() => [MappingCheckType], {
    description:
      'The comparisons that decided: the one that failed of `all`, the one that held of `any`, otherwise all of them. Empty for a rule for everybody.',
  })
  readonly decisive!: readonly MappingCheckType[];

  @Field(() => [String], {
    description:
      'What it gave that took effect: `groups`, `account`, `guestExpiresAt`, `userType`, `profileFields.role` … An earlier rule may have gone before it.',
  })
  readonly gave!: readonly string[];
}

@ObjectType('MappingPreviewRow', { description: 'What the mapping makes of one record, and why.' })
export class MappingPreviewRowType {
  @Field(() => Int, { description: 'Place of the record in the input, from 0.' })
  readonly index!: number;

  @Field(() => MappedUserType, { description: 'The Slack user, as far as the mapping can make one.' })
  readonly user!: MappedUserType;

  @Field(() => [MappedGroupType], { description: 'The groups that the rules give, each once.' })
  readonly groups!: readonly MappedGroupType[];

  @Field(() => [MappedGroupType], {
    description: 'Groups that the person leaves if they are in them; empty unless the mapping says that they are left.',
  })
  readonly leaves!: readonly MappedGroupType[];

  @Field(() => AccountKindEnum, {
    nullable: true,
    description:
      'Member or guest, as a rule says. Null: no rule does; a new account is a member, an existing one stays.',
  })
  readonly account?: AccountKind;

  @Field(() => ProvisionOutcomeEnum, {
    nullable: true,
    description:
      'What provisionUser would do to the account. Null when it would refuse the record, or Slack was not asked.',
  })
  readonly outcome?: ProvisionOutcome;

  @Field(() => UserType, {
    nullable: true,
    description: 'The account that holds the e-mail address; null when there is none, or Slack was not asked.',
  })
  readonly existingUser?: DirectoryUserNode;

  @Field(() => [MappedFieldType], { description: 'How each mapped field came about.' })
  readonly fields!: readonly MappedFieldType[];

  @Field(() => [MappedRuleType], { description: 'What became of each rule, in their order.' })
  readonly rules!: readonly MappedRuleType[];

  @Field(() => [ProblemType], {
    description:
      'What provisionUser would say of the record: why it refuses it, or, when there is an `outcome`, what is amiss beside the success, such as a group that is not there. Groups and managers are looked at only with `checkSlack`.',
  })
  readonly problems!: readonly ProblemNode[];
}

@ObjectType('MappingPreview', { description: 'Answer of previewMapping.' })
export class MappingPreviewType {
  @Field(() => [MappingPreviewRowType], {
    description: 'One for each row of the input, in their order; empty when the mapping itself has problems.',
  })
  readonly rows!: readonly MappingPreviewRowType[];

  @Field(() => [ProblemType], { description: 'What is wrong with the mapping or the call, each with its path.' })
  readonly problems!: readonly ProblemNode[];

  @Field(() => String, { description: "Names this request in the gateway's log." })
  readonly requestId!: string;
}
