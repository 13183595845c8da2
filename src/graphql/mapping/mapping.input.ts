import { Field, ID, InputType, Int, registerEnumType } from 'type-graphql';
import type { GroupSelector } from '../../domain/directory/group';
import type { Condition, Expression } from '../../domain/mapping/expression';
import { type AccountKind, accountKinds } from '../../domain/mapping/mapping';
import { GroupSelectorInput } from '../directory/group-selector.input';
import { enumOf } from '../enums';
import { JsonObjectScalar } from '../json-scalar';
import { ConditionInput } from './condition.input';
import { ExpressionInput } from './expression.input';

export const AccountKindEnum = enumOf(accountKinds);

registerEnumType(AccountKindEnum, {
  name: 'AccountKind',
  description: 'What kind of account somebody has.',
  valuesConfig: {
    MEMBER: { description: 'A full member.' },
    GUEST: { description: 'A multi-channel guest. Enterprise organizations only.' },
  },
});

@InputType('ProfileFieldMappingInput', { description: "A further field of the person's Slack profile." })
export class ProfileFieldMappingInput {
  @Field(() => String, {
    description:
      'Name of the field: `honorificPrefix`, `role`, `mobilePhone`, `profileUrl`, `address.streetAddress`, `address.locality`, `address.region`, `address.postalCode`, `address.country`, or a field that your organization defined for provisioning. `role` is a text of the profile and gives no rights.',
  })
  readonly key!: string;

  @Field(() => ExpressionInput, { description: 'What it is filled with.' })
  readonly value!: Expression;
}

const text = (description: string) => ({ nullable: true, description });

@InputType('MappingFieldsInput', {
  description:
    'What fills each field of a Slack user. A field that is not mapped, or whose expression gives nothing for a record, is left to Slack for a new account, and as it is for an existing one.',
})
export class MappingFieldsInput {
  @Field(() => ExpressionInput, { description: 'The e-mail address, which finds the account.' })
  readonly email!: Expression;

  @Field(
    () => ExpressionInput,
    text(
      'What the user name of a new account is made of, such as given and family name. It is brought into the form that Slack takes: in Latin letters, blanks as dots, at most 21 characters; when it is not free, with a number behind it. Absent, or nothing left: made of the e-mail address. Whoever has an account keeps the name.',
    ),
  )
  readonly userName?: Expression;

  @Field(() => ExpressionInput, text('The name that others see; at most 80 characters, no `@`.'))
  readonly displayName?: Expression;

  @Field(() => ExpressionInput, text('Given (first) name.'))
  readonly givenName?: Expression;

  @Field(() => ExpressionInput, text('Family (last) name.'))
  readonly familyName?: Expression;

  @Field(() => ExpressionInput, text('Job title.'))
  readonly title?: Expression;

  @Field(() => ExpressionInput, text('IANA time zone, e.g. `Europe/Berlin`; a `lookup` makes one of an office.'))
  readonly timezone?: Expression;

  @Field(() => ExpressionInput, text('Locale, e.g. `en_US`.'))
  readonly locale?: Expression;

  @Field(() => ExpressionInput, text('Preferred language, e.g. `en_US`.'))
  readonly preferredLanguage?: Expression;

  @Field(() => ExpressionInput, text('Free text such as "Employee"; a rule that gives one goes before it.'))
  readonly userType?: Expression;

  @Field(() => ExpressionInput, text('Main phone number.'))
  readonly phoneNumber?: Expression;

  @Field(() => ExpressionInput, text('Public http(s) address of a photo.'))
  readonly photoUrl?: Expression;

  @Field(() => ExpressionInput, text('Number given by the employer.'))
  readonly employeeNumber?: Expression;

  @Field(() => ExpressionInput, text('Cost center.'))
  readonly costCenter?: Expression;

  @Field(() => ExpressionInput, text('Organization within the company.'))
  readonly organization?: Expression;

  @Field(() => ExpressionInput, text('Division.'))
  readonly division?: Expression;

  @Field(() => ExpressionInput, text('Department.'))
  readonly department?: Expression;

  @Field(() => ExpressionInput, text("Slack's id of the person's manager (U… or W…)."))
  readonly managerSlackId?: Expression;

  @Field(
    () => ExpressionInput,
    text(
      "The manager's e-mail address, by which Slack's id is found with one more call; `managerSlackId` goes before it. A manager who is not there yet is a problem beside the success.",
    ),
  )
  readonly managerEmail?: Expression;

  @Field(() => ExpressionInput, text('First day at work, as ISO 8601; `dateShift` reads other forms.'))
  readonly startDate?: Expression;

  @Field(
    () => ExpressionInput,
    text('When the account of a guest ends, as ISO 8601. Only for records that a rule makes guests.'),
  )
  readonly guestExpiresAt?: Expression;

  @Field(() => [ProfileFieldMappingInput], text('Further profile fields, at most 50.'))
  readonly profileFields?: readonly ProfileFieldMappingInput[];
}

@InputType('MappingRuleInput', {
  description:
    'What people who fulfil a condition get: at least one of groups, an account, a userType, profile fields.',
})
export class MappingRuleInput {
  @Field(() => String, {
    description: 'A name, at most 100 characters and unique within the mapping. Previews name it.',
  })
  readonly name!: string;

  @Field(() => ConditionInput, { nullable: true, description: 'Who; everybody when absent.' })
  readonly when?: Condition | null;

  @Field(() => [GroupSelectorInput], { nullable: true, description: 'Slack groups that they become members of.' })
  readonly groups?: readonly GroupSelector[] | null;

  @Field(() => AccountKindEnum, { nullable: true, description: 'Whether they are members or guests.' })
  readonly account?: AccountKind | null;

  @Field(() => ExpressionInput, {
    nullable: true,
    description: 'When the account ends, as ISO 8601; with `account: GUEST` only. Absent: what the fields say.',
  })
  readonly guestExpiresAt?: Expression | null;

  @Field(() => ExpressionInput, { nullable: true, description: 'Free text such as "Contractor".' })
  readonly userType?: Expression | null;

  @Field(() => [ProfileFieldMappingInput], { nullable: true, description: 'Further profile fields.' })
  readonly profileFields?: readonly ProfileFieldMappingInput[] | null;
}

@InputType('MappingInput', {
  description:
    'How records of your own system become Slack users. The rules are looked at in their order: the groups of all that match add up; of `account`, `userType` and each profile field the first rule that matches and gives one decides, and goes before the expression of the field.',
})
export class MappingInput {
  @Field(() => MappingFieldsInput, { description: 'What fills the fields of a Slack user.' })
  readonly fields!: MappingFieldsInput;

  @Field(() => [MappingRuleInput], { nullable: true, description: 'Who gets what, in order; at most 200 rules.' })
  readonly rules?: readonly MappingRuleInput[] | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether people who are provisioned leave the groups that rules name and that no matching rule gives them, as somebody who moves to another department should. Absent or false: nobody leaves a group. Groups that no rule names are never touched.',
  })
  readonly leaveUnmatchedGroups?: boolean | null;
}

@InputType('SetMappingInput', { description: 'Input of setMapping.' })
export class SetMappingInput {
  @Field(() => ID, { description: 'The connection.' })
  readonly connectionId!: string;

  @Field(() => MappingInput, {
    description: 'The whole mapping. To go back to an earlier version give its `definition`.',
  })
  readonly mapping!: MappingInput;

  @Field(() => Int, {
    nullable: true,
    description:
      'The version that you changed, 0 when there was none: if another one is in force by now, nothing is set and the problem is CONFLICT.',
  })
  readonly ifVersion?: number | null;
}

@InputType('PreviewMappingInput', { description: 'Input of previewMapping.' })
export class PreviewMappingInput {
  @Field(() => ID, { description: 'The connection.' })
  readonly connectionId!: string;

  @Field(() => [JsonObjectScalar], { description: 'Records of your own system, 1 to 100.' })
  readonly rows!: readonly object[];

  @Field(() => MappingInput, { nullable: true, description: 'The mapping to try; the one in force when absent.' })
  readonly mapping?: MappingInput | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description:
      'Also look up in Slack who exists and which user names are carried. Needs the permission USERS_READ, and costs a call or two for each row.',
  })
  readonly checkSlack?: boolean | null;
}
