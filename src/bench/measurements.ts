import type { BareSlackClient } from './bare-slack.client';
import type { GatewayClient } from './gateway.client';

/** One line of the table. */
export interface Measurement {
  readonly what: string;
  readonly gateway: string;
  readonly bare: string;
  readonly ratio: string;
}

export interface Bench {
  /** Calls on the team of the connection. */
  readonly slack: BareSlackClient;
  /** Calls on another team, so that the gateway does not find on its roster whom the bare loop made. */
  readonly otherSlack: BareSlackClient;
  readonly gateway: GatewayClient;
  readonly connectionId: string;
  /** Bytes that the process of the gateway holds. */
  readonly memory: () => number;
  readonly report: (measurement: Measurement) => void;
}

const PEOPLE = 10_000;
const ROUNDS = 3;
const ROUND = 5_000;
const SINGLE_CALLS = 200;
/** The most that the gateway gives on a page. */
const PAGE = 100;
const MEGABYTE = 1024 * 1024;
/** Slack's limit on creations. */
const CREATIONS = { burst: 20, perMinute: 180 };

/** Everything that needs no limits, in one run, so that both sides see the same machine. */
export async function measureWithoutLimits(bench: Bench): Promise<void> {
  await warmUp(bench);
  await measureCreations(bench);
  await measureSingleCalls(bench);
  await measureMemory(bench);
  await measureListing(bench);
}

/** What the limits allow at the least, against what an operation takes. Takes as long as it says. */
export async function measureWithLimits({ gateway, connectionId, report }: Bench, people: number): Promise<void> {
  const leastMs = (Math.max(0, people - CREATIONS.burst) * 60_000) / CREATIONS.perMinute;
  const tookMs = await gateway.provisionAll(connectionId, emails('limited', people));
  report({
    what: `${people} creations with limits on, against the least possible time`,
    gateway: `${(tookMs / 1000).toFixed(1)} s`,
    bare: `${(leastMs / 1000).toFixed(1)} s`,
    ratio: ratio(tookMs, leastMs),
  });
}

async function warmUp({ otherSlack, gateway, connectionId }: Bench): Promise<void> {
  await otherSlack.createAll(emails('warm-bare', 200));
  await gateway.provisionAll(connectionId, emails('warm-bulk', 200));
  for (const email of emails('warm-single', 20)) await gateway.provision(connectionId, email);
}

/** In turns, so that a machine that slows down slows both. */
async function measureCreations({ otherSlack, gateway, connectionId, report }: Bench): Promise<void> {
  let [bareMs, bulkMs] = [0, 0];
  for (let round = 0; round < ROUNDS; round += 1) {
    bareMs += await otherSlack.createAll(emails(`bare${round}`, ROUND));
    bulkMs += await gateway.provisionAll(connectionId, emails(`bulk${round}`, ROUND));
  }
  const perSecond = (ms: number) => `${Math.round((ROUNDS * ROUND * 1000) / ms)}/s`;
  report({
    what: 'creations in an operation, against a bare loop of the same concurrency',
    gateway: perSecond(bulkMs),
    bare: perSecond(bareMs),
    ratio: ratio(bareMs, bulkMs),
  });
}

async function measureSingleCalls({ slack, gateway, connectionId, report }: Bench): Promise<void> {
  const [single, direct, pair]: [number[], number[], number[]] = [[], [], []];
  for (let index = 0; index < SINGLE_CALLS; index += 1) {
    single.push(await timed(() => gateway.provision(connectionId, `single${index}@bench.example`)));
    direct.push(await timed(() => slack.create(`direct${index}@bench.example`)));
    pair.push(
      await timed(async () => {
        await slack.find(`pair${index}@bench.example`);
        await slack.create(`pair${index}@bench.example`);
      }),
    );
  }
  const line = (what: string, bare: number, ours: number) =>
    report({ what, gateway: `${ours.toFixed(1)} ms`, bare: `${bare.toFixed(1)} ms`, ratio: ratio(ours, bare) });
  line('provisionUser, median, against a bare creation', quantile(direct, 0.5), quantile(single, 0.5));
  line('provisionUser, median, against a bare look-up and creation', quantile(pair, 0.5), quantile(single, 0.5));
  line('provisionUser, 95th percentile, against the same', quantile(pair, 0.95), quantile(single, 0.95));
}

async function measureMemory({ gateway, connectionId, memory, report }: Bench): Promise<void> {
  const before = memory();
  let most = before;
  const tookMs = await gateway.provisionAll(connectionId, emails('many', PEOPLE), () => {
    most = Math.max(most, memory());
  });
  report({
    what: `memory over an operation of ${PEOPLE} people (${(tookMs / 1000).toFixed(0)} s)`,
    gateway: `${Math.round(most / MEGABYTE)} MB`,
    bare: `${Math.round(before / MEGABYTE)} MB`,
    ratio: `+${Math.round((most - before) / MEGABYTE)} MB`,
  });
}

async function measureListing({ slack, gateway, connectionId, report }: Bench): Promise<void> {
  let count = 0;
  const bareMs = await timed(() => slack.list(PAGE));
  const ourMs = await timed(async () => {
    count = await gateway.list(connectionId, PAGE);
  });
  report({
    what: `listing ${count} people in pages of ${PAGE}`,
    gateway: `${(ourMs / 1000).toFixed(2)} s`,
    bare: `${(bareMs / 1000).toFixed(2)} s`,
    ratio: ratio(ourMs, bareMs),
  });
}

function emails(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}@bench.example`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function ratio(left: number, right: number): string {
  return (left / right).toFixed(2);
}
