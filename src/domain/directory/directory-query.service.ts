import type { Caller } from '../access/access';
import type { Connection, ConnectionId } from '../connections/connection';
import type { DirectoryClient, UpstreamUserFilter } from '../directory-ports';
import { InvalidInput } from '../errors';
import type { DirectoryAccess } from './directory-access';
import { PeopleLookup } from './people-lookup';
import { behind, LARGEST_PAGE, type RosterPosition } from './roster-position';
import { bestHolder, type DirectoryUser, holdsEmail, type UserFilter, type UserSelector } from './user';
import { normalizeUserName } from './user-name';

export interface UserPage {
  readonly users: readonly { readonly user: DirectoryUser; readonly position: RosterPosition }[];
  readonly hasMore: boolean;
  /** undefined when a filter is applied here and not by Slack: then only a full walk could count. */
  readonly totalCount: number | undefined;
  /** Where the walk stopped: the position to continue after, also when the page is empty. */
  readonly lastPosition: RosterPosition;
}

/** A filtered page stops after so many upstream pages and lets the caller continue, instead of walking a whole organization. */
const MOST_UPSTREAM_PAGES = 10;

/** Reads of people, live from Slack. */
export class DirectoryQueryService {
  constructor(private readonly access: DirectoryAccess) {}

  /**
   * One page in Slack's order.
   * @param page.after position of an earlier page to continue after; rosterStart begins.
   */
  async list(
    caller: Caller,
    connectionId: ConnectionId,
    filter: UserFilter,
    page: { first: number; after: RosterPosition },
  ): Promise<UserPage> {
    const connection = await this.access.find(caller, connectionId, 'users:read');
    return this.access.use(caller, connection, (client) => this.walk(client, caller, filter, page));
  }

  /** @returns undefined when there is no such person. */
  async find(caller: Caller, connectionId: ConnectionId, by: UserSelector): Promise<DirectoryUser | undefined> {
    const connection = await this.access.find(caller, connectionId, 'users:read');
    return this.findIn(caller, connection, by);
  }

  /** @returns the accounts that are there, by Slack's id. Many cost less than a call each; see PeopleLookup. */
  async findMany(
    caller: Caller,
    connectionId: ConnectionId,
    slackIds: readonly string[],
  ): Promise<ReadonlyMap<string, DirectoryUser>> {
    const connection = await this.access.find(caller, connectionId, 'users:read');
    return this.access.use(caller, connection, (client) => new PeopleLookup(client, caller).byIds(slackIds));
  }

  private findIn(caller: Caller, connection: Connection, by: UserSelector): Promise<DirectoryUser | undefined> {
    return this.access.use(caller, connection, (client) => locate(client, caller, by));
  }

  private async walk(
    client: DirectoryClient,
    caller: Caller,
    filter: UserFilter,
    { first, after }: { first: number; after: RosterPosition },
  ): Promise<UserPage> {
    const upstream = upstreamFilter(filter);
    const matches = localFilter(filter);
    const isExact = matches === undefined;
    // One more than is wanted tells whether there is a next page, which the stated total may not.
    const count = isExact ? first + 1 : LARGEST_PAGE;
    const users: { user: DirectoryUser; position: RosterPosition }[] = [];
    let position = after;
    for (let round = 0; round < MOST_UPSTREAM_PAGES; round += 1) {
      const slice = await client.listUsers({ startIndex: position.index + 1, count, filter: upstream }, caller);
      const totalCount = isExact ? slice.totalResults : undefined;
      const { newcomers, end } = behind(position, { entries: slice.users, entryCount: slice.entryCount });
      const hasMore = end > position.index && end < slice.totalResults;
      for (const [order, user] of newcomers.entries()) {
        if (users.length === first) return { users, hasMore: true, lastPosition: position, totalCount };
        const index = order === newcomers.length - 1 ? end : position.index + 1;
        position = { index, lastSlackId: user.slackId, firstSlackId: position.firstSlackId ?? user.slackId };
        if (matches?.(user) ?? true) users.push({ user, position });
      }
      position = { ...position, index: end };
      if (isExact || !hasMore) return { users, hasMore, lastPosition: position, totalCount };
    }
    return { users, hasMore: true, lastPosition: position, totalCount: undefined };
  }
}

/**
 * Finds one person: by Slack id directly, otherwise by a filter. Of several who hold an address the one who has it as
 * primary comes first, then an active one.
 */
export async function locate(
  client: DirectoryClient,
  caller: Caller,
  by: UserSelector,
): Promise<DirectoryUser | undefined> {
  if ('slackId' in by) return client.getUser(by.slackId, caller);
  const users = await client.findUsers(by, caller);
  if ('userName' in by) return users[0];
  return bestHolder(users, by.email);
}

/** The one part of a filter that Slack evaluates; the most selective one, if there are several. */
function upstreamFilter({ email, userName, guest }: UserFilter): UpstreamUserFilter | undefined {
  if (email !== undefined) return { email };
  if (userName !== undefined) return { userName };
  return guest === true ? { guest: true } : undefined;
}

/** The rest of a filter, evaluated here; undefined when nothing is left. Slack documents no filter on `active`. */
function localFilter(filter: UserFilter): ((user: DirectoryUser) => boolean) | undefined {
  const { active, email, userName, nameContains, guest } = filter;
  const isAnyLeft =
    active !== undefined ||
    nameContains !== undefined ||
    guest === false ||
    [email, userName, guest].filter((part) => part !== undefined).length > 1;
  if (!isAnyLeft) return undefined;
  if (nameContains !== undefined && nameContains.trim() === '') {
    throw new InvalidInput('nameContains must not be blank.', { path: ['filter', 'nameContains'] });
  }
  const needle = nameContains?.trim().toLowerCase();
  return (user) =>
    (active === undefined || user.active === active) &&
    (email === undefined || holdsEmail(user, email)) &&
    (userName === undefined || user.userName.toLowerCase() === normalizeUserName(userName)) &&
    (guest === undefined || (user.guest !== undefined) === guest) &&
    (needle === undefined || namesOf(user).some((name) => name.toLowerCase().includes(needle)));
}

function namesOf(user: DirectoryUser): string[] {
  const fullName = [user.givenName, user.familyName].filter(Boolean).join(' ');
  return [user.displayName ?? '', user.userName, fullName];
}
