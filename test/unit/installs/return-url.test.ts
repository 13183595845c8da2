import fc from 'fast-check';
import { InvalidInput } from '../../../src/domain/errors';
import { parseReturnUrl, returnUrlWith } from '../../../src/domain/installs/return-url';

fc.configureGlobal({ seed: 1918 });

const allowed = ['https://partner.example/app', 'https://other.example:8443', 'http://127.0.0.1:3000/back/'];

describe('a return address', () => {
  it.each([
    'https://partner.example/app',
    'https://partner.example/app/',
    'https://partner.example/app/deep/er?x=1&y=2#z',
    'HTTPS://PARTNER.example:443/app',
    'https://other.example:8443/anything',
    'https://other.example:8443',
    'http://127.0.0.1:3000/back',
    'http://127.0.0.1:3000/back/x',
    'https://partner.example/app/../app/x',
    'https://partner.example/app/%C3%BC',
  ])('may be %s', (text) => {
    expect(parseReturnUrl(text, allowed)).toBe(new URL(text).href);
  });

  it.each([
    '',
    '/app',
    '//partner.example/app',
    'partner.example/app',
    'https://partner.example',
    'https://partner.example/application',
    'https://partner.example/app%2f',
    'https://partner.example/App',
    'https://partner.example/app/../admin',
    'https://partner.example/app/%2e%2e/admin',
    'https://partner.example/app/..%2fadmin',
    'https://partner.example/app/..%5cadmin',
    'https://partner.example/app/..\\admin',
    'https://partner.example.evil.example/app',
    'https://evil.example/app?https://partner.example/app',
    'https://evil.example#https://partner.example/app',
    'https://partner.example@evil.example/app',
    'https://user@partner.example/app',
    'https://user:pass@partner.example/app',
    'https://partner.example:8443/app',
    'http://partner.example/app',
    'https:partner.example/app\\@evil.example',
    'https:\\\\partner.example/app',
    'https://partner.example/app\n/x',
    ' https://partner.example/app',
    'https://part\u200bner.example/app',
    'https://partner.example/app%0d%0aSet-Cookie:x',
    'javascript:alert(1)//https://partner.example/app',
    'data:text/html,https://partner.example/app',
    'http://127.0.0.1:3000/backwards',
    'http://127.0.0.2:3000/back',
    'http://localhost:3000/back',
    `https://partner.example/app/${'x'.repeat(2000)}`,
  ])('may not be %j', (text) => {
    expect(() => parseReturnUrl(text, allowed)).toThrow(InvalidInput);
    expect(returnUrlWith(text, allowed, {})).toBeUndefined();
  });

  it('needs a list: a gateway without one takes none, and says how to get one', () => {
    expect(parseReturnUrl(undefined, [])).toBeUndefined();
    expect(() => parseReturnUrl('https://partner.example/app', [])).toThrow(
      expect.objectContaining({ remedy: expect.stringContaining('ROLLCALL_RETURN_URLS') }),
    );
  });

  it('never leads elsewhere, whatever was written', () => {
    const part = fc.constantFrom(
      ...[
        'https:',
        'http:',
        'javascript:',
        '/',
        '//',
        '\\',
        '\\\\',
        '@',
        ':',
        '#',
        '?',
        '.',
        '..',
        '%2e',
        '%2f',
        '%5c',
      ],
      ...[
        'partner.example',
        'other.example',
        'evil.example',
        '127.0.0.1',
        ':8443',
        ':3000',
        'app',
        'back',
        'user:pass',
      ],
      ...['\t', '\n', ' ', '\u0000', '\u202e', '\uff0f', '%00', 'ß', '[::1]'],
    );
    const hostile = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));
    const extended = fc.tuple(fc.constantFrom(...allowed), hostile).map(([entry, rest]) => entry + rest);
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(hostile, extended, fc.webUrl()), (text) => {
        const answer = returnUrlWith(text, allowed, { install: 'ins_1', status: 'connected' });
        if (answer === undefined) return;
        taken += 1;
        const url = new URL(answer);
        const entry = allowed.map((one) => new URL(one)).find(({ origin }) => origin === url.origin);
        expect(entry).toBeDefined();
        const folder = entry?.pathname.replace(/\/$/, '') ?? '-';
        expect(`${url.pathname}/`.startsWith(`${folder}/`)).toBe(true);
        expect(url.username + url.password).toBe('');
        expect(url.host + url.pathname).not.toMatch(/[\s\\]|\/\.\.(\/|$)|%2f|%5c/i);
        expect(url.searchParams.getAll('install')).toEqual(['ins_1']);
      }),
      { numRuns: 5_000 },
    );
    expect(taken).toBeGreaterThan(300);
  });

  it('carries the result in its query, and nothing of what stood there under the same names', () => {
    const result = { install: 'ins_1', status: 'denied', connection: undefined };
    expect(returnUrlWith('https://partner.example/app?a=1&f&status=ok&connection=con_9#b', allowed, result)).toBe(
      'https://partner.example/app?a=1&f&install=ins_1&status=denied#b',
    );
    expect(returnUrlWith(undefined, allowed, result)).toBeUndefined();
    expect(returnUrlWith('https://partner.example/app', [], result)).toBeUndefined();
  });
});
