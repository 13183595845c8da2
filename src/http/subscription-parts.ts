import type { GraphQLSchema } from 'graphql';
import type { ConnectionWatchService } from '../domain/connections/connection-watch.service';
import type { OperationWatchService } from '../domain/operations/operation-watch.service';
import type { RequestLoaders } from '../graphql/connections/request-loaders';
import type { GraphQLContext } from '../graphql/context';
import type { LiveOperations } from '../graphql/live-operations';
import type { Logger } from '../shared/logger';
import type { StreamSlots } from './stream-slots';

export interface SubscriptionOptions {
  readonly schema: GraphQLSchema;
  readonly introspection: boolean;
  /** @param authorization the value of an Authorization header */
  readonly authenticate: (
    authorization: string | undefined,
    requestId: string,
  ) => Promise<GraphQLContext['authentication']>;
  readonly makeLoaders: () => RequestLoaders;
  readonly watches: ConnectionWatchService;
  readonly operationWatches: OperationWatchService;
  /** Where browsers reach the gateway, if that is known. */
  readonly publicUrl: string | undefined;
  readonly logger: Logger;
  readonly limits?: Partial<SubscriptionLimits>;
}

export interface SubscriptionLimits {
  /** Open sockets and open streams of this process, and those of one tenant among them. */
  readonly streams: number;
  readonly streamsPerTenant: number;
  readonly operationsPerSocket: number;
  /** How long a socket may be open before it has sent its key. */
  readonly initTimeoutMs: number;
  /** Between two signs of life; the key is looked at again with each. */
  readonly keepAliveMs: number;
}

/** What both ways in work with. */
export interface SubscriptionParts {
  readonly operations: LiveOperations;
  readonly authenticate: (authorization: string | undefined) => Promise<GraphQLContext['authentication']>;
  /** @param ended aborts with the error that an operation is to end with. */
  readonly makeContext: (
    authorization: string | undefined,
    bounds: { requestId: string; ended: AbortSignal },
  ) => Promise<GraphQLContext>;
  readonly publicUrl: string | undefined;
  readonly logger: Logger;
  readonly limits: SubscriptionLimits;
  readonly slots: StreamSlots;
}
