import type { Tenant, TenantId } from '../domain/access/access';
import type { TenantStore } from '../domain/ports';
import type { StoreHandle } from './store-handle';
import { type TenantRow, tenantEntity } from './tenant.entity';

export class TypeOrmTenantStore implements TenantStore {
  constructor(private readonly handle: StoreHandle) {}

  async insert({ id, name, isOperator, createdAt }: Tenant): Promise<void> {
    await this.handle.insert(tenantEntity, { id, name, isOperator, createdAt });
  }

  async find(id: TenantId): Promise<Tenant | undefined> {
    const row = await this.handle.findOne(tenantEntity, { id });
    return row ? toTenant(row) : undefined;
  }

  async findOperator(): Promise<Tenant | undefined> {
    const row = await this.handle.findOne(tenantEntity, { isOperator: true });
    return row ? toTenant(row) : undefined;
  }
}

function toTenant({ id, name, isOperator, createdAt }: TenantRow): Tenant {
  return { id: id as TenantId, name, isOperator, createdAt };
}
