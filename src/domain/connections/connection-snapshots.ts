import type { Clock } from '../../shared/clock';
import type { TenantId } from '../access/access';
import type { ConnectionFeed } from '../install-ports';
import type { AccessTokenStore, Database } from '../ports';
import type { Connection, ConnectionId } from './connection';

/** A connection as it is stored, and its active token, whose secret is opened only once the token may be used. */
export interface ConnectionSnapshot {
  readonly connection: Connection | undefined;
  readonly sealed: Awaited<ReturnType<AccessTokenStore['findSealed']>>;
}

interface Kept {
  readonly until: number;
  readonly snapshot: Promise<ConnectionSnapshot>;
}

/** For a change that another replica committed and this one did not hear of. */
const VALID_MS = 1_000;

/**
 * What every call of a bulk asks of its connection, read once for as long as nothing of it changes: each commit that
 * touches a connection or its token makes this one forget it.
 */
export class ConnectionSnapshots {
  readonly #kept = new Map<ConnectionId, Kept>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    feed: ConnectionFeed,
  ) {
    feed.subscribe((change) => {
      if (change) this.#kept.delete(change.connectionId);
      else this.#kept.clear();
    });
  }

  /** @returns nothing of a connection that belongs to another tenant. */
  async of(tenantId: TenantId, id: ConnectionId): Promise<ConnectionSnapshot> {
    const now = this.clock.now();
    const kept = this.#kept.get(id);
    const isValid = kept !== undefined && now < kept.until && now > kept.until - 2 * VALID_MS;
    const snapshot = isValid ? await kept.snapshot : await this.#keep(tenantId, id, now + VALID_MS);
    return snapshot.connection?.tenantId === tenantId ? snapshot : { connection: undefined, sealed: undefined };
  }

  /** For whoever learns otherwise that it has changed. */
  forget(id: ConnectionId): void {
    this.#kept.delete(id);
  }

  #keep(tenantId: TenantId, id: ConnectionId, until: number): Promise<ConnectionSnapshot> {
    this.#dropOld(until - VALID_MS);
    const kept: Kept = { until, snapshot: this.#read(tenantId, id) };
    this.#kept.set(id, kept);
    kept.snapshot.catch(() => {
      if (this.#kept.get(id) === kept) this.#kept.delete(id);
    });
    return kept.snapshot;
  }

  #read(tenantId: TenantId, id: ConnectionId): Promise<ConnectionSnapshot> {
    return this.database.read(async ({ connections, tokens }) => {
      const connection = await connections.find(tenantId, id);
      return { connection, sealed: connection && (await tokens.findSealed(id)) };
    });
  }

  #dropOld(now: number): void {
    for (const [id, { until }] of this.#kept) if (until <= now) this.#kept.delete(id);
  }
}
