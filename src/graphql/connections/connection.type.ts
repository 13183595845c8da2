import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import {
  type Connection,
  type ConnectionEnvironment,
  type ConnectionStatus,
  type InstallLevel,
  type TokenKind,
  type TokenStatus,
  tokenKinds,
  tokenStatuses,
} from '../../domain/connections/connection';
import { issueActors } from '../../domain/connections/connection-problem';
import type { ErrorCode } from '../../domain/errors';
import { enumOf } from '../enums';
import { NodeType } from '../node.type';
import { PageInfoType } from '../page.type';
import { ProblemCodeEnum, type ProblemNode, ProblemType } from '../problems/problem.type';
import { DateTimeScalar, UrlScalar } from '../scalars';
import { ConnectionEnvironmentEnum, ConnectionStatusEnum, InstallLevelEnum } from './connection.input';

export const TokenKindEnum = enumOf(tokenKinds);
export const TokenStatusEnum = enumOf(tokenStatuses);
export const IssueActorEnum = enumOf(issueActors);

registerEnumType(TokenKindEnum, {
  name: 'TokenKind',
  description: 'On whose behalf a token acts.',
  valuesConfig: {
    USER: { description: 'A person: the only kind that can provision.' },
    BOT: { description: 'A bot.' },
  },
});
registerEnumType(TokenStatusEnum, {
  name: 'TokenStatus',
  description: 'Whether a token is in use.',
  valuesConfig: {
    ACTIVE: { description: 'In use.' },
    EXPIRED: { description: 'Past its end; erased.' },
    REVOKED: { description: 'Ended at Slack; erased.' },
    SUPERSEDED: { description: 'Replaced by another token, or forgotten at a disconnect; erased.' },
  },
});

registerEnumType(IssueActorEnum, {
  name: 'IssueActor',
  description: 'Who must act before an issue can end.',
  valuesConfig: {
    ADMIN: { description: "An Admin or Owner of the customer's workspace." },
    OWNER: { description: "An Owner of the customer's Slack, who can change its plan." },
    ORG_OWNER: { description: "An Org Owner of the customer's Enterprise organization." },
    OPERATOR: { description: 'Whoever runs this gateway.' },
    SLACK: { description: 'Slack: nobody can do anything but wait.' },
  },
});

@ObjectType('SlackWorkspace', { description: 'A Slack workspace.' })
export class SlackWorkspaceType {
  @Field(() => ID, { description: "Slack's id (T…)." })
  readonly slackId!: string;

  @Field(() => String, { description: 'Its name.' })
  readonly name!: string;

  @Field(() => UrlScalar, { nullable: true, description: 'Its address.' })
  readonly url?: string;
}

@ObjectType('SlackOrganization', { description: 'A Slack Enterprise organization.' })
export class SlackOrganizationType {
  @Field(() => ID, { description: "Slack's id (E…)." })
  readonly slackId!: string;

  @Field(() => String, { description: 'Its name.' })
  readonly name!: string;
}

@ObjectType('SlackInstaller', {
  description:
    'The person who installed the app. The connection works with their rights, so they cannot be deprovisioned through it.',
})
export class SlackInstallerType {
  @Field(() => ID, { description: "Slack's id of the person (U… or W…)." })
  readonly slackId!: string;

  @Field(() => String, { nullable: true, description: 'Their name in Slack.' })
  readonly displayName?: string;
}

@ObjectType('OAuthToken', {
  implements: NodeType,
  description:
    'What is known about the token of a connection. The token itself is sealed in the store and never shown.',
})
export class OAuthTokenType extends NodeType {
  @Field(() => TokenKindEnum, { description: 'On whose behalf it acts.' })
  readonly kind!: TokenKind;

  @Field(() => TokenStatusEnum, { description: 'Whether it is in use.' })
  readonly status!: TokenStatus;

  @Field(() => [String], { description: 'OAuth scopes that Slack granted, as last seen.' })
  readonly grantedScopes!: readonly string[];

  @Field(() => [String], { description: 'OAuth scopes that this gateway needs.' })
  readonly requiredScopes!: readonly string[];

  @Field(() => [String], { description: 'OAuth scopes that are needed and not granted.' })
  readonly missingScopes!: readonly string[];

  @Field(() => String, { description: 'Enough to recognise the token, e.g. `xoxp-…9f3a`.' })
  readonly hint!: string;

  @Field(() => String, {
    description: 'A keyed hash: equal for equal tokens within a tenant, and of no use elsewhere.',
  })
  readonly fingerprint!: string;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ends; null for a token without end.' })
  readonly expiresAt?: Date;

  @Field(() => Boolean, { description: 'Whether the gateway can get a new one by itself.' })
  readonly refreshable!: boolean;

  @Field(() => DateTimeScalar, { description: 'When it was given to the gateway.' })
  readonly createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was last seen to work in a full check.' })
  readonly verifiedAt?: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was last refreshed.' })
  readonly refreshedAt?: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was last used, to the minute.' })
  readonly lastUsedAt?: Date;
}

@ObjectType('ConnectionIssue', { description: 'Something that keeps, or kept, a connection from working.' })
export class ConnectionIssueType {
  @Field(() => ProblemCodeEnum, { description: 'What kind of issue it is.' })
  readonly code!: ErrorCode;

  @Field(() => String, { description: 'What is wrong, in one sentence.' })
  readonly message!: string;

  @Field(() => String, { description: 'Who must do what.' })
  readonly remedy!: string;

  @Field(() => String, { nullable: true, description: 'What exactly was seen.' })
  readonly detail?: string;

  @Field(() => DateTimeScalar, { description: 'When it was first met.' })
  readonly since!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ended; null while it is open.' })
  readonly resolvedAt?: Date;
}

@ObjectType('Capability', { description: 'Something the gateway can do, and what it needs for it.' })
export class CapabilityType {
  @Field(() => String, { description: 'Name of the action, e.g. `user.provision`.' })
  readonly action!: string;

  @Field(() => [String], { description: 'OAuth user scopes that it needs.' })
  readonly requiredScopes!: readonly string[];

  @Field(() => InstallLevelEnum, { nullable: true, description: 'Install level that it needs; null for any.' })
  readonly installLevel?: InstallLevel;

  @Field(() => String, { description: 'What it does.' })
  readonly description!: string;
}

@ObjectType('ConnectionCapability', { description: 'Whether a connection can do something, and why not.' })
export class ConnectionCapabilityType {
  @Field(() => String, { description: 'Name of the action, as in `capabilities`.' })
  readonly action!: string;

  @Field(() => Boolean, { description: 'Whether a call would be let through now.' })
  readonly available!: boolean;

  @Field(() => [String], { description: 'OAuth user scopes that it needs.' })
  readonly requiredScopes!: readonly string[];

  @Field(() => [String], { description: 'Those that were not granted.' })
  readonly missingScopes!: readonly string[];

  @Field(() => String, { nullable: true, description: 'Why it is not available; null when it is.' })
  readonly reason?: string;
}

@ObjectType('RateBudget', {
  description: "What is left of one of Slack's rate limits, which all apps of a team share.",
})
export class RateBudgetType {
  @Field(() => String, {
    description: 'Which calls the limit counts, e.g. `users.create`; `reads` and `writes` count all of a kind.',
  })
  readonly endpointClass!: string;

  @Field(() => Int, { description: 'Calls that become available again each minute.' })
  readonly limitPerMinute!: number;

  @Field(() => Int, { description: 'Most calls at once.' })
  readonly burst!: number;

  @Field(() => Int, { description: 'Calls that can be made now. Other apps of the team may have used some of them.' })
  readonly remaining!: number;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Set while Slack has asked to wait.' })
  readonly blockedUntil?: Date;
}

@ObjectType('Connection', {
  implements: NodeType,
  description: "A customer's Slack: one workspace or one Enterprise organization, reached with one token.",
})
export class ConnectionType extends NodeType {
  @Field(() => String, { description: 'A name for people.' })
  readonly name!: string;

  @Field(() => String, {
    nullable: true,
    description: "The partner's own id of this customer, unique within the tenant.",
  })
  readonly externalId?: string;

  @Field(() => ConnectionEnvironmentEnum, { description: 'Which Slack it belongs to.' })
  readonly environment!: ConnectionEnvironment;

  @Field(() => ConnectionStatusEnum, { description: 'Whether it works; `issues` say why not.' })
  readonly status!: ConnectionStatus;

  @Field(() => InstallLevelEnum, { nullable: true, description: 'What the app was installed on.' })
  readonly installLevel?: InstallLevel;

  @Field(() => SlackWorkspaceType, { nullable: true, description: 'Set for a workspace install.' })
  readonly workspace?: SlackWorkspaceType;

  @Field(() => SlackOrganizationType, { nullable: true, description: 'Set for an organization install.' })
  readonly organization?: SlackOrganizationType;

  @Field(() => SlackInstallerType, { nullable: true, description: 'Whose rights the connection works with.' })
  readonly installer?: SlackInstallerType;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When the grant last passed a full check.' })
  readonly lastVerifiedAt?: Date;

  @Field(() => DateTimeScalar, { description: 'When it was created.' })
  readonly createdAt!: Date;

  @Field(() => DateTimeScalar, { description: 'When anything about it last changed.' })
  readonly updatedAt!: Date;
}

@ObjectType('ConnectionEdge', { description: 'One connection on a page, with the cursor to continue after.' })
export class ConnectionEdgeType {
  @Field(() => String, { description: 'Give it as `after` to continue behind this connection.' })
  readonly cursor!: string;

  @Field(() => ConnectionType, { description: 'The connection.' })
  readonly node!: Connection;
}

@ObjectType('ConnectionPage', { description: 'A page of connections, newest first.' })
export class ConnectionPageType {
  @Field(() => [ConnectionType], { description: 'The connections of this page.' })
  readonly nodes!: readonly Connection[];

  @Field(() => [ConnectionEdgeType], { description: 'The same connections with their cursors.' })
  readonly edges!: readonly ConnectionEdgeType[];

  @Field(() => PageInfoType, { description: 'Where the page lies in the list.' })
  readonly pageInfo!: PageInfoType;

  @Field(() => Int, { nullable: true, description: 'How many there are in all.' })
  readonly totalCount?: number | null;
}

@ObjectType('ConnectionPayload', { description: 'Answer of a mutation on a connection.' })
export class ConnectionPayloadType {
  @Field(() => ConnectionType, {
    nullable: true,
    description: 'The connection as it is now; null when nothing was created, found or allowed.',
  })
  readonly connection?: Connection;

  @Field(() => [ProblemType], { description: 'What went wrong; empty when all went well.' })
  readonly problems!: readonly ProblemNode[];

  @Field(() => String, { description: "Names this request in the gateway's log." })
  readonly requestId!: string;
}

@ObjectType('DeletedPayload', { description: 'Answer of a deletion.' })
export class DeletedPayloadType {
  @Field(() => ID, { nullable: true, description: 'Id of what was deleted; null when nothing was.' })
  readonly deletedId?: string;

  @Field(() => [ProblemType], { description: 'What went wrong; empty when all went well.' })
  readonly problems!: readonly ProblemNode[];

  @Field(() => String, { description: "Names this request in the gateway's log." })
  readonly requestId!: string;
}
