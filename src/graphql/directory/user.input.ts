import { Field, ID, InputType, registerEnumType } from 'type-graphql';
import {
  type IfExists,
  ifExistsPolicies,
  type UserChanges,
  type UserDraft,
  type UserSelector,
} from '../../domain/directory/user';
import { InvalidInput } from '../../domain/errors';
import { enumOf } from '../enums';
import { JsonObjectScalar } from '../json-scalar';
import { DateTimeScalar, EmailAddressScalar, UrlScalar } from '../scalars';
import { GroupSelectorInput } from './group-selector.input';

export const IfExistsEnum = enumOf(ifExistsPolicies);

registerEnumType(IfExistsEnum, {
  name: 'IfExists',
  description: 'What to do when an account with the e-mail address exists already.',
  valuesConfig: {
    UPDATE: { description: 'Bring it to the given values, and reactivate it when it is deactivated.' },
    ADOPT: { description: 'Leave it as it is, whether active or not, and answer with it.' },
    FAIL: { description: 'Change nothing and answer EMAIL_TAKEN.' },
  },
});

export const idempotencyKeyField = {
  nullable: true,
  description:
    'Text of your choice, at most 255 characters, that names this request. The same key with the same input answers the first result again for at least 24 hours, so a call whose answer you lost can be repeated safely; with another input it is IDEMPOTENCY_CONFLICT.',
};

@InputType('UserSelector', { description: 'Names one person in exactly one way.' })
export class UserSelectorInput {
  @Field(() => ID, { nullable: true, description: "Slack's id of the account (U… or W…)." })
  readonly slackId?: string;

  @Field(() => EmailAddressScalar, { nullable: true, description: 'Primary or second e-mail address.' })
  readonly email?: string;

  @Field(() => String, { nullable: true, description: 'The handle.' })
  readonly userName?: string;
}

@InputType('UserFilter', { description: 'Every given part must hold.' })
export class UserFilterInput {
  @Field(() => Boolean, {
    nullable: true,
    description:
      'Only active (or only deactivated) people. Slack cannot filter by it, so the gateway does while it reads.',
  })
  readonly active?: boolean;

  @Field(() => EmailAddressScalar, { nullable: true, description: 'People who hold this address.' })
  readonly email?: string;

  @Field(() => String, { nullable: true, description: 'The person with this handle.' })
  readonly userName?: string;

  @Field(() => String, {
    nullable: true,
    description: 'People whose display name, full name or handle contains this text, whatever the case.',
  })
  readonly nameContains?: string;

  @Field(() => Boolean, { nullable: true, description: 'Only guests, or only full members.' })
  readonly guest?: boolean;
}

@InputType('ProfileFieldInput', { description: "A further field of the person's Slack profile." })
export class ProfileFieldInput {
  @Field(() => String, {
    description:
      'Name of the field: `honorificPrefix`, `role`, `mobilePhone`, `profileUrl`, `address.streetAddress`, `address.locality`, `address.region`, `address.postalCode`, `address.country`, or a field that your organization defined for provisioning.',
  })
  readonly key!: string;

  @Field(() => String, { description: 'Its value as text.' })
  readonly value!: string;
}

@InputType('GuestInput', { description: 'Makes the account a multi-channel guest. Enterprise organizations only.' })
export class GuestInput {
  @Field(() => DateTimeScalar, {
    nullable: true,
    description:
      'When the account ends by itself. Left out: never for a new guest, as it is for an existing one. Null: never.',
  })
  readonly expiresAt?: Date;
}

/** The fields that creating and changing have in common. In changes, null clears. */
@InputType()
abstract class UserFields {
  @Field(() => String, {
    nullable: true,
    description:
      "The handle: at most 21 letters, digits, `.`, `_` or `-`. Derived from the e-mail address by Slack's rules when absent; if that name is not free, a new account gets it with a number behind it, and an existing one keeps its own.",
  })
  readonly userName?: string | null;

  @Field(() => String, { nullable: true, description: 'The name that others see; at most 80 characters, no `@`.' })
  readonly displayName?: string | null;

  @Field(() => String, { nullable: true, description: 'Given (first) name.' })
  readonly givenName?: string | null;

  @Field(() => String, { nullable: true, description: 'Family (last) name.' })
  readonly familyName?: string | null;

  @Field(() => String, { nullable: true, description: 'Job title.' })
  readonly title?: string | null;

  @Field(() => String, { nullable: true, description: 'IANA time zone, e.g. `Europe/Berlin`.' })
  readonly timezone?: string | null;

  @Field(() => String, { nullable: true, description: 'Locale, e.g. `en_US`.' })
  readonly locale?: string | null;

  @Field(() => String, { nullable: true, description: 'Preferred language, e.g. `en_US`.' })
  readonly preferredLanguage?: string | null;

  @Field(() => String, { nullable: true, description: 'Free text such as "Employee" or "Contractor".' })
  readonly userType?: string | null;

  @Field(() => String, { nullable: true, description: 'Main phone number.' })
  readonly phoneNumber?: string | null;

  @Field(() => UrlScalar, {
    nullable: true,
    description: 'Public http(s) address of a photo. Slack copies it, and shows the copy a little later.',
  })
  readonly photoUrl?: string | null;

  @Field(() => String, { nullable: true, description: 'Number given by the employer.' })
  readonly employeeNumber?: string | null;

  @Field(() => String, { nullable: true, description: 'Cost center.' })
  readonly costCenter?: string | null;

  @Field(() => String, { nullable: true, description: 'Organization within the company.' })
  readonly organization?: string | null;

  @Field(() => String, { nullable: true, description: 'Division.' })
  readonly division?: string | null;

  @Field(() => String, { nullable: true, description: 'Department.' })
  readonly department?: string | null;

  @Field(() => ID, { nullable: true, description: "Slack's id of the person's manager." })
  readonly managerSlackId?: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'First day at work.' })
  readonly startDate?: Date | null;

  @Field(() => [ProfileFieldInput], {
    nullable: true,
    description: 'Further profile fields. Fields that are not named here stay as they are; a blank value clears.',
  })
  readonly profileFields?: readonly ProfileFieldInput[] | null;

  @Field(() => GuestInput, {
    nullable: true,
    description:
      'Given: the account is a multi-channel guest. Absent: a new account is a full member, and an existing one stays what it is. Null in changes: it is a full member. Slack reactivates a deactivated account that it converts: updateUser refuses that with USER_INACTIVE, and provisionUser does it only where `ifExists` is UPDATE, which reactivates in any case.',
  })
  readonly guest?: GuestInput | null;
}

@InputType('UserInput', {
  description: 'A person as they should be in Slack. An absent field is left to Slack, or as it is.',
})
export class UserInput extends UserFields {
  @Field(() => EmailAddressScalar, { description: 'The address that the person signs in with; it finds the account.' })
  readonly email!: string;

  @Field(() => [GroupSelectorInput], {
    nullable: true,
    description:
      'Groups that the person joins once the account is there; they leave none by it. A group that cannot be joined stands among the `problems` of a success. Not heeded for an account that is adopted and left as it is.',
  })
  readonly groups?: readonly GroupSelectorInput[] | null;
}

@InputType('UserChangesInput', { description: 'What to change. An absent field stays as it is; null clears a field.' })
export class UserChangesInput extends UserFields {
  @Field(() => EmailAddressScalar, { nullable: true, description: 'New primary address. It cannot be cleared.' })
  readonly email?: string | null;
}

@InputType('ProvisionUserInput', { description: 'Input of provisionUser.' })
export class ProvisionUserInput {
  @Field(() => ID, { description: 'The connection to provision through.' })
  readonly connectionId!: string;

  @Field(() => UserInput, { nullable: true, description: 'The person. Give either this or `record`.' })
  readonly user?: UserInput | null;

  @Field(() => JsonObjectScalar, {
    nullable: true,
    description:
      "The person as your own system knows them, an open object: the connection's mapping makes a Slack user of it, and says which groups the person joins. An idempotencyKey stands for the record and the version of the mapping together. Give either this or `user`.",
  })
  readonly record?: object | null;

  @Field(() => IfExistsEnum, {
    nullable: true,
    defaultValue: IfExistsEnum.UPDATE,
    description: 'What to do when an account with this e-mail address exists already.',
  })
  readonly ifExists?: IfExists | null;

  @Field(() => String, idempotencyKeyField)
  readonly idempotencyKey?: string | null;
}

@InputType('UpdateUserInput', { description: 'Input of updateUser.' })
export class UpdateUserInput {
  @Field(() => ID, { description: 'The connection to work through.' })
  readonly connectionId!: string;

  @Field(() => UserSelectorInput, { description: 'The person.' })
  readonly user!: UserSelectorInput;

  @Field(() => UserChangesInput, { description: 'What to change.' })
  readonly changes!: UserChangesInput;

  @Field(() => String, idempotencyKeyField)
  readonly idempotencyKey?: string | null;
}

@InputType('UserActionInput', { description: 'Input of an action on one person.' })
export class UserActionInput {
  @Field(() => ID, { description: 'The connection to work through.' })
  readonly connectionId!: string;

  @Field(() => UserSelectorInput, { description: 'The person.' })
  readonly user!: UserSelectorInput;

  @Field(() => String, idempotencyKeyField)
  readonly idempotencyKey?: string | null;
}

/** The schema lets exactly one of the three through. */
export function toSelector({ slackId, email, userName }: UserSelectorInput): UserSelector {
  if (slackId !== undefined) return { slackId };
  return email === undefined ? { userName: userName ?? '' } : { email };
}

/** @throws InvalidInput when not exactly one of the two is given. */
export function personIn({ user, record }: ProvisionUserInput): { user: UserInput } | { record: object } {
  if (user && !record) return { user };
  if (record && !user) return { record };
  throw new InvalidInput('A person is given either as `user` or as `record`.', {
    path: ['input'],
    remedy: 'Give exactly one of the two.',
  });
}

/** In a draft nothing can be cleared, so null says the same as leaving a field out. */
export function toDraft({ email, groups: _, ...fields }: UserInput): UserDraft {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return { ...(Object.fromEntries(given) as Partial<UserDraft>), email };
}

export function toChanges(changes: UserChangesInput): UserChanges {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as UserChanges;
}
