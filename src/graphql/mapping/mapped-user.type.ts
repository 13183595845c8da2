import { Field, ID, ObjectType } from 'type-graphql';
import { ProfileFieldType } from '../directory/user.type';
import { DateTimeScalar, EmailAddressScalar, UrlScalar } from '../scalars';

@ObjectType('MappedGroup', { description: 'A group as a rule names it.' })
export class MappedGroupType {
  @Field(() => ID, { nullable: true, description: "Slack's id of the group, when the rule names it by that." })
  readonly slackId?: string;

  @Field(() => String, { nullable: true, description: 'Its name, when the rule names it by that.' })
  readonly name?: string;
}

const text = (description: string) => ({ nullable: true, description });

@ObjectType('MappedUser', {
  description:
    'The Slack user that a mapping makes of a record, in the form in which it is sent. What is null is left to Slack for a new account, and as it is for an existing one.',
})
export class MappedUserType {
  @Field(() => EmailAddressScalar, text('The e-mail address, which finds the account.'))
  readonly email?: string;

  @Field(
    () => String,
    text(
      'The user name of the account: the one that it has, or the one that a new account would get. It is certain only when Slack was asked, and even then a channel can have it.',
    ),
  )
  readonly userName?: string;

  @Field(() => String, text('The name that others see.'))
  readonly displayName?: string;

  @Field(() => String, text('Given (first) name.'))
  readonly givenName?: string;

  @Field(() => String, text('Family (last) name.'))
  readonly familyName?: string;

  @Field(() => String, text('Job title.'))
  readonly title?: string;

  @Field(() => String, text('IANA time zone.'))
  readonly timezone?: string;

  @Field(() => String, text('Locale.'))
  readonly locale?: string;

  @Field(() => String, text('Preferred language.'))
  readonly preferredLanguage?: string;

  @Field(() => String, text('Free text such as "Employee" or "Contractor".'))
  readonly userType?: string;

  @Field(() => String, text('Main phone number.'))
  readonly phoneNumber?: string;

  @Field(() => UrlScalar, text('Address of a photo that Slack copies.'))
  readonly photoUrl?: string;

  @Field(() => String, text('Number given by the employer.'))
  readonly employeeNumber?: string;

  @Field(() => String, text('Cost center.'))
  readonly costCenter?: string;

  @Field(() => String, text('Organization within the company.'))
  readonly organization?: string;

  @Field(() => String, text('Division.'))
  readonly division?: string;

  @Field(() => String, text('Department.'))
  readonly department?: string;

  @Field(() => ID, text("Slack's id of the person's manager."))
  readonly managerSlackId?: string;

  @Field(() => EmailAddressScalar, text("The manager's e-mail address, by which Slack's id will be found."))
  readonly managerEmail?: string;

  @Field(() => DateTimeScalar, text('First day at work.'))
  readonly startDate?: Date;

  @Field(() => DateTimeScalar, text('When the account of a guest ends.'))
  readonly guestExpiresAt?: Date;

  @Field(() => [ProfileFieldType], { description: 'Further profile fields.' })
  readonly profileFields!: readonly ProfileFieldType[];
}
