import type { Caller } from '../domain/access/access';
import type { Connection, ConnectionId } from '../domain/connections/connection';
import type { ConnectionWatchService } from '../domain/connections/connection-watch.service';
import type { Operation, OperationId } from '../domain/operations/operation';
import type { OperationWatchService } from '../domain/operations/operation-watch.service';
import type { RequestLoaders } from './connections/request-loaders';
import { callerOf, type GraphQLContext } from './context';

export interface LiveContextParts {
  readonly requestId: string;
  /** Finds out whose key it is, each time anew. */
  readonly authenticate: () => Promise<GraphQLContext['authentication']>;
  readonly makeLoaders: () => RequestLoaders;
  readonly watches: ConnectionWatchService;
  readonly operationWatches: OperationWatchService;
  /** As `Watcher.ended`. */
  readonly ended: AbortSignal;
}

/**
 * What resolvers know about an operation that gives many answers. Before each of them the key is looked at again, and what was
 * read for the one before is forgotten.
 */
export class LiveContext implements GraphQLContext {
  readonly requestId: string;
  #authentication: GraphQLContext['authentication'];
  #loaders: RequestLoaders;

  private constructor(
    private readonly parts: LiveContextParts,
    authentication: GraphQLContext['authentication'],
  ) {
    this.requestId = parts.requestId;
    this.#authentication = authentication;
    this.#loaders = parts.makeLoaders();
  }

  static async create(parts: LiveContextParts): Promise<LiveContext> {
    return new LiveContext(parts, await parts.authenticate());
  }

  get authentication(): GraphQLContext['authentication'] {
    return this.#authentication;
  }

  get loaders(): RequestLoaders {
    return this.#loaders;
  }

  readonly watchConnections = (id: ConnectionId | undefined): Promise<AsyncIterableIterator<Connection>> =>
    this.parts.watches.watch({ caller: () => this.renew(), ended: this.parts.ended }, id);

  readonly watchOperation = (id: OperationId): Promise<AsyncIterableIterator<Operation>> =>
    this.parts.operationWatches.watch({ caller: () => this.renew(), ended: this.parts.ended }, id);

  private async renew(): Promise<Caller> {
    this.#authentication = await this.parts.authenticate();
    this.#loaders = this.parts.makeLoaders();
    return callerOf(this);
  }
}
