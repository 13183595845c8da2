import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { ConnectionId } from '../../domain/connections/connection';
import type { ConnectionRotationService } from '../../domain/connections/connection-rotation.service';
import type { GraphQLContext } from '../context';
import { asPayload } from '../problems/problem-node';
import { ConnectionIdInput } from './connection.input';
import { ConnectionPayloadType } from './connection.type';

const failure = { connection: undefined };

@Resolver()
export class ConnectionRotationResolver {
  constructor(private readonly rotation: ConnectionRotationService) {}

  @Mutation(() => ConnectionPayloadType, {
    description:
      'Refreshes the token now. It is never needed: the gateway refreshes tokens by itself before they end. A token that was refreshed less than a minute ago stays as it is. The connection comes back also when Slack refuses. Permission: CONNECTIONS_WRITE.',
  })
  refreshToken(
    @Arg('input', () => ConnectionIdInput, { description: 'The connection.' }) { id }: ConnectionIdInput,
    @Ctx() context: GraphQLContext,
  ) {
    context.loaders.forget(id as ConnectionId);
    return asPayload(
      context,
      async (caller) => {
        const { connection, problem } = await this.rotation.refreshToken(caller, id as ConnectionId);
        return { connection, problems: problem ? [problem] : [] };
      },
      { failure, connectionId: id },
    );
  }

  @Mutation(() => ConnectionPayloadType, {
    description:
      "Moves a token without end into rotation: Slack gives a token of 12 hours in its place, which the gateway refreshes from then on. For a token of the gateway's own app, once its rotation is switched on at Slack. Changes nothing when the token rotates already. Permission: CONNECTIONS_WRITE.",
  })
  enableTokenRotation(
    @Arg('input', () => ConnectionIdInput, { description: 'The connection.' }) { id }: ConnectionIdInput,
    @Ctx() context: GraphQLContext,
  ) {
    context.loaders.forget(id as ConnectionId);
    return asPayload(
      context,
      async (caller) => ({ connection: await this.rotation.enableTokenRotation(caller, id as ConnectionId) }),
      { failure, connectionId: id },
    );
  }
}
