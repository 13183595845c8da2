import type { AccessTokenId, ConnectionId } from './connections/connection';

/** What is stored sealed. */
export const sealedValueKinds = ['ACCESS_TOKEN', 'REFRESH_TOKEN'] as const;
export type SealedValueKind = (typeof sealedValueKinds)[number];

/** How many stored values one key sealed. */
export interface SealedValueCount {
  /** undefined for values that do not even say which key sealed them: damaged, or not written by the gateway. */
  readonly keyId: string | undefined;
  readonly kind: SealedValueKind;
  readonly count: number;
}

/** A value that cannot be opened, so that it stays as it is. */
export interface UnreadableValue {
  readonly connectionId: ConnectionId;
  readonly tokenId: AccessTokenId;
  readonly kind: SealedValueKind;
}

export interface ResealedBatch {
  readonly resealed: number;
  readonly unreadable: readonly UnreadableValue[];
  /** Where the next batch goes on; undefined when this one reached the end. */
  readonly next: string | undefined;
}

/** The stored side of the sealing keys: which of them were in use, and what they sealed. */
export interface SealingKeyStore {
  /** Ids of the keys that ever were the one to seal with, and are not taken out; the latest first. */
  listUsed(): Promise<string[]>;
  countSealed(): Promise<SealedValueCount[]>;
  /** Notes that the ring's newest key is the one to seal with, from now on and for every replica. */
  declareNewest(at: Date): Promise<void>;
  /** Takes the note of a key away. Its values must be sealed anew already. */
  forget(keyId: string): Promise<void>;
  /**
   * Seals with the ring's newest key what another sealed. A value that is replaced or erased in the meantime is never
   * overwritten.
   * @param after the `next` of the batch before; '' to begin.
   */
  resealBatch(after: string, limit: number): Promise<ResealedBatch>;
}

/** The keys that this process works with. Their ids tell nothing of them. */
export interface SealingKeyRing {
  /** Newest first: the first seals, every one opens. */
  readonly keyIds: readonly string[];
  /** How a person changes the keys when the gateway does not keep them itself: the steps to a new one, and to the end of an old one. */
  readonly procedure: { readonly toAdd: string; readonly toRemove: string };
  /** There when the gateway keeps the keys itself, in a file. */
  readonly file: SealingKeyFile | undefined;
}

/**
 * Changes the file and the ring together. Install and remove inside a transaction only: on SQLite, which alone goes with
 * a key file, its write lock keeps all other processes out.
 */
export interface SealingKeyFile {
  /** Takes up what another process has changed. @throws Conflict when the file cannot be read. */
  reload(): Promise<void>;
  /** @returns a new key that is nowhere yet. Installing it twice is as installing it once. */
  makeKey(): { readonly id: string; install(): Promise<void> };
  remove(keyId: string): Promise<void>;
}
