import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { connectSandbox } from '../support/operations';
import {
  callsDuring,
  calmDown,
  peopleOf,
  readPerson,
  seededPerson,
  type WholeUser,
  wholeUser,
} from '../support/people';
import { startTestApp, type TestApp } from '../support/start-app';

interface Page {
  readonly nodes: readonly { slackId: string; userName: string; active: boolean }[];
  readonly edges: readonly { cursor: string; node: { slackId: string } }[];
  readonly pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string | null };
  readonly totalCount: number | null;
}

let app: TestApp;
let workspace: string;

beforeAll(async () => {
  app = await startTestApp();
  workspace = (await connectSandbox(app)).id;
  const organization = app.simulator.world.organization('business');
  const model = seededPerson(app.simulator, 'barbara.liskov');
  for (let number = 1; number <= 60; number += 1) {
    organization.addPerson({
      ...model,
      id: `U0${createHash('sha256').update(String(number)).digest('hex').slice(0, 9).toUpperCase()}`,
      userName: `crowd.${number}`,
      primaryEmail: `crowd.${number}@example.com`,
      givenName: 'Crowd',
      familyName: 'Member',
      displayName: `Crowd Member ${number}`,
      active: number % 3 !== 0,
    });
  }
});
afterEach(() => calmDown(app.simulator));
afterAll(() => app.stop());

async function page(variables: { first?: number; after?: string | null; filter?: object }): Promise<Page> {
  const query = `query ($id: ID!, $first: Int, $after: String, $filter: UserFilter) {
    connection(id: $id) { users(first: $first, after: $after, filter: $filter) {
      nodes { slackId userName active } edges { cursor node { slackId } }
      pageInfo { hasNextPage hasPreviousPage endCursor } totalCount } } }`;
  const answer = await app.call<{ connection: { users: Page } }>(query, { id: workspace, ...variables });
  if (answer.errors || !answer.data) throw new Error(answer.text);
  return answer.data.connection.users;
}

/** Follows the cursors to the end, which must come. */
async function walk(first: number, filter?: object): Promise<Page[]> {
  const pages: Page[] = [];
  let after: string | null = null;
  do {
    const next: Page = await page({ first, after, filter });
    pages.push(next);
    after = next.pageInfo.endCursor;
    if (pages.length > 200) throw new Error('The list does not end');
  } while (pages.at(-1)?.pageInfo.hasNextPage);
  return pages;
}

function idsOf(pages: readonly Page[]): string[] {
  return pages.flatMap(({ nodes }) => nodes.map(({ slackId }) => slackId));
}

describe('users', () => {
  it('shows everybody once, whatever the size of the pages', async () => {
    const everybody = peopleOf(app.simulator).map(({ id }) => id);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 4, max: 100 }), async (first) => {
        const pages = await walk(first);
        expect(idsOf(pages)).toEqual(everybody);
        expect(pages.map(({ totalCount }) => totalCount)).toEqual(pages.map(() => everybody.length));
        expect(pages).toHaveLength(Math.ceil(everybody.length / first));
        expect(pages.map(({ pageInfo }) => pageInfo.hasPreviousPage)).toEqual(pages.map((_, index) => index > 0));
      }),
      { numRuns: 5, seed: 7, examples: [[25], [75]] },
    );
  });

  it('continues behind the cursor of any person', async () => {
    const all = await page({ first: 100 });
    const cursor = all.edges[10]?.cursor;
    const rest = await page({ first: 100, after: cursor });
    expect(idsOf([rest])).toEqual(idsOf([all]).slice(11));
  });

  it('costs one call a page', async () => {
    expect(await callsDuring(app.simulator, () => page({ first: 50 }))).toEqual(['GET /Users']);
    expect(await callsDuring(app.simulator, () => page({ filter: { active: false } }))).toEqual(['GET /Users']);
  });

  it.each([0, 101])('refuses a page of %i', async (first) => {
    await expect(page({ first })).rejects.toThrow('INVALID_INPUT');
  });

  it.each(['x', Buffer.from('{"index":-1}').toString('base64url'), Buffer.from('5').toString('base64url')])(
    'refuses the cursor %s',
    async (after) => {
      await expect(page({ after })).rejects.toThrow('INVALID_INPUT');
    },
  );

  const crowd = (from: number, to: number, matches: (number: number) => boolean) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index)
      .filter(matches)
      .map((number) => `crowd.${number}`);

  it('filters by activity, across pages', async () => {
    const inactive = await walk(7, { active: false });
    const names = inactive.flatMap(({ nodes }) => nodes.map(({ userName }) => userName));
    expect(names).toEqual(['doris.park', 'felix.braun', ...crowd(1, 60, (number) => number % 3 === 0)]);
    expect(inactive[0]?.totalCount).toBeNull();
    expect((await page({ first: 100, filter: { active: true } })).nodes.every(({ active }) => active)).toBe(true);
  });

  it.each([
    [{ email: 'CROWD.7@example.com' }, ['crowd.7'], 1],
    [{ email: 'nobody@example.com' }, [], 0],
    [{ userName: 'crowd.8' }, ['crowd.8'], 1],
    [{ guest: true }, ['nina.rossi'], 1],
    [{ nameContains: ' member 6' }, ['crowd.6', 'crowd.60'], null],
    [{ nameContains: 'liskov', active: true }, ['barbara.liskov'], null],
    [{ email: 'crowd.9@example.com', active: true }, [], null],
    [{ email: 'crowd.10@example.com', userName: 'crowd.11' }, [], null],
    [{ userName: 'crowd.12', guest: false }, ['crowd.12'], null],
  ])('filters by %j', async (filter, userNames, totalCount) => {
    const found = await page({ first: 100, filter });
    expect(found.nodes.map(({ userName }) => userName)).toEqual(userNames);
    expect(found.totalCount).toBe(totalCount);
    expect(found.pageInfo.hasNextPage).toBe(false);
  });

  it('shows no guest among full members, and refuses a blank text', async () => {
    const members = (await page({ first: 100, filter: { guest: false } })).nodes.map(({ userName }) => userName);
    expect(members).not.toContain('nina.rossi');
    expect(members).toHaveLength(peopleOf(app.simulator).length - 1);
    await expect(page({ filter: { nameContains: ' ' } })).rejects.toThrow('INVALID_INPUT');
  });

  it.each([
    ['begin again past their end', ['repeatsFirstPage']],
    ['show somebody on two pages', ['showsPersonTwice']],
    ['begin again and show somebody twice', ['repeatsFirstPage', 'showsPersonTwice']],
  ] as const)('shows everybody once from lists that %s', async (_, lies) => {
    app.simulator.faults.add({ kind: 'lyingList', lies, times: 'always' });
    const everybody = peopleOf(app.simulator).map(({ id }) => id);
    for (const first of [7, 25, 74, 75]) expect(idsOf(await walk(first))).toEqual(everybody);
    expect(idsOf(await walk(10, { active: true }))).toEqual(
      peopleOf(app.simulator).flatMap(({ id, active }) => (active ? [id] : [])),
    );
  });

  it.each([undefined, ['changesTotals'] as const])(
    'ends, and shows nobody twice, when totals change: %j',
    async (lies) => {
      app.simulator.faults.add({ kind: 'lyingList', lies, times: 'always' });
      for (const first of [7, 25, 74, 75]) {
        const ids = idsOf(await walk(first));
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids.length).toBeGreaterThanOrEqual(peopleOf(app.simulator).length - 1);
      }
    },
  );
});

describe('user and node', () => {
  it.each([
    ['Slack id', () => ({ slackId: seededPerson(app.simulator, 'barbara.liskov').id }), 'GET /Users/{id}'],
    ['e-mail address', () => ({ email: 'Barbara.Liskov@northwind.example' }), 'GET /Users'],
    ['user name', () => ({ userName: 'barbara.liskov' }), 'GET /Users'],
  ])('find a person by %s in one call', async (_, by, call) => {
    let found: WholeUser | null = null;
    const calls = await callsDuring(app.simulator, async () => {
      found = await readPerson(app, workspace, by());
    });
    expect(calls).toEqual([call]);
    expect(found).toMatchObject({ userName: 'barbara.liskov', primaryEmail: 'barbara.liskov@northwind.example' });
  });

  it.each([{ slackId: 'U0NOBODY' }, { slackId: '../Groups' }, { email: 'nobody@example.com' }, { userName: 'nobody' }])(
    'answer null for %j',
    async (by) => {
      expect(await readPerson(app, workspace, by)).toBeNull();
    },
  );

  it('read a person again by the global id', async () => {
    const person = await readPerson(app, workspace, { userName: 'barbara.liskov' });
    const query = `query ($id: ID!) { node(id: $id) { __typename ... on User { ${wholeUser} } } }`;
    const answer = await app.call<{ node: object | null }>(query, { id: person?.id });
    expect(answer.data?.node).toEqual({ __typename: 'User', ...person });
  });
});
