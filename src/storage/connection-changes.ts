import { Brackets, type EntityManager } from 'typeorm';
import type { TenantId } from '../domain/access/access';
import type { AccessTokenId, ConnectionId } from '../domain/connections/connection';
import type { ConnectionChange } from '../domain/install-ports';
import { connectionEntity } from './connection.entity';

/** The connections that one transaction changed, each once however often it was written. */
export class ConnectionChanges {
  readonly #tenants = new Map<ConnectionId, TenantId>();
  readonly #connections = new Set<ConnectionId>();
  readonly #tokens = new Set<AccessTokenId>();

  add(tenantId: TenantId, id: ConnectionId): void {
    this.#tenants.set(id, tenantId);
  }

  /** For a writer that does not know whose connection it is. */
  addConnection(id: ConnectionId): void {
    this.#connections.add(id);
  }

  /** For a writer that knows the token alone. */
  addToken(id: AccessTokenId): void {
    this.#tokens.add(id);
  }

  /** Asks the database for what is not known yet; before the commit, so that a failure fails the transaction. */
  async list(manager: EntityManager): Promise<NonNullable<ConnectionChange>[]> {
    const connectionIds = [...this.#connections].filter((id) => !this.#tenants.has(id));
    const tokenIds = [...this.#tokens];
    const conditions = [
      ...(connectionIds.length > 0 ? ['row.id IN (:...connectionIds)'] : []),
      ...(tokenIds.length > 0
        ? ['row.id IN (SELECT connection_id FROM access_tokens WHERE id IN (:...tokenIds))']
        : []),
    ];
    if (conditions.length > 0) {
      const rows = await manager
        .createQueryBuilder(connectionEntity, 'row')
        .select(['row.id', 'row.tenantId'])
        .where(new Brackets((either) => conditions.map((condition) => either.orWhere(condition))))
        .setParameters({ connectionIds, tokenIds })
        .getMany();
      for (const row of rows) this.add(row.tenantId as TenantId, row.id as ConnectionId);
    }
    return [...this.#tenants].map(([connectionId, tenantId]) => ({ tenantId, connectionId }));
  }
}
