import { type ApiKeyId, permissions, type TenantId } from '../domain/access/access';
import type { ApiKeyStore, StoredApiKey } from '../domain/ports';
import { type ApiKeyRow, apiKeyEntity } from './api-key.entity';
import { oneOf } from './columns';
import type { StoreHandle } from './store-handle';

export class TypeOrmApiKeyStore implements ApiKeyStore {
  constructor(private readonly handle: StoreHandle) {}

  async insert(key: StoredApiKey): Promise<void> {
    await this.handle.insert(apiKeyEntity, toRow(key));
  }

  async find(id: ApiKeyId): Promise<StoredApiKey | undefined> {
    const row = await this.handle.findOne(apiKeyEntity, { id });
    return row ? toApiKey(row) : undefined;
  }

  async revoke(tenantId: TenantId, id: ApiKeyId, at: Date): Promise<boolean> {
    const found = await this.handle.update(
      apiKeyEntity,
      { revokedAt: () => 'COALESCE(revoked_at, :at)' },
      'tenant_id = :tenantId AND id = :id',
      { tenantId, id, at: at.getTime() },
    );
    return found === 1;
  }

  async touch(id: ApiKeyId, at: Date): Promise<void> {
    await this.handle.update(apiKeyEntity, { lastUsedAt: at }, 'id = :id', { id });
  }
}

function toRow(key: StoredApiKey): ApiKeyRow {
  return {
    id: key.id,
    tenantId: key.tenantId,
    name: key.name,
    permissions: key.permissions,
    secretHash: key.secretHash.toString('hex'),
    createdAt: key.createdAt,
    expiresAt: key.expiresAt ?? null,
    lastUsedAt: key.lastUsedAt ?? null,
    revokedAt: key.revokedAt ?? null,
  };
}

function toApiKey(row: ApiKeyRow): StoredApiKey {
  return {
    id: row.id as ApiKeyId,
    tenantId: row.tenantId as TenantId,
    name: row.name,
    permissions: row.permissions.map((permission) => oneOf(permissions, permission)),
    secretHash: Buffer.from(row.secretHash, 'hex'),
    createdAt: row.createdAt,
    expiresAt: row.expiresAt ?? undefined,
    lastUsedAt: row.lastUsedAt ?? undefined,
    revokedAt: row.revokedAt ?? undefined,
  };
}
