import fc from 'fast-check';
import { requestContext } from '../../src/shared/request-context';
import { TypeOrmDatabase } from '../../src/storage/database';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';

interface PageAnswer {
  readonly connections: {
    readonly totalCount: number;
    readonly nodes: { readonly id: string; readonly name: string; readonly status: string }[];
    readonly edges: { readonly cursor: string; readonly node: { readonly id: string } }[];
    readonly pageInfo: {
      readonly hasNextPage: boolean;
      readonly hasPreviousPage: boolean;
      readonly startCursor: string | null;
      readonly endCursor: string | null;
    };
  };
}

const pageQuery = `query ($first: Int, $after: String, $filter: ConnectionFilter) {
  connections(first: $first, after: $after, filter: $filter) {
    totalCount
    nodes { id name status }
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

const names = ['Straße 1', 'STRASSE 2', 'Ōsaka 100%', 'Osaka 100_', 'a%b', 'a_b', 'ab', "O'Hara", 'Δέλτας', 'ΔΈΛΤΑΣ'];

let app: TestApp;
let tenant: TenantClient;
/** Newest first. */
let ids: string[];
beforeAll(async () => {
  app = await startTestApp();
  tenant = await TenantClient.create(app);
  for (const [index, name] of names.entries()) {
    const { connection } = await tenant.createConnection('business-admin', { name, externalId: `customer-${index}` });
    await tenant.change('disconnect', { id: connection?.id, revokeToken: false });
  }
  await tenant.createConnection('business-admin', { name: 'Workspace' });
  const { connection } = await tenant.createConnection('enterprise-owner', { name: 'Organization' });
  await tenant.change('pauseConnection', { id: connection?.id });
  const other = await TenantClient.create(app);
  await other.connect();
  ids = (await page({ first: 100 })).nodes.map(({ id }) => id);
});
afterAll(() => app?.stop());

async function page(variables: object): Promise<PageAnswer['connections']> {
  const { data, text } = await tenant.call<PageAnswer>(pageQuery, variables);
  if (!data) throw new Error(text);
  return data.connections;
}

async function namesFor(filter: object | null): Promise<string[]> {
  const { nodes, totalCount } = await page({ first: 100, filter });
  expect(totalCount).toBe(nodes.length);
  return nodes.map(({ name }) => name).sort();
}

describe('the list of connections', () => {
  it('holds every connection of the tenant, newest first, and none of another', async () => {
    const { nodes, totalCount } = await page({ first: 100 });

    expect(nodes.map(({ name }) => name)).toEqual(['Organization', 'Workspace', ...[...names].reverse()]);
    expect(totalCount).toBe(names.length + 2);
  });

  it('is the whole list once, in order, whatever the size of the pages', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }), async (sizes) => {
        const walked: string[] = [];
        let after: string | null = null;
        for (let turn = 0; ; turn += 1) {
          const first = sizes[turn % sizes.length] ?? 1;
          const slice: PageAnswer['connections'] = await page({ first, after });
          walked.push(...slice.nodes.map(({ id }) => id));
          expect(slice.pageInfo.hasPreviousPage).toBe(turn > 0);
          expect(slice.totalCount).toBe(ids.length);
          if (!slice.pageInfo.hasNextPage) break;
          expect(slice.nodes).toHaveLength(first);
          after = slice.pageInfo.endCursor;
        }
        expect(walked).toEqual(ids);
      }),
      { numRuns: 8, seed: 20_300_101 },
    );
  });

  it('takes no more reads of the database for a long page than for a short one', async () => {
    const { read } = TypeOrmDatabase.prototype;
    let count = 0;
    // Background work reads as well, and belongs to no request.
    const reads = jest.spyOn(TypeOrmDatabase.prototype, 'read').mockImplementation(function (
      this: TypeOrmDatabase,
      work,
    ) {
      if (requestContext.getStore()) count += 1;
      return read.call(this, work);
    });
    const query = `query ($first: Int) {
      connections(first: $first) { nodes { id issues { code } token { hint } capabilities { action } rateBudget { burst } } }
    }`;
    const countFor = async (first: number) => {
      count = 0;
      expect((await tenant.call(query, { first })).errors).toBeUndefined();
      return count;
    };

    const ofShortPage = await countFor(1);
    expect(ofShortPage).toBeGreaterThan(0);
    expect(await countFor(100)).toBe(ofShortPage);
    reads.mockRestore();
  });

  it('continues after any entry, whose cursor stays good when others come and go', async () => {
    const { edges } = await page({ first: 100 });
    for (const [index, { cursor, node }] of edges.entries()) {
      expect(node.id).toBe(ids[index]);
      const { nodes } = await page({ first: 100, after: cursor });
      expect(nodes.map(({ id }) => id)).toEqual(ids.slice(index + 1));
    }
  });

  it('gives an empty page after the last entry', async () => {
    const { pageInfo } = await page({ first: 100 });

    const { nodes, pageInfo: last } = await page({ first: 1, after: pageInfo.endCursor });
    expect(nodes).toEqual([]);
    expect(last).toEqual({ hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null });
  });

  it.each([0, -1, 101, 2_147_483_647])('refuses %d entries a page', async (first) => {
    const { errors } = await tenant.call(pageQuery, { first });
    expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT', problemPath: ['first'] } }]);
  });

  it('takes null for an argument that was left out', async () => {
    const { nodes } = await page({ first: null, after: null, filter: null });
    expect(nodes.map(({ id }) => id)).toEqual(ids.slice(0, 20));
    const { data } = await tenant.call(
      '{ connections(first: null) { nodes { id issues(includeResolved: null) { code } } } }',
    );
    expect(data).toMatchObject({ connections: { nodes: ids.map((id) => ({ id, issues: [] })) } });
  });

  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  it.each([
    ['blank', ''],
    ['no base64', '%%%'],
    ['not ours', encode({ id: 1 })],
    ['of another list', encode(3)],
    ['without an id', encode([1])],
    ['with an instant beyond time', encode([8_640_000_000_000_001, 'con_x'])],
    ['with a fraction of a millisecond', encode([1.5, 'con_x'])],
    ['with more in it', encode([1, 'con_x', 'more'])],
    ['1 MB long', 'x'.repeat(900_000)],
  ])('refuses a cursor that is %s', async (_, after) => {
    const { errors, status } = await tenant.call(pageQuery, { after });
    expect(status).toBe(200);
    expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT', problemPath: ['after'] } }]);
  });

  it.each<[string, object, string[]]>([
    ['a part of the name', { nameContains: 'work' }, ['Workspace']],
    ['a part of the name in any case, sharp s included', { nameContains: 'strasse' }, ['STRASSE 2', 'Straße 1']],
    ['a part of the name with either final sigma', { nameContains: 'δέλτας' }, ['ΔΈΛΤΑΣ', 'Δέλτας']],
    ['a per cent sign as itself', { nameContains: '%' }, ['a%b', 'Ōsaka 100%']],
    ['an underscore as itself', { nameContains: '_' }, ['Osaka 100_', 'a_b']],
    ['a quotation mark as itself', { nameContains: "'" }, ["O'Hara"]],
    ['an externalId, exactly', { externalId: 'customer-1' }, ['STRASSE 2']],
    ['a part of an externalId', { externalId: 'customer' }, []],
    ['one status', { status: ['PAUSED'] }, ['Organization']],
    ['several statuses', { status: ['PAUSED', 'ACTIVE'] }, ['Organization', 'Workspace']],
    ['no status at all', { status: [] }, []],
    ['an environment', { environment: 'LIVE' }, []],
    ['all parts together', { environment: 'SANDBOX', status: ['ACTIVE'], nameContains: 'O' }, ['Workspace']],
    ['parts that contradict', { status: ['ACTIVE'], externalId: 'customer-1' }, []],
    ['parts that are null', { status: null, nameContains: null, externalId: null, environment: null }, []],
  ])('filters by %s', async (what, filter, expected) => {
    const all = [...names, 'Workspace', 'Organization'];
    const wanted = what === 'parts that are null' ? all : expected;
    expect(await namesFor(filter)).toEqual([...wanted].sort());
  });

  it('filters by a status that is named sixty thousand times, and refuses a longer text than any name', async () => {
    expect(await namesFor({ status: Array(60_000).fill('PAUSED') })).toEqual(['Organization']);
    expect(await namesFor({ externalId: 'x'.repeat(100_000) })).toEqual([]);
    expect(await namesFor({ nameContains: '_%'.repeat(100) })).toEqual([]);

    const { errors } = await tenant.call(pageQuery, { filter: { nameContains: 'x'.repeat(60_000) } });
    expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT', problemPath: ['filter', 'nameContains'] } }]);
  });
});
