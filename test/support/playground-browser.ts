import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';

const usualPaths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const named = process.env.ROLLCALL_CHROMIUM;
export const chromiumPath = (named ? [named] : usualPaths).find((path) => existsSync(path));

const missing =
  'No Chromium was found, so no page is tried in a browser. Install it (Debian: apt-get install chromium), ' +
  'or name one in ROLLCALL_CHROMIUM.';

/** Skips without a browser, and says so; with ROLLCALL_REQUIRE_BROWSER=1 it fails instead. */
export const describeInBrowser =
  chromiumPath === undefined && process.env.ROLLCALL_REQUIRE_BROWSER !== '1' ? describe.skip : describe;

if (chromiumPath === undefined) {
  // Written past Jest's console, which folds it away when the file has nothing but skipped tests.
  process.stderr.write(`\n${missing}\n`);
}

export function launchBrowser(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(missing);
  const switches = ['headless', 'no-sandbox', 'disable-gpu', 'disable-quic', 'no-first-run'];
  const silence = ['disable-background-networking', 'disable-component-update', 'disable-sync'];
  // Playwright's own way to block requests switches the cache off, and every page would load the editor anew.
  const guard = 'host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost';
  return chromium.launch({
    executablePath: chromiumPath,
    args: [...switches, ...silence, guard].map((name) => `--${name}`),
  });
}

/** A fresh browser profile that is to speak to one server and nobody else. */
export class GuardedContext {
  /** Must be empty at the end: requests to anywhere else, blocked resources, errors of the page. */
  readonly complaints: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    private readonly origin: string,
  ) {}

  static async open(browser: Browser, origin: string): Promise<GuardedContext> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    // Below Jest's own limit, so that a failure names what was waited for.
    context.setDefaultTimeout(20_000);
    const guarded = new GuardedContext(context, origin);
    context.on('request', (request) => {
      const url = request.url();
      if (/^http/.test(url) && !url.startsWith(`${origin}/`)) guarded.complaints.push(`request to ${url}`);
    });
    context.on('console', (message) => {
      if (message.type() === 'error') guarded.complaints.push(`console: ${message.text()}`);
    });
    context.on('weberror', (error) => guarded.complaints.push(`error: ${error.error().message}`));
    return guarded;
  }

  async openPlayground(): Promise<PlaygroundPage> {
    const page = await this.context.newPage();
    await page.goto(`${this.origin}/playground`);
    await page.locator('.graphiql-query-editor .view-line').first().waitFor();
    return new PlaygroundPage(page);
  }
}

/** The playground as a person uses it. */
export class PlaygroundPage {
  readonly keyField: Locator;
  readonly status: Locator;
  readonly query: Locator;
  readonly variables: Locator;
  readonly response: Locator;

  constructor(readonly page: Page) {
    this.keyField = page.getByLabel('API key', { exact: true });
    this.status = page.getByRole('status').first();
    this.query = page.locator('.graphiql-query-editor .view-lines');
    this.variables = page.locator('.graphiql-editor-tool .view-lines').first();
    this.response = page.locator('.graphiql-response .view-lines');
  }

  async enterKey(key: string, expected: string): Promise<void> {
    await this.keyField.fill(key);
    await this.status.getByText(expected).waitFor();
  }

  async showExamples(): Promise<void> {
    const show = this.page.getByRole('button', { name: 'Show Examples' });
    if (await show.isVisible()) await show.click();
    await this.page.getByRole('region', { name: 'Examples' }).waitFor();
  }

  tab(title: string, { selected }: { selected?: boolean } = {}): Locator {
    return this.page.getByRole('tab', { name: new RegExp(`^${title}( Close Tab)?$`), selected });
  }

  async openTab(title: string): Promise<void> {
    await this.tab(title).getByRole('button', { name: title }).click();
    await this.tab(title, { selected: true }).waitFor();
    await this.query.filter({ hasText: title }).waitFor();
  }

  /** As from the clipboard: typed brackets and quotes would be closed by the editor once more. */
  async pasteVariables(variables: object): Promise<void> {
    await this.variables.click();
    await this.page.keyboard.press('Control+a');
    const text = JSON.stringify(JSON.stringify(variables));
    await this.page.evaluate(`{
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', ${text});
      document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    }`);
  }

  /** @param expected without blanks: the editor shows them as another character. */
  async run(expected: RegExp): Promise<string> {
    await this.page.getByRole('button', { name: /Execute query/ }).click();
    await this.response.filter({ hasText: expected }).waitFor();
    return (await this.response.textContent()) ?? '';
  }

  stored(area: 'localStorage' | 'sessionStorage'): Promise<string> {
    return this.page.evaluate(`JSON.stringify({ ...${area} })`);
  }

  /** Polled from here, since Playwright's own waiting needs eval in the page, which its policy forbids. */
  async untilStored(area: 'localStorage' | 'sessionStorage', text: string): Promise<void> {
    while (!(await this.stored(area)).includes(text)) await new Promise((next) => setTimeout(next, 50));
  }
}
