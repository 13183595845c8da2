import { ManualClock } from '../../../src/simulator/clock';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { codeOf, errorText, resourcesOf, SimulatorClient } from '../../support/simulator-client';

const clock = new ManualClock();
let simulator: Simulator;
let slack: SimulatorClient;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'access', clock });
  slack = new SimulatorClient(simulator);
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.stop());

describe('who may use SCIM', () => {
  it.each(['business-admin', 'business-owner', 'business-rotating', 'enterprise-owner'] as const)(
    'lets %s in',
    async (token) => {
      expect((await slack.as(token).list('Users', { count: '1' })).status).toBe(200);
    },
  );

  it.each([
    'business-bot',
    'business-scopeless',
    'revoked',
    'deactivated-installer',
    'demoted-installer',
    'expired',
  ] as const)('refuses the token %s as invalid, in the old style', async (token) => {
    const answer = await slack.as(token).list('Users');
    expect(answer.status).toBe(401);
    expect(answer.json).toEqual({ Errors: { description: 'invalid_authentication', code: 401 } });
  });

  it('refuses a workspace install on an organization, and a plan that is too low', async () => {
    const level = await slack.as('enterprise-workspace').list('Users');
    expect([level.status, level.json]).toEqual([400, { Errors: { description: 'non_org_teams_only', code: 400 } }]);
    const plan = await slack.as('pro-admin').list('Users');
    expect([plan.status, codeOf(plan)]).toEqual([403, 'plus_teams_only']);
  });

  it('tells a missing header from a malformed one', async () => {
    const missing = await slack.call('GET', '/scim/v2/Users', { token: null });
    expect([missing.status, codeOf(missing)]).toEqual([401, 'missing_authentication']);
    for (const authorization of ['Basic abc', `bearer ${simulator.tokens['business-admin']}`, 'Bearer xoxp-no']) {
      const answer = await slack.call('GET', '/scim/v2/Users', { token: null, headers: { authorization } });
      expect([answer.status, codeOf(answer)]).toEqual([401, 'invalid_authentication']);
    }
  });

  it('answers a bad token as Slack did before 2026 under a switch', async () => {
    simulator.switches.badTokenAnswer = 'unsupported_version';
    const answer = await slack.as('revoked').list('Users');
    expect([answer.status, codeOf(answer)]).toEqual([400, 'unsupported_version']);
  });

  it('stops a token when its installer is deactivated or demoted, and takes it back afterwards', async () => {
    const organization = simulator.world.organization('business');
    const admin = slack.person('ada.lovelace');
    organization.setRank(admin, 'member');
    expect((await slack.list('Users')).status).toBe(401);
    organization.setRank(admin, 'admin');
    expect((await slack.list('Users')).status).toBe(200);
    organization.deactivate(admin, clock.now(), 0);
    expect((await slack.list('Users')).status).toBe(401);
  });

  it('keeps one organization from seeing another', async () => {
    const stranger = slack.person('grace.hopper', 'enterprise');
    const answer = await slack.scim('GET', `/Users/${stranger.id}`);
    expect([answer.status, codeOf(answer)]).toEqual([404, 'no_such_user']);
  });
});

describe('the order of checks', () => {
  it('looks at the version first', async () => {
    for (const path of ['/scim/v1/Users', '/scim/v3/Nothing', '/scim/v1/ServiceProviderConfigs']) {
      const answer = await slack.call('DELETE', path, { token: null });
      expect([answer.status, answer.json]).toEqual([
        400,
        { Errors: { description: 'unsupported_version', code: 400 } },
      ]);
    }
  });

  it('looks at path and method before the token', async () => {
    const path = await slack.call('GET', '/scim/v2/Bulk', { token: null });
    expect([path.status, codeOf(path)]).toEqual([404, 'bad_endpoint']);
    const method = await slack.call('POST', '/scim/v2/Users/U0ABC', { token: null });
    expect([method.status, codeOf(method)]).toEqual([405, 'method_not_allowed']);
    for (const verb of ['PUT', 'PATCH', 'DELETE']) {
      expect(codeOf(await slack.call(verb, '/scim/v2/Users/', { token: null }))).toBe('missing_user_id');
      expect(codeOf(await slack.call(verb, '/scim/v2/Groups', { token: null }))).toBe('missing_group_id');
    }
  });

  it('looks at the token before the plan, the limits before the body, the body before its schemas', async () => {
    expect(codeOf(await slack.as('revoked').scim('POST', '/Users', undefined))).toBe('invalid_authentication');
    expect(codeOf(await slack.call('POST', '/scim/v2/Users', { body: 'no json' }))).toBe('invalid_request_payload');
    expect(codeOf(await slack.call('POST', '/scim/v2/Users', { body: '[]' }))).toBe('invalid_request_payload');
    expect(codeOf(await slack.scim('POST', '/Users', { userName: 7 }))).toBe('missing_schema_element');
    expect(codeOf(await slack.scim('POST', '/Users', { schemas: [], userName: 7 }))).toBe('missing_schema_element');
    expect(codeOf(await slack.createUser({ userName: 7, emails: [{ value: 'ada.lovelace@northwind.example' }] }))).toBe(
      'invalid_attribute_format',
    );
    for (let call = 0; call < 15; call += 1) await slack.scim('POST', '/Users', {});
    expect(codeOf(await slack.call('POST', '/scim/v2/Users', { body: 'no json' }))).toBe('too_many_requests');
  });
});

describe('discovery', () => {
  it.each(['ServiceProviderConfig', 'ServiceProviderConfigs'])('shows %s without a token', async (name) => {
    const { status, json } = await slack.call('GET', `/scim/v2/${name}`, { token: null });
    expect(status).toBe(200);
    expect(Object.keys(json)).toEqual([
      'authenticationSchemes',
      'patch',
      'bulk',
      'filter',
      'changePassword',
      'sort',
      'etag',
      'xmlDataFormat',
    ]);
    expect(json).toMatchObject({ patch: { supported: true }, filter: { supported: false, maxResults: 0 } });
  });

  it('lists resource types without paging numbers', async () => {
    const { json } = await slack.scim('GET', '/ResourceTypes');
    expect(Object.keys(json)).toEqual(['schemas', 'Resources']);
    const [user, group] = resourcesOf(json);
    expect(Object.keys(user ?? {})).toEqual([
      'schemas',
      'id',
      'name',
      'endpoint',
      'description',
      'schema',
      'meta',
      'schemaExtensions',
    ]);
    expect(user?.schemaExtensions).toHaveLength(4);
    expect(Object.keys(group ?? {})).not.toContain('schemaExtensions');
  });

  it('shows both schemas, alone and in a list, with the extensions flattened as Slack does', async () => {
    const list = resourcesOf((await slack.scim('GET', '/Schemas')).json);
    expect(list[0]).toEqual((await slack.scim('GET', '/Schemas/Users')).json);
    expect(list[1]).toEqual((await slack.scim('GET', '/Schemas/Groups')).json);
    const attributes = list[0]?.attributes;
    if (!Array.isArray(attributes)) throw new Error('No attributes');
    expect(
      attributes.filter((entry) => typeof entry === 'object' && !Array.isArray(entry)).map(({ name }) => name),
    ).toContain('phoneNumbers');
    expect(attributes).toContain('urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User');
    expect(codeOf(await slack.scim('GET', '/Schemas/Robots'))).toBe('bad_endpoint');
  });
});

describe('error bodies', () => {
  it('come in the new style, with the status as an integer', async () => {
    const { json } = await slack.scim('GET', '/Users/U0NOBODY');
    expect(json).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      detail: 'no_such_user',
      status: 404,
    });
  });

  it('follow the two switches of style', async () => {
    simulator.switches.errorStyle = 'old';
    simulator.switches.authErrorStyle = 'new';
    expect((await slack.scim('GET', '/Users/U0NOBODY')).json).toEqual({
      Errors: { description: 'no_such_user', code: 404 },
    });
    expect(errorText((await slack.as('revoked').list('Users')).json)).toBe('invalid_authentication');
    expect((await slack.as('revoked').list('Users')).json).toMatchObject({
      detail: 'invalid_authentication',
      status: 401,
    });
  });

  it('come as JSON in UTF-8', async () => {
    expect((await slack.scim('GET', '/Users/U0NOBODY')).headers.get('content-type')).toBe(
      'application/json; charset=utf-8',
    );
  });
});

describe('a path that cannot be decoded', () => {
  it('is an unknown one', async () => {
    const answer = await slack.call('GET', '/scim/v2/Users/%E0%A4%A');
    expect([answer.status, codeOf(answer)]).toEqual([404, 'bad_endpoint']);
  });
});
