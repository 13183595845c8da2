import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../shared/clock';
import { newId } from '../../shared/ids';
import { Secret } from '../../shared/secret';
import { Throttle } from '../../shared/throttle';
import { InvalidInput, NotFound, StorageUnavailable, Unauthenticated } from '../errors';
import { parseLabel } from '../label';
import type { Database, StoredApiKey, Stores } from '../ports';
import {
  type ApiKey,
  type ApiKeyId,
  assertAllowed,
  assertOperator,
  type Caller,
  type Permission,
  type Tenant,
  type TenantId,
} from './access';

/** `rk_`, the id half in hex, `_`, and 256 random bits in base64url. */
const KEY_FORM = /^rk_([0-9a-f]{24})_([A-Za-z0-9_-]{43})$/;

const USE_RECORDED_EVERY_MS = 60_000;
const LONGEST_NAME = 200;

export interface NewApiKey {
  readonly name: string;
  readonly permissions: readonly Permission[];
  /** Only the operator's admins may name another tenant than their own. */
  readonly tenantId?: TenantId;
  readonly expiresAt?: Date;
}

export interface IssuedApiKey {
  readonly apiKey: ApiKey;
  /** The key as text: it exists only here and in the caller's hands. */
  readonly secret: Secret;
}

/** Tenants, their API keys, and who a bearer key belongs to. */
export class AccessService {
  readonly #uses: Throttle<ApiKeyId>;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {
    this.#uses = new Throttle(USE_RECORDED_EVERY_MS, clock);
  }

  /**
   * Finds whose key this is. It asks the store each time, so that a revocation holds at once on every replica.
   * @throws Unauthenticated; unknown, revoked, expired and mistyped keys are not told apart.
   */
  async authenticate(bearer: string): Promise<{ tenant: Tenant; apiKey: ApiKey }> {
    const [, idHalf, secretHalf] = KEY_FORM.exec(bearer) ?? [];
    if (idHalf === undefined || secretHalf === undefined) throw unknownKey();
    const found = await this.database.read(async (stores) => {
      const key = await stores.apiKeys.find(`key_${idHalf}` as ApiKeyId);
      return { key, tenant: key && (await stores.tenants.find(key.tenantId)) };
    });
    // An unknown id is compared with something too, so that its answer takes as long as a wrong secret's.
    const isRight = timingSafeEqual(hashOf(secretHalf), found.key?.secretHash ?? hashOf(''));
    if (!isRight || !found.key || !found.tenant) throw unknownKey();
    const now = this.clock.now();
    const { secretHash: _, ...apiKey } = found.key;
    if (apiKey.revokedAt || (apiKey.expiresAt && apiKey.expiresAt.getTime() <= now)) throw unknownKey();
    if (now - (apiKey.lastUsedAt?.getTime() ?? 0) >= USE_RECORDED_EVERY_MS) await this.recordUse(apiKey.id);
    return { tenant: found.tenant, apiKey };
  }

  private async recordUse(id: ApiKeyId): Promise<void> {
    if (!this.#uses.pass(id)) return;
    try {
      await this.database.transaction((stores) => stores.apiKeys.touch(id, new Date(this.clock.now())));
    } catch (error) {
      // While another process holds the database, requests that only read go on without this note.
      if (!(error instanceof StorageUnavailable)) throw error;
    }
  }

  async createTenant(caller: Caller, name: string): Promise<Tenant> {
    assertOperator(caller, 'create tenants');
    const tenant: Tenant = {
      id: newId<TenantId>('ten'),
      name: parseName(name),
      isOperator: false,
      createdAt: new Date(this.clock.now()),
    };
    await this.database.transaction((stores) => stores.tenants.insert(tenant));
    return tenant;
  }

  async createApiKey(caller: Caller, input: NewApiKey): Promise<IssuedApiKey> {
    assertAllowed(caller, 'admin');
    const name = parseName(input.name);
    if (input.permissions.length === 0) {
      throw new InvalidInput('An API key needs at least one permission.', { path: ['input', 'permissions'] });
    }
    if (input.expiresAt && input.expiresAt.getTime() <= this.clock.now()) {
      throw new InvalidInput('The key would have expired already.', {
        path: ['input', 'expiresAt'],
        remedy: 'Give an instant in the future, or leave it out for a key that does not expire.',
      });
    }
    return this.database.transaction(async (stores) => {
      const tenant = await findReachableTenant(stores, caller, input.tenantId);
      return this.issue(stores, { ...input, name, tenantId: tenant.id });
    });
  }

  /** Revoking a revoked key changes nothing. */
  async revokeApiKey(caller: Caller, id: ApiKeyId): Promise<ApiKey> {
    assertAllowed(caller, 'admin');
    return this.database.transaction(async (stores) => {
      const key = await stores.apiKeys.find(id);
      const isReachable = key && (caller.tenant.isOperator || key.tenantId === caller.tenant.id);
      if (!key || !isReachable) throw new NotFound('There is no such API key.', { path: ['input', 'id'] });
      await stores.apiKeys.revoke(key.tenantId, id, new Date(this.clock.now()));
      const { secretHash: _, ...apiKey } = (await stores.apiKeys.find(id)) ?? key;
      return apiKey;
    });
  }

  /**
   * At the first start: makes the operating tenant with one admin key.
   * @returns undefined when there is an operating tenant already.
   */
  async bootstrap(): Promise<IssuedApiKey | undefined> {
    return this.database.transaction(async (stores) => {
      if (await stores.tenants.findOperator()) return undefined;
      return this.issueOperatorKey(stores, 'First admin key');
    });
  }

  /** For an operator who lost every admin key. Whoever may start this process may have one: it needs the database and its keys. */
  async issueRecoveryKey(): Promise<IssuedApiKey> {
    return this.database.transaction((stores) => this.issueOperatorKey(stores, 'Recovery admin key'));
  }

  private async issueOperatorKey(stores: Stores, name: string): Promise<IssuedApiKey> {
    let operator = await stores.tenants.findOperator();
    if (!operator) {
      operator = {
        id: newId<TenantId>('ten'),
        name: 'Operator',
        isOperator: true,
        createdAt: new Date(this.clock.now()),
      };
      await stores.tenants.insert(operator);
    }
    return this.issue(stores, { name, permissions: ['admin'], tenantId: operator.id });
  }

  private async issue(stores: Stores, input: NewApiKey & { tenantId: TenantId }): Promise<IssuedApiKey> {
    const idHalf = randomBytes(12).toString('hex');
    const secretHalf = randomBytes(32).toString('base64url');
    const key: StoredApiKey = {
      id: `key_${idHalf}` as ApiKeyId,
      tenantId: input.tenantId,
      name: input.name,
      permissions: [...new Set(input.permissions)],
      createdAt: new Date(this.clock.now()),
      expiresAt: input.expiresAt,
      secretHash: hashOf(secretHalf),
    };
    await stores.apiKeys.insert(key);
    const { secretHash: _, ...apiKey } = key;
    return { apiKey, secret: new Secret(`rk_${idHalf}_${secretHalf}`) };
  }
}

/** The secret half has 256 random bits, so one round of SHA-256 is enough: there is nothing to guess. */
function hashOf(secretHalf: string): Buffer {
  return createHash('sha256').update(secretHalf).digest();
}

async function findReachableTenant(stores: Stores, caller: Caller, id: TenantId | undefined): Promise<Tenant> {
  if (id === undefined || id === caller.tenant.id) return caller.tenant;
  const tenant = caller.tenant.isOperator ? await stores.tenants.find(id) : undefined;
  if (!tenant) throw new NotFound('There is no such tenant.', { path: ['input', 'tenantId'] });
  return tenant;
}

function parseName(name: string): string {
  return parseLabel(name, { what: 'A name', longest: LONGEST_NAME, path: ['input', 'name'] });
}

function unknownKey(): Unauthenticated {
  return new Unauthenticated('This API key is unknown, expired or revoked.', {
    remedy: 'Send a valid key as "Authorization: Bearer <key>".',
  });
}
