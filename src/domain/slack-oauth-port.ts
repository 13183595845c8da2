import type { Secret } from '../shared/secret';
import type { ConnectionEnvironment, InstallLevel } from './connections/connection';
import type { UpstreamCall } from './ports';

/** Where Slack's consent page sends people back to, below the public address of this gateway. */
export const OAUTH_CALLBACK_PATH = '/api/auth/callback/slack';

/** A user token as oauth.v2.access or oauth.v2.exchange gave it. */
export interface GrantedToken {
  readonly secret: Secret;
  /** Absent when the app does not rotate its tokens. For one use. */
  readonly refreshToken?: Secret;
  /** Counted from before the call. */
  readonly expiresAt?: Date;
  /** Empty when Slack does not say: then they are what they were before. */
  readonly grantedScopes: readonly string[];
  /** undefined when the answer names nobody: then it is who it was before. */
  readonly userSlackId?: string;
  readonly appSlackId?: string;
}

/** What an installation granted. */
export interface OAuthGrant {
  readonly token: GrantedToken & { readonly userSlackId: string };
  readonly installLevel: InstallLevel;
  /** The organization (E…) for an organization install, otherwise the workspace (T…). */
  readonly teamKey: string;
  readonly workspace?: { readonly slackId: string; readonly name?: string };
  readonly organization?: { readonly slackId: string; readonly name?: string };
  /** Present when a bot scope was granted too. Nothing here uses it; it is ended together with a grant that is refused. */
  readonly bot?: { readonly secret: Secret; readonly refreshToken?: Secret };
}

/**
 * Slack's OAuth, for the app that this gateway is at Slack.
 *
 * Every method but `isAvailable` throws ConnectionNotReady when the gateway has no app in the environment.
 */
export interface SlackOAuth {
  /** Whether the gateway has an app there: client id and secret are configured. */
  isAvailable(environment: ConnectionEnvironment): boolean;
  /** Slack's id of the app, where it is known. */
  appSlackId(environment: ConnectionEnvironment): string | undefined;
  /** @param teamHint a workspace to preselect; Slack ignores it unless the person is signed in there. */
  authorizeUrl(environment: ConnectionEnvironment, options: { state: Secret; teamHint?: string }): string;
  /**
   * Exchanges a code, once: it is never sent a second time.
   * @throws InstallRefused (start again, or an admin must act), AppCredentialsRefused, MISSING_SCOPES ConnectionProblem when no user
   * token was granted, RateLimited, UpstreamUnavailable (also when the answer was lost), UpstreamRejected
   */
  exchangeCode(environment: ConnectionEnvironment, code: Secret, call: UpstreamCall): Promise<OAuthGrant>;
  /**
   * Exchanges a refresh token. When the answer is lost it is sent once more, at once, to be within the grace period.
   * @throws GrantLost when Slack does not know the refresh token (any more), AppCredentialsRefused, RateLimited,
   * UpstreamUnavailable (the token may have been spent), UpstreamRejected
   */
  refresh(environment: ConnectionEnvironment, refreshToken: Secret, call: UpstreamCall): Promise<GrantedToken>;
  /**
   * Moves a long-lived token into rotation (oauth.v2.exchange). Slack does it once for each token, and ends the old one
   * after the new pair's first refresh.
   * @throws as refresh, and InvalidInput when Slack refuses: not this app's, exchanged already, or the app does not rotate.
   */
  exchangeLongLived(environment: ConnectionEnvironment, token: Secret, call: UpstreamCall): Promise<GrantedToken>;
}
