import type { ConnectionId, ConnectionIssue, ConnectionIssueId } from '../domain/connections/connection';
import { type ConnectionProblemCode, connectionProblems } from '../domain/connections/connection-problem';
import type { ConnectionIssueStore } from '../domain/ports';
import { oneOf } from './columns';
import { type ConnectionIssueRow, connectionIssueEntity } from './connection-issue.entity';
import type { StoreHandle } from './store-handle';

const codes = Object.keys(connectionProblems) as ConnectionProblemCode[];

export class TypeOrmConnectionIssueStore implements ConnectionIssueStore {
  constructor(private readonly handle: StoreHandle) {}

  async insert(issue: ConnectionIssue): Promise<void> {
    await this.handle.insert(connectionIssueEntity, {
      ...issue,
      detail: issue.detail ?? null,
      resolvedAt: issue.resolvedAt ?? null,
    });
    this.handle.changes.addConnection(issue.connectionId);
  }

  list(connectionId: ConnectionId, { includeResolved }: { includeResolved: boolean }): Promise<ConnectionIssue[]> {
    return this.#select([connectionId], includeResolved);
  }

  listOpen(connectionIds: readonly ConnectionId[]): Promise<ConnectionIssue[]> {
    return this.#select(connectionIds, false);
  }

  async updateDetail(id: ConnectionIssueId, detail: string | undefined): Promise<void> {
    await this.handle.update(connectionIssueEntity, { detail: detail ?? null }, 'id = :id', { id });
  }

  async resolve(ids: readonly ConnectionIssueId[], at: Date): Promise<void> {
    if (ids.length === 0) return;
    await this.handle.update(connectionIssueEntity, { resolvedAt: at }, 'id IN (:...ids) AND resolved_at IS NULL', {
      ids,
    });
  }

  deleteResolvedBefore(before: Date, limit: number): Promise<number> {
    return this.handle.delete(
      connectionIssueEntity,
      'id IN (SELECT id FROM connection_issues WHERE resolved_at < :before LIMIT :limit)',
      { before: before.getTime(), limit },
    );
  }

  async #select(connectionIds: readonly ConnectionId[], includeResolved: boolean): Promise<ConnectionIssue[]> {
    if (connectionIds.length === 0) return [];
    const rows = await this.handle.run((manager) => {
      const query = manager
        .createQueryBuilder(connectionIssueEntity, 'row')
        .where('row.connectionId IN (:...connectionIds)', { connectionIds });
      if (!includeResolved) query.andWhere('row.resolvedAt IS NULL');
      return query.orderBy('row.since', 'ASC').addOrderBy('row.id', 'ASC').getMany();
    });
    return rows.map(toIssue);
  }
}

function toIssue(row: ConnectionIssueRow): ConnectionIssue {
  return {
    id: row.id as ConnectionIssueId,
    connectionId: row.connectionId as ConnectionId,
    code: oneOf(codes, row.code),
    message: row.message,
    remedy: row.remedy,
    detail: row.detail ?? undefined,
    since: row.since,
    resolvedAt: row.resolvedAt ?? undefined,
  };
}
