import type { Place } from '../world/oauth-records';
import type { Organization } from '../world/organization';
import { mayAdminister, type Person, rankLevel } from '../world/person';
import type { AppContext } from './app-context';
import { AuthorizeRefusal, type AuthorizeRequest } from './authorize-request';
import { placesOf } from './place';

export interface Installer {
  readonly organization: Organization;
  readonly person: Person;
}

/** @throws AuthorizeRefusal for somebody who cannot sign in: unknown, deactivated or a bot. */
export function findInstaller({ world, clock }: AppContext, personId: string): Installer {
  for (const organization of world.organizations.values()) {
    organization.settle(clock.now());
    const person = organization.people.get(personId);
    if (person?.active && person.rank !== 'bot') return { organization, person };
  }
  throw new AuthorizeRefusal('invalid_person', 'There is nobody with this id who could sign in.');
}

/**
 * What can be said once it is known who asks.
 * @throws AuthorizeRefusal `invalid_team_for_non_distributed_app` (documented), or with an assumed name.
 */
export function assertMayAsk({ switches }: AppContext, request: AuthorizeRequest, installer: Installer): void {
  const { organization, person } = installer;
  // The app belongs to the Enterprise organization, inside which its distribution is private (OAuth §11, documented).
  if (!switches.publicDistribution && !organization.isEnterprise) {
    throw new AuthorizeRefusal(
      'invalid_team_for_non_distributed_app',
      'This app is not distributed: it can be installed in its own organization only.',
    );
  }
  if (!organization.isEnterprise && request.userScopes.some((scope) => scope.startsWith('admin.'))) {
    throw new AuthorizeRefusal('enterprise_required', 'This app can only be installed by Enterprise customers.');
  }
  const asksForAdmin = request.userScopes.includes('admin');
  if (asksForAdmin && switches.adminScopeForMembers === 'refused' && !mayAdminister(person)) {
    throw new AuthorizeRefusal('admin_required', 'Only owners and admins can give the permission "admin".');
  }
}

/**
 * What can be said once it is known where to.
 * @throws AuthorizeRefusal `no_bot_scopes_requested` (reported, U6), or with an assumed name.
 */
export function placeFor(
  { switches }: AppContext,
  request: AuthorizeRequest,
  { organization, person }: Installer,
  placeId: string,
): Place {
  if (!placesOf(organization).some(({ id }) => id === placeId)) {
    throw new AuthorizeRefusal('invalid_team', 'Choose one of the places in the menu.');
  }
  const isWhole = placeId === organization.id;
  const place = { organizationId: organization.id, workspaceId: isWhole ? null : placeId };
  if (!isWhole || !organization.isEnterprise) return place;
  if (!switches.orgDeploy) {
    throw new AuthorizeRefusal('org_deploy_not_enabled', 'This app cannot be installed on a whole organization.');
  }
  // OAuth §11, documented; admins may use SCIM all the same.
  if (rankLevel(person.rank) < rankLevel('owner')) {
    throw new AuthorizeRefusal('org_owner_required', 'Only an Org Owner can install an app on the organization.');
  }
  if (switches.orgInstallNeedsBotScope && request.botScopes.length === 0) {
    throw new AuthorizeRefusal('no_bot_scopes_requested', 'An app for a whole organization must ask for a bot scope.');
  }
  return place;
}

/** The user scopes that are shown and granted: fewer than asked for under two switches. */
export function grantableScopes({ switches }: AppContext, request: AuthorizeRequest, person: Person): string[] {
  return request.userScopes.filter(
    (scope) => !switches.withheldScopes.includes(scope) && (scope !== 'admin' || mayAdminister(person)),
  );
}
