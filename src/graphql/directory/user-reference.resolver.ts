import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { DirectoryQueryService } from '../../domain/directory/directory-query.service';
import { callerOf, type GraphQLContext } from '../context';
import { AccountLoader } from './account-loader';
import { UserType } from './user.type';
import { type DirectoryUserNode, toUserNode } from './user-node';
import { type UserReferenceNode, UserReferenceType } from './user-reference.type';

@Resolver(() => UserReferenceType)
export class UserReferenceResolver {
  /** As long-lived as what else is remembered for one answer. */
  readonly #loaders = new WeakMap<object, AccountLoader>();

  constructor(private readonly directory: DirectoryQueryService) {}

  @FieldResolver(() => UserType, {
    nullable: true,
    description:
      'The account itself, live; null when Slack does not show it any more. The accounts of all the people in an answer are read together. Permission: USERS_READ.',
  })
  async account(
    @Root() { connectionId, slackId }: UserReferenceNode,
    @Ctx() context: GraphQLContext,
  ): Promise<DirectoryUserNode | undefined> {
    const loader = this.#loaders.get(context.loaders) ?? new AccountLoader(this.directory);
    this.#loaders.set(context.loaders, loader);
    const user = await loader.load(callerOf(context), connectionId, slackId);
    return user && toUserNode(connectionId, user);
  }
}
