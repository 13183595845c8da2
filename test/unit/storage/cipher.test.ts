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

describe('derived values', () => {
  const cipher = new TokenCipher([newKey, oldKey]);

  it('do not change from release to release', () => {
    // Stored fingerprints, canaries and sandbox tokens depend on them.
    expect(cipher.newestKeyId).toBe('a99a7909');
    expect(cipher.fingerprint('ten_1', secret)).toBe('4c0a8a8865d18d320a5e69952e688287');
    expect(cipher.deriveText('sandbox')).toBe('i-LI9oIU0Yg8lh_l-2gDlFmUfwBnSh4u2QidECQ-3Rw');
  });

  it('still opens a value that an earlier release sealed', () => {
    expect(cipher.open(sealedEarlier, place).reveal()).toBe(secret.reveal());
  });

  it('show nothing of the token', () => {
    expect(cipher.fingerprint('ten_1', secret)).toMatch(/^[0-9a-f]{32}$/);
    expect(cipher.fingerprint('ten_1', secret)).not.toBe(cipher.fingerprint('ten_2', secret));
  });
});
