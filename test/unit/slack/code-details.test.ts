import { ConnectionProblem } from '../../../src/domain/connections/connection-problem';
import { detailOf } from '../../../src/slack/code-details';
import { refusalError, webApiError } from '../../../src/slack/errors';
import { scimCodes, webApiCodes } from '../../../src/slack/slack-codes';
import { readRefusal } from '../../../src/slack/wire';

const listing = { kind: 'READ_LIST', isAboutGuest: false } as const;
const scimError = (detail: string) => refusalError(readRefusal(401, { detail, status: 401 }), listing);
const problems = [
  ...Object.keys(webApiCodes).map((code) => [code, webApiError(code, 200)] as const),
  ...Object.keys(scimCodes).map((code) => [code, scimError(code)] as const),
].filter((entry): entry is [string, ConnectionProblem] => entry[1] instanceof ConnectionProblem);

describe('what is said about a refusal of a grant', () => {
  it('is said for each of them', () => {
    expect(problems.length).toBeGreaterThan(12);
  });

  it.each(problems)('is a sentence of its own, with the word of Slack at its end: %s', (code, { detail }) => {
    expect(detail).toMatch(/^[A-Z].{30,}\. Slack's word for it: [a-z_]+\.$/);
    expect(detail).toContain(`: ${code}.`);
    expect(detail).not.toMatch(/^Slack refuses the token\./);
  });

  it('tells what has ended from what ran out, and a deactivated installer from a demoted one', () => {
    expect(webApiError('token_revoked', 200)).toMatchObject({ detail: expect.stringMatching(/ended in Slack/) });
    expect(webApiError('token_expired', 200)).toMatchObject({ detail: expect.stringMatching(/time is over/) });
    expect(webApiError('account_inactive', 200)).toMatchObject({ detail: expect.stringMatching(/deactivated/) });
    expect(scimError('permission_denied')).toMatchObject({ detail: expect.not.stringMatching(/deactivated/) });
  });

  it('points to the list of IP addresses where Slack does not tell it from an unknown token', () => {
    expect(webApiError('invalid_auth', 200)).toMatchObject({ detail: expect.stringMatching(/Allowed IP Address/) });
  });

  it('keeps a word that is new, and says so when there is none', () => {
    expect(detailOf('brand_new', 401)).toBe("Slack refuses the token. Slack's word for it: brand_new.");
    expect(detailOf('unknown', 401)).toBe('Slack refuses the token and gives no reason (HTTP 401).');
    expect(detailOf('constructor', 401)).toContain('constructor');
  });
});
