import type { Caller } from '../domain/access/access';
import type { Connection, ConnectionId } from '../domain/connections/connection';
import { type AppError, Unauthenticated } from '../domain/errors';
import type { Operation, OperationId } from '../domain/operations/operation';
import type { RequestLoaders } from './connections/request-loaders';

/** What a resolver knows about the request. The caller stays behind `callerOf`, so that no resolver can forget to ask. */
export interface GraphQLContext {
  readonly requestId: string;
  readonly authentication: { readonly caller: Caller } | { readonly error: AppError };
  readonly loaders: RequestLoaders;
  /** These two are for what goes on: only the ways in that keep a connection open have them. */
  readonly watchOperation?: (id: OperationId) => Promise<AsyncIterableIterator<Operation>>;
  readonly watchConnections?: (id: ConnectionId | undefined) => Promise<AsyncIterableIterator<Connection>>;
}

/** @throws Unauthenticated when the request carried no valid API key. */
export function callerOf({ authentication }: GraphQLContext): Caller {
  if ('caller' in authentication) return authentication.caller;
  throw authentication.error;
}

export function missingKey(): Unauthenticated {
  return new Unauthenticated('This request carries no API key.', {
    remedy: 'Send a key as "Authorization: Bearer <key>".',
  });
}
