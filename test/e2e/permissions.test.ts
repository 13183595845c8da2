import { buildSchema } from 'graphql';
import { printEmittedSchema } from '../../src/graphql/printed-schema';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';
import { createKey, createTenant, type PermissionName } from '../support/tenants';

const permissions: readonly PermissionName[] = [
  'CONNECTIONS_READ',
  'CONNECTIONS_WRITE',
  'USERS_READ',
  'USERS_WRITE',
  'ADMIN',
];

let app: TestApp;
let connectionId: string;
const keys = new Map<PermissionName, string>();
beforeAll(async () => {
  app = await startTestApp();
  const tenant = await createTenant(app);
  for (const permission of permissions) {
    keys.set(permission, await createKey(app, [permission], { tenantId: tenant.id }));
  }
  ({ id: connectionId } = await new TenantClient(app, tenant.key).connect());
});
afterAll(() => app?.stop());

const missing = '"con_AAAAAAAAAAAAAAAAAAAAAA"';
const mutation = (name: string, input: string) =>
  `mutation { ${name}(input: { ${input} }) { problems { code remedy } } }`;

/**
 * One call for each field of Query and Mutation, harmless where it is allowed, and what it needs; undefined when any key
 * will do. The id is that of a connection which is there.
 */
const calls: Record<string, { query: (id: string) => string; needs: PermissionName | undefined }> = {
  'Query.viewer': { query: () => '{ viewer { name permissions tenant { id } apiKey { id } } }', needs: undefined },
  'Query.capabilities': { query: () => '{ capabilities { action } }', needs: undefined },
  'Query.connection': { query: (id) => `{ connection(id: "${id}") { id } }`, needs: 'CONNECTIONS_READ' },
  'Query.connections': { query: () => '{ connections { totalCount } }', needs: 'CONNECTIONS_READ' },
  'Query.node': { query: (id) => `{ node(id: "${id}") { id } }`, needs: 'CONNECTIONS_READ' },
  'Query.install': { query: () => '{ install(id: "ins_0") { id status } }', needs: 'CONNECTIONS_READ' },
  'Query.previewMapping': {
    query: (id) => `{ previewMapping(input: { connectionId: "${id}", rows: [] }) { problems { code remedy } } }`,
    needs: 'CONNECTIONS_READ',
  },
  'Mutation.setMapping': {
    query: () => mutation('setMapping', `connectionId: ${missing}, mapping: { fields: { email: { field: "email" } } }`),
    needs: 'CONNECTIONS_WRITE',
  },
  'Mutation.startInstall': {
    query: () => mutation('startInstall', 'name: "", environment: SANDBOX, level: WORKSPACE'),
    needs: 'CONNECTIONS_WRITE',
  },
  'Mutation.createConnectLink': {
    query: () => mutation('createConnectLink', 'name: "", environment: SANDBOX'),
    needs: 'CONNECTIONS_WRITE',
  },
  'Mutation.createConnection': {
    query: () => mutation('createConnection', 'name: "x", environment: SANDBOX, token: ""'),
    needs: 'CONNECTIONS_WRITE',
  },
  'Mutation.verifyConnection': {
    query: () => mutation('verifyConnection', `id: ${missing}`),
    needs: 'CONNECTIONS_WRITE',
  },
  'Mutation.updateConnection': {
    query: (id) => mutation('updateConnection', `id: "${id}", name: "y"`),
    needs: 'CONNECTIONS_WRITE',
  },
  'Mutation.replaceToken': {
    query: (id) => mutation('replaceToken', `id: "${id}", token: ""`),
    needs: 'CONNECTIONS_WRITE',
  },
  'Mutation.refreshToken': {
    query: () => mutation('refreshToken', `id: ${missing}`),
    needs: 'CONNECTIONS_WRITE',
  },
  'Mutation.enableTokenRotation': {
    query: () => mutation('enableTokenRotation', `id: ${missing}`),
    needs: 'CONNECTIONS_WRITE',
  },
  'Mutation.pauseConnection': {
    query: () => mutation('pauseConnection', `id: ${missing}`),
    needs: 'CONNECTIONS_WRITE',
  },
  'Mutation.resumeConnection': {
    query: (id) => mutation('resumeConnection', `id: "${id}"`),
    needs: 'CONNECTIONS_WRITE',
  },
  'Mutation.disconnect': { query: () => mutation('disconnect', `id: ${missing}`), needs: 'CONNECTIONS_WRITE' },
  'Mutation.deleteConnection': {
    query: () => mutation('deleteConnection', `id: ${missing}`),
    needs: 'CONNECTIONS_WRITE',
  },
  'Mutation.provisionUser': {
    query: (id) => mutation('provisionUser', `connectionId: "${id}", user: { email: "" }`),
    needs: 'USERS_WRITE',
  },
  'Mutation.updateUser': {
    query: (id) => mutation('updateUser', `connectionId: "${id}", user: { slackId: "U1" }, changes: { title: "x" }`),
    needs: 'USERS_WRITE',
  },
  'Mutation.deprovisionUser': {
    query: (id) => mutation('deprovisionUser', `connectionId: "${id}", user: { slackId: "U1" }`),
    needs: 'USERS_WRITE',
  },
  'Mutation.reactivateUser': {
    query: (id) => mutation('reactivateUser', `connectionId: "${id}", user: { slackId: "U1" }`),
    needs: 'USERS_WRITE',
  },
  'Query.operation': { query: () => '{ operation(id: "opr_0") { id } }', needs: 'USERS_READ' },
  'Query.operations': { query: () => '{ operations { totalCount } }', needs: 'USERS_READ' },
  'Mutation.provisionUsers': {
    query: (id) => mutation('provisionUsers', `connectionId: "${id}", users: []`),
    needs: 'USERS_WRITE',
  },
  'Mutation.deprovisionUsers': {
    query: (id) => mutation('deprovisionUsers', `connectionId: "${id}", users: []`),
    needs: 'USERS_WRITE',
  },
  'Mutation.changeGroupMembers': {
    query: (id) => mutation('changeGroupMembers', `connectionId: "${id}", changes: []`),
    needs: 'USERS_WRITE',
  },
  'Mutation.pauseOperation': { query: () => mutation('pauseOperation', 'id: "opr_0"'), needs: 'USERS_WRITE' },
  'Mutation.resumeOperation': { query: () => mutation('resumeOperation', 'id: "opr_0"'), needs: 'USERS_WRITE' },
  'Mutation.cancelOperation': { query: () => mutation('cancelOperation', 'id: "opr_0"'), needs: 'USERS_WRITE' },
  'Mutation.retryFailedItems': { query: () => mutation('retryFailedItems', 'id: "opr_0"'), needs: 'USERS_WRITE' },
  'Mutation.convertToGuest': {
    query: (id) => mutation('convertToGuest', `connectionId: "${id}", user: { slackId: "U1" }`),
    needs: 'USERS_WRITE',
  },
  'Mutation.convertToMember': {
    query: (id) => mutation('convertToMember', `connectionId: "${id}", user: { slackId: "U1" }`),
    needs: 'USERS_WRITE',
  },
  'Query.sealingKeys': { query: () => '{ sealingKeys { id } }', needs: 'ADMIN' },
  'Query.resealing': { query: () => '{ resealing { remainingValues } }', needs: 'ADMIN' },
  'Mutation.rotateSealingKey': {
    query: () => 'mutation { rotateSealingKey { problems { code remedy } } }',
    needs: 'ADMIN',
  },
  'Mutation.resealSecrets': { query: () => 'mutation { resealSecrets { problems { code remedy } } }', needs: 'ADMIN' },
  'Mutation.removeSealingKey': { query: () => mutation('removeSealingKey', 'id: "00000000"'), needs: 'ADMIN' },
  'Mutation.createGroup': {
    query: (id) => mutation('createGroup', `connectionId: "${id}", name: ""`),
    needs: 'USERS_WRITE',
  },
  'Mutation.renameGroup': {
    query: (id) => mutation('renameGroup', `connectionId: "${id}", group: { slackId: "S1" }, name: "x"`),
    needs: 'USERS_WRITE',
  },
  'Mutation.addGroupMembers': {
    query: (id) => mutation('addGroupMembers', `connectionId: "${id}", group: { slackId: "S1" }, members: []`),
    needs: 'USERS_WRITE',
  },
  'Mutation.removeGroupMembers': {
    query: (id) => mutation('removeGroupMembers', `connectionId: "${id}", group: { slackId: "S1" }, members: []`),
    needs: 'USERS_WRITE',
  },
  'Mutation.setGroupMembers': {
    query: (id) => mutation('setGroupMembers', `connectionId: "${id}", group: { slackId: "S1" }, members: []`),
    needs: 'USERS_WRITE',
  },
  'Mutation.deleteGroup': {
    query: (id) => mutation('deleteGroup', `connectionId: "${id}", group: { slackId: "S1" }`),
    needs: 'USERS_WRITE',
  },
  'Mutation.createTenant': { query: () => mutation('createTenant', 'name: ""'), needs: 'ADMIN' },
  'Mutation.createApiKey': { query: () => mutation('createApiKey', 'name: "x", permissions: []'), needs: 'ADMIN' },
  'Mutation.revokeApiKey': { query: () => mutation('revokeApiKey', 'id: "key_0"'), needs: 'ADMIN' },
};

/** What concerns the gateway as a whole is for the operator's admins alone. */
const ofOperator = [
  'Query.sealingKeys',
  'Query.resealing',
  'Mutation.rotateSealingKey',
  'Mutation.resealSecrets',
  'Mutation.removeSealingKey',
  'Mutation.createTenant',
];

const isForbidden = (text: string) => text.includes('"FORBIDDEN"');

describe('a permission', () => {
  it('is tried below on every field of Query and Mutation', () => {
    const schema = buildSchema(printEmittedSchema());
    const fields = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
      Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`),
    );
    expect(Object.keys(calls).sort()).toEqual(fields.sort());
  });

  describe.each(permissions)('%s', (permission) => {
    it.each(Object.entries(calls))('decides alone on %s', async (name, { query, needs }) => {
      const { text } = await app.call(query(connectionId), {}, { key: keys.get(permission) });

      const isAllowed = needs === undefined || permission === needs || permission === 'ADMIN';
      expect(isForbidden(text)).toBe(!isAllowed || ofOperator.includes(name));
      if (isForbidden(text)) expect(text).toMatch(/"remedy":"(Use a key with|Ask the operator)/);
    });
  });

  it('to write shows no more than the write itself', async () => {
    const selection = '{ connection { id name status } problems { code } requestId }';
    const update = (fields: string) =>
      `mutation { updateConnection(input: { id: "${connectionId}", name: "Written" }) ${selection.replace('status', fields)} }`;
    const key = keys.get('CONNECTIONS_WRITE');

    expect((await app.call(update('status'), {}, { key })).data).toMatchObject({
      updateConnection: { connection: { name: 'Written', status: 'ACTIVE' } },
    });
    for (const field of ['issues { code }', 'token { hint }', 'capabilities { action }', 'rateBudget { remaining }']) {
      const { errors, text } = await app.call(update(field), {}, { key });
      expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
      expect(text).not.toContain('xoxp-');
    }
    for (const field of [
      'users { totalCount }',
      'user(by: { slackId: "U1" }) { id }',
      'groups { totalCount }',
      'group(by: { slackId: "S1" }) { id }',
    ]) {
      const { errors } = await app.call(update(field), {}, { key });
      expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    }
  });

  it('to see connections does not show people, and the other way round', async () => {
    const people = `{ connection(id: "${connectionId}") { name users { totalCount } } }`;
    const connections = await app.call(people, {}, { key: keys.get('CONNECTIONS_READ') });
    expect(connections.errors).toMatchObject([{ path: ['connection', 'users'], extensions: { code: 'FORBIDDEN' } }]);
    const users = await app.call(people, {}, { key: keys.get('USERS_READ') });
    expect(users.data).toEqual({ connection: null });

    const id = `usr_${Buffer.from(`${connectionId} U1`).toString('base64url')}`;
    const node = (key: PermissionName) =>
      app.call('query ($id: ID!) { node(id: $id) { id } }', { id }, { key: keys.get(key) });
    expect((await node('USERS_READ')).data).toEqual({ node: null });
    expect((await node('CONNECTIONS_READ')).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });

  it('to write people shows the person that was written', async () => {
    const input = `connectionId: "${connectionId}", user: { email: "written@example.com" }`;
    const query = `mutation { provisionUser(input: { ${input} }) { user { slackId userName } outcome } }`;
    const { data } = await app.call(query, {}, { key: keys.get('USERS_WRITE') });
    expect(data).toMatchObject({ provisionUser: { user: { userName: 'written' }, outcome: 'CREATED' } });
  });
});
