import { Field, ObjectType, registerEnumType } from 'type-graphql';
import type { ConnectionEnvironment, InstallLevel } from '../../domain/connections/connection';
import type { ErrorCode } from '../../domain/errors';
import { type Install, type InstallProblem, installStatuses } from '../../domain/installs/install';
import { ConnectionEnvironmentEnum, InstallLevelEnum } from '../connections/connection.input';
import { enumOf } from '../enums';
import { NodeType } from '../node.type';
import { ProblemCodeEnum, type ProblemNode, ProblemType } from '../problems/problem.type';
import { DateTimeScalar, UrlScalar } from '../scalars';

export const InstallStatusEnum = enumOf(installStatuses);

registerEnumType(InstallStatusEnum, {
  name: 'InstallStatus',
  description: 'How far an installation is.',
  valuesConfig: {
    OPEN: { description: 'The person has not finished it; `problem` says why the latest attempt failed, if one did.' },
    COMPLETED: { description: 'Slack is connected; see `connection`.' },
    EXPIRED: { description: 'It was not finished in time. Begin a new one.' },
  },
});

/** The node, and the address that exists only in the answer of the mutation that made it. */
export type InstallNode = Install & { readonly authorizeUrl?: string };

@ObjectType('InstallProblem', { description: 'Why an attempt to install failed.' })
export class InstallProblemType {
  @Field(() => ProblemCodeEnum, { description: 'What kind of problem it is.' })
  readonly code!: ErrorCode;

  @Field(() => String, { description: 'What happened, in one sentence.' })
  readonly message!: string;

  @Field(() => String, { nullable: true, description: 'Who must do what.' })
  readonly remedy?: string;

  @Field(() => String, { nullable: true, description: 'What exactly was seen.' })
  readonly detail?: string;
}

@ObjectType('Install', {
  implements: NodeType,
  description: 'An installation that you began, and that a person at your customer finishes in a browser.',
})
export class InstallType extends NodeType {
  @Field(() => InstallLevelEnum, {
    nullable: true,
    description: 'What must be granted; null while the person may choose.',
  })
  readonly level?: InstallLevel;

  @Field(() => ConnectionEnvironmentEnum, { description: 'Which Slack it is for.' })
  readonly environment!: ConnectionEnvironment;

  @Field(() => String, { description: 'The name that the connection will have.' })
  readonly name!: string;

  @Field(() => String, { nullable: true, description: 'The externalId that the connection will have.' })
  readonly externalId?: string;

  @Field(() => UrlScalar, {
    nullable: true,
    description:
      'Where to send the person, in the answer of startInstall only: the gateway keeps no more than a hash of it. It leads to a page of the gateway and from there to Slack.',
  })
  readonly authorizeUrl?: string;

  @Field(() => DateTimeScalar, { description: 'Until when it can be finished.' })
  readonly expiresAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When Slack was connected.' })
  readonly completedAt?: Date;

  @Field(() => InstallProblemType, {
    nullable: true,
    description: 'What was wrong with the latest attempt; null when there was none, or when one succeeded.',
  })
  readonly problem?: InstallProblem;
}

@ObjectType('ConnectLink', { description: "A link for your customer's Slack admin to a page of this gateway." })
export class ConnectLinkType {
  @Field(() => UrlScalar, {
    description:
      'The address, shown here only. Whoever has it can connect one Slack for you, so give it to that customer alone.',
  })
  readonly url!: string;

  @Field(() => DateTimeScalar, { description: 'Until when it is valid. It works once.' })
  readonly expiresAt!: Date;

  @Field(() => InstallType, { description: 'The installation behind it, to ask how far it is.' })
  readonly install!: InstallNode;
}

@ObjectType('StartInstallPayload', { description: 'Answer of startInstall.' })
export class StartInstallPayloadType {
  @Field(() => InstallType, { nullable: true, description: 'The installation that was begun.' })
  readonly install?: InstallNode;

  @Field(() => [ProblemType], { description: 'What went wrong; empty when all went well.' })
  readonly problems!: readonly ProblemNode[];

  @Field(() => String, { description: "Names this request in the gateway's log." })
  readonly requestId!: string;
}

@ObjectType('ConnectLinkPayload', { description: 'Answer of createConnectLink.' })
export class ConnectLinkPayloadType {
  @Field(() => ConnectLinkType, { nullable: true, description: 'The link that was made.' })
  readonly link?: ConnectLinkType;

  @Field(() => [ProblemType], { description: 'What went wrong; empty when all went well.' })
  readonly problems!: readonly ProblemNode[];

  @Field(() => String, { description: "Names this request in the gateway's log." })
  readonly requestId!: string;
}
