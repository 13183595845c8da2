import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type PlaygroundServer, startPlaygroundServer } from '../support/playground-server';

describe('the route of the playground', () => {
  let server: PlaygroundServer;
  let root: string;

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'rollcall-playground-'));
    mkdirSync(join(root, 'assets'));
    writeFileSync(join(root, 'index.html'), '<!doctype html><title>page</title>');
    writeFileSync(join(root, 'assets/index-abc123.js'), 'plain()');
    writeFileSync(join(root, 'assets/index-abc123.js.gz'), gzipSync('compressed()'));
    server = await startPlaygroundServer({ root });
  });
  afterEach(async () => {
    await server?.app.close();
    rmSync(root, { recursive: true, force: true });
  });

  it.each(['/playground', '/playground/'])('serves the page at %s, to be asked for anew each time', async (url) => {
    const { statusCode, headers, body } = await server.app.inject(url);

    expect({ statusCode, body }).toEqual({ statusCode: 200, body: '<!doctype html><title>page</title>' });
    expect(headers['content-type']).toMatch(/^text\/html/);
    expect(headers['cache-control']).toBe('no-cache');
  });

  it('runs no script but our own and lets no other page embed it', async () => {
    const { headers } = await server.app.inject('/playground');

    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
    const policy = String(headers['content-security-policy']).split('; ');
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
      ]),
    );
  });

  it('serves hashed files for good, compressed to whoever takes that', async () => {
    const plain = await server.app.inject('/playground/assets/index-abc123.js');
    const compressed = await server.app.inject({
      url: '/playground/assets/index-abc123.js',
      headers: { 'accept-encoding': 'gzip' },
    });

    expect(plain.body).toBe('plain()');
    expect(gunzipSync(compressed.rawPayload).toString()).toBe('compressed()');
    for (const { headers } of [plain, compressed]) {
      expect(headers).toMatchObject({
        'cache-control': 'public, max-age=31536000, immutable',
        vary: 'accept-encoding',
      });
      expect(headers['content-type']).toMatch(/javascript/);
    }
  });

  it.each([
    'assets/gone.js',
    'assets/',
    'assets',
    'assets/../../secret',
    'assets/%2e%2e%2f%2e%2e%2fsecret',
    'index.html',
  ])('does not serve %s, and gives nothing to keep', async (path) => {
    const { statusCode, headers } = await server.app.inject(`/playground/${path}`);

    expect(statusCode).toBeGreaterThanOrEqual(403);
    expect(statusCode).toBeLessThanOrEqual(404);
    expect(headers['cache-control']).toBeUndefined();
  });

  it('says how to build the playground while it is not built, and serves it once it is', async () => {
    rmSync(join(root, 'index.html'));
    const before = await server.app.inject('/playground');
    expect(before.statusCode).toBe(503);
    expect(before.body).toContain('Run `npm run build`');
    expect(before.headers['cache-control']).toBe('no-store');

    writeFileSync(join(root, 'index.html'), 'built meanwhile');
    expect((await server.app.inject('/playground')).body).toBe('built meanwhile');
  });

  it('starts without the folder of the playground', async () => {
    const bare = await startPlaygroundServer({ root: join(root, 'never-built') });
    expect((await bare.app.inject('/playground')).statusCode).toBe(503);
    await bare.app.close();
  });
});
