import { sendRaw } from '../support/raw-http';
import { startTestApp, type TestApp } from '../support/start-app';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app?.stop());

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Whatever is sent, the answer is short, is no defect, tells nothing of our code, and nothing was asked of Slack. */
let logged = 0;
beforeEach(() => {
  logged = app.logs.length;
});
afterEach(() => {
  expect(app.simulator.requests).toEqual([]);
  expect(app.logs.slice(logged).filter((line) => /"level":"(error|warn)"/.test(line))).toEqual([]);
});

function assertHarmless({ status, text }: Answer): void {
  expect(status).toBeLessThan(500);
  expect(text.length).toBeLessThan(3_000);
  expect(text).not.toContain('"INTERNAL"');
  expect(text).not.toMatch(/node_modules|\.[jt]s:\d|stack|Did you mean/i);
}

async function send(body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await sendRaw(`${app.url}/graphql`, {
    headers: { 'content-type': 'application/json', authorization: `Bearer ${app.adminKey}`, ...headers },
    body: [body],
  });
  assertHarmless(answer);
  return answer;
}

const ask = (query: string, variables: unknown = undefined) => send(JSON.stringify({ query, variables }));

const repeated = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i)).join(' ');
const userId = (text: string) => `usr_${Buffer.from(text).toString('base64url')}`;
const nested = (depth: number, open: string, close: string, inner: string) =>
  open.repeat(depth) + inner + close.repeat(depth);

describe('a document that asks for too much', () => {
  it.each<[string, () => string, RegExp]>([
    ['a flood of aliases', () => `{ viewer { ${repeated(40, (i) => `a${i}: name`)} } }`, /more than 30 aliases/],
    [
      'a flood of aliases of __typename',
      () => `{ ${repeated(40, (i) => `a${i}: __typename`)} }`,
      /more than 30 aliases/,
    ],
    [
      'a flood of aliases beyond the tokens',
      () => `{ ${repeated(5_000, (i) => `a${i}: __typename`)} }`,
      /more that 1000 tokens/,
    ],
    [
      'aliases spread over fragments',
      () =>
        `{ ${repeated(20, (i) => `...F${i}`)} } ${repeated(20, (i) => `fragment F${i} on Query { a${i}: __typename b${i}: __typename }`)}`,
      /more than 30 aliases/,
    ],
    ['too many root fields', () => `{ ${repeated(20, (i) => `a${i}: viewer { name }`)} }`, /more than 15 root fields/],
    [
      'too many root fields in a fragment',
      () => `{ ...F } fragment F on Query { ${repeated(20, (i) => `a${i}: viewer { name }`)} }`,
      /more than 15 root fields/,
    ],
    [
      'too many root fields in inline fragments',
      () => `{ ${repeated(20, (i) => `... { a${i}: viewer { name } }`)} }`,
      /more than 15 root fields/,
    ],
    [
      'a page of pages',
      () => '{ connections(first: 100) { nodes { users(first: 100) { nodes { id } } } } }',
      /smaller pages/,
    ],
    [
      'a page of pages of unknown sizes',
      () => 'query ($n: Int) { connections(first: $n) { nodes { users(first: $n) { nodes { id } } } } }',
      /smaller pages/,
    ],
    [
      'a page of pages through edges and fragments',
      () =>
        '{ connections(first: 100) { edges { node { ...C } } } } fragment C on Connection { users(first: 100) { edges { node { ...U } } } } fragment U on User { id userName }',
      /smaller pages/,
    ],
    [
      'thousands of look-ups',
      () =>
        `{ connections(first: 100) { nodes { ${repeated(25, (i) => `a${i}: user(by: { slackId: "U${i}" }) { id }`)} } } }`,
      /smaller pages/,
    ],
    [
      'a flood of directives',
      () => `{ viewer { ${repeated(20, (i) => `a${i}: name @include(if: true) @skip(if: false)`)} } }`,
      /more than 30 directives/,
    ],
    [
      'one directive many times',
      () => `{ viewer { name ${repeated(20, () => '@include(if: true)')} } }`,
      /can only be used once/,
    ],
    [
      'a flood of unknown directives',
      () => `{ viewer { name ${repeated(300, (i) => `@a${i}`)} } }`,
      /Unknown directive/,
    ],
    ['a flood of unknown fields', () => `{ ${repeated(300, (i) => `a${i}`)} }`, /Cannot query field/],
    [
      'fragments that multiply',
      () =>
        `{ ...F0 } ${repeated(60, (i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`)} fragment F60 on Query { ${repeated(5, (i) => `a${i}: __typename`)} }`,
      /recursively requests too many selections|more than 30 aliases/,
    ],
    [
      'fragments in a ring',
      () => '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }',
      /Cannot spread fragment/,
    ],
    ['a fragment in itself', () => '{ ...A } fragment A on Query { ...A viewer { name } }', /Cannot spread fragment/],
    [
      'a ring of introspection',
      () => `{ __schema { types { ${nested(6, 'fields { type { ', '} } ', 'name ')} } } }`,
      /Maximum introspection depth/,
    ],
    [
      'a ring of introspection through fragments',
      () =>
        '{ __schema { types { ...T } } } fragment T on __Type { fields { type { fields { type { fields { type { name } } } } } } }',
      /Maximum introspection depth/,
    ],
    [
      'deep nesting of inline fragments',
      () => `{ ${nested(240, '... { ', '} ', '__typename ')} }`,
      /recursive selections|levels|^/,
    ],
    [
      'a list that is nested deeply',
      () => `{ connections(filter: { status: ${nested(450, '[', ']', '')} }) { totalCount } }`,
      /errors/,
    ],
    [
      'an object that is nested deeply',
      () => `{ connections(filter: ${nested(240, '{ a: ', '}', '1 ')}) { totalCount } }`,
      /Expected|defined|tokens/,
    ],
    ['many operations', () => repeated(150, (i) => `query Q${i} { __typename }`), /Must provide operation name/],
    ['many variables', () => `query (${repeated(190, (i) => `$v${i}: Int`)}) { __typename }`, /never used/],
    ['many conflicting fields', () => `{ ${repeated(100, (i) => `connection(id: "${i}") { id }`)} }`, /conflict/],
  ])('is refused before it is run: %s', async (_, query, expected) => {
    expect((await ask(query())).text).toMatch(expected);
  });

  it('is let through when it is honest', async () => {
    const user =
      'id slackId userName active displayName primaryEmail title timezone locale emails { value primary } name { givenName familyName } phoneNumbers { value kind } employment { department costCenter } guest { kind } groups { slackId name }';
    const connection = `id name status issues { code message remedy } token { hint status } capabilities { action available } users(first: 20) { totalCount nodes { ${user} } }`;
    const { text } = await ask(
      `{ connections(first: 20) { totalCount pageInfo { hasNextPage } nodes { ${connection} } } }`,
    );
    expect(JSON.parse(text)).toMatchObject({ data: { connections: { totalCount: 0 } } });
  });

  it('gets no more than a few errors', async () => {
    const { text } = await ask(`{ ${repeated(300, (i) => `a${i}`)} }`);
    expect((JSON.parse(text) as { errors: unknown[] }).errors.length).toBe(5);
  });

  it('is told nothing about the schema that it did not know', async () => {
    for (const query of [
      '{ viewerr { name } }',
      '{ viewer { nam } }',
      '{ connection(idd: 1) { id } }',
      '{ ...F } fragment F on Viewr { name }',
      '{ connections(filter: { statu: [ACTIVE] }) { totalCount } }',
      '{ connections(filter: { status: [ACTIV] }) { totalCount } }',
      'query ($a: Connectio) { __typename }',
    ]) {
      expect((await ask(query)).text).not.toMatch(
        /Did you mean|"(viewer|name|Viewer|status|ACTIVE|ConnectionFilter)"\?/,
      );
    }
  });
});

describe('a request in another form', () => {
  const query = '{ __typename }';
  const whole = JSON.stringify({ query });

  it.each<[string, string | Buffer, Record<string, string>, number[]]>([
    ['a batch', `[${whole},${whole}]`, {}, [400]],
    ['an empty batch', '[]', {}, [400]],
    ['a form', `query=${encodeURIComponent(query)}`, { 'content-type': 'application/x-www-form-urlencoded' }, [415]],
    [
      'a form with parts',
      `--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n${whole}\r\n--x--`,
      { 'content-type': 'multipart/form-data; boundary=x' },
      [415],
    ],
    ['plain text', whole, { 'content-type': 'text/plain' }, [400, 415]],
    ['XML', '<a/>', { 'content-type': 'application/xml' }, [415]],
    ['GraphQL as such', query, { 'content-type': 'application/graphql' }, [415]],
    ['no media type', whole, { 'content-type': '' }, [400, 415]],
    ['a media type that is none', whole, { 'content-type': 'json' }, [400, 415]],
    ['UTF-16', Buffer.from(whole, 'utf16le'), { 'content-type': 'application/json; charset=utf-16' }, [415]],
    ['UTF-7', whole, { 'content-type': 'application/json; charset=UTF-7' }, [415]],
    ['Latin-1', whole, { 'content-type': 'application/json;charset="iso-8859-1"' }, [415]],
    ['two charsets', whole, { 'content-type': 'application/json; charset=utf-8; charset=utf-16' }, [415]],
    ['a charset with a tail', whole, { 'content-type': 'application/json; charset=utf-8x' }, [415]],
    ['a compressed body', Buffer.from([31, 139, 8, 0, 0]), { 'content-encoding': 'gzip' }, [400, 415]],
    ['a body of 2 MB', JSON.stringify({ query: `{ viewer { name } } #${'x'.repeat(2_000_000)}` }), {}, [413]],
    ['no body', '', {}, [400]],
    ['half of a body', whole.slice(0, 10), {}, [400]],
    ['null', 'null', {}, [400]],
    ['a number', '5', {}, [400]],
    [
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from('{"query":"'), Buffer.from([0xff, 0xfe, 0x80]), Buffer.from('"}')]),
      {},
      [200],
    ],
    ['a query that is a number', '{"query":5}', {}, [400]],
    ['a query that is an object', '{"query":{"a":1}}', {}, [400]],
    ['a query that is null', '{"query":null}', {}, [200, 400]],
    ['variables that are a list', '{"query":"{ __typename }","variables":[1]}', {}, [200, 400]],
    ['extensions that are text', '{"query":"{ __typename }","extensions":"x"}', {}, [400]],
    ['a persisted query', '{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}', {}, [200, 400]],
    [
      'a key that would change prototypes',
      '{"query":"{ __typename }","variables":{"__proto__":{"isAdmin":true}}}',
      {},
      [400],
    ],
    [
      'a key that would change constructors',
      '{"query":"{ __typename }","variables":{"constructor":{"prototype":{"isAdmin":true}}}}',
      {},
      [400],
    ],
    ['the same in escapes', '{"query":"{ __typename }","variables":{"\\u005f_proto__":{"isAdmin":true}}}', {}, [400]],
  ])('is refused with a clear status: %s', async (_, body, headers, statuses) => {
    const { status } = await send(body, headers);
    expect(statuses).toContain(status);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it.each([
    ['an expression in an expression', '{"fields":{"email":', '{"lower":', '}', '}}', 'MappingInput!'],
    ['a list in a list', '{"a":', '[', ']', '}', 'JSONObject!'],
  ])('is refused when its variables nest without end: %s', async (_, start, open, close, end, type) => {
    const deep = start + nested(60_000, open, close, '1') + end;
    const input = type === 'MappingInput!' ? 'rows: [{}], mapping: $v' : 'rows: [$v]';
    const document = `query ($v: ${type}) { previewMapping(input: { connectionId: "con_1", ${input} }) { requestId } }`;
    const { text } = await send(`{"query":${JSON.stringify(document)},"variables":{"v":${deep}}}`);
    expect(text).toMatch(/nest deeper than 64 levels/);
  });

  it('is refused when a page of another site sends it: without a media type that needs a permission', async () => {
    const headers = { authorization: `Bearer ${app.adminKey}` };
    const mutation = encodeURIComponent('mutation { createTenant(input: { name: "x" }) { requestId } }');
    for (const [url, extra, status] of [
      [`?query=${encodeURIComponent(query)}`, {}, 400],
      [`?query=${mutation}`, {}, 400],
      [`?query=${mutation}`, { 'apollo-require-preflight': '1' }, 405],
      ['', { 'apollo-require-preflight': '1' }, 200],
      [`?query=${encodeURIComponent(query)}&variables=xoxp`, { 'apollo-require-preflight': '1' }, 400],
    ] as const) {
      const answer = await sendRaw(`${app.url}/graphql${url}`, { method: 'GET', headers: { ...headers, ...extra } });
      assertHarmless(answer);
      expect(answer.status).toBe(status);
    }
  });

  it('is refused by its size alone, before the query in an address is read', async () => {
    const answer = await sendRaw(`${app.url}/graphql?query=${'x'.repeat(20_000)}`, { method: 'GET' });
    expect(answer.status).toBe(431);
  });

  it.each(['HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'TRACE'])('is refused with the method %s', async (method) => {
    const answer = await sendRaw(`${app.url}/graphql`, {
      method,
      headers: { authorization: `Bearer ${app.adminKey}`, 'apollo-require-preflight': '1' },
    });
    assertHarmless(answer);
    expect(answer.status).toBe(method === 'TRACE' ? 404 : 405);
    if (method !== 'TRACE') expect(answer.headers.allow).toMatch(/GET, POST/);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('variables that are meant to hurt', () => {
  const find = 'query ($by: UserSelector!) { connection(id: "con_x") { user(by: $by) { id } } }';

  it.each<[string, () => unknown]>([
    ['a list of 100,000 entries', () => Array(100_000).fill(1)],
    ['a long text', () => ({ email: 'x'.repeat(900_000) })],
    ['many keys', () => Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i]))],
    ['two ways to name a person', () => ({ email: 'a@example.com', slackId: 'U1' })],
    ['no way to name a person', () => ({})],
    ['null for the one way', () => ({ email: null })],
    ['an object for text', () => ({ email: { toString: 'x', valueOf: 1 } })],
  ])('are refused or do no harm: %s', async (_, make) => {
    await ask(find, { by: make() });
  });

  it('are refused or do no harm: 100,000 levels', async () => {
    const deep = nested(100_000, '[', ']', '');
    await send(`{"query":${JSON.stringify(find)},"variables":{"by":${deep}}}`);
    await send(`{"query":${JSON.stringify(find)},"variables":{"by":{"email":${deep}}}}`);
    await send(`{"query":"{ __typename }","variables":${nested(100_000, '{"a":', '}', '1')}}`);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['a blank', ' '],
    ['a prefix alone', 'con_'],
    ['the prefix of people alone', 'usr_'],
    ['no base64', 'usr_%%%'],
    ['no Slack id', userId('con_x ')],
    ['a path', userId('con_x ../../x')],
    ['a path in escapes', userId('con_x ..%2f..%2fx')],
    ['a name of JavaScript', '__proto__'],
    ['a name of JavaScript with a tail', 'constructor_x'],
    ['a method of JavaScript', 'toString'],
    ['a NUL character', '\u0000'],
    ['half a character', 'con_\ud800'],
    ['SQL', "con_' OR 1=1 --"],
    ['900 kB', 'x'.repeat(900_000)],
  ])('are unknown ids and nothing else: %s', async (_, id) => {
    for (const query of [
      'query ($id: ID!) { node(id: $id) { id } }',
      'query ($id: ID!) { connection(id: $id) { id } }',
    ]) {
      const { text } = await ask(query, { id });
      expect(text).toMatch(/\{"(node|connection)":null\}/);
    }
  });

  it('reach a field as text when they are text, however long, and end in a problem', async () => {
    const { text } = await ask(
      'mutation ($n: String!) { createTenant(input: { name: $n }) { tenant { id } problems { code } } }',
      { n: 'x'.repeat(900_000) },
    );
    expect(JSON.parse(text)).toMatchObject({
      data: { createTenant: { tenant: null, problems: [{ code: 'INVALID_INPUT' }] } },
    });
  });
});
