import type { Caller } from '../../domain/access/access';
import type { ConnectionId } from '../../domain/connections/connection';
import type { DirectoryGroup } from '../../domain/directory/group';
import type { GroupQueryService } from '../../domain/directory/group-query.service';

/** Reads a group with its members once in a request, however many fields ask for it. */
export class GroupLoader {
  readonly #groups = new Map<string, Promise<DirectoryGroup | undefined>>();

  constructor(private readonly queries: GroupQueryService) {}

  load(caller: Caller, connectionId: ConnectionId, slackId: string): Promise<DirectoryGroup | undefined> {
    const key = `${connectionId} ${slackId}`;
    const known = this.#groups.get(key);
    if (known) return known;
    const group = this.queries.find(caller, connectionId, { slackId }, { withMembers: true });
    this.#groups.set(key, group);
    return group;
  }
}
