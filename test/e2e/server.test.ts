import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sendRaw } from '../support/raw-http';
import { ServerProcess, type ServerProcessOptions } from '../support/server-process';
import { startTestApp, type TestApp } from '../support/start-app';

const connectionInput = 'CreateConnectionInput';
const connectionSelection = 'connection { id status } problems { code }';

const idleCount = 200;

/** Serves from the first test to the last, with connections that never send what they should. */
let app: TestApp;
let cuts: Promise<string>[];

beforeAll(async () => {
  app = await startTestApp();
  const stalled =
    'POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"';
  const halfHeaders = 'POST /graphql HTTP/1.1\r\nHost: a\r\nX-';
  const sent = [...Array.from({ length: idleCount }, () => ''), stalled, stalled, halfHeaders];
  cuts = (await Promise.all(sent.map((text) => openSocket(app, text)))).flat();
});

afterAll(() => app.stop());

/** @returns once it is open: what the server sends before it cuts the connection. In a list, so as not to wait for it. */
async function openSocket({ url }: TestApp, text: string): Promise<Promise<string>[]> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(text);
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  return [new Promise((resolve) => socket.on('error', () => undefined).on('close', () => resolve(received)))];
}

let folder: string;
const running = new Set<ServerProcess>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollcall-server-'));
});

afterEach(async () => {
  for (const server of running) server.kill('SIGKILL');
  await Promise.all([...running].map(({ ended }) => ended));
  running.clear();
  await rm(folder, { recursive: true, force: true });
});

function launch(options: Partial<ServerProcessOptions> = {}): ServerProcess {
  const server = new ServerProcess({ directory: join(folder, 'data'), ...options });
  running.add(server);
  return server;
}

async function start(options: Partial<ServerProcessOptions> = {}): Promise<ServerProcess> {
  const server = await ServerProcess.start({ directory: join(folder, 'data'), ...options });
  running.add(server);
  return server;
}

describe('the routes', () => {
  it('serve others while 200 sockets are idle and uploads have stalled', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => app.call<{ viewer: object }>('{ viewer { permissions } }')),
    );

    expect(answers.every(({ data }) => data?.viewer !== undefined)).toBe(true);
    expect((await sendRaw(`${app.url}/healthz`, { method: 'GET' })).status).toBe(200);
  });

  it.each(['/healthz', '/readyz'])('answer %s to anybody, also without a body', async (path) => {
    const answer = await sendRaw(`${app.url}${path}`, { method: 'GET' });
    const head = await sendRaw(`${app.url}${path}`, { method: 'HEAD' });

    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json; charset=utf-8' } });
    expect(Object.keys(JSON.parse(answer.text))).toEqual(['status']);
    expect(head).toMatchObject({ status: 200, text: '' });
    expect(head.headers['content-length']).toBe(answer.headers['content-length']);
  });

  it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND'])(
    'answer 404 to %s of an unknown path',
    async (method) => {
      const answer = await sendRaw(`${app.url}/canary-path?canary-query`, { method });

      expect(answer.status).toBe(404);
      expect(answer.text).not.toContain('canary');
      if (method !== 'HEAD') expect(JSON.parse(answer.text).errors[0].extensions.code).toBe('NOT_FOUND');
    },
  );

  it.each([
    '/%zz-canary',
    '/canary/%c0%ae',
    '/graphql/canary',
    '/healthz/canary',
    '//canary',
    '/.env',
    `/${'a'.repeat(9_000)}`,
  ])('answer an odd path in the same form, and repeat nothing of it: %#', async (path) => {
    const { status, text, headers } = await sendRaw(`${app.url}${path}`, { method: 'GET' });

    expect([400, 404, 414]).toContain(status);
    expect(JSON.parse(text)).toEqual({
      errors: [
        { message: expect.any(String), extensions: { code: expect.any(String), requestId: headers['x-request-id'] } },
      ],
    });
    expect(text).not.toMatch(/canary|aaaa|FST_/);
  });

  it.each(['OPTIONS', 'PUT', 'PATCH', 'DELETE'])('name the methods of GraphQL to %s', async (method) => {
    const { status, headers } = await sendRaw(`${app.url}/graphql`, { method });

    expect(status).toBe(405);
    expect(headers.allow).toBe('GET, POST');
  });

  it('let no web page of elsewhere read an answer', async () => {
    const headers = { origin: 'https://elsewhere.example.com', 'access-control-request-method': 'POST' };
    const preflight = await sendRaw(`${app.url}/graphql`, { method: 'OPTIONS', headers });
    const call = await sendRaw(`${app.url}/graphql`, {
      headers: { ...headers, 'content-type': 'application/json', authorization: `Bearer ${app.adminKey}` },
      body: ['{"query":"{ viewer { permissions } }"}'],
    });

    for (const answer of [preflight, call]) {
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect(answer.headers['x-content-type-options']).toBe('nosniff');
    }
  });
});

describe('what the process says', () => {
  it('tells a person the first key and the sandbox on standard output, and logs JSON without them on standard error', async () => {
    const server = await start({ env: { ROLLCALL_LOG_LEVEL: 'debug' } });
    const token = server.printed('token of a workspace');
    const payload = await server.mutate('createConnection', connectionInput, connectionSelection, {
      name: 'Acme',
      environment: 'SANDBOX',
      token,
    });

    expect(payload).toMatchObject({ connection: { status: 'ACTIVE' }, problems: [] });
    expect(server.stdout).toContain(`Playground   ${server.url}/playground`);
    expect(server.adminKey).toMatch(/^rk_/);
    expect(await server.stop()).toBe(0);
    const lines = server.stderr.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(expect.arrayContaining(['listening', 'stopped']));
    for (const secret of [token, server.adminKey, server.printed('token of an organization')]) {
      expect(server.stderr).not.toContain(secret);
    }
    expect(server.stdout).not.toContain('"msg"');
  });

  it('shows the first key at the first start alone, and makes another beside a running gateway when told to', async () => {
    const first = await start();
    expect(await first.stop()).toBe(0);
    const second = await start();

    const maker = launch({ args: ['create-admin-key'] });
    expect(await maker.ended).toBe(0);
    const [, key = ''] = /^Admin key \(shown once\): (rk_\S+)\n$/.exec(maker.stdout) ?? [];

    expect(second.stdout).not.toContain('rk_');
    expect(second.stdout).toContain('npm start -- create-admin-key');
    for (const working of [first.adminKey, key]) {
      const { data } = await second.query('{ viewer { permissions } }', {}, working);
      expect(data).toEqual({ viewer: { permissions: ['ADMIN'] } });
    }
    expect(maker.stderr).not.toContain(key);
  });
});

describe('a start that cannot succeed', () => {
  it('lists everything that is wrong with the configuration, no value of it, and touches nothing', async () => {
    const server = launch({
      env: {
        ROLLCALL_PORT: 'canary-1',
        ROLLCALL_SEALING_KEYS: 'canary-2',
        ROLLCALL_SLACK_WEB_URL: 'http://canary-3.example.com',
        DATABASE_URL: 'mysql://canary-4',
      },
    });

    expect(await server.ended).toBe(1);

    const names = ['ROLLCALL_PORT', 'ROLLCALL_SEALING_KEYS', 'ROLLCALL_SLACK_WEB_URL', 'DATABASE_URL'];
    for (const name of names) expect(server.stderr).toContain(`  - ${name} must`);
    expect(server.stderr).not.toMatch(/canary|\n {4}at /);
    expect(server.stdout).toBe('');
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses a command that is none', async () => {
    const server = launch({ args: ['create-admin-keys'] });

    expect(await server.ended).toBe(1);
    expect(server.stderr).toContain('"create-admin-keys" is no command');
    expect(await readdir(folder)).toEqual([]);
  });

  it('says which address is in use, and shows the first key when it starts later', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const refused = launch({ env: { ROLLCALL_PORT: String(port) } });

    expect(await refused.ended).toBe(1);
    expect(refused.stderr).toContain(`127.0.0.1:${port}`);
    expect(refused.stderr).toContain('ROLLCALL_PORT');
    expect(refused.stderr).not.toMatch(/\n {4}at /);
    expect(refused.stdout).toBe('');
    other.close();
    await once(other, 'close');

    const later = await start();
    expect((await later.query('{ viewer { permissions } }')).data).toEqual({ viewer: { permissions: ['ADMIN'] } });
  });

  it.each<[string, (data: string) => Promise<Record<string, string>>]>([
    [
      'a data folder that is a file',
      async (data) => {
        await writeFile(data, '');
        return {};
      },
    ],
    ['a host that is not of this machine', async () => ({ ROLLCALL_HOST: '192.0.2.1' })],
  ])('says in one line what is wrong with %s', async (_, prepare) => {
    const server = launch({ env: { ...(await prepare(join(folder, 'data'))), ROLLCALL_LOG_LEVEL: 'silent' } });

    expect(await server.ended).toBe(1);
    expect(server.stderr).toMatch(/^Rollcall cannot go on: [^\n]+\n$/);
  });
});

describe('a process that is killed', () => {
  it('has lost nothing of what it acknowledged when it starts again', async () => {
    const server = await start();
    const token = server.printed('token of a workspace');
    const input = { name: 'Acme', externalId: 'customer-1', environment: 'SANDBOX', token };
    const created = await server.mutate('createConnection', connectionInput, connectionSelection, input);
    const { connection } = created as { connection: { id: string } };
    const hire = {
      connectionId: connection.id,
      idempotencyKey: 'hire-1',
      user: { email: 'grace@example.com', givenName: 'Grace', familyName: 'Hopper' },
    };
    const provision = (process: ServerProcess) =>
      process.mutate(
        'provisionUser',
        'ProvisionUserInput',
        'outcome user { slackId } problems { code }',
        hire,
        server.adminKey,
      );
    const first = await provision(server);
    expect(first).toMatchObject({ outcome: 'CREATED', problems: [] });

    server.kill('SIGKILL');
    expect(await server.ended).toBeNull();
    const again = await start();

    expect(await provision(again)).toEqual(first);
    const query = 'query ($id: ID!) { connection(id: $id) { externalId status } }';
    const { data } = await again.query(query, { id: connection.id }, server.adminKey);
    expect(data).toEqual({ connection: { externalId: 'customer-1', status: 'ACTIVE' } });
    expect(again.printed('token of a workspace')).toBe(token);
  });
});

describe('connections that never send what they should', () => {
  it('are cut in the end, idle ones as well as uploads', async () => {
    const received = await Promise.all(cuts);

    expect(received).toHaveLength(idleCount + 3);
    expect(received.slice(idleCount).every((text) => text.startsWith('HTTP/1.1 408'))).toBe(true);
    expect((await app.call('{ viewer { permissions } }')).status).toBe(200);
  });
});
