import type { TenantId } from '../../../src/domain/access/access';
import type { ConnectionId } from '../../../src/domain/connections/connection';
import { hashOfSecret, newSecret, parseSecret, ReconnectLinks } from '../../../src/domain/installs/install-link';
import { newId } from '../../../src/shared/ids';

const DAY = 86_400_000;
const noon = Date.UTC(2026, 5, 1, 12);
const target = { tenantId: newId<TenantId>('ten'), connectionId: newId<ConnectionId>('con') };
const addresses = { publicUrl: () => 'https://gateway.example' };
const linksWith = (...keys: string[]) => new ReconnectLinks(addresses, () => keys);
const signedOf = (url: string) => url.split('/').at(-1) ?? '';

describe('a secret', () => {
  it('has 256 bits that need no quoting, is never printed, and is stored as a hash', () => {
    const secret = newSecret();
    expect(secret.reveal()).toMatch(/^[\w-]{43}$/);
    expect(`${secret}`).toBe('[secret]');
    expect(hashOfSecret(secret)).toHaveLength(32);
    expect(parseSecret(secret.reveal())?.reveal()).toBe(secret.reveal());
  });

  it.each(['', 'x', `${'A'.repeat(44)}`, `${'A'.repeat(42)}=`, `"${'A'.repeat(43)}"`, undefined, ['A'.repeat(43)]])(
    'is not %p',
    (text) => {
      expect(parseSecret(text)).toBeUndefined();
    },
  );
});

describe('a signed link', () => {
  it('leads to its connection, is the same all day, and fits into a path', () => {
    const links = linksWith('key');
    const url = links.urlFor(target, noon);
    expect(url).toBe(links.urlFor(target, noon + 11 * 3_600_000));
    expect(url).not.toBe(links.urlFor(target, noon + DAY));
    expect(signedOf(url).length).toBeLessThanOrEqual(100);
    expect(links.open(signedOf(url), noon)).toEqual({ ...target, isExpired: false });
  });

  it('is valid for at least a week and at most eight days', () => {
    const links = linksWith('key');
    for (const at of [noon, Date.UTC(2026, 5, 1), Date.UTC(2026, 5, 1) + 1, Date.UTC(2026, 5, 2) - 1]) {
      const signed = signedOf(links.urlFor(target, at));
      expect(links.open(signed, at + 7 * DAY - 1)?.isExpired).toBe(false);
      expect(links.open(signed, at + 8 * DAY)?.isExpired).toBe(true);
    }
  });

  it('outlives a change of the key for as long as the old one is there', () => {
    const signed = signedOf(linksWith('old').urlFor(target, noon));
    expect(linksWith('new', 'old').open(signed, noon)).toMatchObject(target);
    expect(linksWith('new').open(signed, noon)).toBeUndefined();
  });

  it('opens for nobody who changed a single character of it', () => {
    const links = linksWith('key');
    const signed = signedOf(links.urlFor(target, noon));
    for (let at = 0; at < signed.length - 1; at += 1) {
      for (const other of ['A', 'b', '9', '.', '_']) {
        const forged = `${signed.slice(0, at)}${other}${signed.slice(at + 1)}`;
        if (forged !== signed) expect(links.open(forged, noon)).toBeUndefined();
      }
    }
    for (const text of ['', '...', `${signed}A`, `${signed}.`, signed.toUpperCase()]) {
      expect(links.open(text, noon)).toBeUndefined();
    }
  });
});
