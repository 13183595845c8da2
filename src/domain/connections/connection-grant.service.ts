import type { Clock } from '../../shared/clock';
import { newId } from '../../shared/ids';
import type { Logger } from '../../shared/logger';
import type { Secret } from '../../shared/secret';
import { assertAllowed, type Caller } from '../access/access';
import { AppError, Conflict, DuplicateConnection, InvalidInput, UpstreamRejected } from '../errors';
import { type Database, type SlackWebApi, type Stores, UniqueViolation, type UpstreamCall } from '../ports';
import type { OAuthGrant } from '../slack-oauth-port';
import {
  type AccessTokenId,
  type Connection,
  type ConnectionEnvironment,
  type ConnectionId,
  type InstallLevel,
} from './connection';
import { unknownConnection } from './connection.service';
import { type ConnectionHealth, idsOf } from './connection-health.service';
import {
  assertExternalIdFree,
  externalIdTaken,
  parseConnectionName,
  parseExternalId,
  teamConnected,
} from './connection-input';
import { ConnectionProblem } from './connection-problem';
import { assertSameTeam } from './grant-check.service';
import { type GrantVerifier, grantFields, hintOf, type VerifiedGrant } from './grant-verifier.service';

export interface NewConnection {
  readonly name: string;
  readonly externalId?: string;
  readonly environment: ConnectionEnvironment;
  readonly token: Secret;
}

/** What a person granted on Slack's consent page, and what it was asked for. */
export interface GrantedConnection {
  readonly name: string;
  readonly externalId?: string;
  readonly environment: ConnectionEnvironment;
  /** The level that was asked for; undefined when either will do. */
  readonly level?: InstallLevel;
  /** The connection that the grant is to repair. */
  readonly connectionId?: ConnectionId;
  readonly grant: OAuthGrant;
}

export interface ConnectionGrantParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly webApi: SlackWebApi;
  readonly verifier: GrantVerifier;
  readonly health: ConnectionHealth;
  readonly environments: readonly ConnectionEnvironment[];
}

/** A token as it is about to be stored, and what was found out about it. */
interface NewToken {
  readonly secret: Secret;
  readonly refreshToken?: Secret;
  readonly expiresAt?: Date;
  readonly appSlackId?: string;
  readonly grant: VerifiedGrant;
}

/** Two callbacks for one team at once: the second finds the connection of the first. */
const CONNECT_ROUNDS = 3;

/** Everything that stores a token for a connection. A token is seen to work before anything is saved. */
export class ConnectionGrantService {
  constructor(private readonly parts: ConnectionGrantParts) {}

  /**
   * Verifies the pasted token and saves the connection; when the token cannot provision, nothing is saved.
   * @throws InvalidInput, Conflict (externalId), DuplicateConnection, ConnectionProblem, RateLimited, UpstreamUnavailable, UpstreamRejected
   */
  async create(caller: Caller, input: NewConnection): Promise<Connection> {
    assertAllowed(caller, 'connections:write');
    const fields = {
      name: parseConnectionName(input.name),
      externalId: parseExternalId(input.externalId),
      environment: input.environment,
    };
    this.assertEnvironment(input.environment);
    await this.parts.database.read((stores) => assertExternalIdFree(stores, caller, fields.externalId, undefined));
    const grant = await this.verifyPasted(input.environment, input.token, caller);
    return this.insert(caller, fields, { secret: input.token, expiresAt: grant.expiresAt, grant });
  }

  /**
   * Gives the connection a new token of the same Slack team; a disconnected connection is open again.
   * The old token is erased only after the new one was seen to work.
   * @throws ConnectionProblem (WRONG_WORKSPACE among them), DuplicateConnection, RateLimited, UpstreamUnavailable
   */
  async replaceToken(caller: Caller, id: ConnectionId, token: Secret): Promise<Connection> {
    assertAllowed(caller, 'connections:write');
    const connection = await this.parts.database.read((stores) => stores.connections.find(caller.tenant.id, id));
    if (!connection) throw unknownConnection();
    const grant = await this.verifyPasted(connection.environment, token, caller);
    assertSameTeam(connection, grant, ['input', 'token']);
    return this.replace(connection, { secret: token, expiresAt: grant.expiresAt, grant }, async () => ({}));
  }

  /**
   * Saves what an installation granted, after the same check as a pasted token. The tenant's connection to that team keeps
   * its id and gets the new token, also when it was disconnected; without one, a connection is made. Nothing is ended at Slack
   * when this fails: see `revokeGrant`.
   * @throws ConnectionProblem (WRONG_INSTALL_LEVEL when another level was granted than asked for, WRONG_WORKSPACE when it is not the
   * team of `connectionId`), DuplicateConnection (the team's connection has another externalId), Conflict (externalId), NotFound
   * (`connectionId`), InvalidInput, RateLimited, UpstreamUnavailable, UpstreamRejected
   */
  async connectGrant(caller: Caller, input: GrantedConnection): Promise<Connection> {
    assertAllowed(caller, 'connections:write');
    const { grant, environment, connectionId } = input;
    const name = parseConnectionName(input.name);
    const externalId = parseExternalId(input.externalId);
    this.assertEnvironment(environment);
    assertLevel(input.level, grant);
    const repaired = connectionId && (await this.findRepaired(caller, connectionId, input));
    const verified = await this.parts.verifier.verify(environment, grant.token.secret, caller);
    assertSameGrant(grant, verified);
    const { secret, refreshToken, appSlackId } = grant.token;
    const token: NewToken = {
      secret,
      refreshToken,
      appSlackId,
      // Counted from before the exchange, which is earlier than what auth.test has left.
      expiresAt: grant.token.expiresAt ?? verified.expiresAt,
      grant: verified,
    };
    if (repaired) return this.replace(repaired, token, async () => ({}));
    return this.connect(caller, { name, externalId, environment }, token);
  }

  /**
   * As `connectGrant`, with a token that a person pasted: the tenant's connection to the team gets it, or a new one.
   * @throws as `create` and `replaceToken`
   */
  async connectToken(
    caller: Caller,
    { connectionId, token, ...input }: NewConnection & { readonly connectionId?: ConnectionId },
  ): Promise<Connection> {
    assertAllowed(caller, 'connections:write');
    if (connectionId) return this.replaceToken(caller, connectionId, token);
    const { environment } = input;
    const name = parseConnectionName(input.name);
    const externalId = parseExternalId(input.externalId);
    this.assertEnvironment(environment);
    const grant = await this.verifyPasted(environment, token, caller);
    const fields = { name, externalId, environment };
    return this.connect(caller, fields, { secret: token, expiresAt: grant.expiresAt, grant });
  }

  private async connect(
    caller: Caller,
    fields: Pick<Connection, 'name' | 'externalId' | 'environment'>,
    token: NewToken,
  ): Promise<Connection> {
    for (let round = 1; ; round += 1) {
      try {
        return await this.adoptOrInsert(caller, fields, token);
      } catch (error) {
        const isRaced = error instanceof DuplicateConnection || error instanceof Conflict;
        if (!isRaced || round >= CONNECT_ROUNDS) throw error;
      }
    }
  }

  /**
   * Ends at Slack what was granted and is not kept. Without rotation Slack has one token for each person and team: it stays when
   * a connection uses it. What cannot be ended is logged; nothing depends on it.
   */
  async revokeGrant(environment: ConnectionEnvironment, grant: OAuthGrant, call: UpstreamCall): Promise<void> {
    const { token, bot, teamKey } = grant;
    const { isShared, hasOthers } = await this.parts.database.read(async (stores) => ({
      isShared: await stores.tokens.isSharedGrant({ environment, teamKey, installerSlackId: token.userSlackId }),
      hasOthers: (await stores.connections.listByTeams(environment, [teamKey])).length > 0,
    }));
    const ended: (Secret | undefined)[] = [];
    // A rotating token ends alone, so that it is of no consequence who else was granted one.
    if (token.refreshToken || !isShared) ended.push(token.refreshToken, token.secret);
    // The bot is one for the whole team, and Slack sends events for as long as it is there.
    if (bot && (bot.refreshToken || !hasOthers)) ended.push(bot.refreshToken, bot.secret);
    for (const secret of ended) {
      if (!secret) continue;
      try {
        await this.parts.webApi.revoke(environment, secret, call);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        this.parts.logger.warn({ err: error, environment, teamKey }, 'a grant that is not kept could not be ended');
      }
    }
  }

  private async findRepaired(
    caller: Caller,
    id: ConnectionId,
    { grant, environment }: GrantedConnection,
  ): Promise<Connection> {
    const connection = await this.parts.database.read((stores) => stores.connections.find(caller.tenant.id, id));
    if (!connection || connection.environment !== environment) throw unknownConnection();
    assertSameTeam(connection, grant);
    return connection;
  }

  private async adoptOrInsert(
    caller: Caller,
    fields: Pick<Connection, 'name' | 'externalId' | 'environment'>,
    token: NewToken,
  ): Promise<Connection> {
    const { environment, externalId } = fields;
    const known = await this.parts.database.read(async ({ connections }) => ({
      current: await connections.findByTeam(caller.tenant.id, environment, token.grant.teamKey),
      former: await connections.findDisconnectedByTeam(caller.tenant.id, environment, token.grant.teamKey),
    }));
    const isOther = (connection: Connection) =>
      externalId !== undefined && connection.externalId !== undefined && connection.externalId !== externalId;
    if (known.current && isOther(known.current)) throw teamConnected(known.current);
    const kept = known.current ?? (known.former && !isOther(known.former) ? known.former : undefined);
    if (!kept) return this.insert(caller, fields, token);
    return this.replace(kept, token, async (stores, stored) => {
      if (stored.externalId !== undefined || externalId === undefined) return {};
      await assertExternalIdFree(stores, caller, externalId, kept.id);
      return { externalId };
    });
  }

  private async insert(
    caller: Caller,
    fields: Pick<Connection, 'name' | 'externalId' | 'environment'>,
    token: NewToken,
  ): Promise<Connection> {
    const now = new Date(this.parts.clock.now());
    const connection: Connection = {
      id: newId<ConnectionId>('con'),
      tenantId: caller.tenant.id,
      ...fields,
      lifecycle: 'OPEN',
      status: 'ACTIVE',
      ...grantFields(token.grant),
      lastVerifiedAt: now,
      createdAt: now,
      updatedAt: now,
      version: 1,
    };
    try {
      await this.parts.database.transaction(async (stores) => {
        await assertExternalIdFree(stores, caller, fields.externalId, undefined);
        const holder = await stores.connections.findByTeam(caller.tenant.id, fields.environment, connection.teamKey);
        if (holder) throw teamConnected(holder);
        await stores.connections.insert(connection);
        await insertToken(stores, connection, token, now);
      });
    } catch (error) {
      throw await this.namedViolation(error, connection);
    }
    return connection;
  }

  /**
   * A refresh of the old token that is under way at the same moment needs no lock against this: it saves only over the
   * value that it began with, and the new token has an id of its own.
   */
  private async replace(
    connection: Connection,
    token: NewToken,
    furtherFields: (stores: Stores, stored: Connection) => Promise<Partial<Connection>>,
  ): Promise<Connection> {
    try {
      const changed = await this.parts.health.change(connection, async (stores, open, now) => {
        const active = await stores.tokens.findActive(connection.id);
        if (active) await stores.tokens.retire(active.id, 'SUPERSEDED');
        await insertToken(stores, connection, token, now);
        await stores.issues.resolve(idsOf(open), now);
        const stored = (await stores.connections.find(connection.tenantId, connection.id)) ?? connection;
        return {
          ...grantFields(token.grant),
          lifecycle: stored.lifecycle === 'DISCONNECTED' ? ('OPEN' as const) : stored.lifecycle,
          lastVerifiedAt: now,
          ...(await furtherFields(stores, stored)),
        };
      });
      if (!changed) throw unknownConnection();
      return changed;
    } catch (error) {
      throw await this.namedViolation(error, connection);
    }
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
    return teamConnected(holder ?? connection);
  }
}

async function insertToken(
  stores: Stores,
  { id, tenantId }: Connection,
  { secret, refreshToken, expiresAt, appSlackId, grant }: NewToken,
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
      expiresAt,
      createdAt: now,
      verifiedAt: now,
      appSlackId,
    },
    secret,
    refreshToken,
  );
}

function assertLevel(asked: InstallLevel | undefined, grant: OAuthGrant): void {
  if (asked === undefined || asked === grant.installLevel) return;
  throw new ConnectionProblem('WRONG_INSTALL_LEVEL', {
    detail:
      asked === 'ORGANIZATION'
        ? `Asked for an organization install; installed on workspace ${grant.teamKey}.`
        : `Asked for a workspace install; installed on organization ${grant.teamKey}.`,
    grantedLevel: grant.installLevel,
  });
}

/** Slack is asked about the token that it has just given; the two answers must be about the same team and person. */
function assertSameGrant({ teamKey, installLevel, token }: OAuthGrant, verified: VerifiedGrant): void {
  const isSame =
    verified.teamKey === teamKey &&
    verified.installLevel === installLevel &&
    verified.installer.slackId === token.userSlackId;
  if (isSame) return;
  throw new UpstreamRejected(
    'Slack says that the token belongs to another team or person than the one that installed the app.',
    'identity_mismatch',
    200,
    { remedy: 'Begin the installation again.' },
  );
}
