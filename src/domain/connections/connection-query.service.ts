import type { Clock } from '../../shared/clock';
import { assertAllowed, type Caller } from '../access/access';
import type { RateBudget, SlackDirectory } from '../directory-ports';
import { InvalidInput } from '../errors';
import type { ConnectionFilter, Database, ListPosition, ListSlice } from '../ports';
import {
  type AccessToken,
  type AccessTokenId,
  type Connection,
  type ConnectionId,
  type ConnectionIssue,
  LONGEST_CONNECTION_NAME,
} from './connection';
import { type ConnectionCapability, capabilitiesOf } from './connection-capabilities';
import { budgetKeyOf } from './grant-verifier.service';

/** Reads of connections and what hangs on them. Unknown and another tenant's both come back as undefined. */
export class ConnectionQueryService {
  constructor(
    private readonly database: Database,
    private readonly directory: SlackDirectory,
    private readonly clock: Clock,
  ) {}

  async find(caller: Caller, id: ConnectionId): Promise<Connection | undefined> {
    assertAllowed(caller, 'connections:read');
    return this.database.read((stores) => stores.connections.find(caller.tenant.id, id));
  }

  async list(
    caller: Caller,
    filter: ConnectionFilter,
    page: { first: number; after?: ListPosition },
  ): Promise<ListSlice<Connection>> {
    assertAllowed(caller, 'connections:read');
    const parsed = parseFilter(filter);
    return this.database.read((stores) => stores.connections.list(caller.tenant.id, parsed, page.first, page.after));
  }

  /** Open and resolved, oldest first; for connections that `find` or `list` gave to this caller. */
  async allIssues(caller: Caller, connection: Connection): Promise<ConnectionIssue[]> {
    assertAllowed(caller, 'connections:read');
    if (connection.tenantId !== caller.tenant.id) return [];
    return this.database.read((stores) => stores.issues.list(connection.id, { includeResolved: true }));
  }

  /** The open issues of each connection that has any, in one read. Connections of other tenants are left out. */
  async openIssues(caller: Caller, connections: readonly Connection[]): Promise<Map<ConnectionId, ConnectionIssue[]>> {
    assertAllowed(caller, 'connections:read');
    const own = connections.filter(({ tenantId }) => tenantId === caller.tenant.id).map(({ id }) => id);
    const issues = await this.database.read((stores) => stores.issues.listOpen(own));
    const byConnection = new Map<ConnectionId, ConnectionIssue[]>();
    for (const issue of issues) {
      byConnection.set(issue.connectionId, [...(byConnection.get(issue.connectionId) ?? []), issue]);
    }
    return byConnection;
  }

  /** The newest token of each connection, in one read. Connections of other tenants are left out. */
  async latestTokens(caller: Caller, connections: readonly Connection[]): Promise<Map<ConnectionId, AccessToken>> {
    assertAllowed(caller, 'connections:read');
    const own = connections.filter(({ tenantId }) => tenantId === caller.tenant.id).map(({ id }) => id);
    const tokens = await this.database.read((stores) => stores.tokens.listLatest(own));
    return new Map(tokens.map((token) => [token.connectionId, token]));
  }

  async findToken(caller: Caller, id: AccessTokenId): Promise<AccessToken | undefined> {
    assertAllowed(caller, 'connections:read');
    return this.database.read((stores) => stores.tokens.find(caller.tenant.id, id));
  }

  /** @param token the connection's newest, as `latestTokens` gave it. */
  capabilities(caller: Caller, connection: Connection, token: AccessToken | undefined): ConnectionCapability[] {
    assertAllowed(caller, 'connections:read');
    return capabilitiesOf(connection, token, this.clock.now());
  }

  /** What is left of Slack's limits for the team of each connection, in one read. Connections of other tenants are left out. */
  async rateBudgets(
    caller: Caller,
    connections: readonly Connection[],
  ): Promise<Map<ConnectionId, readonly RateBudget[]>> {
    assertAllowed(caller, 'connections:read');
    const own = connections.filter(({ tenantId }) => tenantId === caller.tenant.id);
    const keyOf = ({ environment, teamKey }: Connection) => budgetKeyOf(environment, teamKey);
    const budgets = await this.directory.budgetsOf(own.map(keyOf));
    return new Map(own.map((connection) => [connection.id, budgets.get(keyOf(connection)) ?? []]));
  }
}

/**
 * Databases limit how long a pattern and how many values one statement may have.
 * @throws InvalidInput
 */
function parseFilter({ status, nameContains, ...filter }: ConnectionFilter): ConnectionFilter {
  if (nameContains !== undefined && nameContains.length > LONGEST_CONNECTION_NAME) {
    throw new InvalidInput(`No name has more than ${LONGEST_CONNECTION_NAME} characters.`, {
      path: ['filter', 'nameContains'],
    });
  }
  return { ...filter, nameContains, status: status && [...new Set(status)] };
}
