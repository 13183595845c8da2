import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { Secret } from './shared/secret';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface Config {
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly introspection: boolean;
    readonly playground: boolean;
    /** How long running requests may take to finish after a request to stop. */
    readonly drainTimeoutMs: number;
    /** How long one GraphQL call may take, waits for Slack's rate limits included. */
    readonly callTimeoutMs: number;
    /** Where browsers and Slack reach this gateway; undefined: where it listens. Without a slash at the end. */
    readonly publicUrl: string | undefined;
  };
  readonly installs: {
    /** Where people may be sent after an installation: an address that begins with one of these, at a boundary of the path. */
    readonly returnUrls: readonly string[];
    readonly connectLinkTtlMs: number;
  };
  readonly upkeep: {
    /** How often a connection that works is checked without anybody asking. */
    readonly checkEveryMs: number;
  };
  readonly operations: {
    /** Items of one operation that are carried out at the same time. */
    readonly concurrency: number;
  };
  readonly retention: RetentionConfig;
  readonly logLevel: LogLevel;
  readonly dataDirectory: string;
  readonly database: DatabaseConfig;
  readonly sealing: SealingConfig;
  readonly slack: {
    readonly live: SlackOrigins;
    readonly gov: SlackOrigins;
    readonly attemptTimeoutMs: number;
    readonly limits: 'slack' | 'off';
    /** The gateway's own app at each Slack; the sandbox's is its own. */
    readonly apps: { readonly LIVE?: SlackAppConfig; readonly GOV?: SlackAppConfig };
  };
  readonly sandbox: SandboxConfig;
}

/** How long what is over is kept. */
export interface RetentionConfig {
  /** After their end. */
  readonly operationsMs: number;
  /** After their first use. */
  readonly idempotencyKeysMs: number;
  /** After they were resolved. */
  readonly issuesMs: number;
  /** After they ended and were last heard of; their secrets are erased at the end itself. */
  readonly tokensMs: number;
  /** After their link expired. */
  readonly installsMs: number;
  /** After they were received, once they are handled. */
  readonly slackEventsMs: number;
}

export type DatabaseConfig =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: Secret; readonly poolSize: number };

/**
 * Keys from the environment in base64, newest first; the same wrapped by another key, with the command that unwraps one
 * (its input) and prints it in base64; or a key file of our own making beside the embedded database.
 */
export type SealingConfig =
  | { readonly kind: 'keys'; readonly keys: readonly Secret[] }
  | {
      readonly kind: 'command';
      readonly wrapped: readonly Secret[];
      /** The program and its arguments: no shell reads them. */
      readonly command: { readonly words: readonly string[]; readonly timeoutMs: number };
    }
  | { readonly kind: 'file'; readonly file: string };

export interface SlackOrigins {
  /** The Web API is below this address, at /api/…. */
  readonly web: string;
  /** SCIM is below this address, at /scim/v2/…. */
  readonly scim: string;
}

/** What the pages of a Slack app show under "App Credentials". */
export interface SlackAppConfig {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly signingSecret: Secret;
  readonly appId: string | undefined;
}

export type SandboxConfig =
  | { readonly kind: 'off' }
  | { readonly kind: 'on'; readonly port: number; readonly limits: boolean; readonly stateFile: string };

/** Everything that is wrong with the environment, together; variables are named, values never. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration is not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

const MS_PER_MINUTE = 60_000;
const MS_PER_HOUR = 60 * MS_PER_MINUTE;
const MS_PER_DAY = 24 * MS_PER_HOUR;
const SEALING_KEY_BYTES = 32;
/** 32 bytes in base64 or base64url. Node's decoder skips what it does not know, and would make a key of a mistyped one. */
const sealingKeyPattern = /^[A-Za-z0-9+/_-]{43}=?$/;
/** Base64, or what a service writes around it, such as `vault:v1:…`. */
const wrappedKeyPattern = /^[A-Za-z0-9+/_=:.-]{16,8192}$/;

/**
 * Reads the configuration from environment variables; an empty variable counts as unset.
 * @throws ConfigError listing every problem
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const reader = new EnvironmentReader(env);
  const dataDirectory = resolve(reader.text('ROLLCALL_DATA_DIR') ?? 'data');
  const database = readDatabase(reader, dataDirectory);
  const config: Config = {
    http: {
      host: reader.text('ROLLCALL_HOST') ?? '127.0.0.1',
      port: reader.integer('ROLLCALL_PORT', { fallback: 4000, min: 0, max: 65_535 }),
      introspection: reader.flag('ROLLCALL_INTROSPECTION', true),
      playground: reader.flag('ROLLCALL_PLAYGROUND', true),
      drainTimeoutMs: reader.integer('ROLLCALL_DRAIN_TIMEOUT_MS', { fallback: 10_000, min: 0, max: 600_000 }),
      callTimeoutMs: reader.integer('ROLLCALL_CALL_TIMEOUT_MS', { fallback: 60_000, min: 1_000, max: 600_000 }),
      publicUrl: reader.origin('ROLLCALL_PUBLIC_URL', undefined),
    },
    installs: {
      returnUrls: reader.addresses('ROLLCALL_RETURN_URLS'),
      connectLinkTtlMs:
        reader.integer('ROLLCALL_CONNECT_LINK_HOURS', { fallback: 72, min: 1, max: 24 * 30 }) * MS_PER_HOUR,
    },
    upkeep: {
      checkEveryMs:
        reader.integer('ROLLCALL_CHECK_EVERY_MINUTES', { fallback: 360, min: 1, max: 10_080 }) * MS_PER_MINUTE,
    },
    operations: {
      concurrency: reader.integer('ROLLCALL_OPERATION_CONCURRENCY', { fallback: 8, min: 1, max: 64 }),
    },
    retention: readRetention(reader),
    logLevel: reader.choice('ROLLCALL_LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent'], 'info'),
    dataDirectory,
    database,
    sealing: readSealing(reader, database, dataDirectory),
    slack: {
      live: {
        web: reader.origin('ROLLCALL_SLACK_WEB_URL', 'https://slack.com'),
        scim: reader.origin('ROLLCALL_SLACK_SCIM_URL', 'https://api.slack.com'),
      },
      gov: {
        web: reader.origin('ROLLCALL_SLACK_GOV_WEB_URL', 'https://slack-gov.com'),
        scim: reader.origin('ROLLCALL_SLACK_GOV_SCIM_URL', 'https://api.slack-gov.com'),
      },
      attemptTimeoutMs: reader.integer('ROLLCALL_SLACK_TIMEOUT_MS', { fallback: 10_000, min: 100, max: 120_000 }),
      limits: reader.choice('ROLLCALL_SLACK_LIMITS', ['slack', 'off'], 'slack'),
      apps: { LIVE: readSlackApp(reader, 'ROLLCALL_SLACK_'), GOV: readSlackApp(reader, 'ROLLCALL_SLACK_GOV_') },
    },
    sandbox: readSandbox(reader, database, dataDirectory),
  };
  reader.throwIfProblems();
  return deepFreeze(config);
}

function readRetention(reader: EnvironmentReader): RetentionConfig {
  const keep = (what: string, fallback: number) =>
    reader.integer(`ROLLCALL_KEEP_${what}_DAYS`, { fallback, min: 1, max: 3_650 }) * MS_PER_DAY;
  const retention = {
    operationsMs: keep('OPERATIONS', 90),
    idempotencyKeysMs: keep('IDEMPOTENCY_KEYS', 1),
    issuesMs: keep('ISSUES', 180),
    tokensMs: keep('TOKENS', 180),
    installsMs: keep('INSTALLS', 30),
    slackEventsMs: keep('SLACK_EVENTS', 7),
  };
  // A key would name an operation that is gone.
  if (retention.idempotencyKeysMs > retention.operationsMs) {
    reader.problem('ROLLCALL_KEEP_IDEMPOTENCY_KEYS_DAYS must not be more than ROLLCALL_KEEP_OPERATIONS_DAYS');
  }
  return retention;
}

function readDatabase(reader: EnvironmentReader, dataDirectory: string): DatabaseConfig {
  const url = reader.text('DATABASE_URL');
  const poolSize = reader.integer('ROLLCALL_DATABASE_POOL_SIZE', { fallback: 10, min: 1, max: 200 });
  if (url === undefined) return { kind: 'sqlite', file: resolve(dataDirectory, 'rollcall.sqlite') };
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    reader.problem('DATABASE_URL must be a postgres:// address; leave it unset for the embedded SQLite database');
  }
  return { kind: 'postgres', url: new Secret(url), poolSize };
}

function readSealing(reader: EnvironmentReader, database: DatabaseConfig, dataDirectory: string): SealingConfig {
  const text = reader.text('ROLLCALL_SEALING_KEYS');
  const words = reader.command('ROLLCALL_SEALING_KEY_COMMAND');
  const timeoutMs = reader.integer('ROLLCALL_SEALING_KEY_COMMAND_TIMEOUT_MS', {
    fallback: 30_000,
    min: 100,
    max: 600_000,
  });
  if (text === undefined) {
    if (words) reader.problem('ROLLCALL_SEALING_KEY_COMMAND needs the wrapped keys in ROLLCALL_SEALING_KEYS');
    if (database.kind === 'postgres') {
      reader.problem(
        'ROLLCALL_SEALING_KEYS is required with DATABASE_URL: one or more keys of 32 random bytes in base64, newest first, separated by commas (make one with: openssl rand -base64 32)',
      );
    }
    return { kind: 'file', file: resolve(dataDirectory, 'sealing.key') };
  }
  const keys = text.split(',').map((part) => part.trim());
  if (words) {
    if (!keys.every((key) => wrappedKeyPattern.test(key))) {
      reader.problem('ROLLCALL_SEALING_KEYS must hold wrapped keys as text, such as base64, separated by commas');
    } else if (new Set(keys).size < keys.length) reader.problem('ROLLCALL_SEALING_KEYS names a key twice');
    return { kind: 'command', wrapped: keys.map((key) => new Secret(key)), command: { words, timeoutMs } };
  }
  if (!keys.every((key) => sealingKeyPattern.test(key))) {
    reader.problem(`ROLLCALL_SEALING_KEYS must hold keys of ${SEALING_KEY_BYTES} bytes in base64, separated by commas`);
  } else if (new Set(keys.map((key) => Buffer.from(key, 'base64').toString('hex'))).size < keys.length) {
    reader.problem('ROLLCALL_SEALING_KEYS names a key twice');
  }
  return { kind: 'keys', keys: keys.map((key) => new Secret(key)) };
}

/** All of it or none: half an app could begin an installation and not finish it. */
function readSlackApp(reader: EnvironmentReader, prefix: string): SlackAppConfig | undefined {
  const clientId = reader.text(`${prefix}CLIENT_ID`);
  const clientSecret = reader.text(`${prefix}CLIENT_SECRET`);
  const signingSecret = reader.text(`${prefix}SIGNING_SECRET`);
  const appId = reader.text(`${prefix}APP_ID`);
  if (clientId === undefined && clientSecret === undefined && signingSecret === undefined) {
    if (appId !== undefined) reader.problem(`${prefix}APP_ID says nothing without ${prefix}CLIENT_ID`);
    return undefined;
  }
  if (clientId === undefined || clientSecret === undefined || signingSecret === undefined) {
    reader.problem(
      `${prefix}CLIENT_ID, ${prefix}CLIENT_SECRET and ${prefix}SIGNING_SECRET belong together: set all three, or none`,
    );
    return undefined;
  }
  if (!/^\d+\.\d+$/.test(clientId)) reader.problem(`${prefix}CLIENT_ID must be two numbers joined by a dot`);
  if (appId !== undefined && !/^A[A-Z0-9]+$/.test(appId))
    reader.problem(`${prefix}APP_ID must be an id such as A0123ABCD`);
  return { clientId, clientSecret: new Secret(clientSecret), signingSecret: new Secret(signingSecret), appId };
}

/** The sandbox keeps its people in this process, so replicas on one PostgreSQL would each show another Slack: off there. */
function readSandbox(reader: EnvironmentReader, database: DatabaseConfig, dataDirectory: string): SandboxConfig {
  const isOn = reader.flag('ROLLCALL_SANDBOX', database.kind === 'sqlite');
  const port = reader.integer('ROLLCALL_SANDBOX_PORT', { fallback: 0, min: 0, max: 65_535 });
  const limits = reader.flag('ROLLCALL_SANDBOX_LIMITS', true);
  return isOn ? { kind: 'on', port, limits, stateFile: resolve(dataDirectory, 'sandbox.json') } : { kind: 'off' };
}

const commandWord = /(?:[^\s"']|"[^"]*"|'[^']*')+/g;
const commandPattern = /^(?:[^"']|"[^"]*"|'[^']*')+$/;
const quotedPart = /"([^"]*)"|'([^']*)'/g;

/** Collects problems instead of throwing at the first, so that an operator repairs all of them in one go. */
class EnvironmentReader {
  readonly #problems: string[] = [];

  constructor(private readonly env: NodeJS.ProcessEnv) {}

  problem(text: string): void {
    this.#problems.push(text);
  }

  throwIfProblems(): void {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
  }

  text(name: string): string | undefined {
    const value = this.env[name]?.trim();
    return value === '' ? undefined : value;
  }

  integer(name: string, { fallback, min, max }: { fallback: number; min: number; max: number }): number {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const number = /^\d{1,12}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    this.problem(`${name} must be a whole number from ${min} to ${max}`);
    return fallback;
  }

  flag(name: string, fallback: boolean): boolean {
    return this.choice(name, ['on', 'off'], fallback ? 'on' : 'off') === 'on';
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const chosen = choices.find((choice) => choice === value.toLowerCase());
    if (chosen) return chosen;
    this.problem(`${name} must be one of: ${choices.join(', ')}`);
    return fallback;
  }

  /** A program and its arguments, separated by blanks; quotes keep an argument together, and nothing else has a meaning. */
  command(name: string): string[] | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!commandPattern.test(value)) {
      this.problem(`${name} must be a program and its arguments, with every quote closed`);
      return [];
    }
    const words = value.match(commandWord) ?? [];
    return words.map((word) => word.replace(quotedPart, (_, double, single) => double ?? single));
  }

  /** Tokens are sent to this address, or people: it must be https, and plain http only where it cannot leave the machine. */
  origin<Fallback extends string | undefined>(name: string, fallback: Fallback): string | Fallback {
    const value = this.text(name);
    if (value === undefined) return fallback;
    this.checkAddress(name, value);
    return value.replace(/\/+$/, '');
  }

  /** Addresses separated by commas, each as `origin` wants it. */
  addresses(name: string): string[] {
    const values = (this.text(name) ?? '').split(',').map((part) => part.trim());
    const given = values.filter((value) => value !== '');
    for (const value of given) this.checkAddress(name, value);
    return given;
  }

  private checkAddress(name: string, value: string): void {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
    if (!url || !isSafe) this.problem(`${name} must be an https address (plain http is accepted for loopback only)`);
    else if (url.username || url.password || url.search || url.hash) {
      this.problem(`${name} must be an address without user, query or fragment`);
    }
  }
}

function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
