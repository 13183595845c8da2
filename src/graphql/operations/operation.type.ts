import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { type ProvisionOutcome } from '../../domain/directory/user';
import {
  type ItemStatus,
  itemStatuses,
  type OperationCounts,
  type OperationKind,
  type OperationStatus,
  operationKinds,
  operationStatuses,
  type PauseKind,
  pauseKinds,
} from '../../domain/operations/operation';
import { ProvisionOutcomeEnum } from '../directory/user.type';
import { UserReferenceType } from '../directory/user-reference.type';
import { enumOf } from '../enums';
import { NodeType } from '../node.type';
import { PageInfoType } from '../page.type';
import { type ProblemNode, ProblemType } from '../problems/problem.type';
import { DateTimeScalar } from '../scalars';

export const OperationKindEnum = enumOf(operationKinds);
export const OperationStatusEnum = enumOf(operationStatuses);
export const OperationItemStatusEnum = enumOf(itemStatuses);
export const OperationPauseEnum = enumOf(pauseKinds);

registerEnumType(OperationKindEnum, {
  name: 'OperationKind',
  description: 'What the items of an operation do.',
  valuesConfig: {
    PROVISION_USERS: { description: 'Each makes sure that one person has an account as described.' },
    DEPROVISION_USERS: { description: 'Each deactivates the account of one person.' },
    CHANGE_GROUP_MEMBERS: { description: 'Each changes who belongs to one group.' },
  },
});
registerEnumType(OperationStatusEnum, {
  name: 'OperationStatus',
  description: 'How an operation stands.',
  valuesConfig: {
    QUEUED: { description: 'Accepted; it begins as soon as there is room.' },
    RUNNING: { description: 'Under way.' },
    PAUSED: { description: 'It waits; `pausedBecause` says for what.' },
    SUCCEEDED: { description: 'It has ended, and no item failed.' },
    PARTIALLY_SUCCEEDED: { description: 'It has ended; some items failed.' },
    FAILED: { description: 'It has ended, and no item succeeded.' },
    CANCELED: { description: 'It was canceled; items that had not begun were skipped.' },
  },
});
registerEnumType(OperationItemStatusEnum, {
  name: 'OperationItemStatus',
  description: 'How an item of an operation stands.',
  valuesConfig: {
    PENDING: { description: 'It waits for its turn, or for its next attempt.' },
    RUNNING: { description: 'Under way.' },
    SUCCEEDED: { description: 'Done; `outcome` says what it was.' },
    FAILED: { description: 'It did not come about; `problem` says why.' },
    SKIPPED: { description: 'The operation was canceled before it began.' },
    HELD: { description: 'It waits for a confirmation.' },
  },
});
registerEnumType(OperationPauseEnum, {
  name: 'OperationPauseReason',
  description: 'What a paused operation waits for.',
  valuesConfig: {
    REQUESTED: { description: 'Somebody paused it: it waits for resumeOperation.' },
    CONNECTION: { description: 'The connection cannot be used. It goes on by itself when the connection recovers.' },
    API_KEY: {
      description:
        'The API key that began it has ended or may no longer change people: it waits for resumeOperation with another key.',
    },
  },
});

@ObjectType('OperationCounts', { description: 'How many items of an operation stand how.' })
export class OperationCountsType {
  @Field(() => Int, { description: 'All of them.' })
  readonly total!: number;

  @Field(() => Int, { description: 'Those that wait.' })
  readonly pending!: number;

  @Field(() => Int, { description: 'Those under way.' })
  readonly running!: number;

  @Field(() => Int, { description: 'Those that are done.' })
  readonly succeeded!: number;

  @Field(() => Int, { description: 'Those that did not come about.' })
  readonly failed!: number;

  @Field(() => Int, { description: 'Those that a cancellation left undone.' })
  readonly skipped!: number;

  @Field(() => Int, { description: 'Those that wait for a confirmation.' })
  readonly held!: number;
}

@ObjectType('OperationItem', { description: 'One person or group of an operation.' })
export class OperationItemType {
  @Field(() => Int, { description: 'Its place in what was sent, from 0.' })
  readonly index!: number;

  @Field(() => String, { description: 'What it does: the name of the mutation that does it to one person or group.' })
  readonly action!: string;

  @Field(() => String, { description: 'How the person or the group was named.' })
  readonly subject!: string;

  @Field(() => OperationItemStatusEnum, { description: 'How it stands.' })
  readonly status!: ItemStatus;

  @Field(() => Int, {
    description: "How often it was tried. Waits for Slack's limits and for the connection do not count.",
  })
  readonly attempts!: number;

  @Field(() => ProvisionOutcomeEnum, { nullable: true, description: 'What it came to, once it has ended.' })
  readonly outcome?: ProvisionOutcome;

  @Field(() => UserReferenceType, { nullable: true, description: 'The account, once it is known.' })
  readonly user?: UserReferenceType;

  @Field(() => ProblemType, {
    nullable: true,
    description: 'Why it failed or waits, or something to know about a success.',
  })
  readonly problem?: ProblemNode;
}

@ObjectType('OperationItemEdge', { description: 'One item on a page, with the cursor to continue after.' })
export class OperationItemEdgeType {
  @Field(() => String, { description: 'Give it as `after` to continue behind this item.' })
  readonly cursor!: string;

  @Field(() => OperationItemType, { description: 'The item.' })
  readonly node!: OperationItemType;
}

@ObjectType('OperationItemPage', { description: 'A page of items in the order in which they were sent.' })
export class OperationItemPageType {
  @Field(() => [OperationItemType], { description: 'The items of this page.' })
  readonly nodes!: readonly OperationItemType[];

  @Field(() => [OperationItemEdgeType], { description: 'The same items with their cursors.' })
  readonly edges!: readonly OperationItemEdgeType[];

  @Field(() => PageInfoType, { description: 'Where the page lies in the list.' })
  readonly pageInfo!: PageInfoType;

  @Field(() => Int, { nullable: true, description: 'How many there are in all.' })
  readonly totalCount?: number | null;
}

@ObjectType('Operation', {
  implements: NodeType,
  description:
    'Durable work on many people or groups. Once accepted it is carried out whatever happens to the gateway: nothing is lost and nothing done twice. Items on one person keep their order, over operations too.',
})
export class OperationType extends NodeType {
  @Field(() => OperationKindEnum, { description: 'What its items do.' })
  readonly kind!: OperationKind;

  @Field(() => OperationStatusEnum, { description: 'How it stands.' })
  readonly status!: OperationStatus;

  @Field(() => OperationCountsType, { description: 'How its items stand.' })
  readonly counts!: OperationCounts;

  @Field(() => OperationPauseEnum, { nullable: true, description: 'While it is PAUSED: what it waits for.' })
  readonly pausedBecause?: PauseKind;

  @Field(() => ProblemType, { nullable: true, description: 'While it is PAUSED: what was met.' })
  readonly problem?: ProblemNode;

  @Field(() => DateTimeScalar, { description: 'When it was accepted.' })
  readonly createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it first began.' })
  readonly startedAt?: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ended.' })
  readonly finishedAt?: Date;
}

@ObjectType('OperationEdge', { description: 'One operation on a page, with the cursor to continue after.' })
export class OperationEdgeType {
  @Field(() => String, { description: 'Give it as `after` to continue behind this operation.' })
  readonly cursor!: string;

  @Field(() => OperationType, { description: 'The operation.' })
  readonly node!: OperationType;
}

@ObjectType('OperationPage', { description: 'A page of operations, newest first.' })
export class OperationPageType {
  @Field(() => [OperationType], { description: 'The operations of this page.' })
  readonly nodes!: readonly OperationType[];

  @Field(() => [OperationEdgeType], { description: 'The same operations with their cursors.' })
  readonly edges!: readonly OperationEdgeType[];

  @Field(() => PageInfoType, { description: 'Where the page lies in the list.' })
  readonly pageInfo!: PageInfoType;

  @Field(() => Int, { nullable: true, description: 'How many there are in all.' })
  readonly totalCount?: number | null;
}

@ObjectType('OperationPayload', { description: 'Answer of a mutation on an operation.' })
export class OperationPayloadType {
  @Field(() => OperationType, {
    nullable: true,
    description: 'The operation as it is now; null when nothing was begun, found or allowed.',
  })
  readonly operation?: OperationType;

  @Field(() => [ProblemType], { description: 'What went wrong; empty when all went well.' })
  readonly problems!: readonly ProblemNode[];

  @Field(() => String, { description: "Names this request in the gateway's log." })
  readonly requestId!: string;
}
