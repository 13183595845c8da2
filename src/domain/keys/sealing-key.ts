import type { SealedValueCount, SealedValueKind, SealingKeyRing } from '../key-ports';

/** A key that seals stored secrets, by what this process and the database know of it. The key itself is never shown. */
export interface SealingKey {
  /** Follows from the key, and tells nothing of it. */
  readonly id: string;
  /** Whether this process seals with it. */
  readonly isNewest: boolean;
  readonly isLoaded: boolean;
  readonly sealedValues: Readonly<Record<SealedValueKind, number>>;
  /** Whether nothing needs it: neither a stored value nor anybody who seals. */
  readonly canBeRemoved: boolean;
  /** What it is good for and what to do with it, for people. */
  readonly note: string;
}

export interface SealingKeyUse {
  /** Those that are loaded, newest first; then those that are not, though something stored says that they are needed. */
  readonly keys: readonly SealingKey[];
  /** Stored values that do not even say which key sealed them: they were damaged or overwritten. */
  readonly unidentifiedValues: number;
}

/** @param used as SealingKeyStore.listUsed gives it. */
export function keyUseOf(
  ring: SealingKeyRing,
  used: readonly string[],
  counts: readonly SealedValueCount[],
): SealingKeyUse {
  const named = counts.flatMap(({ keyId }) => (keyId === undefined ? [] : [keyId]));
  const ids = [...new Set([...ring.keyIds, ...used, ...named])];
  return {
    keys: ids.map((id) => describeKey(id, ring, used, counts)),
    unidentifiedValues: sumOf(counts.filter(({ keyId }) => keyId === undefined)),
  };
}

/** How many values wait to be sealed with the newest key. */
export function countOld(ring: SealingKeyRing, counts: readonly SealedValueCount[]): number {
  return sumOf(counts.filter(({ keyId }) => keyId !== ring.keyIds[0]));
}

export function totalOf({ sealedValues }: Pick<SealingKey, 'sealedValues'>): number {
  return sealedValues.ACCESS_TOKEN + sealedValues.REFRESH_TOKEN;
}

function describeKey(
  id: string,
  ring: SealingKeyRing,
  used: readonly string[],
  counts: readonly SealedValueCount[],
): SealingKey {
  const own = counts.filter(({ keyId }) => keyId === id);
  const of = (kind: SealedValueKind) => sumOf(own.filter((count) => count.kind === kind));
  const sealedValues = { ACCESS_TOKEN: of('ACCESS_TOKEN'), REFRESH_TOKEN: of('REFRESH_TOKEN') };
  const facts = {
    id,
    isNewest: ring.keyIds[0] === id,
    isLoaded: ring.keyIds.includes(id),
    sealedValues,
    isUsed: used.includes(id),
    isLatest: used[0] === id,
  };
  const { isUsed: _, isLatest, ...shown } = facts;
  const canBeRemoved = facts.isLoaded && !facts.isNewest && !isLatest && totalOf(facts) === 0;
  return { ...shown, canBeRemoved, note: noteOn(facts, ring) };
}

interface KeyFacts extends Pick<SealingKey, 'id' | 'isNewest' | 'isLoaded' | 'sealedValues'> {
  /** It was a newest key at some time. */
  readonly isUsed: boolean;
  /** It became the newest after all others, here or on another replica. */
  readonly isLatest: boolean;
}

function noteOn(key: KeyFacts, { procedure }: SealingKeyRing): string {
  const count = totalOf(key);
  const values = count === 1 ? '1 stored value' : `${count} stored values`;
  if (!key.isLoaded) {
    return count === 0
      ? 'Not loaded here, but it was in use: another replica may seal with it.'
      : `Not loaded here, so ${values} cannot be opened. Configure this key again, behind the newest.`;
  }
  if (key.isNewest) {
    return key.isLatest
      ? 'Everything new is sealed with it.'
      : 'This process seals with it, but another key was put first since: restart this process with that key first. To go back to this one, put it first on every replica, and run: npm start -- reseal --to-older-key';
  }
  if (count > 0) return `${values} need it until they are sealed with the newest key.`;
  if (key.isLatest) return 'Replicas that were restarted since seal with it; this process opens with it.';
  if (!key.isUsed) return 'Nothing was sealed with it yet: it opens what replicas seal once they have it first.';
  return `Nothing needs it any more. ${procedure.toRemove}`;
}

function sumOf(counts: readonly SealedValueCount[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0);
}
