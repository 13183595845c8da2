import { type Answer, bearerToken, type Call } from '../call';
import type { AppContext } from '../oauth/app-context';
import { appsUninstall, authTeamsList } from '../oauth/app-methods';
import { oauthAccess, oauthExchange } from '../oauth/oauth-methods';
import { isObject } from '../scim/value';
import { digestOf } from '../world/derivation';
import type { RefreshToken } from '../world/oauth-records';
import type { TokenGrant } from '../world/token';
import { authRevoke, authTest } from './auth-methods';
import { WebApiError } from './web-api-error';

export interface WebApiRequest {
  readonly context: AppContext;
  /** Form or JSON body merged over the query, as texts. */
  readonly params: ReadonlyMap<string, string>;
  /** The Authorization header. */
  readonly authorization: string | undefined;
  /** The token as presented: header first, then body. */
  readonly token: string | undefined;
  /** What the presented token stands for, alive or not. */
  readonly grant: TokenGrant | undefined;
}

interface WebApiMethod {
  /** Sent as `x-accepted-oauth-scopes`. */
  readonly acceptedScopes: readonly string[];
  readonly isWrite: boolean;
  run(request: WebApiRequest): object;
}

/** The methods of the Web API that exist here. Each answers HTTP 200, with `ok: false` when it refuses (OAuth §8, documented). */
const methods: ReadonlyMap<string, WebApiMethod> = new Map([
  ['auth.test', { acceptedScopes: [], isWrite: false, run: authTest }],
  ['auth.revoke', { acceptedScopes: [], isWrite: true, run: authRevoke }],
  ['auth.teams.list', { acceptedScopes: [], isWrite: false, run: authTeamsList }],
  ['oauth.v2.access', { acceptedScopes: [], isWrite: true, run: oauthAccess }],
  ['oauth.v2.exchange', { acceptedScopes: [], isWrite: true, run: oauthExchange }],
  ['apps.uninstall', { acceptedScopes: [], isWrite: true, run: appsUninstall }],
]);

/** Whether an answer says that a method changed something. */
export function isAppliedWrite({ path }: Call, { body }: Answer): boolean {
  const isWrite = methods.get(path.slice('/api/'.length))?.isWrite ?? false;
  return isWrite && isObject(body) && body.ok === true;
}

/** The refresh token that a call wants to exchange, alive or not. */
export function refreshTokenOf({ world }: AppContext, call: Call): RefreshToken | undefined {
  const text = call.path === '/api/oauth.v2.access' ? readParams(call).get('refresh_token') : undefined;
  return text === undefined ? undefined : world.oauth.refreshTokens.get(digestOf(text));
}

/** Answers one call below `/api/`. */
export function answerWebApi(context: AppContext, call: Call): Answer {
  const params = readParams(call);
  const token = bearerToken(call) ?? params.get('token');
  const grant = context.tokens.grantOf(context.world, token);
  const method = methods.get(call.path.slice('/api/'.length));
  const headers = scopeHeaders(grant, method);
  try {
    if (!method) throw new WebApiError('unknown_method');
    if (call.method !== 'GET' && call.method !== 'POST') throw new WebApiError('invalid_post_type');
    return {
      status: 200,
      headers,
      body: method.run({ context, params, authorization: call.headers.authorization, token, grant }),
    };
  } catch (error) {
    if (error instanceof WebApiError) return { status: error.status, headers, body: { ok: false, error: error.code } };
    throw error;
  }
}

/** On every answer to a known token (OAuth §7, documented); separated by a comma alone. */
function scopeHeaders(grant: TokenGrant | undefined, method: WebApiMethod | undefined): Record<string, string> {
  if (!grant) return {};
  return {
    'x-oauth-scopes': grant.scopes.join(','),
    ...(method ? { 'x-accepted-oauth-scopes': method.acceptedScopes.join(',') } : {}),
  };
}

/** Tokens in a query string are not looked at: they fail for newer apps (OAuth §5, reported). */
function readParams({ query, headers, body }: Call): ReadonlyMap<string, string> {
  const params = new Map([...query].filter(([name]) => name !== 'token'));
  const type = headers['content-type'] ?? '';
  if (type.includes('json')) {
    for (const [name, value] of Object.entries(parseJson(body))) if (isPlain(value)) params.set(name, String(value));
  } else if (type.includes('x-www-form-urlencoded')) {
    for (const [name, value] of new URLSearchParams(body)) params.set(name, value);
  }
  return params;
}

function parseJson(body: string): object {
  try {
    const parsed: unknown = JSON.parse(body);
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
