import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient as createStreamClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { parseExample } from '../../src/console/playground/example';
import type { ConnectionChange } from '../../src/domain/install-ports';
import { queryLimits } from '../../src/graphql/query-limits';
import { LocalFeed } from '../../src/storage/connection-feed';
import { type LiveAnswer, LiveSocket } from '../support/live-socket';
import { LiveStream } from '../support/live-stream';
import { sendRaw } from '../support/raw-http';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';
import { createKey } from '../support/tenants';

const changed =
  'subscription ($id: ID) { connectionChanged(id: $id) { id name status issues { code } token { id status } } }';

let app: TestApp;
let tenant: TenantClient;
let listeners = 0;
/** What the gateway listens to itself begins then, and is not counted. */
let isStarting = true;
/** Leaves what a test that failed has left open. */
const opened: (() => void)[] = [];
const feeds = new Set<LocalFeed>();

beforeAll(async () => {
  const { subscribe } = LocalFeed.prototype;
  jest.spyOn(LocalFeed.prototype, 'subscribe').mockImplementation(function (this: LocalFeed, listener) {
    const stop = subscribe.call(this, listener);
    feeds.add(this);
    if (isStarting) return stop;
    listeners += 1;
    return () => {
      listeners -= 1;
      stop();
    };
  });
  app = await startTestApp();
  isStarting = false;
});
beforeEach(async () => {
  app.simulator.reset();
  tenant = await TenantClient.create(app);
});
afterEach(async () => {
  for (const leave of opened.splice(0)) leave();
  await until(() => listeners === 0);
});
afterAll(async () => {
  jest.restoreAllMocks();
  await app?.stop();
});

/** As `until`, but it gives up, so that a leak fails one test and not the run. */
async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000 && !holds(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(holds()).toBe(true);
}

async function connect(key: string): Promise<LiveSocket> {
  const socket = await LiveSocket.connect(app.url, key);
  opened.push(() => socket.socket.terminate());
  return socket;
}

async function open(options?: Parameters<typeof LiveSocket.open>[1]): Promise<LiveSocket> {
  const socket = await LiveSocket.open(app.url, options);
  opened.push(() => socket.socket.terminate());
  return socket;
}

async function revoke(key: string): Promise<void> {
  const mutation = 'mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { problems { code } } }';
  const { errors } = await tenant.call(mutation, { id: `key_${key.split('_')[1]}` });
  expect(errors).toBeUndefined();
}

const publish = (change: ConnectionChange) => {
  for (const feed of feeds) feed.publish(change);
};

/** One subscription, over either way in. */
interface Following {
  answer(): Promise<LiveAnswer>;
  /** Resolves when the server says that nothing more will come. */
  completed(): Promise<void>;
  leave(): Promise<void>;
}

interface WayIn {
  readonly name: string;
  follow(key: string, query: string, variables?: object): Promise<Following>;
}

const ways: WayIn[] = [
  {
    name: 'a WebSocket',
    async follow(key, query, variables) {
      const socket = await connect(key);
      const id = socket.subscribe(query, variables);
      return {
        answer: () => socket.answer(id),
        completed: async () => void (await socket.take('complete', id)),
        async leave() {
          socket.socket.close();
          await socket.closed;
        },
      };
    },
  },
  {
    name: 'server-sent events',
    async follow(key, query, variables) {
      const stream = await LiveStream.open(app.url, { key, query, variables });
      opened.push(() => stream.leave());
      return {
        answer: () => stream.answer(),
        async completed() {
          expect(await stream.next()).toMatchObject({ event: 'complete' });
          expect(await stream.next()).toBeUndefined();
        },
        leave: async () => stream.leave(),
      };
    },
  },
];

const connectionOf = ({ data, errors }: LiveAnswer) => {
  expect(errors).toBeUndefined();
  return data?.connectionChanged;
};
const codesOf = ({ errors }: LiveAnswer) => errors?.map(({ extensions }) => extensions.code);

describe.each(ways)('connectionChanged over $name', ({ follow }) => {
  it('begins with the connection as it is, follows its changes, and ends when it is deleted', async () => {
    const { id } = await tenant.connect();
    const following = await follow(tenant.key, changed, { id });
    expect(connectionOf(await following.answer())).toMatchObject({ id, status: 'ACTIVE', issues: [] });

    await tenant.change('pauseConnection', { id });
    expect(connectionOf(await following.answer())).toMatchObject({ id, status: 'PAUSED' });
    await tenant.change('resumeConnection', { id });
    expect(connectionOf(await following.answer())).toMatchObject({ id, status: 'ACTIVE' });

    const before = (await tenant.read(id))?.token?.id;
    await tenant.change('replaceToken', { id, token: tenant.tokenOf('business-owner') });
    const replaced = connectionOf(await following.answer());
    expect(replaced).toMatchObject({ token: { status: 'ACTIVE' } });
    expect(replaced?.token).not.toMatchObject({ id: before });

    app.simulator.world.organization('business').plan = 'pro';
    await tenant.change('verifyConnection', { id });
    expect(connectionOf(await following.answer())).toMatchObject({
      status: 'REAUTHORIZATION_REQUIRED',
      issues: [{ code: 'PLAN_TOO_LOW' }],
    });

    await tenant.deleteConnection(id);
    await following.completed();
    await following.leave();
  });

  it('tells of every connection of the tenant, new ones too, and of none of another', async () => {
    const other = await TenantClient.create(app);
    const following = await follow(tenant.key, changed);
    await until(() => listeners === 1);

    const { id: foreign } = await other.connect();
    const { id } = await tenant.connect();
    expect(connectionOf(await following.answer())).toMatchObject({ id });
    await other.change('pauseConnection', { id: foreign });
    const { id: second } = await tenant.connect('enterprise-owner');
    expect(connectionOf(await following.answer())).toMatchObject({ id: second });

    await following.leave();
    await other.deleteConnection(foreign);
  });

  it('catches up with what changed while changes could not be heard of', async () => {
    const { id } = await tenant.connect();
    const { id: unchanged } = await tenant.connect('enterprise-owner');
    const one = await follow(tenant.key, changed, { id: unchanged });
    await one.answer();
    const all = await follow(tenant.key, changed);
    await until(() => listeners === 2);
    await tenant.change('pauseConnection', { id });
    await all.answer();

    // Both were made a moment ago, so the one that was never told of may have changed in the gap.
    publish(undefined);
    expect(connectionOf(await all.answer())).toMatchObject({ id: unchanged });
    publish(undefined);
    await tenant.change('updateConnection', { id: unchanged, name: 'Renamed' });

    expect(connectionOf(await all.answer())).toMatchObject({ id: unchanged, name: 'Renamed' });
    expect(connectionOf(await one.answer())).toMatchObject({ id: unchanged, name: 'Renamed' });
    await one.leave();
    await all.leave();
  });

  it('gives the latest state to who reads slowly, and not each step', async () => {
    const { id } = await tenant.connect();
    const following = await follow(tenant.key, changed, { id });
    await following.answer();
    const names = Array.from({ length: 20 }, (_, index) => `Name ${index}`);
    for (const name of names) await tenant.change('updateConnection', { id, name });

    const seen: unknown[] = [];
    while (seen.at(-1) !== names.at(-1)) seen.push(connectionOf(await following.answer())?.name);

    expect(seen.length).toBeLessThanOrEqual(names.length);
    await following.leave();
  });

  it('ends at the next change after the key was revoked, and tells why', async () => {
    const { id } = await tenant.connect();
    const key = await createKey(app, ['CONNECTIONS_READ'], { key: tenant.key });
    const following = await follow(key, changed, { id });
    await following.answer();
    await revoke(key);

    await tenant.change('pauseConnection', { id });

    const answer = await following.answer();
    expect(codesOf(answer)).toEqual(['UNAUTHENTICATED']);
    expect(answer.data).toBeUndefined();
    await following.completed();
    await following.leave();
  });

  it.each<[what: string, query: string, variables: () => object, codes: string[]]>([
    ['an unknown connection', changed, () => ({ id: 'con_unknown' }), ['NOT_FOUND']],
    ['a key without the permission', changed, () => ({}), ['FORBIDDEN']],
    ['variables that do not fit', changed, () => ({ id: { secret: 'xoxp-1' } }), ['BAD_USER_INPUT']],
  ])('is refused in the stream for %s', async (what, query, variables, codes) => {
    const isAllowed = what !== 'a key without the permission';
    const key = await createKey(app, [isAllowed ? 'CONNECTIONS_READ' : 'USERS_READ'], { key: tenant.key });
    const following = await follow(key, query, variables());

    const answer = await following.answer();

    expect(codesOf(answer)).toEqual(codes);
    expect(answer.errors).toMatchObject([{ extensions: { requestId: expect.stringMatching(/^req_/) } }]);
    expect(JSON.stringify(answer)).not.toContain('xoxp');
    await following.completed();
    await following.leave();
  });

  it("is refused for another tenant's connection as for an unknown one", async () => {
    const other = await TenantClient.create(app);
    const { id } = await other.connect();
    const following = await follow(tenant.key, changed, { id });
    expect(codesOf(await following.answer())).toEqual(['NOT_FOUND']);
    await following.completed();
    await following.leave();
  });

  it('keeps nothing when many come and leave at once', async () => {
    const { id } = await tenant.connect();
    const followings = await Promise.all(
      Array.from({ length: 20 }, (_, index) => follow(tenant.key, changed, index % 2 === 0 ? { id } : {})),
    );
    await until(() => listeners === 20);
    await tenant.change('pauseConnection', { id });
    await Promise.all(followings.map((following) => following.leave()));
    await until(() => listeners === 0);
  });
});

/** What both ways in refuse before anything is executed: over a socket as an error message, over HTTP with 400. */
const refusals: [what: string, query: string, code: string][] = [
  ['a query', '{ viewer { tenant { id } } }', 'INVALID_INPUT'],
  ['a mutation', 'mutation { pauseConnection(input: { id: "con_1" }) { requestId } }', 'INVALID_INPUT'],
  ['several operations without a name', `${changed} query Q { viewer { tenant { id } } }`, 'GRAPHQL_VALIDATION_FAILED'],
  ['what does not parse', 'subscription { connectionChanged(id: "xoxp-1" { id } }', 'GRAPHQL_PARSE_FAILED'],
  ['too many tokens', `subscription { connectionChanged { ${'id '.repeat(1_000)} } }`, 'GRAPHQL_PARSE_FAILED'],
  ['what does not validate', 'subscription { connectionChanged { nothing } }', 'GRAPHQL_VALIDATION_FAILED'],
  [
    'a second root field',
    'subscription { connectionChanged { id } a: connectionChanged { id } }',
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['too many aliases', `subscription { connectionChanged { ${manyAliases()} } }`, 'QUERY_TOO_LARGE'],
  ['too deep a document', `subscription { connectionChanged { ${nested(20)} } }`, 'GRAPHQL_VALIDATION_FAILED'],
];

function manyAliases(): string {
  return Array.from({ length: 31 }, (_, index) => `a${index}: name`).join(' ');
}

function nested(levels: number): string {
  return levels === 0 ? 'id' : `users { nodes { ${nested(levels - 1)} } }`;
}

describe('what is no subscription', () => {
  it.each(refusals)('is refused over a WebSocket: %s', async (_what, query, code) => {
    const socket = await connect(tenant.key);
    const id = socket.subscribe(query);
    const { payload } = await socket.take('error', id);
    expect(codesOf({ errors: payload as LiveAnswer['errors'] })).toContain(code);
    expect(JSON.stringify(payload)).not.toContain('xoxp');
    socket.socket.close();
  });

  it.each(refusals)('is refused over server-sent events: %s', async (_what, query, code) => {
    const headers = {
      authorization: `Bearer ${tenant.key}`,
      'content-type': 'application/json',
      accept: 'text/event-stream',
    };
    const body = JSON.stringify({ query });
    const response = await fetch(`${app.url}/graphql/stream`, { method: 'POST', headers, body });
    const text = await response.text();
    expect(response.status).toBe(400);
    expect(codesOf(JSON.parse(text) as LiveAnswer)).toContain(code);
    expect(text).not.toContain('xoxp');
  });

  it('is refused with large variables', async () => {
    const tooMany = queryLimits.variableFields + 1;
    const variables = Object.fromEntries(Array.from({ length: tooMany }, (_, index) => [`v${index}`, 1]));
    const socket = await connect(tenant.key);
    const { payload } = await socket.take('error', socket.subscribe(changed, variables));
    expect(codesOf({ errors: payload as LiveAnswer['errors'] })).toEqual(['QUERY_TOO_LARGE']);
    socket.socket.close();
  });

  it('is told apart at /graphql, where a subscription is told where to go', async () => {
    const { errors, data } = await tenant.call(changed, {});
    expect(data ?? null).toBeNull();
    expect(errors).toMatchObject([
      { extensions: { code: 'INVALID_INPUT', remedy: expect.stringContaining('/graphql/stream') } },
    ]);
  });
});

describe('the way in by WebSocket', () => {
  it.each(['authorization', 'Authorization'])('takes the key as %s', async (name) => {
    const socket = await open();
    socket.send({ type: 'connection_init', payload: { [name]: `Bearer ${tenant.key}` } });
    await socket.take('connection_ack');
    socket.socket.close();
  });

  it.each<[what: string, payload: unknown]>([
    ['no payload', undefined],
    ['no key', {}],
    ['a bad key', { authorization: 'Bearer rk_000000000000000000000000_0000000000000000000000000000000000000000000' }],
    ['a key without its scheme', { authorization: 'rk_1' }],
    ['no text', { authorization: { a: 1 } }],
  ])('is closed with 4403 for %s', async (_what, payload) => {
    const socket = await open();
    socket.send({ type: 'connection_init', payload });
    expect(await socket.closed).toMatchObject({ code: 4403 });
  });

  it.each<[what: string, code: number, say: (socket: LiveSocket) => void]>([
    ['a subscription before the key', 4401, (socket) => void socket.subscribe(changed)],
    ['no JSON', 4400, (socket) => socket.send('{')],
    [
      'a message of 65 kB',
      1009,
      (socket) => socket.send(JSON.stringify({ type: 'ping', payload: { a: 'a'.repeat(65_536) } })),
    ],
  ])('is closed for %s with %i', async (_what, code, say) => {
    const socket = await open();
    say(socket);
    expect(await socket.closed).toMatchObject({ code });
  });

  it('closes at once when its key turns out to be revoked', async () => {
    const { id } = await tenant.connect();
    const key = await createKey(app, ['CONNECTIONS_READ'], { key: tenant.key });
    const socket = await connect(key);
    socket.subscribe(changed, { id });
    await socket.answer();
    await revoke(key);
    await tenant.change('pauseConnection', { id });
    expect(await socket.closed).toMatchObject({ code: 4403 });
  });

  it('takes twenty operations and no more, and one again when another has ended', async () => {
    const socket = await connect(tenant.key);
    const ids = Array.from({ length: 20 }, () => socket.subscribe(changed));
    await until(() => listeners === 20);
    const refused = socket.subscribe(changed);
    const { payload } = await socket.take('error', refused);
    expect(payload).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
    socket.complete(String(ids[0]));
    await until(() => listeners === 19);
    socket.subscribe(changed);
    await until(() => listeners === 20);
    socket.socket.terminate();
  });

  it.each<[what: string, options: Parameters<typeof LiveSocket.open>[1], status: number]>([
    ['a page of another origin', { headers: { origin: 'https://evil.example' } }, 403],
    ['a page without an origin', { headers: { origin: 'null' } }, 403],
    ['another port of the same host', { headers: { origin: 'http://127.0.0.1:1' } }, 403],
    ['the old subprotocol', { protocols: ['graphql-ws'] }, 400],
    ['no subprotocol', { protocols: [] }, 400],
  ])('is not opened for %s', async (_what, options, status) => {
    await expect(open(options)).rejects.toThrow(`HTTP ${status}`);
  });

  it('is opened for a page of its own', async () => {
    const socket = await open({ headers: { origin: app.url } });
    socket.socket.close();
    await socket.closed;
  });

  it('is at no other address', async () => {
    const elsewhere = new WebSocket(`${app.url.replace('http', 'ws')}/healthz`, ['graphql-transport-ws']);
    const status = new Promise((resolve) => {
      elsewhere.on('unexpected-response', (_request, response) => resolve(response.statusCode));
      elsewhere.on('error', () => {});
    });
    expect(await status).toBe(404);
    elsewhere.terminate();
  });

  it('leaves requests that offer HTTP/2 what they are', async () => {
    const body = JSON.stringify({ query: '{ viewer { tenant { name } } }' });
    const headers = {
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
      authorization: `Bearer ${tenant.key}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    };
    const pieces = [body.slice(0, 7), body.slice(7)];
    const answer = await sendRaw(`${app.url}/graphql`, { headers, body: pieces });
    expect(answer).toMatchObject({ status: 200 });
    expect(JSON.parse(answer.text)).toMatchObject({ data: { viewer: { tenant: { name: expect.any(String) } } } });
  });
});

describe('the way in by server-sent events', () => {
  it.each<[what: string, status: number, options: RequestInit, path?: string]>([
    ['no key', 401, { headers: { authorization: '' } }],
    ['a bad key', 401, { headers: { authorization: 'Bearer rk_1' } }],
    ['another media type', 406, { headers: { accept: 'application/json' } }],
    ['another charset', 415, { headers: { 'content-type': 'application/json; charset=utf-7' } }],
    ['no document', 400, { body: '{}' }],
    ['a list of documents', 400, { body: '[{}]' }],
    ['more than 64 kB', 413, { body: JSON.stringify({ query: ' '.repeat(65_536) }) }],
    ['another method', 405, { method: 'DELETE' }],
  ])('is refused with %s', async (_what, status, { headers, ...options }) => {
    const common = {
      authorization: `Bearer ${tenant.key}`,
      accept: 'text/event-stream',
      'content-type': 'application/json',
    };
    const init = { method: 'POST', body: '{}', ...options, headers: { ...common, ...(headers as object) } };
    const response = await fetch(`${app.url}/graphql/stream`, init);
    expect(response.status).toBe(status);
    await response.text();
  });

  it('takes a GET', async () => {
    const { id } = await tenant.connect();
    const query = new URLSearchParams({ query: changed, variables: JSON.stringify({ id }) });
    const headers = { authorization: `Bearer ${tenant.key}`, accept: 'text/event-stream' };
    const aborting = new AbortController();
    const response = await fetch(`${app.url}/graphql/stream?${query}`, { headers, signal: aborting.signal });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    aborting.abort();
  });
});

describe('the usual clients', () => {
  it('run the example of the playground', async () => {
    const { id } = await tenant.connect();
    const fileName = '26-connection-changed.graphql';
    const { query } = parseExample(
      fileName,
      readFileSync(join(__dirname, '../../schema/operations', fileName), 'utf8'),
    );
    const socket = await connect(tenant.key);
    socket.subscribe(query, { id }, { operationName: 'ConnectionChanged' });
    expect(connectionOf(await socket.answer())).toMatchObject({ id, status: 'ACTIVE' });
  });

  it('follow over a WebSocket', async () => {
    const { id } = await tenant.connect();
    const client = createSocketClient({
      url: `${app.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${tenant.key}` },
    });
    const answers = client.iterate({ query: changed, variables: { id } });
    expect(await answers.next()).toMatchObject({ value: { data: { connectionChanged: { status: 'ACTIVE' } } } });
    await tenant.change('pauseConnection', { id });
    expect(await answers.next()).toMatchObject({ value: { data: { connectionChanged: { status: 'PAUSED' } } } });
    await answers.return?.();
    await client.dispose();
  });

  it('follow over server-sent events', async () => {
    const { id } = await tenant.connect();
    const headers = { authorization: `Bearer ${tenant.key}` };
    const client = createStreamClient({ url: `${app.url}/graphql/stream`, headers });
    const answers = client.iterate({ query: changed, variables: { id } });
    expect(await answers.next()).toMatchObject({ value: { data: { connectionChanged: { status: 'ACTIVE' } } } });
    await tenant.change('pauseConnection', { id });
    expect(await answers.next()).toMatchObject({ value: { data: { connectionChanged: { status: 'PAUSED' } } } });
    await answers.return?.();
    client.dispose();
  });

  it('are sent elsewhere when the gateway stops, at once and without the word that all is complete', async () => {
    const { id } = await tenant.connect();
    const socket = await connect(tenant.key);
    socket.subscribe(changed, { id });
    await socket.answer();
    const silent = await open();
    const stream = await LiveStream.open(app.url, { key: tenant.key, query: changed, variables: { id } });
    await stream.answer();

    const startedAt = performance.now();
    isStarting = true;
    await app.restart();
    isStarting = false;

    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await socket.closed).toMatchObject({ code: 1001 });
    expect(await silent.closed).toMatchObject({ code: 1001 });
    expect(socket.received.map(({ type }) => type)).toEqual(['connection_ack', 'next']);
    expect(await stream.next()).toBeUndefined();
  });
});
