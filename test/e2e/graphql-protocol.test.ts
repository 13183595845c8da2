import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery } from 'graphql';
import { serverAudits } from 'graphql-http';
import { sendRaw } from '../support/raw-http';
import { startTestApp, type TestApp } from '../support/start-app';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app?.stop());

const requestIdOf = (text: string) => /"requestId":"(req_[\w-]+)"/.exec(text)?.[1];

function post(body: string | object, headers: Record<string, string> = {}, key: string | null = app.adminKey) {
  return fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

describe.each(['with a key', 'without a key'])('GraphQL over HTTP %s', (mode) => {
  const audits = serverAudits({
    url: () => `${app.url}/graphql`,
    fetchFn: (url: string, init: RequestInit = {}) => {
      const headers = new Headers(init.headers);
      if (mode === 'with a key') headers.set('authorization', `Bearer ${app.adminKey}`);
      return fetch(url, { ...init, headers });
    },
  });

  it.each(audits.map((audit) => [audit.name, audit] as const))('%s', async (_, audit) => {
    const result = await audit.fn();
    expect(result).toMatchObject({ status: expect.stringMatching(/^(ok|notice)$/) });
  });
});

describe('introspection', () => {
  const everything = getIntrospectionQuery({
    descriptions: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
    oneOf: true,
  });

  it.each(['a key', 'no key'])('answers the largest query that GraphiQL asks, with %s', async (what) => {
    const options = what === 'no key' ? { key: null } : {};
    const { data, errors } = await app.call<IntrospectionQuery & Record<string, unknown>>(everything, {}, options);

    expect(errors).toBeUndefined();
    expect(data && buildClientSchema(data).getType('Connection')).toBeDefined();
  });

  it('can be switched off, and everything else goes on', async () => {
    const closed = await startTestApp({ env: { ROLLCALL_INTROSPECTION: 'off' }, simulator: app.simulator });
    try {
      for (const query of [everything, '{ __schema { types { name } } }', '{ __type(name: "Query") { name } }']) {
        const { data, errors } = await closed.call(query);
        expect(data).toBeUndefined();
        expect(errors?.map(({ extensions }) => extensions.code)).toContain('GRAPHQL_VALIDATION_FAILED');
      }
      const { data } = await closed.call('{ __typename viewer { __typename name } }');
      expect(data).toEqual({ __typename: 'Query', viewer: { __typename: 'Viewer', name: 'First admin key' } });
    } finally {
      await closed.stop();
    }
  });
});

describe('the request id', () => {
  const bare = { 'content-type': 'application/json' };
  it.each<[string, RequestInit & { path?: string }]>([
    ['an error of the document', { body: '{"query":"{ nope }"}' }],
    ['a syntax error', { body: '{"query":"{"}' }],
    [
      'a wrong variable',
      { body: '{"query":"query ($a: Int) { connections(first: $a) { totalCount } }","variables":{"a":"x"}}' },
    ],
    ['a failed field', { body: '{"query":"{ connections(first: 0) { totalCount } }"}' }],
    ['a batch', { body: '[{"query":"{ __typename }"}]' }],
    ['no query', { body: '{"a":1}' }],
    ['malformed JSON', { body: '{"query":' }],
    ['a body that is no object', { body: '"x"' }],
    ['variables that are no object', { body: '{"query":"{ __typename }","variables":"x"}' }],
    ['an unknown operation name', { body: '{"query":"query A { __typename }","operationName":"B"}' }],
    ['another media type', { body: 'query=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ['plain text', { body: '{}', headers: { 'content-type': 'text/plain' } }],
    ['another charset', { body: '{}', headers: { 'content-type': 'application/json; charset=utf-16' } }],
    ['no key', { body: '{"query":"{ viewer { name } }"}', headers: bare }],
    ['a large body', { body: JSON.stringify({ query: 'x'.repeat(1_100_000) }) }],
    ['another method', { method: 'DELETE' }],
    ['an unknown path', { method: 'GET', path: '/nope' }],
  ])('is in header, answer and log for %s', async (_, { path = '/graphql', ...init }) => {
    const headers = { ...bare, authorization: `Bearer ${app.adminKey}`, ...(init.headers as Record<string, string>) };
    const withBody = init.body === undefined ? { authorization: headers.authorization } : headers;

    const response = await fetch(`${app.url}${path}`, { method: 'POST', ...init, headers: init.headers ?? withBody });
    const text = await response.text();

    const requestId = response.headers.get('x-request-id') ?? 'none';
    expect(requestIdOf(text)).toBe(requestId);
    expect(app.logs.filter((line) => line.includes(requestId)).join('')).toContain('"msg":"request"');
  });

  it('is in the payload of a mutation and in every log line of the request, also when its body comes in pieces', async () => {
    const query = `mutation { createConnection(input: { name: "x", environment: SANDBOX, token: "xoxp-1-2-3-4" }) { requestId problems { code } } }`;
    const body = JSON.stringify({ query });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${app.adminKey}` };

    const answer = await sendRaw(`${app.url}/graphql`, {
      headers,
      body: [body.slice(0, 20), body.slice(20, 90), body.slice(90)],
    });

    const requestId = String(answer.headers['x-request-id']);
    expect(requestIdOf(answer.text)).toBe(requestId);
    const failing = await sendRaw(`${app.url}/graphql`, { headers, body: ['{"query":', '"{ nope }"', '}'] });
    expect(requestIdOf(failing.text)).toBe(failing.headers['x-request-id']);
  });

  it('is never the one that a caller sends', async () => {
    const response = await post({ query: '{ __typename }' }, { 'x-request-id': 'mine', 'request-id': 'mine' });
    expect(response.headers.get('x-request-id')).toMatch(/^req_[\w-]{22}$/);
  });
});

describe('answers to a missing key', () => {
  it('are 401 with a remedy, for queries and mutations, in both media types', async () => {
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      for (const query of ['{ viewer { name } }', 'mutation { createTenant(input: { name: "x" }) { requestId } }']) {
        const response = await post({ query }, { accept }, null);
        expect(response.status).toBe(401);
        expect(await response.json()).toMatchObject({
          data: null,
          errors: [
            { extensions: { code: 'UNAUTHENTICATED', remedy: expect.stringContaining('Authorization: Bearer') } },
          ],
        });
      }
    }
  });
});
