import type { EntityManager } from 'typeorm';
import type { SealedValueCount, SealedValueKind } from '../domain/key-ports';
import type { AccessTokenRow } from './access-token.entity';
import { type SealedPlace, sealedKeyPrefix } from './cipher';

/** The place that a token's sealed secret is bound to. */
export function secretPlace(id: string): SealedPlace {
  return { table: 'access_tokens', recordId: id, column: 'sealed_secret' };
}

/** The place that a token's sealed refresh token is bound to. */
export function refreshTokenPlace(id: string): SealedPlace {
  return { table: 'access_tokens', recordId: id, column: 'sealed_refresh_token' };
}

export interface SealedColumn {
  readonly kind: SealedValueKind;
  readonly property: keyof AccessTokenRow & ('sealedSecret' | 'sealedRefreshToken');
  readonly placeOf: (id: string) => SealedPlace;
}

/** Every column that holds sealed values, all of them in access_tokens. A key that any of them needs must stay. */
export const sealedColumns: readonly SealedColumn[] = [
  { kind: 'ACCESS_TOKEN', property: 'sealedSecret', placeOf: secretPlace },
  { kind: 'REFRESH_TOKEN', property: 'sealedRefreshToken', placeOf: refreshTokenPlace },
];

const ID_LENGTH = 8;

export async function countSealed(manager: EntityManager): Promise<SealedValueCount[]> {
  const counts: SealedValueCount[] = [];
  for (const { kind, placeOf } of sealedColumns) {
    const { table, column } = placeOf('');
    const form = sealedKeyPrefix('_'.repeat(ID_LENGTH));
    const rows: { key_id: string; count: string | number }[] = await manager.query(
      `SELECT CASE WHEN ${column} LIKE '${form}%' THEN substr(${column}, ${form.indexOf('_') + 1}, ${ID_LENGTH}) ELSE '' END AS key_id,
        count(*) AS count FROM ${table} WHERE ${column} IS NOT NULL GROUP BY 1`,
    );
    for (const { key_id: keyId, count } of rows) {
      // What only looks like an id may be part of a secret that somebody put there.
      counts.push({ keyId: /^[0-9a-f]+$/.test(keyId) ? keyId : undefined, kind, count: Number(count) });
    }
  }
  return counts;
}
