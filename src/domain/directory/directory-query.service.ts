import type { Caller } from '../access/access';
import type { Connection, ConnectionId } from '../connections/connection';
import { InvalidInput } from '../errors';
import type { DirectoryClient, UpstreamUserFilter, UserSlice } from '../ports';
import type { DirectoryAccess } from './directory-access';
import {
  type DirectoryUser,
  holdsEmail,
  isSameEmail,
  primaryEmailOf,
  type UserFilter,
  type UserSelector,
} from './user';
import { normalizeUserName } from './user-name';

export interface UserPage {
  readonly users: readonly { readonly user: DirectoryUser; readonly position: number }[];
  readonly hasMore: boolean;
  /** undefined when a filter is applied here and not by Slack: then only a full walk could count. */
  readonly totalCount: number | undefined;
  /** Where the walk stopped: the position to continue after, also when the page is empty. */
  readonly lastPosition: number;
}

/** Slack's largest page. */
const LARGEST_PAGE = 1000;
/** A filtered page stops after so many upstream pages and lets the caller continue, instead of walking a whole organization. */
const MOST_UPSTREAM_PAGES = 10;

/** Reads of people, live from Slack. */
export class DirectoryQueryService {
  constructor(private readonly access: DirectoryAccess) {}

  /**
   * One page in Slack's order.
   * @param page.after position (1-based index in Slack's list) to continue after; 0 begins.
   */
  async list(
    caller: Caller,
    connectionId: ConnectionId,
    filter: UserFilter,
    page: { first: number; after: number },
  ): Promise<UserPage> {
    const connection = await this.access.find(caller, connectionId, 'users:read');
    return this.access.use(caller, connection, (client) => this.walk(client, caller, filter, page));
  }

  /** @returns undefined when there is no such person. */
  async find(caller: Caller, connectionId: ConnectionId, by: UserSelector): Promise<DirectoryUser | undefined> {
    const connection = await this.access.find(caller, connectionId, 'users:read');
    return this.findIn(caller, connection, by);
  }

  private findIn(caller: Caller, connection: Connection, by: UserSelector): Promise<DirectoryUser | undefined> {
    return this.access.use(caller, connection, (client) => locate(client, caller, by));
  }

  private async walk(
    client: DirectoryClient,
    caller: Caller,
    filter: UserFilter,
    { first, after }: { first: number; after: number },
  ): Promise<UserPage> {
    const upstream = upstreamFilter(filter);
    const matches = localFilter(filter);
    const isExact = matches === undefined;
    const found: { user: DirectoryUser; position: number }[] = [];
    const seen = new Set<string>();
    let position = after;
    let firstIdOfPage: string | undefined;
    for (let round = 0; round < MOST_UPSTREAM_PAGES; round += 1) {
      const count = isExact ? first : LARGEST_PAGE;
      const slice = await client.listUsers({ startIndex: position + 1, count, filter: upstream }, caller);
      const totalCount = isExact ? slice.totalResults : undefined;
      if (endsList(slice, position, firstIdOfPage)) return pageOf(found, false, position, totalCount);
      firstIdOfPage = slice.users[0]?.slackId;
      const pageEnd = position + slice.entryCount;
      for (const [index, user] of slice.users.entries()) {
        // Entries that Slack repeats or garbles take places too, so the last person of a page stands at the page's end.
        position = index === slice.users.length - 1 ? pageEnd : position + 1;
        const isNew = !seen.has(user.slackId);
        seen.add(user.slackId);
        if (isNew && (matches?.(user) ?? true)) found.push({ user, position });
        if (found.length === first) {
          return pageOf(found, position < slice.totalResults, position, totalCount);
        }
      }
      position = pageEnd;
      const hasMore = position < slice.totalResults;
      if (isExact || !hasMore) return pageOf(found, hasMore, position, totalCount);
    }
    return pageOf(found, true, position, undefined);
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

export function bestHolder(users: readonly DirectoryUser[], email: string): DirectoryUser | undefined {
  const rank = (user: DirectoryUser) =>
    (isSameEmail(primaryEmailOf(user) ?? '', email) ? 2 : 0) + (user.active ? 1 : 0);
  return [...users].sort((left, right) => rank(right) - rank(left))[0];
}

/** A page past the end is empty, or repeats an earlier one: lists upstream are known to do both. */
function endsList(slice: UserSlice, position: number, firstIdOfPreviousPage: string | undefined): boolean {
  const isRepeated = firstIdOfPreviousPage !== undefined && slice.users[0]?.slackId === firstIdOfPreviousPage;
  return slice.entryCount === 0 || position >= slice.totalResults || isRepeated;
}

function pageOf(
  users: UserPage['users'],
  hasMore: boolean,
  lastPosition: number,
  totalCount: number | undefined,
): UserPage {
  return { users, hasMore, lastPosition, totalCount };
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
