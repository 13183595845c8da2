import type { DataSource, EntityManager } from 'typeorm';
import { SealBroken } from '../domain/ports';
import type { Logger } from '../shared/logger';
import { type AccessTokenRow, accessTokenEntity } from './access-token.entity';
import { secretPlace } from './access-token.store';
import { sealedKeyPrefix, type TokenCipher } from './cipher';
import { connectionEntity } from './connection.entity';
import type { Dialect } from './dialect';

const BATCH_SIZE = 100;

/**
 * Seals with the newest key every token that an older one sealed, so that the older key can be taken out of the ring.
 * Each batch is a transaction, so a start that was cut short is finished by the next one. A token that cannot be opened
 * stays as it is: its connection says so when it is used.
 */
export async function resealTokens(
  dataSource: DataSource,
  dialect: Dialect,
  cipher: TokenCipher,
  logger: Logger,
): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await dialect.exclusively(runner, async () => {
      let [resealed, broken, afterId] = [0, 0, ''];
      for (let rows = await oldSeals(runner.manager, cipher, afterId); rows.length > 0; ) {
        await runner.query(dialect.begin);
        for (const row of rows) {
          if (await reseal(runner.manager, cipher, row)) resealed += 1;
          else broken += 1;
          afterId = row.id;
        }
        await runner.query('COMMIT');
        rows = await oldSeals(runner.manager, cipher, afterId);
      }
      if (resealed + broken > 0) logger.info({ resealed, broken }, 'Sealed the stored tokens with the newest key');
    });
  } finally {
    await runner.release();
  }
}

function oldSeals(manager: EntityManager, cipher: TokenCipher, afterId: string): Promise<AccessTokenRow[]> {
  return manager
    .createQueryBuilder(accessTokenEntity, 'row')
    .where('row.id > :afterId', { afterId })
    .andWhere('row.sealedSecret NOT LIKE :newest', { newest: `${sealedKeyPrefix(cipher.newestKeyId)}%` })
    .orderBy('row.id')
    .limit(BATCH_SIZE)
    .getMany();
}

/** @returns false when the token cannot be opened. */
async function reseal(manager: EntityManager, cipher: TokenCipher, row: AccessTokenRow): Promise<boolean> {
  const { id, connectionId, sealedSecret } = row;
  if (sealedSecret === null) return false;
  try {
    const secret = cipher.open(sealedSecret, secretPlace(id));
    const { tenantId } = await manager.findOneByOrFail(connectionEntity, { id: connectionId });
    await manager.update(
      accessTokenEntity,
      // Another replica may have ended the token since it was read.
      { id, sealedSecret },
      { sealedSecret: cipher.seal(secret, secretPlace(id)), fingerprint: cipher.fingerprint(tenantId, secret) },
    );
    return true;
  } catch (error) {
    if (error instanceof SealBroken) return false;
    throw error;
  }
}
