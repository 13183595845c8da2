import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Simulator, startSimulator } from '../../src/simulator/simulator';
import { type Gate, startGate } from '../support/gate';
import { ServerProcess } from '../support/server-process';

const hire = { email: 'grace@example.com', givenName: 'Grace', familyName: 'Hopper' };

describe('a process that is told to stop', () => {
  let folder: string;
  let simulator: Simulator;
  let gate: Gate;
  let server: ServerProcess;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    simulator = await startSimulator({ seed: 'stopping', switches: { limitsEnabled: false } });
    gate = await startGate(simulator.url);
  });

  afterAll(async () => {
    await gate.stop();
    await simulator.stop();
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-stop-'));
  });

  afterEach(async () => {
    server.kill('SIGKILL');
    await server.ended;
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    simulator.reset();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(drainTimeoutMs: number): Promise<void> {
    server = await ServerProcess.start({
      directory: folder,
      env: {
        ROLLCALL_SANDBOX: 'off',
        ROLLCALL_SLACK_WEB_URL: gate.url,
        ROLLCALL_SLACK_SCIM_URL: gate.url,
        ROLLCALL_SLACK_LIMITS: 'off',
        ROLLCALL_DRAIN_TIMEOUT_MS: String(drainTimeoutMs),
      },
    });
  }

  async function connectSlack(): Promise<string> {
    const payload = await server.mutate('createConnection', 'CreateConnectionInput', 'connection { id }', {
      name: 'Acme',
      environment: 'LIVE',
      token: simulator.tokens['business-admin'],
    });
    return (payload as { connection: { id: string } }).connection.id;
  }

  const provision = (connectionId: string) =>
    server.mutate('provisionUser', 'ProvisionUserInput', 'outcome problems { code retryable }', {
      connectionId,
      user: hire,
    });

  async function openSocket(text: string): Promise<Socket> {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    sockets.add(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  }

  it('finishes the running call, refuses what comes meanwhile, and ends with 0 as soon as it is done', async () => {
    await start(600_000);
    const connectionId = await connectSlack();
    const write = gate.hold(/^\/scim\/v2\/Users$/);
    const agent = new Agent({ keepAlive: true });
    expect(await get('/healthz', agent)).toMatchObject({ status: 200 });
    const call = provision(connectionId);
    await write.arrived;

    server.kill('SIGTERM');
    await server.prints('stderr', /"stopping"/);

    expect(await get('/readyz', agent)).toEqual({ status: 503, connection: 'close' });
    expect(await get('/readyz')).toMatchObject({ status: 503 });
    expect(await get('/healthz')).toMatchObject({ status: 200 });
    const late = await server.query('{ viewer { permissions } }');
    expect(late.status).toBe(503);
    expect(JSON.parse(late.text).errors[0].extensions).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true });

    write.release();
    expect(await call).toEqual({ outcome: 'CREATED', problems: [] });
    expect(await server.ended).toBe(0);
    agent.destroy();
  });

  it('ends a call that hangs at Slack when the drain time is over, tells its caller to try again, and ends with 0', async () => {
    await start(300);
    const connectionId = await connectSlack();
    const write = gate.hold(/^\/scim\/v2\/Users$/);
    const call = provision(connectionId);
    await write.arrived;

    server.kill('SIGTERM');
    server.kill('SIGINT');

    expect(await call).toMatchObject({ outcome: 'FAILED', problems: [{ retryable: true }] });
    expect(await server.ended).toBe(0);
    expect(server.stderr.match(/"stopping"/g)).toHaveLength(1);
    write.release();
  });

  it('is held neither by idle connections nor by uploads that have stalled', async () => {
    await start(600_000);
    const agent = new Agent({ keepAlive: true });
    await get('/healthz', agent);
    await openSocket('');
    await openSocket('GET /healthz HTTP/1.1\r\nHost: a\r\n');
    const stalled = await openSocket(
      'POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
    );
    const cut = once(stalled, 'close');
    await get('/readyz');

    expect(await server.stop()).toBe(0);
    await cut;
    agent.destroy();
  });

  function get(path: string, agent?: Agent): Promise<{ status: number; connection: string | undefined }> {
    return new Promise((resolve, reject) => {
      const outgoing = request(`${server.url}${path}`, { agent: agent ?? false }, (response) => {
        response.resume();
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, connection: response.headers.connection });
        });
      });
      outgoing.on('error', reject).end();
    });
  }
});
