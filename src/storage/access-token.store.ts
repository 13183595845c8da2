import type { TenantId } from '../domain/access/access';
import {
  type AccessToken,
  type AccessTokenId,
  type ConnectionId,
  type TokenStatus,
  tokenKinds,
  tokenStatuses,
} from '../domain/connections/connection';
import type { AccessTokenStore, DueToken, NewAccessToken, RefreshedToken } from '../domain/ports';
import type { Secret } from '../shared/secret';
import { type AccessTokenRow, accessTokenEntity } from './access-token.entity';
import type { TokenCipher } from './cipher';
import { oneOf } from './columns';
import { connectionEntity } from './connection.entity';
import { keyToSealWith } from './key-check.store';
import { refreshTokenPlace, secretPlace } from './sealed-columns';
import type { StoreHandle } from './store-handle';

/** Of two tokens made in the same millisecond, the active one is the newer. */
const NEWEST_FIRST = "created_at DESC, CASE WHEN status = 'ACTIVE' THEN 0 ELSE 1 END, id DESC";

const latestIds = `row.id IN (
  SELECT ranked.id FROM (
    SELECT id, ROW_NUMBER() OVER (PARTITION BY connection_id ORDER BY ${NEWEST_FIRST}) AS place
    FROM access_tokens WHERE connection_id IN (:...connectionIds)
  ) AS ranked WHERE ranked.place = 1
)`;

/** The newest of a connection stays, since it is shown whatever its status. */
const ENDED_LONG_AGO = `id IN (
  SELECT id FROM access_tokens AS old
  WHERE status <> 'ACTIVE' AND created_at < :before AND COALESCE(verified_at, 0) < :before
    AND COALESCE(refreshed_at, 0) < :before AND COALESCE(last_used_at, 0) < :before
    AND EXISTS (
      SELECT 1 FROM access_tokens AS newer
      WHERE newer.connection_id = old.connection_id AND newer.created_at > old.created_at
    )
  LIMIT :limit
)`;

/** The fence: a refresh of an older value, or of a token that has ended, writes nothing. */
const CURRENT_TOKEN = "id = :id AND generation = :generation AND status = 'ACTIVE'";

export class TypeOrmAccessTokenStore implements AccessTokenStore {
  constructor(
    private readonly handle: StoreHandle,
    private readonly cipher: TokenCipher,
  ) {}

  async insert(token: NewAccessToken, secret: Secret, refreshToken?: Secret): Promise<AccessToken> {
    const keyId = await keyToSealWith(this.handle, this.cipher);
    const row: AccessTokenRow = {
      id: token.id,
      connectionId: token.connectionId,
      kind: token.kind,
      status: 'ACTIVE',
      grantedScopes: token.grantedScopes,
      hint: token.hint,
      fingerprint: this.cipher.fingerprint(token.tenantId, secret),
      sealedSecret: this.cipher.seal(secret, secretPlace(token.id), keyId),
      sealedRefreshToken: refreshToken ? this.cipher.seal(refreshToken, refreshTokenPlace(token.id), keyId) : null,
      generation: 1,
      appSlackId: token.appSlackId ?? null,
      expiresAt: token.expiresAt ?? null,
      createdAt: token.createdAt,
      verifiedAt: token.verifiedAt ?? null,
      refreshedAt: null,
      refreshStartedAt: null,
      lastUsedAt: null,
    };
    await this.handle.insert(accessTokenEntity, row);
    this.handle.changes.add(token.tenantId, token.connectionId);
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

  async findSealed(connectionId: ConnectionId): ReturnType<AccessTokenStore['findSealed']> {
    const row = await this.handle.findOne(accessTokenEntity, { connectionId, status: 'ACTIVE' });
    if (!row) return undefined;
    let secret: Secret | undefined;
    return {
      token: toToken(row),
      open: () => {
        secret ??= this.openRow(row);
        return secret;
      },
    };
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
    return row ? this.openRow(row) : undefined;
  }

  async openRefreshToken(id: AccessTokenId): Promise<Secret | undefined> {
    const row = await this.handle.findOne(accessTokenEntity, { id });
    if (!row || row.sealedRefreshToken === null) return undefined;
    return this.cipher.open(row.sealedRefreshToken, refreshTokenPlace(id));
  }

  async beginRefresh(id: AccessTokenId, generation: number, at: Date): Promise<boolean> {
    const begun = await this.handle.update(accessTokenEntity, { refreshStartedAt: at }, CURRENT_TOKEN, {
      id,
      generation,
    });
    return begun === 1;
  }

  async saveRefreshed(
    tenantId: TenantId,
    { id, generation }: Pick<AccessToken, 'id' | 'generation'>,
    pair: RefreshedToken,
  ): Promise<boolean> {
    const keyId = await keyToSealWith(this.handle, this.cipher);
    const saved = await this.handle.update(
      accessTokenEntity,
      {
        sealedSecret: this.cipher.seal(pair.secret, secretPlace(id), keyId),
        sealedRefreshToken: this.cipher.seal(pair.refreshToken, refreshTokenPlace(id), keyId),
        fingerprint: this.cipher.fingerprint(tenantId, pair.secret),
        hint: pair.hint,
        grantedScopes: pair.grantedScopes,
        expiresAt: pair.expiresAt ?? null,
        refreshedAt: pair.refreshedAt,
        refreshStartedAt: null,
        generation: generation + 1,
        ...(pair.appSlackId === undefined ? {} : { appSlackId: pair.appSlackId }),
      },
      `${CURRENT_TOKEN} AND connection_id IN (SELECT owner.id FROM connections AS owner WHERE owner.tenant_id = :tenantId)`,
      { id, generation, tenantId },
    );
    if (saved === 1) this.handle.changes.addToken(id);
    return saved === 1;
  }

  async dropRefreshToken(id: AccessTokenId, generation: number): Promise<void> {
    await this.handle.update(
      accessTokenEntity,
      { sealedRefreshToken: null, refreshStartedAt: null },
      'id = :id AND generation = :generation',
      { id, generation },
    );
    this.handle.changes.addToken(id);
  }

  async listDueForRefresh(before: Date, limit: number): Promise<DueToken[]> {
    const { entities, raw } = await this.handle.run((manager) =>
      manager
        .createQueryBuilder(accessTokenEntity, 'row')
        .innerJoin(connectionEntity.options.name, 'owner', 'owner.id = row.connectionId')
        .addSelect('owner.tenantId', 'tenant')
        .where({ status: 'ACTIVE' })
        .andWhere('row.sealedRefreshToken IS NOT NULL')
        .andWhere('(row.refreshStartedAt IS NOT NULL OR row.expiresAt < :before)', { before: before.getTime() })
        .andWhere("owner.lifecycle = 'OPEN' AND owner.status <> 'REAUTHORIZATION_REQUIRED'")
        .orderBy('row.refreshStartedAt', 'ASC', 'NULLS LAST')
        .addOrderBy('row.expiresAt', 'ASC', 'NULLS LAST')
        .addOrderBy('row.id', 'ASC')
        .limit(limit)
        .getRawAndEntities<{ tenant: string }>(),
    );
    return entities.map((row, place) => ({ tenantId: raw[place]?.tenant as TenantId, token: toToken(row) }));
  }

  async isSharedGrant({
    environment,
    teamKey,
    installerSlackId,
    exceptConnectionId,
  }: Parameters<AccessTokenStore['isSharedGrant']>[0]): Promise<boolean> {
    const count = await this.handle.run((manager) => {
      const query = manager
        .createQueryBuilder(accessTokenEntity, 'row')
        .innerJoin(connectionEntity.options.name, 'owner', 'owner.id = row.connectionId')
        .where({ status: 'ACTIVE' })
        .andWhere('owner.environment = :environment AND owner.teamKey = :teamKey', { environment, teamKey })
        .andWhere('owner.installerSlackId = :installerSlackId', { installerSlackId });
      if (exceptConnectionId !== undefined) query.andWhere('owner.id <> :exceptConnectionId', { exceptConnectionId });
      return query.getCount();
    });
    return count > 0;
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
    await this.handle.update(
      accessTokenEntity,
      { status, sealedSecret: null, sealedRefreshToken: null, refreshStartedAt: null },
      'id = :id',
      { id },
    );
    this.handle.changes.addToken(id);
  }

  private openRow({ id, sealedSecret }: AccessTokenRow): Secret | undefined {
    return sealedSecret === null ? undefined : this.cipher.open(sealedSecret, secretPlace(id as AccessTokenId));
  }

  deleteEndedBefore(before: Date, limit: number): Promise<number> {
    return this.handle.delete(accessTokenEntity, ENDED_LONG_AGO, { before: before.getTime(), limit });
  }
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
    refreshable: row.sealedRefreshToken !== null,
    generation: row.generation,
    appSlackId: row.appSlackId ?? undefined,
    createdAt: row.createdAt,
    verifiedAt: row.verifiedAt ?? undefined,
    refreshedAt: row.refreshedAt ?? undefined,
    refreshStartedAt: row.refreshStartedAt ?? undefined,
    lastUsedAt: row.lastUsedAt ?? undefined,
  };
}
