import type { Caller } from '../../domain/access/access';
import type { AccessToken, Connection, ConnectionId, ConnectionIssue } from '../../domain/connections/connection';
import type { ConnectionQueryService } from '../../domain/connections/connection-query.service';
import type { RateBudget } from '../../domain/directory-ports';
import type { Mapping } from '../../domain/mapping/mapping';
import type { MappingService } from '../../domain/mapping/mapping.service';

/**
 * Gathers what the fields of many connections ask for in the same tick into one read, and remembers it for the request.
 * Without it a page of a hundred connections makes a hundred reads for their tokens, and as many for their issues.
 */
export class RequestLoaders {
  readonly #tokens: Batches<AccessToken>;
  readonly #issues: Batches<ConnectionIssue[]>;
  readonly #mappings: Batches<Mapping>;
  readonly #rateBudgets: Batches<readonly RateBudget[]>;

  constructor(queries: ConnectionQueryService, mappings: MappingService) {
    this.#tokens = new Batches((caller, connections) => queries.latestTokens(caller, connections));
    this.#issues = new Batches((caller, connections) => queries.openIssues(caller, connections));
    this.#mappings = new Batches((caller, connections) => mappings.latest(caller, connections));
    this.#rateBudgets = new Batches((caller, connections) => queries.rateBudgets(caller, connections));
  }

  latestToken(caller: Caller, connection: Connection): Promise<AccessToken | undefined> {
    return this.#tokens.load(caller, connection);
  }

  /** Oldest first. */
  async openIssues(caller: Caller, connection: Connection): Promise<ConnectionIssue[]> {
    return (await this.#issues.load(caller, connection)) ?? [];
  }

  /** The one in force. */
  mapping(caller: Caller, connection: Connection): Promise<Mapping | undefined> {
    return this.#mappings.load(caller, connection);
  }

  /** As it was when it was first asked for. */
  async rateBudget(caller: Caller, connection: Connection): Promise<readonly RateBudget[]> {
    return (await this.#rateBudgets.load(caller, connection)) ?? [];
  }

  /** After a mutation has changed a connection, what was read before it must not be shown. */
  forget(connectionId: ConnectionId): void {
    this.#tokens.forget(connectionId);
    this.#issues.forget(connectionId);
    this.#mappings.forget(connectionId);
    this.#rateBudgets.forget(connectionId);
  }
}

type ReadMany<Value> = (caller: Caller, connections: readonly Connection[]) => Promise<Map<ConnectionId, Value>>;

class Batches<Value> {
  readonly #known = new Map<ConnectionId, Promise<Value | undefined>>();
  #waiting: { connections: Connection[]; read: Promise<Map<ConnectionId, Value>> } | undefined;

  constructor(private readonly readMany: ReadMany<Value>) {}

  load(caller: Caller, connection: Connection): Promise<Value | undefined> {
    const known = this.#known.get(connection.id);
    if (known) return known;
    const batch = this.#waiting ?? this.open(caller);
    batch.connections.push(connection);
    const value = batch.read.then((values) => values.get(connection.id));
    this.#known.set(connection.id, value);
    return value;
  }

  forget(connectionId: ConnectionId): void {
    this.#known.delete(connectionId);
  }

  private open(caller: Caller) {
    const connections: Connection[] = [];
    const read = Promise.resolve().then(() => {
      this.#waiting = undefined;
      return this.readMany(caller, connections);
    });
    this.#waiting = { connections, read };
    return this.#waiting;
  }
}
