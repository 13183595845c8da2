import { WebApiError } from '../web-api/web-api-error';
import { digestOf } from '../world/derivation';
import { type Authorization, isSameActor, type RefreshToken } from '../world/oauth-records';
import { rotatingLifetimeMs, type TokenGrant } from '../world/token';
import type { AppContext } from './app-context';
import { issuedLabel } from './token-mint';

/** At most so many access tokens of one authorization live at a time (OAuth §6.1, documented). */
const liveTokenLimit = 2;
/** Of refresh tokens of an app with PKCE (OAuth §2, documented). Others have no end. */
const publicClientRefreshLifetimeMs = 30 * 86_400_000;

export interface IssuedTokens {
  readonly accessToken: string;
  /** Null for a token that does not rotate. */
  readonly refreshToken: string | null;
  readonly expiresInSeconds: number | null;
}

/**
 * Tokens for an authorization that was just given. Without rotation there is one token for each authorization, so the person
 * who authorizes again gets the same one (OAuth §9).
 */
export function issueTokens(context: AppContext, authorization: Authorization): IssuedTokens {
  if (context.switches.tokenRotation) return issuePair(context, authorization, null);
  for (const grant of context.world.grants.values()) {
    if (grant.isRotating || grant.isRevoked || !isSameActor(grant, authorization)) continue;
    const text = context.mint.again(grant);
    if (text === undefined) continue;
    grant.scopes = authorization.scopes;
    return { accessToken: text, refreshToken: null, expiresInSeconds: null };
  }
  return { accessToken: addGrant(context, authorization, null), refreshToken: null, expiresInSeconds: null };
}

/**
 * Exchanges a refresh token. It works once, and again until its grace period ends: that gives another pair, and the refresh
 * token of the earlier one ends with the grace period (OAuth §0 U2 and U3, reported).
 * @throws WebApiError `invalid_refresh_token`
 */
export function refresh(context: AppContext, text: string): { authorization: Authorization; tokens: IssuedTokens } {
  const { world, switches, clock } = context;
  const token = world.oauth.refreshTokens.get(digestOf(text));
  const authorization = token && world.oauth.authorizationOf(token);
  const isAlive = token && isLive(token, clock.now()) && isPersonActive(context, token);
  if (!token || !authorization || !isAlive) throw new WebApiError('invalid_refresh_token');
  if (!token.isUsed) {
    token.isUsed = true;
    endBy(token, clock.now() + switches.refreshGraceMs);
    const replaced = token.replaces === null ? undefined : world.grants.get(token.replaces);
    if (replaced) replaced.isRevoked = true;
  }
  for (const digest of token.successors) {
    const earlier = world.oauth.refreshTokens.get(digest);
    if (earlier && token.endsAt !== null) endBy(earlier, token.endsAt);
  }
  const tokens = issuePair(context, authorization, null);
  if (tokens.refreshToken !== null) token.successors.push(digestOf(tokens.refreshToken));
  if (switches.refreshSendsEvent) context.events.tokensRevoked(authorization, [authorization]);
  return { authorization, tokens };
}

/** A rotating pair for a long-lived token, which lives on until the pair is first refreshed (OAuth §6.1, documented). */
export function exchange(context: AppContext, grant: TokenGrant, authorization: Authorization): IssuedTokens {
  grant.isExchanged = true;
  return issuePair(context, authorization, grant.name);
}

export function isLive({ endsAt }: RefreshToken, now: number): boolean {
  return endsAt === null || endsAt > now;
}

function issuePair(context: AppContext, authorization: Authorization, replaces: string | null): IssuedTokens {
  const { world, mint, clock, switches } = context;
  const accessToken = addGrant(context, authorization, clock.now() + rotatingLifetimeMs);
  endOldest(context, authorization);
  const name = `refresh-${nextNumber(context)}`;
  const refreshToken = mint.refreshToken(issuedLabel(name, clock.now()));
  const digest = digestOf(refreshToken);
  const { organizationId, workspaceId, personId, kind } = authorization;
  world.oauth.refreshTokens.set(digest, {
    digest,
    organizationId,
    workspaceId,
    personId,
    kind,
    endsAt: switches.pkce ? clock.now() + publicClientRefreshLifetimeMs : null,
    isUsed: false,
    successors: [],
    replaces,
  });
  return { accessToken, refreshToken, expiresInSeconds: rotatingLifetimeMs / 1000 };
}

function addGrant(context: AppContext, authorization: Authorization, expiresAt: number | null): string {
  const { world, mint, clock } = context;
  const { organizationId, workspaceId, personId, kind, scopes } = authorization;
  const isRotating = expiresAt !== null;
  const name = `issued-${nextNumber(context)}`;
  const issuedAt = clock.now();
  const text = mint.accessToken(issuedLabel(name, issuedAt), { kind, isRotating });
  const digest = digestOf(text);
  const place = { organizationId, workspaceId };
  world.addGrant({ name, digest, issuedAt, kind, isRotating, ...place, personId, scopes, isRevoked: false, expiresAt });
  return text;
}

function endOldest({ world, clock }: AppContext, authorization: Authorization): void {
  const live = [...world.grants.values()].filter(
    (grant) =>
      grant.isRotating && !grant.isRevoked && (grant.expiresAt ?? 0) > clock.now() && isSameActor(grant, authorization),
  );
  for (const grant of live.slice(0, -liveTokenLimit)) grant.isRevoked = true;
}

function isPersonActive({ world, clock }: AppContext, { organizationId, personId }: RefreshToken): boolean {
  const organization = world.organizations.get(organizationId);
  organization?.settle(clock.now());
  return organization?.people.get(personId)?.active === true;
}

function endBy(token: RefreshToken, instant: number): void {
  token.endsAt = Math.min(token.endsAt ?? instant, instant);
}

function nextNumber({ world }: AppContext): number {
  world.oauth.issuedTokens += 1;
  return world.oauth.issuedTokens;
}
