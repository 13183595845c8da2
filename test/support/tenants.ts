import { mutate, type ProblemAnswer } from './operations';
import type { TestApp } from './start-app';

export type PermissionName = 'CONNECTIONS_READ' | 'CONNECTIONS_WRITE' | 'USERS_READ' | 'USERS_WRITE' | 'ADMIN';

export interface IssuedKeyAnswer {
  readonly apiKey: { readonly id: string; readonly name: string; readonly permissions: PermissionName[] } | null;
  readonly secret: string | null;
  readonly problems: ProblemAnswer[];
}

/** A tenant of its own with a key for it, so that tests in one gateway do not meet each other's connections. */
export interface TestTenant {
  readonly id: string;
  readonly key: string;
}

let tenantCount = 0;

export async function createTenant(
  app: TestApp,
  permissions: readonly PermissionName[] = ['ADMIN'],
): Promise<TestTenant> {
  tenantCount += 1;
  const { tenant } = await mutate<{ tenant: { id: string } | null }>(
    app,
    'createTenant',
    'CreateTenantInput',
    'tenant { id }',
    { name: `Tenant ${tenantCount}` },
  );
  if (!tenant) throw new Error('The tenant was not created');
  return { id: tenant.id, key: await createKey(app, permissions, { tenantId: tenant.id }) };
}

/** @returns the key as text. */
export async function createKey(
  app: TestApp,
  permissions: readonly PermissionName[],
  { tenantId, key }: { tenantId?: string; key?: string } = {},
): Promise<string> {
  const { secret, problems } = await issueKey(app, { name: 'Test', permissions, tenantId }, key);
  if (!secret) throw new Error(`The key was not created: ${JSON.stringify(problems)}`);
  return secret;
}

export function issueKey(app: TestApp, input: object, key?: string): Promise<IssuedKeyAnswer> {
  return mutate<IssuedKeyAnswer>(
    app,
    'createApiKey',
    'CreateApiKeyInput',
    'apiKey { id name permissions } secret',
    input,
    key === undefined ? undefined : { key },
  );
}
