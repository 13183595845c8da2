import { Arg, ID, Resolver, Root, Subscription } from 'type-graphql';
import type { Connection, ConnectionId } from '../../domain/connections/connection';
import type { GraphQLContext } from '../context';
import { ConnectionType } from './connection.type';

@Resolver()
export class ConnectionSubscriptionResolver {
  @Subscription(() => ConnectionType, {
    description:
      'A connection as it is after each change: of its status, its issues, its token, its name. With an id the state at the beginning comes first, so that a client that comes back misses nothing, and the stream ends when the connection is deleted; without one, every connection of your tenant is told of when it changes. Quick changes may come as one. Permission: CONNECTIONS_READ.',
    subscribe: ({ args, context }: { args: { id?: string | null }; context: GraphQLContext }) =>
      connectionStream(context, args.id ?? undefined),
  })
  connectionChanged(
    @Root() connection: Connection,
    @Arg('id', () => ID, { nullable: true, description: 'The connection; all of your tenant without it.' })
    _id: string | undefined,
  ): Connection {
    return connection;
  }
}

function connectionStream({ watchConnections }: GraphQLContext, id: string | undefined) {
  if (!watchConnections) throw new Error('This way in cannot hold a subscription');
  return watchConnections(id as ConnectionId | undefined);
}
