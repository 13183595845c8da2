import type { ConnectionEnvironment } from '../domain/connections/connection';
import { Secret } from '../shared/secret';

/** The app that this gateway is at one Slack. Read anew for every call: a secret may be replaced while the process runs. */
export interface SlackApp {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly signingSecret: Secret;
  /** A…; answers and events name it. */
  readonly appId?: string | undefined;
}

export type SlackApps = { readonly [Environment in ConnectionEnvironment]?: SlackApp | undefined };

/** What the pages of a Slack app show. */
export interface ShownCredentials {
  readonly appId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly signingSecret: string;
}

/** An app whose credentials may change, as a simulated one's do. */
export function slackAppOf(shown: () => ShownCredentials): SlackApp {
  return {
    get clientId() {
      return shown().clientId;
    },
    get clientSecret() {
      return new Secret(shown().clientSecret);
    },
    get signingSecret() {
      return new Secret(shown().signingSecret);
    },
    get appId() {
      return shown().appId;
    },
  };
}
