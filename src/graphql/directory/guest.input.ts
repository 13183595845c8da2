import { Field, ID, InputType } from 'type-graphql';
import { DateTimeScalar } from '../scalars';
import { idempotencyKeyField, UserSelectorInput } from './user.input';

const consentField = {
  nullable: true,
  defaultValue: false,
  description:
    'Your consent to make a deactivated account active again. Slack reactivates an account that it converts, so without it a deactivated person who would have to be converted is refused with USER_INACTIVE and nothing is written. With it a deactivated person is active afterwards in any case, and the outcome is REACTIVATED.',
};

@InputType('ConvertToGuestInput', { description: 'Input of convertToGuest.' })
export class ConvertToGuestInput {
  @Field(() => ID, { description: 'The connection to work through: one of an Enterprise organization.' })
  readonly connectionId!: string;

  @Field(() => UserSelectorInput, { description: 'The person.' })
  readonly user!: UserSelectorInput;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description:
      'When the guest account ends by itself, to the second; it must lie in the future. Left out: never for a new guest, as it is for an existing one. Null: never.',
  })
  readonly expiresAt?: Date | null;

  @Field(() => Boolean, consentField)
  readonly reactivateIfInactive?: boolean | null;

  @Field(() => String, idempotencyKeyField)
  readonly idempotencyKey?: string | null;
}

@InputType('ConvertToMemberInput', { description: 'Input of convertToMember.' })
export class ConvertToMemberInput {
  @Field(() => ID, { description: 'The connection to work through: one of an Enterprise organization.' })
  readonly connectionId!: string;

  @Field(() => UserSelectorInput, { description: 'The person.' })
  readonly user!: UserSelectorInput;

  @Field(() => Boolean, consentField)
  readonly reactivateIfInactive?: boolean | null;

  @Field(() => String, idempotencyKeyField)
  readonly idempotencyKey?: string | null;
}
