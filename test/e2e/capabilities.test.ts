import { type Action, actions, requirementOf } from '../../src/domain/connections/scopes';
import { querySqlite } from '../support/sqlite-file';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';

interface Capability {
  readonly action: Action;
  readonly available: boolean;
  readonly requiredScopes: string[];
  readonly missingScopes: string[];
  readonly reason: string | null;
}

let app: TestApp;
let tenant: TenantClient;
beforeAll(async () => {
  app = await startTestApp();
});
beforeEach(async () => {
  app.simulator.reset();
  tenant = await TenantClient.create(app);
});
afterAll(() => app?.stop());

async function capabilitiesOf(id: string): Promise<Capability[]> {
  const { data, text } = await tenant.call<{ connection: { capabilities: Capability[] } }>(
    `query ($id: ID!) { connection(id: $id) { capabilities { action available requiredScopes missingScopes reason } } }`,
    { id },
  );
  if (!data) throw new Error(text);
  return data.connection.capabilities;
}

const reasonsOf = async (id: string) =>
  Object.fromEntries((await capabilitiesOf(id)).map(({ action, reason }) => [action, reason]));

/** What a caller does for an action on people; answers the codes of what went wrong. */
const callsByAction: Partial<Record<Action, (connectionId: string) => Promise<unknown[]>>> = {
  'user.read': async (id) => {
    const selections = ['users { totalCount }', 'user(by: { email: "a@example.com" }) { id }'];
    const answers = await Promise.all(
      selections.map((selection) => tenant.call(`query ($id: ID!) { connection(id: $id) { ${selection} } }`, { id })),
    );
    return answers.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions.code));
  },
  'user.provision': (connectionId) => problemsOf('provisionUser', { connectionId, user: { email: 'a@example.com' } }),
  'user.provisionGuest': (connectionId) =>
    problemsOf('provisionUser', { connectionId, user: { email: 'a@example.com', guest: {} } }),
  'user.update': (connectionId) =>
    problemsOf('updateUser', { connectionId, user: { slackId: 'W1' }, changes: { title: 'New' } }),
  'user.deprovision': (connectionId) => problemsOf('deprovisionUser', { connectionId, user: { slackId: 'W1' } }),
  'user.reactivate': (connectionId) => problemsOf('reactivateUser', { connectionId, user: { slackId: 'W1' } }),
  'user.convertToGuest': (connectionId) => problemsOf('convertToGuest', { connectionId, user: { slackId: 'W1' } }),
  'user.convertToMember': (connectionId) => problemsOf('convertToMember', { connectionId, user: { slackId: 'W1' } }),
  'group.read': async (id) => {
    const selections = [
      'groups { totalCount }',
      'group(by: { name: "x" }) { id }',
      'group(by: { slackId: "S1" }) { id }',
    ];
    const answers = await Promise.all(
      selections.map((selection) => tenant.call(`query ($id: ID!) { connection(id: $id) { ${selection} } }`, { id })),
    );
    return answers.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions.code));
  },
  'group.write': (connectionId) =>
    groupProblemsOf('createGroup', 'CreateGroupInput', { connectionId, name: 'x', members: [{ slackId: 'W1' }] }),
  'group.delete': (connectionId) =>
    groupProblemsOf('deleteGroup', 'GroupActionInput', { connectionId, group: { slackId: 'S1' } }),
};

/** Actions on the grant itself: they are what finds out which scopes there are, so they do not depend on them. */
const grantActions: readonly Action[] = ['connection.verify', 'connection.revoke'];

async function problemsOf(name: string, input: object): Promise<string[]> {
  return (await tenant.changeUser(name, input)).problems.map(({ code }) => code);
}

async function groupProblemsOf(name: string, inputType: string, input: object): Promise<string[]> {
  const { data, text } = await tenant.call<Record<string, { problems: { code: string }[] }>>(
    `mutation ($input: ${inputType}!) { ${name}(input: $input) { problems { code } } }`,
    { input },
  );
  if (!data) throw new Error(text);
  return data[name]?.problems.map(({ code }) => code) ?? [];
}

describe('the table of scopes', () => {
  it('is what capabilities shows', async () => {
    const { data } = await tenant.call('{ capabilities { action requiredScopes installLevel description } }');

    expect(data).toEqual({
      capabilities: actions.map((action) => {
        const { requiredScopes, installLevel = null, description } = requirementOf(action);
        return { action, requiredScopes, installLevel, description };
      }),
    });
  });

  it('has a call below for every action, so that a new action is tried too', () => {
    expect([...Object.keys(callsByAction), ...grantActions].sort()).toEqual([...actions].sort());
  });

  it('is what Connection.capabilities compares with the grant', async () => {
    const [workspace, organization] = [await tenant.connect(), await tenant.connect('enterprise-owner')];

    for (const [{ id }, level] of [
      [workspace, 'WORKSPACE'],
      [organization, 'ORGANIZATION'],
    ] as const) {
      const capabilities = await capabilitiesOf(id);
      expect(capabilities.map(({ action }) => action)).toEqual(actions);
      for (const { action, available, requiredScopes, missingScopes, reason } of capabilities) {
        const required = requirementOf(action);
        expect({ requiredScopes, missingScopes }).toEqual({
          requiredScopes: required.requiredScopes,
          missingScopes: [],
        });
        expect(available).toBe(required.installLevel === undefined || required.installLevel === level);
        expect(reason === null).toBe(available);
      }
    }
  });

  it.each(Object.entries(callsByAction))(
    'lets no call for %s leave when the grant lacks its scope',
    async (action, call) => {
      const { id } = await tenant.connect('enterprise-owner');
      await querySqlite(app, `UPDATE access_tokens SET granted_scopes = '["users:read"]' WHERE connection_id = ?`, id);
      const shown = (await capabilitiesOf(id)).find((capability) => capability.action === action);
      expect(shown).toMatchObject({
        available: false,
        missingScopes: ['admin'],
        reason: expect.stringMatching(/scope/),
      });
      const before = app.simulator.requests.length;

      const codes = await call(id);

      expect(new Set(codes)).toEqual(new Set(['MISSING_SCOPES']));
      expect(app.simulator.requests.slice(before).filter(({ path }) => path.startsWith('/scim/'))).toEqual([]);
    },
  );

  it('lets no call leave that needs another install level', async () => {
    const { id } = await tenant.connect();
    const before = app.simulator.requests.length;

    for (const action of ['user.provisionGuest', 'user.convertToGuest', 'user.convertToMember'] as const) {
      expect(await callsByAction[action]?.(id)).toEqual(['GUEST_NOT_ALLOWED']);
    }
    expect(app.simulator.requests).toHaveLength(before);
  });

  it('is checked against the scopes that the last check of the token saw', async () => {
    const { id } = await tenant.connect();
    await querySqlite(app, `UPDATE access_tokens SET granted_scopes = '[]' WHERE connection_id = ?`, id);

    expect((await tenant.change('verifyConnection', { id })).problems).toEqual([]);

    expect((await capabilitiesOf(id)).filter(({ missingScopes }) => missingScopes.length > 0)).toEqual([]);
  });
});

describe('the capabilities of a connection', () => {
  it('say why nothing but the grant can be worked on while it is paused or needs a person', async () => {
    const { id } = await tenant.connect();
    await tenant.change('pauseConnection', { id });
    expect(await reasonsOf(id)).toMatchObject({
      'connection.verify': null,
      'connection.revoke': null,
      'user.read': expect.stringMatching(/paused/),
      'user.provision': expect.stringMatching(/paused/),
    });

    await tenant.change('resumeConnection', { id });
    app.simulator.world.organization('business').plan = 'pro';
    await tenant.change('verifyConnection', { id });
    expect(await reasonsOf(id)).toMatchObject({
      'connection.verify': null,
      'user.read': expect.stringMatching(/issues/),
      'user.provision': expect.stringMatching(/issues/),
    });
  });

  it('say that nothing is possible once it is disconnected', async () => {
    const { id } = await tenant.connect();
    await tenant.change('disconnect', { id });

    const capabilities = await capabilitiesOf(id);
    expect(capabilities.filter(({ available }) => available)).toEqual([]);
    expect(new Set(capabilities.map(({ reason }) => reason))).toEqual(new Set(['The connection is disconnected.']));
  });

  it('say so of a token that has ended before any call met it', async () => {
    const { connection } = await tenant.createConnection('business-rotating');
    const id = connection?.id ?? '';
    await querySqlite(app, 'UPDATE access_tokens SET expires_at = ? WHERE connection_id = ?', Date.now() - 1, id);

    expect(await reasonsOf(id)).toMatchObject({
      'connection.verify': null,
      'user.read': 'The token has expired.',
      'user.provision': 'The token has expired.',
    });
    const before = app.simulator.requests.length;
    expect((await tenant.readUsers(id)).errors?.[0]?.extensions.code).toBe('TOKEN_EXPIRED');
    expect(app.simulator.requests).toHaveLength(before);
    expect((await tenant.read(id))?.status).toBe('REAUTHORIZATION_REQUIRED');
  });
});
