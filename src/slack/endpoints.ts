import type { Action } from '../domain/connections/scopes';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A row of Slack's table of SCIM limits. `reads` and `writes` count every call of an organization. */
export type BudgetRow = 'reads' | 'writes' | 'users.get' | 'users.create' | 'users.update' | 'users.delete';

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
};

/** What a call counts in: its own row first, where it has one, and the row of the whole organization. */
export const budgetClasses = {
  'users.list': ['reads'],
  'users.get': ['users.get', 'reads'],
  'users.create': ['users.create', 'writes'],
  'users.update': ['users.update', 'writes'],
  'users.delete': ['users.delete', 'writes'],
} as const satisfies Record<string, readonly [BudgetRow, ...BudgetRow[]]>;

export type BudgetClass = keyof typeof budgetClasses;

export interface ScimEndpoint {
  readonly method: HttpMethod;
  /** Under `/scim/v2`; `{id}` stands for the person's id. */
  readonly path: '/Users' | '/Users/{id}';
  readonly budgetClass: BudgetClass;
  /** The action whose scopes the token needs, where the caller names no narrower one. */
  readonly action: Action;
  /** A larger answer is not read to its end. */
  readonly maxBodyBytes: number;
}

const ONE_PERSON_BYTES = 1_000_000;
/** 1,000 people with every field filled come to about 3 MB. */
const LIST_BYTES = 20_000_000;

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
} as const satisfies Record<string, ScimEndpoint>;

/** Web API methods by what they do for us. All are POST, with the token in the header alone. */
export const webApiMethods = { identify: 'auth.test', revoke: 'auth.revoke' } as const;
export type WebApiMethod = (typeof webApiMethods)[keyof typeof webApiMethods];

/** @returns undefined for an id that would not stay one path segment. */
export function pathOf(endpoint: ScimEndpoint, slackId: string | undefined): string | undefined {
  if (endpoint.path === '/Users') return endpoint.path;
  if (slackId === undefined || slackId === '' || slackId === '.' || slackId === '..') return undefined;
  return endpoint.path.replace('{id}', () => encodeURIComponent(slackId));
}
