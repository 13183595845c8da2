import { liveIdentity } from '../web-api/auth-methods';
import type { WebApiRequest } from '../web-api/web-api.route';
import { WebApiError } from '../web-api/web-api-error';
import { authenticateClient } from './client-credentials';
import { uninstall } from './revocation';

/**
 * `apps.uninstall` (OAuth §9, documented): ends the installation and all its tokens. There is one app, so the token and the
 * client always match.
 * @throws WebApiError `not_authed`, `invalid_client_id`, `bad_client_secret` or `no_permission`
 */
export function appsUninstall(request: WebApiRequest): object {
  const { grant } = liveIdentity(request);
  authenticateClient(request);
  // Bots with granular scopes may not.
  if (grant.kind === 'bot') throw new WebApiError('no_permission');
  uninstall(request.context, grant);
  return request.context.switches.uninstallAnswer === 'bare' ? { ok: true } : { ok: true, uninstalled: true };
}

/**
 * `auth.teams.list` (OAuth §10, documented): the workspaces that an organization install was added to, none at first.
 * @throws WebApiError `invalid_auth` for a token of a workspace, `invalid_limit` or `invalid_cursor`
 */
export function authTeamsList(request: WebApiRequest): object {
  const { grant, organization } = liveIdentity(request);
  if (!organization.isEnterprise || grant.workspaceId !== null) throw new WebApiError('invalid_auth');
  const { params, context } = request;
  const limit = Number(params.get('limit') ?? 100);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw new WebApiError('invalid_limit');
  const added = organization.workspaces.filter(({ id }) => context.world.oauth.addedTeamIds.has(id));
  const cursor = params.get('cursor') ?? '';
  const start = cursor === '' ? 0 : added.findIndex(({ id }) => cursorOf(id) === cursor);
  if (start === -1) throw new WebApiError('invalid_cursor');
  const next = added[start + limit];
  const hasIcon = /^(1|true)$/i.test(params.get('include_icon') ?? '');
  return {
    ok: true,
    teams: added.slice(start, start + limit).map(({ id, name }) => ({ id, name, ...(hasIcon ? { icon } : {}) })),
    response_metadata: { next_cursor: next ? cursorOf(next.id) : '' },
  };
}

const icon = { image_default: true, image_34: 'https://a.slack-edge.com/80588/img/avatars-teams/ava_0001-34.png' };

function cursorOf(teamId: string): string {
  return Buffer.from(`team:${teamId}`).toString('base64');
}
