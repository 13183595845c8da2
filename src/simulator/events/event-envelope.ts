import { placeFacts } from '../oauth/place';
import type { SlackApp } from '../oauth/slack-app';
import type { Switches } from '../switches';
import type { Actor, Place } from '../world/oauth-records';
import type { World } from '../world/world';

/** The inner part of an event; `event_ts` comes with the envelope. */
export interface EventFacts {
  readonly type: string;
  readonly tokens?: { readonly oauth: readonly string[]; readonly bot: readonly string[] };
  readonly team_ids?: readonly string[];
}

/** Lists hold ids of people and bots, not tokens (OAuth §12.3, documented). */
export function tokensRevokedEvent(actors: readonly Actor[]): EventFacts {
  const idsOf = (kind: Actor['kind']) => actors.filter((actor) => actor.kind === kind).map(({ personId }) => personId);
  return { type: 'tokens_revoked', tokens: { oauth: idsOf('user'), bot: idsOf('bot') } };
}

export interface EnvelopeFacts {
  readonly world: World;
  readonly app: SlackApp;
  readonly switches: Readonly<Switches>;
  readonly place: Place;
  /** Whose installation it was, if that can be said. */
  readonly actor: Actor | undefined;
  readonly eventId: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** One event as it is sent (OAuth §12.2, documented). */
export function envelope(inner: EventFacts, facts: EnvelopeFacts): object {
  const { world, app, switches, place, actor, eventId, now } = facts;
  const { team, enterprise, is_enterprise_install } = placeFacts(world, place);
  const eventTime = Math.floor(now / 1000);
  const teamId = team ? { team_id: team.id } : wholeTeamId(switches, enterprise?.id);
  const enterpriseId = enterprise ? { enterprise_id: enterprise.id } : {};
  const authorization = {
    enterprise_id: enterprise?.id ?? null,
    team_id: team?.id ?? null,
    user_id: actor?.personId ?? null,
    is_bot: actor?.kind === 'bot',
    is_enterprise_install,
  };
  const outer = {
    token: app.verificationToken,
    ...teamId,
    ...enterpriseId,
    api_app_id: app.appId,
  };
  const event = { ...inner, event_ts: `${eventTime}.${String(now % 1000).padStart(3, '0')}100` };
  const isNested = switches.teamAccessEvent === 'nested' && inner.team_ids !== undefined;
  return {
    ...outer,
    event: isNested ? { ...outer, event, type: 'event_callback' } : event,
    type: 'event_callback',
    event_id: eventId,
    event_time: eventTime,
    ...(switches.eventAuthorizations ? { authorizations: [authorization] } : {}),
    is_ext_shared_channel: false,
  };
}

function wholeTeamId({ orgEventTeamId }: Readonly<Switches>, enterpriseId: string | undefined): object {
  if (orgEventTeamId === 'missing') return {};
  return { team_id: orgEventTeamId === 'null' ? null : enterpriseId };
}
