import { GrantVerifier } from '../../../src/domain/connections/grant-verifier.service';
import { Secret } from '../../../src/shared/secret';
import { type Simulated, startSimulated } from './simulated';

let slack: Simulated;
beforeAll(async () => {
  slack = await startSimulated();
});
afterAll(() => slack.stop());
beforeEach(() => slack.simulator.reset());

type TokenName = keyof Simulated['simulator']['tokens'];

async function diagnose(token: Secret): Promise<unknown> {
  const verifier = new GrantVerifier(slack.edge.webApi, slack.edge.directory);
  return slack.run(verifier.verify('SANDBOX', token, slack.call())).catch((error: unknown) => error);
}

describe('what is wrong with a grant', () => {
  it.each<[TokenName, string, RegExp]>([
    [
      'demoted-installer',
      'INSTALLER_LOST_RIGHTS',
      /^The account of \S+ \([UW]\w+\), .* is active .* no longer an Admin/,
    ],
    [
      'deactivated-installer',
      'INSTALLER_LOST_RIGHTS',
      /^The account of the person who installed the app is deactivated/,
    ],
    ['revoked', 'TOKEN_REVOKED', /^The token was ended in Slack: somebody removed the app/],
    ['expired', 'TOKEN_EXPIRED', /^The token was good for a limited time/],
    ['pro-admin', 'PLAN_TOO_LOW', /Business\+/],
    ['business-bot', 'WRONG_TOKEN_KIND', /bot token/],
    ['business-scopeless', 'MISSING_SCOPES', /admin/],
    [
      'enterprise-workspace',
      'WRONG_INSTALL_LEVEL',
      /^Installed on the workspace Acme \w+ \(T\w+\), .* organization E\w+\.$/,
    ],
  ])('is said in words: %s', async (name, code, detail) => {
    expect(await diagnose(slack.token(name))).toMatchObject({ code, detail: expect.stringMatching(detail) });
  });

  it('is said in words: a token that Slack does not know, or an address that it does not let in', async () => {
    expect(await diagnose(new Secret('xoxp-unknown'))).toMatchObject({
      code: 'INVALID_TOKEN',
      detail: expect.stringMatching(/Allowed IP Address Ranges/),
    });
  });

  it('is nothing for one that can provision', async () => {
    expect(await diagnose(slack.token('business-admin'))).toMatchObject({ installLevel: 'WORKSPACE' });
  });
});
