import { GraphQLInputObjectType, type GraphQLSchema } from 'graphql';
import { buildSchemaSync, type ContainerType, type PubSub } from 'type-graphql';
import { AccessResolver } from './access/access.resolver';
import { ConnectionResolver, OAuthTokenResolver } from './connections/connection.resolver';
import { ConnectionRotationResolver } from './connections/connection-rotation.resolver';
import { ConnectionSubscriptionResolver } from './connections/connection-subscription.resolver';
import { ConnectionGroupsResolver, GroupResolver } from './directory/group.resolver';
import { groupProblemTypes } from './directory/group-problem.type';
import { GuestResolver } from './directory/guest.resolver';
import { ConnectionUsersResolver, UserResolver } from './directory/user.resolver';
import { UserReferenceResolver } from './directory/user-reference.resolver';
import { InstallResolver } from './installs/install.resolver';
import { ConnectionIssueResolver, MissingScopesProblemResolver } from './installs/reconnect.resolver';
import { SealingKeyResolver } from './keys/sealing-key.resolver';
import { ConnectionMappingResolver, MappingResolver } from './mapping/mapping.resolver';
import { NodeResolver } from './node.resolver';
import { ConnectionOperationsResolver, OperationResolver } from './operations/operation.resolver';
import { OperationSubscriptionResolver } from './operations/operation-subscription.resolver';
import { problemTypes } from './problems/problem.type';

/** Inputs of which exactly one field is given. type-graphql cannot say it, so the built schema is told. */
const oneOfInputs = ['UserSelector', 'GroupSelector', 'ExpressionInput', 'ConditionInput'];

/** type-graphql makes the root types by itself, without a description. */
const rootDescriptions: Readonly<Record<string, string>> = {
  Query: 'What can be read. People and groups are read live from Slack, everything else from the gateway.',
  Mutation:
    'What can be changed. Expected failures are `problems` of the payload; `errors` are for the request itself.',
  Subscription:
    'What can be followed while it changes: over WebSocket at /graphql, or over server-sent events at /graphql/stream.',
};

export const resolverClasses = [
  AccessResolver,
  SealingKeyResolver,
  ConnectionResolver,
  OAuthTokenResolver,
  ConnectionRotationResolver,
  ConnectionSubscriptionResolver,
  ConnectionUsersResolver,
  UserResolver,
  GuestResolver,
  ConnectionGroupsResolver,
  GroupResolver,
  UserReferenceResolver,
  InstallResolver,
  ConnectionIssueResolver,
  MissingScopesProblemResolver,
  OperationResolver,
  ConnectionOperationsResolver,
  OperationSubscriptionResolver,
  ConnectionMappingResolver,
  MappingResolver,
  NodeResolver,
] as const;

/** type-graphql asks for one at every schema with a subscription. Ours bring their own streams and have no topics. */
const noTopics: PubSub = {
  publish: refuseTopics,
  subscribe: refuseTopics,
};

function refuseTopics(): never {
  throw new Error('Subscriptions of this schema have no topics');
}

/**
 * Builds the schema from the decorated classes.
 * @param container gives the instance of each class of `resolverClasses`.
 */
export function buildGraphQLSchema(container: ContainerType): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [...resolverClasses],
    orphanedTypes: [...problemTypes, ...groupProblemTypes],
    container,
    // Inputs are checked by the domain, which names field and remedy; class-validator would be a second set of rules.
    validate: false,
    // Apollo validates the schema when it starts; this would run an introspection query over it at every start as well.
    skipCheck: true,
    pubSub: noTopics,
  });
  for (const name of oneOfInputs) {
    const type = schema.getType(name);
    if (!(type instanceof GraphQLInputObjectType)) throw new Error(`${name} is no input type`);
    type.isOneOf = true;
  }
  for (const [name, description] of Object.entries(rootDescriptions)) {
    const type = schema.getType(name);
    if (type) type.description = description;
  }
  return schema;
}
