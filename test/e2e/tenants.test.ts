import {
  buildSchema,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
} from 'graphql';
import { printEmittedSchema } from '../../src/graphql/printed-schema';
import { untilOperation } from '../support/bulk';
import { newLink } from '../support/install-visitor';
import { problemFields } from '../support/operations';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';
import { createKey, createTenant, issueKey } from '../support/tenants';

let app: TestApp;
let mine: TenantClient;
beforeAll(async () => {
  app = await startTestApp();
  mine = await TenantClient.create(app);
});
afterAll(() => app?.stop());

/** What another tenant has, by the kind of id. */
interface Foreign {
  readonly connection: string;
  readonly token: string;
  readonly user: string;
  readonly group: string;
  readonly apiKey: string;
  readonly tenant: string;
  readonly install: string;
  readonly operation: string;
  readonly mapping: string;
}

type Kind = keyof Foreign;

const unknown: Foreign = {
  connection: 'con_AAAAAAAAAAAAAAAAAAAAAA',
  token: 'tok_AAAAAAAAAAAAAAAAAAAAAA',
  user: `usr_${Buffer.from('con_AAAAAAAAAAAAAAAAAAAAAA U0123456789').toString('base64url')}`,
  group: `grp_${Buffer.from('con_AAAAAAAAAAAAAAAAAAAAAA S0123456789').toString('base64url')}`,
  apiKey: 'key_000000000000000000000000',
  tenant: 'ten_AAAAAAAAAAAAAAAAAAAAAA',
  install: 'ins_AAAAAAAAAAAAAAAAAAAAAA',
  operation: 'opr_AAAAAAAAAAAAAAAAAAAAAA',
  mapping: 'map_AAAAAAAAAAAAAAAAAAAAAA',
};

async function foreignThings({ hasOperation = false } = {}): Promise<Foreign & { client: TenantClient }> {
  const tenant = await createTenant(app);
  const client = new TenantClient(app, tenant.key);
  const { id, token } = await client.connect();
  const { data } = await client.call<{ connection: Record<'users' | 'groups', { nodes: { id: string }[] }> }>(
    'query ($id: ID!) { connection(id: $id) { users(first: 1) { nodes { id } } groups(first: 1) { nodes { id } } } }',
    { id },
  );
  const issued = await issueKey(app, { name: 'Other', permissions: ['ADMIN'] }, tenant.key);
  return {
    client,
    connection: id,
    token: token?.id ?? '',
    user: data?.connection.users.nodes[0]?.id ?? '',
    group: data?.connection.groups.nodes[0]?.id ?? '',
    apiKey: issued.apiKey?.id ?? '',
    tenant: tenant.id,
    install: (await newLink(client)).id,
    operation: hasOperation ? await endedOperation(client, id) : '',
    mapping: await newMapping(client, id),
  };
}

/** Of nobody whom Slack knows, so that nothing of it is under way afterwards. */
async function endedOperation(client: TenantClient, connectionId: string): Promise<string> {
  const { data } = await client.call<{ deprovisionUsers: { operation: { id: string } } }>(
    'mutation ($id: ID!) { deprovisionUsers(input: { connectionId: $id, users: [{ slackId: "U0" }] }) { operation { id } } }',
    { id: connectionId },
  );
  const id = data?.deprovisionUsers.operation.id ?? '';
  await untilOperation(app, id, undefined, { key: client.key });
  return id;
}

async function newMapping(client: TenantClient, connectionId: string): Promise<string> {
  const { data } = await client.call<{ setMapping: { mapping: { id: string } } }>(
    'mutation ($input: SetMappingInput!) { setMapping(input: $input) { mapping { id } } }',
    { input: { connectionId, mapping } },
  );
  return data?.setMapping.mapping.id ?? '';
}

interface Case {
  readonly kinds: readonly Kind[];
  ask(id: string): { query: string; variables?: object };
}

const whole =
  'id name status issues { code } token { id } capabilities { action } rateBudget { endpointClass } users { totalCount }';
const onConnection = (name: string, inputType: string, input: object = {}, field = 'id'): Case => ({
  kinds: ['connection'],
  ask: (id) => ({
    query: `mutation ($input: ${inputType}!) { ${name}(input: $input) { connection { ${whole} } ${problemFields} } }`,
    variables: { input: { [field]: id, ...input } },
  }),
});
const onPerson = (name: string, inputType: string, input: object): Case => ({
  kinds: ['connection'],
  ask: (connectionId) => ({
    query: `mutation ($input: ${inputType}!) { ${name}(input: $input) { user { id } outcome ${problemFields} } }`,
    variables: { input: { connectionId, idempotencyKey: 'shared-key', ...input } },
  }),
});

const onGroup = (
  name: string,
  inputType: string,
  input: object,
  selection = 'group { id } memberProblems { code }',
): Case => ({
  kinds: ['connection'],
  ask: (connectionId) => ({
    query: `mutation ($input: ${inputType}!) { ${name}(input: $input) { ${selection} ${problemFields} } }`,
    variables: { input: { connectionId, idempotencyKey: 'shared-key', ...input } },
  }),
});

const operationSelection = `operation { id status counts { total } } ${problemFields}`;
const onMany = (name: string, inputType: string, input: object): Case => ({
  kinds: ['connection'],
  ask: (connectionId) => ({
    query: `mutation ($input: ${inputType}!) { ${name}(input: $input) { ${operationSelection} } }`,
    variables: { input: { connectionId, idempotencyKey: 'shared-key', ...input } },
  }),
});
const onOperation = (name: string): Case => ({
  kinds: ['operation'],
  ask: (id) => ({
    query: `mutation ($id: ID!) { ${name}(input: { id: $id }) { ${operationSelection} } }`,
    variables: { id },
  }),
});

const user = { email: 'ada.lovelace@northwind.example' };
const mapping = { fields: { email: { field: 'email' } } };
const group = { name: 'Engineering' };
const cases: Record<string, Case> = {
  'Query.node(id)': {
    kinds: ['connection', 'token', 'user', 'group', 'apiKey', 'tenant', 'install', 'operation', 'mapping'],
    ask: (id) => ({
      query: `query ($id: ID!) { node(id: $id) { id ... on Connection { ${whole} } ... on User { userName } ... on Group { name memberCount } ... on OAuthToken { hint } ... on Install { name } ... on Operation { kind items { totalCount } } ... on Mapping { version definition } } }`,
      variables: { id },
    }),
  },
  'Query.connection(id)': {
    kinds: ['connection'],
    ask: (id) => ({
      query: `query ($id: ID!) { connection(id: $id) { ${whole} user(by: { slackId: "U1" }) { id } } }`,
      variables: { id },
    }),
  },
  'Query.install(id)': {
    kinds: ['install'],
    ask: (id) => ({
      query: 'query ($id: ID!) { install(id: $id) { id name status problem { code } connection { id } } }',
      variables: { id },
    }),
  },
  'Query.operation(id)': {
    kinds: ['operation'],
    ask: (id) => ({
      query:
        'query ($id: ID!) { operation(id: $id) { id status counts { total } items { totalCount } connection { id } } }',
      variables: { id },
    }),
  },
  'Query.operations(connectionId)': {
    kinds: ['connection'],
    ask: (id) => ({ query: 'query ($id: ID!) { operations(connectionId: $id) { totalCount } }', variables: { id } }),
  },
  'Mutation.provisionUsers(input).connectionId': onMany('provisionUsers', 'ProvisionUsersInput', { users: [user] }),
  'Mutation.deprovisionUsers(input).connectionId': onMany('deprovisionUsers', 'DeprovisionUsersInput', {
    users: [user],
  }),
  'Mutation.changeGroupMembers(input).connectionId': onMany('changeGroupMembers', 'ChangeGroupMembersInput', {
    changes: [{ group, change: 'ADD', members: [user] }],
  }),
  'Mutation.pauseOperation(input).id': onOperation('pauseOperation'),
  'Mutation.resumeOperation(input).id': onOperation('resumeOperation'),
  'Mutation.cancelOperation(input).id': onOperation('cancelOperation'),
  'Mutation.retryFailedItems(input).id': onOperation('retryFailedItems'),
  'Mutation.startInstall(input).connectionId': {
    kinds: ['connection'],
    ask: (connectionId) => ({
      query: `mutation ($input: StartInstallInput!) { startInstall(input: $input) { install { id } ${problemFields} } }`,
      variables: { input: { name: 'Mine', environment: 'SANDBOX', level: 'WORKSPACE', connectionId } },
    }),
  },
  'Mutation.createConnectLink(input).connectionId': {
    kinds: ['connection'],
    ask: (connectionId) => ({
      query: `mutation ($input: CreateConnectLinkInput!) { createConnectLink(input: $input) { link { url } ${problemFields} } }`,
      variables: { input: { name: 'Mine', environment: 'SANDBOX', connectionId } },
    }),
  },
  'Mutation.verifyConnection(input).id': onConnection('verifyConnection', 'ConnectionIdInput'),
  'Mutation.pauseConnection(input).id': onConnection('pauseConnection', 'ConnectionIdInput'),
  'Mutation.refreshToken(input).id': onConnection('refreshToken', 'ConnectionIdInput'),
  'Mutation.enableTokenRotation(input).id': onConnection('enableTokenRotation', 'ConnectionIdInput'),
  'Mutation.resumeConnection(input).id': onConnection('resumeConnection', 'ConnectionIdInput'),
  'Mutation.disconnect(input).id': onConnection('disconnect', 'DisconnectInput'),
  'Mutation.updateConnection(input).id': onConnection('updateConnection', 'UpdateConnectionInput', { name: 'Mine' }),
  'Mutation.replaceToken(input).id': onConnection('replaceToken', 'ReplaceTokenInput', {
    token: 'xoxp-1-2-3-0123456789',
  }),
  'Mutation.deleteConnection(input).id': {
    kinds: ['connection'],
    ask: (id) => ({
      query: `mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId ${problemFields} } }`,
      variables: { id },
    }),
  },
  'Query.previewMapping(input).connectionId': {
    kinds: ['connection'],
    ask: (connectionId) => ({
      query: `query ($input: PreviewMappingInput!) { previewMapping(input: $input) { rows { index } ${problemFields} } }`,
      variables: { input: { connectionId, rows: [user], checkSlack: true } },
    }),
  },
  'Mutation.setMapping(input).connectionId': {
    kinds: ['connection'],
    ask: (connectionId) => ({
      query: `mutation ($input: SetMappingInput!) { setMapping(input: $input) { mapping { id } ${problemFields} } }`,
      variables: { input: { connectionId, mapping: { fields: { email: { field: 'mail' } } } } },
    }),
  },
  'Mutation.provisionUser(input).connectionId': onPerson('provisionUser', 'ProvisionUserInput', { user }),
  'Mutation.updateUser(input).connectionId': onPerson('updateUser', 'UpdateUserInput', {
    user,
    changes: { title: 'x' },
  }),
  'Mutation.deprovisionUser(input).connectionId': onPerson('deprovisionUser', 'UserActionInput', { user }),
  'Mutation.reactivateUser(input).connectionId': onPerson('reactivateUser', 'UserActionInput', { user }),
  'Mutation.convertToGuest(input).connectionId': onPerson('convertToGuest', 'ConvertToGuestInput', { user }),
  'Mutation.convertToMember(input).connectionId': onPerson('convertToMember', 'ConvertToMemberInput', { user }),
  'Mutation.createGroup(input).connectionId': onGroup('createGroup', 'CreateGroupInput', { name: 'Mine' }),
  'Mutation.renameGroup(input).connectionId': onGroup('renameGroup', 'RenameGroupInput', { group, name: 'Mine' }),
  'Mutation.addGroupMembers(input).connectionId': onGroup('addGroupMembers', 'GroupMembersInput', {
    group,
    members: [user],
  }),
  'Mutation.removeGroupMembers(input).connectionId': onGroup('removeGroupMembers', 'GroupMembersInput', {
    group,
    members: [user],
  }),
  'Mutation.setGroupMembers(input).connectionId': onGroup('setGroupMembers', 'GroupMembersInput', {
    group,
    members: [user],
  }),
  'Mutation.deleteGroup(input).connectionId': onGroup('deleteGroup', 'GroupActionInput', { group }, 'deletedId'),
  'Mutation.createApiKey(input).tenantId': {
    kinds: ['tenant'],
    ask: (tenantId) => ({
      query: `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } secret ${problemFields} } }`,
      variables: { input: { name: 'Mine', permissions: ['ADMIN'], tenantId } },
    }),
  },
  'Mutation.revokeApiKey(input).id': {
    kinds: ['apiKey'],
    ask: (id) => ({
      query: `mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { id } ${problemFields} } }`,
      variables: { id },
    }),
  },
};

/** Ids of the gateway as a whole: to a tenant that does not operate it, all are alike. */
const idsOfOperator = ['Mutation.removeSealingKey(input).id'];

/** Ids of Slack, which mean something within a connection only. */
const slackIds = ['slackId', 'managerSlackId'];

function* idsOf(schema: GraphQLSchema): Generator<string> {
  for (const type of [schema.getQueryType(), schema.getMutationType()]) {
    for (const field of Object.values<GraphQLField<unknown, unknown>>(type?.getFields() ?? {})) {
      for (const { name, type: argument } of field.args)
        yield* idsIn(`${type?.name}.${field.name}(${name})`, name, argument);
    }
  }
}

/** @param around the types that the field stands in: some hold themselves. */
function* idsIn(path: string, name: string, type: GraphQLInputType, around: readonly string[] = []): Generator<string> {
  const named = getNamedType(type);
  if (named.name === 'ID' && !slackIds.includes(name)) yield path;
  if (!isInputObjectType(named) || around.includes(named.name)) return;
  for (const field of Object.values(named.getFields())) {
    yield* idsIn(`${path}.${field.name}`, field.name, field.type, [...around, named.name]);
  }
}

const normalized = (text: string) => text.replace(/req_[\w-]+/g, 'req');

describe("another tenant's id", () => {
  it('is tried below on every field that takes an id', () => {
    expect([...idsOf(buildSchema(printEmittedSchema()))].sort()).toEqual(
      [...Object.keys(cases), ...idsOfOperator].sort(),
    );
  });

  it.each(Object.entries(cases))(
    'looks like an unknown one to %s, and nothing is opened or sent',
    async (_, { kinds, ask }) => {
      const hasOperation = kinds.includes('operation');
      const { client, ...foreign } = await foreignThings({ hasOperation });
      const before = await client.read(foreign.connection);
      const [sent, logged] = [app.simulator.requests.length, app.logs.length];

      for (const kind of kinds) {
        const [known, missing] = [ask(foreign[kind]), ask(unknown[kind])];
        const answer = await mine.call(known.query, known.variables);
        const expected = await mine.call(missing.query, missing.variables);
        expect(answer.status).toBe(expected.status);
        expect(normalized(answer.text)).toBe(normalized(expected.text));
        expect(answer.text).toMatch(/"(node|connection|install|operation)":null\}|"code":"NOT_FOUND"/);
      }

      expect(app.simulator.requests).toHaveLength(sent);
      expect(app.logs.slice(logged).join('')).not.toMatch(/token opened|defect/);
      expect(await client.read(foreign.connection)).toEqual(before);
      expect((await client.call('{ viewer { name } }')).errors).toBeUndefined();
    },
  );

  it.each([
    ['paused', (client: TenantClient, id: string) => client.change('pauseConnection', { id })],
    ['disconnected', (client: TenantClient, id: string) => client.change('disconnect', { id, revokeToken: false })],
  ])('looks like an unknown one also when its connection is %s', async (_, harm) => {
    const { client, connection } = await foreignThings();
    await harm(client, connection);

    for (const { kinds, ask } of Object.values(cases)) {
      if (!kinds.includes('connection')) continue;
      const [known, missing] = [ask(connection), ask(unknown.connection)];
      const answers = [
        await mine.call(known.query, known.variables),
        await mine.call(missing.query, missing.variables),
      ];
      expect(normalized(answers[0]?.text ?? '')).toBe(normalized(answers[1]?.text ?? ''));
    }
  });

  it('tells nothing by a filter, a cursor, an idempotency key, an externalId or a Slack team in common', async () => {
    const { client } = await foreignThings();
    const { connection } = await client.change('updateConnection', {
      id: (await client.call<{ connections: { nodes: { id: string }[] } }>('{ connections { nodes { id } } }')).data
        ?.connections.nodes[0]?.id,
      externalId: 'customer-1',
      name: 'Their name',
    });
    const theirs = { connectionId: connection?.id, user: { email: 'new@example.com' }, idempotencyKey: 'one-key' };
    await client.changeUser('provisionUser', theirs);
    const page = await client.call<{ connections: { pageInfo: { endCursor: string } } }>(
      '{ connections { pageInfo { endCursor } } }',
    );
    const other = await TenantClient.create(app);

    const found = await other.call(
      'query ($after: String) { byId: connections(filter: { externalId: "customer-1" }) { totalCount } byName: connections(filter: { nameContains: "Their" }) { totalCount } after: connections(after: $after) { totalCount nodes { id } } }',
      { after: page.data?.connections.pageInfo.endCursor },
    );
    expect(found.data).toEqual({
      byId: { totalCount: 0 },
      byName: { totalCount: 0 },
      after: { totalCount: 0, nodes: [] },
    });
    const own = await other.createConnection('business-admin', { externalId: 'customer-1' });
    expect(own.problems).toEqual([]);
    const input = { connectionId: own.connection?.id, user: { email: 'new@example.com', title: 'Other' } };
    const mineToo = await other.changeUser('provisionUser', { ...input, idempotencyKey: 'one-key' });
    expect(mineToo).toMatchObject({ outcome: 'UPDATED', problems: [] });
  });
});

describe('the operator', () => {
  it('alone sees and changes the sealing keys, of which nobody else learns whether one is there', async () => {
    const query = '{ sealingKeys { id isNewest sealedValues { accessTokens } } resealing { remainingValues } }';
    const remove =
      'mutation ($id: ID!) { removeSealingKey(input: { id: $id }) { sealingKeys { id } problems { code } } }';
    const { data } = await app.call<{ sealingKeys: { id: string }[] }>(query);
    const [key] = data?.sealingKeys ?? [];
    expect(data).toMatchObject({ sealingKeys: [{ isNewest: true }], resealing: { remainingValues: 0 } });

    expect((await mine.call(query)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    const answers = [await mine.call(remove, { id: key?.id }), await mine.call(remove, { id: '00000000' })];
    for (const answer of answers) {
      expect(answer.data).toEqual({ removeSealingKey: { sealingKeys: null, problems: [{ code: 'FORBIDDEN' }] } });
    }
    expect((await app.call(remove, { id: '00000000' })).data).toMatchObject({
      removeSealingKey: { problems: [{ code: 'NOT_FOUND' }] },
    });
    expect((await app.call(remove, { id: key?.id })).data).toMatchObject({
      removeSealingKey: { problems: [{ code: 'CONFLICT' }] },
    });
  });

  it('does not see what a tenant has connected', async () => {
    const { connection, token } = await foreignThings();
    const { data } = await app.call(
      'query ($c: ID!, $t: ID!) { connection(id: $c) { id } node(id: $t) { id } connections { totalCount } }',
      { c: connection, t: token },
    );
    expect(data).toEqual({ connection: null, node: null, connections: { totalCount: 0 } });
  });

  it('alone makes tenants and keys for them, and ends their keys', async () => {
    const tenant = await createTenant(app);
    const create =
      'mutation { createTenant(input: { name: "Own" }) { tenant { id isOperator } problems { code remedy } } }';

    expect((await app.call(create)).data).toMatchObject({
      createTenant: { tenant: { isOperator: false }, problems: [] },
    });
    for (const key of [tenant.key, await createKey(app, ['CONNECTIONS_WRITE', 'USERS_WRITE'])]) {
      const { data } = await app.call(create, {}, { key });
      expect(data).toMatchObject({ createTenant: { tenant: null, problems: [{ code: 'FORBIDDEN' }] } });
    }
    const { apiKey, secret } = await issueKey(app, { name: 'Theirs', permissions: ['ADMIN'], tenantId: tenant.id });
    const viewer = await app.call('{ viewer { tenant { id isOperator } } }', {}, { key: secret });
    expect(viewer.data).toEqual({ viewer: { tenant: { id: tenant.id, isOperator: false } } });
    await app.call('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { requestId } }', { id: apiKey?.id });
    expect((await app.call('{ viewer { name } }', {}, { key: secret })).status).toBe(401);
  });

  it('cannot make a key for a tenant that does not exist, nor a tenant without a name or with a token for a name', async () => {
    const { problems } = await issueKey(app, { name: 'x', permissions: ['ADMIN'], tenantId: unknown.tenant });
    expect(problems).toMatchObject([{ code: 'NOT_FOUND', path: ['input', 'tenantId'] }]);
    for (const name of ['', ' ', 'x'.repeat(201), 'xoxp-1-2-3-0123456789', app.adminKey]) {
      const { data, text } = await app.call(
        'mutation ($name: String!) { createTenant(input: { name: $name }) { tenant { id } problems { code path } } }',
        { name },
      );
      expect(data).toMatchObject({
        createTenant: { tenant: null, problems: [{ code: 'INVALID_INPUT', path: ['input', 'name'] }] },
      });
      if (name.length > 10) expect(text).not.toContain(name);
    }
  });
});
