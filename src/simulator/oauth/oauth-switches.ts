/** Switches of the app, its installation, its tokens and its events. Sections and U numbers are those of the OAuth reference. */
export interface OAuthSwitches {
  /** The app's tokens rotate (§6). Slack cannot turn it off again; here it can, as each installation may differ. */
  tokenRotation: boolean;
  /** The app may be installed on organizations as a whole (§11). */
  orgDeploy: boolean;
  /** PKCE is on: a public client whose refresh tokens live for 30 days (§2, documented). */
  pkce: boolean;
  /** Without it the app belongs to the Enterprise organization, and all others get `invalid_team_for_non_distributed_app`. */
  publicDistribution: boolean;
  /** Registered redirect URLs; a requested one equals one of them or lies below it (§2, documented). */
  redirectUrls: readonly string[];
  /** Loopback URLs whose path is one of the known callbacks are registered as well (U13). */
  loopbackRedirects: boolean;
  /** User scopes that the app may ask for. */
  userScopes: readonly string[];
  /** Bot scopes that the app may ask for. */
  botScopes: readonly string[];
  /** An organization install without a bot scope gets `no_bot_scopes_requested` (U6). */
  orgInstallNeedsBotScope: boolean;
  /** Scopes that the consent page and the grant leave out although they were asked for (§11, reported). */
  withheldScopes: readonly string[];
  /** What becomes of the scope `admin` when a member asks for it (§11; neither is documented). */
  adminScopeForMembers: 'refused' | 'withheld';
  /** An administrator must approve the app first, so Allow leads to a waiting page (§3). */
  approvalRequired: boolean;
  /** Cancel redirects with `error_description` (§3, reported both ways). */
  denialDescription: boolean;
  /** Where refusals of the consent page go: on a page, or back to the app when its redirect URL is good (U12). */
  authorizeErrors: 'page' | 'redirect';
  /** What a used code gets (U1). */
  codeReplayError: 'invalid_code' | 'code_already_used';
  /** A workspace install after an organization install adds up its scopes (§2, documented), or is refused (§4.5). */
  workspaceInstallOfOrgApp: 'allowed' | 'refused';
  /** The `scope` of an answer names `identify` as well (§7, reported). */
  identifyInScope: boolean;
  /** How long a used refresh token still works, by the simulator's clock (U2). */
  refreshGraceMs: number;
  /** What a dead refresh token gets: HTTP 200, or HTTP 400 (U14). */
  refreshFailure: 'invalid_refresh_token' | 'invalid_grant';
  /** Where a refresh answer for a user token names the person (U4). */
  refreshUserId: 'user_id' | 'id' | 'missing';
  /** A refresh sends `tokens_revoked` (U9). */
  refreshSendsEvent: boolean;
  /** `team_id` of `auth.test` for an organization install (U5). */
  orgAuthTestTeamId: 'enterprise' | 'missing';
  /** Whether the answer of `apps.uninstall` has `uninstalled` (U11). */
  uninstallAnswer: 'uninstalled' | 'bare';
  /** What the app has subscribed to (U8). */
  subscribedEvents: readonly string[];
  /** `team_id` of an event about an organization install (U7). */
  orgEventTeamId: 'missing' | 'null' | 'enterprise';
  /** Events carry `authorizations` (§12.2: may be missing on lifecycle events). */
  eventAuthorizations: boolean;
  /** Body of `team_access_granted` and `team_access_revoked` (U15). */
  teamAccessEvent: 'flat' | 'nested';
  /** How many more times each event is sent after it was taken. */
  eventDuplicates: number;
  /** Events of one cause arrive in the opposite order (§12.3: neither is guaranteed). */
  eventsReversed: boolean;
  /** Time until an event is first sent, by the simulator's clock. */
  eventDelayMs: number;
  /** Real time in which an event must be answered (§12.5, documented). */
  eventTimeoutMs: number;
  /** Seconds by which the clock of signatures is ahead, or behind when negative (U17). */
  eventClockSkewSeconds: number;
}

const lifecycleEvents = ['app_uninstalled', 'tokens_revoked', 'team_access_granted', 'team_access_revoked'];

export const defaultOAuthSwitches: Readonly<OAuthSwitches> = {
  tokenRotation: true,
  orgDeploy: true,
  pkce: false,
  publicDistribution: true,
  redirectUrls: [],
  loopbackRedirects: true,
  userScopes: ['admin', 'admin.users:read', 'admin.users:write', 'admin.teams:read', 'team:read', 'users:read'],
  botScopes: ['team:read', 'users:read', 'users:read.email', 'chat:write'],
  orgInstallNeedsBotScope: true,
  withheldScopes: [],
  adminScopeForMembers: 'refused',
  approvalRequired: false,
  denialDescription: true,
  authorizeErrors: 'page',
  codeReplayError: 'invalid_code',
  workspaceInstallOfOrgApp: 'allowed',
  identifyInScope: false,
  refreshGraceMs: 60_000,
  refreshFailure: 'invalid_refresh_token',
  refreshUserId: 'user_id',
  refreshSendsEvent: false,
  orgAuthTestTeamId: 'enterprise',
  uninstallAnswer: 'uninstalled',
  subscribedEvents: lifecycleEvents,
  orgEventTeamId: 'missing',
  eventAuthorizations: true,
  teamAccessEvent: 'flat',
  eventDuplicates: 0,
  eventsReversed: false,
  eventDelayMs: 0,
  eventTimeoutMs: 3_000,
  eventClockSkewSeconds: 0,
};

export const oauthChoices: Partial<Record<keyof OAuthSwitches, readonly unknown[]>> = {
  adminScopeForMembers: ['refused', 'withheld'],
  authorizeErrors: ['page', 'redirect'],
  codeReplayError: ['invalid_code', 'code_already_used'],
  workspaceInstallOfOrgApp: ['allowed', 'refused'],
  refreshFailure: ['invalid_refresh_token', 'invalid_grant'],
  refreshUserId: ['user_id', 'id', 'missing'],
  orgAuthTestTeamId: ['enterprise', 'missing'],
  uninstallAnswer: ['uninstalled', 'bare'],
  orgEventTeamId: ['missing', 'null', 'enterprise'],
  teamAccessEvent: ['flat', 'nested'],
};
