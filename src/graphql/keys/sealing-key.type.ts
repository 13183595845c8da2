import { Field, ID, Int, ObjectType } from 'type-graphql';
import { type ProblemNode, ProblemType } from '../problems/problem.type';
import { DateTimeScalar } from '../scalars';

@ObjectType('SealedValueCounts', { description: 'Stored secrets, by what they are.' })
export class SealedValueCountsType {
  @Field(() => Int, { description: 'Access tokens.' })
  readonly accessTokens!: number;

  @Field(() => Int, { description: 'Refresh tokens.' })
  readonly refreshTokens!: number;
}

@ObjectType('SealingKey', {
  description:
    "A key that seals stored secrets, as the replica that answers sees it. The key itself is never shown. For admins of the operator's tenant.",
})
export class SealingKeyType {
  @Field(() => ID, { description: 'Its id; it follows from the key and tells nothing of it.' })
  readonly id!: string;

  @Field(() => Boolean, { description: 'Whether this replica seals with it. Every loaded key opens.' })
  readonly isNewest!: boolean;

  @Field(() => Boolean, { description: 'Whether this replica has the key.' })
  readonly isLoaded!: boolean;

  @Field(() => SealedValueCountsType, { description: 'What is stored under it.' })
  readonly sealedValues!: SealedValueCountsType;

  @Field(() => Boolean, {
    description:
      'Whether nothing that is stored needs it. A backup of the database may: keep a removed key as long as the backups from its time.',
  })
  readonly canBeRemoved!: boolean;

  @Field(() => String, { description: 'What it is good for and what to do with it, for people.' })
  readonly note!: string;
}

@ObjectType('Resealing', {
  description: "How far the sealing of stored secrets with the newest key is. For admins of the operator's tenant.",
})
export class ResealingType {
  @Field(() => Boolean, { description: 'Whether this replica is at it. Another may be when values remain.' })
  readonly isRunning!: boolean;

  @Field(() => Int, {
    description: 'Stored values under another key than the newest, those that cannot be opened included.',
  })
  readonly remainingValues!: number;

  @Field(() => Int, { description: 'What the latest run of this replica sealed anew.' })
  readonly resealedValues!: number;

  @Field(() => Int, {
    description:
      'What the latest run of this replica could not open and left as it is; the log names the connections. Each needs a new token.',
  })
  readonly unreadableValues!: number;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When that run began; null when there was nothing to do.',
  })
  readonly startedAt?: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ended.' })
  readonly endedAt?: Date;
}

@ObjectType('SealingKeysPayload', { description: 'Answer of a mutation on the sealing keys.' })
export class SealingKeysPayloadType {
  @Field(() => [SealingKeyType], { nullable: true, description: 'The keys as they are now.' })
  readonly sealingKeys?: readonly SealingKeyType[];

  @Field(() => ResealingType, { nullable: true, description: 'How far the sealing with the newest key is.' })
  readonly resealing?: ResealingType;

  @Field(() => [ProblemType], { description: 'What went wrong; empty when all went well.' })
  readonly problems!: readonly ProblemNode[];

  @Field(() => String, { description: "Names this request in the gateway's log." })
  readonly requestId!: string;
}
