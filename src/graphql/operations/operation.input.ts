import { Field, ID, InputType, registerEnumType } from 'type-graphql';
import type { IfExists } from '../../domain/directory/user';
import type { ItemWork } from '../../domain/operations/operation-item';
import { GroupSelectorInput, toGroupSelector } from '../directory/group-selector.input';
import {
  IfExistsEnum,
  idempotencyKeyField,
  toDraft,
  toSelector,
  UserInput,
  UserSelectorInput,
} from '../directory/user.input';
import { enumOf } from '../enums';

export const MOST_ITEMS_IN_A_CALL = 10_000;

const memberChanges = ['ADD', 'REMOVE', 'SET'] as const;
type MemberChange = (typeof memberChanges)[number];

export const GroupMembersChangeKindEnum = enumOf(memberChanges);

registerEnumType(GroupMembersChangeKindEnum, {
  name: 'GroupMembersChangeKind',
  description: 'What happens to the members of a group.',
  valuesConfig: {
    ADD: { description: 'The people join; those who are members already stay.' },
    REMOVE: { description: 'The people leave; those who are no members stay out.' },
    SET: { description: 'The people become its members, and nobody else.' },
  },
});

const connectionField = { description: 'The connection to work through.' };

@InputType('ProvisionUsersInput', { description: 'Input of provisionUsers.' })
export class ProvisionUsersInput {
  @Field(() => ID, connectionField)
  readonly connectionId!: string;

  @Field(() => [UserInput], {
    description: 'The people, at most 10,000, as far as they fit into a request. More go through /operations/upload.',
  })
  readonly users!: readonly UserInput[];

  @Field(() => IfExistsEnum, {
    nullable: true,
    defaultValue: IfExistsEnum.UPDATE,
    description: 'What to do with people whose e-mail address an account holds already.',
  })
  readonly ifExists?: IfExists | null;

  @Field(() => String, idempotencyKeyField)
  readonly idempotencyKey?: string | null;
}

@InputType('DeprovisionUsersInput', { description: 'Input of deprovisionUsers.' })
export class DeprovisionUsersInput {
  @Field(() => ID, connectionField)
  readonly connectionId!: string;

  @Field(() => [UserSelectorInput], { description: 'The people, at most 10,000.' })
  readonly users!: readonly UserSelectorInput[];

  @Field(() => String, idempotencyKeyField)
  readonly idempotencyKey?: string | null;
}

@InputType('GroupMembersChangeInput', { description: 'A change of one group.' })
export class GroupMembersChangeInput {
  @Field(() => GroupSelectorInput, { description: 'The group.' })
  readonly group!: GroupSelectorInput;

  @Field(() => GroupMembersChangeKindEnum, { description: 'What happens to its members.' })
  readonly change!: MemberChange;

  @Field(() => [UserSelectorInput], { description: 'The people.' })
  readonly members!: readonly UserSelectorInput[];
}

@InputType('ChangeGroupMembersInput', { description: 'Input of changeGroupMembers.' })
export class ChangeGroupMembersInput {
  @Field(() => ID, connectionField)
  readonly connectionId!: string;

  @Field(() => [GroupMembersChangeInput], { description: 'The changes, at most 10,000.' })
  readonly changes!: readonly GroupMembersChangeInput[];

  @Field(() => String, idempotencyKeyField)
  readonly idempotencyKey?: string | null;
}

@InputType('OperationIdInput', { description: 'Names an operation.' })
export class OperationIdInput {
  @Field(() => ID, { description: 'The operation.' })
  readonly id!: string;
}

export function toProvisionWork(input: UserInput): ItemWork {
  return { action: 'provisionUser', user: toDraft(input), groups: input.groups?.map(toGroupSelector) };
}

export function toDeprovisionWork(input: UserSelectorInput): ItemWork {
  return { action: 'deprovisionUser', user: toSelector(input) };
}

const groupActions = { ADD: 'addGroupMembers', REMOVE: 'removeGroupMembers', SET: 'setGroupMembers' } as const;

export function toGroupWork({ group, change, members }: GroupMembersChangeInput): ItemWork {
  return { action: groupActions[change], group: toGroupSelector(group), members: members.map(toSelector) };
}
