import { EntitySchema } from 'typeorm';
import { instant, optional, ownedBy, primary, text } from './columns';

export interface IdempotencyRecordRow {
  tenantId: string;
  key: string;
  connectionId: string;
  action: string;
  inputHash: string;
  state: string;
  owner: string;
  leaseExpiresAt: Date;
  progress: string | null;
  result: string | null;
  createdAt: Date;
  expiresAt: Date;
}

export const idempotencyRecordEntity = new EntitySchema<IdempotencyRecordRow>({
  name: 'IdempotencyRecord',
  tableName: 'idempotency_records',
  columns: {
    tenantId: primary(text('tenant_id')),
    key: primary(text('key')),
    connectionId: ownedBy('Connection', text('connection_id')),
    action: text('action'),
    inputHash: text('input_hash'),
    state: text('state'),
    owner: text('owner'),
    leaseExpiresAt: instant('lease_expires_at'),
    progress: optional(text('progress')),
    result: optional(text('result')),
    createdAt: instant('created_at'),
    expiresAt: instant('expires_at'),
  },
  indices: [
    { name: 'ix_idempotency_records_connection', columns: ['connectionId'] },
    { name: 'ix_idempotency_records_expiry', columns: ['expiresAt'] },
  ],
});
