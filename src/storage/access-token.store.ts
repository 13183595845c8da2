import type { TenantId } from '../domain/access/access';
import {
  type AccessToken,
  type AccessTokenId,
  type ConnectionId,
  type TokenStatus,
  tokenKinds,
  tokenStatuses,
} from '../domain/connections/connection';
import type { AccessTokenStore, NewAccessToken } from '../domain/ports';
import type { Secret } from '../shared/secret';
import { type AccessTokenRow, accessTokenEntity } from './access-token.entity';
import type { SealedPlace, TokenCipher } from './cipher';
import { oneOf } from './columns';
import { connectionEntity } from './connection.entity';
import type { StoreHandle } from './store-handle';

/** Of two tokens made in the same millisecond, the active one is the newer. */
const NEWEST_FIRST = "created_at DESC, CASE WHEN status = 'ACTIVE' THEN 0 ELSE 1 END, id DESC";

const latestIds = `row.id IN (
  SELECT ranked.id FROM (
    SELECT id, ROW_NUMBER() OVER (PARTITION BY connection_id ORDER BY ${NEWEST_FIRST}) AS place
    FROM access_tokens WHERE connection_id IN (:...connectionIds)
  ) AS ranked WHERE ranked.place = 1
)`;

export class TypeOrmAccessTokenStore implements AccessTokenStore {
  constructor(
    private readonly handle: StoreHandle,
    private readonly cipher: TokenCipher,
  ) {}

  async insert(token: NewAccessToken, secret: Secret): Promise<AccessToken> {
    const row: AccessTokenRow = {
      id: token.id,
      connectionId: token.connectionId,
      kind: token.kind,
      status: 'ACTIVE',
      grantedScopes: token.grantedScopes,
      hint: token.hint,
      fingerprint: this.cipher.fingerprint(token.tenantId, secret),
      sealedSecret: this.cipher.seal(secret, secretPlace(token.id)),
      expiresAt: token.expiresAt ?? null,
      createdAt: token.createdAt,
      verifiedAt: token.verifiedAt ?? null,
      lastUsedAt: null,
    };
    await this.handle.insert(accessTokenEntity, row);
    return toToken(row);
  }

  async find(tenantId: TenantId, id: AccessTokenId): Promise<AccessToken | undefined> {
    const row = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(accessTokenEntity, 'row')
        .innerJoin(
          connectionEntity.options.name,
          'owner',
          'owner.id = row.connectionId AND owner.tenantId = :tenantId',
          {
            tenantId,
          },
        )
        .where('row.id = :id', { id })
        .getOne(),
    );
    return row ? toToken(row) : undefined;
  }

  async findActive(connectionId: ConnectionId): Promise<AccessToken | undefined> {
    const row = await this.handle.findOne(accessTokenEntity, { connectionId, status: 'ACTIVE' });
    return row ? toToken(row) : undefined;
  }

  async listLatest(connectionIds: readonly ConnectionId[]): Promise<AccessToken[]> {
    if (connectionIds.length === 0) return [];
    const rows = await this.handle.run((manager) =>
      manager.createQueryBuilder(accessTokenEntity, 'row').where(latestIds, { connectionIds }).getMany(),
    );
    return rows.map(toToken);
  }

  async open(id: AccessTokenId): Promise<Secret | undefined> {
    const row = await this.handle.findOne(accessTokenEntity, { id });
    if (!row || row.sealedSecret === null) return undefined;
    return this.cipher.open(row.sealedSecret, secretPlace(id));
  }

  async markVerified(
    id: AccessTokenId,
    at: Date,
    grantedScopes: readonly string[],
    expiresAt: Date | undefined,
  ): Promise<void> {
    await this.handle.update(
      accessTokenEntity,
      { verifiedAt: at, grantedScopes, expiresAt: expiresAt ?? null },
      'id = :id',
      { id },
    );
  }

  async markUsed(id: AccessTokenId, at: Date): Promise<void> {
    await this.handle.update(accessTokenEntity, { lastUsedAt: at }, 'id = :id', { id });
  }

  async retire(id: AccessTokenId, status: Exclude<TokenStatus, 'ACTIVE'>): Promise<void> {
    await this.handle.update(accessTokenEntity, { status, sealedSecret: null }, 'id = :id', { id });
  }
}

/** The place that a token's sealed secret is bound to. */
export function secretPlace(id: string): SealedPlace {
  return { table: 'access_tokens', recordId: id, column: 'sealed_secret' };
}

function toToken(row: AccessTokenRow): AccessToken {
  return {
    id: row.id as AccessTokenId,
    connectionId: row.connectionId as ConnectionId,
    kind: oneOf(tokenKinds, row.kind),
    status: oneOf(tokenStatuses, row.status),
    grantedScopes: row.grantedScopes,
    hint: row.hint,
    fingerprint: row.fingerprint,
    expiresAt: row.expiresAt ?? undefined,
    // A pasted token comes without a refresh token.
    refreshable: false,
    createdAt: row.createdAt,
    verifiedAt: row.verifiedAt ?? undefined,
    lastUsedAt: row.lastUsedAt ?? undefined,
  };
}
