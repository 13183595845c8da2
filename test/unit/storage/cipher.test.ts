import fc from 'fast-check';
import { SealBroken } from '../../../src/domain/ports';
import { Secret } from '../../../src/shared/secret';
import { keyIdOf, sealedKeyPrefix, TokenCipher } from '../../../src/storage/cipher';

const [newKey, oldKey, strangeKey] = [1, 2, 3].map((value) => Buffer.alloc(32, value)) as [Buffer, Buffer, Buffer];
const place = { table: 'access_tokens', recordId: 'tok_1', column: 'sealed_secret' };
const secret = new Secret('xoxp-123-abc');
const sealedEarlier = 'v1:a99a7909:0Sk-NSd_eFb08Fgd:T079o7q9F4nCoHsJ:Ts5CveTfgpD9HSY0ounYxg';

describe('sealing', () => {
  it('opens what was sealed, whatever the text', () => {
    const cipher = new TokenCipher([newKey]);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        expect(cipher.open(cipher.seal(new Secret(text), place), place).reveal()).toBe(text);
      }),
    );
  });

  it('writes version, key id, a nonce of 96 bits, the ciphertext and a tag of 128 bits', () => {
    const cipher = new TokenCipher([newKey]);
    const parts = cipher.seal(secret, place).split(':');
    const bytes = parts.slice(2).map((part) => Buffer.from(part, 'base64url').length);

    expect(parts.slice(0, 2)).toEqual(['v1', cipher.newestKeyId]);
    expect(cipher.newestKeyId).toMatch(/^[0-9a-f]{8}$/);
    expect(bytes).toEqual([12, secret.reveal().length, 16]);
    expect(cipher.seal(secret, place).startsWith(sealedKeyPrefix(cipher.newestKeyId))).toBe(true);
  });

  it('never seals twice alike', () => {
    const cipher = new TokenCipher([newKey]);

    expect(new Set(Array.from({ length: 100 }, () => cipher.seal(secret, place))).size).toBe(100);
  });

  it('opens nothing after a change of any one character', () => {
    const cipher = new TokenCipher([newKey]);
    const sealed = cipher.seal(secret, place);
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = `${sealed.slice(0, index)}${sealed[index] === 'A' ? 'B' : 'A'}${sealed.slice(index + 1)}`;
      expect(() => cipher.open(changed, place)).toThrow(SealBroken);
    }
  });

  it.each([
    ['table', { ...place, table: 'other' }],
    ['record', { ...place, recordId: 'tok_2' }],
    ['column', { ...place, column: 'other' }],
  ])('opens nothing in another %s', (_, elsewhere) => {
    const cipher = new TokenCipher([newKey]);

    expect(() => cipher.open(cipher.seal(secret, place), elsewhere)).toThrow(SealBroken);
  });

  it('cannot be confused by names that run into each other', () => {
    const cipher = new TokenCipher([newKey]);
    const sealed = cipher.seal(secret, { table: 'a', recordId: 'b","c', column: 'd' });

    expect(() => cipher.open(sealed, { table: 'a', recordId: 'b', column: 'c","d' })).toThrow(SealBroken);
  });

  it('opens with every key of the ring, seals with the newest, and tells a key that is not in it', () => {
    const sealedBefore = new TokenCipher([oldKey]).seal(secret, place);
    const ring = new TokenCipher([newKey, oldKey]);

    expect(ring.open(sealedBefore, place).reveal()).toBe(secret.reveal());
    expect(ring.newestKeyId).toBe(new TokenCipher([newKey]).newestKeyId);
    expect(() => new TokenCipher([strangeKey]).open(sealedBefore, place)).toThrow('a key that is not configured');
  });

  it('does not take a key under the id of another', () => {
    const { newestKeyId } = new TokenCipher([newKey]);
    const parts = new TokenCipher([oldKey]).seal(secret, place).split(':');

    const relabelled = ['v1', newestKeyId, ...parts.slice(2)].join(':');

    expect(() => new TokenCipher([newKey, oldKey]).open(relabelled, place)).toThrow(SealBroken);
  });

  it.each([[[]], [[Buffer.alloc(31)]], [[newKey, Buffer.alloc(33)]]])('refuses keys that are none (%#)', (keys) => {
    expect(() => new TokenCipher(keys)).toThrow(/key/);
  });
});

describe('the ring', () => {
  it('seals with a new first key from then on, and opens with every key that is left', () => {
    const cipher = new TokenCipher([oldKey]);
    const before = cipher.seal(secret, place);

    cipher.replaceKeys([newKey, oldKey]);
    const after = cipher.seal(secret, place);

    expect(after.startsWith(sealedKeyPrefix(keyIdOf(newKey)))).toBe(true);
    expect([before, after].map((sealed) => cipher.open(sealed, place).reveal())).toEqual([
      'xoxp-123-abc',
      'xoxp-123-abc',
    ]);
    cipher.replaceKeys([newKey]);
    expect(() => cipher.open(before, place)).toThrow('a key that is not configured');
    expect(() => cipher.replaceKeys([])).toThrow('At least one');
    expect(() => cipher.replaceKeys([newKey, newKey])).toThrow('given twice');
    expect(cipher.keyIds).toEqual([keyIdOf(newKey)]);
  });

  it('asks for keys that another process has added when it meets one that it does not know', () => {
    const sealed = new TokenCipher([newKey]).seal(secret, place);
    let asked = 0;
    const cipher = new TokenCipher([oldKey], () => {
      asked += 1;
      return asked === 1 ? undefined : [newKey, oldKey];
    });

    expect(() => cipher.open(sealed, place)).toThrow('a key that is not configured');
    expect(cipher.open(sealed, place).reveal()).toBe(secret.reveal());
    cipher.open(sealed, place);
    expect(asked).toBe(2);
    expect(cipher.newestKeyId).toBe(keyIdOf(newKey));
  });
});

describe('derived values', () => {
  const cipher = new TokenCipher([newKey, oldKey]);

  it('do not change from release to release', () => {
    // Stored fingerprints, canaries and sandbox tokens depend on them.
    expect(cipher.newestKeyId).toBe('a99a7909');
    expect(cipher.fingerprint('ten_1', secret)).toBe('4c0a8a8865d18d320a5e69952e688287');
    expect(cipher.deriveText('sandbox')).toBe('i-LI9oIU0Yg8lh_l-2gDlFmUfwBnSh4u2QidECQ-3Rw');
  });

  it('stay those of the first key when a later one inherits them, but for the texts of each key', () => {
    const [first, later] = [new TokenCipher([oldKey]), new TokenCipher([newKey, oldKey])];
    expect(later.fingerprint('ten_1', secret)).not.toBe(first.fingerprint('ten_1', secret));

    later.inherit(first.heirloom);

    expect(later.fingerprint('ten_1', secret)).toBe(first.fingerprint('ten_1', secret));
    expect(later.deriveText('a')).toBe(first.deriveText('a'));
    expect(later.deriveTexts('a')[1]).toBe(first.deriveTexts('a')[0]);
    expect(new Set([...later.deriveTexts('a'), later.deriveText('a')]).size).toBe(3);
  });

  it('still opens a value that an earlier release sealed', () => {
    expect(cipher.open(sealedEarlier, place).reveal()).toBe(secret.reveal());
  });

  it('show nothing of the token', () => {
    expect(cipher.fingerprint('ten_1', secret)).toMatch(/^[0-9a-f]{32}$/);
    expect(cipher.fingerprint('ten_1', secret)).not.toBe(cipher.fingerprint('ten_2', secret));
  });
});
