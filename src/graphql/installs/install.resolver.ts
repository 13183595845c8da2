import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Connection, ConnectionId } from '../../domain/connections/connection';
import type { ConnectionQueryService } from '../../domain/connections/connection-query.service';
import type { InstallId, InstallStatus } from '../../domain/installs/install';
import type { InstallService } from '../../domain/installs/install.service';
import { ConnectionType } from '../connections/connection.type';
import { callerOf, type GraphQLContext } from '../context';
import { asPayload } from '../problems/problem-node';
import { CreateConnectLinkInput, StartInstallInput } from './install.input';
import {
  ConnectLinkPayloadType,
  type InstallNode,
  InstallStatusEnum,
  InstallType,
  StartInstallPayloadType,
} from './install.type';

@Resolver(() => InstallType)
export class InstallResolver {
  constructor(
    private readonly installs: InstallService,
    private readonly connections: ConnectionQueryService,
  ) {}

  @Query(() => InstallType, {
    nullable: true,
    description:
      "An installation that you began; null when it is unknown or another tenant's. It is kept for a while after its end. Permission: CONNECTIONS_READ.",
  })
  install(
    @Arg('id', () => ID, { description: 'The installation.' }) id: string,
    @Ctx() context: GraphQLContext,
  ): Promise<InstallNode | undefined> {
    return this.installs.find(callerOf(context), id as InstallId);
  }

  @Mutation(() => StartInstallPayloadType, {
    description:
      "Begins an installation through Slack's consent page, valid for one hour. Send the person to `install.authorizeUrl`. Permission: CONNECTIONS_WRITE.",
  })
  startInstall(
    @Arg('input', () => StartInstallInput, { description: 'The customer, and what to install on.' })
    input: StartInstallInput,
    @Ctx() context: GraphQLContext,
  ) {
    return asPayload(
      context,
      async (caller) => {
        const { level } = input;
        const { install, url } = await this.installs.startInstall(caller, { ...fieldsOf(input), level });
        return { install: { ...install, authorizeUrl: url.reveal() } };
      },
      { failure: { install: undefined } },
    );
  }

  @Mutation(() => ConnectLinkPayloadType, {
    description:
      "Makes a link to a page on which your customer's Slack admin connects Slack, by installing the app or with a token. The page needs no API key and no account. Permission: CONNECTIONS_WRITE.",
  })
  createConnectLink(
    @Arg('input', () => CreateConnectLinkInput, { description: 'The customer.' }) input: CreateConnectLinkInput,
    @Ctx() context: GraphQLContext,
  ) {
    return asPayload(
      context,
      async (caller) => {
        const { install, url } = await this.installs.createConnectLink(caller, {
          ...fieldsOf(input),
          expiresInHours: input.expiresInHours ?? undefined,
        });
        return { link: { url: url.reveal(), expiresAt: install.expiresAt, install } };
      },
      { failure: { link: undefined } },
    );
  }

  @FieldResolver(() => InstallStatusEnum, { description: 'How far it is.' })
  status(@Root() install: InstallNode): InstallStatus {
    return this.installs.statusOf(install);
  }

  @FieldResolver(() => ConnectionType, {
    nullable: true,
    description: 'The connection that came of it, or that it is to repair.',
  })
  async connection(
    @Root() { connectionId }: InstallNode,
    @Ctx() context: GraphQLContext,
  ): Promise<Connection | undefined> {
    return connectionId && this.connections.find(callerOf(context), connectionId);
  }
}

function fieldsOf(input: CreateConnectLinkInput | StartInstallInput) {
  const { name, externalId, environment, returnUrl, connectionId } = input;
  return {
    name,
    environment,
    externalId: externalId ?? undefined,
    returnUrl: returnUrl ?? undefined,
    connectionId: (connectionId ?? undefined) as ConnectionId | undefined,
  };
}
