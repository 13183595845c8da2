import type { Caller } from '../access/access';
import type { Connection, ConnectionId } from '../connections/connection';
import type { DirectoryClient } from '../directory-ports';
import { InvalidInput } from '../errors';
import type { DirectoryAccess } from './directory-access';
import { type DirectoryGroup, type GroupFilter, type GroupSelector, isSameName } from './group';
import { locateGroup } from './group-lookup';
import { behind, LARGEST_PAGE, type RosterPosition } from './roster-position';

export interface GroupPage {
  readonly groups: readonly { readonly group: DirectoryGroup; readonly position: RosterPosition }[];
  readonly hasMore: boolean;
  /** undefined when a filter is applied here and not by Slack. */
  readonly totalCount: number | undefined;
  /** As in UserPage. */
  readonly lastPosition: RosterPosition;
}

/** With their members groups are large, so a page of them is put together from several of Slack's. */
const MOST_GROUPS_AT_ONCE = 50;
/** As with people: a filtered page stops here and lets the caller continue. */
const MOST_UPSTREAM_PAGES = 10;

/** Reads of groups, live from Slack. */
export class GroupQueryService {
  constructor(private readonly access: DirectoryAccess) {}

  /**
   * One page in Slack's order.
   * @param page.withMembers reads the members of each group, too, in the same calls.
   * @throws InvalidInput for a blank filter
   */
  async list(
    caller: Caller,
    connectionId: ConnectionId,
    filter: GroupFilter,
    page: { first: number; after: RosterPosition; withMembers: boolean },
  ): Promise<GroupPage> {
    const connection = await this.access.find(caller, connectionId, 'users:read');
    const matches = matcherOf(filter);
    return this.access.use(caller, connection, async (client) => {
      const { name } = filter;
      if (name !== undefined) return this.listNamed(client, caller, name, { ...page, matches });
      return this.walk(client, caller, { ...page, matches: filter.nameContains === undefined ? undefined : matches });
    });
  }

  /** @returns undefined when there is no such group. @throws AmbiguousGroup */
  async find(
    caller: Caller,
    connectionId: ConnectionId,
    by: GroupSelector,
    options: { withMembers: boolean },
  ): Promise<DirectoryGroup | undefined> {
    const connection = await this.access.find(caller, connectionId, 'users:read');
    return this.read(caller, connection, by, options);
  }

  private read(
    caller: Caller,
    connection: Connection,
    by: GroupSelector,
    { withMembers }: { withMembers: boolean },
  ): Promise<DirectoryGroup | undefined> {
    return this.access.use(caller, connection, (client) =>
      locateGroup(client, caller, by, { withMembers, path: ['by'] }),
    );
  }

  private async listNamed(
    client: DirectoryClient,
    caller: Caller,
    name: string,
    {
      first,
      after,
      withMembers,
      matches,
    }: { first: number; after: RosterPosition; withMembers: boolean; matches: (group: DirectoryGroup) => boolean },
  ): Promise<GroupPage> {
    const found = (await client.findGroups(name, caller)).filter(matches);
    const shown = await Promise.all(
      found.slice(after.index, after.index + first).map(async (group) => {
        if (!withMembers || group.members !== undefined) return group;
        return (await client.getGroup(group.slackId, { withMembers }, caller)) ?? group;
      }),
    );
    const groups = shown.map((group, order) => ({
      group,
      position: positionOf(after, group, after.index + order + 1),
    }));
    const lastPosition = groups.at(-1)?.position ?? after;
    return { groups, hasMore: found.length > lastPosition.index, totalCount: found.length, lastPosition };
  }

  private async walk(
    client: DirectoryClient,
    caller: Caller,
    {
      first,
      after,
      withMembers,
      matches,
    }: { first: number; after: RosterPosition; withMembers: boolean; matches?: (group: DirectoryGroup) => boolean },
  ): Promise<GroupPage> {
    const isExact = matches === undefined;
    const groups: { group: DirectoryGroup; position: RosterPosition }[] = [];
    let position = after;
    let totalCount: number | undefined;
    for (let round = 0; round < MOST_UPSTREAM_PAGES; round += 1) {
      // One more than is wanted tells whether there is a next page, which the stated total may not.
      const wanted = isExact ? first - groups.length + 1 : LARGEST_PAGE;
      const count = withMembers ? Math.min(wanted, MOST_GROUPS_AT_ONCE) : wanted;
      const slice = await client.listGroups({ startIndex: position.index + 1, count, withMembers }, caller);
      const { newcomers, end } = behind(position, { entries: slice.groups, entryCount: slice.entryCount });
      totalCount = isExact ? slice.totalResults : undefined;
      const hasMore = end > position.index && end < slice.totalResults;
      for (const [order, group] of newcomers.entries()) {
        if (groups.length === first) return { groups, hasMore: true, lastPosition: position, totalCount };
        position = positionOf(position, group, order === newcomers.length - 1 ? end : position.index + 1);
        if (matches?.(group) ?? true) groups.push({ group, position });
      }
      position = { ...position, index: end };
      if (!hasMore || groups.length === first) return { groups, hasMore, lastPosition: position, totalCount };
    }
    return { groups, hasMore: true, lastPosition: position, totalCount };
  }
}

function positionOf({ firstSlackId }: RosterPosition, { slackId }: DirectoryGroup, index: number): RosterPosition {
  return { index, lastSlackId: slackId, firstSlackId: firstSlackId ?? slackId };
}

function matcherOf({ name, nameContains }: GroupFilter): (group: DirectoryGroup) => boolean {
  for (const [field, value] of Object.entries({ name, nameContains })) {
    if (value === undefined || value.trim() !== '') continue;
    throw new InvalidInput(`${field} must not be blank.`, { path: ['filter', field] });
  }
  const needle = nameContains?.trim().toLowerCase();
  return (group) =>
    (name === undefined || isSameName(group.name, name)) &&
    (needle === undefined || group.name.toLowerCase().includes(needle));
}
