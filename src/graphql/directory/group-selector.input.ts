import { Field, ID, InputType } from 'type-graphql';
import type { GroupSelector } from '../../domain/directory/group';

@InputType('GroupSelector', { description: 'Names one group in exactly one way.' })
export class GroupSelectorInput {
  @Field(() => ID, { nullable: true, description: "Slack's id of the group (S…)." })
  readonly slackId?: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Its name. Of several that differ only in upper and lower case the one spelled alike counts; if several remain, the call is refused with AMBIGUOUS_GROUP.',
  })
  readonly name?: string;
}

/** The schema lets exactly one of the two through. */
export function toGroupSelector({ slackId, name }: GroupSelectorInput): GroupSelector {
  return slackId === undefined ? { name: name ?? '' } : { slackId };
}
