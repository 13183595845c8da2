import type { Caller } from '../../../src/domain/access/access';
import { PeopleLookup } from '../../../src/domain/directory/people-lookup';
import type { DirectoryUser } from '../../../src/domain/directory/user';
import type { DirectoryClient } from '../../../src/domain/directory-ports';

const caller = {} as Caller;

/** A roster that counts what is asked of it. */
class Roster {
  pages = 0;
  lookups = 0;
  readonly users: DirectoryUser[];

  constructor(
    count: number,
    private readonly options: { repeatsFirstPage?: boolean; hidden?: ReadonlySet<string>; pageSize?: number } = {},
  ) {
    this.users = Array.from({ length: count }, (_, index) => aUser(index));
  }

  lookup(): PeopleLookup {
    const client = {
      listUsers: async ({ startIndex, count }: { startIndex: number; count: number }) => {
        this.pages += 1;
        const first = this.options.repeatsFirstPage && startIndex > this.users.length ? 0 : startIndex - 1;
        const page = this.users.slice(first, first + Math.min(count, this.options.pageSize ?? count));
        const users = page.filter(({ slackId }) => !this.options.hidden?.has(slackId));
        return { users, entryCount: page.length, totalResults: this.users.length, startIndex };
      },
      listAddresses: async ({ startIndex, count }: { startIndex: number; count: number }) => {
        this.pages += 1;
        const page = this.users.slice(startIndex - 1, startIndex - 1 + Math.min(count, this.options.pageSize ?? count));
        const addresses = page.flatMap(({ emails }) => emails.map(({ value }) => value));
        return { addresses, entryCount: page.length, totalResults: this.users.length };
      },
      findUsers: async (by: { email: string } | { userName: string }) => {
        this.lookups += 1;
        return this.users.filter((user) =>
          'email' in by
            ? user.emails.some(({ value }) => value === by.email.toLowerCase())
            : user.userName === by.userName,
        );
      },
      getUser: async (slackId: string) => {
        this.lookups += 1;
        return this.users.find((user) => user.slackId === slackId);
      },
    };
    return new PeopleLookup(client as unknown as DirectoryClient, caller);
  }
}

function aUser(index: number): DirectoryUser {
  return {
    slackId: `U${index}`,
    userName: `user.${index}`,
    active: true,
    emails: [{ value: `user.${index}@example.com`, primary: true }],
    phoneNumbers: [],
    addresses: [],
    employment: {},
    profileFields: [],
    groups: [],
  };
}

const emails = (...indexes: number[]) => indexes.map((index) => ({ email: `User.${index}@example.com` }));
const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);

describe('a search for many people', () => {
  it('asks nothing about ids, and about few names one by one, each once', async () => {
    const roster = new Roster(50_000);
    const lookup = roster.lookup();
    const selectors = [{ slackId: 'U7' }, ...emails(1, 2, 1), { userName: 'user.9' }, { email: 'no@example.com' }];
    const people = await lookup.resolve(selectors);
    expect(people.map((person) => person?.slackId)).toEqual(['U7', 'U1', 'U2', 'U1', 'U9', undefined]);
    await lookup.resolve(selectors);
    expect([roster.pages, roster.lookups]).toEqual([0, 4]);
  });

  it('walks the roster when that takes fewer calls', async () => {
    const roster = new Roster(4_500);
    const people = await roster.lookup().resolve(emails(...range(4_500)));
    expect(people.every((person, index) => person?.slackId === `U${index}`)).toBe(true);
    expect([roster.pages, roster.lookups]).toEqual([5, 0]);
  });

  it('stops walking as soon as asking for the rest takes fewer calls', async () => {
    const roster = new Roster(100_000);
    const people = await roster.lookup().resolve(emails(...range(300), 99_999, 50_000));
    expect(people.map((person) => person?.slackId)).toEqual([...range(300).map((n) => `U${n}`), 'U99999', 'U50000']);
    expect([roster.pages, roster.lookups]).toEqual([1, 2]);
  });

  it('asks one by one for those whom the walk did not show', async () => {
    const roster = new Roster(2_000, { hidden: new Set(['U3', 'U4']) });
    const found = await roster.lookup().byIds([...range(2_000).map((n) => `U${n}`), 'U0NOBODY']);
    expect([found.size, roster.pages, roster.lookups]).toEqual([2_000, 2, 3]);
  });

  it('follows the pages of a server that sends fewer than it is asked for', async () => {
    const roster = new Roster(230, { pageSize: 50 });
    const lookup = roster.lookup();
    const people = await lookup.resolve(emails(...range(230)));
    expect(people.every((person, index) => person?.slackId === `U${index}`)).toBe(true);
    expect([roster.pages, roster.lookups]).toEqual([5, 0]);
    expect((await lookup.byIds(range(230).map((n) => `U${n}`))).size).toBe(230);
  });

  it('ends when the list begins again', async () => {
    const roster = new Roster(1_000, { repeatsFirstPage: true });
    const people = await roster.lookup().resolve([...emails(...range(20)), { email: 'no@example.com' }]);
    expect(people.filter((person) => person !== undefined)).toHaveLength(20);
    expect(roster.pages).toBe(1);
  });

  it('prefers who has an address as the primary one', async () => {
    const roster = new Roster(30);
    const [first] = roster.users;
    if (!first) throw new Error('Nobody');
    roster.users[0] = { ...first, emails: [...first.emails, { value: 'user.5@example.com', primary: false }] };
    const people = await roster.lookup().resolve(emails(...range(30)));
    expect(people[5]?.slackId).toBe('U5');
  });
});

describe('PeopleLookup.findUnheld', () => {
  it('tells whose address is on no page of the roster, whatever the case', async () => {
    const roster = new Roster(2_500);
    const unheld = await roster
      .lookup()
      .findUnheld(['USER.2400@example.com', 'new@example.com', 'New.Too@example.com']);
    expect(unheld).toEqual(new Set(['new@example.com', 'New.Too@example.com']));
    expect([roster.pages, roster.lookups]).toEqual([3, 0]);
  });

  it.each([
    ['has more pages than people are wanted', 20, 10],
    ['takes more pages than its look is good for', 502, 10_000],
  ])('reads one page of a roster that %s', async (_, size, wanted) => {
    const roster = new Roster(size, { pageSize: 1 });
    const emails = Array.from({ length: wanted }, (_person, index) => `new.${index}@example.com`);
    expect(await roster.lookup().findUnheld(emails)).toBeUndefined();
    expect(roster.pages).toBe(1);
  });

  it('walks through a roster of 501 pages', async () => {
    const roster = new Roster(501, { pageSize: 1 });
    const emails = Array.from({ length: 600 }, (_person, index) => `new.${index}@example.com`);
    expect((await roster.lookup().findUnheld(emails))?.size).toBe(600);
  });
});
