import type { Caller } from '../../domain/access/access';
import type { ConnectionId } from '../../domain/connections/connection';
import type { DirectoryQueryService } from '../../domain/directory/directory-query.service';
import type { DirectoryUser } from '../../domain/directory/user';

type Accounts = ReadonlyMap<string, DirectoryUser>;

/**
 * Gathers the accounts that the members of many groups ask for in the same tick into one search, and remembers them for
 * the request: without it a page of groups would look up each member of each.
 */
export class AccountLoader {
  readonly #known = new Map<string, Promise<DirectoryUser | undefined>>();
  readonly #waiting = new Map<ConnectionId, { readonly slackIds: string[]; readonly read: Promise<Accounts> }>();

  constructor(private readonly queries: DirectoryQueryService) {}

  load(caller: Caller, connectionId: ConnectionId, slackId: string): Promise<DirectoryUser | undefined> {
    const key = `${connectionId} ${slackId}`;
    const known = this.#known.get(key);
    if (known) return known;
    const batch = this.#waiting.get(connectionId) ?? this.open(caller, connectionId);
    batch.slackIds.push(slackId);
    const account = batch.read.then((accounts) => accounts.get(slackId));
    this.#known.set(key, account);
    return account;
  }

  private open(caller: Caller, connectionId: ConnectionId) {
    const slackIds: string[] = [];
    // Resolvers of one level run in several turns of the microtask queue; after it everybody has asked.
    const read = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#waiting.delete(connectionId);
      return this.queries.findMany(caller, connectionId, slackIds);
    });
    const batch = { slackIds, read };
    this.#waiting.set(connectionId, batch);
    return batch;
  }
}
