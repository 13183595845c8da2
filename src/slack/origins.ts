import type { ConnectionEnvironment } from '../domain/connections/connection';
import { ConnectionNotReady } from '../domain/errors';

/** Base URLs without a slash at the end. A base may carry a path, for a Slack that sits behind a prefix. */
export interface SlackOrigin {
  /** Web API methods lie under `<web>/api/`, the consent page at `<web>/oauth/v2/authorize`. */
  readonly web: string;
  /** SCIM resources lie under `<scim>/scim/v2/`. */
  readonly scim: string;
}

export type SlackOrigins = { readonly [Environment in ConnectionEnvironment]?: SlackOrigin };

/** Slack's own addresses. The sandbox has none of its own: its address is known once it has started. */
export const slackOrigins = {
  LIVE: { web: 'https://slack.com', scim: 'https://api.slack.com' },
  GOV: { web: 'https://slack-gov.com', scim: 'https://api.slack-gov.com' },
} as const satisfies SlackOrigins;

/** @throws ConnectionNotReady when this gateway runs without the environment, e.g. without the sandbox. */
export function originOf(origins: SlackOrigins, environment: ConnectionEnvironment): SlackOrigin {
  const origin = origins[environment];
  if (origin === undefined) {
    throw new ConnectionNotReady(`This gateway runs without the environment ${environment}.`, {
      remedy: 'Ask its operator to switch the environment on.',
    });
  }
  return origin;
}

/**
 * @param query values are percent-encoded, a blank as %20: not every SCIM server reads `+` as a blank, and an address
 * such as `a+b@example.com` must keep its plus sign.
 */
export function scimUrl(origin: SlackOrigin, path: string, query: Readonly<Record<string, string>> = {}): string {
  const text = Object.entries(query)
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
    .join('&');
  return `${withoutTrailingSlash(origin.scim)}/scim/v2${path}${text === '' ? '' : `?${text}`}`;
}

export function webApiUrl(origin: SlackOrigin, method: string): string {
  return `${withoutTrailingSlash(origin.web)}/api/${method}`;
}

/** The consent page. */
export function authorizePageUrl(origin: SlackOrigin): string {
  return `${withoutTrailingSlash(origin.web)}/oauth/v2/authorize`;
}

function withoutTrailingSlash(base: string): string {
  return base.endsWith('/') ? base.slice(0, -1) : base;
}
