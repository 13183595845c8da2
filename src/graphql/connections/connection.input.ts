import { Field, ID, InputType, registerEnumType } from 'type-graphql';
import {
  type ConnectionEnvironment,
  type ConnectionStatus,
  connectionEnvironments,
  connectionStatuses,
  installLevels,
} from '../../domain/connections/connection';
import { enumOf } from '../enums';

export const ConnectionStatusEnum = enumOf(connectionStatuses);
export const ConnectionEnvironmentEnum = enumOf(connectionEnvironments);
export const InstallLevelEnum = enumOf(installLevels);

registerEnumType(ConnectionStatusEnum, {
  name: 'ConnectionStatus',
  description: 'Whether a connection works.',
  valuesConfig: {
    PENDING: {
      description:
        'Reserved. A connection exists once an installation has succeeded; until then see the status of its `Install`.',
    },
    ACTIVE: { description: 'Calls are made and succeed.' },
    DEGRADED: { description: 'Slack is hard to reach; calls are still tried, and success ends this state.' },
    REAUTHORIZATION_REQUIRED: { description: 'No call is made until a person acts; `issues` say who must do what.' },
    PAUSED: { description: 'You paused it; no call is made.' },
    DISCONNECTED: { description: 'The token is gone; a new one opens the connection again.' },
  },
});
registerEnumType(ConnectionEnvironmentEnum, {
  name: 'ConnectionEnvironment',
  description: 'Which Slack a connection belongs to.',
  valuesConfig: {
    LIVE: { description: 'Slack itself (slack.com).' },
    GOV: { description: 'GovSlack (slack-gov.com).' },
    SANDBOX: { description: "The gateway's built-in simulator of Slack, for trying things out." },
  },
});
registerEnumType(InstallLevelEnum, {
  name: 'InstallLevel',
  description: 'What the app was installed on.',
  valuesConfig: {
    WORKSPACE: { description: 'A single workspace.' },
    ORGANIZATION: { description: 'A whole Enterprise organization.' },
  },
});

@InputType('ConnectionFilter', { description: 'Every given part must hold.' })
export class ConnectionFilterInput {
  @Field(() => [ConnectionStatusEnum], { nullable: true, description: 'Connections in one of these states.' })
  readonly status?: readonly ConnectionStatus[];

  @Field(() => ConnectionEnvironmentEnum, { nullable: true, description: 'Connections of this environment.' })
  readonly environment?: ConnectionEnvironment;

  @Field(() => String, { nullable: true, description: 'The connection with this externalId.' })
  readonly externalId?: string;

  @Field(() => String, { nullable: true, description: 'Connections whose name contains this text, whatever the case.' })
  readonly nameContains?: string;
}

@InputType('CreateConnectionInput', { description: 'Input of createConnection.' })
export class CreateConnectionInput {
  @Field(() => String, { description: "A name for people, such as the customer's; 1 to 200 characters." })
  readonly name!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Your own id of this customer, unique within your tenant; at most 255 characters.',
  })
  readonly externalId?: string | null;

  @Field(() => ConnectionEnvironmentEnum, { description: 'Which Slack the token belongs to.' })
  readonly environment!: ConnectionEnvironment;

  @Field(() => String, {
    description:
      'The user token (xoxp-…) of an app that an Admin or Owner installed with the user scope `admin`. It is never shown again.',
  })
  readonly token!: string;
}

@InputType('ReplaceTokenInput', { description: 'Input of replaceToken.' })
export class ReplaceTokenInput {
  @Field(() => ID, { description: 'The connection.' })
  readonly id!: string;

  @Field(() => String, { description: 'A new user token of the same Slack team. It is never shown again.' })
  readonly token!: string;
}

@InputType('ConnectionIdInput', { description: 'Names a connection.' })
export class ConnectionIdInput {
  @Field(() => ID, { description: 'The connection.' })
  readonly id!: string;
}

@InputType('UpdateConnectionInput', { description: 'Input of updateConnection. An absent field stays as it is.' })
export class UpdateConnectionInput {
  @Field(() => ID, { description: 'The connection.' })
  readonly id!: string;

  @Field(() => String, { nullable: true, description: 'New name; it cannot be cleared.' })
  readonly name?: string | null;

  @Field(() => String, { nullable: true, description: 'New externalId; null clears it.' })
  readonly externalId?: string | null;
}

@InputType('DisconnectInput', { description: 'Input of disconnect.' })
export class DisconnectInput {
  @Field(() => ID, { description: 'The connection.' })
  readonly id!: string;

  @Field(() => Boolean, {
    defaultValue: true,
    description:
      "Also end the token at Slack. Without token rotation this ends the installer's whole authorization of the app. Choose false to only forget the token here.",
  })
  readonly revokeToken!: boolean;
}
