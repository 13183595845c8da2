import type { ApiKeyId, TenantId } from '../domain/access/access';
import type { ConnectionId } from '../domain/connections/connection';
import type { Mapping, MappingDefinition, MappingId } from '../domain/mapping/mapping';
import { readMapping } from '../domain/mapping/mapping-reading';
import type { MappingStore } from '../domain/mapping-ports';
import type { ListSlice } from '../domain/ports';
import { connectionEntity } from './connection.entity';
import { type MappingVersionRow, mappingVersionEntity } from './mapping-version.entity';
import { StorageFailure } from './storage-failure';
import type { StoreHandle } from './store-handle';

const newestOfConnection =
  'row.version = (SELECT MAX(newer.version) FROM mapping_versions newer WHERE newer.connection_id = row.connection_id)';

export class TypeOrmMappingStore implements MappingStore {
  constructor(private readonly handle: StoreHandle) {}

  async insert(mapping: Mapping): Promise<boolean> {
    const isNew = await this.handle.insert(mappingVersionEntity, toRow(mapping), { onDuplicate: 'skip' });
    if (isNew) this.handle.changes.addConnection(mapping.connectionId);
    return isNew;
  }

  async find(tenantId: TenantId, id: MappingId): Promise<Mapping | undefined> {
    const row = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(mappingVersionEntity, 'row')
        .innerJoin(
          connectionEntity.options.name,
          'owner',
          'owner.id = row.connectionId AND owner.tenantId = :tenantId',
          {
            tenantId,
          },
        )
        .where('row.id = :id', { id })
        .getOne(),
    );
    return row ? toMapping(row) : undefined;
  }

  async listLatest(connectionIds: readonly ConnectionId[]): Promise<Mapping[]> {
    if (connectionIds.length === 0) return [];
    const rows = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(mappingVersionEntity, 'row')
        .where('row.connectionId IN (:...connectionIds)', { connectionIds })
        .andWhere(newestOfConnection)
        .getMany(),
    );
    return rows.map(toMapping);
  }

  async list(
    connectionId: ConnectionId,
    first: number,
    beforeVersion: number | undefined,
  ): Promise<ListSlice<Mapping>> {
    const { rows, totalCount } = await this.handle.run(async (manager) => {
      const all = manager.createQueryBuilder(mappingVersionEntity, 'row').where({ connectionId });
      const page = all.clone();
      if (beforeVersion !== undefined) page.andWhere('row.version < :beforeVersion', { beforeVersion });
      page.orderBy('row.version', 'DESC');
      return { rows: await page.limit(first + 1).getMany(), totalCount: await all.getCount() };
    });
    return { items: rows.slice(0, first).map(toMapping), hasMore: rows.length > first, totalCount };
  }
}

function toRow(mapping: Mapping): MappingVersionRow {
  return {
    id: mapping.id,
    connectionId: mapping.connectionId,
    version: mapping.version,
    definition: JSON.stringify(mapping.definition),
    apiKeyId: mapping.apiKeyId,
    createdAt: mapping.createdAt,
  };
}

function toMapping(row: MappingVersionRow): Mapping {
  return {
    id: row.id as MappingId,
    connectionId: row.connectionId as ConnectionId,
    version: row.version,
    definition: definitionOf(row),
    createdAt: row.createdAt,
    apiKeyId: row.apiKeyId as ApiKeyId,
  };
}

/** Versions never change, and each record that is provisioned needs one: checking a large one takes milliseconds. */
const checked = new Map<string, { readonly json: string; readonly definition: MappingDefinition }>();
const MOST_CHECKED = 100;

/** Read as carefully as what a caller sends: evaluation relies on it. */
function definitionOf({ id, definition: json }: MappingVersionRow): MappingDefinition {
  const known = checked.get(id);
  if (known?.json === json) return known.definition;
  const { definition } = readMapping(JSON.parse(json), []);
  if (!definition) throw new StorageFailure('BAD_MAPPING');
  const [oldest] = checked.keys();
  if (oldest !== undefined && checked.size >= MOST_CHECKED) checked.delete(oldest);
  checked.set(id, { json, definition });
  return definition;
}
