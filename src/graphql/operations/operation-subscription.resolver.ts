import { Arg, ID, Resolver, Root, Subscription } from 'type-graphql';
import type { Operation, OperationId } from '../../domain/operations/operation';
import type { GraphQLContext } from '../context';
import { OperationType } from './operation.type';
import { type OperationNode, toOperationNode } from './operation-node';

@Resolver()
export class OperationSubscriptionResolver {
  @Subscription(() => OperationType, {
    description:
      'An operation as it is, and again while it gets on, at most once a second; the stream ends when the operation has ended. A client that comes back misses nothing. Permission: USERS_READ.',
    subscribe: ({ args, context }: { args: { id: string }; context: GraphQLContext }) =>
      progressOf(context, args.id as OperationId),
  })
  operationProgress(
    @Root() operation: Operation,
    @Arg('id', () => ID, { description: 'The operation.' }) _id: string,
  ): OperationNode {
    return toOperationNode(operation);
  }
}

function progressOf({ watchOperation }: GraphQLContext, id: OperationId) {
  if (!watchOperation) throw new Error('This way in cannot hold a subscription');
  return watchOperation(id);
}
