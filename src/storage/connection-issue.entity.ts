import { EntitySchema } from 'typeorm';
import { instant, optional, ownedBy, primary, text } from './columns';

export interface ConnectionIssueRow {
  id: string;
  connectionId: string;
  code: string;
  message: string;
  remedy: string;
  detail: string | null;
  since: Date;
  resolvedAt: Date | null;
}

export const connectionIssueEntity = new EntitySchema<ConnectionIssueRow>({
  name: 'ConnectionIssue',
  tableName: 'connection_issues',
  columns: {
    id: primary(text('id')),
    connectionId: ownedBy('Connection', text('connection_id')),
    code: text('code'),
    message: text('message'),
    remedy: text('remedy'),
    detail: optional(text('detail')),
    since: instant('since'),
    resolvedAt: optional(instant('resolved_at')),
  },
  indices: [
    { name: 'ix_connection_issues_connection', columns: ['connectionId', 'since'] },
    { name: 'ix_connection_issues_resolved', columns: ['resolvedAt'] },
  ],
});
