import { once } from 'node:events';
import { type FastifyInstance, fastify } from 'fastify';
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { WebSocket } from 'ws';
import type { ApiKeyId, Caller, TenantId } from '../../../src/domain/access/access';
import type { ConnectionQueryService } from '../../../src/domain/connections/connection-query.service';
import { ConnectionWatchService } from '../../../src/domain/connections/connection-watch.service';
import { StorageUnavailable } from '../../../src/domain/errors';
import type { OperationLooks } from '../../../src/domain/operations/operation-looks';
import type { OperationQueryService } from '../../../src/domain/operations/operation-query.service';
import { OperationWatchService } from '../../../src/domain/operations/operation-watch.service';
import type { RequestLoaders } from '../../../src/graphql/connections/request-loaders';
import { type GraphQLContext, missingKey } from '../../../src/graphql/context';
import type { SubscriptionLimits } from '../../../src/http/subscription-parts';
import { Subscriptions } from '../../../src/http/subscriptions';
import { systemClock } from '../../../src/shared/clock';
import { silentLogger } from '../../../src/shared/logger';
import { LiveSocket } from '../../support/live-socket';
import { LiveStream } from '../../support/live-stream';
import { until } from '../../support/until';

const query = 'subscription { connectionChanged }';
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields: { nothing: { type: GraphQLString } } }),
  subscription: new GraphQLObjectType<unknown, GraphQLContext>({
    name: 'Subscription',
    fields: {
      connectionChanged: {
        type: GraphQLString,
        subscribe: (_source, _args, { watchConnections }) => watchConnections?.(undefined),
      },
    },
  }),
});

let server: FastifyInstance;
let subscriptions: Subscriptions;
let listeners = 0;
const refused = new Set<string>();
let isStorageAway = false;

/** A way in for subscriptions on which nothing ever changes. The key's first word names its tenant. */
async function start(limits: Partial<SubscriptionLimits>): Promise<string> {
  const feed = {
    subscribe() {
      listeners += 1;
      return () => {
        listeners -= 1;
      };
    },
  };
  const queries = { find: async () => undefined } as unknown as ConnectionQueryService;
  subscriptions = new Subscriptions({
    schema,
    introspection: true,
    authenticate: async (authorization = '', requestId) => authenticationOf(authorization, requestId),
    makeLoaders: () => ({}) as RequestLoaders,
    watches: new ConnectionWatchService({ queries, feed, clock: systemClock }),
    operationWatches: new OperationWatchService({} as OperationQueryService, {} as OperationLooks),
    publicUrl: undefined,
    logger: silentLogger,
    limits,
  });
  server = fastify({ forceCloseConnections: true });
  subscriptions.register(server);
  return server.listen({ host: '127.0.0.1', port: 0 });
}

function authenticationOf(authorization: string, requestId: string): GraphQLContext['authentication'] {
  const key = authorization.replace('Bearer ', '');
  if (isStorageAway) return { error: new StorageUnavailable('The database does not answer.') };
  if (key === '' || refused.has(key)) return { error: missingKey() };
  const createdAt = new Date(0);
  const tenantId = key.split('-')[0] as TenantId;
  const caller: Caller = {
    tenant: { id: tenantId, name: key, isOperator: false, createdAt },
    apiKey: { id: key as ApiKeyId, tenantId, name: key, permissions: ['connections:read'], createdAt },
    requestId,
    signal: new AbortController().signal,
    deadlineAt: Number.POSITIVE_INFINITY,
  };
  return { caller };
}

beforeEach(() => {
  refused.clear();
  isStorageAway = false;
});
afterEach(async () => {
  await subscriptions.stop();
  await server.close();
  expect(listeners).toBe(0);
});

describe('the places for subscriptions', () => {
  it('are for all tenants: one that has taken its own leaves the rest, over both ways in', async () => {
    const url = await start({ streams: 4, streamsPerTenant: 2 });
    const one = await LiveSocket.connect(url, 'anna-1');
    const two = await LiveStream.open(url, { key: 'anna-2', query });

    const third = await LiveSocket.open(url);
    third.send({ type: 'connection_init', payload: { authorization: 'Bearer anna-3' } });
    expect(await third.closed).toMatchObject({ code: 4429 });
    const refusedStream = await LiveStream.open(url, { key: 'anna-3', query });
    expect(refusedStream.status).toBe(429);
    expect(refusedStream.headers.get('retry-after')).toBe('5');
    const other = await LiveSocket.connect(url, 'berta-1');
    await LiveSocket.connect(url, 'berta-2');
    await expect(LiveSocket.open(url)).rejects.toThrow('HTTP 503');

    one.socket.close();
    await one.closed;
    other.socket.close();
    await other.closed;
    two.leave();
    await until(() => listeners === 0);
    await LiveSocket.connect(url, 'anna-4');
    await LiveSocket.connect(url, 'anna-5');
  });

  it('are not kept for those who never say who they are', async () => {
    const url = await start({ initTimeoutMs: 50 });
    const socket = await LiveSocket.open(url);
    expect(await socket.closed).toMatchObject({ code: 4408 });
  });

  it('are taken from those who do not answer any more', async () => {
    const url = await start({ keepAliveMs: 50 });
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, ['graphql-transport-ws'], { autoPong: false });
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1006);
  });
});

describe('a key that is not valid any more', () => {
  it('ends a socket at the next look, though nothing has changed', async () => {
    const url = await start({ keepAliveMs: 200 });
    const socket = await LiveSocket.connect(url, 'anna-1');
    const id = socket.subscribe(query);
    await until(() => listeners === 1);

    refused.add('anna-1');

    expect(await socket.closed).toMatchObject({ code: 4403 });
    const answer = socket.received.find((message) => message.type === 'next' && message.id === id);
    expect(answer?.payload).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });

  it('ends a stream at the next look, and says why', async () => {
    const url = await start({ keepAliveMs: 200 });
    const stream = await LiveStream.open(url, { key: 'anna-1', query });

    refused.add('anna-1');

    expect((await stream.answer()).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(await stream.next()).toMatchObject({ event: 'complete' });
    expect(await stream.next()).toBeUndefined();
  });

  it('is not what a database is that does not answer for a moment', async () => {
    const url = await start({ keepAliveMs: 50 });
    const socket = await LiveSocket.connect(url, 'anna-1');
    socket.subscribe(query);
    await until(() => listeners === 1);
    isStorageAway = true;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(listeners).toBe(1);

    const late = await LiveSocket.open(url);
    late.send({ type: 'connection_init', payload: { authorization: 'Bearer anna-1' } });
    expect(await late.closed).toMatchObject({ code: 1013 });
    expect((await LiveStream.open(url, { key: 'anna-1', query })).status).toBe(503);
  });
});

describe('a stop', () => {
  it('ends everything that is open and lets nobody in', async () => {
    const url = await start({});
    const socket = await LiveSocket.connect(url, 'anna-1');
    socket.subscribe(query);
    const stream = await LiveStream.open(url, { key: 'anna-2', query });
    await until(() => listeners === 2);

    await subscriptions.stop();

    expect(await socket.closed).toMatchObject({ code: 1001 });
    expect(await stream.next()).toBeUndefined();
    await until(() => listeners === 0);
    await expect(LiveSocket.open(url)).rejects.toThrow('HTTP 503');
    expect((await LiveStream.open(url, { key: 'anna-3', query })).status).toBe(503);
  });

  it('does not wait for a client that does not say goodbye', async () => {
    const url = await start({});
    const socket = await LiveSocket.connect(url, 'anna-1');
    socket.socket.pause();

    const startedAt = performance.now();
    await subscriptions.stop();

    expect(performance.now() - startedAt).toBeLessThan(5_000);
    socket.socket.resume();
  });
});
