import type { Action } from '../domain/connections/scopes';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A row of Slack's table of SCIM limits. `reads` and `writes` count every call of an organization. */
export type BudgetRow =
  | 'reads'
  | 'writes'
  | 'users.get'
  | 'users.create'
  | 'users.update'
  | 'users.delete'
  | 'groups.get'
  | 'groups.create'
  | 'groups.update'
  | 'groups.delete';

export interface RowLimit {
  readonly limitPerMinute: number;
  readonly burst: number;
}

/** Slack's SCIM rate limits. All SCIM apps of an organization share them. */
export const rowLimits: Readonly<Record<BudgetRow, RowLimit>> = {
  reads: { limitPerMinute: 1000, burst: 1000 },
  writes: { limitPerMinute: 600, burst: 180 },
  'users.get': { limitPerMinute: 300, burst: 300 },
  'users.create': { limitPerMinute: 180, burst: 20 },
  'users.update': { limitPerMinute: 180, burst: 20 },
  'users.delete': { limitPerMinute: 180, burst: 20 },
  'groups.get': { limitPerMinute: 300, burst: 300 },
  'groups.create': { limitPerMinute: 180, burst: 20 },
  'groups.update': { limitPerMinute: 180, burst: 80 },
  'groups.delete': { limitPerMinute: 180, burst: 20 },
};

/**
 * How much of each burst bulk work leaves untouched. Interactive calls find something there at once, on whichever replica
 * they come in; and calls that overtake each other on the way to Slack do not meet an empty bucket there.
 */
export function bulkReserve({ burst }: RowLimit): number {
  return Number.isFinite(burst) ? Math.ceil(burst / 10) : 0;
}

/** What a call counts in: its own row first, where it has one, and the row of the whole organization. */
export const budgetClasses = {
  'users.list': ['reads'],
  'users.get': ['users.get', 'reads'],
  'users.create': ['users.create', 'writes'],
  'users.update': ['users.update', 'writes'],
  'users.delete': ['users.delete', 'writes'],
  'groups.list': ['reads'],
  'groups.get': ['groups.get', 'reads'],
  'groups.create': ['groups.create', 'writes'],
  'groups.update': ['groups.update', 'writes'],
  'groups.delete': ['groups.delete', 'writes'],
} as const satisfies Record<string, readonly [BudgetRow, ...BudgetRow[]]>;

export type BudgetClass = keyof typeof budgetClasses;

export interface ScimEndpoint {
  readonly method: HttpMethod;
  /** Under `/scim/v2`; `{id}` stands for the person's or the group's id. */
  readonly path: '/Users' | '/Users/{id}' | '/Groups' | '/Groups/{id}';
  readonly budgetClass: BudgetClass;
  /** The action whose scopes the token needs, where the caller names no narrower one. */
  readonly action: Action;
  /** A larger answer is not read to its end. */
  readonly maxBodyBytes: number;
}

const ONE_PERSON_BYTES = 1_000_000;
/** 1,000 people with every field filled come to about 3 MB. */
const LIST_BYTES = 20_000_000;
/** 15,000 members, the most that a group is meant to have, come to about 1 MB; see `MOST_GROUPS_WITH_MEMBERS`. */
const ONE_GROUP_BYTES = 5_000_000;
const GROUP_LIST_BYTES = 50_000_000;

/** Every SCIM call of this product: where it goes, what it counts in, and which grant it needs. */
export const scimEndpoints = {
  probe: {
    method: 'GET',
    path: '/Users',
    budgetClass: 'users.list',
    action: 'connection.verify',
    maxBodyBytes: LIST_BYTES,
  },
  listUsers: {
    method: 'GET',
    path: '/Users',
    budgetClass: 'users.list',
    action: 'user.read',
    maxBodyBytes: LIST_BYTES,
  },
  getUser: {
    method: 'GET',
    path: '/Users/{id}',
    budgetClass: 'users.get',
    action: 'user.read',
    maxBodyBytes: ONE_PERSON_BYTES,
  },
  createUser: {
    method: 'POST',
    path: '/Users',
    budgetClass: 'users.create',
    action: 'user.provision',
    maxBodyBytes: ONE_PERSON_BYTES,
  },
  patchUser: {
    method: 'PATCH',
    path: '/Users/{id}',
    budgetClass: 'users.update',
    action: 'user.update',
    maxBodyBytes: ONE_PERSON_BYTES,
  },
  replaceUser: {
    method: 'PUT',
    path: '/Users/{id}',
    budgetClass: 'users.update',
    action: 'user.update',
    maxBodyBytes: ONE_PERSON_BYTES,
  },
  deleteUser: {
    method: 'DELETE',
    path: '/Users/{id}',
    budgetClass: 'users.delete',
    action: 'user.deprovision',
    maxBodyBytes: ONE_PERSON_BYTES,
  },
  listGroups: {
    method: 'GET',
    path: '/Groups',
    budgetClass: 'groups.list',
    action: 'group.read',
    maxBodyBytes: GROUP_LIST_BYTES,
  },
  getGroup: {
    method: 'GET',
    path: '/Groups/{id}',
    budgetClass: 'groups.get',
    action: 'group.read',
    maxBodyBytes: ONE_GROUP_BYTES,
  },
  createGroup: {
    method: 'POST',
    path: '/Groups',
    budgetClass: 'groups.create',
    action: 'group.write',
    maxBodyBytes: ONE_GROUP_BYTES,
  },
  patchGroup: {
    method: 'PATCH',
    path: '/Groups/{id}',
    budgetClass: 'groups.update',
    action: 'group.write',
    maxBodyBytes: ONE_GROUP_BYTES,
  },
  replaceGroup: {
    method: 'PUT',
    path: '/Groups/{id}',
    budgetClass: 'groups.update',
    action: 'group.write',
    maxBodyBytes: ONE_GROUP_BYTES,
  },
  deleteGroup: {
    method: 'DELETE',
    path: '/Groups/{id}',
    budgetClass: 'groups.delete',
    action: 'group.delete',
    maxBodyBytes: ONE_GROUP_BYTES,
  },
} as const satisfies Record<string, ScimEndpoint>;

/** Web API methods by what they do for us. All are POST, with the token in the header alone. */
export const webApiMethods = { identify: 'auth.test', revoke: 'auth.revoke' } as const;
export type WebApiMethod = (typeof webApiMethods)[keyof typeof webApiMethods];

/** @returns undefined for an id that would not stay one path segment. */
export function pathOf(endpoint: ScimEndpoint, slackId: string | undefined): string | undefined {
  if (!endpoint.path.endsWith('{id}')) return endpoint.path;
  if (slackId === undefined || slackId === '' || slackId === '.' || slackId === '..') return undefined;
  return endpoint.path.replace('{id}', () => encodeURIComponent(slackId));
}
