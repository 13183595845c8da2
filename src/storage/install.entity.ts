import { EntitySchema } from 'typeorm';
import { instant, optional, ownedBy, primary, text } from './columns';

export interface InstallRow {
  id: string;
  tenantId: string;
  apiKeyId: string;
  ways: string;
  name: string;
  externalId: string | null;
  environment: string;
  level: string | null;
  returnUrl: string | null;
  /** Without a foreign key: the install keeps saying what came of it when the connection is gone. */
  connectionId: string | null;
  /** JSON. */
  problem: string | null;
  /** Hex. */
  secretHash: string;
  createdAt: Date;
  expiresAt: Date;
  completedAt: Date | null;
}

export const installEntity = new EntitySchema<InstallRow>({
  name: 'Install',
  tableName: 'installs',
  columns: {
    id: primary(text('id')),
    tenantId: ownedBy('Tenant', text('tenant_id')),
    apiKeyId: text('api_key_id'),
    ways: text('ways'),
    name: text('name'),
    externalId: optional(text('external_id')),
    environment: text('environment'),
    level: optional(text('level')),
    returnUrl: optional(text('return_url')),
    connectionId: optional(text('connection_id')),
    problem: optional(text('problem')),
    secretHash: text('secret_hash'),
    createdAt: instant('created_at'),
    expiresAt: instant('expires_at'),
    completedAt: optional(instant('completed_at')),
  },
  indices: [
    { name: 'uq_installs_secret', columns: ['secretHash'], unique: true },
    { name: 'ix_installs_tenant', columns: ['tenantId'] },
    { name: 'ix_installs_expiry', columns: ['expiresAt'] },
  ],
});
