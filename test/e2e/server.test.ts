import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess, type ServerProcessOptions } from '../support/server-process';

const connectionInput = 'CreateConnectionInput';
const connectionSelection = 'connection { id status } problems { code }';

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

  it('shows the first key at the first start alone, and create-admin-key makes another', async () => {
    const first = await start();
    expect(await first.stop()).toBe(0);

    const maker = launch({ args: ['create-admin-key'] });
    expect(await maker.ended).toBe(0);
    const [, key = ''] = /^Admin key \(shown once\): (rk_\S+)\n$/.exec(maker.stdout) ?? [];
    const second = await start();

    expect(second.stdout).not.toContain('rk_');
    expect(second.stdout).toContain('npm start -- create-admin-key');
    for (const working of [first.adminKey, key]) {
      const { data } = await second.query('{ viewer { permissions } }', {}, working);
      expect(data).toEqual({ viewer: { permissions: ['ADMIN'] } });
    }
    expect(maker.stderr).not.toContain(key);
  });

  it('makes a key beside a running gateway, which takes it at once', async () => {
    const server = await start();

    const maker = launch({ args: ['create-admin-key'] });
    expect(await maker.ended).toBe(0);

    const key = /rk_\S+/.exec(maker.stdout)?.[0];
    expect((await server.query('{ viewer { apiKey { name } } }', {}, key)).status).toBe(200);
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
    [
      'a database that nobody serves',
      async () => ({ DATABASE_URL: 'postgres://canary:canary@127.0.0.1:1/x', ...aKey }),
    ],
    ['a host that is not of this machine', async () => ({ ROLLCALL_HOST: '192.0.2.1' })],
  ])('says in one line what is wrong with %s', async (_, prepare) => {
    const server = launch({ env: { ...(await prepare(join(folder, 'data'))), ROLLCALL_LOG_LEVEL: 'silent' } });

    expect(await server.ended).toBe(1);
    expect(server.stderr).toMatch(/^Rollcall cannot go on: [^\n]+\n$/);
    expect(server.stderr).not.toContain('canary');
  });
});

const aKey = { ROLLCALL_SEALING_KEYS: Buffer.alloc(32, 7).toString('base64') };

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
