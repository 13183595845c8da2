import { EntitySchema } from 'typeorm';
import { instant, integer, optional, ownedBy, primary, text, textList, withDefault } from './columns';

export interface AccessTokenRow {
  id: string;
  connectionId: string;
  kind: string;
  status: string;
  grantedScopes: readonly string[];
  hint: string;
  fingerprint: string;
  /** The token itself, sealed; null once the token has ended. */
  sealedSecret: string | null;
  /** Null for a token that does not rotate, and once it has ended. */
  sealedRefreshToken: string | null;
  generation: number;
  appSlackId: string | null;
  expiresAt: Date | null;
  createdAt: Date;
  verifiedAt: Date | null;
  refreshedAt: Date | null;
  refreshStartedAt: Date | null;
  lastUsedAt: Date | null;
}

export const accessTokenEntity = new EntitySchema<AccessTokenRow>({
  name: 'AccessToken',
  tableName: 'access_tokens',
  columns: {
    id: primary(text('id')),
    connectionId: ownedBy('Connection', text('connection_id')),
    kind: text('kind'),
    status: text('status'),
    grantedScopes: textList('granted_scopes'),
    hint: text('hint'),
    fingerprint: text('fingerprint'),
    sealedSecret: optional(text('sealed_secret')),
    sealedRefreshToken: optional(text('sealed_refresh_token')),
    generation: withDefault(1, integer('generation')),
    appSlackId: optional(text('app_slack_id')),
    expiresAt: optional(instant('expires_at')),
    createdAt: instant('created_at'),
    verifiedAt: optional(instant('verified_at')),
    refreshedAt: optional(instant('refreshed_at')),
    refreshStartedAt: optional(instant('refresh_started_at')),
    lastUsedAt: optional(instant('last_used_at')),
  },
  indices: [
    { name: 'uq_access_tokens_active', columns: ['connectionId'], unique: true, where: "status = 'ACTIVE'" },
    { name: 'ix_access_tokens_connection', columns: ['connectionId', 'createdAt'] },
    { name: 'ix_access_tokens_expiry', columns: ['expiresAt'] },
  ],
});
