import type { InstallRefused } from '../domain/errors';

interface Explanation {
  readonly message: string;
  readonly remedy?: string;
}

/** What a code of Slack's means to an installation or a renewal. One row a code; `oauth-errors.ts` makes the errors of it. */
export type OAuthMeaning =
  | ({
      readonly as: 'INSTALL_REFUSED';
      readonly code: InstallRefused['code'];
      readonly canRetry: boolean;
    } & Explanation)
  | { readonly as: 'APP_CREDENTIALS' }
  | ({ readonly as: 'GRANT_LOST' | 'TOKEN_REFUSED' } & Explanation);

const BEGIN_AGAIN = 'Begin the installation again.';
const LIKE_THE_MANIFEST = 'The operator of this gateway must compare the settings of its Slack app with the manifest.';
const ASK_AN_ADMIN = 'Ask an Admin or Owner of Slack to approve the app, or to install it.';
const INSTALL_AGAIN = 'Install the app again to get tokens that are renewed.';

const appCredentials: OAuthMeaning = { as: 'APP_CREDENTIALS' };
const grantLost: OAuthMeaning = {
  as: 'GRANT_LOST',
  message: 'Slack does not accept the authorization of the person who installs: it ended meanwhile.',
  remedy: 'Begin the installation again, as an active Admin or Owner.',
};
const expired: OAuthMeaning = {
  as: 'INSTALL_REFUSED',
  code: 'INSTALL_EXPIRED',
  canRetry: true,
  message: 'This installation was finished already, or took longer than the ten minutes that Slack gives it.',
  remedy: BEGIN_AGAIN,
};
const startOver = (message: string, remedy = BEGIN_AGAIN): OAuthMeaning => {
  return { as: 'INSTALL_REFUSED', code: 'UPSTREAM_REJECTED', canRetry: true, message, remedy };
};
const misconfigured = (message: string, remedy = LIKE_THE_MANIFEST): OAuthMeaning => {
  return { as: 'INSTALL_REFUSED', code: 'UPSTREAM_REJECTED', canRetry: false, message, remedy };
};
const denied = (message: string, remedy: string, { canRetry = false } = {}): OAuthMeaning => {
  return { as: 'INSTALL_REFUSED', code: 'INSTALL_DENIED', canRetry, message, remedy };
};
const tokenRefused = (message: string, remedy: string): OAuthMeaning => ({ as: 'TOKEN_REFUSED', message, remedy });

/** The codes of oauth.v2.access and oauth.v2.exchange: those that Slack documents, and some that were only seen in the field. */
export const oauthCodes = {
  invalid_code: expired,
  code_already_used: expired,
  bad_redirect_uri: startOver(
    'Slack does not accept the address that the installation comes back to.',
    'Begin the installation again. If that does not help, the operator of this gateway must add its callback address to the "Redirect URLs" of the Slack app.',
  ),
  invalid_code_verifier: startOver('Slack does not accept the proof that this gateway began the installation.'),
  oauth_authorization_url_mismatch: startOver('The installation was begun at another address of Slack.'),
  invalid_client_id: appCredentials,
  bad_client_secret: appCredentials,
  client_id_token_mismatch: appCredentials,
  not_authed: appCredentials,
  // Either the credentials, or the app's list of IP addresses. A refresh token with that fate may be good all the same.
  invalid_auth: appCredentials,
  pkce_not_allowed: misconfigured('The Slack app of this gateway does not take the way in which it was asked.'),
  no_scopes: misconfigured('The Slack app of this gateway asks for no permission.'),
  invalid_scope: misconfigured(
    'The Slack app of this gateway may not ask for the permissions that provisioning needs.',
  ),
  invalid_team_for_non_distributed_app: misconfigured(
    'The Slack app of this gateway may be installed in its own team alone.',
    'The operator of this gateway must activate public distribution in the settings of its Slack app.',
  ),
  cannot_install_an_org_installed_app: denied(
    'The app is installed on the whole organization already, so it cannot be installed on one of its workspaces.',
    'Begin again and pick the organization (not a workspace) in the menu of the consent page.',
    { canRetry: true },
  ),
  user_email_unverified: denied(
    'Slack has not verified the e-mail address of the person who installs.',
    'Confirm the e-mail address in Slack, then begin the installation again.',
  ),
  access_denied: denied('Slack did not let the app be installed.', ASK_AN_ADMIN),
  no_permission: denied('The person who installs may not install this app.', ASK_AN_ADMIN),
  ekm_access_denied: denied(
    "The team's administrators have suspended access (key management).",
    'Ask an Admin of Slack, then begin the installation again.',
  ),
  two_factor_setup_required: denied(
    'The person who installs must set up two-factor authentication in Slack.',
    'Set it up, then begin the installation again.',
  ),
  invalid_refresh_token: grantLost,
  refresh_token_expired: grantLost,
  invalid_grant: grantLost,
  token_revoked: grantLost,
  token_expired: grantLost,
  account_inactive: grantLost,
  authorization_not_found: tokenRefused(
    'Slack knows no authorization behind this token, or it was not issued to the app of this gateway.',
    INSTALL_AGAIN,
  ),
  invalid_token: tokenRefused(
    'Slack does not exchange this token: it is none that lasts, it has ended, or it was not issued to the app of this gateway.',
    INSTALL_AGAIN,
  ),
  token_already_exchanged: tokenRefused(
    'Slack has exchanged this token before, and does so only once.',
    `${INSTALL_AGAIN} Until then the token goes on working.`,
  ),
  token_rotation_not_enabled: tokenRefused(
    'The Slack app of this gateway does not rotate its tokens.',
    'The operator of this gateway can opt in to token rotation under "OAuth & Permissions" of the Slack app. Slack does not let it be switched off again.',
  ),
} as const satisfies Record<string, OAuthMeaning>;

export function oauthMeaningOf(slackCode: string): OAuthMeaning | undefined {
  return Object.hasOwn(oauthCodes, slackCode) ? oauthCodes[slackCode as keyof typeof oauthCodes] : undefined;
}
