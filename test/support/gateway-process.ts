import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const repository = join(__dirname, '../..');

export interface GatewayProcess {
  /** Such as http://127.0.0.1:40123, without a slash at the end. */
  readonly origin: string;
  readonly adminKey: string;
  /** Token of the sandbox's workspace, as it is printed for a person. */
  readonly sandboxToken: string;
  stop(): Promise<void>;
}

/** The gateway as `npm start` runs it, built, on free ports and with fresh data; what it prints is read from its output. */
export async function startGatewayProcess(env: Record<string, string> = {}): Promise<GatewayProcess> {
  const data = await mkdtemp(join(tmpdir(), 'rollcall-gateway-'));
  const child = spawn(process.execPath, ['dist/src/main.js'], {
    cwd: repository,
    env: { PATH: process.env.PATH, ROLLCALL_DATA_DIR: data, ROLLCALL_PORT: '0', ROLLCALL_LOG_LEVEL: 'warn', ...env },
  });
  const ended = new Promise<void>((settle) => child.once('close', () => settle()));
  let output = '';
  const printed = (name: string) => new RegExp(`${name} +(\\S+)\\n`).exec(output)?.[1];

  const read = await new Promise<[string, string, string]>((settle, reject) => {
    const onText = (text: unknown) => {
      output += String(text);
      const [page, key, token] = [printed('Playground'), printed('Admin key'), printed('token of a workspace')];
      if (page && key && token) settle([new URL(page).origin, key, token]);
    };
    child.stdout.on('data', onText);
    child.stderr.on('data', onText);
    child.once('close', () => reject(new Error(`The gateway did not start: ${output}`)));
  });
  const [origin, adminKey, sandboxToken] = read;
  return {
    origin,
    adminKey,
    sandboxToken,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      await rm(data, { recursive: true, force: true });
    },
  };
}
