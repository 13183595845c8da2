import type { WebApiRequest } from '../web-api/web-api.route';
import { WebApiError } from '../web-api/web-api-error';
import type { Actor, Authorization, AuthorizationCode } from '../world/oauth-records';
import { appBot } from './app-bot';
import { authenticateClient } from './client-credentials';
import { redeemCode } from './code';
import { type PlaceFacts, placeFacts } from './place';
import { exchange, type IssuedTokens, issueTokens, refresh } from './token-issuer';

/**
 * `oauth.v2.access` with both of its grants (OAuth §4 and §6, documented).
 * @throws WebApiError with a code of OAuth §4.5
 */
export function oauthAccess(request: WebApiRequest): object {
  const { params, context } = request;
  const grantType = params.get('grant_type') ?? 'authorization_code';
  const isPublicClient = context.switches.pkce && (grantType === 'refresh_token' || params.has('code_verifier'));
  authenticateClient(request, { isSecretOptional: isPublicClient });
  if (grantType === 'refresh_token') return refreshGrant(request);
  if (grantType !== 'authorization_code') throw new WebApiError('invalid_grant_type');
  return codeGrant(request);
}

function codeGrant({ params, context }: WebApiRequest): object {
  const code = redeemCode(context, {
    code: params.get('code') ?? '',
    redirectUri: params.get('redirect_uri'),
    verifier: params.get('code_verifier'),
  });
  if (code.userScopes.length === 0 && code.botScopes.length === 0) throw new WebApiError('no_scopes');
  const whole = { organizationId: code.place.organizationId, workspaceId: null };
  const isInsideInstalled = code.place.workspaceId !== null && context.world.oauth.isInstalled(whole);
  if (isInsideInstalled && context.switches.workspaceInstallOfOrgApp === 'refused') {
    throw new WebApiError('cannot_install_an_org_installed_app');
  }
  const person = context.world.organizations.get(code.place.organizationId)?.people.get(code.personId);
  if (!person?.active) throw new WebApiError('invalid_code');
  return {
    ok: true,
    app_id: context.app.appId,
    ...(code.botScopes.length > 0 ? botPart(context, code) : {}),
    authed_user: { id: code.personId, ...(code.userScopes.length > 0 ? userPart(context, code) : {}) },
    ...placeFacts(context.world, code.place),
  };
}

function userPart(context: WebApiRequest['context'], { place, personId, userScopes }: AuthorizationCode): object {
  // `identify` comes along without being asked for (OAuth §7, reported).
  const actor: Actor = { ...place, personId, kind: 'user' };
  const scopes = ['identify', ...userScopes, ...wholeScopes(context, actor)];
  const authorization = context.world.oauth.authorize({ ...actor, scopes: [...new Set(scopes)] });
  return tokenPart(context, authorization, issueTokens(context, authorization));
}

function botPart(context: WebApiRequest['context'], { place, botScopes }: AuthorizationCode): object {
  const bot = appBot(context, place.organizationId);
  const actor: Actor = { ...place, personId: bot.id, kind: 'bot' };
  const scopes = [...new Set([...botScopes, ...wholeScopes(context, actor)])];
  const authorization = context.world.oauth.authorize({ ...actor, scopes });
  return { ...tokenPart(context, authorization, issueTokens(context, authorization)), bot_user_id: bot.id };
}

/** What the organization install gave also holds inside its workspaces (OAuth §2, documented). */
function wholeScopes({ world }: WebApiRequest['context'], actor: Actor): readonly string[] {
  return world.oauth.authorizationOf({ ...actor, workspaceId: null })?.scopes ?? [];
}

/** Flat for bot and user alike (OAuth §6.2, documented and reported). */
function refreshGrant({ params, context }: WebApiRequest): object {
  try {
    const { authorization, tokens } = refresh(context, params.get('refresh_token') ?? '');
    return flatAnswer(context, authorization, tokens);
  } catch (error) {
    const isLost = error instanceof WebApiError && error.code === 'invalid_refresh_token';
    if (isLost && context.switches.refreshFailure === 'invalid_grant') throw new WebApiError('invalid_grant', 400);
    throw error;
  }
}

/**
 * `oauth.v2.exchange`: a rotating pair for a long-lived token, once (OAuth §6.1, documented).
 * @throws WebApiError `token_rotation_not_enabled`, `invalid_token`, `token_already_exchanged` or `authorization_not_found`
 */
export function oauthExchange(request: WebApiRequest): object {
  const { context, grant } = request;
  authenticateClient(request);
  if (!context.switches.tokenRotation) throw new WebApiError('token_rotation_not_enabled');
  if (!grant || grant.isRotating) throw new WebApiError('invalid_token');
  if (grant.isExchanged) throw new WebApiError('token_already_exchanged');
  const authorization = context.world.oauth.authorizationOf(grant);
  if (!authorization) throw new WebApiError('authorization_not_found');
  if (grant.isRevoked) throw new WebApiError('invalid_token');
  return flatAnswer(context, authorization, exchange(context, grant, authorization));
}

function flatAnswer(context: WebApiRequest['context'], authorization: Authorization, tokens: IssuedTokens): object {
  const { personId, kind } = authorization;
  const { refreshUserId } = context.switches;
  const user = refreshUserId === 'missing' ? {} : { [refreshUserId]: personId };
  const facts: PlaceFacts = placeFacts(context.world, authorization);
  return {
    ok: true,
    app_id: context.app.appId,
    ...tokenPart(context, authorization, tokens),
    ...(kind === 'bot' ? { bot_user_id: personId } : user),
    ...facts,
  };
}

function tokenPart(
  { switches }: WebApiRequest['context'],
  { scopes, kind }: Authorization,
  { accessToken, refreshToken, expiresInSeconds }: IssuedTokens,
): object {
  const shown = switches.identifyInScope ? scopes : scopes.filter((scope) => scope !== 'identify');
  return {
    scope: shown.join(','),
    token_type: kind,
    access_token: accessToken,
    ...(refreshToken === null ? {} : { refresh_token: refreshToken, expires_in: expiresInSeconds }),
  };
}
