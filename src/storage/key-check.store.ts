import type { DataSource, EntityManager } from 'typeorm';
import { SealBroken } from '../domain/ports';
import type { Clock } from '../shared/clock';
import { Secret } from '../shared/secret';
import { accessTokenEntity } from './access-token.entity';
import { type SealedPlace, sealedKeyPrefix, type TokenCipher } from './cipher';
import type { Dialect } from './dialect';
import { type KeyCheckRow, keyCheckEntity } from './key-check.entity';

/** The configured sealing keys do not fit the stored data. The process must not start; nothing was changed. */
export class WrongSealingKey extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WrongSealingKey';
  }
}

const CANARY = new Secret('This key opens what is sealed here.');

/**
 * Compares the key ring with the canaries, one a key that was ever the newest, and leaves one for the newest key. The
 * canary of a key that was taken out of the ring is dropped once no token is sealed with that key any more.
 * @throws WrongSealingKey before anything is written.
 */
export async function verifyKeys(
  dataSource: DataSource,
  dialect: Dialect,
  cipher: TokenCipher,
  clock: Clock,
): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await dialect.exclusively(runner, () => check(runner.manager, cipher, new Date(clock.now())));
  } finally {
    await runner.release();
  }
}

async function check(manager: EntityManager, cipher: TokenCipher, now: Date): Promise<void> {
  const rows = await manager.find(keyCheckEntity);
  const unknown = rows.filter((row) => !opens(row, cipher));
  if (rows.length > 0 && unknown.length === rows.length) {
    throw new WrongSealingKey(
      `The configured sealing key is not the one that this database was sealed with (${names(unknown)}). Configure that key again; nothing was changed.`,
    );
  }
  for (const { keyId } of unknown) await assertUnused(manager, keyId);
  for (const { keyId } of unknown) await manager.delete(keyCheckEntity, { keyId });
  if (rows.some(({ keyId }) => keyId === cipher.newestKeyId)) return;
  const sealedCanary = cipher.seal(CANARY, canaryPlace(cipher.newestKeyId));
  await manager.insert(keyCheckEntity, { keyId: cipher.newestKeyId, sealedCanary, createdAt: now });
}

function opens({ keyId, sealedCanary }: KeyCheckRow, cipher: TokenCipher): boolean {
  if (!cipher.holds(keyId)) return false;
  try {
    return cipher.open(sealedCanary, canaryPlace(keyId)).reveal() === CANARY.reveal();
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error;
    throw new WrongSealingKey(`The check record of sealing key ${keyId} was damaged. Restore the table key_check.`);
  }
}

async function assertUnused(manager: EntityManager, keyId: string): Promise<void> {
  const count = await manager
    .createQueryBuilder(accessTokenEntity, 'row')
    .where('row.sealedSecret LIKE :sealed', { sealed: `${sealedKeyPrefix(keyId)}%` })
    .getCount();
  if (count === 0) return;
  throw new WrongSealingKey(
    `${count} stored tokens are sealed with key ${keyId}, which is not configured. Configure it again, after the newest key; nothing was changed.`,
  );
}

function names(rows: readonly KeyCheckRow[]): string {
  return rows.map(({ keyId }) => keyId).join(', ');
}

function canaryPlace(keyId: string): SealedPlace {
  return { table: 'key_check', recordId: keyId, column: 'sealed_canary' };
}
