import { type DirectoryGroup, isSameName } from '../domain/directory/group';
import type { GroupSlice, MembershipChange } from '../domain/directory-ports';
import { NotFound } from '../domain/errors';
import type { UpstreamCall } from '../domain/ports';
import type { Logger } from '../shared/logger';
import { scimEndpoints } from './endpoints';
import { VerbNotSupported } from './errors';
import { readGroup } from './group-reading';
import { walkList } from './list-walk';
import type { ScimExchange, ScimRequest } from './scim-exchange';
import { isFilterRefusal, LARGEST_PAGE } from './user-lookup';
import { quoted } from './user-patch';
import { listIn, type PatchOperation, readList, textIn, urns, type WireList } from './wire';

/** Groups of one name: one, where people take care. */
const LOOKUP_PAGE = 100;
/** Slack sends members with every group of a list; so many groups of 15,000 members fill the largest answer that is read. */
const MOST_GROUPS_WITH_MEMBERS = 50;

interface Page {
  readonly list: WireList;
  readonly entries: readonly DirectoryGroup[];
}

/** Groups over SCIM: reads, and writes in the forms that both Slack and RFC 7644 know. */
export class GroupClient {
  constructor(
    private readonly exchange: ScimExchange,
    private readonly clock: { now(): number },
    private readonly logger: Logger,
  ) {}

  async list(
    { startIndex, count, withMembers }: { startIndex: number; count: number; withMembers: boolean },
    call: UpstreamCall,
  ): Promise<GroupSlice> {
    const size = Math.min(Math.max(1, count), withMembers ? MOST_GROUPS_WITH_MEMBERS : LARGEST_PAGE);
    const { list, entries } = await this.#page(startIndex, size, { withMembers }, call);
    const end = startIndex - 1 + list.entries.length;
    const totalResults = list.totalResults ?? (list.entries.length < size ? end : end + 1);
    // Past the end some servers repeat the first page.
    if (startIndex > totalResults) return { groups: [], totalResults, startIndex, entryCount: 0 };
    const groups = [...new Map(entries.map((group) => [group.slackId, group])).values()];
    return { groups, totalResults, startIndex, entryCount: list.entries.length };
  }

  async find(name: string, call: UpstreamCall): Promise<readonly DirectoryGroup[]> {
    const matches = (group: DirectoryGroup) => isSameName(group.name, name);
    const page = await this.#filtered(`displayName eq ${quoted(name)}`, call);
    // A group of another name shows that the server does not look at the filter.
    if (page?.entries.every(matches)) return page.entries;
    const readPage = (startIndex: number) => this.#page(startIndex, LARGEST_PAGE, { withMembers: false }, call);
    return walkList(readPage, matches, { now: () => this.clock.now(), deadlineAt: call.deadlineAt });
  }

  async get(
    slackId: string,
    { withMembers }: { withMembers: boolean },
    call: UpstreamCall,
  ): Promise<DirectoryGroup | undefined> {
    try {
      return await this.#read(
        { endpoint: scimEndpoints.getGroup, slackId },
        { withMembers },
        (body) => readGroup(body, { withMembers }),
        call,
      );
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  async create(
    { name, memberSlackIds }: { name: string; memberSlackIds: readonly string[] },
    call: UpstreamCall,
  ): Promise<DirectoryGroup | undefined> {
    const body = { schemas: [urns.group], displayName: name, members: memberSlackIds.map(memberOf) };
    const answer = await this.exchange.write({ endpoint: scimEndpoints.createGroup, body }, call);
    return readGroup(answer, { withMembers: true });
  }

  rename(slackId: string, name: string, call: UpstreamCall): Promise<void> {
    return this.#change(slackId, [{ op: 'replace', path: 'displayName', value: name }], call, (resource) => ({
      ...resource,
      displayName: name,
    }));
  }

  changeMembers(slackId: string, change: MembershipChange, call: UpstreamCall): Promise<void> {
    const { isStandardServer } = this.exchange.traits;
    return this.#change(slackId, membershipOperations(change, { isStandardServer }), call, (resource) => ({
      ...resource,
      members: changedMembers(listIn(resource, 'members'), change),
    }));
  }

  async delete(slackId: string, call: UpstreamCall): Promise<void> {
    await this.exchange.write({ endpoint: scimEndpoints.deleteGroup, slackId }, call);
  }

  /**
   * Asks to leave the members out where they are not wanted (RFC 7644 §3.9). Slack does not say whether it heeds that: it may
   * send them all the same, and where it refuses the question it is asked without.
   */
  async #read<T>(
    request: ScimRequest,
    { withMembers }: { withMembers: boolean },
    accept: (body: unknown) => T | undefined,
    call: UpstreamCall,
  ): Promise<T> {
    const { traits } = this.exchange;
    if (withMembers || !traits.excludedAttributesAreTaken) return this.exchange.read(request, accept, call);
    const query = { ...request.query, excludedAttributes: 'members' };
    try {
      return await this.exchange.read({ ...request, query }, accept, call);
    } catch (error) {
      if (!isFilterRefusal(error)) throw error;
      // Thrown again when it is something else that is refused, such as the filter.
      const answer = await this.exchange.read(request, accept, call);
      traits.excludedAttributesAreTaken = false;
      return answer;
    }
  }

  /** A standard server may leave PATCH out (RFC 7644 §3.5.2): then the whole group is written. */
  async #change(
    slackId: string,
    operations: readonly PatchOperation[],
    call: UpstreamCall,
    edit: (resource: Readonly<Record<string, unknown>>) => object,
  ): Promise<void> {
    const { traits } = this.exchange;
    if (operations.length === 0) return;
    if (traits.patchIsSupported) {
      try {
        const body = { schemas: [urns.patch], Operations: operations };
        await this.exchange.write({ endpoint: scimEndpoints.patchGroup, slackId, body }, call);
        return;
      } catch (error) {
        if (!(error instanceof VerbNotSupported)) throw error;
        traits.patchIsSupported = false;
      }
    }
    const request = { endpoint: scimEndpoints.getGroup, slackId, action: 'group.write' } as const;
    const resource = await this.exchange.read(request, wholeGroup, call);
    await this.exchange.write({ endpoint: scimEndpoints.replaceGroup, slackId, body: edit(resource) }, call);
  }

  /** @returns undefined when the server refuses the filter. */
  async #filtered(filter: string, call: UpstreamCall): Promise<Page | undefined> {
    try {
      return await this.#page(1, LOOKUP_PAGE, { withMembers: false, filter }, call);
    } catch (error) {
      if (isFilterRefusal(error)) return undefined;
      throw error;
    }
  }

  async #page(
    startIndex: number,
    count: number,
    { withMembers, filter }: { withMembers: boolean; filter?: string },
    call: UpstreamCall,
  ): Promise<Page> {
    const query = {
      startIndex: String(startIndex),
      count: String(count),
      ...(filter === undefined ? {} : { filter }),
    };
    const list = await this.#read({ endpoint: scimEndpoints.listGroups, query }, { withMembers }, readList, call);
    const entries = list.entries.flatMap((entry) => readGroup(entry, { withMembers }) ?? []);
    if (entries.length < list.entries.length) {
      const skipped = list.entries.length - entries.length;
      this.logger.warn({ requestId: call.requestId, skipped }, 'Slack listed entries that are no groups');
    }
    return { list, entries };
  }
}

/**
 * Slack removes those of a list; RFC 7644 §3.5.2.2 does not define the list, and a server that overlooks it would empty
 * the group, so any other server gets a path for each.
 */
export function membershipOperations(
  change: MembershipChange,
  { isStandardServer }: { isStandardServer: boolean },
): PatchOperation[] {
  const path = 'members';
  if ('replaceWith' in change) {
    const value = change.replaceWith.map(memberOf);
    return value.length === 0 ? [{ op: 'remove', path }] : [{ op: 'replace', path, value }];
  }
  const { remove, add } = change;
  const removals: PatchOperation[] = isStandardServer
    ? remove.map((id) => ({ op: 'remove', path: `members[value eq ${quoted(id)}]` }))
    : remove.length === 0
      ? []
      : [{ op: 'remove', path, value: remove.map(memberOf) }];
  return [...removals, ...(add.length === 0 ? [] : [{ op: 'add' as const, path, value: add.map(memberOf) }])];
}

function memberOf(value: string): object {
  return { value };
}

function changedMembers(current: readonly unknown[], change: MembershipChange): unknown[] {
  if ('replaceWith' in change) return change.replaceWith.map(memberOf);
  const gone = new Set([...change.remove, ...change.add]);
  const kept = current.filter((member) => !gone.has(textIn(member, 'value') ?? ''));
  return [...kept, ...change.add.map(memberOf)];
}

function wholeGroup(body: unknown): Readonly<Record<string, unknown>> | undefined {
  const isGroup = readGroup(body, { withMembers: true }) !== undefined;
  return isGroup ? (body as Readonly<Record<string, unknown>>) : undefined;
}
