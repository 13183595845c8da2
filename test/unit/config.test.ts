import { resolve } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { type Config, ConfigError, loadConfig } from '../../src/config';

const keyOf = (byte: number) => Buffer.alloc(32, byte).toString('base64');
const databaseUrl = 'postgres://rollcall:pass-of-the-database@db.example.com:5432/rollcall';
const postgres = { DATABASE_URL: databaseUrl, ROLLCALL_SEALING_KEYS: keyOf(1) };

const DAY_MS = 24 * 60 * 60_000;

const numbers: [name: string, min: number, max: number, read: (config: Config) => number | undefined][] = [
  ['ROLLCALL_PORT', 0, 65_535, ({ http }) => http.port],
  ['ROLLCALL_DRAIN_TIMEOUT_MS', 0, 600_000, ({ http }) => http.drainTimeoutMs],
  ['ROLLCALL_CALL_TIMEOUT_MS', 1_000, 600_000, ({ http }) => http.callTimeoutMs],
  ['ROLLCALL_SLACK_TIMEOUT_MS', 100, 120_000, ({ slack }) => slack.attemptTimeoutMs],
  [
    'ROLLCALL_SEALING_KEY_COMMAND_TIMEOUT_MS',
    100,
    600_000,
    ({ sealing }) => (sealing.kind === 'command' ? sealing.command.timeoutMs : undefined),
  ],
  ['ROLLCALL_SANDBOX_PORT', 0, 65_535, ({ sandbox }) => (sandbox.kind === 'on' ? sandbox.port : undefined)],
  [
    'ROLLCALL_DATABASE_POOL_SIZE',
    1,
    200,
    ({ database }) => (database.kind === 'postgres' ? database.poolSize : undefined),
  ],
  ['ROLLCALL_KEEP_OPERATIONS_DAYS', 1, 3_650, ({ retention }) => retention.operationsMs / DAY_MS],
  ['ROLLCALL_KEEP_IDEMPOTENCY_KEYS_DAYS', 1, 3_650, ({ retention }) => retention.idempotencyKeysMs / DAY_MS],
  ['ROLLCALL_KEEP_ISSUES_DAYS', 1, 3_650, ({ retention }) => retention.issuesMs / DAY_MS],
  ['ROLLCALL_KEEP_TOKENS_DAYS', 1, 3_650, ({ retention }) => retention.tokensMs / DAY_MS],
  ['ROLLCALL_KEEP_INSTALLS_DAYS', 1, 3_650, ({ retention }) => retention.installsMs / DAY_MS],
  ['ROLLCALL_KEEP_SLACK_EVENTS_DAYS', 1, 3_650, ({ retention }) => retention.slackEventsMs / DAY_MS],
];
/** Without these the number would have nothing to say. */
const settings: Readonly<Record<string, object>> = {
  ROLLCALL_DATABASE_POOL_SIZE: postgres,
  ROLLCALL_KEEP_IDEMPOTENCY_KEYS_DAYS: { ROLLCALL_KEEP_OPERATIONS_DAYS: '3650' },
  ROLLCALL_SEALING_KEY_COMMAND_TIMEOUT_MS: { ROLLCALL_SEALING_KEYS: keyOf(1), ROLLCALL_SEALING_KEY_COMMAND: 'kms' },
};
const switches = ['ROLLCALL_INTROSPECTION', 'ROLLCALL_PLAYGROUND', 'ROLLCALL_SANDBOX', 'ROLLCALL_SANDBOX_LIMITS'];
const origins = [
  'ROLLCALL_SLACK_WEB_URL',
  'ROLLCALL_SLACK_SCIM_URL',
  'ROLLCALL_SLACK_GOV_WEB_URL',
  'ROLLCALL_SLACK_GOV_SCIM_URL',
];

describe('the configuration', () => {
  it('is whole without any variable: SQLite, a key file and the sandbox on loopback', () => {
    const dataDirectory = resolve('data');

    expect(loadConfig({})).toEqual({
      http: {
        host: '127.0.0.1',
        port: 4000,
        introspection: true,
        playground: true,
        drainTimeoutMs: 10_000,
        callTimeoutMs: 60_000,
        publicUrl: undefined,
      },
      installs: { returnUrls: [], connectLinkTtlMs: 72 * 60 * 60_000 },
      upkeep: { checkEveryMs: 6 * 60 * 60_000 },
      operations: { concurrency: 8 },
      retention: {
        operationsMs: 90 * DAY_MS,
        idempotencyKeysMs: DAY_MS,
        issuesMs: 180 * DAY_MS,
        tokensMs: 180 * DAY_MS,
        installsMs: 30 * DAY_MS,
        slackEventsMs: 7 * DAY_MS,
      },
      logLevel: 'info',
      dataDirectory,
      database: { kind: 'sqlite', file: resolve(dataDirectory, 'rollcall.sqlite') },
      sealing: { kind: 'file', file: resolve(dataDirectory, 'sealing.key') },
      slack: {
        live: { web: 'https://slack.com', scim: 'https://api.slack.com' },
        gov: { web: 'https://slack-gov.com', scim: 'https://api.slack-gov.com' },
        attemptTimeoutMs: 10_000,
        limits: 'slack',
        apps: { LIVE: undefined, GOV: undefined },
      },
      sandbox: { kind: 'on', port: 0, limits: true, stateFile: resolve(dataDirectory, 'sandbox.json') },
    });
  });

  it('takes an empty or blank variable for an unset one', () => {
    const names = [...numbers.map(([name]) => name), ...switches, ...origins, 'ROLLCALL_HOST', 'ROLLCALL_DATA_DIR'];
    const blank = (text: string) =>
      Object.fromEntries(
        [...names, 'DATABASE_URL', 'ROLLCALL_SEALING_KEYS', 'ROLLCALL_SLACK_LIMITS', 'ROLLCALL_LOG_LEVEL'].map(
          (name) => [name, text],
        ),
      );

    expect(loadConfig(blank(''))).toEqual(loadConfig({}));
    expect(loadConfig(blank('  '))).toEqual(loadConfig({}));
  });

  it('cannot be changed once it is loaded', () => {
    const config = loadConfig(postgres);

    for (const section of [config, config.http, config.slack, config.slack.live, config.database, config.sealing]) {
      expect(Object.isFrozen(section)).toBe(true);
    }
  });

  it('reads nothing but the variables it is given, and leaves them as they are', () => {
    const env = Object.freeze({ ...postgres, ROLLCALL_PORT: '1' });

    expect(loadConfig(env)).toEqual(loadConfig({ ...env }));
  });

  describe.each(numbers)('the number %s', (name, min, max, read) => {
    const env = settings[name] ?? {};

    it('holds its bounds and everything between', () => {
      fc.assert(
        fc.property(fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max)), (value) => {
          expect(read(loadConfig({ ...env, [name]: ` ${value} ` }))).toBe(value);
        }),
      );
    });

    it.each([String(min - 1), String(max + 1), '1e3', '0x10', '1.5', '1_000', '٣', 'ten', '1 2', '9'.repeat(40)])(
      'refuses %s',
      (value) => {
        expect(problemsOf({ ...env, [name]: value })).toEqual([`${name} must be a whole number from ${min} to ${max}`]);
      },
    );
  });

  it('keeps no idempotency key longer than the operation that it names', () => {
    expect(problemsOf({ ROLLCALL_KEEP_IDEMPOTENCY_KEYS_DAYS: '8', ROLLCALL_KEEP_OPERATIONS_DAYS: '7' })).toEqual([
      'ROLLCALL_KEEP_IDEMPOTENCY_KEYS_DAYS must not be more than ROLLCALL_KEEP_OPERATIONS_DAYS',
    ]);
  });

  it.each(switches)('turns %s on and off by those words alone', (name) => {
    for (const word of ['on', 'ON', 'off', 'Off']) expect(() => loadConfig({ [name]: word })).not.toThrow();
    for (const word of ['true', '1', 'yes', 'onn', 'constructor']) {
      expect(problemsOf({ [name]: word })).toEqual([`${name} must be one of: on, off`]);
    }
  });

  it('turns introspection and the playground off', () => {
    const { http } = loadConfig({ ROLLCALL_INTROSPECTION: 'off', ROLLCALL_PLAYGROUND: 'off' });

    expect(http).toMatchObject({ introspection: false, playground: false });
  });

  it('knows the log levels and no other word', () => {
    for (const level of ['debug', 'info', 'warn', 'error', 'silent']) {
      expect(loadConfig({ ROLLCALL_LOG_LEVEL: level }).logLevel).toBe(level);
    }
    expect(problemsOf({ ROLLCALL_LOG_LEVEL: 'verbose' })).toEqual([expect.stringContaining('ROLLCALL_LOG_LEVEL')]);
  });
});

describe('addresses of Slack', () => {
  it.each(origins)('take https anywhere and http on loopback for %s', (name) => {
    const read = (value: string) => {
      const { live, gov } = loadConfig({ [name]: value }).slack;
      return [live.web, live.scim, gov.web, gov.scim][origins.indexOf(name)];
    };

    expect(read('https://slack.example.com/proxy/')).toBe('https://slack.example.com/proxy');
    for (const host of ['127.0.0.1:4010', '127.8.9.10', 'localhost:1', '[::1]:4010']) {
      expect(read(`http://${host}`)).toBe(`http://${host}`);
    }
  });

  it.each([
    'http://slack.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://10.0.0.1',
    'http://[::ffff:10.0.0.1]',
    'http://0.0.0.0',
    'ftp://127.0.0.1',
    'file:///etc/passwd',
    'slack.com',
    '//slack.com',
    'javascript:alert(1)',
  ])('refuse %s, where a token could leave in the clear', (value) => {
    expect(problemsOf({ ROLLCALL_SLACK_SCIM_URL: value })).toEqual([
      'ROLLCALL_SLACK_SCIM_URL must be an https address (plain http is accepted for loopback only)',
    ]);
  });

  it.each(['https://user@slack.com', 'https://user:word@slack.com', 'https://slack.com/?a=b', 'https://slack.com/#a'])(
    'refuse %s, which holds more than a place',
    (value) => {
      expect(problemsOf({ ROLLCALL_SLACK_WEB_URL: value })).toEqual([
        'ROLLCALL_SLACK_WEB_URL must be an address without user, query or fragment',
      ]);
    },
  );
});

describe('database and sealing keys', () => {
  it('uses PostgreSQL for an address of it, without a sandbox unless asked for', () => {
    const config = loadConfig(postgres);

    expect(config.database).toMatchObject({ kind: 'postgres', poolSize: 10 });
    expect(config.sandbox).toEqual({ kind: 'off' });
    expect(loadConfig({ ...postgres, ROLLCALL_SANDBOX: 'on' }).sandbox.kind).toBe('on');
    expect(loadConfig({ ...postgres, DATABASE_URL: 'postgresql://db.example.com/x' }).database.kind).toBe('postgres');
  });

  it('keeps the address of the database out of everything that is printed', () => {
    const config = loadConfig(postgres);

    for (const printed of [JSON.stringify(config), inspect(config, { depth: 9 }), String(config.database)]) {
      expect(printed).not.toContain('pass-of-the-database');
    }
  });

  it('keeps sealing keys out of everything that is printed', () => {
    const config = loadConfig(postgres);

    for (const printed of [JSON.stringify(config), inspect(config, { depth: 9 })]) {
      expect(printed).not.toContain(keyOf(1));
      expect(printed).not.toMatch(/(01 ?){8}|(1,\s*){8}/);
    }
  });

  it('asks for keys where the key file would lie on a machine that comes and goes', () => {
    expect(problemsOf({ DATABASE_URL: databaseUrl })).toEqual([
      expect.stringContaining('ROLLCALL_SEALING_KEYS is required with DATABASE_URL'),
    ]);
  });

  it.each(['mysql://db/x', 'postgres', 'postgres:/db', 'sqlite:data.sqlite', 'postgres://[', 'http://db'])(
    'refuses %s as a database',
    (value) => {
      expect(problemsOf({ ...postgres, DATABASE_URL: value })).toEqual([
        'DATABASE_URL must be a postgres:// address; leave it unset for the embedded SQLite database',
      ]);
    },
  );

  it('takes several keys, the newest first', () => {
    const { sealing } = loadConfig({ ROLLCALL_SEALING_KEYS: ` ${keyOf(2)} , ${keyOf(1)} ` });

    expect(sealing).toMatchObject({ kind: 'keys' });
    const bytes = sealing.kind === 'keys' ? sealing.keys.map((key) => Buffer.from(key.reveal(), 'base64')[0]) : [];
    expect(bytes).toEqual([2, 1]);
  });

  it.each([
    ['a short one', Buffer.alloc(31, 1).toString('base64')],
    ['a long one', Buffer.alloc(33, 1).toString('base64')],
    ['hexadecimal digits', Buffer.alloc(32, 1).toString('hex')],
    ['an empty part', `${keyOf(1)},`],
    ['a part that is no base64', `${keyOf(1)},!!!`],
    ['signs around a key that base64 does not have', `"${keyOf(1)}"`],
    ['a passphrase', 'correct horse battery staple'],
  ])('refuses %s', (_, value) => {
    expect(problemsOf({ ROLLCALL_SEALING_KEYS: value })).toEqual([
      'ROLLCALL_SEALING_KEYS must hold keys of 32 bytes in base64, separated by commas',
    ]);
  });

  it('refuses a key that is named twice', () => {
    expect(problemsOf({ ROLLCALL_SEALING_KEYS: `${keyOf(1)},${keyOf(2)},${keyOf(1)}` })).toEqual([
      'ROLLCALL_SEALING_KEYS names a key twice',
    ]);
  });
});

describe('the command that unwraps sealing keys', () => {
  const wrapped = 'vault:v1:S3GtnJ5GUNCWV+/pdL9+g1Feu/nz';
  const read = (command: string) =>
    loadConfig({ ROLLCALL_SEALING_KEYS: ` ${wrapped} , ${keyOf(1)}`, ROLLCALL_SEALING_KEY_COMMAND: command }).sealing;

  it('is split at blanks and kept together by quotes, and nothing else in it has a meaning', () => {
    for (const [text, words] of [
      ['kms', ['kms']],
      ['  kms  decrypt\t--key=a ', ['kms', 'decrypt', '--key=a']],
      [`sh -c 'base64 -d | kms "x y"' "it's" a'b c'd ''`, ['sh', '-c', 'base64 -d | kms "x y"', "it's", 'ab cd', '']],
      ['kms $HOME `id` $(id) a;b a\\ b *', ['kms', '$HOME', '`id`', '$(id)', 'a;b', 'a\\', 'b', '*']],
    ] as const) {
      expect(read(text)).toMatchObject({ kind: 'command', command: { words, timeoutMs: 30_000 } });
    }
  });

  it('takes wrapped keys of other forms than a key, newest first, and shows none', () => {
    const sealing = read('kms');
    expect(sealing.kind === 'command' && sealing.wrapped.map((key) => key.reveal())).toEqual([wrapped, keyOf(1)]);
    expect(inspect(sealing, { depth: 9 })).not.toContain('S3Gtn');
  });

  it.each(['kms "a', "kms 'a", `kms "a'`, `'`])('is refused with a quote that is not closed: %s', (command) => {
    expect(problemsOf({ ...postgres, ROLLCALL_SEALING_KEY_COMMAND: command })).toEqual([
      expect.stringContaining('every quote closed'),
    ]);
  });

  it('is refused without wrapped keys, with texts that are none, and with one twice', () => {
    const command = { ROLLCALL_SEALING_KEY_COMMAND: 'kms' };
    expect(problemsOf(command)).toEqual([expect.stringContaining('needs the wrapped keys')]);
    expect(problemsOf({ ...command, ROLLCALL_SEALING_KEYS: `${wrapped},short` })).toEqual([
      expect.stringContaining('must hold wrapped keys'),
    ]);
    expect(problemsOf({ ...command, ROLLCALL_SEALING_KEYS: `${wrapped},${wrapped}` })).toEqual([
      expect.stringContaining('twice'),
    ]);
  });
});

describe('problems', () => {
  const wrong = {
    ROLLCALL_PORT: 'canary-port',
    ROLLCALL_DRAIN_TIMEOUT_MS: '-1',
    ROLLCALL_PLAYGROUND: 'canary-switch',
    ROLLCALL_LOG_LEVEL: 'canary-level',
    ROLLCALL_SLACK_WEB_URL: 'http://canary-web.example.com',
    ROLLCALL_SLACK_SCIM_URL: 'https://canary:word@slack.com',
    ROLLCALL_SLACK_LIMITS: 'canary-limits',
    ROLLCALL_SANDBOX_PORT: '65536',
    DATABASE_URL: 'mysql://canary:word@db/x',
    ROLLCALL_SEALING_KEYS: 'canary-key',
  };

  it('are told together, one a line, each by the name of its variable', () => {
    const problems = problemsOf(wrong);

    expect(problems.map((problem) => problem.split(' ')[0]).sort()).toEqual(Object.keys(wrong).sort());
    const message = messageOf(wrong);
    expect(message.split('\n')).toHaveLength(problems.length + 1);
    for (const problem of problems) expect(message).toContain(`  - ${problem}`);
  });

  it('repeat no value', () => {
    expect(messageOf(wrong)).not.toMatch(/canary|word|65536|-1\b/);
  });
});

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  return failureOf(env).problems;
}

function messageOf(env: NodeJS.ProcessEnv): string {
  return failureOf(env).message;
}

function failureOf(env: NodeJS.ProcessEnv): ConfigError {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('This configuration was accepted');
}
