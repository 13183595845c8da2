import 'reflect-metadata';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../app';
import { loadConfig } from '../config';
import { silentLogger } from '../shared/logger';
import { type TokenName, tokenValue } from '../simulator/world/token';
import { BareSlackClient } from './bare-slack.client';
import { GatewayClient } from './gateway.client';
import { type Bench, type Measurement, measureWithLimits, measureWithoutLimits } from './measurements';

const SIMULATOR = join(__dirname, '../simulator/main.js');
const LIMITED_PEOPLE = 200;

/** The two phases have teams of their own, since they may share a database. */
type Phase = { readonly limits: 'off' | 'on'; readonly token: TokenName; readonly otherToken: TokenName };

/** What the second phase needs to open what the first one made. */
interface Custody {
  readonly sealingKey: string;
  adminKey: string | undefined;
}

interface SlackProcess {
  readonly url: string;
  readonly token: string;
  readonly otherToken: string;
  stop(): Promise<void>;
}

/**
 * `npm run bench`: what the gateway costs, as ratios to calls with nothing around them. Slack is the simulator in a process of
 * its own; the gateway and its clients share this one. With DATABASE_URL of an empty database it measures PostgreSQL, else SQLite.
 */
async function bench(): Promise<void> {
  const custody: Custody = { sealingKey: randomBytes(32).toString('base64'), adminKey: undefined };
  print({ what: '', gateway: 'gateway', bare: 'bare', ratio: 'ratio' });
  const directory = await mkdtemp(join(tmpdir(), 'rollcall-bench-'));
  try {
    await withGateway(
      { limits: 'off', token: 'business-admin', otherToken: 'enterprise-owner' },
      directory,
      custody,
      measureWithoutLimits,
    );
    const limited: Phase = { limits: 'on', token: 'enterprise-owner', otherToken: 'business-admin' };
    await withGateway(limited, directory, custody, (means) => measureWithLimits(means, LIMITED_PEOPLE));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function withGateway(
  phase: Phase,
  directory: string,
  custody: Custody,
  work: (bench: Bench) => Promise<void>,
): Promise<void> {
  const slack = await startSlack(phase);
  const config = loadConfig({
    DATABASE_URL: process.env.DATABASE_URL,
    ROLLCALL_DATA_DIR: directory,
    ROLLCALL_SEALING_KEYS: custody.sealingKey,
    ROLLCALL_PORT: '0',
    ROLLCALL_SANDBOX: 'off',
    ROLLCALL_SLACK_LIMITS: phase.limits === 'on' ? 'slack' : 'off',
    ROLLCALL_SLACK_WEB_URL: slack.url,
    ROLLCALL_SLACK_SCIM_URL: slack.url,
  });
  const app = await startApp(config, { logger: silentLogger });
  custody.adminKey = app.firstKey?.secret.reveal() ?? custody.adminKey;
  if (custody.adminKey === undefined) throw new Error('The database at DATABASE_URL is not empty');
  const gateway = new GatewayClient(app.url, custody.adminKey);
  const bare = (token: string) => new BareSlackClient(slack.url, token, config.operations.concurrency);
  const [sameTeam, otherTeam] = [bare(slack.token), bare(slack.otherToken)];
  try {
    const connectionId = await gateway.connect(slack.token);
    const memory = () => process.memoryUsage.rss();
    await work({ slack: sameTeam, otherSlack: otherTeam, gateway, connectionId, memory, report: print });
  } finally {
    await Promise.all([gateway, sameTeam, otherTeam].map((client) => client.close()));
    await app.stop();
    await slack.stop();
  }
}

async function startSlack({ limits, token, otherToken }: Phase): Promise<SlackProcess> {
  const seed = randomBytes(24).toString('base64url');
  const child = spawn(process.execPath, [SIMULATOR], {
    env: { ...process.env, SIMULATOR_SEED: seed, SIMULATOR_PORT: '0', SIMULATOR_LIMITS: limits },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await urlOf(child);
  return {
    url,
    token: tokenValue(seed, token),
    otherToken: tokenValue(seed, otherToken),
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function urlOf({ stdout }: ChildProcess): Promise<string> {
  let said = '';
  for await (const chunk of stdout ?? []) {
    said += String(chunk);
    const [, url] = /^Slack simulator: (\S+)$/m.exec(said) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error('The simulator did not start');
}

function print({ what, gateway, bare, ratio }: Measurement): void {
  process.stdout.write(`${what.padEnd(74)}${gateway.padStart(10)}${bare.padStart(10)}${ratio.padStart(10)}\n`);
}

bench().catch((error: unknown) => {
  process.stderr.write(`The bench failed: ${error instanceof Error ? (error.stack ?? error.message) : 'unknown'}\n`);
  process.exitCode = 1;
});
