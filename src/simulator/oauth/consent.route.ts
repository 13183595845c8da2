import type { Answer, Call } from '../call';
import { pageHeaders } from '../page';
import type { Place } from '../world/oauth-records';
import type { AppContext } from './app-context';
import { AuthorizeRefusal, type AuthorizeRequest, parseAuthorizeRequest, redirectOf } from './authorize-request';
import { issueCode } from './code';
import { type Consent, consentPage, peoplePage, refusalPage, waitingPage } from './consent-page';
import { assertMayAsk, findInstaller, grantableScopes, placeFor } from './install-rules';

/**
 * Answers one call below `/oauth/`: the consent page of OAuth §2 and §3. A POST to the authorize URL with the form fields
 * `person`, `place` (a team or organization id) and `decision` (`allow` or `cancel`) is what the page's own form sends.
 */
export function answerConsent(context: AppContext, call: Call): Answer {
  if (call.path !== '/oauth/v2/authorize') {
    return refusal(new AuthorizeRefusal('not_found', 'There is no such page.'), 404);
  }
  try {
    if (call.method === 'GET') return show(context, call.query);
    if (call.method === 'POST') return decide(context, call);
    return refusal(new AuthorizeRefusal('invalid_method', 'This page is for browsers.'), 405);
  } catch (error) {
    if (!(error instanceof AuthorizeRefusal)) throw error;
    return refuse(context, call.query, error);
  }
}

function show(context: AppContext, query: URLSearchParams): Answer {
  const request = parseAuthorizeRequest(context, query);
  const personId = query.get('person');
  if (personId === null) return page(peoplePage(context, query));
  return page(consentPage(context, query, consentOf(context, request, personId)), request);
}

function decide(context: AppContext, { query, headers, body }: Call): Answer {
  const { origin, host } = headers;
  if (origin !== undefined && origin !== context.origin && origin !== `http://${host}`) {
    return refusal(new AuthorizeRefusal('invalid_origin', 'Another page must not decide for you.'), 403);
  }
  const form = new URLSearchParams(body);
  const request = parseAuthorizeRequest(context, query);
  const decision = form.get('decision');
  if (decision === 'cancel') {
    const description = 'The user has denied access to the scope(s) requested by the client application.';
    const { denialDescription } = context.switches;
    return goBack(request, {
      error: 'access_denied',
      ...(denialDescription ? { error_description: description } : {}),
    });
  }
  if (decision !== 'allow') throw new AuthorizeRefusal('invalid_decision', 'Choose Allow or Cancel.');
  const consent = consentOf(context, request, form.get('person') ?? query.get('person') ?? '');
  const place = placeFor(context, request, consent.installer, form.get('place') ?? '');
  if (context.switches.approvalRequired) return page(waitingPage(context), request);
  return goBack(request, { code: codeFor(context, consent, place) });
}

function consentOf(context: AppContext, request: AuthorizeRequest, personId: string): Consent {
  const installer = findInstaller(context, personId);
  assertMayAsk(context, request, installer);
  return { request, installer, userScopes: grantableScopes(context, request, installer.person) };
}

function codeFor(context: AppContext, { request, installer, userScopes }: Consent, place: Place): string {
  const { redirectUri, isRedirectUriStated, challenge, botScopes } = request;
  return issueCode(context, {
    clientId: context.app.clientId,
    redirectUri,
    isRedirectUriStated,
    challenge,
    place,
    personId: installer.person.id,
    userScopes,
    botScopes,
  });
}

function refuse(context: AppContext, query: URLSearchParams, error: AuthorizeRefusal): Answer {
  if (context.switches.authorizeErrors === 'page') return refusal(error, 400);
  try {
    return goBack(redirectOf(context, query), { error: error.code });
  } catch (doubt) {
    if (doubt instanceof AuthorizeRefusal) return refusal(error, 400);
    throw doubt;
  }
}

/** The state goes back as it came, and not at all when there was none (OAuth §3, documented). */
function goBack(
  { redirectUri, state }: Pick<AuthorizeRequest, 'redirectUri' | 'state'>,
  result: Record<string, string>,
): Answer {
  const target = new URL(redirectUri);
  for (const [name, value] of Object.entries(result)) target.searchParams.set(name, value);
  if (state !== null) target.searchParams.set('state', state);
  return { status: 302, headers: { location: target.href, 'cache-control': 'no-store' } };
}

function page(body: string, request?: AuthorizeRequest): Answer {
  return { status: 200, headers: pageHeaders(request ? [new URL(request.redirectUri).origin] : []), body };
}

/** The status is assumed: only the page was ever reported. */
function refusal(error: AuthorizeRefusal, status: number): Answer {
  return { status, headers: pageHeaders(), body: refusalPage(error) };
}
