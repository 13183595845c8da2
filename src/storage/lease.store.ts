import type { LeaseStore } from '../domain/install-ports';
import type { Dialect } from './dialect';
import { leaseEntity } from './lease.entity';
import type { StoreHandle } from './store-handle';

const OWN_LEASE = 'name = :name AND owner = :owner';

/** One that has ended stays the owner's until somebody takes it; after a day he is gone. */
const FORGOTTEN_MS = 24 * 60 * 60 * 1000;

export class TypeOrmLeaseStore implements LeaseStore {
  constructor(
    private readonly handle: StoreHandle,
    private readonly dialect: Dialect,
  ) {}

  async acquire(name: string, owner: string, forMs: number): Promise<boolean> {
    const now = this.dialect.nowMs;
    const taken = await this.handle.write(
      `INSERT INTO leases (name, owner, expires_at) VALUES ($1, $2, ${now} + $3)
      ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
      WHERE leases.owner = excluded.owner OR leases.expires_at <= ${now}`,
      [name, owner, Math.ceil(forMs)],
    );
    return taken === 1;
  }

  async confirm(name: string, owner: string): Promise<boolean> {
    // A write, since it locks the row on both engines; one that has ended and that nobody took is still the owner's.
    return (
      (await this.handle.write('UPDATE leases SET owner = owner WHERE name = $1 AND owner = $2', [name, owner])) === 1
    );
  }

  async release(name: string, owner: string): Promise<void> {
    await this.handle.delete(leaseEntity, OWN_LEASE, { name, owner });
  }

  deleteEnded(limit: number): Promise<number> {
    return this.handle.write(
      `DELETE FROM leases WHERE name IN (
        SELECT name FROM leases WHERE expires_at < ${this.dialect.nowMs} - ${FORGOTTEN_MS} LIMIT $1)`,
      [limit],
    );
  }

  async now(): Promise<Date> {
    const [row] = await this.handle.rows(`SELECT ${this.dialect.nowMs} AS now`, []);
    return new Date(Number(row?.now));
  }
}
