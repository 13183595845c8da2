import { EntitySchema } from 'typeorm';
import { instant, primary, text } from './columns';

export interface LeaseRow {
  name: string;
  owner: string;
  /** By the database's clock. */
  expiresAt: Date;
}

export const leaseEntity = new EntitySchema<LeaseRow>({
  name: 'Lease',
  tableName: 'leases',
  columns: {
    name: primary(text('name')),
    owner: text('owner'),
    expiresAt: instant('expires_at'),
  },
});
