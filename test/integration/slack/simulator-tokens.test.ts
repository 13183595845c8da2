import { type Simulated, startSimulated } from './simulated';

describe('tokens at the simulated Slack', () => {
  let slack: Simulated;
  beforeAll(async () => {
    slack = await startSimulated();
  });
  afterAll(() => slack.stop());
  beforeEach(() => slack.simulator.reset());

  function identify(name: Parameters<Simulated['token']>[0]) {
    return slack.run(slack.edge.webApi.identify('SANDBOX', slack.token(name), slack.call()));
  }

  it('are identified: a workspace user, an organization owner, a rotating token, a bot', async () => {
    await expect(identify('business-admin')).resolves.toMatchObject({
      kind: 'USER',
      grantedScopes: ['admin'],
      teamName: 'Northwind',
      isOrganizationInstall: false,
      organizationSlackId: undefined,
    });
    const owner = await identify('enterprise-owner');
    expect(owner).toMatchObject({ kind: 'USER', isOrganizationInstall: true });
    expect(owner.organizationSlackId).toMatch(/^E/);
    await expect(identify('business-rotating')).resolves.toMatchObject({ expiresAt: expect.any(Date) });
    await expect(identify('business-bot')).resolves.toMatchObject({ kind: 'BOT' });
    await expect(identify('enterprise-workspace')).resolves.toMatchObject({
      isOrganizationInstall: false,
      organizationSlackId: owner.organizationSlackId,
    });
    await expect(identify('business-scopeless')).resolves.toMatchObject({
      grantedScopes: expect.not.arrayContaining(['admin']),
    });
  });

  it.each([
    ['revoked', ['TOKEN_REVOKED', 'INVALID_TOKEN']],
    ['expired', ['TOKEN_EXPIRED']],
    ['deactivated-installer', ['INSTALLER_LOST_RIGHTS', 'TOKEN_REVOKED']],
  ] as const)('that are dead say why: %s', async (name, codes) => {
    const error = await identify(name).catch((cause: unknown) => cause);
    expect(codes).toContain((error as { code: string }).code);
  });

  it.each([
    ['business-bot', ['REAUTHORIZATION_REQUIRED']],
    ['business-scopeless', ['REAUTHORIZATION_REQUIRED', 'MISSING_SCOPES']],
    ['demoted-installer', ['REAUTHORIZATION_REQUIRED']],
    ['revoked', ['REAUTHORIZATION_REQUIRED']],
    ['enterprise-workspace', ['WRONG_INSTALL_LEVEL']],
    ['pro-admin', ['PLAN_TOO_LOW']],
  ] as const)('that SCIM refuses give a problem of the connection: %s', async (name, codes) => {
    for (const badTokenAnswer of ['invalid_authentication', 'unsupported_version'] as const) {
      slack.simulator.switches.badTokenAnswer = badTokenAnswer;
      const error = await slack.run(slack.client(name).probe(slack.call())).catch((cause: unknown) => cause);
      expect(codes).toContain((error as { code: string }).code);
    }
  });

  it('end when they are revoked, also twice', async () => {
    const revoke = () => slack.run(slack.edge.webApi.revoke('SANDBOX', slack.token('business-admin'), slack.call()));
    await revoke();
    await revoke();
    await expect(identify('business-admin')).rejects.toMatchObject({ code: expect.stringMatching(/TOKEN/) });
    await expect(slack.run(slack.client().probe(slack.call()))).rejects.toMatchObject({
      code: 'REAUTHORIZATION_REQUIRED',
    });
  });
});
