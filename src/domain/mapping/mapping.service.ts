import { canonicalJson } from '../../shared/canonical-json';
import type { Clock } from '../../shared/clock';
import { newId } from '../../shared/ids';
import { assertAllowed, type Caller } from '../access/access';
import type { Connection, ConnectionId } from '../connections/connection';
import { Conflict, InvalidInput, NotFound, StillRunning } from '../errors';
import type { Database, ListSlice, Stores } from '../ports';
import { type Mapping, type MappingDefinition, type MappingId } from './mapping';
import { readMapping } from './mapping-reading';

/** As JSON; what one connection's mapping may take in the database, in each of its versions. */
const LONGEST_DEFINITION = 256 * 1024;
const MOST_ATTEMPTS = 5;

export interface MappingChange {
  readonly connectionId: ConnectionId;
  /** Of unknown shape. */
  readonly mapping: unknown;
  /** The version that the caller last saw, 0 for none; undefined to set it whatever is there. */
  readonly ifVersion?: number;
}

/** The connections' mappings and their versions. Unknown and another tenant's connection are the same here. */
export class MappingService {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Sets what is in force from now on, as a new version; setting what is in force already makes none.
   * @returns the mapping in force, or every mistake of the one that was given.
   * @throws Forbidden, NotFound, Conflict (ifVersion is not the newest)
   */
  async set(
    caller: Caller,
    { connectionId, mapping, ifVersion }: MappingChange,
  ): Promise<{ mapping: Mapping | undefined; problems: readonly InvalidInput[] }> {
    assertAllowed(caller, 'connections:write');
    await this.database.read((stores) => assertConnection(caller, connectionId, stores));
    const { definition, problems } = parseMapping(mapping);
    if (!definition) return { mapping: undefined, problems };
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const set = await this.database.transaction(async (stores) => {
        await assertConnection(caller, connectionId, stores);
        const [latest] = await stores.mappings.listLatest([connectionId]);
        return this.setOn(caller, stores, latest, { connectionId, definition, ifVersion });
      });
      if (set) return { mapping: set, problems: [] };
    }
    throw new StillRunning('Other calls are setting the mapping of this connection.', { remedy: 'Try again.' });
  }

  /** @returns undefined when another call was faster. */
  private async setOn(
    caller: Caller,
    stores: Stores,
    latest: Mapping | undefined,
    { connectionId, definition, ifVersion }: Omit<MappingChange, 'mapping'> & { definition: MappingDefinition },
  ): Promise<Mapping | undefined> {
    const version = latest?.version ?? 0;
    if (ifVersion !== undefined && ifVersion !== version) {
      throw new Conflict(`The mapping of this connection has version ${version} by now.`, {
        path: ['input', 'ifVersion'],
        remedy: 'Read Connection.mapping again, and set your change on top of it.',
      });
    }
    if (latest && canonicalJson(latest.definition) === canonicalJson(definition)) return latest;
    const next: Mapping = {
      id: newId<MappingId>('map'),
      connectionId,
      version: version + 1,
      definition,
      createdAt: new Date(this.clock.now()),
      apiKeyId: caller.apiKey.id,
    };
    return (await stores.mappings.insert(next)) ? next : undefined;
  }

  /** The mapping in force of each connection that has one, in one read. Connections of other tenants are left out. */
  async latest(caller: Caller, connections: readonly Connection[]): Promise<Map<ConnectionId, Mapping>> {
    assertAllowed(caller, 'connections:read');
    const own = connections.filter(({ tenantId }) => tenantId === caller.tenant.id).map(({ id }) => id);
    const mappings = await this.database.read((stores) => stores.mappings.listLatest(own));
    return new Map(mappings.map((mapping) => [mapping.connectionId, mapping]));
  }

  /** Newest first; for a connection that this caller was given. */
  async versions(
    caller: Caller,
    connection: Connection,
    page: { first: number; beforeVersion?: number },
  ): Promise<ListSlice<Mapping>> {
    assertAllowed(caller, 'connections:read');
    if (connection.tenantId !== caller.tenant.id) return { items: [], hasMore: false, totalCount: 0 };
    return this.database.read((stores) => stores.mappings.list(connection.id, page.first, page.beforeVersion));
  }

  /** Any version, by its id. */
  async find(caller: Caller, id: MappingId): Promise<Mapping | undefined> {
    assertAllowed(caller, 'connections:read');
    return this.database.read((stores) => stores.mappings.find(caller.tenant.id, id));
  }
}

/** As `readMapping`, for what stands in `input.mapping`. */
export function parseMapping(mapping: unknown): ReturnType<typeof readMapping> {
  const path = ['input', 'mapping'];
  const reading = readMapping(mapping, path);
  if (!reading.definition || JSON.stringify(reading.definition).length <= LONGEST_DEFINITION) return reading;
  const tooLong = new InvalidInput(`A mapping has at most ${LONGEST_DEFINITION / 1024} KiB as JSON.`, { path });
  return { problems: [tooLong] };
}

async function assertConnection(caller: Caller, id: ConnectionId, stores: Stores): Promise<void> {
  const connection = await stores.connections.find(caller.tenant.id, id);
  if (!connection) throw new NotFound('There is no such connection.', { path: ['input', 'connectionId'] });
}
