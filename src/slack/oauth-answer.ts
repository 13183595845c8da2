import type { GrantedToken, OAuthGrant } from '../domain/slack-oauth-port';
import { Secret } from '../shared/secret';
import { scopeList } from './web-api-answer';
import { flagIn, objectIn, textIn, type WireObject } from './wire';

/** What a code was exchanged for. `token` is missing when the person gave no user scope, or Slack withheld it. */
export type CodeAnswer = Omit<OAuthGrant, 'token'> & Partial<Pick<OAuthGrant, 'token'>>;

/** What the answer to a refresh or to oauth.v2.exchange holds. */
export type TokenAnswer = { readonly as: 'USER'; readonly token: GrantedToken } | { readonly as: 'OTHER_KIND' };

const botToken = /^(xoxe\.)?xoxb-/i;
/** Of every rotating token, where Slack should leave it out. */
const ROTATING_LIFETIME_SECONDS = 43_200;
/** A longer life is taken for a mistake. */
const LONGEST_LIFETIME_SECONDS = 10 * 366 * 24 * 60 * 60;

/**
 * Reads what oauth.v2.access gives for a code: installed on a workspace, on one inside an organization, or on the
 * organization. The user token is nested; what lies at the top belongs to the bot.
 * @param askedAt before the call, in milliseconds: Slack counts a token's life from some time after it.
 * @returns undefined when the answer does not tell where the app was installed, or who did it.
 */
export function readCodeAnswer(body: WireObject, askedAt: number): CodeAnswer | undefined {
  const place = placeIn(body);
  const user = objectIn(body, 'authed_user');
  const token = userTokenIn(user, { askedAt, appSlackId: textIn(body, 'app_id'), userSlackId: textIn(user, 'id') });
  if (place === undefined || (token !== undefined && token.userSlackId === undefined)) return undefined;
  const { userSlackId } = token ?? {};
  const bot = botIn(body);
  return {
    ...place,
    ...(token === undefined || userSlackId === undefined ? {} : { token: { ...token, userSlackId } }),
    ...(bot === undefined ? {} : { bot }),
  };
}

/**
 * Reads the flat answer to a refresh or to oauth.v2.exchange.
 * Where there is no user token at the top, a nested one counts: to throw away a pair that Slack has given would end the grant.
 * @returns undefined when the answer holds no whole pair.
 */
export function readTokenAnswer(body: WireObject, askedAt: number): TokenAnswer | undefined {
  const nested = objectIn(body, 'authed_user');
  const userSlackId = textIn(body, 'user_id') ?? textIn(body, 'id') ?? textIn(nested, 'id');
  const facts = { askedAt, appSlackId: textIn(body, 'app_id'), userSlackId };
  const tokens = [userTokenIn(body, facts), userTokenIn(nested, facts)];
  const pair = tokens.find((token) => token?.refreshToken !== undefined);
  if (pair !== undefined) return { as: 'USER', token: pair };
  return tokens.every((token) => token === undefined) && textIn(body, 'access_token') !== undefined
    ? { as: 'OTHER_KIND' }
    : undefined;
}

interface TokenFacts {
  readonly askedAt: number;
  readonly appSlackId: string | undefined;
  readonly userSlackId: string | undefined;
}

function userTokenIn(part: WireObject, { askedAt, appSlackId, userSlackId }: TokenFacts): GrantedToken | undefined {
  const secret = textIn(part, 'access_token');
  if (secret === undefined || botToken.test(secret)) return undefined;
  if ((textIn(part, 'token_type') ?? 'user').toLowerCase() !== 'user') return undefined;
  const refreshToken = textIn(part, 'refresh_token');
  const expiresInSeconds = lifetimeIn(part) ?? (refreshToken === undefined ? undefined : ROTATING_LIFETIME_SECONDS);
  return {
    secret: new Secret(secret),
    ...(refreshToken === undefined ? {} : { refreshToken: new Secret(refreshToken) }),
    ...(expiresInSeconds === undefined ? {} : { expiresAt: new Date(askedAt + expiresInSeconds * 1000) }),
    grantedScopes: scopeList(textIn(part, 'scope') ?? ''),
    ...(userSlackId === undefined ? {} : { userSlackId }),
    ...(appSlackId === undefined ? {} : { appSlackId }),
  };
}

function lifetimeIn(part: WireObject): number | undefined {
  const seconds = Number(textIn(part, 'expires_in') ?? Number.NaN);
  return seconds > 0 && seconds <= LONGEST_LIFETIME_SECONDS ? seconds : undefined;
}

function botIn(body: WireObject): OAuthGrant['bot'] {
  const secret = textIn(body, 'access_token');
  if (secret === undefined || textIn(body, 'token_type')?.toLowerCase() === 'user') return undefined;
  const refreshToken = textIn(body, 'refresh_token');
  return {
    secret: new Secret(secret),
    ...(refreshToken === undefined ? {} : { refreshToken: new Secret(refreshToken) }),
  };
}

/** An organization that is named does not make it an organization's install: workspaces inside name theirs. */
function placeIn(body: WireObject): Omit<OAuthGrant, 'token' | 'bot'> | undefined {
  const workspace = teamIn(body, 'team');
  const organization = teamIn(body, 'enterprise');
  const isOrganizationInstall =
    flagIn(body, 'is_enterprise_install') ?? (workspace === undefined && organization !== undefined);
  if (!isOrganizationInstall) {
    if (workspace === undefined) return undefined;
    return {
      installLevel: 'WORKSPACE',
      teamKey: workspace.slackId,
      workspace,
      ...(organization === undefined ? {} : { organization }),
    };
  }
  if (organization === undefined) return undefined;
  return { installLevel: 'ORGANIZATION', teamKey: organization.slackId, organization };
}

function teamIn(body: WireObject, key: string): { slackId: string; name?: string } | undefined {
  const team = objectIn(body, key);
  const slackId = textIn(team, 'id');
  const name = textIn(team, 'name');
  return slackId === undefined ? undefined : { slackId, ...(name === undefined ? {} : { name }) };
}
