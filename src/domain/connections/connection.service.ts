import type { Clock } from '../../shared/clock';
import { newId } from '../../shared/ids';
import type { Secret } from '../../shared/secret';
import { assertAllowed, type Caller } from '../access/access';
import { AppError, Conflict, DuplicateConnection, InvalidInput, NotFound, StillRunning } from '../errors';
import { parseLabel } from '../label';
import { type Database, type SlackWebApi, type Stores, UniqueViolation } from '../ports';
import { type AccessTokenService, notReady } from './access-token.service';
import {
  type AccessTokenId,
  type Connection,
  type ConnectionEnvironment,
  type ConnectionId,
  LONGEST_CONNECTION_NAME,
} from './connection';
import { type ConnectionHealth, idsOf } from './connection-health.service';
import { ConnectionProblem } from './connection-problem';
import { type GrantVerifier, hintOf, type VerifiedGrant } from './grant-verifier.service';

export interface NewConnection {
  readonly name: string;
  readonly externalId?: string;
  readonly environment: ConnectionEnvironment;
  readonly token: Secret;
}

/** What a check of a connection found. The connection is stored either way, with the problem as its issue. */
export interface CheckedConnection {
  readonly connection: Connection;
  readonly problem?: AppError;
}

export interface ConnectionServiceParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly webApi: SlackWebApi;
  readonly verifier: GrantVerifier;
  readonly tokens: AccessTokenService;
  readonly health: ConnectionHealth;
  readonly environments: readonly ConnectionEnvironment[];
}

const LONGEST_EXTERNAL_ID = 255;

/** Creates, checks, changes and ends connections. Every method finds a connection by tenant and id together. */
export class ConnectionService {
  constructor(private readonly parts: ConnectionServiceParts) {}

  /**
   * Verifies the pasted token and saves the connection; when the token cannot provision, nothing is saved.
   * @throws InvalidInput, Conflict (externalId), DuplicateConnection, ConnectionProblem, RateLimited, UpstreamUnavailable, UpstreamRejected
   */
  async create(caller: Caller, input: NewConnection): Promise<Connection> {
    assertAllowed(caller, 'connections:write');
    const name = parseName(input.name);
    const externalId = parseExternalId(input.externalId);
    this.assertEnvironment(input.environment);
    await this.parts.database.read((stores) => assertExternalIdFree(stores, caller, externalId, undefined));
    const grant = await this.verifyPasted(input.environment, input.token, caller);
    const now = new Date(this.parts.clock.now());
    const connection: Connection = {
      id: newId<ConnectionId>('con'),
      tenantId: caller.tenant.id,
      name,
      externalId,
      environment: input.environment,
      lifecycle: 'OPEN',
      status: 'ACTIVE',
      ...grantFields(grant),
      lastVerifiedAt: now,
      createdAt: now,
      updatedAt: now,
      version: 1,
    };
    try {
      await this.parts.database.transaction(async (stores) => {
        await assertExternalIdFree(stores, caller, externalId, undefined);
        await assertTeamFree(stores, connection);
        await stores.connections.insert(connection);
        await insertToken(stores, connection, grant, input.token, now);
      });
    } catch (error) {
      throw await this.namedViolation(error, connection);
    }
    return connection;
  }

  /** Checks the stored token again. The connection's status and issues follow what is found. */
  async verify(caller: Caller, id: ConnectionId): Promise<CheckedConnection> {
    const connection = await this.findWritable(caller, id);
    if (connection.lifecycle === 'DISCONNECTED') throw notReady(connection);
    let tokenId: AccessTokenId | undefined;
    try {
      const { token, secret } = await this.parts.tokens.openForGrant(connection, 'connection.verify');
      tokenId = token.id;
      const grant = await this.parts.verifier.verify(connection.environment, secret, caller);
      assertSameTeam(connection, grant);
      return { connection: await this.recordVerified(connection, token.id, grant) };
    } catch (error) {
      if (!(error instanceof AppError) || error instanceof NotFound || error instanceof StillRunning) throw error;
      const changed = await this.parts.health.recordFailure(connection, error, { tokenId });
      if (!changed) throw unknownConnection();
      const checkedId = tokenId;
      if (checkedId) await this.parts.database.read((stores) => assertActiveToken(stores, connection, checkedId));
      return { connection: changed, problem: error };
    }
  }

  private async recordVerified(
    connection: Connection,
    tokenId: AccessTokenId,
    grant: VerifiedGrant,
  ): Promise<Connection> {
    const changed = await this.parts.health.change(connection, async (stores, open, now) => {
      await assertActiveToken(stores, connection, tokenId);
      await stores.tokens.markVerified(tokenId, now, grant.grantedScopes, grant.expiresAt);
      await stores.issues.resolve(idsOf(open), now);
      return { ...grantFields(grant), lastVerifiedAt: now };
    });
    if (!changed) throw unknownConnection();
    return changed;
  }

  /**
   * Gives the connection a new token of the same Slack team; a disconnected connection is open again.
   * The old token is erased only after the new one was seen to work.
   * @throws ConnectionProblem (WRONG_WORKSPACE among them), DuplicateConnection, RateLimited, UpstreamUnavailable
   */
  async replaceToken(caller: Caller, id: ConnectionId, token: Secret): Promise<Connection> {
    const connection = await this.findWritable(caller, id);
    const grant = await this.verifyPasted(connection.environment, token, caller);
    assertSameTeam(connection, grant, ['input', 'token']);
    try {
      const changed = await this.parts.health.change(connection, async (stores, open, now) => {
        await retireActiveToken(stores, connection, 'SUPERSEDED');
        await insertToken(stores, connection, grant, token, now);
        await stores.issues.resolve(idsOf(open), now);
        const { lifecycle } = (await stores.connections.find(connection.tenantId, id)) ?? connection;
        return {
          ...grantFields(grant),
          lifecycle: lifecycle === 'DISCONNECTED' ? ('OPEN' as const) : lifecycle,
          lastVerifiedAt: now,
        };
      });
      if (!changed) throw unknownConnection();
      return changed;
    } catch (error) {
      throw await this.namedViolation(error, connection);
    }
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
    const name = changes.name === undefined ? undefined : parseName(changes.name);
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
      throw await this.namedViolation(error, connection);
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
   * Erases the token here; with `revokeToken` it is first ended at Slack, and when that fails nothing is erased, so that
   * it can be tried again. Disconnecting twice changes nothing the second time.
   */
  async disconnect(caller: Caller, id: ConnectionId, options: { revokeToken: boolean }): Promise<Connection> {
    const connection = await this.findWritable(caller, id);
    if (connection.lifecycle === 'DISCONNECTED') return connection;
    const endedId = options.revokeToken ? await this.revokeAtSlack(caller, connection) : undefined;
    const changed = await this.parts.health.change(connection, async (stores, open, now) => {
      if (endedId) await assertActiveToken(stores, connection, endedId);
      await retireActiveToken(stores, connection, options.revokeToken ? 'REVOKED' : 'SUPERSEDED');
      await stores.issues.resolve(idsOf(open), now);
      return { lifecycle: 'DISCONNECTED' as const };
    });
    if (!changed) throw unknownConnection();
    return changed;
  }

  private async revokeAtSlack(caller: Caller, connection: Connection): Promise<AccessTokenId> {
    const { token, secret } = await this.parts.tokens.openForGrant(connection, 'connection.revoke');
    await this.parts.webApi.revoke(connection.environment, secret, caller);
    return token.id;
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

  private async verifyPasted(
    environment: ConnectionEnvironment,
    token: Secret,
    caller: Caller,
  ): Promise<VerifiedGrant> {
    try {
      return await this.parts.verifier.verify(environment, token, caller);
    } catch (error) {
      if (!(error instanceof ConnectionProblem)) throw error;
      const { code, detail, missingScopes } = error;
      throw new ConnectionProblem(code, { detail, missingScopes, cause: error, path: ['input', 'token'] });
    }
  }

  private assertEnvironment(environment: ConnectionEnvironment): void {
    if (this.parts.environments.includes(environment)) return;
    throw new InvalidInput(`The environment ${environment} is not available on this gateway.`, {
      path: ['input', 'environment'],
      remedy: `Use one of: ${this.parts.environments.join(', ')}.`,
    });
  }

  /** Two creations at once both pass the checks; the database then refuses one, which must read like the check. */
  private async namedViolation(error: unknown, connection: Connection): Promise<unknown> {
    if (!(error instanceof UniqueViolation)) return error;
    if (error.constraint === 'connection.externalId') return externalIdTaken();
    if (error.constraint !== 'connection.team') return error;
    const holder = await this.parts.database.read((stores) =>
      stores.connections.findByTeam(connection.tenantId, connection.environment, connection.teamKey),
    );
    return duplicate(holder ?? connection);
  }
}

function grantFields(grant: VerifiedGrant) {
  const { teamKey, installLevel, workspace, organization, installer } = grant;
  return { teamKey, installLevel, workspace, organization, installer };
}

async function insertToken(
  stores: Stores,
  { id, tenantId }: Connection,
  grant: VerifiedGrant,
  secret: Secret,
  now: Date,
): Promise<void> {
  await stores.tokens.insert(
    {
      id: newId<AccessTokenId>('tok'),
      connectionId: id,
      tenantId,
      kind: 'USER',
      grantedScopes: grant.grantedScopes,
      hint: hintOf(secret),
      expiresAt: grant.expiresAt,
      createdAt: now,
      verifiedAt: now,
    },
    secret,
  );
}

/**
 * What a call found out about a token, or did to it, must not be noted for the one that replaced it meanwhile.
 * @throws StillRunning
 */
async function assertActiveToken(stores: Stores, { id }: Connection, tokenId: AccessTokenId): Promise<void> {
  if ((await stores.tokens.findActive(id))?.id === tokenId) return;
  throw new StillRunning('The token of this connection was changed at the same time.', { remedy: 'Try again.' });
}

async function retireActiveToken(stores: Stores, { id }: Connection, status: 'REVOKED' | 'SUPERSEDED'): Promise<void> {
  const active = await stores.tokens.findActive(id);
  if (active) await stores.tokens.retire(active.id, status);
}

async function assertExternalIdFree(
  stores: Stores,
  caller: Caller,
  externalId: string | undefined,
  except: ConnectionId | undefined,
): Promise<void> {
  if (externalId === undefined) return;
  const holder = await stores.connections.findByExternalId(caller.tenant.id, externalId);
  if (holder && holder.id !== except) throw externalIdTaken();
}

async function assertTeamFree(stores: Stores, { tenantId, environment, teamKey }: Connection): Promise<void> {
  const holder = await stores.connections.findByTeam(tenantId, environment, teamKey);
  if (holder) throw duplicate(holder);
}

function assertSameTeam(connection: Connection, grant: VerifiedGrant, path?: readonly string[]): void {
  if (grant.teamKey === connection.teamKey) return;
  throw new ConnectionProblem('WRONG_WORKSPACE', {
    detail: `The connection is for ${connection.teamKey}, the token is for ${grant.teamKey}.`,
    path,
  });
}

function parseName(name: string): string {
  return parseLabel(name, { what: "A connection's name", longest: LONGEST_CONNECTION_NAME, path: ['input', 'name'] });
}

function parseExternalId(externalId: string | undefined): string | undefined {
  if (externalId === undefined) return undefined;
  return parseLabel(externalId, { what: 'An externalId', longest: LONGEST_EXTERNAL_ID, path: ['input', 'externalId'] });
}

function externalIdTaken(): Conflict {
  return new Conflict('Another connection has this externalId.', {
    path: ['input', 'externalId'],
    remedy: 'Find that connection with connections(filter: { externalId: … }), or use another externalId.',
  });
}

function duplicate(existing: Connection): DuplicateConnection {
  return new DuplicateConnection('This Slack team is connected already.', existing.id, {
    path: ['input', 'token'],
    remedy: 'Use the existing connection; give it this token with replaceToken if the old one no longer works.',
  });
}

export function unknownConnection(): NotFound {
  return new NotFound('There is no such connection.', { path: ['input', 'id'] });
}
