import type { Actor, Place } from '../world/oauth-records';

/** Takes what happened to an installation, and lets the app know in its own time. */
export interface EventSink {
  tokensRevoked(place: Place, actors: readonly Actor[]): void;
  appUninstalled(place: Place): void;
  /** An organization install was added to a workspace, or taken away from it. */
  teamAccessChanged(place: Place, change: 'granted' | 'revoked', teamIds: readonly string[]): void;
}
