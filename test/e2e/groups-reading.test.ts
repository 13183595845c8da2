import { groupsNamed, groupsOf } from '../support/groups';
import { connectSandbox } from '../support/operations';
import { callsDuring, calmDown, peopleOf, seededPerson } from '../support/people';
import { startTestApp, type TestApp } from '../support/start-app';

let app: TestApp;
let workspace: string;

beforeAll(async () => {
  app = await startTestApp();
  workspace = (await connectSandbox(app)).id;
});
afterEach(() => calmDown(app.simulator));
afterAll(() => app.stop());

interface Reference {
  readonly slackId: string;
  readonly name: string | null;
  readonly account?: { readonly slackId: string; readonly primaryEmail: string | null } | null;
}

interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly totalCount: number | null;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

interface Group {
  readonly id: string;
  readonly slackId: string;
  readonly name: string;
  readonly memberCount: number;
  readonly members: Page<Reference>;
}

const pageInfo = 'totalCount pageInfo { hasNextPage endCursor }';

async function read<Field>(field: string, variables: object = {}, declared = ''): Promise<Field> {
  const query = `query ($id: ID! ${declared}) { connection(id: $id) { value: ${field} } }`;
  const { data, text } = await app.call<{ connection: { value: Field } }>(query, { id: workspace, ...variables });
  if (!data) throw new Error(text);
  return data.connection.value;
}

let added = 0;

/** Puts a group into the simulator, with so many of the people. */
function addGroup(displayName: string, memberIds: readonly string[]): void {
  added += 1;
  const organization = app.simulator.world.organization('business');
  organization.addGroup({
    id: `S0READ${String(added).padStart(5, '0')}`,
    displayName,
    members: new Set(memberIds),
    created: '2026-01-02T03:04:05-08:00',
    isAutomatic: false,
    isLinkedToChannels: false,
    earlier: null,
  });
}

function addPeople(count: number): string[] {
  const organization = app.simulator.world.organization('business');
  const model = seededPerson(app.simulator, 'edsger.dijkstra');
  return Array.from({ length: count }, (_, index) => {
    const id = `U0READ${String(index).padStart(5, '0')}`;
    const primaryEmail = `reader.${index}@example.com`;
    if (!organization.people.has(id))
      organization.addPerson({ ...model, id, userName: `reader.${index}`, primaryEmail });
    return id;
  });
}

const active = () => peopleOf(app.simulator).filter((person) => person.active && person.rank !== 'bot');

describe('reading groups', () => {
  it.each([false, true])(
    'takes one call for a page of groups with their members, whatever is asked of them (%s)',
    async (heeded) => {
      app.simulator.switches.excludedAttributesHeeded = heeded;
      for (let number = 1; number <= 15; number += 1) {
        addGroup(
          `Nested ${heeded} ${number}`,
          active()
            .slice(0, number % 5)
            .map(({ id }) => id),
        );
      }
      const calls = await callsDuring(app.simulator, async () => {
        const page = await read<Page<Group>>(
          `groups(first: 40) { ${pageInfo} nodes { name memberCount members(first: 3) { ${pageInfo} nodes { slackId name } } } }`,
        );
        expect(page.nodes).toHaveLength(groupsOf(app.simulator).length);
        const nested = page.nodes.find(({ name }) => name === `Nested ${heeded} 4`);
        expect(nested).toMatchObject({ memberCount: 4, members: { totalCount: 4, pageInfo: { hasNextPage: true } } });
        expect(nested?.members.nodes).toHaveLength(3);
      });
      expect(calls).toEqual(['GET /Groups']);
    },
  );

  it('asks for no members where none are wanted, and reads them once where they turn out to be', async () => {
    app.simulator.switches.excludedAttributesHeeded = true;
    const before = app.simulator.requests.length;
    const group = await read<Group>('group(by: { name: "Engineering" }) { slackId name }');
    expect(app.simulator.requests.slice(before).map(({ query }) => query)).toEqual([
      expect.stringContaining('excludedAttributes=members'),
    ]);
    const calls = await callsDuring(app.simulator, () =>
      app.call(
        'query ($id: ID!, $by: GroupSelector!) { connection(id: $id) { a: group(by: $by) { memberCount members { nodes { name } } } } }',
        {
          id: workspace,
          by: { slackId: group.slackId },
        },
      ),
    );
    expect(calls).toEqual(['GET /Groups/{id}']);
  });

  it('gives the accounts of all members in one read of the roster, and each account once', async () => {
    const ids = addPeople(60);
    addGroup('Accounts A', ids.slice(0, 40));
    addGroup('Accounts B', ids.slice(20, 60));
    const calls = await callsDuring(app.simulator, async () => {
      const page = await read<Page<Group>>(
        'groups(first: 10, filter: { nameContains: "accounts " }) { nodes { name members(first: 50) { nodes { slackId account { slackId primaryEmail } } } } }',
      );
      expect(page.nodes.map(({ name }) => name)).toEqual(['Accounts A', 'Accounts B']);
      for (const { members } of page.nodes) {
        expect(members.nodes).toHaveLength(40);
        for (const { slackId, account } of members.nodes) {
          expect(account).toEqual({ slackId, primaryEmail: `reader.${Number(slackId.slice(-5))}@example.com` });
        }
      }
    });
    expect(calls).toEqual(['GET /Groups', 'GET /Users']);
  });

  it('is refused when it could return too much, and the groups of people do not count as pages', async () => {
    const ask = (field: string) => app.call(`query ($id: ID!) { connection(id: $id) { ${field} } }`, { id: workspace });
    const tooMuch = await ask(
      'groups(first: 100) { nodes { members(first: 100) { nodes { slackId name account { slackId } } } } }',
    );
    expect(tooMuch.errors).toMatchObject([{ message: expect.stringMatching(/smaller pages/) }]);
    const honest = await ask(
      'groups(first: 50) { nodes { name memberCount members(first: 100) { nodes { slackId name } } } }',
    );
    expect(honest.errors).toBeUndefined();
    const people = await ask('users(first: 100) { nodes { slackId displayName title groups { slackId name } } }');
    expect(people.errors).toBeUndefined();
  });

  it('pages through groups and through members without missing or repeating any', async () => {
    addGroup('Paged', addPeople(45));
    const collect = async <Node extends { slackId: string }>(next: (after: string | null) => Promise<Page<Node>>) => {
      const ids: string[] = [];
      let after: string | null = null;
      do {
        const page: Page<Node> = await next(after);
        ids.push(...page.nodes.map(({ slackId }) => slackId));
        after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
      } while (after !== null);
      return ids;
    };
    const groups = await collect((after) =>
      read<Page<Group>>(
        `groups(first: 4, after: $after) { nodes { slackId } ${pageInfo} }`,
        { after },
        '$after: String',
      ),
    );
    expect([...groups].sort()).toEqual(
      groupsOf(app.simulator)
        .map(({ id }) => id)
        .sort(),
    );
    const members = await collect(
      async (after) =>
        (
          await read<Group>(
            `group(by: { name: "Paged" }) { members(first: 20, after: $after) { nodes { slackId } ${pageInfo} } }`,
            { after },
            '$after: String',
          )
        ).members,
    );
    expect(members).toEqual([...addPeople(45)].sort());
  });

  it('ends, and shows each group once, when lists lie', async () => {
    for (let round = 0; round < 4; round += 1) {
      app.simulator.faults.add({ kind: 'lyingList', match: { path: '/Groups' }, times: 'always' });
      const seen: string[] = [];
      let after: string | null = null;
      for (let pages = 0; pages < 50; pages += 1) {
        const page: Page<Group> = await read<Page<Group>>(
          `groups(first: ${3 + round}, after: $after) { nodes { slackId } ${pageInfo} }`,
          { after },
          '$after: String',
        );
        seen.push(...page.nodes.map(({ slackId }) => slackId));
        after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
        if (after === null) break;
      }
      expect(after).toBeNull();
      expect(new Set(seen).size).toBe(seen.length);
      app.simulator.faults.clear();
    }
  });

  it('filters by name and by a part of it, and refuses a blank', async () => {
    const names = async (filter: object) =>
      (
        await read<Page<Group>>(
          `groups(filter: $filter) { nodes { name } ${pageInfo} }`,
          { filter },
          '$filter: GroupFilter',
        )
      ).nodes.map(({ name }) => name);
    expect(await names({ name: 'ENGINEERING' })).toEqual(['Engineering']);
    expect(await names({ nameContains: 'gineer' })).toEqual(['Engineering']);
    expect(await names({ name: 'Engineering', nameContains: 'x' })).toEqual([]);
    const { errors } = await app.call(
      'query ($id: ID!) { connection(id: $id) { groups(filter: { name: " " }) { totalCount } } }',
      { id: workspace },
    );
    expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
  });

  it('finds a group by its global id, and says when a name is ambiguous', async () => {
    const { id, slackId } = await read<Group>('group(by: { name: "Engineering" }) { id slackId }');
    const { data } = await app.call('query ($id: ID!) { node(id: $id) { id ... on Group { slackId memberCount } } }', {
      id,
    });
    expect(data).toMatchObject({ node: { id, slackId, memberCount: expect.any(Number) } });
    expect(await read('group(by: { name: "No such group" }) { id }')).toBeNull();
    expect(await read('group(by: { slackId: "S0NONE" }) { id }')).toBeNull();

    addGroup('Twins', []);
    addGroup('Twins', []);
    addGroup('TWINS', []);
    const ask = (name: string) =>
      app.call('query ($id: ID!, $name: String) { connection(id: $id) { group(by: { name: $name }) { slackId } } }', {
        id: workspace,
        name,
      });
    expect((await ask('Twins')).errors).toMatchObject([{ extensions: { code: 'AMBIGUOUS_GROUP' } }]);
    const [upper] = groupsNamed(app.simulator, 'TWINS');
    expect((await ask('TWINS')).data).toEqual({ connection: { group: { slackId: upper?.id } } });
  });
});
