import { KeyCustody } from '../../src/domain/keys/key-custody.service';
import { type ResealParts, ResealService } from '../../src/domain/keys/reseal.service';
import { type SealingKey, totalOf } from '../../src/domain/keys/sealing-key';
import { systemClock } from '../../src/shared/clock';
import { silentLogger } from '../../src/shared/logger';
import type { Storage } from '../../src/storage/open-storage';

type Opened = Pick<Storage, 'database' | 'keys'>;

export function resealerOf({ database, keys }: Opened, parts: Partial<ResealParts> = {}): ResealService {
  return new ResealService({ database, ring: keys, clock: systemClock, logger: silentLogger, ...parts });
}

export function custodyOf({ database, keys }: Opened): KeyCustody {
  return new KeyCustody(database, keys, systemClock, silentLogger);
}

/** How many values each key sealed, newest first. */
export async function keyUse(storage: Opened): Promise<number[]> {
  return (await custodyOf(storage).describe()).keys.map(totalOf);
}

export async function describedKeys(storage: Opened): Promise<readonly SealingKey[]> {
  return (await custodyOf(storage).describe()).keys;
}
