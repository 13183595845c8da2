import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Simulator, startSimulator } from '../../src/simulator/simulator';
import { holdersOf } from '../support/people';
import { ServerProcess } from '../support/server-process';
import { lockFromOutside } from '../support/sqlite-locker';
import { until } from '../support/until';

interface Payload {
  readonly outcome: string;
  readonly user: { slackId: string } | null;
  readonly problems: readonly { code: string }[];
}

describe('a gateway that is killed', () => {
  let simulator: Simulator;
  let directory: string;
  let server: ServerProcess;
  let key: string;

  const start = () =>
    ServerProcess.start({
      directory,
      env: {
        ROLLCALL_SANDBOX: 'off',
        ROLLCALL_SLACK_WEB_URL: simulator.url,
        ROLLCALL_SLACK_SCIM_URL: simulator.url,
        ROLLCALL_LOG_LEVEL: 'warn',
      },
    });

  beforeAll(async () => {
    simulator = await startSimulator({ seed: 'killed', switches: { limitsEnabled: false } });
    directory = await mkdtemp(join(tmpdir(), 'rollcall-killed-'));
    server = await start();
    key = server.adminKey;
  });
  afterAll(async () => {
    await server.stop();
    await simulator.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('before it saved what Slack had done, finds it done when the call comes again, and does nothing twice', async () => {
    const connectionInput = { name: 'Live', environment: 'LIVE', token: simulator.tokens['business-admin'] };
    const connected = (await server.mutate(
      'createConnection',
      'CreateConnectionInput',
      'connection { id }',
      connectionInput,
      key,
    )) as { connection: { id: string } };
    const provision = (email: string) =>
      server.mutate(
        'provisionUser',
        'ProvisionUserInput',
        'outcome user { slackId } problems { code }',
        {
          connectionId: connected.connection.id,
          user: { email, title: 'Survivor' },
          ifExists: 'FAIL',
          idempotencyKey: email,
        },
        key,
      ) as Promise<Payload>;
    const applied = () => simulator.requests.filter(({ isApplied }) => isApplied).length;
    const posted = () => simulator.requests.filter(({ method }) => method === 'POST').length;

    // One answer never reaches the gateway; the other does, but cannot be saved.
    simulator.faults.add({ kind: 'hangAfter', match: { method: 'POST', path: '/Users' } });
    const unanswered = provision('unanswered@example.com').catch(() => 'cut');
    await until(() => applied() === 1);
    // Long enough for a process to start that locks the database.
    simulator.switches.writeTimeMs = 2_500;
    const before = posted();
    const unsaved = provision('unsaved@example.com').catch(() => 'cut');
    await until(() => posted() > before);
    const release = await lockFromOutside(join(directory, 'rollcall.sqlite'));
    await until(() => applied() === 2);
    simulator.switches.writeTimeMs = 0;
    await until(() => simulator.requests.some(({ status, path }) => status === 201 && path.endsWith('/Users')));
    server.kill('SIGKILL');
    await server.ended;
    expect(await Promise.all([unanswered, unsaved])).toEqual(['cut', 'cut']);
    await release();

    server = await start();
    const writes = applied();
    const answers = await Promise.all(['unanswered@example.com', 'unsaved@example.com'].map(provision));
    for (const [index, email] of ['unanswered@example.com', 'unsaved@example.com'].entries()) {
      const holders = holdersOf(simulator, email);
      expect(holders).toHaveLength(1);
      expect(answers[index]).toEqual({ outcome: 'CREATED', user: { slackId: holders[0]?.id }, problems: [] });
    }
    expect(applied()).toBe(writes);
  });
});
