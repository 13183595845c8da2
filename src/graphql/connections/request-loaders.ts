import type { Caller } from '../../domain/access/access';
import type { AccessToken, Connection, ConnectionId } from '../../domain/connections/connection';
import type { ConnectionQueryService } from '../../domain/connections/connection-query.service';

/**
 * Gathers what the fields of many connections ask for in the same tick into one read, and remembers it for the request.
 * Without it a page of a hundred connections makes a hundred reads for their tokens.
 */
export class RequestLoaders {
  readonly #tokens = new Map<ConnectionId, Promise<AccessToken | undefined>>();
  #waiting: { connections: Connection[]; read: Promise<Map<ConnectionId, AccessToken>> } | undefined;

  constructor(private readonly connections: ConnectionQueryService) {}

  latestToken(caller: Caller, connection: Connection): Promise<AccessToken | undefined> {
    const known = this.#tokens.get(connection.id);
    if (known) return known;
    const batch = this.#waiting ?? this.openBatch(caller);
    batch.connections.push(connection);
    const token = batch.read.then((tokens) => tokens.get(connection.id));
    this.#tokens.set(connection.id, token);
    return token;
  }

  /** After a mutation has changed a connection, what was read before it must not be shown. */
  forget(connectionId: ConnectionId): void {
    this.#tokens.delete(connectionId);
  }

  private openBatch(caller: Caller) {
    const connections: Connection[] = [];
    const read = Promise.resolve().then(() => {
      this.#waiting = undefined;
      return this.connections.latestTokens(caller, connections);
    });
    this.#waiting = { connections, read };
    return this.#waiting;
  }
}
