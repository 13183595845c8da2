import { IdempotencyService } from '../../src/domain/directory/idempotency.service';
import type { OperationId } from '../../src/domain/operations/operation';
import { newItem } from '../../src/domain/operations/operation-item';
import type { Database, Stores } from '../../src/domain/ports';
import { silentLogger } from '../../src/shared/logger';
import { type Retention, SweepRunner } from '../../src/worker/sweep.runner';
import { FakeClock } from './fake-clock';
import { anOperation } from './operation-store.contract';
import { useSharedStorage } from './shared-storage';
import {
  anAttempt,
  anIdempotencyRecord,
  anInstall,
  anIssue,
  aSecret,
  aSlackEvent,
  aToken,
  storeConnection,
} from './storage-records';
import type { MakeTestDatabase } from './test-database';
import { until } from './until';

const DAY_MS = 86_400_000;
const retention: Retention = {
  operationsMs: 50 * DAY_MS,
  issuesMs: 40 * DAY_MS,
  tokensMs: 30 * DAY_MS,
  installsMs: 20 * DAY_MS,
  slackEventsMs: 10 * DAY_MS,
};

/** What is over goes when its time has come, in small portions, and nothing else does. */
export function sweepContract(name: string, makeDatabase: MakeTestDatabase): void {
  describe(name, () => {
    const shared = useSharedStorage(makeDatabase);
    const clock = new FakeClock();
    const ago = (days: number, ms = 0) => new Date(clock.now() - days * DAY_MS - ms);
    const inTransaction = <T>(work: (stores: Stores) => Promise<T>) => shared.database.transaction(work);
    const count = async (table: string, condition = '1 = 1') => {
      const [row] = await shared.testDatabase.query(`SELECT count(*) AS rows FROM ${table} WHERE ${condition}`);
      return Number(row?.rows);
    };

    /** @returns what the sweep says, and the most rows of one transaction. */
    async function sweep(): Promise<{ removed: Record<string, unknown>; largest: number }> {
      const said: object[] = [];
      let largest = 0;
      const counted: Database = {
        read: (work) => shared.database.read(work),
        ping: () => shared.database.ping(),
        async transaction(work) {
          const result = await shared.database.transaction(work);
          if (typeof result === 'number') largest = Math.max(largest, result);
          return result;
        },
      };
      const runner = new SweepRunner(new IdempotencyService(counted, clock, silentLogger), counted, {
        ...{ clock, random: () => 0.5, retention },
        logger: { ...silentLogger, info: (fields) => void said.push(fields) },
      });
      runner.start();
      await until(() => clock.sleeperCount === 1);
      await runner.stop();
      return { removed: { ...said[0] }, largest };
    }

    it('removes what is older than it is to be kept, and leaves what is a moment younger', async () => {
      const connection = await storeConnection(shared.database);
      const { tenantId } = connection;
      const [oldInstall, youngInstall] = [ago(20, 1), ago(20)].map((expiresAt) => anInstall(tenantId, { expiresAt }));
      const tokens = [ago(30, 1), ago(30), ago(29)].map((createdAt) => aToken(connection, { createdAt }));
      const issues = [ago(40, 1), ago(40)].map((resolvedAt) => anIssue(connection, { since: ago(60), resolvedAt }));
      const events = [ago(10, 1), ago(10)].map((receivedAt) => aSlackEvent({ receivedAt }));
      const open = { issue: anIssue(connection, { since: ago(999) }), event: aSlackEvent({ receivedAt: ago(999) }) };
      const keys = [ago(0, 1), ago(0)].map((expiresAt) =>
        anIdempotencyRecord(connection, { expiresAt, leaseExpiresAt: ago(1) }),
      );
      const operations = [ago(50, 1), ago(50), undefined].map((finishedAt) =>
        anOperation(connection, { finishedAt, createdAt: ago(999), dueAt: undefined }),
      );
      const drafts = [ago(0, 3_600_001), ago(0, 3_600_000)].map((createdAt) => anOperation(connection, { createdAt }));
      if (!oldInstall || !youngInstall) throw new Error('two installs');
      await inTransaction(async (stores) => {
        for (const install of [oldInstall, youngInstall]) {
          await stores.installs.insert(install);
          await stores.installs.insertAttempt(anAttempt(install.id));
        }
        for (const token of tokens) {
          await stores.tokens.insert(token, aSecret());
          await stores.tokens.retire(token.id, 'SUPERSEDED');
        }
        for (const issue of [...issues, open.issue]) await stores.issues.insert(issue);
        for (const event of [...events, open.event]) await stores.slackEvents.insert(event);
        for (const { id } of events) await stores.slackEvents.markHandled(id, ago(0));
        for (const key of keys) await stores.idempotency.claim(key);
        for (const operation of [...operations, ...drafts]) {
          await stores.operations.insert(operation);
          const work = { action: 'deprovisionUser', user: { email: 'a@example.com' } } as const;
          await stores.operations.insertItems(operation, [newItem(0, work), newItem(1, work)]);
        }
        for (const operation of operations) await stores.operations.accept(operation);
        for (const lease of ['old', 'young']) await stores.leases.acquire(lease, 'gone', 0);
      });
      await shared.testDatabase.query(
        `UPDATE leases SET expires_at = expires_at - ${DAY_MS} - 1000 WHERE name = 'old'`,
      );

      expect((await sweep()).removed).toEqual({
        ...{ idempotencyRecords: 1, issues: 1, tokens: 1, installs: 1, slackEvents: 1, leases: 1 },
        // Each with its two items and whom they concern.
        ...{ operationRows: 5, unacceptedRows: 5 },
      });

      const idsOf = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id).sort();
      const left = async (table: string, column = 'id') =>
        (await shared.testDatabase.query(`SELECT ${column} AS id FROM ${table}`)).map(({ id }) => String(id)).sort();
      expect(await left('installs')).toEqual([youngInstall.id]);
      expect(await left('install_attempts', 'install_id')).toEqual([youngInstall.id]);
      expect(await left('access_tokens')).toEqual(idsOf(tokens.slice(1)));
      expect(await left('connection_issues')).toEqual(idsOf([...issues.slice(1), open.issue]));
      expect(await left('slack_events')).toEqual(idsOf([...events.slice(1), open.event]));
      expect(await left('idempotency_records', '"key"')).toEqual(keys.slice(1).map(({ key }) => key));
      expect(await left('leases', 'name')).toEqual(['young']);
      const kept = idsOf([...operations.slice(1), ...drafts.slice(1)]);
      expect(await left('operations')).toEqual(kept);
      for (const table of ['operation_items', 'operation_subjects']) {
        expect([...new Set(await left(table, 'operation_id'))]).toEqual(kept);
      }
      expect((await sweep()).removed).toEqual({});
    });

    it('takes many rows in portions, so that others get their turn in between', async () => {
      const connection = await storeConnection(shared.database);
      const old = anOperation(connection, { finishedAt: ago(99), dueAt: undefined });
      await inTransaction(async (stores) => {
        await stores.operations.insert(old);
        for (let index = 0; index < 1_500; index += 250) {
          const items = Array.from({ length: 250 }, (_, place) =>
            newItem(index + place, { action: 'deprovisionUser', user: { slackId: `U${index + place}` } }),
          );
          await stores.operations.insertItems(old, items);
        }
        await stores.operations.accept(old);
      });
      const row = `'LIVE', 'tokens_revoked', '[]', 1, 1, 1`;
      const values = Array.from({ length: 1_500 }, (_, index) => `('Ev${index}', ${row})`).join(', ');
      await shared.testDatabase.query(
        `INSERT INTO slack_events (id, environment, type, user_slack_ids, occurred_at, received_at, handled_at) VALUES ${values}`,
      );

      const { removed, largest } = await sweep();

      expect(removed).toMatchObject({ slackEvents: 1_500, operationRows: 3_001 });
      expect(largest).toBeLessThanOrEqual(1_000);
      expect(await count('operation_items', `operation_id = '${old.id satisfies OperationId}'`)).toBe(0);
    });
  });
}
