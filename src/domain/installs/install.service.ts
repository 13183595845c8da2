import type { Clock } from '../../shared/clock';
import { newId } from '../../shared/ids';
import type { Secret } from '../../shared/secret';
import { assertAllowed, type Caller, isAllowed } from '../access/access';
import type { Connection, ConnectionEnvironment, ConnectionId, InstallLevel } from '../connections/connection';
import { parseConnectionName, parseExternalId } from '../connections/connection-input';
import { type ConnectionProblemCode, isRepairedByInstall } from '../connections/connection-problem';
import { ConnectionNotReady, InvalidInput, NotFound } from '../errors';
import type { Database } from '../ports';
import type { SlackOAuth } from '../slack-oauth-port';
import {
  type Install,
  type InstallId,
  type InstallStatus,
  type InstallWays,
  type StoredInstall,
  statusOfInstall,
} from './install';
import { type Addresses, connectUrl, hashOfSecret, installUrl, newSecret, type ReconnectLinks } from './install-link';
import { parseReturnUrl } from './return-url';

export interface NewInstall {
  readonly name: string;
  readonly externalId?: string;
  readonly environment: ConnectionEnvironment;
  readonly level: InstallLevel;
  readonly returnUrl?: string;
  /** A connection to repair: only its own Slack team is taken. */
  readonly connectionId?: ConnectionId;
}

export interface NewConnectLink extends Omit<NewInstall, 'level'> {
  readonly expiresInHours?: number;
}

/** An install with the address that leads to it, which exists only here and in the caller's hands. */
export interface IssuedInstall {
  readonly install: Install;
  readonly url: Secret;
}

export interface InstallServiceParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly oauth: SlackOAuth;
  readonly environments: readonly ConnectionEnvironment[];
  readonly addresses: Addresses;
  readonly links: ReconnectLinks;
  /** What the operator decided about installs. */
  readonly rules: InstallRules;
}

export interface InstallRules {
  readonly returnUrls: readonly string[];
  readonly connectLinkTtlMs: number;
}

const MS_PER_HOUR = 3_600_000;
const INSTALL_TTL_MS = MS_PER_HOUR;
const MOST_HOURS = 24 * 30;

/** What a partner does about installations: begins them, makes links for customers, looks how far one is. */
export class InstallService {
  constructor(private readonly parts: InstallServiceParts) {}

  /**
   * Begins an installation through Slack's consent page. The address leads to a page of this gateway first, since only
   * there can the attempt be bound to the person's browser.
   * @throws InvalidInput, ConnectionNotReady (no app in the environment), NotFound (connectionId)
   */
  async startInstall(caller: Caller, input: NewInstall): Promise<IssuedInstall> {
    assertAllowed(caller, 'connections:write');
    const fields = await this.parse(caller, input, input.level);
    if (!this.parts.oauth.isAvailable(input.environment)) throw noApp(input.environment);
    const { install, secret } = await this.issue(caller, {
      ...fields,
      ways: 'CONSENT',
      level: input.level,
      ttlMs: INSTALL_TTL_MS,
    });
    return { install, url: installUrl(this.parts.addresses, secret) };
  }

  /**
   * Makes a link to a page on which a customer's admin connects Slack, by Slack's consent page or with a token.
   * @throws InvalidInput, NotFound (connectionId)
   */
  async createConnectLink(caller: Caller, input: NewConnectLink): Promise<IssuedInstall> {
    assertAllowed(caller, 'connections:write');
    const hours = input.expiresInHours;
    if (hours !== undefined && !(Number.isInteger(hours) && hours >= 1 && hours <= MOST_HOURS)) {
      throw new InvalidInput(`A link is valid for 1 to ${MOST_HOURS} hours.`, { path: ['input', 'expiresInHours'] });
    }
    const fields = await this.parse(caller, input, undefined);
    const { install, secret } = await this.issue(caller, {
      ...fields,
      ways: 'CONSENT_OR_TOKEN',
      ttlMs: hours === undefined ? this.parts.rules.connectLinkTtlMs : hours * MS_PER_HOUR,
    });
    return { install, url: connectUrl(this.parts.addresses, secret) };
  }

  /** @returns undefined when it is unknown, or another tenant's */
  async find(caller: Caller, id: InstallId): Promise<Install | undefined> {
    assertAllowed(caller, 'connections:read');
    return this.parts.database.read((stores) => stores.installs.find(caller.tenant.id, id));
  }

  /**
   * The address at which a person repairs a connection by installing again.
   * @returns undefined where that would repair nothing, the gateway has no app, or the caller may not change connections
   */
  reconnectUrl(caller: Caller, connection: Connection, code: ConnectionProblemCode): string | undefined {
    const { id, tenantId, environment, lifecycle } = connection;
    if (tenantId !== caller.tenant.id || !isAllowed(caller, 'connections:write')) return undefined;
    if (lifecycle === 'DISCONNECTED' || !isRepairedByInstall(code) || !this.parts.oauth.isAvailable(environment)) {
      return undefined;
    }
    return this.parts.links.urlFor({ tenantId, connectionId: id }, this.parts.clock.now());
  }

  /** As `reconnectUrl`, for a connection of which only the id is at hand. */
  async findReconnectUrl(caller: Caller, id: ConnectionId, code: ConnectionProblemCode): Promise<string | undefined> {
    if (!isAllowed(caller, 'connections:write')) return undefined;
    const connection = await this.parts.database.read((stores) => stores.connections.find(caller.tenant.id, id));
    return connection && this.reconnectUrl(caller, connection, code);
  }

  statusOf(install: Install): InstallStatus {
    return statusOfInstall(install, this.parts.clock.now());
  }

  private async parse(caller: Caller, input: NewConnectLink, level: InstallLevel | undefined) {
    const { environments, rules, database } = this.parts;
    const { environment, connectionId } = input;
    const name = parseConnectionName(input.name);
    const externalId = parseExternalId(input.externalId);
    const returnUrl = parseReturnUrl(input.returnUrl, rules.returnUrls);
    if (!environments.includes(environment)) {
      throw new InvalidInput(`The environment ${environment} is not available on this gateway.`, {
        path: ['input', 'environment'],
        remedy: `Use one of: ${environments.join(', ')}.`,
      });
    }
    if (connectionId !== undefined) {
      const connection = await database.read((stores) => stores.connections.find(caller.tenant.id, connectionId));
      assertRepairable(connection, environment, level);
    }
    return { name, externalId, environment, returnUrl, connectionId };
  }

  private async issue(
    caller: Caller,
    {
      ttlMs,
      ...fields
    }: Omit<Install, 'id' | 'tenantId' | 'apiKeyId' | 'createdAt' | 'expiresAt'> & {
      ttlMs: number;
      ways: InstallWays;
    },
  ): Promise<{ install: Install; secret: Secret }> {
    const now = this.parts.clock.now();
    const secret = newSecret();
    const install: Install = {
      id: newId<InstallId>('ins'),
      tenantId: caller.tenant.id,
      apiKeyId: caller.apiKey.id,
      ...fields,
      createdAt: new Date(now),
      expiresAt: new Date(now + ttlMs),
    };
    const stored: StoredInstall = { ...install, secretHash: hashOfSecret(secret) };
    await this.parts.database.transaction((stores) => stores.installs.insert(stored));
    return { install, secret };
  }
}

function assertRepairable(
  connection: Connection | undefined,
  environment: ConnectionEnvironment,
  level: InstallLevel | undefined,
): void {
  if (!connection) throw new NotFound('There is no such connection.', { path: ['input', 'connectionId'] });
  if (connection.environment !== environment) {
    throw new InvalidInput(`The connection belongs to the environment ${connection.environment}.`, {
      path: ['input', 'environment'],
    });
  }
  if (level !== undefined && level !== connection.installLevel) {
    throw new InvalidInput(`The connection is one of level ${connection.installLevel}.`, {
      path: ['input', 'level'],
      remedy: 'Name its level, or make a new connection without connectionId.',
    });
  }
}

function noApp(environment: ConnectionEnvironment): ConnectionNotReady {
  return new ConnectionNotReady(`This gateway has no Slack app of its own in the environment ${environment}.`, {
    path: ['input', 'environment'],
    remedy:
      'The operator of this gateway sets the credentials of its app (ROLLCALL_SLACK_CLIENT_ID and so on). Until then, connect with a pasted token: createConnection or createConnectLink.',
  });
}
