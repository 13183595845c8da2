import { noCounts, type Operation, type OperationId } from '../../src/domain/operations/operation';
import { type ItemWork, newItem } from '../../src/domain/operations/operation-item';
import { newId } from '../../src/shared/ids';
import { Secret } from '../../src/shared/secret';
import { type Simulator, startSimulator } from '../../src/simulator/simulator';
import type { Storage } from '../../src/storage/open-storage';
import { BulkProcess } from './bulk-process';
import { peopleOf } from './people';
import { seededRandom } from './random';
import { aConnection, anApiKey, aTenant, aToken } from './storage-records';
import type { MakeTestDatabase, TestDatabase } from './test-database';

/** How often processes are killed; ROLLCALL_CRASH_ROUNDS asks for more. */
const ROUNDS = Number(process.env.ROLLCALL_CRASH_ROUNDS ?? 2);
const PEOPLE = Number(process.env.ROLLCALL_CRASH_PEOPLE ?? (ROUNDS > 20 ? 500 : 60));
const SEED = Number(process.env.ROLLCALL_CRASH_SEED ?? 7);

/** I1, I2 and I5 of an operation whose processes are killed at random moments, again and again. */
export function bulkCrashContract(
  name: string,
  makeDatabase: MakeTestDatabase,
  { processes }: { readonly processes: number },
): void {
  describe(name, () => {
    let simulator: Simulator;
    let database: TestDatabase;
    const all: BulkProcess[] = [];

    beforeAll(async () => {
      simulator = await startSimulator({ seed: 'crashes', switches: { limitsEnabled: false } });
      database = await makeDatabase();
    });
    afterAll(async () => {
      for (const left of all) await left.kill();
      await simulator.stop();
      await database.drop();
    });

    it(
      `makes everybody once, whose processes are killed ${ROUNDS} times`,
      async () => {
        const operationId = await withStorage(database, (storage) => storeOperation(storage, simulator, PEOPLE));
        const random = seededRandom(SEED);
        // So that the deaths fall all over the operation, however fast this machine is.
        simulator.switches.writeTimeMs = 15;
        const start = () => {
          const started = new BulkProcess({ database, slackUrl: simulator.url, operationId, concurrency: 4 });
          all.push(started);
          return started;
        };
        let finished: ReadonlyMap<number, string> = new Map();
        const living = await Promise.all(Array.from({ length: processes }, () => start().ready()));
        for (let round = 1; round <= ROUNDS; round += 1) {
          const from = simulator.requests.length;
          const victim = living.shift() ?? start();
          const share = Math.floor((PEOPLE * (round - 1 + random())) / ROUNDS);
          await victim.progress(({ counts }) => counts.succeeded >= share || counts.pending + counts.running === 0);
          await new Promise((resolve) => setTimeout(resolve, random() * 60));
          await victim.kill();
          expect(sentAgain(simulator, from, finished)).toEqual([]);
          finished = await withStorage(database, (storage) => finishedItems(storage, operationId));
          living.push(await start().ready());
        }
        const last = living.at(-1) ?? start();
        const from = simulator.requests.length;
        const { status, counts } = await last.progress((progress) => progress.status === 'SUCCEEDED');
        for (const survivor of living) await survivor.stop();

        expect({ status, ...counts }).toEqual({
          ...{ status: 'SUCCEEDED', total: PEOPLE, succeeded: PEOPLE },
          ...{ pending: 0, running: 0, failed: 0, skipped: 0, held: 0 },
        });
        expect(sentAgain(simulator, from, finished)).toEqual([]);
        const made = peopleOf(simulator).filter(({ primaryEmail }) => primaryEmail?.endsWith('@crash.example'));
        expect(new Set(made.map(({ primaryEmail }) => primaryEmail)).size).toBe(PEOPLE);
        expect(made).toHaveLength(PEOPLE);
        const items = await withStorage(database, (storage) => finishedItems(storage, operationId));
        const idsOf = new Map(made.map(({ primaryEmail, id }) => [primaryEmail, id]));
        for (const [index, slackId] of items) expect(slackId).toBe(idsOf.get(emailOf(index)));
      },
      60_000 + ROUNDS * 20_000,
    );
  });
}

async function withStorage<T>(database: TestDatabase, work: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await database.open({ role: 'command' });
  try {
    return await work(storage);
  } finally {
    await storage.close();
  }
}

async function storeOperation({ database }: Storage, simulator: Simulator, people: number): Promise<OperationId> {
  const tenant = aTenant();
  const key = anApiKey(tenant.id, { permissions: ['users:write'], createdAt: new Date() });
  const organization = simulator.world.organization('business');
  const connection = aConnection(tenant.id, { environment: 'SANDBOX', teamKey: organization.id });
  const id = newId<OperationId>('opr');
  const now = new Date();
  await database.transaction(async (stores) => {
    await stores.tenants.insert(tenant);
    await stores.apiKeys.insert(key);
    await stores.connections.insert(connection);
    await stores.tokens.insert(
      aToken(connection, { grantedScopes: ['admin', 'users:read', 'users:read.email'] }),
      new Secret(simulator.tokens['business-admin']),
    );
    const operation: Operation = {
      id,
      tenantId: tenant.id,
      connectionId: connection.id,
      apiKeyId: key.id,
      kind: 'PROVISION_USERS',
      status: 'QUEUED',
      settings: { ifExists: 'FAIL' },
      counts: { ...noCounts, total: people, pending: people },
      setbacks: 0,
      dueAt: now,
      createdAt: now,
      updatedAt: now,
      version: 1,
    };
    await stores.operations.insert(operation);
    const works = Array.from(
      { length: people },
      (_, index): ItemWork => ({ action: 'provisionUser', user: { email: emailOf(index) } }),
    );
    await stores.operations.insertItems(
      operation,
      works.map((work, index) => newItem(index, work)),
    );
    await stores.operations.accept(operation);
  });
  return id;
}

function emailOf(index: number): string {
  return `p${index}@crash.example`;
}

/** By index, with Slack's id of the account. */
async function finishedItems({ database }: Storage, id: OperationId): Promise<Map<number, string>> {
  const { items } = await database.read(({ operations }) => operations.listItems(id, ['SUCCEEDED'], 10_000, undefined));
  return new Map(items.map(({ index, user }) => [index, user?.slackId ?? '']));
}

/** Calls about people whose items had been finished. */
function sentAgain(simulator: Simulator, from: number, finished: ReadonlyMap<number, string>): string[] {
  const names = new Set([...finished].flatMap(([index, slackId]) => [emailOf(index), slackId]));
  return simulator.requests
    .slice(from)
    .map(({ method, path, query }) => `${method} ${decodeURIComponent(`${path}?${query}`)}`)
    .filter((call) => (call.match(/p\d+@crash\.example|[UW][A-Z0-9]{8,}/g) ?? []).some((word) => names.has(word)));
}
