import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { provisionOutcomes } from '../../domain/directory/user';
import { enumOf } from '../enums';
import { NodeType } from '../node.type';
import { PageInfoType } from '../page.type';
import { DateTimeScalar, EmailAddressScalar, UrlScalar } from '../scalars';
import type { DirectoryUserNode } from './user-node';

export const ProvisionOutcomeEnum = enumOf(provisionOutcomes);
export const PhoneKindEnum = enumOf(['PRIMARY', 'MOBILE', 'OTHER'] as const);
export const GuestKindEnum = enumOf(['MULTI_CHANNEL', 'SINGLE_CHANNEL', 'UNKNOWN'] as const);

registerEnumType(ProvisionOutcomeEnum, {
  name: 'ProvisionOutcome',
  description: 'What a call did to a person.',
  valuesConfig: {
    CREATED: { description: 'A new account was made.' },
    UPDATED: { description: 'An existing account was changed.' },
    REACTIVATED: { description: 'A deactivated account is active again, and brought to the given values.' },
    ADOPTED: { description: 'An existing account was found and left as it is, as asked.' },
    UNCHANGED: { description: 'The account was as wanted already; nothing was written.' },
    DEACTIVATED: { description: 'The account was deactivated.' },
    HELD: { description: 'The change waits for a confirmation.' },
    FAILED: { description: 'Nothing took effect, or it could not be confirmed; see `problems`.' },
  },
});
registerEnumType(PhoneKindEnum, {
  name: 'PhoneKind',
  description: 'Which of the two numbers that Slack keeps it is.',
  valuesConfig: {
    PRIMARY: { description: 'The main number: the one that `UserInput.phoneNumber` sets.' },
    MOBILE: { description: 'The second number, which Slack labels mobile.' },
    OTHER: { description: 'A number with another label.' },
  },
});
registerEnumType(GuestKindEnum, {
  name: 'GuestKind',
  description: 'How far a guest may go in Slack.',
  valuesConfig: {
    MULTI_CHANNEL: { description: 'A multi-channel guest: the only kind that can be provisioned.' },
    SINGLE_CHANNEL: { description: 'A single-channel guest, made by hand in Slack.' },
    UNKNOWN: { description: 'A guest of a kind that Slack does not name.' },
  },
});

@ObjectType('PersonName', { description: "The parts of a person's name." })
export class PersonNameType {
  @Field(() => String, { nullable: true, description: 'Given (first) name.' })
  readonly givenName?: string;

  @Field(() => String, { nullable: true, description: 'Family (last) name.' })
  readonly familyName?: string;

  @Field(() => String, { nullable: true, description: 'A prefix such as "Dr.".' })
  readonly honorificPrefix?: string;
}

@ObjectType('Email', { description: 'An e-mail address of a person. Slack keeps two.' })
export class EmailType {
  @Field(() => EmailAddressScalar, { description: 'The address.' })
  readonly value!: string;

  @Field(() => Boolean, { description: 'Whether it is the one that the person signs in with.' })
  readonly primary!: boolean;
}

@ObjectType('PhoneNumber', { description: 'A phone number of a person.' })
export class PhoneNumberType {
  @Field(() => String, { description: 'The number as it was written.' })
  readonly value!: string;

  @Field(() => PhoneKindEnum, { description: 'Which of the numbers it is.' })
  readonly kind!: keyof typeof PhoneKindEnum;
}

@ObjectType('PostalAddress', { description: 'A postal address. Slack keeps one.' })
export class PostalAddressType {
  @Field(() => String, { nullable: true, description: 'Street and house number.' })
  readonly streetAddress?: string;

  @Field(() => String, { nullable: true, description: 'City or town.' })
  readonly locality?: string;

  @Field(() => String, { nullable: true, description: 'State or region.' })
  readonly region?: string;

  @Field(() => String, { nullable: true, description: 'Postal code.' })
  readonly postalCode?: string;

  @Field(() => String, { nullable: true, description: 'Country, as text.' })
  readonly country?: string;
}

@ObjectType('Employment', { description: "A person's place in the company (SCIM's enterprise extension)." })
export class EmploymentType {
  @Field(() => String, { nullable: true, description: 'Number given by the employer.' })
  readonly employeeNumber?: string;

  @Field(() => String, { nullable: true, description: 'Cost center.' })
  readonly costCenter?: string;

  @Field(() => String, { nullable: true, description: 'Organization within the company.' })
  readonly organization?: string;

  @Field(() => String, { nullable: true, description: 'Division.' })
  readonly division?: string;

  @Field(() => String, { nullable: true, description: 'Department.' })
  readonly department?: string;

  @Field(() => ID, { nullable: true, description: "Slack's id of the person's manager." })
  readonly managerSlackId?: string;

  @Field(() => DateTimeScalar, { nullable: true, description: 'First day at work.' })
  readonly startDate?: Date;
}

@ObjectType('ProfileField', { description: "A further field of the person's Slack profile." })
export class ProfileFieldType {
  @Field(() => String, { description: 'Name of the field, e.g. `honorificPrefix` or `address.locality`.' })
  readonly key!: string;

  @Field(() => String, { description: 'Its value as text.' })
  readonly value!: string;
}

@ObjectType('GuestStatus', { description: 'What makes an account a guest.' })
export class GuestStatusType {
  @Field(() => GuestKindEnum, { description: 'Kind of guest.' })
  readonly kind!: keyof typeof GuestKindEnum;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When the account ends by itself; null for never.' })
  readonly expiresAt?: Date;
}

@ObjectType('GroupReference', { description: 'A group that a person belongs to.' })
export class GroupReferenceType {
  @Field(() => ID, { description: "Slack's id of the group (S…)." })
  readonly slackId!: string;

  @Field(() => String, { nullable: true, description: 'Its name.' })
  readonly name?: string;
}

@ObjectType('User', {
  implements: NodeType,
  description: 'A Slack account, read live from Slack. Accounts are never deleted: leaving people are deactivated.',
})
export class UserType extends NodeType {
  @Field(() => ID, { description: "Slack's id of the account (U… or W…)." })
  readonly slackId!: string;

  @Field(() => String, {
    description: 'The handle: at most 21 characters, unique among people (also deactivated ones) and channel names.',
  })
  readonly userName!: string;

  @Field(() => Boolean, { description: 'Whether the person can sign in.' })
  readonly active!: boolean;

  @Field(() => String, { nullable: true, description: 'The name that others see.' })
  readonly displayName?: string;

  @Field(() => PersonNameType, { nullable: true, description: 'The parts of the name; null when Slack has none.' })
  readonly name?: PersonNameType;

  @Field(() => EmailAddressScalar, { nullable: true, description: 'The address that the person signs in with.' })
  readonly primaryEmail?: string;

  @Field(() => [EmailType], { description: 'The addresses that Slack keeps, at most two.' })
  readonly emails!: readonly EmailType[];

  @Field(() => String, { nullable: true, description: 'Job title.' })
  readonly title?: string;

  @Field(() => String, { nullable: true, description: 'IANA time zone, e.g. `Europe/Berlin`.' })
  readonly timezone?: string;

  @Field(() => String, { nullable: true, description: 'Locale, e.g. `en_US`.' })
  readonly locale?: string;

  @Field(() => String, { nullable: true, description: 'Preferred language, e.g. `en_US`.' })
  readonly preferredLanguage?: string;

  @Field(() => String, { nullable: true, description: 'Free text such as "Employee" or "Contractor".' })
  readonly userType?: string;

  @Field(() => UrlScalar, { nullable: true, description: 'Where Slack serves the photo.' })
  readonly photoUrl?: string;

  @Field(() => UrlScalar, { nullable: true, description: 'The profile page.' })
  readonly profileUrl?: string;

  @Field(() => [PhoneNumberType], { description: 'The numbers that Slack keeps, at most two.' })
  readonly phoneNumbers!: readonly PhoneNumberType[];

  @Field(() => [PostalAddressType], { description: 'The postal addresses; Slack keeps one.' })
  readonly addresses!: readonly PostalAddressType[];

  @Field(() => EmploymentType, { nullable: true, description: 'Place in the company.' })
  readonly employment?: EmploymentType;

  @Field(() => [ProfileFieldType], { description: 'Further fields of the Slack profile.' })
  readonly profileFields!: readonly ProfileFieldType[];

  @Field(() => GuestStatusType, { nullable: true, description: 'Set for guests; null for full members.' })
  readonly guest?: GuestStatusType;

  @Field(() => [GroupReferenceType], { description: 'The groups that the person belongs to.' })
  readonly groups!: readonly GroupReferenceType[];

  @Field(() => DateTimeScalar, { nullable: true, description: 'When the account was made.' })
  readonly createdAt?: Date;
}

@ObjectType('UserEdge', { description: 'One person on a page, with the cursor to continue after.' })
export class UserEdgeType {
  @Field(() => String, { description: 'Give it as `after` to continue behind this person.' })
  readonly cursor!: string;

  @Field(() => UserType, { description: 'The person.' })
  readonly node!: DirectoryUserNode;
}

@ObjectType('UserPage', { description: "A page of people in Slack's order, which is not specified and can shift." })
export class UserPageType {
  @Field(() => [UserType], { description: 'The people of this page.' })
  readonly nodes!: readonly DirectoryUserNode[];

  @Field(() => [UserEdgeType], { description: 'The same people with their cursors.' })
  readonly edges!: readonly UserEdgeType[];

  @Field(() => PageInfoType, { description: 'Where the page lies in the list.' })
  readonly pageInfo!: PageInfoType;

  @Field(() => Int, {
    nullable: true,
    description: 'How many match in all, as Slack counts; null when a filter is applied that Slack does not evaluate.',
  })
  readonly totalCount?: number | null;
}
