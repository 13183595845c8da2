import 'reflect-metadata';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../app';
import { loadConfig } from '../config';
import { silentLogger } from '../shared/logger';
import { GatewayClient } from './gateway.client';
import { runInstallJob } from './install-job';
import { runMainJob } from './main-job';
import { Steps } from './steps';

/** `npm run demo`: the main job against a fresh gateway on a temporary folder, step by step. */
async function demo(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'rollcall-demo-'));
  const config = loadConfig({ ROLLCALL_DATA_DIR: directory, ROLLCALL_PORT: '0', ROLLCALL_SANDBOX: 'on' });
  const app = await startApp(config, { logger: silentLogger });
  try {
    const { firstKey, sandbox } = app;
    if (!firstKey || !sandbox) throw new Error('A fresh gateway has a first key and a sandbox');
    process.stdout.write(`A fresh gateway is up at ${app.url}, with the sandbox as its Slack.\n\n`);
    const client = new GatewayClient(app.url, firstKey.secret.reveal());
    const steps = new Steps((line) => process.stdout.write(`${line}\n`));
    await runMainJob(client, sandbox.tokens, steps);
    await runInstallJob(client, sandbox, steps);
    const { failed } = steps;
    process.stdout.write(failed === 0 ? '\nAll steps did what they should.\n' : `\n${failed} steps failed.\n`);
    process.exitCode = failed === 0 ? 0 : 1;
  } finally {
    await app.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

demo().catch((error: unknown) => {
  process.stderr.write(`The demo failed: ${error instanceof Error ? (error.stack ?? error.message) : 'unknown'}\n`);
  process.exitCode = 1;
});
