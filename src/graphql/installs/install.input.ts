import { Field, ID, InputType, Int } from 'type-graphql';
import type { ConnectionEnvironment, InstallLevel } from '../../domain/connections/connection';
import { ConnectionEnvironmentEnum, InstallLevelEnum } from '../connections/connection.input';

const returnUrlText =
  "Where the person goes afterwards: an https address that begins with one that the gateway's operator has allowed. The query gets `install`, `status` (`connected`, `denied` or `failed`) and, once connected, `connection`.";
const connectionIdText =
  'A connection to repair: it keeps its id, name and externalId, and only its own Slack team is accepted. A new connection when absent.';

@InputType('StartInstallInput', { description: 'Input of startInstall.' })
export class StartInstallInput {
  @Field(() => String, { description: "A name for people, such as the customer's; 1 to 200 characters." })
  readonly name!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Your own id of this customer, unique within your tenant; at most 255 characters.',
  })
  readonly externalId?: string | null;

  @Field(() => ConnectionEnvironmentEnum, { description: 'Which Slack the customer uses.' })
  readonly environment!: ConnectionEnvironment;

  @Field(() => InstallLevelEnum, {
    description:
      'What the app is to be installed on. The person chooses it in a menu of Slack that nothing can preset; when another level is granted, nothing is saved.',
  })
  readonly level!: InstallLevel;

  @Field(() => String, { nullable: true, description: returnUrlText })
  readonly returnUrl?: string | null;

  @Field(() => ID, { nullable: true, description: connectionIdText })
  readonly connectionId?: string | null;
}

@InputType('CreateConnectLinkInput', { description: 'Input of createConnectLink.' })
export class CreateConnectLinkInput {
  @Field(() => String, { description: "A name for people, such as the customer's; 1 to 200 characters." })
  readonly name!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Your own id of this customer, unique within your tenant; at most 255 characters.',
  })
  readonly externalId?: string | null;

  @Field(() => ConnectionEnvironmentEnum, { description: 'Which Slack the customer uses.' })
  readonly environment!: ConnectionEnvironment;

  @Field(() => String, { nullable: true, description: returnUrlText })
  readonly returnUrl?: string | null;

  @Field(() => ID, { nullable: true, description: connectionIdText })
  readonly connectionId?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'For how long the link is valid, 1 to 720 hours; as the operator has set it (72) when absent.',
  })
  readonly expiresInHours?: number | null;
}
