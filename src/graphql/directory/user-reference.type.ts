import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { ConnectionId } from '../../domain/connections/connection';
import type { GroupMember } from '../../domain/directory/group';
import { PageInfoType } from '../page.type';

/** A reference and the connection that it was read through, where more about the person can be read. */
export interface UserReferenceNode extends GroupMember {
  readonly connectionId: ConnectionId;
}

@ObjectType('UserReference', { description: 'A person as Slack names them inside something else, such as a group.' })
export class UserReferenceType {
  @Field(() => ID, { description: "Slack's id of the account (U… or W…)." })
  readonly slackId!: string;

  @Field(() => String, { nullable: true, description: 'The name that Slack shows beside the id, where it shows one.' })
  readonly name?: string;
}

@ObjectType('UserReferenceEdge', { description: 'One person on a page, with the cursor to continue after.' })
export class UserReferenceEdgeType {
  @Field(() => String, { description: 'Give it as `after` to continue behind this person.' })
  readonly cursor!: string;

  @Field(() => UserReferenceType, { description: 'The person.' })
  readonly node!: UserReferenceNode;
}

@ObjectType('UserReferencePage', {
  description: 'A page of people in the order of their Slack ids, which stays the same when others come or leave.',
})
export class UserReferencePageType {
  @Field(() => [UserReferenceType], { description: 'The people of this page.' })
  readonly nodes!: readonly UserReferenceNode[];

  @Field(() => [UserReferenceEdgeType], { description: 'The same people with their cursors.' })
  readonly edges!: readonly UserReferenceEdgeType[];

  @Field(() => PageInfoType, { description: 'Where the page lies in the list.' })
  readonly pageInfo!: PageInfoType;

  @Field(() => Int, { nullable: true, description: 'How many there are in all.' })
  readonly totalCount?: number | null;
}
