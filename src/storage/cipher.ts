import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { SealBroken } from '../domain/ports';
import { Secret } from '../shared/secret';

/** 32-byte keys, newest first: the first seals, every one opens. */
export type SealingKeys = readonly Buffer[];

export const SEALING_KEY_BYTES = 32;

/** Where a sealed value is stored. It is bound to this place: copied to another row or column, it does not open. */
export interface SealedPlace {
  readonly table: string;
  readonly recordId: string;
  readonly column: string;
}

const VERSION = 'v1';
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

interface RingKey {
  readonly id: string;
  readonly seal: Buffer;
  readonly derive: Buffer;
  readonly heirloom: Heirloom;
}

/**
 * Sub-keys of the first key that a database was sealed with. They outlive it: a fingerprint is only good for telling
 * equal tokens apart as long as it stays the same, also while two keys are in use and for tokens that were erased since
 * and could not be computed again; and the sandbox's tokens must go on working. So each later key's check record hands
 * them on, sealed. Whoever has them can open nothing and sign nothing.
 */
export interface Heirloom {
  readonly fingerprint: Buffer;
  readonly sandbox: Buffer;
}

/**
 * Seals tokens with AES-256-GCM as `v1:<keyId>:<nonce>:<ciphertext>:<tag>` (base64url). Each use has a sub-key of its
 * own (HKDF-SHA256), and a key's id is derived from the key, so nobody configures ids that could disagree with keys.
 * The ring may change while the process runs: what is sealed from then on is sealed with the new first key.
 */
export class TokenCipher {
  #ring: readonly RingKey[] = [];
  #heirloom: Heirloom | undefined;

  /** @param reload for keys that another process may have added: the ring as it is to be now, or undefined. */
  constructor(
    keys: SealingKeys,
    private readonly reload: () => SealingKeys | undefined = () => undefined,
  ) {
    this.replaceKeys(keys);
  }

  /** Newest first. */
  get keyIds(): readonly string[] {
    return this.#ring.map(({ id }) => id);
  }

  get newestKeyId(): string {
    return this.#newest.id;
  }

  holds(keyId: string): boolean {
    return this.#ring.some(({ id }) => id === keyId);
  }

  /** @param keys newest first */
  replaceKeys(keys: SealingKeys): void {
    const ring = keys.map(ringKey);
    if (ring.length === 0) throw new Error('At least one sealing key is needed.');
    if (new Set(ring.map(({ id }) => id)).size < ring.length) throw new Error('A sealing key is given twice.');
    this.#ring = ring;
  }

  /** @param keyId one of the ring; the newest when left out. */
  seal(secret: Secret, place: SealedPlace, keyId = this.newestKeyId): string {
    const { id, seal } = this.#ring.find((key) => key.id === keyId) ?? this.#newest;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, seal, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(boundData(place, id));
    const ciphertext = Buffer.concat([cipher.update(secret.reveal(), 'utf8'), cipher.final()]);
    const parts = [nonce, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'));
    return [VERSION, id, ...parts].join(':');
  }

  /** @throws SealBroken, with a message that tells what is wrong and no part of any value. */
  open(sealed: string, place: SealedPlace): Secret {
    const { keyId, nonce, ciphertext, tag } = parse(sealed);
    const key = this.#find(keyId);
    if (key === undefined) throw new SealBroken('The value was sealed with a key that is not configured.');
    try {
      // Without authTagLength, Node accepts tags of 4 bytes.
      const decipher = createDecipheriv(ALGORITHM, key.seal, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(boundData(place, keyId));
      decipher.setAuthTag(tag);
      return new Secret(Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8'));
    } catch {
      throw new SealBroken('The sealed value was changed, or moved here from another record.');
    }
  }

  /** Equal for equal tokens of one tenant, whatever key seals them; unrelated between tenants; 32 hex digits. */
  fingerprint(tenantId: string, secret: Secret): string {
    return createHmac('sha256', this.heirloom.fingerprint)
      .update(JSON.stringify([tenantId, secret.reveal()]))
      .digest('hex')
      .slice(0, 32);
  }

  /** A stable text that only the holder of the keys can know, for seeding the sandbox; 43 base64url characters. */
  deriveText(label: string): string {
    return textOf(this.heirloom.sandbox, label);
  }

  /** A text for each key of the ring, newest first: for what must not be valid beyond its key. */
  deriveTexts(label: string): readonly string[] {
    return this.#ring.map(({ derive }) => textOf(derive, label));
  }

  get heirloom(): Heirloom {
    return this.#heirloom ?? this.#newest.heirloom;
  }

  /** @param heirloom that of the database; until it is known the newest key stands for the first. */
  inherit(heirloom: Heirloom): void {
    this.#heirloom = heirloom;
  }

  /** What this key hands on when it is the first of its database. */
  heirloomOf(keyId: string): Heirloom | undefined {
    return this.#find(keyId)?.heirloom;
  }

  get #newest(): RingKey {
    const [newest] = this.#ring;
    if (newest === undefined) throw new Error('At least one sealing key is needed.');
    return newest;
  }

  #find(keyId: string): RingKey | undefined {
    const find = () => this.#ring.find(({ id }) => id === keyId);
    const known = find();
    if (known) return known;
    const keys = this.reload();
    if (keys) this.replaceKeys(keys);
    return find();
  }
}

/** The id under which a key seals. @throws when it does not have 32 bytes. */
export function keyIdOf(key: Buffer): string {
  return ringKey(key).id;
}

function textOf(key: Buffer, label: string): string {
  return createHmac('sha256', key).update(label).digest('base64url');
}

/** What every value sealed with this key begins with. */
export function sealedKeyPrefix(keyId: string): string {
  return `${VERSION}:${keyId}:`;
}

function ringKey(key: Buffer): RingKey {
  if (key.length !== SEALING_KEY_BYTES) throw new Error(`A sealing key must have ${SEALING_KEY_BYTES} bytes.`);
  return {
    id: createHash('sha256').update(subKey(key, 'rollcall/key-check/v1')).digest('hex').slice(0, 8),
    seal: subKey(key, 'rollcall/seal/v1'),
    derive: subKey(key, 'rollcall/derive/v1'),
    heirloom: {
      fingerprint: subKey(key, 'rollcall/fingerprint/v1'),
      sandbox: subKey(key, 'rollcall/sandbox/v1'),
    },
  };
}

function subKey(key: Buffer, label: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), label, SEALING_KEY_BYTES));
}

function boundData({ table, recordId, column }: SealedPlace, keyId: string): Buffer {
  return Buffer.from(JSON.stringify([table, recordId, column, keyId]));
}

function parse(sealed: string): { keyId: string; nonce: Buffer; ciphertext: Buffer; tag: Buffer } {
  const [version, keyId, nonce, ciphertext, tag, ...rest] = sealed.split(':');
  if (version !== VERSION) throw new SealBroken('The sealed value has an unknown version.');
  if (!keyId || nonce === undefined || ciphertext === undefined || tag === undefined || rest.length > 0) {
    throw new SealBroken('The sealed value does not have five parts.');
  }
  return {
    keyId,
    nonce: decode(nonce, NONCE_BYTES),
    ciphertext: decode(ciphertext),
    tag: decode(tag, TAG_BYTES),
  };
}

/** Buffer.from skips what is not base64url, so the text is compared with what it decodes to. */
function decode(text: string, bytes?: number): Buffer {
  const decoded = Buffer.from(text, 'base64url');
  if (decoded.toString('base64url') !== text || (bytes !== undefined && decoded.length !== bytes)) {
    throw new SealBroken('A part of the sealed value is malformed.');
  }
  return decoded;
}
