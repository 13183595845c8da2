import type { Foreground } from '../../shared/foreground';
import type { Logger } from '../../shared/logger';
import { SingleFlight } from '../../shared/single-flight';
import { assertAllowed, type Caller, type Permission } from '../access/access';
import { type AccessTokenService, notReady } from '../connections/access-token.service';
import type { Connection, ConnectionId } from '../connections/connection';
import type { ConnectionHealth } from '../connections/connection-health.service';
import { ConnectionProblem } from '../connections/connection-problem';
import type { ConnectionSnapshots } from '../connections/connection-snapshots';
import type { GrantCheck } from '../connections/grant-check.service';
import { budgetKeyOf } from '../connections/grant-verifier.service';
import type { DirectoryClient, SlackDirectory } from '../directory-ports';
import { AppError, NotFound, UpstreamOutcomeUnknown, UpstreamUnavailable } from '../errors';
import type { Database } from '../ports';

/**
 * The way from a caller to a connection's people: permission, tenant, readiness; and afterwards what the call says about
 * the connection. Everything that reads or writes people goes through `use`, so none of it can be left out.
 */
export class DirectoryAccess {
  readonly #diagnoses = new SingleFlight<AppError | undefined>();

  constructor(
    private readonly parts: {
      readonly database: Database;
      readonly snapshots: ConnectionSnapshots;
      readonly directory: SlackDirectory;
      readonly tokens: AccessTokenService;
      readonly check: GrantCheck;
      readonly health: ConnectionHealth;
      readonly foreground: Foreground;
      readonly logger: Logger;
    },
  ) {}

  /** @throws Forbidden, NotFound (also for another tenant's connection) */
  async find(caller: Caller, id: ConnectionId, permission: Permission): Promise<Connection> {
    assertAllowed(caller, permission);
    const { database, snapshots } = this.parts;
    const tenantId = caller.tenant.id;
    const connection =
      caller.urgency === 'bulk'
        ? (await snapshots.of(tenantId, id)).connection
        : await database.read((stores) => stores.connections.find(tenantId, id));
    if (!connection) throw new NotFound('There is no such connection.', { path: ['input', 'connectionId'] });
    return connection;
  }

  /**
   * Runs `work` with a client for the connection. A connection known not to work is refused before anything leaves.
   * @throws ConnectionNotReady, ConnectionProblem, and whatever `work` throws
   */
  async use<T>(caller: Caller, connection: Connection, work: (client: DirectoryClient) => Promise<T>): Promise<T> {
    if (connection.lifecycle !== 'OPEN') throw notReady(connection);
    if (connection.status === 'REAUTHORIZATION_REQUIRED') {
      throw await this.parts.health.blockingProblem(connection.id);
    }
    const source = this.parts.tokens.sourceFor(connection, caller);
    let hasLeft = false;
    const client = this.parts.directory.for({
      environment: connection.environment,
      budgetKey: budgetKeyOf(connection.environment, connection.teamKey),
      tokens: {
        ...source,
        lease: async (action) => {
          const token = await source.lease(action);
          hasLeft = true;
          return token;
        },
      },
    });
    try {
      const result = await (caller.urgency === 'bulk' ? work(client) : this.parts.foreground.run(() => work(client)));
      if (hasLeft) await this.parts.health.recordAnswer(connection);
      return result;
    } catch (error) {
      const explained = await this.explain(caller, connection, error, { hasLeft });
      // The status may be another one now, and whoever comes next must not go by the one before.
      this.parts.snapshots.forget(connection.id);
      throw explained;
    }
  }

  /** Notes what a failure says about the connection, and names its cause more exactly where auth.test can. */
  private async explain(
    caller: Caller,
    connection: Connection,
    error: unknown,
    { hasLeft }: { hasLeft: boolean },
  ): Promise<unknown> {
    if (caller.signal.aborted) return error;
    if (error instanceof ConnectionProblem && error.code === 'REAUTHORIZATION_REQUIRED') {
      return (await this.#diagnoses.run(connection.id, () => this.diagnose(caller, connection))) ?? error;
    }
    if (error instanceof ConnectionProblem || error instanceof UpstreamUnavailable) {
      await this.parts.health.recordFailure(connection, error);
    } else if (error instanceof UpstreamOutcomeUnknown) {
      await this.parts.health.recordFailure(connection, new UpstreamUnavailable(error.message));
    } else if (hasLeft && error instanceof AppError && !error.retryable) {
      await this.parts.health.recordAnswer(connection);
    }
    return error;
  }

  /** SCIM says only that it refuses the token; the full check tells whether it was revoked, or its owner lost rights, or … */
  private async diagnose(caller: Caller, connection: Connection): Promise<AppError | undefined> {
    const finding = await this.parts.check.examine(connection, caller);
    if (!finding.grant) {
      await this.parts.check.recordProblem(connection, finding);
      return finding.problem;
    }
    this.parts.logger.warn({ connectionId: connection.id }, 'Slack refused a token that it accepts now');
    return new UpstreamUnavailable('Slack refused the token for a moment and accepts it again.', {
      remedy: 'Try again.',
    });
  }
}
