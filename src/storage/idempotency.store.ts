import type { TenantId } from '../domain/access/access';
import type { ConnectionId } from '../domain/connections/connection';
import type { IdempotencyRecord, IdempotencyStore } from '../domain/ports';
import { oneOf } from './columns';
import { type IdempotencyRecordRow, idempotencyRecordEntity } from './idempotency-record.entity';
import type { StoreHandle } from './store-handle';

const states: readonly IdempotencyRecord['state'][] = ['RUNNING', 'RELEASED', 'DONE'];

const RECORD = 'tenant_id = :tenantId AND "key" = :key';
/** The fence: a run whose lease went to somebody else writes nothing any more. */
const OWN_RECORD = `${RECORD} AND state = 'RUNNING' AND owner = :owner`;

const EXPIRED = `(tenant_id, "key") IN (
  SELECT tenant_id, "key" FROM idempotency_records
  WHERE expires_at < :now AND (state <> 'RUNNING' OR lease_expires_at < :now) LIMIT :limit
)`;

export class TypeOrmIdempotencyStore implements IdempotencyStore {
  constructor(private readonly handle: StoreHandle) {}

  claim(record: IdempotencyRecord): Promise<boolean> {
    const row = { ...record, state: 'RUNNING', progress: record.progress ?? null, result: record.result ?? null };
    return this.handle.insert(idempotencyRecordEntity, row, { onDuplicate: 'skip' });
  }

  async find(tenantId: TenantId, key: string): Promise<IdempotencyRecord | undefined> {
    const row = await this.handle.findOne(idempotencyRecordEntity, { tenantId, key });
    return row ? toRecord(row) : undefined;
  }

  async takeOver(tenantId: TenantId, key: string, owner: string, leaseExpiresAt: Date, now: Date): Promise<boolean> {
    const taken = await this.handle.update(
      idempotencyRecordEntity,
      { state: 'RUNNING', owner, leaseExpiresAt },
      `${RECORD} AND (state = 'RELEASED' OR (state = 'RUNNING' AND lease_expires_at < :now))`,
      { tenantId, key, now: now.getTime() },
    );
    return taken === 1;
  }

  extendLease(tenantId: TenantId, key: string, owner: string, leaseExpiresAt: Date): Promise<boolean> {
    return this.#updateOwn(tenantId, key, owner, { leaseExpiresAt });
  }

  saveProgress(tenantId: TenantId, key: string, owner: string, progress: string): Promise<boolean> {
    return this.#updateOwn(tenantId, key, owner, { progress });
  }

  finish(tenantId: TenantId, key: string, owner: string, result: string): Promise<boolean> {
    return this.#updateOwn(tenantId, key, owner, { state: 'DONE', result });
  }

  release(tenantId: TenantId, key: string, owner: string): Promise<boolean> {
    return this.#updateOwn(tenantId, key, owner, { state: 'RELEASED' });
  }

  async delete(tenantId: TenantId, key: string): Promise<void> {
    await this.handle.delete(idempotencyRecordEntity, RECORD, { tenantId, key });
  }

  deleteExpired(now: Date, limit: number): Promise<number> {
    return this.handle.delete(idempotencyRecordEntity, EXPIRED, { now: now.getTime(), limit });
  }

  async #updateOwn(
    tenantId: TenantId,
    key: string,
    owner: string,
    changes: Partial<IdempotencyRecordRow>,
  ): Promise<boolean> {
    return (await this.handle.update(idempotencyRecordEntity, changes, OWN_RECORD, { tenantId, key, owner })) === 1;
  }
}

function toRecord(row: IdempotencyRecordRow): IdempotencyRecord {
  return {
    tenantId: row.tenantId as TenantId,
    key: row.key,
    connectionId: row.connectionId as ConnectionId,
    action: row.action,
    inputHash: row.inputHash,
    state: oneOf(states, row.state),
    owner: row.owner,
    leaseExpiresAt: row.leaseExpiresAt,
    progress: row.progress ?? undefined,
    result: row.result ?? undefined,
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
  };
}
