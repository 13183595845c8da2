import { OAUTH_CALLBACK_PATH } from '../domain/slack-oauth-port';

/**
 * App manifests as Slack's "Create an app from a manifest" takes them (OAuth §13). The rest of an app's settings, client id
 * and secrets among them, Slack makes itself.
 */

const name = 'Rollcall';
/** Provisioning takes this one scope of a user. An app cannot be offered to an organization without a bot scope. */
const scopes = { user: ['admin'], bot: ['team:read'] };
const lifecycleEvents = ['app_uninstalled', 'tokens_revoked', 'team_access_granted', 'team_access_revoked'];

/** The app of a gateway, installed by its customers over OAuth. @param publicUrl without a slash at the end */
export function gatewayAppManifest(publicUrl: string): object {
  return {
    ...common('Lets your company manage the people in its Slack from its own systems.'),
    oauth_config: { redirect_urls: [`${publicUrl}${OAUTH_CALLBACK_PATH}`], scopes },
    settings: {
      event_subscriptions: { request_url: `${publicUrl}/slack/events`, bot_events: lifecycleEvents },
      ...commonSettings,
      token_rotation_enabled: true,
    },
  };
}

/**
 * A customer's own app whose token is pasted: nobody comes back from Slack, so it has no redirect URL; and without rotation,
 * since a pasted token cannot be refreshed by somebody who does not have the app's secret.
 */
export function tokenAppManifest(): object {
  return {
    ...common('Gives Rollcall a token with which it manages people in Slack.'),
    oauth_config: { scopes },
    settings: { ...commonSettings, token_rotation_enabled: false },
  };
}

function common(description: string): object {
  return {
    _metadata: { major_version: 2, minor_version: 1 },
    display_information: { name, description },
    features: { bot_user: { display_name: name, always_online: false } },
  };
}

const commonSettings = {
  interactivity: { is_enabled: false },
  org_deploy_enabled: true,
  socket_mode_enabled: false,
};
