import { createHash } from 'node:crypto';
import type { Caller } from '../../../src/domain/access/access';
import type { Connection } from '../../../src/domain/connections/connection';
import { systemClock } from '../../../src/shared/clock';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import type { Storage } from '../../../src/storage/open-storage';
import {
  activeTokenOf,
  aStoredCaller,
  callerOf,
  type GrantServices,
  install,
  pairsGiven,
  wireGrantServices,
} from '../../support/grant-services';
import { MovedClock } from '../../support/moved-clock';
import { RefreshProcess } from '../../support/refresh-process';
import { postgresDatabase, type TestDatabase } from '../../support/test-database';
import { OAuthClient } from '../simulator/oauth-client';

const HOUR = 60 * 60_000;
/** Eight processes on a busy machine. */
const STARTING_MS = 120_000;
const EXCHANGE = '/api/oauth.v2.access';

describe('eight processes on one PostgreSQL', () => {
  const clock = new MovedClock();
  let simulator: Simulator;
  let database: TestDatabase;
  let storage: Storage;
  let services: GrantServices;
  let caller: Caller;
  let connection: Connection;
  let processes: RefreshProcess[];

  beforeAll(async () => {
    simulator = await startSimulator({ seed: 'eight', clock });
    database = await postgresDatabase();
    storage = await database.open({ clock });
    services = wireGrantServices({ database: storage.database, simulator, clock });
    caller = await aStoredCaller(storage.database, clock);
    connection = await install(services, simulator, caller);
    // The processes live by this clock from their start on.
    clock.advance(13 * HOUR);
    processes = Array.from({ length: 8 }, () => new RefreshProcess({ database, simulator, clock, connection }));
    await Promise.all(processes.map((process) => process.ready()));
  }, STARTING_MS);
  afterAll(async () => {
    await Promise.all((processes ?? []).map((process) => process.kill()));
    await services?.edge.close();
    await storage?.close();
    await simulator?.stop();
    await database?.drop();
  });

  async function digestOfStored(): Promise<string> {
    const { secret } = await services.tokens.lease(connection, 'user.read', callerOf(caller.tenant, clock));
    expect(await new OAuthClient(simulator).standing(secret.reveal())).toBe('ok');
    return createHash('sha256').update(secret.reveal()).digest('hex');
  }

  it('that need one token at the same moment exchange it once, and all get the new one', async () => {
    const before = pairsGiven(simulator);

    const answers = await Promise.all(processes.map((process) => process.lease()));

    expect(pairsGiven(simulator) - before).toBe(1);
    const digest = await digestOfStored();
    expect(answers.map((answer) => answer?.digest)).toEqual(Array(8).fill(digest));
    expect((await activeTokenOf(storage.database, connection)).generation).toBe(2);
  });

  it('take over from the one that is killed in the middle of it, once', async () => {
    // The stored token is past its end for all of them, as if twelve hours had gone by.
    await database.query(
      `UPDATE access_tokens SET expires_at = 0, refreshed_at = 0 WHERE connection_id = '${connection.id}'`,
    );
    const [first, ...others] = processes;
    simulator.faults.add({ kind: 'hangBefore', match: { path: EXCHANGE } });
    const calls = simulator.requests.length;
    const killed = first?.lease();
    while (!simulator.requests.slice(calls).some(({ path }) => path === EXCHANGE)) await systemClock.sleep(2);
    const before = pairsGiven(simulator);
    const answers = others.map((process) => process.lease());
    await first?.kill();
    expect(await killed).toBeUndefined();
    expect(pairsGiven(simulator)).toBe(before);

    // Its time passes.
    const leases = await database.query("SELECT name FROM leases WHERE name LIKE 'refresh:%'");
    expect(leases).toHaveLength(1);
    await database.query('UPDATE leases SET expires_at = 0');

    const digests = (await Promise.all(answers)).map((answer) => answer?.digest);
    expect(digests).toEqual(Array(7).fill(await digestOfStored()));
    expect(pairsGiven(simulator) - before).toBe(1);
    expect(await activeTokenOf(storage.database, connection)).toMatchObject({
      generation: 3,
      refreshStartedAt: undefined,
    });
  });
});
