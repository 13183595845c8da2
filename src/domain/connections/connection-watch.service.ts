import { assertAllowed } from '../access/access';
import { NotFound } from '../errors';
import type { Connection, ConnectionId } from './connection';
import { ConnectionChanges, type WatchedSource, type Watcher } from './connection-changes';

/** Tells of changes of connections once they are committed, on whichever replica. */
export class ConnectionWatchService {
  constructor(private readonly source: WatchedSource) {}

  /**
   * The connection as it is, and again after each change until it is deleted; without an id, each connection of the
   * tenant after a change of it. Changes that come faster than they are read come as one.
   * @returns an iterator whose `return` ends the watch at once, before the first `next` and during one too.
   * @throws NotFound, Forbidden, Unauthenticated
   */
  async watch(watcher: Watcher, id?: ConnectionId): Promise<AsyncIterableIterator<Connection>> {
    const caller = await watcher.caller();
    assertAllowed(caller, 'connections:read');
    if (id !== undefined && !(await this.source.queries.find(caller, id))) {
      throw new NotFound('There is no such connection.', { path: ['id'] });
    }
    return new ConnectionChanges(this.source, watcher, caller.tenant.id, id);
  }
}
