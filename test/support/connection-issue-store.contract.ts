import type { SharedStorage } from './shared-storage';
import { anIssue, later, storeConnection } from './storage-records';

export function connectionIssueStoreContract(shared: SharedStorage): void {
  describe('issues of connections', () => {
    it('lists open issues oldest first, and resolved ones when asked for', async () => {
      const connection = await storeConnection(shared.database);
      const newer = anIssue(connection, { code: 'IP_NOT_ALLOWED', since: later(20), detail: '10.0.0.1' });
      const older = anIssue(connection, { since: later(10) });
      const resolved = anIssue(connection, { code: 'PLAN_TOO_LOW', since: later(5), resolvedAt: later(6) });
      await shared.database.transaction(async ({ issues }) => {
        for (const issue of [newer, older, resolved]) await issues.insert(issue);
      });

      const [open, all] = await shared.database.read(async ({ issues }) => [
        await issues.list(connection.id, { includeResolved: false }),
        await issues.list(connection.id, { includeResolved: true }),
      ]);

      expect(open).toEqual([older, newer]);
      expect(all).toEqual([resolved, older, newer]);
    });

    it('lists the open issues of many connections at once', async () => {
      const [one, two, three] = [
        await storeConnection(shared.database),
        await storeConnection(shared.database),
        await storeConnection(shared.database),
      ];
      const issues = [anIssue(one, { since: later(1) }), anIssue(two, { since: later(2) }), anIssue(three)];
      await shared.database.transaction(async (stores) => {
        for (const issue of issues) await stores.issues.insert(issue);
      });

      const listed = await shared.database.read((stores) => stores.issues.listOpen([two.id, one.id]));
      expect(listed).toEqual(issues.slice(0, 2));
      expect(await shared.database.read((stores) => stores.issues.listOpen([]))).toEqual([]);
    });

    it('changes and clears the detail', async () => {
      const connection = await storeConnection(shared.database);
      const issue = anIssue(connection, { detail: 'before' });
      const details = await shared.database.transaction(async ({ issues }) => {
        await issues.insert(issue);
        const seen = [];
        for (const detail of ['after', undefined]) {
          await issues.updateDetail(issue.id, detail);
          seen.push((await issues.list(connection.id, { includeResolved: false }))[0]?.detail);
        }
        return seen;
      });

      expect(details).toEqual(['after', undefined]);
    });

    it('resolves the named issues, and keeps the instant of those that were resolved before', async () => {
      const connection = await storeConnection(shared.database);
      const [first, second, third] = [1, 2, 3].map((ms) => anIssue(connection, { since: later(ms) }));
      if (!first || !second || !third) throw new Error('three issues are needed');
      const resolvedAt = await shared.database.transaction(async ({ issues }) => {
        for (const issue of [first, second, third]) await issues.insert(issue);
        await issues.resolve([first.id], later(10));
        await issues.resolve([first.id, second.id], later(20));
        await issues.resolve([], later(30));
        return (await issues.list(connection.id, { includeResolved: true })).map((issue) => issue.resolvedAt);
      });

      expect(resolvedAt).toEqual([later(10), later(20), undefined]);
    });

    it('removes issues that were resolved before an instant', async () => {
      const connection = await storeConnection(shared.database);
      const [old, recent, open] = [
        anIssue(connection, { since: new Date(1), resolvedAt: new Date(1000) }),
        anIssue(connection, { since: new Date(2), resolvedAt: new Date(2000) }),
        anIssue(connection, { since: new Date(3) }),
      ];
      const { removed, left } = await shared.database.transaction(async ({ issues }) => {
        for (const issue of [old, recent, open]) await issues.insert(issue);
        return {
          removed: await issues.deleteResolvedBefore(new Date(2000), 9),
          left: await issues.list(connection.id, { includeResolved: true }),
        };
      });

      expect(removed).toBe(1);
      expect(left).toEqual([recent, open]);
    });
  });
}
