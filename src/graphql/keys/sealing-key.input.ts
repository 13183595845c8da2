import { Field, ID, InputType } from 'type-graphql';

@InputType('SealingKeyIdInput', { description: 'Names a sealing key.' })
export class SealingKeyIdInput {
  @Field(() => ID, { description: 'The key, as sealingKeys shows it.' })
  readonly id!: string;
}
