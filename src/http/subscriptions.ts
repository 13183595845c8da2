import type { FastifyInstance } from 'fastify';
import { LiveContext } from '../graphql/live-context';
import { LiveOperations } from '../graphql/live-operations';
import { newId } from '../shared/ids';
import { StreamSlots } from './stream-slots';
import type { SubscriptionLimits, SubscriptionOptions, SubscriptionParts } from './subscription-parts';
import { SubscriptionSockets } from './subscription-sockets';
import { SubscriptionStreams } from './subscription-streams.route';

const defaultLimits: SubscriptionLimits = {
  streams: 1_000,
  streamsPerTenant: 200,
  operationsPerSocket: 20,
  initTimeoutMs: 5_000,
  keepAliveMs: 12_000,
};

/** The two ways in for subscriptions: WebSocket at `/graphql`, and server-sent events at `/graphql/stream`. */
export class Subscriptions {
  readonly #sockets: SubscriptionSockets;
  readonly #streams: SubscriptionStreams;

  constructor(options: SubscriptionOptions) {
    const { schema, introspection, authenticate, makeLoaders, watches, operationWatches, publicUrl, logger } = options;
    const limits = { ...defaultLimits, ...options.limits };
    const parts: SubscriptionParts = {
      operations: new LiveOperations(schema, { introspection, logger }),
      authenticate: (authorization) => authenticate(authorization, newId('req')),
      makeContext: (authorization, { requestId, ended }) =>
        LiveContext.create({
          requestId,
          ended,
          makeLoaders,
          watches,
          operationWatches,
          authenticate: () => authenticate(authorization, requestId),
        }),
      publicUrl,
      logger,
      limits,
      slots: new StreamSlots(limits),
    };
    this.#sockets = new SubscriptionSockets(parts);
    this.#streams = new SubscriptionStreams(parts);
  }

  /** Before the server listens. */
  register(app: FastifyInstance): void {
    this.#sockets.register(app.server);
    this.#streams.register(app);
  }

  /** Lets nobody in any more and ends what is open, in a way that clients try again elsewhere. */
  async stop(): Promise<void> {
    this.#streams.stop();
    await this.#sockets.stop();
  }
}
