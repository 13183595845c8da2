import type { AppContext } from './app-context';
import { isRegisteredRedirect } from './redirect-url';

/** What an authorize URL asks for, checked (OAuth §2). */
export interface AuthorizeRequest {
  readonly redirectUri: string;
  readonly isRedirectUriStated: boolean;
  readonly state: string | null;
  readonly userScopes: readonly string[];
  readonly botScopes: readonly string[];
  readonly challenge: string | null;
  /** Preselects a place; otherwise without meaning. */
  readonly teamId: string | null;
}

/** A refusal that the person sees, as Slack shows it on a page of its own (OAuth §2, reported). */
export class AuthorizeRefusal extends Error {
  readonly code: string;
  readonly explanation: string;

  constructor(code: string, explanation: string) {
    super(code);
    this.name = 'AuthorizeRefusal';
    this.code = code;
    this.explanation = explanation;
  }
}

/**
 * The client and the way back to it. These come first: while they are in doubt, nobody is sent anywhere.
 * @throws AuthorizeRefusal `invalid_client_id` or `bad_redirect_uri`
 */
export function redirectOf(
  { app, switches }: AppContext,
  query: URLSearchParams,
): Pick<AuthorizeRequest, 'redirectUri' | 'isRedirectUriStated' | 'state'> {
  if (query.get('client_id') !== app.clientId) {
    throw new AuthorizeRefusal('invalid_client_id', 'The client_id of this link belongs to no app.');
  }
  const stated = query.get('redirect_uri');
  // Without one, the first registered URL is taken (documented).
  const redirectUri = stated ?? switches.redirectUrls[0];
  if (redirectUri === undefined || !isRegisteredRedirect(redirectUri, switches)) {
    throw new AuthorizeRefusal('bad_redirect_uri', 'The redirect_uri did not match any configured URIs of the app.');
  }
  return { redirectUri, isRedirectUriStated: stated !== null, state: query.get('state') };
}

/**
 * Everything else that an authorize URL says.
 * @throws AuthorizeRefusal `invalid_scope`, or with a name that is assumed: `no_scopes`, `pkce_not_allowed`,
 * `invalid_code_challenge`
 */
export function parseAuthorizeRequest(context: AppContext, query: URLSearchParams): AuthorizeRequest {
  const { switches } = context;
  const redirect = redirectOf(context, query);
  const userScopes = scopesOf(query.get('user_scope'), switches.userScopes);
  const botScopes = scopesOf(query.get('scope'), switches.botScopes);
  if (userScopes.length + botScopes.length === 0) {
    throw new AuthorizeRefusal('no_scopes', 'The app asks for no permission at all.');
  }
  const challenge = query.get('code_challenge');
  if (challenge !== null && !switches.pkce) {
    throw new AuthorizeRefusal('pkce_not_allowed', 'The app has not opted in to PKCE.');
  }
  const isChallenge = query.get('code_challenge_method') === 'S256' && /^[A-Za-z0-9_-]{43}$/.test(challenge ?? '');
  if (challenge !== null && !isChallenge) {
    throw new AuthorizeRefusal('invalid_code_challenge', 'A code challenge is the unpadded SHA-256 under method S256.');
  }
  return { ...redirect, userScopes, botScopes, challenge, teamId: query.get('team') };
}

function scopesOf(text: string | null, allowed: readonly string[]): string[] {
  const scopes = (text ?? '').split(',').map((scope) => scope.trim());
  const unique = [...new Set(scopes.filter((scope) => scope !== ''))];
  const unknown = unique.find((scope) => !allowed.includes(scope));
  if (unknown !== undefined) {
    throw new AuthorizeRefusal('invalid_scope', `Invalid permissions requested: ${unknown}`);
  }
  return unique;
}
