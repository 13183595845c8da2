import type { ConnectionEnvironment } from '../domain/connections/connection';
import type { SlackEvent } from '../domain/install-ports';

type Body = Readonly<Record<string, unknown>>;

/** Ids of Slack's teams and people; anything else in their place is no id. */
const idPattern = /^[A-Z][A-Z0-9]{1,31}$/;
const eventIdPattern = /^[\w-]{1,100}$/;
const typePattern = /^[a-z_]{1,64}$/;
const MOST_PEOPLE = 5_000;

/**
 * Takes from an `event_callback` what is acted on; ids and one instant. No token and no text of a person is in it.
 * @returns undefined when it names no event or no team, so that nothing could come of it.
 * @see OAuth §12.2 and §12.3
 */
export function readEvent(
  envelope: Body,
  { environment, receivedAt }: { environment: ConnectionEnvironment; receivedAt: Date },
): SlackEvent | undefined {
  const id = textOf(envelope.event_id, eventIdPattern);
  const inner = innerOf(envelope.event);
  const type = textOf(inner.type, typePattern);
  const { teamSlackId, organizationSlackId } = placeOf(envelope);
  if (id === undefined || type === undefined || (teamSlackId ?? organizationSlackId) === undefined) return undefined;
  return {
    id,
    environment,
    type,
    teamSlackId,
    organizationSlackId,
    userSlackIds: idsOf(bodyOf(inner.tokens).oauth),
    occurredAt: instantOf(envelope.event_time) ?? receivedAt,
    receivedAt,
  };
}

/** Slack's sample of the team_access events has a whole envelope where the event should be (U15). */
function innerOf(event: unknown): Body {
  const body = bodyOf(event);
  return body.type === 'event_callback' ? bodyOf(body.event) : body;
}

/**
 * An event about an organization install may name the organization as `team_id`, or no team at all (U7). The envelope
 * may also leave both to `authorizations`.
 */
function placeOf(envelope: Body): Pick<SlackEvent, 'teamSlackId' | 'organizationSlackId'> {
  const [authorization] = Array.isArray(envelope.authorizations) ? envelope.authorizations : [];
  const { team_id: authorizedTeam, enterprise_id: authorizedOrganization } = bodyOf(authorization);
  const team = textOf(envelope.team_id, idPattern) ?? textOf(authorizedTeam, idPattern);
  const organization = textOf(envelope.enterprise_id, idPattern) ?? textOf(authorizedOrganization, idPattern);
  if (!team?.startsWith('E')) return { teamSlackId: team, organizationSlackId: organization };
  return { teamSlackId: undefined, organizationSlackId: organization ?? team };
}

function idsOf(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  const ids = list.slice(0, MOST_PEOPLE).map((entry) => textOf(entry, idPattern));
  return [...new Set(ids.filter((id) => id !== undefined))];
}

/** @param seconds since the epoch */
function instantOf(seconds: unknown): Date | undefined {
  if (!Number.isSafeInteger(seconds)) return undefined;
  const instant = new Date(Number(seconds) * 1000);
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}

function textOf(value: unknown, pattern: RegExp): string | undefined {
  return typeof value === 'string' && pattern.test(value) ? value : undefined;
}

function bodyOf(value: unknown): Body {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
