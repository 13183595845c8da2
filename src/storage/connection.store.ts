import type { SelectQueryBuilder } from 'typeorm';
import type { TenantId } from '../domain/access/access';
import {
  type Connection,
  type ConnectionEnvironment,
  type ConnectionId,
  type ConnectionLifecycle,
  connectionEnvironments,
  connectionStatuses,
  installLevels,
  type SlackInstaller,
  type SlackTeam,
} from '../domain/connections/connection';
import type { ConnectionFilter, ConnectionStore, ListPosition, ListSlice } from '../domain/ports';
import { oneOf } from './columns';
import { type ConnectionRow, connectionEntity } from './connection.entity';
import type { StoreHandle } from './store-handle';

const lifecycles: readonly ConnectionLifecycle[] = ['OPEN', 'PAUSED', 'DISCONNECTED'];

export class TypeOrmConnectionStore implements ConnectionStore {
  constructor(private readonly handle: StoreHandle) {}

  async insert(connection: Connection): Promise<void> {
    await this.handle.insert(connectionEntity, { ...toRow(connection), nextCheckAt: null });
    this.handle.changes.add(connection.tenantId, connection.id);
  }

  async find(tenantId: TenantId, id: ConnectionId): Promise<Connection | undefined> {
    const row = await this.handle.findOne(connectionEntity, { tenantId, id });
    return row ? toConnection(row) : undefined;
  }

  async findByTeam(
    tenantId: TenantId,
    environment: ConnectionEnvironment,
    teamKey: string,
  ): Promise<Connection | undefined> {
    const row = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(connectionEntity, 'row')
        .where({ tenantId, environment, teamKey })
        .andWhere("row.lifecycle <> 'DISCONNECTED'")
        .getOne(),
    );
    return row ? toConnection(row) : undefined;
  }

  async findDisconnectedByTeam(
    tenantId: TenantId,
    environment: ConnectionEnvironment,
    teamKey: string,
  ): Promise<Connection | undefined> {
    const row = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(connectionEntity, 'row')
        .where({ tenantId, environment, teamKey, lifecycle: 'DISCONNECTED' })
        .orderBy('row.createdAt', 'DESC')
        .addOrderBy('row.id', 'DESC')
        .limit(1)
        .getOne(),
    );
    return row ? toConnection(row) : undefined;
  }

  async findByExternalId(tenantId: TenantId, externalId: string): Promise<Connection | undefined> {
    const row = await this.handle.findOne(connectionEntity, { tenantId, externalId });
    return row ? toConnection(row) : undefined;
  }

  async listByTeams(environment: ConnectionEnvironment, teamKeys: readonly string[]): Promise<Connection[]> {
    if (teamKeys.length === 0) return [];
    const rows = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(connectionEntity, 'row')
        .where({ environment })
        .andWhere("row.lifecycle <> 'DISCONNECTED' AND row.teamKey IN (:...teamKeys)", { teamKeys })
        .orderBy('row.id', 'ASC')
        .getMany(),
    );
    return rows.map(toConnection);
  }

  async listDueForCheck(now: Date, limit: number): Promise<Connection[]> {
    const rows = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(connectionEntity, 'row')
        .where({ lifecycle: 'OPEN' })
        .andWhere('(row.nextCheckAt IS NULL OR row.nextCheckAt <= :now)', { now: now.getTime() })
        .orderBy('row.nextCheckAt', 'ASC', 'NULLS FIRST')
        .addOrderBy('row.id', 'ASC')
        .limit(limit)
        .getMany(),
    );
    return rows.map(toConnection);
  }

  async scheduleCheck(id: ConnectionId, at: Date): Promise<void> {
    await this.handle.update(connectionEntity, { nextCheckAt: at }, 'id = :id', { id });
  }

  async list(
    tenantId: TenantId,
    filter: ConnectionFilter,
    first: number,
    after: ListPosition | undefined,
  ): Promise<ListSlice<Connection>> {
    const { rows, totalCount } = await this.handle.run(async (manager) => {
      const matching = narrowed(manager.createQueryBuilder(connectionEntity, 'row').where({ tenantId }), filter);
      const page = matching.clone();
      if (after) {
        // A row comparison reads the index from the position on, which the spelled-out OR does not.
        page.andWhere('(row.createdAt, row.id) < (:afterAt, :afterId)', {
          afterAt: after.createdAt.getTime(),
          afterId: after.id,
        });
      }
      page.orderBy('row.createdAt', 'DESC').addOrderBy('row.id', 'DESC');
      return { rows: await page.limit(first + 1).getMany(), totalCount: await matching.getCount() };
    });
    return { items: rows.slice(0, first).map(toConnection), hasMore: rows.length > first, totalCount };
  }

  async update(connection: Connection): Promise<Connection | undefined> {
    const { id, tenantId, ...changes } = toRow({ ...connection, version: connection.version + 1 });
    const written = await this.handle.update(
      connectionEntity,
      changes,
      'id = :id AND tenant_id = :tenantId AND version = :readVersion',
      { id, tenantId, readVersion: connection.version },
    );
    if (written !== 1) return undefined;
    this.handle.changes.add(tenantId as TenantId, id as ConnectionId);
    return { ...connection, version: connection.version + 1 };
  }

  async delete(tenantId: TenantId, id: ConnectionId): Promise<boolean> {
    const removed = await this.handle.delete(connectionEntity, 'id = :id AND tenant_id = :tenantId', { id, tenantId });
    if (removed === 1) this.handle.changes.add(tenantId, id);
    return removed === 1;
  }
}

function narrowed(
  query: SelectQueryBuilder<ConnectionRow>,
  { status, environment, externalId, nameContains }: ConnectionFilter,
): SelectQueryBuilder<ConnectionRow> {
  // An empty IN list is an error in PostgreSQL.
  if (status?.length === 0) query.andWhere('1 = 0');
  else if (status) query.andWhere('row.status IN (:...status)', { status });
  if (environment !== undefined) query.andWhere('row.environment = :environment', { environment });
  if (externalId !== undefined) query.andWhere('row.externalId = :externalId', { externalId });
  if (nameContains !== undefined) {
    query.andWhere("row.nameFolded LIKE :namePattern ESCAPE '!'", {
      namePattern: `%${folded(nameContains).replace(/[!%_]/g, '!$&')}%`,
    });
  }
  return query;
}

/** Upper case first, so that ß and SS, and the two small sigmas, count as equal. */
function folded(name: string): string {
  return name.normalize('NFKC').toUpperCase().toLowerCase();
}

function toRow(connection: Connection): Omit<ConnectionRow, 'nextCheckAt'> {
  const { workspace, organization, installer } = connection;
  return {
    id: connection.id,
    tenantId: connection.tenantId,
    name: connection.name,
    nameFolded: folded(connection.name),
    externalId: connection.externalId ?? null,
    environment: connection.environment,
    lifecycle: connection.lifecycle,
    status: connection.status,
    teamKey: connection.teamKey,
    installLevel: connection.installLevel,
    workspaceSlackId: workspace?.slackId ?? null,
    workspaceName: workspace?.name ?? null,
    workspaceUrl: workspace?.url ?? null,
    organizationSlackId: organization?.slackId ?? null,
    organizationName: organization?.name ?? null,
    organizationUrl: organization?.url ?? null,
    installerSlackId: installer?.slackId ?? null,
    installerDisplayName: installer?.displayName ?? null,
    lastVerifiedAt: connection.lastVerifiedAt ?? null,
    createdAt: connection.createdAt,
    updatedAt: connection.updatedAt,
    version: connection.version,
  };
}

function toConnection(row: ConnectionRow): Connection {
  return {
    id: row.id as ConnectionId,
    tenantId: row.tenantId as TenantId,
    name: row.name,
    externalId: row.externalId ?? undefined,
    environment: oneOf(connectionEnvironments, row.environment),
    lifecycle: oneOf(lifecycles, row.lifecycle),
    status: oneOf(connectionStatuses, row.status),
    teamKey: row.teamKey,
    installLevel: oneOf(installLevels, row.installLevel),
    workspace: toTeam(row.workspaceSlackId, row.workspaceName, row.workspaceUrl),
    organization: toTeam(row.organizationSlackId, row.organizationName, row.organizationUrl),
    installer: toInstaller(row),
    lastVerifiedAt: row.lastVerifiedAt ?? undefined,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    version: row.version,
  };
}

function toTeam(slackId: string | null, name: string | null, url: string | null): SlackTeam | undefined {
  return slackId === null ? undefined : { slackId, name: name ?? '', url: url ?? undefined };
}

function toInstaller({ installerSlackId, installerDisplayName }: ConnectionRow): SlackInstaller | undefined {
  return installerSlackId === null
    ? undefined
    : { slackId: installerSlackId, displayName: installerDisplayName ?? undefined };
}
