import type { EventSink } from '../events/event-sink';
import type { SlackContext } from '../scim/scim-request';
import type { SlackApp } from './slack-app';
import type { TokenMint } from './token-mint';

/** What the Web API and the consent page work on: more than SCIM, which knows no app. */
export interface AppContext extends SlackContext {
  readonly app: SlackApp;
  readonly mint: TokenMint;
  /** Where the app hears of what happened to it. */
  readonly events: EventSink;
}
