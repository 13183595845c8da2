import type { AppContext } from './app-context';
import { placeById } from './place';
import { endAuthorizations, uninstall } from './revocation';

// What people do in Slack's own pages, without the app (OAuth §9 "Revocation without us" and §10).

/**
 * An owner removes the app.
 * @param placeId a workspace or an organization.
 * @throws RangeError when the app is not installed there.
 */
export function removeApp(context: AppContext, placeId: string): void {
  const place = placeById(context.world, placeId);
  if (!place || !context.world.oauth.isInstalled(place)) throw new RangeError('The app is not installed there');
  uninstall(context, place);
}

/**
 * A person takes back what they allowed, in every place.
 * @throws RangeError when there is nothing to take back.
 */
export function takeBackGrants(context: AppContext, personId: string): void {
  const gone = context.world.oauth.authorizations.filter((known) => known.personId === personId);
  if (gone.length === 0) throw new RangeError('This person has allowed the app nothing');
  for (const authorization of gone) endAuthorizations(context, authorization, [authorization]);
}

/**
 * An organization's admin adds an organization install to a workspace, or takes it away.
 * @throws RangeError for anything but a workspace of an organization on which the app is installed.
 */
export function setTeamAccess(context: AppContext, teamId: string, isAdded: boolean): void {
  const { world, events } = context;
  const place = placeById(world, teamId);
  const whole = place && { organizationId: place.organizationId, workspaceId: null };
  if (!whole || place.workspaceId === null || !world.oauth.isInstalled(whole)) {
    throw new RangeError('Only a workspace of an organization that has the app can be added or taken away');
  }
  const { addedTeamIds } = world.oauth;
  if (addedTeamIds.has(teamId) === isAdded) return;
  if (isAdded) addedTeamIds.add(teamId);
  else addedTeamIds.delete(teamId);
  events.teamAccessChanged(whole, isAdded ? 'granted' : 'revoked', [teamId]);
}
