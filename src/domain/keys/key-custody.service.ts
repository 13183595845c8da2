import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/logger';
import { Conflict, NotFound } from '../errors';
import type { SealingKeyFile, SealingKeyRing } from '../key-ports';
import type { Database } from '../ports';
import { countOld, keyUseOf, type SealingKeyUse, totalOf } from './sealing-key';

/** The life of sealing keys, for whoever may start this process: it has the keys in any case. */
export class KeyCustody {
  constructor(
    private readonly database: Database,
    private readonly ring: SealingKeyRing,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  async describe(): Promise<SealingKeyUse> {
    await this.ring.file?.reload();
    return this.database.read(async ({ sealingKeys }) =>
      keyUseOf(this.ring, await sealingKeys.listUsed(), await sealingKeys.countSealed()),
    );
  }

  /** How many stored values another key than the newest sealed. */
  countOld(): Promise<number> {
    return this.database.read(async ({ sealingKeys }) => countOld(this.ring, await sealingKeys.countSealed()));
  }

  /**
   * Makes a new key and seals with it from now on; the older ones still open.
   * @returns its id. @throws Conflict when the gateway does not keep its keys itself; the remedy tells what to do then.
   */
  async rotate(): Promise<string> {
    const file = this.keyFile('The gateway cannot make a sealing key here.', this.ring.procedure.toAdd);
    const key = file.makeKey();
    await this.database.transaction(async ({ sealingKeys }) => {
      await key.install();
      await sealingKeys.declareNewest(new Date(this.clock.now()));
    });
    this.logger.info({ keyId: key.id }, 'made a new sealing key');
    return key.id;
  }

  /**
   * Takes a key out of the file that nothing needs. It is never done by itself: a backup of the database may need the key.
   * @throws Conflict while anything needs it, or when the gateway does not keep its keys itself; NotFound.
   */
  async remove(keyId: string): Promise<void> {
    const file = this.keyFile('The gateway cannot remove a sealing key here.', this.ring.procedure.toRemove);
    await this.database.transaction(async ({ sealingKeys }) => {
      await file.reload();
      // The newest key's record hands on what outlives the one that goes.
      await sealingKeys.declareNewest(new Date(this.clock.now()));
      const { keys } = keyUseOf(this.ring, await sealingKeys.listUsed(), await sealingKeys.countSealed());
      const key = keys.find(({ id }) => id === keyId);
      if (!key) throw new NotFound('There is no such sealing key.', { path: ['input', 'id'] });
      // One that is not loaded any more, and that nothing needs, was left half removed.
      const isUnneeded = key.isLoaded ? key.canBeRemoved : totalOf(key) === 0;
      if (!isUnneeded) throw stillNeeded(key.isNewest, totalOf(key));
      await sealingKeys.forget(keyId);
      await file.remove(keyId);
    });
    this.logger.info({ keyId }, 'removed a sealing key');
  }

  private keyFile(message: string, remedy: string): SealingKeyFile {
    if (!this.ring.file) throw new Conflict(message, { remedy });
    return this.ring.file;
  }
}

function stillNeeded(isNewest: boolean, count: number): Conflict {
  if (isNewest) {
    return new Conflict('Everything new is sealed with this key.', {
      path: ['input', 'id'],
      remedy: 'Make a newer one first, with rotateSealingKey.',
    });
  }
  return new Conflict(`Stored values that are sealed with this key: ${count}.`, {
    path: ['input', 'id'],
    remedy:
      'Call resealSecrets and try again when sealingKeys shows none. Values that cannot be opened stay until their connection gets a new token or is disconnected.',
  });
}
