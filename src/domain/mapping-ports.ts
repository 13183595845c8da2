import type { TenantId } from './access/access';
import type { ConnectionId } from './connections/connection';
import type { Mapping, MappingId } from './mapping/mapping';
import type { ListSlice } from './ports';

/** The versions of the connections' mappings. None is ever changed; they go away with their connection. */
export interface MappingStore {
  /** @returns false when the connection has this version already: another call was faster. */
  insert(mapping: Mapping): Promise<boolean>;
  /** Through the connection, so that another tenant's mapping is not found. */
  find(tenantId: TenantId, id: MappingId): Promise<Mapping | undefined>;
  /** The newest version of each connection that has one. */
  listLatest(connectionIds: readonly ConnectionId[]): Promise<Mapping[]>;
  /** Newest first. @param beforeVersion continues behind this version. */
  list(connectionId: ConnectionId, first: number, beforeVersion: number | undefined): Promise<ListSlice<Mapping>>;
}
