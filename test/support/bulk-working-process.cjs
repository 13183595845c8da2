// A gateway without a server: the store, the SCIM client and whatever carries out operations, as a process that can be
// killed at any moment. It says `ready`, and then `{ counts, status }` of the operation that it was told of, again and again.
require('reflect-metadata');
const { join } = require('node:path');

const { database, keyByte, slackUrl, operationId, concurrency, lookEveryMs } = JSON.parse(process.env.BULK_PROCESS);
const load = (path) => require(join(__dirname, '../../dist/src', path));
const { wireServices } = load('services');
const { systemClock: clock } = load('shared/clock');
const { silentLogger } = load('shared/logger');
const say = (fields, message) =>
  process.env.BULK_LOG && process.stderr.write(`${message} ${JSON.stringify(fields)} ${fields.err?.stack ?? ''}\n`);
const logger = { ...silentLogger, warn: say, error: say };
const { Secret } = load('shared/secret');
const { createSlackEdge } = load('slack/slack-directory');
const { givenKeys } = load('storage/key-provider');
const { openStorage } = load('storage/open-storage');
const { OperationPool } = load('worker/operation-pool.runner');
const { OperationUpkeepRunner } = load('worker/operation-upkeep.runner');

const means = { clock, random: Math.random, logger };

async function main() {
  const isShared = database.kind === 'postgres';
  const url = isShared ? { url: new Secret(database.url), poolSize: 4 } : {};
  const storage = await openStorage({
    database: { ...database, ...url },
    keys: givenKeys([Buffer.alloc(32, keyByte)]),
    clock,
    logger,
  });
  const edge = createSlackEdge({
    ...means,
    origins: { SANDBOX: { web: slackUrl, scim: slackUrl } },
    apps: {},
    redirectUri: () => slackUrl,
    attemptTimeoutMs: 10_000,
    limits: 'off',
    shared: storage.sharedLimits,
  });
  const parts = { ...means, database: storage.database, runner: () => services.operationRunner };
  const dispatch = isShared
    ? new (load('worker/operation-jobs.runner').OperationJobs)({ ...parts, url: new Secret(database.url) })
    : new OperationPool(parts);
  const services = wireServices(storage, edge, {
    ...means,
    dispatch,
    hasSandbox: true,
    publicUrl: () => slackUrl,
    returnUrls: [],
    connectLinkTtlMs: 1,
    checkEveryMs: 86_400_000,
    runnerRules: { concurrency, sliceMs: 2_000, itemMs: 20_000 },
  });
  await dispatch.start();
  const upkeep = new OperationUpkeepRunner(services.operations, storage.feed, means);
  upkeep.start();
  process.on('message', async (message) => {
    if (message !== 'stop') return;
    await Promise.all([upkeep.stop(), dispatch.stop(5_000)]);
    await edge.close();
    await storage.close();
    process.disconnect();
  });
  process.send('ready');
  const look = async () => {
    const operation = await storage.database.transaction(({ operations }) => operations.lock(operationId));
    if (process.connected && operation) process.send({ counts: operation.counts, status: operation.status });
  };
  setInterval(() => look().catch(() => {}), lookEveryMs).unref();
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
