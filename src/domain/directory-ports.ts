import type { ConnectionEnvironment } from './connections/connection';
import type { Action } from './connections/scopes';
import type { DirectoryGroup } from './directory/group';
import type { DirectoryUser, UserChanges, UserDraft } from './directory/user';
import type { TokenSource, UpstreamCall } from './ports';

export interface DirectoryTarget {
  readonly environment: ConnectionEnvironment;
  /** What shares one budget of Slack's limits: the Slack team. Cache keys start with it. */
  readonly budgetKey: string;
  readonly tokens: TokenSource;
}

export interface UserSlice {
  readonly users: readonly DirectoryUser[];
  readonly totalResults: number;
  readonly startIndex: number;
  /** How many places of the list the page covers; more than `users` when entries were unreadable or came twice. */
  readonly entryCount: number;
}

export interface AddressSlice {
  /** Of everybody on the page, primary and secondary. */
  readonly addresses: readonly string[];
  readonly totalResults: number;
  /** As in UserSlice. */
  readonly entryCount: number;
}

export interface GroupSlice {
  readonly groups: readonly DirectoryGroup[];
  readonly totalResults: number;
  readonly startIndex: number;
  /** As in UserSlice. */
  readonly entryCount: number;
}

/** What one call does to the members of a group. Ids are Slack's. */
export type MembershipChange =
  | { readonly remove: readonly string[]; readonly add: readonly string[] }
  | { readonly replaceWith: readonly string[] };

/** The filters that Slack evaluates itself. */
export type UpstreamUserFilter = { readonly email: string } | { readonly userName: string } | { readonly guest: true };

/** The SCIM data source: a client per connection, bound to a token source and never to a token. */
export interface SlackDirectory {
  for(target: DirectoryTarget): DirectoryClient;
  /** What is left of Slack's limits, over all replicas. Empty when the gateway keeps no budget. */
  budgetOf(budgetKey: string): Promise<readonly RateBudget[]>;
  /** The same for many at once. Empty when the gateway keeps no budget. */
  budgetsOf(budgetKeys: readonly string[]): Promise<ReadonlyMap<string, readonly RateBudget[]>>;
}

export interface RateBudget {
  /** The row of Slack's table, e.g. `users.create`. */
  readonly endpointClass: string;
  readonly limitPerMinute: number;
  readonly burst: number;
  /** Calls that can be made now. */
  readonly remaining: number;
  /** How many of the burst bulk work leaves to others. */
  readonly reserve: number;
  /** Set while Slack's own Retry-After is running. */
  readonly blockedUntil?: Date;
}

/**
 * One Slack team's people and groups over SCIM 2.0. Reads repeat what failed in passing within the call's deadline. Writes never
 * repeat blindly: when an answer is lost they throw UpstreamOutcomeUnknown, and the caller settles it by reading.
 *
 * All methods may throw: ConnectionProblem (the grant), RateLimited and ResourceLocked (retryAfterSeconds, when the wait
 * would pass the deadline), UpstreamUnavailable, UpstreamRejected (slackCode, httpStatus).
 */
export interface DirectoryClient {
  /** The cheapest call that proves that SCIM answers for this token. */
  probe(call: UpstreamCall): Promise<void>;
  /** One page in Slack's order. @param startIndex 1-based. @param count 1..1000; Slack may return fewer. */
  listUsers(
    page: { startIndex: number; count: number; filter?: UpstreamUserFilter },
    call: UpstreamCall,
  ): Promise<UserSlice>;
  /** As listUsers, of the addresses alone, for whoever walks through a whole roster. */
  listAddresses(page: { startIndex: number; count: number }, call: UpstreamCall): Promise<AddressSlice>;
  /** Everybody, active or not, who holds the address (primary or secondary), or carries the user name. */
  findUsers(by: { email: string } | { userName: string }, call: UpstreamCall): Promise<readonly DirectoryUser[]>;
  /** @returns undefined when Slack knows no such person. */
  getUser(slackId: string, call: UpstreamCall): Promise<DirectoryUser | undefined>;
  /**
   * @returns the account as Slack answered it; undefined when the answer was a success without a readable body.
   * @throws EmailTaken (heldBy not filled), UserNameUnavailable, UserNameInvalid, GuestNotAllowed, InvalidInput, UpstreamOutcomeUnknown
   */
  createUser(draft: UserDraft & { readonly userName: string }, call: UpstreamCall): Promise<DirectoryUser | undefined>;
  /**
   * Sends the differences only. `current` is the account as last read: paths such as emails[value eq "…"] need it.
   * @param extra.active reactivates or deactivates in the same request.
   * @returns as createUser; undefined also when the answer had no body.
   * @throws as createUser, and NotFound, ProtectedUser
   */
  updateUser(
    current: DirectoryUser,
    changes: UserChanges,
    extra: { readonly active?: boolean; readonly action: Action },
    call: UpstreamCall,
  ): Promise<DirectoryUser | undefined>;
  /**
   * One page of groups in Slack's order.
   * @param page.withMembers asks for the members of each group, too; without it they may come or not.
   */
  listGroups(
    page: { startIndex: number; count: number; withMembers: boolean },
    call: UpstreamCall,
  ): Promise<GroupSlice>;
  /** Every group of this name, whatever the case. Their members may come or not. */
  findGroups(name: string, call: UpstreamCall): Promise<readonly DirectoryGroup[]>;
  /** @returns undefined when Slack knows no such group. */
  getGroup(
    slackId: string,
    options: { readonly withMembers: boolean },
    call: UpstreamCall,
  ): Promise<DirectoryGroup | undefined>;
  /**
   * Slack keeps names of groups not unique: sent twice it makes two groups.
   * @returns the group as Slack answered it; undefined when the answer was a success without a readable body.
   * @throws GroupMembersRefused (then there is no group), GroupLimit, GroupNameTaken (heldBy not filled), UpstreamOutcomeUnknown
   */
  createGroup(
    draft: { readonly name: string; readonly memberSlackIds: readonly string[] },
    call: UpstreamCall,
  ): Promise<DirectoryGroup | undefined>;
  /** @throws NotFound, ProtectedGroup, GroupNameTaken, UpstreamOutcomeUnknown */
  renameGroup(slackId: string, name: string, call: UpstreamCall): Promise<void>;
  /**
   * All of it or nothing. Repeating it changes nothing.
   * @param change at most MEMBERS_PER_CALL people; removals come first, so that they make room.
   * @throws NotFound, ProtectedGroup, GroupMembersRefused, GroupLimit, UpstreamOutcomeUnknown
   */
  changeGroupMembers(slackId: string, change: MembershipChange, call: UpstreamCall): Promise<void>;
  /** @throws NotFound, ProtectedGroup, GroupLinkedToChannels, UpstreamOutcomeUnknown */
  deleteGroup(slackId: string, call: UpstreamCall): Promise<void>;
}
