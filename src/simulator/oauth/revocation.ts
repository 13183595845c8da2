import { type Authorization, isSameActor, isSamePlace, type Place } from '../world/oauth-records';
import type { AppContext } from './app-context';

/** Ends authorizations of one place with all their tokens, and tells the app (OAuth §9 and §12.3, documented). */
export function endAuthorizations(context: AppContext, place: Place, gone: readonly Authorization[]): void {
  if (gone.length === 0) return;
  const { world, clock, events } = context;
  const isGone = (actor: Authorization) => gone.some((authorization) => isSameActor(authorization, actor));
  for (const grant of world.grants.values()) if (isGone(grant)) grant.isRevoked = true;
  for (const token of world.oauth.refreshTokens.values()) {
    if (gone.some((authorization) => isSameActor(authorization, token))) token.endsAt = clock.now();
  }
  world.oauth.remove(gone);
  events.tokensRevoked(place, gone);
  if (world.oauth.isInstalled(place)) return;
  if (place.workspaceId === null) {
    for (const { id } of world.organizations.get(place.organizationId)?.workspaces ?? []) {
      world.oauth.addedTeamIds.delete(id);
    }
  }
  events.appUninstalled(place);
}

/** Removes the app from a place: every grant of everybody there. */
export function uninstall(context: AppContext, place: Place): void {
  const gone = context.world.oauth.authorizations.filter((known) => isSamePlace(known, place));
  endAuthorizations(context, place, gone);
}
