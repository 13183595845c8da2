import { Field, ObjectType } from 'type-graphql';
import type { ProvisionOutcome } from '../../domain/directory/user';
import { type ProblemNode, ProblemType } from '../problems/problem.type';
import { ProvisionOutcomeEnum, UserType } from './user.type';
import type { DirectoryUserNode } from './user-node';

@ObjectType('UserPayload', { description: 'Answer of a mutation on a person.' })
export class UserPayloadType {
  @Field(() => UserType, { nullable: true, description: 'The account as read back; null when the call failed.' })
  readonly user?: DirectoryUserNode;

  @Field(() => ProvisionOutcomeEnum, { description: 'What the call did.' })
  readonly outcome!: ProvisionOutcome;

  @Field(() => [ProblemType], {
    description: 'What went wrong, or is good to know about a success; empty when there is nothing to say.',
  })
  readonly problems!: readonly ProblemNode[];

  @Field(() => String, { description: "Names this request in the gateway's log." })
  readonly requestId!: string;
}
