import { type App, startApp } from '../../src/app';
import { loadConfig } from '../../src/config';
import { createLogger } from '../../src/log';
import type { TokenName } from '../../src/simulator/world/token';
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

function grantOf(name: TokenName) {
  const grant = app.simulator.world.grants.get(name);
  if (!grant) throw new Error(`There is no grant ${name}`);
  return grant;
}

function installerOf(name: TokenName) {
  const { organizationId, personId } = grantOf(name);
  const organization = app.simulator.world.organizations.get(organizationId);
  const person = organization?.people.get(personId);
  if (!organization || !person) throw new Error(`${name} has no installer`);
  return { organization, person };
}

const openIssues = (connection: { issues: { code: string; resolvedAt: string | null }[] } | null) =>
  connection?.issues.filter(({ resolvedAt }) => resolvedAt === null).map(({ code }) => code);

const codeOf = ({ errors }: { errors: readonly { extensions: Record<string, unknown> }[] | undefined }) =>
  errors?.map(({ extensions }) => extensions.code);

interface Damage {
  readonly what: string;
  readonly code: string;
  harm(): void;
  repair(): void;
}

const damages: Damage[] = [
  {
    what: 'its installer is demoted',
    code: 'INSTALLER_LOST_RIGHTS',
    harm: () => rank('member'),
    repair: () => rank('admin'),
  },
  {
    what: 'its installer is deactivated',
    code: 'INSTALLER_LOST_RIGHTS',
    harm: () => {
      const { organization, person } = installerOf('business-admin');
      organization.deactivate(person, app.simulator.clock.now(), 0);
    },
    repair: () => {
      const { organization, person } = installerOf('business-admin');
      organization.reactivate(person);
    },
  },
  {
    what: 'its token expires',
    code: 'TOKEN_EXPIRED',
    harm: () => {
      grantOf('business-admin').expiresAt = app.simulator.clock.now() - 1;
    },
    repair: () => {
      grantOf('business-admin').expiresAt = null;
    },
  },
  {
    what: "the team's plan is lowered",
    code: 'PLAN_TOO_LOW',
    harm: () => {
      app.simulator.world.organization('business').plan = 'pro';
    },
    repair: () => {
      app.simulator.world.organization('business').plan = 'business';
    },
  },
];

function rank(wanted: 'member' | 'admin'): void {
  const { organization, person } = installerOf('business-admin');
  organization.setRank(person, wanted);
}

describe('a connection in mid-life', () => {
  it.each(damages)(
    'needs a person when $what, says so, lets nothing leave, and recovers by a check',
    async (damage) => {
      const { id } = await tenant.connect();
      damage.harm();

      expect(codeOf(await tenant.readUsers(id))).toEqual([damage.code]);

      const harmed = await tenant.read(id);
      expect(harmed).toMatchObject({
        status: 'REAUTHORIZATION_REQUIRED',
        issues: [{ code: damage.code, resolvedAt: null, remedy: expect.stringMatching(/\w/) }],
      });
      const before = app.simulator.requests.length;
      const user = { slackId: installerOf('business-admin').person.id };
      expect(codeOf(await tenant.readUsers(id))).toEqual([damage.code]);
      const refused = await tenant.changeUser('reactivateUser', { connectionId: id, user });
      expect(refused.problems).toMatchObject([{ code: damage.code }]);
      expect(app.simulator.requests).toHaveLength(before);

      damage.repair();
      const { connection, problems } = await tenant.change('verifyConnection', { id });
      expect(problems).toEqual([]);
      expect(connection).toMatchObject({ status: 'ACTIVE', issues: [{ code: damage.code }] });
      expect(openIssues(connection)).toEqual([]);
      expect((await tenant.readUsers(id)).errors).toBeUndefined();
    },
  );

  it.each(damages)('shows it by a check when $what, and by the check alone when it is paused', async (damage) => {
    const { id } = await tenant.connect();
    await tenant.change('pauseConnection', { id });
    damage.harm();

    const { connection, problems } = await tenant.change('verifyConnection', { id });
    expect(problems).toMatchObject([{ code: damage.code }]);
    expect(connection?.status).toBe('PAUSED');
    expect(openIssues(connection)).toEqual([damage.code]);

    const resumed = await tenant.change('resumeConnection', { id });
    expect(resumed.connection?.status).toBe('REAUTHORIZATION_REQUIRED');
  });

  it('whose token was revoked erases it, goes on saying why, and asks Slack nothing any more', async () => {
    const { id } = await tenant.connect();
    grantOf('business-admin').isRevoked = true;
    expect(codeOf(await tenant.readUsers(id))).toEqual(['TOKEN_REVOKED']);
    const harmed = await tenant.read(id);
    expect(harmed).toMatchObject({ status: 'REAUTHORIZATION_REQUIRED', token: { status: 'REVOKED' } });
    const before = app.simulator.requests.length;

    const { connection, problems } = await tenant.change('verifyConnection', { id });

    expect(problems).toMatchObject([{ code: 'TOKEN_REVOKED' }]);
    expect(connection?.issues).toEqual(harmed?.issues);
    expect(codeOf(await tenant.readUsers(id))).toEqual(['TOKEN_REVOKED']);
    const ended = await tenant.change('disconnect', { id });
    expect(ended).toMatchObject({ problems: [], connection: { status: 'DISCONNECTED' } });
    expect(app.simulator.requests).toHaveLength(before);
  });

  it('recovers by another token', async () => {
    const { id } = await tenant.connect();
    grantOf('business-admin').isRevoked = true;
    await tenant.readUsers(id);

    const { connection } = await tenant.change('replaceToken', { id, token: tenant.tokenOf('business-owner') });

    expect(connection?.status).toBe('ACTIVE');
    expect(openIssues(connection)).toEqual([]);
    expect((await tenant.readUsers(id)).errors).toBeUndefined();
  });

  it('has one diagnosis at a time, and an issue that is met again keeps its beginning', async () => {
    const { id } = await tenant.connect();
    rank('member');
    const first = await tenant.change('verifyConnection', { id });
    const again = await tenant.change('verifyConnection', { id });
    expect(again.connection?.issues).toEqual(first.connection?.issues);

    grantOf('business-admin').isRevoked = true;
    const { connection } = await tenant.change('verifyConnection', { id });

    expect(openIssues(connection)).toEqual(['TOKEN_REVOKED']);
    expect(connection?.issues).toHaveLength(2);
  });

  it('asks Slack once for the cause when many calls meet the dead token at once', async () => {
    const { id } = await tenant.connect();
    grantOf('business-admin').isRevoked = true;
    app.simulator.faults.add({ kind: 'latency', ms: 50, match: { path: '/scim/v2/Users' }, times: 'always' });

    const answers = await Promise.all(Array.from({ length: 10 }, () => tenant.readUsers(id)));

    expect(answers.map(codeOf)).toEqual(answers.map(() => ['TOKEN_REVOKED']));
    expect((await tenant.read(id))?.issues).toHaveLength(1);
  });

  it('is degraded while Slack does not answer, is still tried, and recovers by the next success', async () => {
    const { id } = await tenant.connect();
    app.simulator.faults.add({ kind: 'status', status: 503, times: 'always' });

    expect(codeOf(await tenant.readUsers(id))).toEqual(['UPSTREAM_UNAVAILABLE']);
    expect(await tenant.read(id)).toMatchObject({
      status: 'DEGRADED',
      issues: [{ code: 'UPSTREAM_UNAVAILABLE', resolvedAt: null }],
    });
    const before = app.simulator.requests.length;
    const { connection, problems } = await tenant.change('verifyConnection', { id });
    expect(problems).toMatchObject([{ code: 'UPSTREAM_UNAVAILABLE', retryable: true }]);
    expect(connection?.status).toBe('DEGRADED');
    expect(app.simulator.requests.length).toBeGreaterThan(before);

    app.simulator.faults.clear();
    expect((await tenant.readUsers(id)).errors).toBeUndefined();
    const recovered = await tenant.read(id);
    expect(recovered?.status).toBe('ACTIVE');
    expect(openIssues(recovered)).toEqual([]);
  });

  it('stays degraded when a call is refused here, before Slack is asked', async () => {
    const { id } = await tenant.connect();
    app.simulator.faults.add({ kind: 'status', status: 503, times: 'always' });
    await tenant.readUsers(id);
    const before = app.simulator.requests.length;

    const guest = { connectionId: id, user: { email: 'guest@example.com', guest: {} } };
    expect((await tenant.changeUser('provisionUser', guest)).problems).toMatchObject([{ code: 'GUEST_NOT_ALLOWED' }]);

    expect(app.simulator.requests).toHaveLength(before);
    expect((await tenant.read(id))?.status).toBe('DEGRADED');
  });

  it('keeps needing a person when Slack goes down on top of it', async () => {
    const { id } = await tenant.connect();
    rank('member');
    await tenant.readUsers(id);
    app.simulator.faults.add({ kind: 'html502', match: { path: '/api/auth.test' }, times: 'always' });

    const { connection } = await tenant.change('verifyConnection', { id });
    expect(connection?.status).toBe('REAUTHORIZATION_REQUIRED');
    expect(openIssues(connection)).toEqual(['INSTALLER_LOST_RIGHTS', 'UPSTREAM_UNAVAILABLE']);
  });

  it('fails with a word and not with a defect once the gateway runs without its environment', async () => {
    const { id } = await tenant.connect();
    const env = { ROLLCALL_DATA_DIR: app.directory, ROLLCALL_PORT: '0', ROLLCALL_SANDBOX: 'off' };
    let bare: App | undefined;
    await app.app.stop();
    try {
      bare = await startApp(loadConfig(env), { logger: createLogger('silent') });
      const query = 'query ($id: ID!) { connection(id: $id) { status users { totalCount } } }';
      const mutation = 'mutation ($id: ID!) { verifyConnection(input: { id: $id }) { problems { code message } } }';
      const answers = await Promise.all(
        [query, mutation].map(async (text) => {
          const headers = { 'content-type': 'application/json', authorization: `Bearer ${tenant.key}` };
          const body = JSON.stringify({ query: text, variables: { id } });
          const response = await fetch(`${bare?.url}/graphql`, { method: 'POST', headers, body });
          return response.text();
        }),
      );
      for (const answer of answers) expect(answer).toContain('This gateway runs without the environment SANDBOX.');
    } finally {
      await bare?.stop();
      await app.restart();
    }
  });
});
