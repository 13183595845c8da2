import { assertAllowed, type Caller } from '../access/access';
import { AppError, ConnectionNotReady, NotFound, StillRunning } from '../errors';
import type { Database } from '../ports';
import { type AccessTokenService, notReady } from './access-token.service';
import type { AccessToken, Connection, ConnectionId } from './connection';
import { type CheckedConnection, unknownConnection } from './connection.service';
import type { ConnectionHealth } from './connection-health.service';
import type { TokenRefreshService } from './token-refresh.service';

export interface ConnectionRotationParts {
  readonly database: Database;
  readonly tokens: AccessTokenService;
  readonly refreshes: TokenRefreshService;
  readonly health: ConnectionHealth;
}

/** What a person may ask of a connection's token whose life Slack limits. */
export class ConnectionRotationService {
  constructor(private readonly parts: ConnectionRotationParts) {}

  /**
   * Refreshes the token before its time. One that was refreshed less than a minute ago stays as it is.
   * @returns the connection, with what kept the token from being refreshed.
   * @throws ConnectionNotReady when the connection is paused or disconnected, or its token cannot be refreshed
   */
  async refreshToken(caller: Caller, id: ConnectionId): Promise<CheckedConnection> {
    const { connection, token } = await this.findOpen(caller, id);
    if (!token.refreshable) {
      throw new ConnectionNotReady('The token of this connection cannot be refreshed.', {
        remedy: token.expiresAt
          ? 'Install the app in Slack again, or replace the token with replaceToken.'
          : 'It needs no refresh, since it has no end. Move it into rotation with enableTokenRotation if you want one that is refreshed.',
      });
    }
    let problem: AppError | undefined;
    if (this.parts.refreshes.mayRefresh(token)) {
      try {
        await this.parts.refreshes.refresh(connection, token, caller, { despiteFailure: true });
      } catch (error) {
        if (!(error instanceof AppError) || error instanceof StillRunning || error instanceof NotFound) throw error;
        problem = error;
      }
    }
    return { connection: await this.findAgain(connection), problem };
  }

  /**
   * Moves a token without end into rotation: Slack gives a pair for it, once, and ends it when the pair is first refreshed.
   * Changes nothing where the token rotates already.
   * @throws ConnectionNotReady as refreshToken, InvalidInput when Slack refuses, ConnectionProblem, RateLimited,
   * UpstreamUnavailable, UpstreamRejected
   */
  async enableTokenRotation(caller: Caller, id: ConnectionId): Promise<Connection> {
    const { connection, token } = await this.findOpen(caller, id);
    if (token.refreshable) return connection;
    if (token.expiresAt) {
      throw new ConnectionNotReady('The token rotates already, but the gateway was not given its refresh token.', {
        remedy: 'Install the app in Slack again.',
      });
    }
    const opened = await this.parts.tokens.openForGrant(connection, 'connection.verify', caller);
    await this.parts.refreshes.moveIntoRotation(connection, opened.token, opened.secret, caller);
    return this.findAgain(connection);
  }

  private async findOpen(caller: Caller, id: ConnectionId): Promise<{ connection: Connection; token: AccessToken }> {
    assertAllowed(caller, 'connections:write');
    const { connection, token } = await this.parts.database.read(async (stores) => {
      const found = await stores.connections.find(caller.tenant.id, id);
      return { connection: found, token: found && (await stores.tokens.findActive(found.id)) };
    });
    if (!connection) throw unknownConnection();
    if (connection.lifecycle !== 'OPEN') throw notReady(connection);
    if (!token) throw await this.parts.health.blockingProblem(id);
    return { connection, token };
  }

  private async findAgain({ tenantId, id }: Connection): Promise<Connection> {
    const connection = await this.parts.database.read((stores) => stores.connections.find(tenantId, id));
    if (!connection) throw unknownConnection();
    return connection;
  }
}
