import { Field, ID, Int, ObjectType } from 'type-graphql';
import { NodeType } from '../node.type';
import { PageInfoType } from '../page.type';
import { type ProblemNode, ProblemType } from '../problems/problem.type';
import { DateTimeScalar } from '../scalars';
import type { DirectoryGroupNode } from './group-node';
import { GroupMemberProblemType } from './group-problem.type';

@ObjectType('Group', {
  implements: NodeType,
  description:
    'A Slack group, read live from Slack: a user group of a workspace (at most 5,000 members), or an IDP group of an Enterprise organization (at most 15,000 recommended). Its @-handle cannot be set over SCIM.',
})
export class GroupType extends NodeType {
  @Field(() => ID, { description: "Slack's id of the group (S…)." })
  readonly slackId!: string;

  @Field(() => String, { description: 'Its name. Slack does not keep names unique.' })
  readonly name!: string;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When the group was made.' })
  readonly createdAt?: Date;
}

@ObjectType('GroupEdge', { description: 'One group on a page, with the cursor to continue after.' })
export class GroupEdgeType {
  @Field(() => String, { description: 'Give it as `after` to continue behind this group.' })
  readonly cursor!: string;

  @Field(() => GroupType, { description: 'The group.' })
  readonly node!: DirectoryGroupNode;
}

@ObjectType('GroupPage', { description: "A page of groups in Slack's order, which is not specified and can shift." })
export class GroupPageType {
  @Field(() => [GroupType], { description: 'The groups of this page.' })
  readonly nodes!: readonly DirectoryGroupNode[];

  @Field(() => [GroupEdgeType], { description: 'The same groups with their cursors.' })
  readonly edges!: readonly GroupEdgeType[];

  @Field(() => PageInfoType, { description: 'Where the page lies in the list.' })
  readonly pageInfo!: PageInfoType;

  @Field(() => Int, {
    nullable: true,
    description: 'How many match in all; null when a filter is applied that Slack does not evaluate.',
  })
  readonly totalCount?: number | null;
}

@ObjectType('GroupPayload', {
  description:
    'Answer of a mutation on a group. Part of a change may take effect: then `memberProblems` says for whom not.',
})
export class GroupPayloadType {
  @Field(() => GroupType, {
    nullable: true,
    description: 'The group after the change; null when the call failed and nothing was changed.',
  })
  readonly group?: DirectoryGroupNode;

  @Field(() => Int, { description: 'How many people became members.' })
  readonly addedCount!: number;

  @Field(() => Int, { description: 'How many people are no members any more.' })
  readonly removedCount!: number;

  @Field(() => [GroupMemberProblemType], {
    description: 'One entry for each person who is not as asked; everybody else is. `problems` sums them up in one.',
  })
  readonly memberProblems!: readonly ProblemNode[];

  @Field(() => [ProblemType], {
    description: 'What went wrong, or is good to know about a success; empty when there is nothing to say.',
  })
  readonly problems!: readonly ProblemNode[];

  @Field(() => String, { description: "Names this request in the gateway's log." })
  readonly requestId!: string;
}
