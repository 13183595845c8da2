import { endAuthorizations } from '../oauth/revocation';
import { isLive } from '../oauth/token-issuer';
import { digestOf } from '../world/derivation';
import type { Organization } from '../world/organization';
import type { Person } from '../world/person';
import type { TokenGrant } from '../world/token';
import type { WebApiRequest } from './web-api.route';
import { WebApiError } from './web-api-error';

interface Identity {
  readonly grant: TokenGrant;
  readonly organization: Organization;
  readonly person: Person;
}

/**
 * The living grant behind a token.
 * @throws WebApiError `not_authed`, `invalid_auth`, `token_revoked`, `account_inactive` or `token_expired` (OAuth §8, documented;
 * a revoked bot token and a deactivated person are both "inactive").
 */
export function liveIdentity({ context, token, grant }: WebApiRequest): Identity {
  if (token === undefined) throw new WebApiError('not_authed');
  const organization = grant && context.world.organizations.get(grant.organizationId);
  organization?.settle(context.clock.now());
  const person = grant && organization?.people.get(grant.personId);
  if (!grant || !organization || !person) throw new WebApiError('invalid_auth');
  if (grant.isRevoked) throw new WebApiError(grant.kind === 'bot' ? 'account_inactive' : 'token_revoked');
  if (!person.active) throw new WebApiError('account_inactive');
  if (grant.expiresAt !== null && grant.expiresAt <= context.clock.now()) throw new WebApiError('token_expired');
  return { grant, organization, person };
}

/** `auth.test` in the shapes of OAuth §7: documented for workspaces; the `E…` team id of an organization install was reported. */
export function authTest(request: WebApiRequest): object {
  const { grant, organization, person } = liveIdentity(request);
  const workspace = organization.workspaces.find(({ id }) => id === grant.workspaceId);
  const team = workspace ?? organization;
  const isOrganization = team === organization && organization.isEnterprise;
  return {
    ok: true,
    url: isOrganization ? `https://${team.domain}.enterprise.slack.com/` : `https://${team.domain}.slack.com/`,
    team: team.name,
    user: person.userName,
    ...(isOrganization && request.context.switches.orgAuthTestTeamId === 'missing' ? {} : { team_id: team.id }),
    ...(organization.isEnterprise ? { enterprise_id: organization.id } : {}),
    user_id: person.id,
    ...(grant.kind === 'bot' ? { bot_id: `B${person.id.slice(1)}` } : {}),
    is_enterprise_install: isOrganization,
    ...(grant.expiresAt === null
      ? {}
      : { expires_in: Math.ceil((grant.expiresAt - request.context.clock.now()) / 1000) }),
  };
}

/**
 * `auth.revoke` (OAuth §9, documented): a token that does not rotate takes the person's whole authorization with it, which the
 * app is told; a rotating access or refresh token ends alone and in silence. With `test` nothing happens and `revoked` is
 * false (assumed).
 */
export function authRevoke(request: WebApiRequest): object {
  const { context, token, params } = request;
  const isTest = /^(1|true)$/i.test(params.get('test') ?? '');
  const refreshToken = token === undefined ? undefined : context.world.oauth.refreshTokens.get(digestOf(token));
  if (refreshToken) {
    if (!isLive(refreshToken, context.clock.now())) throw new WebApiError('invalid_auth');
    if (!isTest) refreshToken.endsAt = context.clock.now();
    return { ok: true, revoked: !isTest };
  }
  const { grant } = identifyForRevocation(request);
  if (isTest) return { ok: true, revoked: false };
  grant.isRevoked = true;
  const authorization = grant.isRotating ? undefined : context.world.oauth.authorizationOf(grant);
  if (authorization) endAuthorizations(context, authorization, [authorization]);
  return { ok: true, revoked: true };
}

/** A dead token is `invalid_auth` here, whatever ended it (OAuth §9, documented). */
function identifyForRevocation(request: WebApiRequest): Identity {
  if (request.token === undefined) throw new WebApiError('not_authed');
  try {
    return liveIdentity(request);
  } catch (error) {
    throw error instanceof WebApiError ? new WebApiError('invalid_auth') : error;
  }
}
