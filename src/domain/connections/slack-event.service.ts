import { aFewAtATime } from '../../shared/a-few-at-a-time';
import type { Clock } from '../../shared/clock';
import { newId } from '../../shared/ids';
import type { Logger } from '../../shared/logger';
import { requestContext } from '../../shared/request-context';
import type { Caller } from '../access/access';
import { backgroundCaller } from '../access/background-caller';
import { NotFound, StillRunning } from '../errors';
import type { SlackEvent } from '../install-ports';
import type { Database } from '../ports';
import type { AccessToken, Connection } from './connection';
import type { CheckedConnection, ConnectionService } from './connection.service';
import { type ConnectionHealth, endedTokenCodes } from './connection-health.service';
import { ConnectionProblem } from './connection-problem';

/** Events after which a grant may be another than it was. All others are none of this gateway's business. */
export const handledEventTypes: readonly string[] = [
  'tokens_revoked',
  'app_uninstalled',
  'team_access_granted',
  'team_access_revoked',
  'grid_migration_finished',
];

/**
 * How much older than the token an event may be and still count. An event that passed the signature check comes from a clock
 * that is at most five minutes off ours. To look once too often costs one call; to overlook a revocation that came right
 * after a reinstall would leave it unnoticed until the next check.
 */
const CLOCK_TOLERANCE_MS = 5 * 60_000;
const MOST_AT_ONCE = 100;
const TEAMS_AT_A_TIME = 4;
const LEASE_MS = 120_000;
/** For one connection. */
const LONGEST_CHECK_MS = 30_000;
/** A token that is replaced in the moment of a check is looked at again; more often than this it is no coincidence. */
const CHECK_ROUNDS = 3;
/** While Slack does not answer, an event is kept for as long; then the check of the connection takes over. */
const TRIED_FOR_MS = 60 * 60_000;

export interface SlackEventServiceParts {
  readonly database: Database;
  readonly connections: ConnectionService;
  readonly health: ConnectionHealth;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Acts on Slack's lifecycle events. They are hints, late ones and repeated ones among them, in any order: whatever an event says,
 * it only leads to a check of the connections that it concerns, and what Slack answers to that check is what counts.
 * @see OAuth §12.4
 */
export class SlackEventService {
  readonly #owner = newId('own');

  constructor(private readonly parts: SlackEventServiceParts) {}

  /** Keeps an event for `handlePending`. @returns false when it is known already: Slack sends one again when in doubt. */
  accept(event: SlackEvent): Promise<boolean> {
    return this.parts.database.transaction((stores) => stores.slackEvents.insert(event));
  }

  /** Handles what is kept, oldest first within a team. An event that could not be handled stays for the next round. */
  async handlePending(signal: AbortSignal): Promise<void> {
    const pending = await this.listPending();
    const byTeam = new Map<string, SlackEvent[]>();
    for (const event of pending) {
      // Those of one team one after the other: a removal of the app is several events about the same connection.
      const team = `${event.environment}:${event.organizationSlackId ?? event.teamSlackId}`;
      byTeam.set(team, [...(byTeam.get(team) ?? []), event]);
    }
    await aFewAtATime(byTeam.values(), TEAMS_AT_A_TIME, async (events) => {
      for (const event of events) {
        if (signal.aborted) return;
        await requestContext.run({ requestId: newId('evt') }, () => this.handleAlone(event, signal));
      }
    });
  }

  private listPending(): Promise<SlackEvent[]> {
    return this.parts.database.read((stores) => stores.slackEvents.listPending(MOST_AT_ONCE));
  }

  /** By one replica at a time. Never rejects. */
  private async handleAlone(event: SlackEvent, signal: AbortSignal): Promise<void> {
    const { database, logger, clock } = this.parts;
    const lease = `event:${event.id}`;
    try {
      const isOurs = await database.transaction((stores) => stores.leases.acquire(lease, this.#owner, LEASE_MS));
      if (!isOurs) return;
      try {
        // Another replica may have handled it since it was listed.
        const isPending = (await this.listPending()).some(({ id }) => id === event.id);
        if (isPending && (await this.handle(event, signal))) {
          await database.transaction((stores) => stores.slackEvents.markHandled(event.id, new Date(clock.now())));
        }
      } finally {
        await database.transaction((stores) => stores.leases.release(lease, this.#owner));
      }
    } catch (error) {
      if (!signal.aborted) logger.warn({ eventId: event.id, err: error }, 'an event could not be handled yet');
    }
  }

  /** @returns whether nothing is left to do. */
  private async handle(event: SlackEvent, signal: AbortSignal): Promise<boolean> {
    const { database, logger, clock } = this.parts;
    const { id: eventId, type, environment, teamSlackId, organizationSlackId, userSlackIds } = event;
    const teams = [teamSlackId, organizationSlackId].filter((team) => team !== undefined);
    const connections = await database.read((stores) => stores.connections.listByTeams(environment, teams));
    // The lists name people and bots; a bot's token is none of ours.
    const concerned = connections.filter(
      ({ installer }) => type !== 'tokens_revoked' || !installer || userSlackIds.includes(installer.slackId),
    );
    const outcomes: boolean[] = [];
    for (const connection of concerned) outcomes.push(await this.look(connection, event, signal));
    const isOld = clock.now() - event.receivedAt.getTime() > TRIED_FOR_MS;
    const isDone = isOld || outcomes.every((isSettled) => isSettled);
    logger.info({ eventId, type, environment, connections: concerned.length, isDone }, 'looked into an event of Slack');
    return isDone;
  }

  /** @returns whether it is known now how the connection is. */
  private async look(connection: Connection, event: SlackEvent, signal: AbortSignal): Promise<boolean> {
    for (let round = 0; round < CHECK_ROUNDS; round += 1) {
      try {
        return await this.check(connection, event, signal);
      } catch (error) {
        if (error instanceof NotFound) return true;
        if (!(error instanceof StillRunning)) throw error;
      }
    }
    return false;
  }

  private async check(connection: Connection, event: SlackEvent, signal: AbortSignal): Promise<boolean> {
    const { database, connections, clock } = this.parts;
    const { id, tenantId } = connection;
    const { tenant, token } = await database.read(async (stores) => ({
      tenant: await stores.tenants.find(tenantId),
      token: (await stores.tokens.listLatest([id])).at(0),
    }));
    if (!tenant || !token || isOlder(event, token)) return true;
    if (token.status !== 'ACTIVE') return this.nameCause(connection, event);
    const requestId = requestContext.getStore()?.requestId ?? event.id;
    const caller: Caller = backgroundCaller(tenant, {
      requestId,
      signal,
      deadlineAt: clock.now() + LONGEST_CHECK_MS,
    });
    return this.conclude(await connections.verify(caller, id), event);
  }

  private async conclude({ connection, problem }: CheckedConnection, event: SlackEvent): Promise<boolean> {
    if (!problem) return true;
    if (problem.retryable) return false;
    return this.nameCause(connection, event);
  }

  /** A token that is seen to have ended may have ended with its app; only the event can tell. */
  private async nameCause(connection: Connection, event: SlackEvent): Promise<boolean> {
    if (event.type !== 'app_uninstalled') return true;
    if (connection.teamKey !== (event.teamSlackId ?? event.organizationSlackId)) return true;
    const open = await this.parts.database.read((stores) =>
      stores.issues.list(connection.id, { includeResolved: false }),
    );
    if (!open.some(({ code }) => endedTokenCodes.includes(code))) return true;
    await this.parts.health.recordFailure(connection, new ConnectionProblem('APP_UNINSTALLED'));
    return true;
  }
}

/** What happened before the token was given to us, or was last renewed, did not end it. */
function isOlder({ occurredAt }: SlackEvent, { createdAt, refreshedAt }: AccessToken): boolean {
  const since = Math.max(createdAt.getTime(), refreshedAt?.getTime() ?? 0);
  return occurredAt.getTime() < since - CLOCK_TOLERANCE_MS;
}
