import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { type MemberRefusal, memberRefusals } from '../../domain/directory/group-problem';
import { enumOf } from '../enums';
import { ProblemType } from '../problems/problem.type';
import { EmailAddressScalar } from '../scalars';
import { GroupReferenceType } from './user.type';

export const MemberRefusalEnum = enumOf(memberRefusals);

registerEnumType(MemberRefusalEnum, {
  name: 'MemberRefusal',
  description: 'Why somebody cannot be a member of a group.',
  valuesConfig: {
    UNKNOWN: { description: 'Slack knows nobody of this name.' },
    DEACTIVATED: { description: 'The account is deactivated.' },
    SINGLE_CHANNEL_GUEST: { description: 'The account is a single-channel guest.' },
    DEACTIVATED_OR_GUEST: { description: 'Slack says only that it is one of the two.' },
    BOT: { description: 'The account is a bot.' },
  },
});

@ObjectType('MemberName', { description: 'How a call named a person: one of the three is set.' })
export class MemberNameType {
  @Field(() => ID, { nullable: true, description: "Slack's id of the account." })
  readonly slackId?: string;

  @Field(() => EmailAddressScalar, { nullable: true, description: 'E-mail address.' })
  readonly email?: string;

  @Field(() => String, { nullable: true, description: 'The handle.' })
  readonly userName?: string;
}

@ObjectType('GroupMemberProblem', {
  implements: ProblemType,
  description: 'What kept one person from becoming, or ceasing to be, a member of a group.',
})
export class GroupMemberProblemType extends ProblemType {
  @Field(() => Int, {
    nullable: true,
    description: 'Place in `members` of the input, from 0; null for a person whom the input did not name there.',
  })
  readonly index?: number;

  @Field(() => MemberNameType, { nullable: true, description: 'The person, as the call named them.' })
  readonly member?: MemberNameType;

  @Field(() => MemberRefusalEnum, {
    nullable: true,
    description: 'Why the person cannot be a member; null when something else went wrong, see `code`.',
  })
  readonly refusal?: MemberRefusal;
}

@ObjectType('AmbiguousGroupProblem', { implements: ProblemType, description: 'Several groups have the name.' })
export class AmbiguousGroupProblemType extends ProblemType {
  @Field(() => [GroupReferenceType], { description: 'The groups; name one of them by its slackId.' })
  readonly candidates!: readonly GroupReferenceType[];
}

@ObjectType('GroupNameTakenProblem', {
  implements: ProblemType,
  description: 'A group with this name exists already.',
})
export class GroupNameTakenProblemType extends ProblemType {
  @Field(() => GroupReferenceType, { nullable: true, description: 'That group, as far as Slack shows it.' })
  readonly existingGroup?: GroupReferenceType;
}

export const groupProblemTypes = [
  GroupMemberProblemType,
  AmbiguousGroupProblemType,
  GroupNameTakenProblemType,
] as const;
