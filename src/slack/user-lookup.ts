import { type DirectoryUser, holdsEmail } from '../domain/directory/user';
import type { AddressSlice, UpstreamUserFilter, UserSlice } from '../domain/directory-ports';
import { InvalidInput, UpstreamRejected } from '../domain/errors';
import type { UpstreamCall } from '../domain/ports';
import type { Logger } from '../shared/logger';
import { scimEndpoints } from './endpoints';
import { walkList } from './list-walk';
import type { ScimExchange } from './scim-exchange';
import { quoted } from './user-patch';
import { readAddressesOf, readUser } from './user-reading';
import { readList, type WireList } from './wire';

/** Slack cuts larger pages to this without a word. */
export const LARGEST_PAGE = 1000;
/** People who share a user name or an address: one, at Slack. */
const LOOKUP_PAGE = 100;

/** One page as it came, and the people on it. */
interface Page {
  readonly list: WireList;
  readonly users: readonly DirectoryUser[];
}

/**
 * Lists and lookups. Slack documents its filters for SCIM 1.1 only, and standard servers may refuse or ignore any, so
 * each answer is checked against the filter here, and a walk through the whole list is the last resort.
 */
export class UserLookup {
  constructor(
    private readonly exchange: ScimExchange,
    private readonly clock: { now(): number },
    private readonly logger: Logger,
  ) {}

  async list(
    { startIndex, count, filter }: { startIndex: number; count: number; filter?: UpstreamUserFilter },
    call: UpstreamCall,
  ): Promise<UserSlice> {
    const size = Math.min(Math.max(1, count), LARGEST_PAGE);
    if (filter === undefined) return sliceOf(await this.#page(startIndex, size, undefined, call), startIndex, size);
    if ('guest' in filter) return this.#listGuests(startIndex, size, call);
    const found = await this.find(filter, call);
    return localSlice(found, startIndex, size);
  }

  async listAddresses(
    { startIndex, count }: { startIndex: number; count: number },
    call: UpstreamCall,
  ): Promise<AddressSlice> {
    const list = await this.#entries(startIndex, count, undefined, call);
    const { totalResults, entryCount } = sliceOf({ list, users: [] }, startIndex, count);
    return { addresses: list.entries.flatMap(readAddressesOf), totalResults, entryCount };
  }

  async find(by: { email: string } | { userName: string }, call: UpstreamCall): Promise<readonly DirectoryUser[]> {
    const matches = (user: DirectoryUser) =>
      'email' in by ? holdsEmail(user, by.email) : isSameUserName(user.userName, by.userName);
    const page = 'email' in by ? await this.#byEmail(by.email, call) : await this.#byUserName(by.userName, call);
    if (page === undefined) return this.#walk(matches, call);
    const found = page.users.filter(matches);
    if (found.length > 0) return found;
    // People came, and not one is who was asked for: the server does not look at the filter.
    if (page.list.entries.length > 0) return this.#walk(matches, call);
    // RFC 7643 §4.1.2 leaves the case of addresses out of account, but not every server does.
    const lowerCase = 'email' in by ? by.email.toLowerCase() : undefined;
    const isKnownForm = lowerCase === undefined || ('email' in by && by.email === lowerCase);
    return isKnownForm || !this.exchange.traits.isStandardServer ? found : this.find({ email: lowerCase }, call);
  }

  async #byUserName(userName: string, call: UpstreamCall): Promise<Page | undefined> {
    return this.#filtered(`userName eq ${quoted(userName)}`, call);
  }

  /** Tries the forms in turn, beginning with the one that this server took before. undefined: it takes none. */
  async #byEmail(email: string, call: UpstreamCall): Promise<Page | undefined> {
    const { traits } = this.exchange;
    const first = traits.emailFilterForm;
    const order =
      first === undefined ? emailForms.keys() : [first, ...[...emailForms.keys()].filter((n) => n !== first)];
    for (const form of order) {
      const page = await this.#filtered(`${emailForms[form]} eq ${quoted(email)}`, call);
      if (page === undefined) continue;
      traits.emailFilterForm = form;
      return page;
    }
    return undefined;
  }

  /** @returns undefined when the server refuses the filter. */
  async #filtered(filter: string, call: UpstreamCall): Promise<Page | undefined> {
    try {
      return await this.#page(1, LOOKUP_PAGE, filter, call);
    } catch (error) {
      if (isFilterRefusal(error)) return undefined;
      throw error;
    }
  }

  async #listGuests(startIndex: number, count: number, call: UpstreamCall): Promise<UserSlice> {
    const isGuest = ({ guest }: DirectoryUser) => guest !== undefined;
    try {
      const page = await this.#page(startIndex, count, GUEST_FILTER, call);
      if (page.users.length === 0 || page.users.some(isGuest)) {
        return sliceOf({ ...page, users: page.users.filter(isGuest) }, startIndex, count);
      }
    } catch (error) {
      if (!isFilterRefusal(error)) throw error;
    }
    return localSlice(await this.#walk(isGuest, call), startIndex, count);
  }

  #walk(matches: (user: DirectoryUser) => boolean, call: UpstreamCall): Promise<readonly DirectoryUser[]> {
    const readPage = async (startIndex: number) => {
      const { list, users } = await this.#page(startIndex, LARGEST_PAGE, undefined, call);
      return { list, entries: users };
    };
    return walkList(readPage, matches, { now: () => this.clock.now(), deadlineAt: call.deadlineAt });
  }

  #entries(startIndex: number, count: number, filter: string | undefined, call: UpstreamCall): Promise<Page['list']> {
    const query = { startIndex: String(startIndex), count: String(count), ...(filter === undefined ? {} : { filter }) };
    return this.exchange.read({ endpoint: scimEndpoints.listUsers, query }, readList, call);
  }

  async #page(startIndex: number, count: number, filter: string | undefined, call: UpstreamCall): Promise<Page> {
    const list = await this.#entries(startIndex, count, filter, call);
    const users = list.entries.flatMap((entry) => readUser(entry) ?? []);
    if (users.length < list.entries.length) {
      const skipped = list.entries.length - users.length;
      this.logger.warn({ requestId: call.requestId, skipped }, 'Slack listed entries that are no people');
    }
    return { list, users };
  }
}

/** In use on v2, then Slack's documented name, then another one in use. */
const emailForms: readonly string[] = ['emails.value', 'email', 'emails'];
/** Slack documents single quotes for this one. */
const GUEST_FILTER = "restricted eq '1'";

/** Besides Slack's codes for it, a bare 400 or "not implemented" on a filtered list speaks of the filter. */
export function isFilterRefusal(error: unknown): boolean {
  if (error instanceof InvalidInput) return true;
  return error instanceof UpstreamRejected && [400, 403, 404, 501].includes(error.httpStatus);
}

function isSameUserName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

function sliceOf({ list, users }: Page, startIndex: number, count: number): UserSlice {
  const end = startIndex - 1 + list.entries.length;
  const totalResults = list.totalResults ?? (list.entries.length < count ? end : end + 1);
  // Past the end some servers repeat the first page.
  if (startIndex > totalResults) return { users: [], totalResults, startIndex, entryCount: 0 };
  return { users: withoutRepeats(users), totalResults, startIndex, entryCount: list.entries.length };
}

function localSlice(users: readonly DirectoryUser[], startIndex: number, count: number): UserSlice {
  const page = users.slice(startIndex - 1, startIndex - 1 + count);
  return { users: page, totalResults: users.length, startIndex, entryCount: page.length };
}

function withoutRepeats(users: readonly DirectoryUser[]): DirectoryUser[] {
  return [...new Map(users.map((user) => [user.slackId, user])).values()];
}
