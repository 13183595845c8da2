import type { Caller } from '../access/access';
import type { DirectoryClient, UserSlice } from '../directory-ports';
import { LARGEST_PAGE } from './roster-position';
import { bestHolder, type DirectoryUser, type UserSelector } from './user';

/** So few are asked for one by one, without a look at the size of the roster. */
const FEW = 10;
/** Asked for at the same time; Slack's limits are kept by the edge. */
const AT_ONCE = 10;
const PAGES_AT_ONCE = 5;
/**
 * What a walk shows is good for a few minutes, in which Slack's limits let some 900 people be created, and other calls need
 * most of the thousand reads a minute: a longer roster costs more than it spares.
 */
const MOST_WALKED_PAGES = 500;
/** Of those whom a walk through the roster did not show, since the roster can shift meanwhile. */
const MOST_SECOND_LOOKS = 200;

/** A person whom a selector names. Someone named by Slack's id is not looked up. */
export interface NamedPerson {
  readonly slackId: string;
  readonly user?: DirectoryUser;
}

/**
 * Finds many people in the fewest calls, and each once: a call for each of them, or a walk through the roster with a
 * thousand a page, whichever is less. Lives as long as one request.
 */
export class PeopleLookup {
  readonly #found = new Map<string, readonly DirectoryUser[]>();

  constructor(
    private readonly client: DirectoryClient,
    private readonly caller: Caller,
  ) {}

  /** @returns for each selector in turn the person; undefined when there is none. */
  async resolve(selectors: readonly UserSelector[]): Promise<(NamedPerson | undefined)[]> {
    await this.find(selectors.filter((by) => !('slackId' in by)));
    return selectors.map((by) => {
      if ('slackId' in by) return { slackId: by.slackId };
      const users = this.#found.get(keyOf(by)) ?? [];
      const user = 'email' in by ? bestHolder(users, by.email) : users[0];
      return user && { slackId: user.slackId, user };
    });
  }

  /** @returns the accounts that are there, by Slack's id. */
  async byIds(slackIds: readonly string[]): Promise<Map<string, DirectoryUser>> {
    const selectors = slackIds.map((slackId) => ({ slackId }));
    await this.find(selectors);
    const users = selectors.flatMap((by) => this.#found.get(keyOf(by))?.slice(0, 1) ?? []);
    return new Map(users.map((user) => [user.slackId, user]));
  }

  /**
   * Which of the addresses nobody holds, as far as a walk through the roster shows.
   * @returns undefined when the roster is so long that asking for each of them takes fewer calls.
   */
  async findUnheld(emails: readonly string[]): Promise<Set<string> | undefined> {
    const unheld = new Map(emails.map((email) => [email.toLowerCase(), email]));
    const read = async (startIndex: number) => {
      const slice = await this.client.listAddresses({ startIndex, count: LARGEST_PAGE }, this.caller);
      for (const address of slice.addresses) unheld.delete(address.toLowerCase());
      return slice;
    };
    const { totalResults, entryCount: pageSize } = await read(1);
    const pages = pageSize === 0 ? 0 : Math.ceil(totalResults / pageSize) - 1;
    if (pages > Math.min(emails.length, MOST_WALKED_PAGES)) return undefined;
    const starts = Array.from({ length: pages }, (_, page) => 1 + (page + 1) * pageSize);
    for (let first = 0; first < pages; first += PAGES_AT_ONCE) {
      await Promise.all(starts.slice(first, first + PAGES_AT_ONCE).map(read));
    }
    return new Set(unheld.values());
  }

  private async find(selectors: readonly UserSelector[]): Promise<void> {
    const wanted = new Map(selectors.map((by) => [keyOf(by), by]));
    for (const key of this.#found.keys()) wanted.delete(key);
    if (wanted.size > FEW) await this.walkIfShorter(wanted);
    const rest = [...wanted];
    for (let start = 0; start < rest.length; start += AT_ONCE) {
      await Promise.all(
        rest.slice(start, start + AT_ONCE).map(async ([key, by]) => this.#found.set(key, await this.lookUp(by))),
      );
    }
  }

  /**
   * Reads the first page of the roster, which tells how many there are, and the others as long as they are fewer than the
   * people who are still wanted. Takes whom it found out of `wanted`, and all of them when a further look is not worth it.
   */
  private async walkIfShorter(wanted: Map<string, UserSelector>): Promise<void> {
    // Pages may overlap.
    const seen = new Set<string>();
    // Some servers send less than is asked for.
    const { totalResults, entryCount: pageSize } = await this.readPage(1, wanted, seen);
    let startIndex = 1 + pageSize;
    for (;;) {
      const pagesLeft = pageSize === 0 ? 0 : Math.ceil((totalResults - startIndex + 1) / pageSize);
      const missing = [...wanted.keys()].filter((key) => !this.#found.has(key));
      if (pagesLeft <= 0) {
        this.settle(wanted, missing);
        return;
      }
      if (missing.length <= pagesLeft) {
        for (const key of wanted.keys()) if (this.#found.has(key)) wanted.delete(key);
        return;
      }
      const pages = Array.from(
        { length: Math.min(pagesLeft, PAGES_AT_ONCE) },
        (_, page) => startIndex + page * pageSize,
      );
      await Promise.all(pages.map((start) => this.readPage(start, wanted, seen)));
      startIndex += pages.length * pageSize;
    }
  }

  private async readPage(
    startIndex: number,
    wanted: ReadonlyMap<string, UserSelector>,
    seen: Set<string>,
  ): Promise<UserSlice> {
    const slice = await this.client.listUsers({ startIndex, count: LARGEST_PAGE }, this.caller);
    for (const user of slice.users) {
      if (seen.has(user.slackId)) continue;
      seen.add(user.slackId);
      for (const key of keysOf(user)) if (wanted.has(key)) this.add(key, user);
    }
    return slice;
  }

  private settle(wanted: Map<string, UserSelector>, missing: readonly string[]): void {
    const isWorthIt = missing.length <= MOST_SECOND_LOOKS;
    if (!isWorthIt) for (const key of missing) this.#found.set(key, []);
    for (const key of [...wanted.keys()]) if (this.#found.has(key)) wanted.delete(key);
  }

  private add(key: string, user: DirectoryUser): void {
    this.#found.set(key, [...(this.#found.get(key) ?? []), user]);
  }

  private async lookUp(by: UserSelector): Promise<readonly DirectoryUser[]> {
    if (!('slackId' in by)) return this.client.findUsers(by, this.caller);
    const user = await this.client.getUser(by.slackId, this.caller);
    return user ? [user] : [];
  }
}

function keyOf(by: UserSelector): string {
  const [kind, value] = Object.entries(by)[0] ?? ['', ''];
  return kind === 'slackId' ? `${kind} ${value}` : `${kind} ${String(value).trim().toLowerCase()}`;
}

/** Every way in which a person can be named. */
function keysOf(user: DirectoryUser): string[] {
  return [
    keyOf({ slackId: user.slackId }),
    keyOf({ userName: user.userName }),
    ...user.emails.map(({ value }) => keyOf({ email: value })),
  ];
}
