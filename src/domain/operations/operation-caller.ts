import type { Caller } from '../access/access';
import { isAllowed } from '../access/access';
import { Forbidden } from '../errors';
import type { Stores } from '../ports';
import type { Operation } from './operation';

/**
 * On whose behalf the items are carried out: the API key that began the operation, as long as it may still do so. Whoever
 * took the key away took away what it had begun, too.
 * @param now milliseconds since the epoch
 * @throws Forbidden
 */
export async function callerOf(
  stores: Stores,
  { tenantId, apiKeyId }: Operation,
  bounds: Pick<Caller, 'requestId' | 'signal' | 'deadlineAt'>,
  now: number,
): Promise<Caller> {
  const tenant = await stores.tenants.find(tenantId);
  const stored = await stores.apiKeys.find(apiKeyId);
  if (!tenant || !stored || stored.tenantId !== tenant.id || stored.revokedAt) throw withdrawn();
  if (stored.expiresAt && stored.expiresAt.getTime() <= now) throw withdrawn();
  const { secretHash: _, ...apiKey } = stored;
  const caller: Caller = { tenant, apiKey, urgency: 'bulk', ...bounds };
  if (!isAllowed(caller, 'users:write')) throw withdrawn();
  return caller;
}

function withdrawn(): Forbidden {
  return new Forbidden('The API key that began this operation has ended or may no longer change people.', {
    remedy: 'Call resumeOperation with a valid API key: the operation goes on in its name.',
  });
}
