import type { ApiKeyId, Caller, Tenant } from '../access/access';
import { isAllowed } from '../access/access';
import { backgroundCaller } from '../access/background-caller';
import { Forbidden } from '../errors';
import type { Stores } from '../ports';
import type { Install } from './install';

/** How long the work for a person may take, and what ends it. */
export type Bounds = Pick<Caller, 'requestId' | 'signal' | 'deadlineAt'>;

/** In place of an API key where none began an install: on a signed link that repairs a connection. */
const NO_KEY = 'key_background' as ApiKeyId;

/** The gateway itself, for a signed link. */
export function reconnectCaller(tenant: Tenant, bounds: Bounds): Caller {
  const caller = backgroundCaller(tenant, bounds);
  return { ...caller, apiKey: { ...caller.apiKey, id: NO_KEY } };
}

/**
 * On whose behalf an install is finished: the API key that began it, as long as it may still do so. Whoever took the key
 * away took away what it had begun, too.
 * @param now milliseconds since the epoch
 * @throws Forbidden
 */
export async function callerOf(stores: Stores, install: Install, bounds: Bounds, now: number): Promise<Caller> {
  const tenant = await stores.tenants.find(install.tenantId);
  if (!tenant) throw withdrawn();
  if (install.apiKeyId === NO_KEY) return reconnectCaller(tenant, bounds);
  const stored = await stores.apiKeys.find(install.apiKeyId);
  if (!stored || stored.tenantId !== tenant.id || stored.revokedAt) throw withdrawn();
  if (stored.expiresAt && stored.expiresAt.getTime() <= now) throw withdrawn();
  const { secretHash: _, ...apiKey } = stored;
  const caller: Caller = { tenant, apiKey, ...bounds };
  if (!isAllowed(caller, 'connections:write')) throw withdrawn();
  return caller;
}

function withdrawn(): Forbidden {
  return new Forbidden('The API key that began this installation has ended or may no longer make connections.', {
    remedy: 'Begin a new installation with a valid API key.',
  });
}
