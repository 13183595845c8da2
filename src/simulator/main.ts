import { randomBytes } from 'node:crypto';
import { startSimulator } from './simulator';
import { tokenNames, tokenPlans } from './world/token';

async function main(): Promise<void> {
  const { env } = process;
  const simulator = await startSimulator({
    seed: env.SIMULATOR_SEED || randomBytes(24).toString('base64url'),
    host: env.SIMULATOR_HOST || '127.0.0.1',
    port: parsePort(env.SIMULATOR_PORT || '4010'),
    switches: { limitsEnabled: parseSwitch('SIMULATOR_LIMITS', env.SIMULATOR_LIMITS || 'on') },
    ...(env.SIMULATOR_STATE_FILE ? { stateFile: env.SIMULATOR_STATE_FILE } : {}),
    logger: { warn: (message) => process.stderr.write(`${message}\n`) },
  });
  const lines = tokenNames.map(
    (name) => `  ${name.padEnd(22)} ${simulator.tokens[name]}\n${' '.repeat(25)}${tokenPlans[name].purpose}`,
  );
  const app = Object.entries(simulator.app).map(([name, value]) => `  ${name.padEnd(22)} ${value}`);
  process.stdout.write(
    `Slack simulator: ${simulator.url}\n\nTokens:\n${lines.join('\n')}\n\nApp for OAuth:\n${app.join('\n')}\n`,
  );
  const stop = () => {
    void simulator.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('SIMULATOR_PORT must be a port number');
  return port;
}

function parseSwitch(name: string, text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new Error(`${name} must be "on" or "off"`);
  return text === 'on';
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

main().catch(fail);
