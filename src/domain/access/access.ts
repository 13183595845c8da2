import { Forbidden } from '../errors';
import type { UpstreamUsage, Urgency } from '../upstream-usage';

export type TenantId = string & { readonly __brand: 'TenantId' };
export type ApiKeyId = string & { readonly __brand: 'ApiKeyId' };

export const permissions = ['connections:read', 'connections:write', 'users:read', 'users:write', 'admin'] as const;
export type Permission = (typeof permissions)[number];

export interface Tenant {
  readonly id: TenantId;
  readonly name: string;
  /** The tenant that runs this gateway: its admins may create tenants and keys for them. */
  readonly isOperator: boolean;
  readonly createdAt: Date;
}

/** What is known about an API key. Of the key itself only a hash is stored. */
export interface ApiKey {
  readonly id: ApiKeyId;
  readonly tenantId: TenantId;
  readonly name: string;
  readonly permissions: readonly Permission[];
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  readonly lastUsedAt?: Date;
  readonly revokedAt?: Date;
}

/** Who asks, and how long the answer may take. Every domain service takes it first. */
export interface Caller {
  readonly tenant: Tenant;
  readonly apiKey: ApiKey;
  readonly requestId: string;
  /** Aborts when the server's time to stop is over. A client that goes away ends nothing: a write would be left half known. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch; no wait may go beyond it. */
  readonly deadlineAt: number;
  /** `bulk` lets everybody else go first where calls wait for Slack's limits. */
  readonly urgency?: Urgency;
  /** What of Slack the request has used so far. */
  readonly usage?: UpstreamUsage;
}

/** `admin` covers every other permission of its tenant. */
export function isAllowed(caller: Caller, permission: Permission): boolean {
  return caller.apiKey.permissions.includes(permission) || caller.apiKey.permissions.includes('admin');
}

/** @throws Forbidden when the key lacks the permission. */
export function assertAllowed(caller: Caller, permission: Permission): void {
  if (isAllowed(caller, permission)) return;
  throw new Forbidden(`This API key lacks the permission "${permission}".`, {
    remedy: `Use a key with "${permission}", or ask an admin of your tenant to create one with createApiKey.`,
  });
}

/**
 * For what concerns the gateway as a whole.
 * @param what completes "Only the tenant that operates this gateway may …".
 * @throws Forbidden unless the key is an admin's of that tenant.
 */
export function assertOperator(caller: Caller, what: string): void {
  assertAllowed(caller, 'admin');
  if (caller.tenant.isOperator) return;
  throw new Forbidden(`Only the tenant that operates this gateway may ${what}.`, {
    remedy: 'Ask the operator of this gateway.',
  });
}
