import { EntitySchema } from 'typeorm';
import { instant, optional, ownedBy, primary, text, textList } from './columns';

export interface ApiKeyRow {
  id: string;
  tenantId: string;
  name: string;
  permissions: readonly string[];
  /** Hex. */
  secretHash: string;
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

export const apiKeyEntity = new EntitySchema<ApiKeyRow>({
  name: 'ApiKey',
  tableName: 'api_keys',
  columns: {
    id: primary(text('id')),
    tenantId: ownedBy('Tenant', text('tenant_id')),
    name: text('name'),
    permissions: textList('permissions'),
    secretHash: text('secret_hash'),
    createdAt: instant('created_at'),
    expiresAt: optional(instant('expires_at')),
    lastUsedAt: optional(instant('last_used_at')),
    revokedAt: optional(instant('revoked_at')),
  },
  indices: [{ name: 'ix_api_keys_tenant', columns: ['tenantId'] }],
});
