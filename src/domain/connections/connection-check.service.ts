import { aFewAtATime } from '../../shared/a-few-at-a-time';
import type { Clock } from '../../shared/clock';
import { newId } from '../../shared/ids';
import type { Logger } from '../../shared/logger';
import { requestContext } from '../../shared/request-context';
import { backgroundCaller } from '../access/background-caller';
import type { Database } from '../ports';
import type { Connection, ConnectionId, ConnectionStatus } from './connection';
import type { ConnectionService } from './connection.service';
import { DEGRADED_CHECK_MS, REAUTHORIZATION_CHECK_MS } from './connection-health.service';

const MOST_AT_ONCE = 50;
const CHECKS_AT_A_TIME = 4;
const LEASE_MS = 60_000;
/** For one connection; what needs longer says that Slack does not answer. */
const LONGEST_CHECK_MS = 30_000;
/** Share by which a wait is longer or shorter, so that the connections of a busy hour do not stay together for ever. */
const JITTER = 0.2;

export interface ConnectionCheckServiceParts {
  readonly database: Database;
  readonly connections: ConnectionService;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  /** How often a connection that works is checked. */
  readonly checkEveryMs: number;
}

/**
 * Checks connections without anybody asking, so that a lost right is known before the next write meets it, and so is its return.
 * Events of Slack come at best effort only (OAuth §12.4 rule 6).
 */
export class ConnectionCheckService {
  readonly #owner = newId('own');

  constructor(private readonly parts: ConnectionCheckServiceParts) {}

  /** Checks what is due. PAUSED and DISCONNECTED connections are never due. */
  async checkDue(signal: AbortSignal): Promise<void> {
    for (;;) {
      const due = await this.listDue();
      await aFewAtATime(due, CHECKS_AT_A_TIME, async (connection) => {
        if (signal.aborted) return;
        await requestContext.run({ requestId: newId('chk') }, () => this.checkAlone(connection, signal));
      });
      if (due.length < MOST_AT_ONCE || signal.aborted) return;
      // The rest is asked for again only when this batch has left the list, or a failing database would be asked for ever.
      const remaining = new Set((await this.listDue()).map(({ id }) => id));
      if (due.every(({ id }) => remaining.has(id))) return;
    }
  }

  private listDue(): Promise<Connection[]> {
    const now = new Date(this.parts.clock.now());
    return this.parts.database.read((stores) => stores.connections.listDueForCheck(now, MOST_AT_ONCE));
  }

  /** By one replica at a time. Never rejects. */
  private async checkAlone({ id }: Connection, signal: AbortSignal): Promise<void> {
    const { database, logger } = this.parts;
    const lease = `check:${id}`;
    try {
      const isOurs = await database.transaction((stores) => stores.leases.acquire(lease, this.#owner, LEASE_MS));
      if (!isOurs) return;
      try {
        // Another replica may have checked it since it was listed.
        const connection = (await this.listDue()).find((due) => due.id === id);
        if (connection) await this.check(connection, signal);
      } finally {
        await database.transaction((stores) => stores.leases.release(lease, this.#owner));
      }
    } catch (error) {
      if (!signal.aborted) logger.warn({ connectionId: id, err: error }, 'a connection could not be checked');
    }
  }

  private async check(connection: Connection, signal: AbortSignal): Promise<void> {
    const { clock, checkEveryMs } = this.parts;
    // Somebody else saw it work not long ago: a person, or the installation.
    const restedMs = clock.now() - (connection.lastVerifiedAt?.getTime() ?? 0);
    if (connection.status === 'ACTIVE' && restedMs < checkEveryMs * (1 - JITTER)) {
      await this.schedule(connection.id, checkEveryMs - restedMs);
      return;
    }
    let status: ConnectionStatus = connection.status;
    try {
      status = await this.verify(connection, signal);
    } catch (error) {
      if (signal.aborted) return;
      // It comes up again like one that Slack did not answer for, and does not stay in front of all others.
      await this.schedule(connection.id, DEGRADED_CHECK_MS);
      throw error;
    }
    await this.schedule(connection.id, intervalOf(status, checkEveryMs));
  }

  private async verify(connection: Connection, signal: AbortSignal): Promise<ConnectionStatus> {
    const { database, connections, clock, logger } = this.parts;
    const { id, tenantId } = connection;
    const { tenant, token } = await database.read(async (stores) => ({
      tenant: await stores.tenants.find(tenantId),
      token: await stores.tokens.findActive(id),
    }));
    // Without a token there is nothing to ask; the issue that says so stays as it is.
    if (!tenant || !token) return connection.status;
    const requestId = requestContext.getStore()?.requestId ?? newId('chk');
    const caller = backgroundCaller(tenant, { requestId, signal, deadlineAt: clock.now() + LONGEST_CHECK_MS });
    const { connection: checked, problem } = await connections.verify(caller, id);
    logger.debug({ connectionId: id, status: checked.status, problem: problem?.code }, 'connection checked');
    return problem?.retryable ? 'DEGRADED' : checked.status;
  }

  private async schedule(id: ConnectionId, inMs: number): Promise<void> {
    const { database, clock, random } = this.parts;
    const at = new Date(clock.now() + inMs * (1 + JITTER * (2 * random() - 1)));
    await database.transaction((stores) => stores.connections.scheduleCheck(id, at));
  }
}

function intervalOf(status: ConnectionStatus, checkEveryMs: number): number {
  if (status === 'DEGRADED') return DEGRADED_CHECK_MS;
  return status === 'REAUTHORIZATION_REQUIRED' ? REAUTHORIZATION_CHECK_MS : checkEveryMs;
}
