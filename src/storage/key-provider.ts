import type { SealingKeyRing } from '../domain/key-ports';
import type { SealingKeys } from './cipher';
import type { KeyFile } from './key-file';

/** Where the sealing keys come from. */
export interface KeyProvider {
  /** Asked once, at the start. @returns newest first. @throws when a key is missing or is none, with the repair. */
  loadKeys(): Promise<SealingKeys>;
  readonly procedure: SealingKeyRing['procedure'];
  /** There when the gateway keeps the keys itself, and may change them. */
  readonly file?: KeyFile;
}

/** Keys that were given as they are. */
export function givenKeys(keys: SealingKeys): KeyProvider {
  return { loadKeys: async () => keys, procedure: rollingProcedure('keys') };
}

/**
 * While replicas are restarted one after another, each must open what the others seal. So a key is first known to all,
 * then used, and an old one is first unused by all, then unknown.
 */
export function rollingProcedure(what: 'keys' | 'wrapped keys'): SealingKeyRing['procedure'] {
  const variable = 'ROLLCALL_SEALING_KEYS';
  return {
    toAdd: `The ${what} are in ${variable}. Add the new one behind the old one on every replica, and restart them one after another; then put it first, and restart them one after another again. From then on the old values are sealed anew in the background.`,
    toRemove: `The ${what} are in ${variable}. When sealingKeys says on every replica that the key can be removed, take it out there on every replica, and restart them one after another.`,
  };
}
