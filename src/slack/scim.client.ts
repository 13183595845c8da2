import type { Action } from '../domain/connections/scopes';
import type { DirectoryGroup } from '../domain/directory/group';
import type { DirectoryUser, UserChanges, UserDraft } from '../domain/directory/user';
import type {
  AddressSlice,
  DirectoryClient,
  GroupSlice,
  MembershipChange,
  UpstreamUserFilter,
  UserSlice,
} from '../domain/directory-ports';
import { NotFound } from '../domain/errors';
import type { UpstreamCall } from '../domain/ports';
import { scimEndpoints } from './endpoints';
import { VerbNotSupported } from './errors';
import type { GroupClient } from './group.client';
import type { ScimExchange } from './scim-exchange';
import type { UserLookup } from './user-lookup';
import { type PatchContext, patchOperations } from './user-patch';
import { readUser } from './user-reading';
import { replacementBody } from './user-replacement';
import { newUserBody } from './user-writing';
import { isObject, readList, urns } from './wire';

interface UpdateOptions {
  readonly active?: boolean;
  readonly action: Action;
}

export class ScimClient implements DirectoryClient {
  constructor(
    private readonly exchange: ScimExchange,
    private readonly lookup: UserLookup,
    private readonly groups: GroupClient,
  ) {}

  async probe(call: UpstreamCall): Promise<void> {
    const query = { startIndex: '1', count: '1' };
    await this.exchange.read({ endpoint: scimEndpoints.probe, query }, readList, call);
  }

  async listUsers(
    page: { startIndex: number; count: number; filter?: UpstreamUserFilter },
    call: UpstreamCall,
  ): Promise<UserSlice> {
    return this.lookup.list(page, call);
  }

  async listAddresses(page: { startIndex: number; count: number }, call: UpstreamCall): Promise<AddressSlice> {
    return this.lookup.listAddresses(page, call);
  }

  async findUsers(by: { email: string } | { userName: string }, call: UpstreamCall): Promise<readonly DirectoryUser[]> {
    return this.lookup.find(by, call);
  }

  async getUser(slackId: string, call: UpstreamCall): Promise<DirectoryUser | undefined> {
    try {
      return await this.exchange.read({ endpoint: scimEndpoints.getUser, slackId }, readUser, call);
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  async createUser(
    draft: UserDraft & { readonly userName: string },
    call: UpstreamCall,
  ): Promise<DirectoryUser | undefined> {
    const action: Action = isAboutGuest(draft) ? 'user.provisionGuest' : 'user.provision';
    const body = newUserBody(draft, this.exchange.traits);
    const request = { endpoint: scimEndpoints.createUser, action, body, isAboutGuest: isAboutGuest(draft) };
    const answer = await this.exchange.write(request, call);
    return readUser(answer);
  }

  async updateUser(
    current: DirectoryUser,
    changes: UserChanges,
    { active, action }: UpdateOptions,
    call: UpstreamCall,
  ): Promise<DirectoryUser | undefined> {
    const { traits } = this.exchange;
    const context: PatchContext = { current, active, isStandardServer: traits.isStandardServer };
    const operations = patchOperations(changes, context);
    if (operations.length === 0) return current;
    if (traits.patchIsSupported) {
      try {
        return await this.#patch(operations, changes, context, action, call);
      } catch (error) {
        if (!(error instanceof VerbNotSupported)) throw error;
        traits.patchIsSupported = false;
      }
    }
    return this.#updateWithoutPatch(changes, context, action, call);
  }

  listGroups(
    page: { startIndex: number; count: number; withMembers: boolean },
    call: UpstreamCall,
  ): Promise<GroupSlice> {
    return this.groups.list(page, call);
  }

  findGroups(name: string, call: UpstreamCall): Promise<readonly DirectoryGroup[]> {
    return this.groups.find(name, call);
  }

  getGroup(
    slackId: string,
    options: { withMembers: boolean },
    call: UpstreamCall,
  ): Promise<DirectoryGroup | undefined> {
    return this.groups.get(slackId, options, call);
  }

  createGroup(
    draft: { name: string; memberSlackIds: readonly string[] },
    call: UpstreamCall,
  ): Promise<DirectoryGroup | undefined> {
    return this.groups.create(draft, call);
  }

  renameGroup(slackId: string, name: string, call: UpstreamCall): Promise<void> {
    return this.groups.rename(slackId, name, call);
  }

  changeGroupMembers(slackId: string, change: MembershipChange, call: UpstreamCall): Promise<void> {
    return this.groups.changeMembers(slackId, change, call);
  }

  deleteGroup(slackId: string, call: UpstreamCall): Promise<void> {
    return this.groups.delete(slackId, call);
  }

  async #patch(
    operations: readonly object[],
    changes: UserChanges,
    { current }: PatchContext,
    action: Action,
    call: UpstreamCall,
  ): Promise<DirectoryUser | undefined> {
    const body = { schemas: [urns.patch], Operations: operations };
    const about = { slackId: current.slackId, action, isAboutGuest: isAboutGuest(changes) };
    const request = { endpoint: scimEndpoints.patchUser, ...about, body };
    return sameUser(await this.exchange.write(request, call), current);
  }

  /**
   * A standard server may leave PATCH out (RFC 7644 §3.5.2). Deactivation is tried as a PUT before DELETE: at Slack
   * both do the same, but elsewhere a DELETE removes the person for good.
   */
  async #updateWithoutPatch(
    changes: UserChanges,
    context: PatchContext,
    action: Action,
    call: UpstreamCall,
  ): Promise<DirectoryUser | undefined> {
    const { current, active } = context;
    const { slackId } = current;
    const readWhole = (body: unknown) => (isObject(body) && readUser(body) !== undefined ? body : undefined);
    const resource = await this.exchange.read({ endpoint: scimEndpoints.getUser, slackId, action }, readWhole, call);
    const body = replacementBody(resource, changes, context);
    const about = { slackId, action, isAboutGuest: isAboutGuest(changes) };
    try {
      const answer = await this.exchange.write({ endpoint: scimEndpoints.replaceUser, ...about, body }, call);
      return sameUser(answer, current);
    } catch (error) {
      const isDeactivation =
        active === false && patchOperations(changes, { ...context, active: undefined }).length === 0;
      if (!(error instanceof VerbNotSupported) || !isDeactivation) throw error;
    }
    await this.exchange.write({ endpoint: scimEndpoints.deleteUser, slackId, action }, call);
    return undefined;
  }
}

function isAboutGuest({ guest }: UserChanges): boolean {
  return guest !== undefined && guest !== null;
}

/** An answer about somebody else tells nothing about this write. */
function sameUser(answer: unknown, current: DirectoryUser): DirectoryUser | undefined {
  const user = readUser(answer);
  return user?.slackId === current.slackId ? user : undefined;
}
