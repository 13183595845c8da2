import { EntitySchema } from 'typeorm';
import { flag, instant, primary, text } from './columns';

export interface TenantRow {
  id: string;
  name: string;
  isOperator: boolean;
  createdAt: Date;
}

export const tenantEntity = new EntitySchema<TenantRow>({
  name: 'Tenant',
  tableName: 'tenants',
  columns: {
    id: primary(text('id')),
    name: text('name'),
    isOperator: flag('is_operator'),
    createdAt: instant('created_at'),
  },
  indices: [
    // Two replicas that start for the first time together must not both found an operator.
    { name: 'uq_tenants_operator', columns: ['isOperator'], unique: true, where: 'is_operator = TRUE' },
  ],
});
