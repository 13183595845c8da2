import { EntitySchema } from 'typeorm';
import { instant, integer, optional, ownedBy, primary, text } from './columns';

export interface OperationRow {
  id: string;
  tenantId: string;
  connectionId: string;
  apiKeyId: string;
  kind: string;
  status: string;
  settings: string;
  /** Its place among the operations of its connection; null until it is accepted. */
  ordinal: number | null;
  total: number;
  pending: number;
  running: number;
  succeeded: number;
  failed: number;
  skipped: number;
  held: number;
  pauseKind: string | null;
  pauseProblem: string | null;
  setbacks: number;
  dueAt: Date | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  updatedAt: Date;
  version: number;
}

export const operationEntity = new EntitySchema<OperationRow>({
  name: 'Operation',
  tableName: 'operations',
  columns: {
    id: primary(text('id')),
    tenantId: text('tenant_id'),
    connectionId: ownedBy('Connection', text('connection_id')),
    apiKeyId: text('api_key_id'),
    kind: text('kind'),
    status: text('status'),
    settings: text('settings'),
    ordinal: optional(integer('ordinal')),
    total: integer('total'),
    pending: integer('pending'),
    running: integer('running'),
    succeeded: integer('succeeded'),
    failed: integer('failed'),
    skipped: integer('skipped'),
    held: integer('held'),
    pauseKind: optional(text('pause_kind')),
    pauseProblem: optional(text('pause_problem')),
    setbacks: integer('setbacks'),
    dueAt: optional(instant('due_at')),
    createdAt: instant('created_at'),
    startedAt: optional(instant('started_at')),
    finishedAt: optional(instant('finished_at')),
    updatedAt: instant('updated_at'),
    version: integer('version'),
  },
  indices: [
    { name: 'uq_operations_ordinal', columns: ['connectionId', 'ordinal'], unique: true },
    { name: 'ix_operations_page', columns: ['tenantId', 'createdAt', 'id'] },
    { name: 'ix_operations_due', columns: ['dueAt'] },
    { name: 'ix_operations_pause', columns: ['pauseKind'] },
    { name: 'ix_operations_finished', columns: ['finishedAt'] },
  ],
});
