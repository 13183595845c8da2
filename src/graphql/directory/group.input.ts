import { Field, ID, InputType } from 'type-graphql';
import { GroupSelectorInput } from './group-selector.input';
import { idempotencyKeyField, UserSelectorInput } from './user.input';

const connectionField = { description: 'The connection to work through.' };

@InputType('GroupFilter', { description: 'Every given part must hold.' })
export class GroupFilterInput {
  @Field(() => String, { nullable: true, description: 'Groups of this name, whatever the case.' })
  readonly name?: string;

  @Field(() => String, {
    nullable: true,
    description: 'Groups whose name contains this text, whatever the case. The gateway filters while it reads.',
  })
  readonly nameContains?: string;
}

@InputType('CreateGroupInput', { description: 'Input of createGroup.' })
export class CreateGroupInput {
  @Field(() => ID, connectionField)
  readonly connectionId!: string;

  @Field(() => String, { description: 'Name of the new group; no other group may have it.' })
  readonly name!: string;

  @Field(() => [UserSelectorInput], {
    nullable: true,
    description: 'The first members, at most 15,000; more than 5,000 only in an Enterprise organization.',
  })
  readonly members?: readonly UserSelectorInput[] | null;

  @Field(() => String, idempotencyKeyField)
  readonly idempotencyKey?: string | null;
}

@InputType('RenameGroupInput', { description: 'Input of renameGroup.' })
export class RenameGroupInput {
  @Field(() => ID, connectionField)
  readonly connectionId!: string;

  @Field(() => GroupSelectorInput, { description: 'The group.' })
  readonly group!: GroupSelectorInput;

  @Field(() => String, { description: 'Its new name; no other group may have it.' })
  readonly name!: string;

  @Field(() => String, idempotencyKeyField)
  readonly idempotencyKey?: string | null;
}

@InputType('GroupMembersInput', {
  description: 'Input of addGroupMembers, removeGroupMembers and setGroupMembers.',
})
export class GroupMembersInput {
  @Field(() => ID, connectionField)
  readonly connectionId!: string;

  @Field(() => GroupSelectorInput, { description: 'The group.' })
  readonly group!: GroupSelectorInput;

  @Field(() => [UserSelectorInput], {
    description:
      'The people, at most 15,000, each named by slackId, e-mail address or userName. Naming them by slackId saves looking them up.',
  })
  readonly members!: readonly UserSelectorInput[];

  @Field(() => String, idempotencyKeyField)
  readonly idempotencyKey?: string | null;
}

@InputType('GroupActionInput', { description: 'Input of deleteGroup.' })
export class GroupActionInput {
  @Field(() => ID, connectionField)
  readonly connectionId!: string;

  @Field(() => GroupSelectorInput, { description: 'The group.' })
  readonly group!: GroupSelectorInput;

  @Field(() => String, idempotencyKeyField)
  readonly idempotencyKey?: string | null;
}
