import { randomBytes } from 'node:crypto';
import type { SealingKeyFile, SealingKeyRing } from '../domain/key-ports';
import { keyIdOf, SEALING_KEY_BYTES, type SealingKeys, TokenCipher } from './cipher';
import type { KeyFile } from './key-file';
import type { KeyProvider } from './key-provider';

/** The keys that the cipher works with, and where they are kept. */
export class KeyRing implements SealingKeyRing {
  readonly cipher: TokenCipher;
  readonly procedure: SealingKeyRing['procedure'];
  readonly file: SealingKeyFile | undefined;

  private constructor({ procedure, file }: KeyProvider, keys: SealingKeys) {
    this.procedure = procedure;
    this.cipher = new TokenCipher(keys, file && (() => keysThatChanged(file)));
    this.file = file && changesOf(file, this.cipher);
  }

  /** @throws what the provider throws. */
  static async load(provider: KeyProvider): Promise<KeyRing> {
    return new KeyRing(provider, await provider.loadKeys());
  }

  get keyIds(): readonly string[] {
    return this.cipher.keyIds;
  }
}

function changesOf(file: KeyFile, cipher: TokenCipher): SealingKeyFile {
  return {
    async reload() {
      const keys = file.changedKeys();
      if (keys) cipher.replaceKeys(keys);
    },
    makeKey() {
      const key = randomBytes(SEALING_KEY_BYTES);
      return { id: keyIdOf(key), install: async () => cipher.replaceKeys(await file.addFirst(key)) };
    },
    async remove(keyId) {
      cipher.replaceKeys(await file.remove(keyId));
    },
  };
}

/** A file that cannot be read at the moment leaves the ring as it is. */
function keysThatChanged(file: KeyFile): SealingKeys | undefined {
  try {
    return file.changedKeys();
  } catch {
    return undefined;
  }
}
