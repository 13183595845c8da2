import { EntitySchema } from 'typeorm';
import { instant, optional, ownedBy, primary, text, textList } from './columns';

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
  expiresAt: Date | null;
  createdAt: Date;
  verifiedAt: Date | null;
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
    expiresAt: optional(instant('expires_at')),
    createdAt: instant('created_at'),
    verifiedAt: optional(instant('verified_at')),
    lastUsedAt: optional(instant('last_used_at')),
  },
  indices: [
    { name: 'uq_access_tokens_active', columns: ['connectionId'], unique: true, where: "status = 'ACTIVE'" },
    { name: 'ix_access_tokens_connection', columns: ['connectionId', 'createdAt'] },
  ],
});
