import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { Mapping } from '../../domain/mapping/mapping';
import { JsonObjectScalar } from '../json-scalar';
import { NodeType } from '../node.type';
import { PageInfoType } from '../page.type';
import { type ProblemNode, ProblemType } from '../problems/problem.type';
import { DateTimeScalar } from '../scalars';

@ObjectType('Mapping', {
  implements: NodeType,
  description:
    "One version of a connection's mapping: how records of your own system become Slack users. The newest is in force; older ones never change.",
})
export class MappingType extends NodeType {
  @Field(() => Int, { description: 'Its number within the connection: 1, 2, 3 …' })
  readonly version!: number;

  @Field(() => JsonObjectScalar, {
    description: 'The mapping itself, in the form of `MappingInput`: given to setMapping it is in force again.',
  })
  readonly definition!: object;

  @Field(() => DateTimeScalar, { description: 'When it was set.' })
  readonly createdAt!: Date;

  @Field(() => ID, { description: 'Id of the API key that set it.' })
  readonly apiKeyId!: string;
}

@ObjectType('MappingEdge', { description: 'One version on a page, with the cursor to continue after.' })
export class MappingEdgeType {
  @Field(() => String, { description: 'Give it as `after` to continue behind this version.' })
  readonly cursor!: string;

  @Field(() => MappingType, { description: 'The version.' })
  readonly node!: Mapping;
}

@ObjectType('MappingPage', { description: "A page of the versions of a connection's mapping, newest first." })
export class MappingPageType {
  @Field(() => [MappingType], { description: 'The versions of this page.' })
  readonly nodes!: readonly Mapping[];

  @Field(() => [MappingEdgeType], { description: 'The same versions with their cursors.' })
  readonly edges!: readonly MappingEdgeType[];

  @Field(() => PageInfoType, { description: 'Where the page lies in the list.' })
  readonly pageInfo!: PageInfoType;

  @Field(() => Int, { nullable: true, description: 'How many there are in all.' })
  readonly totalCount?: number | null;
}

@ObjectType('MappingPayload', { description: 'Answer of setMapping.' })
export class MappingPayloadType {
  @Field(() => MappingType, { nullable: true, description: 'The mapping in force; null when nothing was set.' })
  readonly mapping?: Mapping;

  @Field(() => [ProblemType], {
    description: 'What is wrong with the mapping, each mistake with its path; empty when all went well.',
  })
  readonly problems!: readonly ProblemNode[];

  @Field(() => String, { description: "Names this request in the gateway's log." })
  readonly requestId!: string;
}
