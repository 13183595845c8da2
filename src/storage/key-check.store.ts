import type { DataSource, EntityManager } from 'typeorm';
import { SealBroken } from '../domain/ports';
import type { Clock } from '../shared/clock';
import { Secret } from '../shared/secret';
import { type Heirloom, type SealedPlace, type TokenCipher } from './cipher';
import type { Dialect } from './dialect';
import { type KeyCheckRow, keyCheckEntity } from './key-check.entity';
import { countSealed } from './sealed-columns';
import type { StoreHandle } from './store-handle';

/** The configured sealing keys do not fit the stored data. The process must not start; nothing was changed. */
export class WrongSealingKey extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WrongSealingKey';
  }
}

/** What the canary of a database's first key says; those of later keys hold the heirloom. */
const FIRST_CANARY = 'This key opens what is sealed here.';

/**
 * Compares the key ring with the canaries, one a key that was ever the newest, and leaves one for the newest key. The
 * canary of a key that was taken out of the ring is dropped once nothing is sealed with that key any more.
 * @throws WrongSealingKey, with everything as it was.
 */
export async function verifyKeys(
  dataSource: DataSource,
  dialect: Dialect,
  cipher: TokenCipher,
  clock: Clock,
): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await dialect.exclusively(runner, async () => {
      // By reading alone, so that a start does not wait for another process that writes.
      if (await isUpToDate(runner.manager, cipher)) return;
      await runner.query(dialect.begin);
      try {
        await check(runner.manager, cipher, new Date(clock.now()));
        await runner.query('COMMIT');
      } catch (error) {
        await dialect.rollback(runner);
        throw error;
      }
    });
  } finally {
    await runner.release();
  }
}

/** @returns whether the ring holds every key that was ever the newest, and the newest has left its canary. */
async function isUpToDate(manager: EntityManager, cipher: TokenCipher): Promise<boolean> {
  const rows = await listCanaries(manager);
  if (!rows.some(({ keyId }) => keyId === cipher.newestKeyId)) return false;
  if (!rows.every(({ keyId }) => cipher.holds(keyId))) return false;
  inheritFrom(rows, cipher);
  return true;
}

async function check(manager: EntityManager, cipher: TokenCipher, now: Date): Promise<void> {
  const rows = await listCanaries(manager);
  const known = rows.filter(({ keyId }) => cipher.holds(keyId));
  const unknown = rows.filter((row) => !known.includes(row));
  if (rows.length > 0 && known.length === 0) {
    throw new WrongSealingKey(
      `The configured sealing key is not the one that this database was sealed with (${names(unknown)}). Configure that key again; nothing was changed.`,
    );
  }
  inheritFrom(known, cipher);
  for (const { keyId } of unknown) await manager.delete(keyCheckEntity, { keyId });
  if (unknown.length > 0) await assertUnused(manager, unknown);
  if (known.some(({ keyId }) => keyId === cipher.newestKeyId)) return;
  await manager.insert(keyCheckEntity, newestCanary(cipher, rows, now));
}

/** The latest first. */
export function listCanaries(manager: EntityManager): Promise<KeyCheckRow[]> {
  return manager.find(keyCheckEntity, { order: { createdAt: 'DESC', keyId: 'ASC' } });
}

/** @param others those that are there, the latest first; the new one is later, whatever the clock of another replica said. */
export function newestCanary(cipher: TokenCipher, others: readonly KeyCheckRow[], now: Date): KeyCheckRow {
  const keyId = cipher.newestKeyId;
  const isFirst = cipher.heirloomOf(keyId)?.fingerprint.equals(cipher.heirloom.fingerprint);
  const text = isFirst ? FIRST_CANARY : writeHeirloom(cipher.heirloom);
  const latest = others[0]?.createdAt.getTime() ?? 0;
  return {
    keyId,
    sealedCanary: cipher.seal(new Secret(text), canaryPlace(keyId)),
    createdAt: new Date(Math.max(now.getTime(), latest + 1)),
  };
}

/**
 * The newest key of the ring that no start has found to be taken out. A replica that was not restarted yet may still have
 * such a key first; what it sealed with it would be lost with the key. The record of the key is kept until the transaction
 * ends, so that a start at the same moment waits, and then sees what was sealed.
 */
export async function keyToSealWith(handle: StoreHandle, cipher: TokenCipher): Promise<string> {
  const rows = await handle.keepAll<{ key_id: string }>(keyCheckEntity.options.tableName ?? '');
  const known = cipher.keyIds.find((keyId) => rows.some((row) => row.key_id === keyId));
  if (known !== undefined) return known;
  // The secret matters more than the order: with the record back, no start without this key goes on to lose it.
  const canary = newestCanary(cipher, [], new Date(0));
  await handle.insert(keyCheckEntity, canary, { onDuplicate: 'skip' });
  return canary.keyId;
}

/** @param rows the latest first. Of databases older than heirlooms, the latest key's own is what was used. */
function inheritFrom(rows: readonly KeyCheckRow[], cipher: TokenCipher): void {
  const found = rows.map((row) => openCanary(row, cipher));
  const heirloom = found.find(({ isHandedOn }) => isHandedOn)?.heirloom ?? found[0]?.heirloom;
  if (heirloom) cipher.inherit(heirloom);
}

/** @throws WrongSealingKey when it does not open. */
function openCanary(
  { keyId, sealedCanary }: KeyCheckRow,
  cipher: TokenCipher,
): { heirloom: Heirloom; isHandedOn: boolean } {
  try {
    const text = cipher.open(sealedCanary, canaryPlace(keyId)).reveal();
    const isHandedOn = text !== FIRST_CANARY;
    const heirloom = isHandedOn ? readHeirloom(text) : cipher.heirloomOf(keyId);
    if (heirloom) return { heirloom, isHandedOn };
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error;
  }
  throw new WrongSealingKey(`The check record of sealing key ${keyId} was damaged. Restore the table key_check.`);
}

function writeHeirloom({ fingerprint, sandbox }: Heirloom): string {
  return [fingerprint, sandbox].map((key) => key.toString('base64url')).join('.');
}

function readHeirloom(text: string): Heirloom | undefined {
  const [fingerprint, sandbox] = text.split('.').map((part) => Buffer.from(part, 'base64url'));
  return fingerprint && sandbox && { fingerprint, sandbox };
}

async function assertUnused(manager: EntityManager, missing: readonly KeyCheckRow[]): Promise<void> {
  const ids = missing.map(({ keyId }) => keyId);
  const counts = await countSealed(manager);
  const needed = counts.filter(({ keyId }) => keyId !== undefined && ids.includes(keyId));
  if (needed.length === 0) return;
  const count = needed.reduce((sum, { count }) => sum + count, 0);
  const keys = [...new Set(needed.map(({ keyId }) => keyId))].join(', ');
  throw new WrongSealingKey(
    `${count} stored tokens are sealed with key ${keys}, which is not configured. Configure it again, after the newest key; nothing was changed.`,
  );
}

function names(rows: readonly KeyCheckRow[]): string {
  return rows.map(({ keyId }) => keyId).join(', ');
}

function canaryPlace(keyId: string): SealedPlace {
  return { table: 'key_check', recordId: keyId, column: 'sealed_canary' };
}
