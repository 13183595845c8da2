import { assertAllowed, type Caller } from '../access/access';
import { type AppError, InvalidInput, NotFound, StillRunning } from '../errors';
import { type Database, type SlackWebApi, type Stores, UniqueViolation } from '../ports';
import { type AccessTokenService, notReady } from './access-token.service';
import { type AccessToken, type Connection, type ConnectionId, isSameVersion, type TokenVersion } from './connection';
import { type ConnectionHealth, idsOf } from './connection-health.service';
import { assertExternalIdFree, externalIdTaken, parseConnectionName, parseExternalId } from './connection-input';
import type { ConnectionProblemCode } from './connection-problem';
import type { GrantCheck, GrantFinding } from './grant-check.service';
import { grantFields, type VerifiedGrant } from './grant-verifier.service';
import type { TokenRefreshService } from './token-refresh.service';

/** What a check of a connection found. The connection is stored either way, with the problem as its issue. */
export interface CheckedConnection {
  readonly connection: Connection;
  readonly problem?: AppError;
}

export interface ConnectionServiceParts {
  readonly database: Database;
  readonly webApi: SlackWebApi;
  readonly tokens: AccessTokenService;
  readonly refreshes: TokenRefreshService;
  readonly check: GrantCheck;
  readonly health: ConnectionHealth;
}

/** A token may be refreshed in the middle of a check, which is then about a value that nobody uses any more. */
const VERIFY_ROUNDS = 2;

/** Checks, changes and ends connections. Every method finds a connection by tenant and id together. */
export class ConnectionService {
  constructor(private readonly parts: ConnectionServiceParts) {}

  /** Checks the stored token again. The connection's status and issues follow what is found. */
  async verify(caller: Caller, id: ConnectionId): Promise<CheckedConnection> {
    const connection = await this.findWritable(caller, id);
    if (connection.lifecycle === 'DISCONNECTED') throw notReady(connection);
    for (let round = 1; ; round += 1) {
      try {
        return await this.verifyOnce(caller, connection);
      } catch (error) {
        if (!(error instanceof RefreshedMeanwhile) || round >= VERIFY_ROUNDS) throw error;
      }
    }
  }

  private async verifyOnce(caller: Caller, connection: Connection): Promise<CheckedConnection> {
    const finding = await this.parts.check.examine(connection, caller);
    if (!finding.problem) return { connection: await this.recordVerified(connection, finding) };
    const { token, problem } = finding;
    const changed = await this.parts.check.recordProblem(connection, finding);
    if (!changed) throw unknownConnection();
    if (token) {
      await this.parts.database.read(async (stores) => {
        // Erased by this check or by another one that found the same.
        const isErased = changed.lifecycle !== 'DISCONNECTED' && !(await stores.tokens.findActive(connection.id));
        if (!isErased) await assertActiveToken(stores, connection, token);
      });
    }
    return { connection: changed, problem };
  }

  private async recordVerified(
    connection: Connection,
    { token, grant }: Extract<GrantFinding, { grant: VerifiedGrant }>,
  ): Promise<Connection> {
    const changed = await this.parts.health.change(connection, async (stores, open, now) => {
      await assertActiveToken(stores, connection, token);
      await stores.tokens.markVerified(token.id, now, grant.grantedScopes, grant.expiresAt ?? token.expiresAt);
      await stores.issues.resolve(idsOf(open.filter(({ code }) => isDisproved(code, token))), now);
      return { ...grantFields(grant), lastVerifiedAt: now };
    });
    if (!changed) throw unknownConnection();
    return changed;
  }

  /** @param changes undefined keeps a value, null clears the externalId. */
  async update(
    caller: Caller,
    id: ConnectionId,
    changes: { name?: string | null; externalId?: string | null },
  ): Promise<Connection> {
    const connection = await this.findWritable(caller, id);
    if (changes.name === null) {
      throw new InvalidInput('A connection cannot be without a name.', { path: ['input', 'name'] });
    }
    const name = changes.name === undefined ? undefined : parseConnectionName(changes.name);
    const externalId = parseExternalId(changes.externalId ?? undefined);
    try {
      const changed = await this.parts.health.change(connection, async (stores) => {
        await assertExternalIdFree(stores, caller, externalId, id);
        return {
          ...(name === undefined ? {} : { name }),
          ...(changes.externalId === undefined ? {} : { externalId }),
        };
      });
      if (!changed) throw unknownConnection();
      return changed;
    } catch (error) {
      if (!(error instanceof UniqueViolation) || error.constraint !== 'connection.externalId') throw error;
      throw externalIdTaken();
    }
  }

  /** Keeps the token but makes no call with it until the connection is resumed. */
  async pause(caller: Caller, id: ConnectionId): Promise<Connection> {
    return this.move(await this.findWritable(caller, id), 'PAUSED');
  }

  async resume(caller: Caller, id: ConnectionId): Promise<Connection> {
    return this.move(await this.findWritable(caller, id), 'OPEN');
  }

  /**
   * Erases the token here; with `revokeToken` it is first ended at Slack together with its refresh token, and when that fails
   * nothing is erased, so that it can be tried again. Disconnecting twice changes nothing the second time.
   */
  async disconnect(caller: Caller, id: ConnectionId, options: { revokeToken: boolean }): Promise<Connection> {
    const connection = await this.findWritable(caller, id);
    if (connection.lifecycle === 'DISCONNECTED') return connection;
    if (!options.revokeToken) return this.forget(connection, 'SUPERSEDED', async () => {});
    return this.parts.refreshes.withoutRefresh(connection, caller, async () => {
      const ended = await this.revokeAtSlack(caller, connection);
      return this.forget(connection, 'REVOKED', async (stores) => {
        if (ended) await assertActiveToken(stores, connection, ended);
        else if (await stores.tokens.findActive(connection.id)) throw changedMeanwhile();
      });
    });
  }

  /** @param check throws when what was done to the token was done to another one than is stored now. */
  private async forget(
    connection: Connection,
    status: 'REVOKED' | 'SUPERSEDED',
    check: (stores: Stores) => Promise<void>,
  ): Promise<Connection> {
    const changed = await this.parts.health.change(connection, async (stores, open, now) => {
      await check(stores);
      const active = await stores.tokens.findActive(connection.id);
      if (active) await stores.tokens.retire(active.id, status);
      await stores.issues.resolve(idsOf(open), now);
      return { lifecycle: 'DISCONNECTED' as const };
    });
    if (!changed) throw unknownConnection();
    return changed;
  }

  /** With rotation Slack ends each token alone, so that both have to be ended (OAuth §9). */
  private async revokeAtSlack(caller: Caller, connection: Connection): Promise<TokenVersion | undefined> {
    const opened = await this.parts.tokens.openForRevocation(connection);
    if (!opened) return undefined;
    const { token, secret, refreshToken } = opened;
    // The refresh token first: as long as it lives, another access token can be made.
    if (refreshToken) await this.parts.webApi.revoke(connection.environment, refreshToken, caller);
    await this.parts.webApi.revoke(connection.environment, secret, caller);
    return token;
  }

  /** Removes the connection with its token and history here. The token stays alive at Slack unless it was revoked before. */
  async delete(caller: Caller, id: ConnectionId): Promise<ConnectionId> {
    assertAllowed(caller, 'connections:write');
    const removed = await this.parts.database.transaction((stores) => stores.connections.delete(caller.tenant.id, id));
    if (!removed) throw unknownConnection();
    return id;
  }

  private async move(connection: Connection, lifecycle: 'OPEN' | 'PAUSED'): Promise<Connection> {
    const changed = await this.parts.health.change(connection, async (stores) => {
      const stored = await stores.connections.find(connection.tenantId, connection.id);
      if (stored?.lifecycle === 'DISCONNECTED') throw notReady(stored);
      return { lifecycle };
    });
    if (!changed) throw unknownConnection();
    return changed;
  }

  private async findWritable(caller: Caller, id: ConnectionId): Promise<Connection> {
    assertAllowed(caller, 'connections:write');
    const connection = await this.parts.database.read((stores) => stores.connections.find(caller.tenant.id, id));
    if (!connection) throw unknownConnection();
    return connection;
  }
}

/** Nobody but the check that met it needs to know: it begins again. */
class RefreshedMeanwhile extends StillRunning {}

/**
 * What a call found out about a token, or did to it, must not be noted for the one that replaced it meanwhile.
 * @throws StillRunning
 */
async function assertActiveToken(stores: Stores, { id }: Connection, token: TokenVersion): Promise<void> {
  const active = await stores.tokens.findActive(id);
  if (isSameVersion(active, token)) return;
  throw active?.id === token.id ? new RefreshedMeanwhile(CHANGED, TRY_AGAIN) : changedMeanwhile();
}

const CHANGED = 'The token of this connection was changed at the same time.';
const TRY_AGAIN = { remedy: 'Try again.' };

function changedMeanwhile(): StillRunning {
  return new StillRunning(CHANGED, TRY_AGAIN);
}

/** That Slack takes a token says nothing about whether it would take the app's credentials for the next one. */
function isDisproved(code: ConnectionProblemCode, { refreshable }: AccessToken): boolean {
  return code !== 'APP_CREDENTIALS_REFUSED' || !refreshable;
}

export function unknownConnection(): NotFound {
  return new NotFound('There is no such connection.', { path: ['input', 'id'] });
}
