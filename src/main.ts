import 'reflect-metadata';
import { type App, startApp } from './app';
import { commandNames, runCommand } from './commands';
import { type Config, ConfigError, loadConfig } from './config';
import { createLogger } from './log';
import type { Logger } from './shared/logger';

async function main(args: readonly string[]): Promise<void> {
  const config = loadConfig(process.env);
  const logger = createLogger(config.logLevel);
  const [command, ...options] = args;
  if (command === undefined) return serve(config, logger);
  if (!commandNames.includes(command)) {
    throw new ConfigError([`"${command}" is no command; there are ${commandNames.join(', ')}, and none to serve`]);
  }
  if (!(await runCommand(command, { options, config, logger, print }))) process.exitCode = 1;
}

async function serve(config: Config, logger: Logger): Promise<void> {
  const app = await startApp(config, { logger });
  const stop = once(async (signal: string) => {
    logger.info({ signal }, 'stopping');
    await app.stop();
    logger.info({}, 'stopped');
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop(signal).then(() => process.exit(0), fail);
    });
  }
  // After the signals: whoever waits for this line may stop the process at once.
  print(banner(config, app));
  logger.info({ url: app.url, database: config.database.kind }, 'listening');
}

/** What a person who started the gateway needs next. It goes to standard output only, never to the log. */
function banner(config: Config, app: App): string {
  const lines = ['', 'Rollcall is up.', ''];
  lines.push(`  GraphQL      ${app.url}/graphql`);
  if (config.http.playground) lines.push(`  Playground   ${app.url}/playground`);
  if (app.firstKey) {
    lines.push(`  Admin key    ${app.firstKey.secret.reveal()}`, '               (shown this once; keep it)');
  } else {
    lines.push('  Admin key    shown at the first start; for another one: npm start -- create-admin-key');
  }
  if (app.newKeyFile) {
    lines.push(
      `  Sealing key  made in ${app.newKeyFile} (mode 0600): without it stored tokens cannot be opened, so back it up`,
    );
  }
  if (app.sandbox) {
    lines.push('', `  Sandbox      ${app.sandbox.url} (a Slack to play with: its people, and tokens for every case)`);
    lines.push(`    token of a workspace       ${app.sandbox.tokens['business-admin']}`);
    lines.push(`    token of an organization   ${app.sandbox.tokens['enterprise-owner']}`);
  }
  return [...lines, ''].join('\n');
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Repeated signals join the first. */
function once<Argument>(work: (argument: Argument) => Promise<void>): (argument: Argument) => Promise<void> {
  let running: Promise<void> | undefined;
  return (argument) => {
    running ??= work(argument);
    return running;
  };
}

/** A start that fails says why in a sentence; only what nobody foresaw comes with a stack. */
function fail(error: unknown): never {
  process.stderr.write(`Rollcall cannot go on: ${describeFailure(error)}\n`);
  process.exit(1);
}

const foreseenFailures = [
  'CommandFailed',
  'ConfigError',
  'DatabaseNotOpened',
  'KeyCommandFailed',
  'KeyFileRefused',
  'SchemaMismatch',
  'WrongSealingKey',
];

function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure';
  // Of the system: a folder that cannot be written to, an address that is not there.
  const isOfSystem = 'syscall' in error && 'code' in error;
  if (isOfSystem && error.code === 'EADDRINUSE') {
    return `${error.message}. Stop what listens there, or choose another port with ROLLCALL_PORT (ROLLCALL_SANDBOX_PORT for the sandbox).`;
  }
  return isOfSystem || foreseenFailures.includes(error.name) ? error.message : (error.stack ?? error.message);
}

main(process.argv.slice(2)).catch(fail);
