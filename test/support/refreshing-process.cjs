// A gateway without a server: the store, the OAuth client and the refreshes, as a process that can be killed at any step of
// its work. It takes orders as messages of its parent, and answers with digests of tokens, never with tokens.
const { createHash } = require('node:crypto');
const { join } = require('node:path');

const { database, keyByte, slackUrl, app, connection, clockAheadMs, killAt } = JSON.parse(process.env.REFRESH_PROCESS);
const load = (path) => require(join(__dirname, '../../dist/src', path));
const { AccessTokenService } = load('domain/connections/access-token.service');
const { ConnectionHealth } = load('domain/connections/connection-health.service');
const { ConnectionSnapshots } = load('domain/connections/connection-snapshots');
const { PairKeeper } = load('domain/connections/pair-keeper.service');
const { TokenRefreshService } = load('domain/connections/token-refresh.service');
const { systemClock } = load('shared/clock');
const { silentLogger } = load('shared/logger');
const { Secret } = load('shared/secret');
const { slackAppOf } = load('slack/slack-app');
const { createSlackEdge } = load('slack/slack-directory');
const { givenKeys } = load('storage/key-provider');
const { openStorage } = load('storage/open-storage');

const clock = { now: () => systemClock.now() + clockAheadMs, sleep: systemClock.sleep };
const means = { clock, random: Math.random, logger: silentLogger };
/** Names of the steps taken so far; the process kills itself at the one whose number was given. */
const steps = [];
let isArmed = false;

function step(name) {
  if (!isArmed) return;
  if (steps.length === killAt) process.kill(process.pid, 'SIGKILL');
  steps.push(name);
}

/** Before a piece of work, before its commit, and after it. */
function stepping(inner) {
  let calls = 0;
  const call = (kind) => async (work) => {
    calls += 1;
    const name = `${kind} ${calls}`;
    step(`before ${name}`);
    const result = await inner[kind](async (stores) => {
      const done = await work(stores);
      step(`inside ${name}`);
      return done;
    });
    step(`after ${name}`);
    return result;
  };
  return { read: call('read'), transaction: call('transaction'), ping: () => inner.ping() };
}

function steppingOAuth(inner) {
  return {
    isAvailable: (environment) => inner.isAvailable(environment),
    appSlackId: (environment) => inner.appSlackId(environment),
    async refresh(...given) {
      step('before the exchange');
      const pair = await inner.refresh(...given);
      step('after the exchange');
      return pair;
    },
  };
}

async function main() {
  const url = database.kind === 'postgres' ? { url: new Secret(database.url), poolSize: 2 } : {};
  const storage = await openStorage({
    database: { ...database, ...url },
    keys: givenKeys([Buffer.alloc(32, keyByte)]),
    clock,
    logger: silentLogger,
  });
  const edge = createSlackEdge({
    ...means,
    origins: { SANDBOX: { web: slackUrl, scim: slackUrl } },
    apps: { SANDBOX: slackAppOf(() => app) },
    redirectUri: () => slackUrl,
    attemptTimeoutMs: 10_000,
    limits: 'off',
  });
  const stepped = stepping(storage.database);
  const health = new ConnectionHealth(stepped, clock, silentLogger);
  const keeper = new PairKeeper({ ...means, health, webApi: edge.webApi });
  const refreshes = new TokenRefreshService({
    ...means,
    database: stepped,
    oauth: steppingOAuth(edge.oauth),
    health,
    keeper,
  });
  const snapshots = new ConnectionSnapshots(stepped, clock, storage.feed);
  const tokens = new AccessTokenService(stepped, snapshots, refreshes, clock, silentLogger);

  process.on('message', async () => {
    const { signal } = new AbortController();
    const call = { signal, deadlineAt: clock.now() + 60_000, requestId: 'req_process' };
    try {
      isArmed = true;
      const { secret } = await tokens.lease(connection, 'user.read', call);
      process.send({ digest: createHash('sha256').update(secret.reveal()).digest('hex'), steps });
    } catch (error) {
      process.send({ failure: `${error.name}: ${error.message}`, steps });
    }
  });
  process.on('disconnect', () => process.exit());
  process.send({ isReady: true });
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
