import type { ApiKeyId, Caller, Tenant } from './access';

/**
 * The gateway itself, at work for a tenant: it passes the same checks as a key of that tenant, and none of another.
 * @param bounds how long the work may take, and what ends it.
 */
export function backgroundCaller(tenant: Tenant, bounds: Pick<Caller, 'requestId' | 'signal' | 'deadlineAt'>): Caller {
  return {
    tenant,
    apiKey: {
      id: 'key_background' as ApiKeyId,
      tenantId: tenant.id,
      name: 'Background work',
      permissions: ['connections:read', 'connections:write'],
      createdAt: tenant.createdAt,
    },
    ...bounds,
  };
}
