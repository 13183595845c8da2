import type { Clock } from '../../shared/clock';
import { newId } from '../../shared/ids';
import type { Logger } from '../../shared/logger';
import { StillRunning, UpstreamUnavailable } from '../errors';
import type { Database, Stores } from '../ports';
import {
  type Connection,
  type ConnectionId,
  type ConnectionIssue,
  type ConnectionIssueId,
  isSameVersion,
  statusOf,
  type TokenVersion,
} from './connection';
import { ConnectionProblem, type ConnectionProblemCode, connectionProblems, consequenceOf } from './connection-problem';

/** Two writers rarely meet on one connection; more rounds than this mean that something else is wrong. */
const WRITE_ROUNDS = 8;

/** Waits for Slack to recover are looked at again soon. */
export const DEGRADED_CHECK_MS = 5 * 60_000;
/** A person must act; this is for the case that they did so in Slack and nobody told us. */
export const REAUTHORIZATION_CHECK_MS = 24 * 60 * 60_000;

/** What a check says of a token that ended together with its app. */
export const endedTokenCodes: readonly ConnectionProblemCode[] = [
  'TOKEN_REVOKED',
  'REAUTHORIZATION_REQUIRED',
  'TOKEN_EXPIRED',
  'INVALID_TOKEN',
];

/** Keeps a connection's status and issues true to what its calls meet. */
export class ConnectionHealth {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /**
   * Opens the issue that a failed call stands for, if it says something about the connection at all. A new diagnosis
   * replaces older ones of the same weight, since a token has one thing wrong with it at a time.
   * @param token what the call was made with: what is wrong with it says nothing once another one is in use, or it was refreshed.
   * @param isEnded the token will never work again: it is erased.
   * @returns the connection as it is now, or undefined when it is gone.
   */
  async recordFailure(
    connection: Connection,
    error: unknown,
    { token, isEnded = false }: { token?: TokenVersion; isEnded?: boolean } = {},
  ): Promise<Connection | undefined> {
    const code = issueCodeOf(error);
    if (!code) return connection;
    const detail = error instanceof ConnectionProblem ? error.detail : undefined;
    return this.change(connection, async (stores, open, now) => {
      if (token && !isSameVersion(await stores.tokens.findActive(connection.id), token)) return {};
      if (token && isEnded) await stores.tokens.retire(token.id, 'REVOKED');
      // Slack has said why the token ended; another look at it sees the effect alone.
      if (endedTokenCodes.includes(code) && open.some((issue) => issue.code === 'APP_UNINSTALLED')) return {};
      const outdated = open.filter((issue) => isReplacedBy(issue.code, code));
      await stores.issues.resolve(idsOf(outdated), now);
      const known = open.find((issue) => issue.code === code);
      if (known) {
        if (known.detail !== detail) await stores.issues.updateDetail(known.id, detail);
        return {};
      }
      const { message, remedy } = connectionProblems[code];
      await stores.issues.insert({
        id: newId<ConnectionIssueId>('iss'),
        connectionId: connection.id,
        code,
        message,
        remedy,
        detail,
        since: now,
      });
      this.logger.warn({ connectionId: connection.id, code }, 'connection issue opened');
      return {};
    });
  }

  /** Slack answered. Resolves what only said that it did not. Writes nothing when there is nothing to resolve. */
  async recordAnswer(connection: Connection): Promise<void> {
    if (connection.status !== 'DEGRADED') return;
    await this.change(connection, async (stores, open, now) => {
      await stores.issues.resolve(idsOf(open.filter(({ code }) => isPassing(code))), now);
      return {};
    });
  }

  /**
   * Applies `work` to the issues and fields of a connection in one transaction and derives its status anew.
   * @param work returns the fields to change; everything else of the connection stays as stored.
   * @returns the stored connection, or undefined when it is gone.
   */
  async change(
    connection: Connection,
    work: (stores: Stores, open: ConnectionIssue[], now: Date) => Promise<Partial<Connection>>,
  ): Promise<Connection | undefined> {
    for (let round = 0; round < WRITE_ROUNDS; round += 1) {
      const outcome = await this.database.transaction((stores) => this.tryChange(stores, connection, work));
      if (outcome !== 'stale') return outcome;
    }
    throw new StillRunning('The connection is being changed by others at the same time.', { remedy: 'Try again.' });
  }

  private async tryChange(
    stores: Stores,
    { tenantId, id }: Connection,
    work: (stores: Stores, open: ConnectionIssue[], now: Date) => Promise<Partial<Connection>>,
  ): Promise<Connection | undefined | 'stale'> {
    const stored = await stores.connections.find(tenantId, id);
    if (!stored) return undefined;
    const now = new Date(this.clock.now());
    // The version is taken first: on PostgreSQL this locks the row, so that two changes cannot both read the same issues.
    const claimed = await stores.connections.update({ ...stored, updatedAt: now });
    if (!claimed) return 'stale';
    const open = await stores.issues.list(id, { includeResolved: false });
    const fields = await work(stores, open, now);
    const changed = { ...claimed, ...fields };
    const status = statusOf(changed.lifecycle, await stores.issues.list(id, { includeResolved: false }));
    const result = await stores.connections.update({ ...changed, status, updatedAt: now });
    if (!result) return 'stale';
    if (status !== stored.status) await scheduleNextLook(stores, result, now);
    return result;
  }

  /** The issue that keeps a connection from being used, as the problem that a call would meet. */
  async blockingProblem(connectionId: ConnectionId): Promise<ConnectionProblem> {
    return (await this.findBlockingProblem(connectionId)) ?? new ConnectionProblem('REAUTHORIZATION_REQUIRED');
  }

  /** @returns undefined when no open issue keeps the connection from being used. */
  async findBlockingProblem(connectionId: ConnectionId): Promise<ConnectionProblem | undefined> {
    const open = await this.database.read((stores) => stores.issues.list(connectionId, { includeResolved: false }));
    const blocking = open.find(({ code }) => consequenceOf(code) === 'REAUTHORIZE');
    return blocking && new ConnectionProblem(blocking.code, { detail: blocking.detail });
  }
}

/** What only says that Slack did not answer, so that an answer ends it. The app's credentials a refresh alone can prove. */
function isPassing(code: ConnectionProblemCode): boolean {
  return consequenceOf(code) === 'DEGRADE' && code !== 'APP_CREDENTIALS_REFUSED';
}

/** Codes that nothing but an answer of Slack leads to: it is not down, then. */
const answeredCodes: readonly ConnectionProblemCode[] = [
  'APP_UNINSTALLED',
  'INSTALLER_LOST_RIGHTS',
  'INVALID_TOKEN',
  'PLAN_TOO_LOW',
  'TOKEN_REVOKED',
  'WRONG_INSTALL_LEVEL',
  'WRONG_TOKEN_KIND',
  'WRONG_WORKSPACE',
];

function isReplacedBy(known: ConnectionProblemCode, found: ConnectionProblemCode): boolean {
  if (isPassing(known) && answeredCodes.includes(found)) return true;
  if (known === found || consequenceOf(known) !== consequenceOf(found)) return false;
  return consequenceOf(known) === 'REAUTHORIZE' || (isPassing(known) && isPassing(found));
}

/**
 * A connection that just stopped working, or works again, must not wait for the check that was planned before. Of one that
 * works, the check finds that it was verified a moment ago, and plans the next as usual.
 */
async function scheduleNextLook(stores: Stores, { id, status }: Connection, now: Date): Promise<void> {
  const inMs = status === 'REAUTHORIZATION_REQUIRED' ? REAUTHORIZATION_CHECK_MS : DEGRADED_CHECK_MS;
  await stores.connections.scheduleCheck(id, new Date(now.getTime() + inMs));
}

function issueCodeOf(error: unknown): ConnectionProblemCode | undefined {
  if (error instanceof ConnectionProblem) return error.code;
  if (error instanceof UpstreamUnavailable) return 'UPSTREAM_UNAVAILABLE';
  return undefined;
}

export function idsOf(issues: readonly ConnectionIssue[]): ConnectionIssueId[] {
  return issues.map(({ id }) => id);
}
