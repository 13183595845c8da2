import type { AccessTokenId, ConnectionId } from '../domain/connections/connection';
import type { ResealedBatch, SealedValueCount, SealingKeyStore, UnreadableValue } from '../domain/key-ports';
import { SealBroken } from '../domain/ports';
import { type AccessTokenRow, accessTokenEntity } from './access-token.entity';
import { sealedKeyPrefix, type TokenCipher } from './cipher';
import { keyCheckEntity } from './key-check.entity';
import { listCanaries, newestCanary } from './key-check.store';
import { countSealed, type SealedColumn, sealedColumns } from './sealed-columns';
import type { StoreHandle } from './store-handle';

type Resealed = 'RESEALED' | 'UNREADABLE' | 'LEFT';

export class TypeOrmSealingKeyStore implements SealingKeyStore {
  constructor(
    private readonly handle: StoreHandle,
    private readonly cipher: TokenCipher,
  ) {}

  async listUsed(): Promise<string[]> {
    return (await this.handle.run(listCanaries)).map(({ keyId }) => keyId);
  }

  countSealed(): Promise<SealedValueCount[]> {
    return this.handle.run(countSealed);
  }

  async declareNewest(at: Date): Promise<void> {
    const rows = await this.handle.run(listCanaries);
    if (rows[0]?.keyId === this.cipher.newestKeyId) return;
    const canary = newestCanary(this.cipher, rows, at);
    if (await this.handle.insert(keyCheckEntity, canary, { onDuplicate: 'skip' })) return;
    const { keyId, createdAt } = canary;
    await this.handle.update(keyCheckEntity, { createdAt }, 'key_id = :keyId', { keyId });
  }

  async forget(keyId: string): Promise<void> {
    await this.handle.delete(keyCheckEntity, 'key_id = :keyId', { keyId });
  }

  async resealBatch(after: string, limit: number): Promise<ResealedBatch> {
    const rows = await this.oldSeals(after, limit);
    const unreadable: UnreadableValue[] = [];
    let resealed = 0;
    for (const row of rows) {
      for (const column of sealedColumns) {
        const outcome = await this.reseal(row, column);
        if (outcome === 'RESEALED') resealed += 1;
        if (outcome === 'UNREADABLE') unreadable.push(nameOf(row, column));
      }
    }
    return { resealed, unreadable, next: rows.length < limit ? undefined : rows.at(-1)?.id };
  }

  private oldSeals(after: string, limit: number): Promise<AccessTokenRow[]> {
    const isOld = sealedColumns.map(({ property }) => `row.${property} NOT LIKE :newest`).join(' OR ');
    return this.handle.run((manager) =>
      manager
        .createQueryBuilder(accessTokenEntity, 'row')
        .where('row.id > :after', { after })
        .andWhere(`(${isOld})`, { newest: `${sealedKeyPrefix(this.cipher.newestKeyId)}%` })
        .orderBy('row.id')
        .limit(limit)
        .getMany(),
    );
  }

  /** Each value by itself, so that one that is damaged does not keep its neighbour. */
  private async reseal(row: AccessTokenRow, { property, placeOf }: SealedColumn): Promise<Resealed> {
    const sealed = row[property];
    if (sealed === null || sealed.startsWith(sealedKeyPrefix(this.cipher.newestKeyId))) return 'LEFT';
    const place = placeOf(row.id);
    try {
      const anew = this.cipher.seal(this.cipher.open(sealed, place), place);
      // The old value is named again: the token may have been refreshed or ended since it was read.
      const changed = await this.handle.update(
        accessTokenEntity,
        { [property]: anew },
        `id = :id AND ${place.column} = :sealed`,
        { id: row.id, sealed },
      );
      return changed === 1 ? 'RESEALED' : 'LEFT';
    } catch (error) {
      if (error instanceof SealBroken) return 'UNREADABLE';
      throw error;
    }
  }
}

function nameOf({ id, connectionId }: AccessTokenRow, { kind }: SealedColumn): UnreadableValue {
  return { tokenId: id as AccessTokenId, connectionId: connectionId as ConnectionId, kind };
}
