import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';

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

/** Paths that the gateway asked the simulator for, oldest first. */
const askedPaths = () => app.simulator.requests.map(({ path }) => path);

describe('createConnection', () => {
  it.each([
    [
      'a token that Slack does not know',
      'xoxp-1-2-3-0123456789abcdef',
      'INVALID_TOKEN',
      /copy the whole "User OAuth Token"/,
    ],
    ['a bot token', 'business-bot', 'WRONG_TOKEN_KIND', /not the "Bot User OAuth Token"/],
    [
      'a token without the scope',
      'business-scopeless',
      'MISSING_SCOPES',
      /add the missing scopes under "User Token Scopes"/,
    ],
    ['a workspace token of an organization', 'enterprise-workspace', 'WRONG_INSTALL_LEVEL', /Org Level Apps/],
    ['a token of a team whose plan is too low', 'pro-admin', 'PLAN_TOO_LOW', /Business\+/],
    ['a revoked token', 'revoked', 'TOKEN_REVOKED', /Reinstall the app/],
    ['an expired token', 'expired', 'TOKEN_EXPIRED', /Reinstall the app|refresh the token/],
    ['a token of a demoted installer', 'demoted-installer', 'INSTALLER_LOST_RIGHTS', /Admin or Owner again/],
    ['a token of a deactivated installer', 'deactivated-installer', 'INSTALLER_LOST_RIGHTS', /Admin or Owner again/],
  ])('refuses %s by its own code, says what to do in Slack, and saves nothing', async (_, given, code, remedy) => {
    const { connection, problems } = await tenant.createConnection(given);

    expect(connection).toBeNull();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code, path: ['input', 'token'], retryable: false });
    expect(problems[0]?.remedy).toMatch(remedy);
    expect(await tenant.countConnections()).toBe(0);
  });

  it('names the scopes that are missing', async () => {
    const { problems } = await tenant.createConnection('business-scopeless');

    expect(problems[0]).toMatchObject({ __typename: 'MissingScopesProblem', missingScopes: ['admin'] });
  });

  it.each([
    ['a refresh token', 'xoxe-1-0123456789abcdef0123456789', 'WRONG_TOKEN_KIND', 'a refresh token'],
    ['a rotating bot token', 'xoxe.xoxb-1-0123456789abcdef', 'WRONG_TOKEN_KIND', 'a bot token'],
    ['an app-level token', 'xapp-1-A0-1-0123456789abcdef', 'WRONG_TOKEN_KIND', 'an app-level token'],
    ['a workflow token', 'xwfp-1-0123456789abcdef', 'WRONG_TOKEN_KIND', 'a workflow token'],
    ['a browser session token', 'XOXC-1-0123456789abcdef', 'WRONG_TOKEN_KIND', 'a browser session token'],
    ['a browser session cookie', 'xoxd-0123456789abcdef', 'WRONG_TOKEN_KIND', 'a browser session cookie'],
    ['nothing', '', 'INVALID_TOKEN', 'form of a Slack token'],
    ['blanks', ' \t\n ', 'INVALID_TOKEN', 'form of a Slack token'],
    ['a line break inside', 'xoxp-1-2-3\r\nX-Other: 1', 'INVALID_TOKEN', 'form of a Slack token'],
    ['a NUL character', 'xoxp-1-2\u0000-3', 'INVALID_TOKEN', 'form of a Slack token'],
    ['letters outside of ASCII', 'xoxp-1-2-3-äöü', 'INVALID_TOKEN', 'form of a Slack token'],
    ['a lone surrogate', 'xoxp-\ud800', 'INVALID_TOKEN', 'form of a Slack token'],
    ['more than 1 kB', `xoxp-${'a'.repeat(1020)}`, 'INVALID_TOKEN', 'form of a Slack token'],
  ])('refuses %s without sending it anywhere', async (_, token, code, detail) => {
    const { connection, problems } = await tenant.createConnection(token);

    expect(connection).toBeNull();
    expect(problems).toMatchObject([{ code, detail: expect.stringContaining(detail) }]);
    expect(app.simulator.requests).toEqual([]);
  });

  it('takes a token of 1 kB to Slack, and one with blanks around it', async () => {
    expect((await tenant.createConnection(`xoxp-${'a'.repeat(1019)}`)).problems).toMatchObject([
      { code: 'INVALID_TOKEN' },
    ]);
    expect(askedPaths()).toEqual(['/api/auth.test']);

    const { connection } = await tenant.createConnection(`\n  ${tenant.tokenOf('business-admin')} \n`);
    expect(connection?.status).toBe('ACTIVE');
  });

  it('says the same of a token that Slack refuses in the old way', async () => {
    app.simulator.switches.badTokenAnswer = 'unsupported_version';
    app.simulator.switches.authErrorStyle = 'new';

    const { problems } = await tenant.createConnection('demoted-installer');
    expect(problems).toMatchObject([{ code: 'INSTALLER_LOST_RIGHTS' }]);
  });

  it('connects a workspace and tells whose token it is', async () => {
    const connection = await tenant.connect();

    expect(connection).toMatchObject({
      status: 'ACTIVE',
      installLevel: 'WORKSPACE',
      workspace: { name: 'Northwind', slackId: expect.stringMatching(/^T/) },
      organization: null,
      installer: { displayName: 'ada.lovelace' },
      issues: [],
      token: {
        status: 'ACTIVE',
        grantedScopes: ['admin'],
        hint: `xoxp-…${tenant.tokenOf('business-admin').slice(-4)}`,
      },
    });
  });

  it('connects an Enterprise organization by its organization install', async () => {
    const connection = await tenant.connect('enterprise-owner');

    expect(connection).toMatchObject({
      status: 'ACTIVE',
      installLevel: 'ORGANIZATION',
      workspace: null,
      organization: { name: 'Acme Group', slackId: expect.stringMatching(/^E/) },
    });
  });

  it('shows when a rotating token ends', async () => {
    const { connection } = await tenant.createConnection('business-rotating');

    const hours = (Date.parse(connection?.token?.expiresAt ?? '') - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(11.9);
    expect(hours).toBeLessThan(12.1);
  });

  it('answers the existing connection when the team is connected already, by whichever token', async () => {
    const existing = await tenant.connect();

    for (const token of ['business-admin', 'business-owner']) {
      const { connection, problems } = await tenant.createConnection(token);
      expect(connection).toBeNull();
      expect(problems).toMatchObject([{ code: 'DUPLICATE_CONNECTION', existingConnectionId: existing.id }]);
    }
    expect(await tenant.countConnections()).toBe(1);
  });

  it('makes one connection of many calls for the same team at once', async () => {
    const answers = await Promise.all(
      ['business-admin', 'business-owner', 'business-admin', 'business-owner'].map((token) =>
        tenant.createConnection(token),
      ),
    );

    const made = answers.flatMap(({ connection }) => connection ?? []);
    expect(made).toHaveLength(1);
    const refused = answers.filter(({ connection }) => connection === null);
    expect(refused.map(({ problems }) => problems[0])).toEqual(
      refused.map(() => expect.objectContaining({ code: 'DUPLICATE_CONNECTION', existingConnectionId: made[0]?.id })),
    );
    expect(await tenant.countConnections()).toBe(1);
  });

  it('lets two tenants connect the same team, each with its own fingerprint of the same token', async () => {
    const other = await TenantClient.create(app);

    const [mine, theirs] = [await tenant.connect(), await other.connect()];

    expect(theirs.workspace).toEqual(mine.workspace);
    expect(theirs.token?.fingerprint).not.toBe(mine.token?.fingerprint);
  });

  it('keeps an externalId unique within the tenant, without asking Slack first', async () => {
    await tenant.createConnection('business-admin', { externalId: ' customer-1 ' });
    const before = app.simulator.requests.length;

    const { connection, problems } = await tenant.createConnection('enterprise-owner', { externalId: 'customer-1' });

    expect(connection).toBeNull();
    expect(problems).toMatchObject([{ code: 'CONFLICT', path: ['input', 'externalId'] }]);
    expect(app.simulator.requests).toHaveLength(before);
  });

  it('gives one externalId to one of two connections that ask for it at once', async () => {
    const tokens = ['business-admin', 'enterprise-owner'];
    const answers = await Promise.all(
      tokens.map((token) => tenant.createConnection(token, { externalId: 'customer-1' })),
    );

    expect(answers.filter(({ connection }) => connection)).toHaveLength(1);
    expect(answers.flatMap(({ problems }) => problems)).toMatchObject([
      { code: 'CONFLICT', path: ['input', 'externalId'] },
    ]);
  });

  it.each([
    ['a blank name', { name: '  ' }, ['input', 'name']],
    ['a name of 201 characters', { name: 'x'.repeat(201) }, ['input', 'name']],
    ['a blank externalId', { externalId: ' ' }, ['input', 'externalId']],
    ['an externalId of 256 characters', { externalId: 'x'.repeat(256) }, ['input', 'externalId']],
    ['a token in the place of the name', { name: 'My xoxp-1-2-3-0123456789abcdef0123' }, ['input', 'name']],
    ['a token in the place of the externalId', { externalId: 'xoxe.xoxp-1-0123456789abcdef' }, ['input', 'externalId']],
  ])('refuses %s before it asks Slack', async (_, input, path) => {
    const { connection, problems } = await tenant.createConnection('business-admin', input);

    expect(connection).toBeNull();
    expect(problems).toMatchObject([{ code: 'INVALID_INPUT', path }]);
    expect(app.simulator.requests).toEqual([]);
  });
});
