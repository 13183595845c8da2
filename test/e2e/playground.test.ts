import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { parseExample } from '../../src/console/playground/example';
import { goodKey, type PlaygroundServer, playgroundRoot, startPlaygroundServer } from '../support/playground-server';

const usualPaths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const named = process.env.ROLLCALL_CHROMIUM;
const chromiumPath = (named ? [named] : usualPaths).find((path) => existsSync(path));
const isRequired = process.env.ROLLCALL_REQUIRE_BROWSER === '1';
const missing =
  'No Chromium was found, so the playground is not tried in a browser. Install it (Debian: apt-get install chromium), ' +
  'or name one in ROLLCALL_CHROMIUM.';

const operations = join(__dirname, '../../schema/operations');
const examples = readdirSync(operations)
  .sort()
  .map((name) => parseExample(name, readFileSync(join(operations, name), 'utf8')));

const describeInBrowser = chromiumPath === undefined && !isRequired ? describe.skip : describe;

if (chromiumPath === undefined) {
  // Written past Jest's console, which folds it away when the file has nothing but skipped tests.
  process.stderr.write(`\n${missing}\n`);
}

describeInBrowser('the playground in a browser', () => {
  let browser: Browser;
  let server: PlaygroundServer;
  let context: BrowserContext;
  /** What must stay empty: requests to anywhere else, blocked resources, errors of the page. */
  let complaints: string[];

  beforeAll(async () => {
    if (chromiumPath === undefined) throw new Error(missing);
    if (!existsSync(join(playgroundRoot, 'index.html'))) throw new Error('Run `npm run build` first');
    browser = await chromium.launch({
      executablePath: chromiumPath,
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    complaints = [];
    server = await startPlaygroundServer();
    context = await openContext();
  });
  afterEach(async () => {
    await context?.close();
    await server?.app.close();
    expect(complaints).toEqual([]);
  });

  /** A fresh browser profile that can reach the server under test and nothing else. */
  async function openContext(): Promise<BrowserContext> {
    const opened = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    await opened.route('**/*', async (route) => {
      const url = route.request().url();
      if (url.startsWith(`${server.origin}/`)) return route.continue();
      complaints.push(`request to ${url}`);
      return route.abort();
    });
    opened.on('console', (message) => {
      if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
    });
    opened.on('weberror', (error) => complaints.push(`error: ${error.error().message}`));
    return opened;
  }

  async function openPlayground(): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`${server.origin}/playground`);
    await page.locator('.graphiql-query-editor .view-line').first().waitFor();
    return page;
  }

  const keyField = (page: Page) => page.getByLabel('API key', { exact: true });
  const status = (page: Page) => page.getByRole('status').first();
  const response = (page: Page) => page.locator('.graphiql-response .view-lines');

  async function enterKey(page: Page, key: string, expected: string) {
    await keyField(page).fill(key);
    await status(page).getByText(expected).waitFor();
  }

  /** @param expected without blanks: the editor shows them as another character. */
  async function run(page: Page, expected: RegExp) {
    await page.getByRole('button', { name: /Execute query/ }).click();
    await response(page).filter({ hasText: expected }).waitFor();
  }

  async function storedText(page: Page, area: 'localStorage' | 'sessionStorage'): Promise<string> {
    return page.evaluate(`JSON.stringify({ ...${area} })`);
  }

  /** Polled from here, since Playwright's own waiting needs eval in the page, which its policy forbids. */
  async function until(isTrue: () => Promise<boolean>) {
    while (!(await isTrue())) await new Promise((next) => setTimeout(next, 50));
  }

  it('opens with every example in a tab of its own, in file order, and asks for a key', async () => {
    const page = await openPlayground();

    expect(await page.title()).toBe('Rollcall playground');
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    expect(await page.locator('.graphiql-tab-button').allTextContents()).toEqual(examples.map(({ title }) => title));
    expect(await status(page).textContent()).toContain('Paste an API key to begin.');
    expect(server.requests).toEqual([]);
  });

  it('shows whose key it is and sends it with every request, the look at the schema included', async () => {
    const page = await openPlayground();

    await enterKey(page, goodKey, 'first admin key');
    await run(page, /"Default"/);

    expect(await status(page).textContent()).toContain('first admin key of DefaultADMINUSERS_READ');
    expect(new Set(server.requests.map(({ operationName }) => operationName))).toEqual(
      new Set(['PlaygroundViewer', 'IntrospectionQuery', 'Viewer']),
    );
    for (const request of server.requests) {
      expect(request).toMatchObject({ authorization: `Bearer ${goodKey}`, contentType: 'application/json' });
    }
  });

  it('shows what the gateway says about a key that does not work, and does not ask for the schema with it', async () => {
    const page = await openPlayground();

    await enterKey(page, 'wrong-key', 'This API key is not known.');
    await run(page, /UNAUTHENTICATED/);

    expect(await keyField(page).getAttribute('aria-invalid')).toBe('true');
    expect(server.requests.map(({ operationName }) => operationName)).not.toContain('IntrospectionQuery');
  });

  it('hides the key until asked, and takes a pasted Bearer header for the key in it', async () => {
    const page = await openPlayground();
    await enterKey(page, `  Bearer ${goodKey} `, 'first admin key');

    expect(await keyField(page).getAttribute('type')).toBe('password');
    await page.getByRole('button', { name: 'Show the API key' }).click();
    expect(await keyField(page).getAttribute('type')).toBe('text');
    expect(await keyField(page).inputValue()).toBe(goodKey);
  });

  it('keeps the key for this browser tab only, and forgets it when it is cleared', async () => {
    const page = await openPlayground();
    await enterKey(page, goodKey, 'first admin key');

    expect(await storedText(page, 'localStorage')).not.toContain(goodKey);
    await page.reload();
    await status(page).getByText('first admin key').waitFor();

    const otherTab = await openPlayground();
    expect(await keyField(otherTab).inputValue()).toBe('');

    await enterKey(page, '', 'Paste an API key to begin.');
    expect(await storedText(page, 'sessionStorage')).not.toContain(goodKey);
  });

  it('loads the variables of an example with it, and finds an example by what it does', async () => {
    const page = await openPlayground();
    const provision = examples.find(({ title }) => title === 'ProvisionUser');

    await page.getByRole('button', { name: 'Show Examples' }).click();
    await page.getByRole('button', { name: provision?.summary }).click();

    await page.getByRole('tab', { name: 'ProvisionUser', selected: true }).waitFor();
    await page.locator('.graphiql-editor-tool .view-lines').filter({ hasText: 'ada@example.com' }).waitFor();
    await page.locator('.graphiql-query-editor .view-lines').filter({ hasText: 'provisionUser' }).waitFor();
  });

  it('opens an example again, as it was, after its tab was closed', async () => {
    const page = await openPlayground();
    await page.getByRole('tab', { name: 'Capabilities' }).click();
    await page.getByRole('button', { name: 'Close Tab' }).click();
    expect(await page.getByRole('tab', { name: 'Capabilities' }).count()).toBe(0);

    await page.getByRole('button', { name: 'Show Examples' }).click();
    await page.getByRole('button', { name: /What the gateway can do/ }).click();

    await page.getByRole('tab', { name: 'Capabilities', selected: true }).waitFor();
    await page.locator('.graphiql-query-editor .view-lines').filter({ hasText: 'installLevel' }).waitFor();
  });

  it('writes no Slack token that was typed into the variables to the storage of the browser', async () => {
    const page = await openPlayground();
    await page.getByRole('tab', { name: 'ReplaceToken' }).click();
    const variables = page.locator('.graphiql-editor-tool .monaco-editor').first();
    await variables.click();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText('{ "input": { "id": "my-connection", "token": "xoxp-123456-secretpart" } }');
    await until(async () => (await storedText(page, 'sessionStorage')).includes('my-connection'));

    for (const area of ['localStorage', 'sessionStorage'] as const) {
      expect(await storedText(page, area)).not.toContain('secretpart');
    }
    expect(await storedText(page, 'sessionStorage')).toContain('<token>');
    expect(await storedText(page, 'localStorage')).not.toContain('my-connection');
  });

  it('says so in a sentence when introspection is switched off, and still runs operations', async () => {
    await server?.app.close();
    server = await startPlaygroundServer({ introspection: false });
    const page = await openPlayground();

    await enterKey(page, goodKey, 'introspection is switched off');
    await run(page, /"Default"/);
  });

  it('says that the server does not answer when it is gone', async () => {
    const page = await openPlayground();
    await context.route('**/graphql', (route) => route.abort());

    await enterKey(page, goodKey, 'The gateway does not answer.');

    // The browser itself notes the failed request.
    expect(complaints.splice(0)).toEqual([expect.stringContaining('net::ERR_FAILED')]);
  });

  it('fits a telephone: nothing sticks out sideways, and the example list gives way to the chosen example', async () => {
    const page = await openPlayground();
    await page.setViewportSize({ width: 390, height: 844 });

    await page.getByRole('button', { name: 'Show Examples' }).click();
    await page.getByRole('button', { name: /Deactivates a person/ }).click();

    await page.getByRole('tab', { name: 'DeprovisionUser', selected: true }).waitFor();
    await page.getByRole('region', { name: 'Examples' }).waitFor({ state: 'detached' });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  });
});

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
