import { randomBytes } from 'node:crypto';
import type { ApiKeyId, Tenant, TenantId } from '../../src/domain/access/access';
import type {
  AccessTokenId,
  Connection,
  ConnectionId,
  ConnectionIssue,
  ConnectionIssueId,
} from '../../src/domain/connections/connection';
import type { SlackEvent } from '../../src/domain/install-ports';
import type { InstallAttempt, InstallAttemptId, InstallId, StoredInstall } from '../../src/domain/installs/install';
import type { Database, IdempotencyRecord, NewAccessToken, RefreshedToken, StoredApiKey } from '../../src/domain/ports';
import { newId } from '../../src/shared/ids';
import { Secret } from '../../src/shared/secret';

/** An instant with a milliseconds part, as a store must keep it. */
export const someInstant = new Date('2030-01-02T03:04:05.678Z');

export function later(ms: number): Date {
  return new Date(someInstant.getTime() + ms);
}

export function aTenant(fields: Partial<Tenant> = {}): Tenant {
  return { id: newId<TenantId>('ten'), name: 'Acme', isOperator: false, createdAt: someInstant, ...fields };
}

export function anApiKey(tenantId: TenantId, fields: Partial<StoredApiKey> = {}): StoredApiKey {
  return {
    id: newId<ApiKeyId>('key'),
    tenantId,
    name: 'CI',
    permissions: ['connections:read', 'users:write'],
    secretHash: randomBytes(32),
    createdAt: someInstant,
    ...fields,
  };
}

export function aConnection(tenantId: TenantId, fields: Partial<Connection> = {}): Connection {
  return {
    id: newId<ConnectionId>('con'),
    tenantId,
    name: 'Acme Slack',
    environment: 'LIVE',
    lifecycle: 'OPEN',
    status: 'ACTIVE',
    teamKey: `T${randomBytes(5).toString('hex').toUpperCase()}`,
    installLevel: 'WORKSPACE',
    createdAt: someInstant,
    updatedAt: someInstant,
    version: 1,
    ...fields,
  };
}

export function aToken({ id, tenantId }: Connection, fields: Partial<NewAccessToken> = {}): NewAccessToken {
  return {
    id: newId<AccessTokenId>('tok'),
    connectionId: id,
    tenantId,
    kind: 'USER',
    grantedScopes: ['admin', 'users:read'],
    hint: 'xoxp-…wxyz',
    createdAt: someInstant,
    ...fields,
  };
}

export function aSecret(): Secret {
  return new Secret(`xoxp-${randomBytes(24).toString('hex')}`);
}

export function aRefreshedPair(fields: Partial<RefreshedToken> = {}): RefreshedToken {
  return {
    secret: aSecret(),
    refreshToken: aSecret(),
    hint: 'xoxe.xoxp-…abcd',
    grantedScopes: ['admin'],
    expiresAt: later(43_200_000),
    refreshedAt: later(1),
    ...fields,
  };
}

export function anIssue({ id }: Connection, fields: Partial<ConnectionIssue> = {}): ConnectionIssue {
  return {
    id: newId<ConnectionIssueId>('iss'),
    connectionId: id,
    code: 'MISSING_SCOPES',
    message: 'The token lacks scopes.',
    remedy: 'Add them.',
    since: someInstant,
    ...fields,
  };
}

export function anInstall(tenantId: TenantId, fields: Partial<StoredInstall> = {}): StoredInstall {
  return {
    id: newId<InstallId>('ins'),
    tenantId,
    apiKeyId: newId<ApiKeyId>('key'),
    ways: 'CONSENT',
    name: 'Acme Slack',
    environment: 'LIVE',
    createdAt: someInstant,
    expiresAt: later(3_600_000),
    secretHash: randomBytes(32),
    ...fields,
  };
}

export function anAttempt(installId: InstallId, fields: Partial<InstallAttempt> = {}): InstallAttempt {
  return {
    id: newId<InstallAttemptId>('att'),
    installId,
    stateHash: randomBytes(32),
    browserHash: randomBytes(32),
    level: 'WORKSPACE',
    createdAt: someInstant,
    expiresAt: later(600_000),
    ...fields,
  };
}

export function aSlackEvent(fields: Partial<SlackEvent> = {}): SlackEvent {
  return {
    id: `Ev${randomBytes(5).toString('hex').toUpperCase()}`,
    environment: 'LIVE',
    type: 'tokens_revoked',
    userSlackIds: ['U1', 'U2'],
    occurredAt: new Date(1_893_553_445_000),
    receivedAt: someInstant,
    ...fields,
  };
}

export function anIdempotencyRecord(
  { id, tenantId }: Connection,
  fields: Partial<IdempotencyRecord> = {},
): IdempotencyRecord {
  return {
    tenantId,
    key: randomBytes(8).toString('hex'),
    connectionId: id,
    action: 'provisionUser',
    inputHash: randomBytes(32).toString('hex'),
    state: 'RUNNING',
    owner: 'run-1',
    leaseExpiresAt: later(60_000),
    createdAt: someInstant,
    expiresAt: later(86_400_000),
    ...fields,
  };
}

/** Stores a new tenant and a connection of it. */
export async function storeConnection(database: Database, fields: Partial<Connection> = {}): Promise<Connection> {
  const tenant = aTenant();
  const connection = aConnection(tenant.id, fields);
  await database.transaction(async (stores) => {
    await stores.tenants.insert(tenant);
    await stores.connections.insert(connection);
  });
  return connection;
}
