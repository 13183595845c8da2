import { Field, ID, Int, InterfaceType, ObjectType, registerEnumType } from 'type-graphql';
import { type ErrorCode, errorCodes, type ProtectionReason, protectionReasons } from '../../domain/errors';
import { UserType } from '../directory/user.type';
import type { DirectoryUserNode } from '../directory/user-node';
import { enumOf } from '../enums';

export const ProblemCodeEnum = enumOf(errorCodes);
export const ProtectionReasonEnum = enumOf(protectionReasons);

registerEnumType(ProblemCodeEnum, {
  name: 'ProblemCode',
  description:
    "Every way a request can fail: a problem's `code`, and `extensions.code` of a top-level error. Only errors of the document itself have codes of their own there: those of Apollo Server, such as `GRAPHQL_VALIDATION_FAILED`, and `QUERY_TOO_LARGE`.",
  valuesConfig: {
    INVALID_INPUT: { description: 'A value of the input is not acceptable; `path` names it.' },
    NOT_FOUND: { description: 'Unknown, or not yours: the two look alike.' },
    FORBIDDEN: { description: 'The API key lacks the permission.' },
    UNAUTHENTICATED: { description: 'No API key, or one that is unknown, expired or revoked.' },
    CONFLICT: { description: 'The request collides with something that exists, or with a call that is still running.' },
    IDEMPOTENCY_CONFLICT: { description: 'The idempotency key was used with another input.' },
    CONNECTION_NOT_READY: { description: 'The connection is paused or disconnected, or does not offer this action.' },
    INVALID_TOKEN: { description: 'Slack does not know the token.' },
    WRONG_TOKEN_KIND: { description: 'The token is not a user token.' },
    MISSING_SCOPES: { description: 'The grant lacks OAuth scopes that the action needs.' },
    WRONG_INSTALL_LEVEL: { description: 'The app is installed on a workspace, but the organization is needed.' },
    PLAN_TOO_LOW: { description: "Slack's plan of the team has no provisioning." },
    INSTALLER_LOST_RIGHTS: { description: 'The person who installed the app is no longer an active Admin or Owner.' },
    REAUTHORIZATION_REQUIRED: { description: 'The stored token can no longer be used; a person must install again.' },
    TOKEN_REVOKED: { description: 'The token was revoked, or the app removed.' },
    TOKEN_EXPIRED: { description: 'The token has expired.' },
    APP_UNINSTALLED: { description: 'The app was removed from the workspace or the organization.' },
    APP_CREDENTIALS_REFUSED: {
      description: "Slack refuses the gateway's own app credentials; only its operator can repair that.",
    },
    INSTALL_DENIED: { description: 'The person did not approve the installation, or Slack did not let it happen.' },
    INSTALL_EXPIRED: { description: 'The link or the installation is over; it must be begun again.' },
    WRONG_WORKSPACE: { description: 'The token belongs to another Slack team than the connection.' },
    DUPLICATE_CONNECTION: { description: 'The tenant has a connection to this Slack team already.' },
    IP_NOT_ALLOWED: { description: "Slack refuses the gateway's address." },
    EMAIL_TAKEN: { description: 'Another account holds the e-mail address.' },
    USERNAME_UNAVAILABLE: {
      description: 'The user name belongs to another account, maybe a deactivated one, or to a channel.',
    },
    USERNAME_INVALID: { description: 'Slack does not accept the user name.' },
    PROTECTED_USER: { description: 'Slack or this gateway protects the account from the change.' },
    USER_INACTIVE: {
      description: 'The account is deactivated, and the change would reactivate it without your consent.',
    },
    PROFILE_FIELDS_DROPPED: { description: 'The write took effect, but Slack did not keep some fields.' },
    GUEST_NOT_ALLOWED: { description: 'Guests are not available here, or the person cannot be one.' },
    GROUP_LIMIT: { description: "A group or a call is beyond Slack's limits." },
    GROUP_MEMBER_REFUSED: {
      description: 'The person cannot be a member of the group: unknown, deactivated, a bot, or a guest.',
    },
    GROUP_MEMBERS_INCOMPLETE: {
      description: 'The change of a group took effect except for some members; see `memberProblems`.',
    },
    GROUP_LINKED_TO_CHANNELS: {
      description: 'The group decides who may enter some channels; unlink it in Slack before it can be deleted.',
    },
    PROTECTED_GROUP: { description: 'Slack keeps the group itself, or the token lacks the rank to change it.' },
    AMBIGUOUS_GROUP: { description: 'Several groups have the name; name the group by its slackId.' },
    RATE_LIMITED: { description: "Slack's rate limit leaves no room in the time of this call." },
    RESOURCE_LOCKED: { description: 'Slack is busy with another write to the same person or group.' },
    UPSTREAM_UNAVAILABLE: { description: 'Slack does not answer, or answers with server errors; nothing was written.' },
    UPSTREAM_REJECTED: { description: 'Slack refused for another reason; its own code is in `slackCode`.' },
    UPSTREAM_OUTCOME_UNKNOWN: { description: 'A write was sent and could not be confirmed in time.' },
    GUARDRAIL_EXCEEDED: { description: 'The change is larger than a guardrail allows without confirmation.' },
    PLAN_STALE: { description: 'The plan no longer fits what is in Slack.' },
    OPERATION_NOT_CANCELABLE: { description: 'The operation has ended or cannot be stopped any more.' },
    INTERNAL: { description: 'A defect of the gateway; the request id finds it in the log.' },
  },
});

registerEnumType(ProtectionReasonEnum, {
  name: 'ProtectionReason',
  description: 'Why an account is protected from a change.',
  valuesConfig: {
    PRIMARY_OWNER: { description: 'The Primary Owner cannot be deactivated over SCIM by anybody.' },
    OWNER: { description: "Only the Primary Owner's token may change owners." },
    INSTALLER: { description: 'The connection works with the token of this person.' },
    BOT: { description: 'Bots cannot be changed over SCIM.' },
    ERASED: { description: 'The account was erased for data protection and cannot be changed.' },
    ADMIN_OR_OWNER: { description: 'Slack makes no guest of an Admin or an Owner; it does not say which it is.' },
    HIGHER_RANK: { description: 'The account has more rights than the person whose token is used.' },
  },
});

/** A problem as plain data; `kind` names the GraphQL type. */
export interface ProblemNode {
  readonly kind: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly path?: readonly string[];
  readonly retryable: boolean;
  readonly remedy?: string;
}

@InterfaceType('Problem', {
  description:
    'An expected failure of a mutation, or something to know about a success. Clients decide by `code`; `message` and `remedy` are for people.',
  resolveType: (problem: ProblemNode) => problem.kind,
})
export abstract class ProblemType {
  @Field(() => ProblemCodeEnum, { description: 'What kind of problem it is.' })
  readonly code!: ErrorCode;

  @Field(() => String, { description: 'What happened, in one sentence.' })
  readonly message!: string;

  @Field(() => [String], { nullable: true, description: 'The input field at fault, from the root of the arguments.' })
  readonly path?: readonly string[];

  @Field(() => Boolean, { description: 'Whether the same call may succeed later without anybody changing anything.' })
  readonly retryable!: boolean;

  @Field(() => String, { nullable: true, description: 'What to do about it.' })
  readonly remedy?: string;
}

@ObjectType('GenericProblem', {
  implements: ProblemType,
  description: 'A problem that carries nothing beyond the common fields.',
})
export class GenericProblemType extends ProblemType {}

@ObjectType('ConnectionProblem', {
  implements: ProblemType,
  description: "A problem of a connection's grant, such as a revoked token or a plan without provisioning.",
})
export class ConnectionProblemType extends ProblemType {
  @Field(() => String, { nullable: true, description: 'What exactly was seen, for the person who repairs it.' })
  readonly detail?: string;
}

@ObjectType('MissingScopesProblem', { implements: ProblemType, description: 'The grant lacks OAuth scopes.' })
export class MissingScopesProblemType extends ProblemType {
  @Field(() => [String], { description: 'The scopes that are needed and were not granted.' })
  readonly missingScopes!: readonly string[];
}

@ObjectType('DuplicateConnectionProblem', {
  implements: ProblemType,
  description: 'The tenant has a connection to this Slack team already.',
})
export class DuplicateConnectionProblemType extends ProblemType {
  @Field(() => ID, { description: 'The connection that exists.' })
  readonly existingConnectionId!: string;
}

@ObjectType('EmailTakenProblem', { implements: ProblemType, description: 'Another account holds the e-mail address.' })
export class EmailTakenProblemType extends ProblemType {
  @Field(() => UserType, { nullable: true, description: 'Who holds it, as far as Slack shows the account.' })
  readonly heldBy?: DirectoryUserNode;
}

@ObjectType('ProtectedUserProblem', {
  implements: ProblemType,
  description: 'The account is protected from the change.',
})
export class ProtectedUserProblemType extends ProblemType {
  @Field(() => ProtectionReasonEnum, { description: 'Why it is protected.' })
  readonly reason!: ProtectionReason;
}

@ObjectType('InactiveUserProblem', {
  implements: ProblemType,
  description:
    'The account is deactivated, and the change would reactivate it without your consent. Nothing was written.',
})
export class InactiveUserProblemType extends ProblemType {
  @Field(() => UserType, { description: 'The account as it is.' })
  readonly user!: DirectoryUserNode;
}

@ObjectType('ProfileFieldsDroppedProblem', {
  implements: ProblemType,
  description: 'The write took effect, but Slack did not keep some fields as they were sent.',
})
export class ProfileFieldsDroppedProblemType extends ProblemType {
  @Field(() => [String], { description: 'The fields of the input that Slack did not keep.' })
  readonly fields!: readonly string[];
}

@ObjectType('RateLimitedProblem', {
  implements: ProblemType,
  description: "Slack's rate limit, or a lock on the person, leaves no room in the time of this call.",
})
export class RateLimitedProblemType extends ProblemType {
  @Field(() => Int, { description: 'Try again after so many seconds.' })
  readonly retryAfterSeconds!: number;
}

@ObjectType('UpstreamProblem', { implements: ProblemType, description: 'Slack refused for a reason of its own.' })
export class UpstreamProblemType extends ProblemType {
  @Field(() => String, { description: "Slack's own code, e.g. `user_creation_failed`." })
  readonly slackCode!: string;

  @Field(() => Int, { description: "The HTTP status of Slack's answer." })
  readonly httpStatus!: number;
}

export const problemTypes = [
  GenericProblemType,
  ConnectionProblemType,
  MissingScopesProblemType,
  DuplicateConnectionProblemType,
  EmailTakenProblemType,
  ProtectedUserProblemType,
  InactiveUserProblemType,
  ProfileFieldsDroppedProblemType,
  RateLimitedProblemType,
  UpstreamProblemType,
] as const;
