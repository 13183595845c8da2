import { Arg, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Connection, ConnectionId } from '../../domain/connections/connection';
import type { Mapping } from '../../domain/mapping/mapping';
import type { MappingService } from '../../domain/mapping/mapping.service';
import type { MappingPreviewService } from '../../domain/mapping/mapping-preview.service';
import { ConnectionType } from '../connections/connection.type';
import { callerOf, type GraphQLContext } from '../context';
import { afterArgument, decodeCursor, encodeCursor, firstArgument, type Page, pageOf, parseFirst } from '../page.type';
import { asPayload } from '../problems/problem-node';
import { PreviewMappingInput, SetMappingInput } from './mapping.input';
import { MappingPageType, MappingPayloadType, MappingType } from './mapping.type';
import { MappingPreviewType } from './mapping-preview.type';
import { toPreviewRow } from './preview-node';

@Resolver(() => ConnectionType)
export class ConnectionMappingResolver {
  constructor(private readonly mappings: MappingService) {}

  @FieldResolver(() => MappingType, {
    nullable: true,
    description:
      'The mapping in force; null when none was set. Records are provisioned through it. Permission: CONNECTIONS_READ.',
  })
  mapping(@Root() connection: Connection, @Ctx() context: GraphQLContext): Promise<Mapping | undefined> {
    return context.loaders.mapping(callerOf(context), connection);
  }

  @FieldResolver(() => MappingPageType, {
    description: 'Every mapping that was set, newest first. Permission: CONNECTIONS_READ.',
  })
  async mappingVersions(
    @Root() connection: Connection,
    @Arg('first', () => Int, firstArgument) first: number | null,
    @Arg('after', () => String, afterArgument) after: string | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<Page<Mapping>> {
    const beforeVersion = after === undefined || after === null ? undefined : decodeCursor(after, parseVersion);
    const page = { first: parseFirst(first), beforeVersion };
    const { items, hasMore, totalCount } = await this.mappings.versions(callerOf(context), connection, page);
    const edges = items.map((node) => ({ cursor: encodeCursor(node.version), node }));
    return pageOf(edges, { hasMore, isFirst: beforeVersion === undefined, totalCount });
  }
}

@Resolver(() => MappingType)
export class MappingResolver {
  constructor(
    private readonly mappings: MappingService,
    private readonly previews: MappingPreviewService,
  ) {}

  @Query(() => MappingPreviewType, {
    description:
      'Shows what a mapping makes of sample records, and why, without changing anything. Permission: CONNECTIONS_READ, and USERS_READ with `checkSlack`.',
  })
  previewMapping(
    @Arg('input', () => PreviewMappingInput, { description: 'The records, and a mapping to try.' })
    { connectionId, rows, mapping, checkSlack }: PreviewMappingInput,
    @Ctx() context: GraphQLContext,
  ) {
    const id = connectionId as ConnectionId;
    return asPayload(
      context,
      async (caller) => {
        const { people, problems } = await this.previews.preview(caller, {
          connectionId: id,
          rows,
          mapping: mapping ?? undefined,
          checkSlack: checkSlack ?? false,
        });
        return { rows: people.map((person, index) => toPreviewRow(id, person, index)), problems };
      },
      { failure: { rows: [] }, connectionId },
    );
  }

  @Mutation(() => MappingPayloadType, {
    description:
      'Sets how records of your own system become Slack users, as a new version that is in force at once. All of it is checked, and every mistake comes back with its path; then nothing is set. Setting what is in force already makes no new version. People who exist change only when they are provisioned again. Permission: CONNECTIONS_WRITE.',
  })
  setMapping(
    @Arg('input', () => SetMappingInput, { description: 'The connection and its mapping.' })
    { connectionId, mapping, ifVersion }: SetMappingInput,
    @Ctx() context: GraphQLContext,
  ) {
    const id = connectionId as ConnectionId;
    context.loaders.forget(id);
    return asPayload(
      context,
      (caller) => this.mappings.set(caller, { connectionId: id, mapping, ifVersion: ifVersion ?? undefined }),
      { failure: { mapping: undefined }, connectionId },
    );
  }
}

function parseVersion(decoded: unknown): number | undefined {
  return typeof decoded === 'number' && Number.isSafeInteger(decoded) && decoded > 0 ? decoded : undefined;
}
