import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { parseExample } from '../../src/console/playground/example';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process';
import { describeInBrowser, GuardedContext, launchBrowser, type PlaygroundPage } from '../support/playground-browser';
import {
  goodKey,
  keyWithoutSchema,
  type PlaygroundServer,
  playgroundRoot,
  startPlaygroundServer,
} from '../support/playground-server';

jest.setTimeout(60_000);

const operations = join(__dirname, '../../schema/operations');
const examples = readdirSync(operations)
  .sort()
  .map((name) => parseExample(name, readFileSync(join(operations, name), 'utf8')));

describeInBrowser('the playground in a browser', () => {
  let browser: Browser;
  let guarded: GuardedContext;

  beforeAll(async () => {
    if (!existsSync(join(playgroundRoot, 'index.html'))) throw new Error('Run `npm run build` first');
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  describe('in front of the gateway', () => {
    let gateway: GatewayProcess;
    /** One page for both: the editor takes seconds to load. */
    let playground: PlaygroundPage;

    beforeAll(async () => {
      gateway = await startGatewayProcess();
      guarded = await GuardedContext.open(browser, gateway.origin);
      playground = await guarded.openPlayground();
      await playground.enterKey(gateway.adminKey, 'First admin key');
    });
    afterEach(() => expect(guarded.complaints.splice(0)).toEqual([]));
    afterAll(async () => {
      await guarded?.context.close();
      await gateway?.stop();
    });

    it('takes an admin from the printed key to a connected sandbox and a provisioned person', async () => {
      await playground.openTab('CreateConnection');
      await playground.pasteVariables({
        input: { name: 'Sandbox', environment: 'SANDBOX', token: gateway.sandboxToken },
      });
      const created = await playground.run(/"ACTIVE"/);
      const connectionId = /con_[\w-]+/.exec(created)?.[0];

      await playground.openTab('ProvisionUser');
      await playground.pasteVariables({
        input: { connectionId, user: { email: 'ada@example.com', displayName: 'Ada' } },
      });
      await playground.run(/"CREATED"/);

      await playground.openTab('ConnectionChanged');
      await playground.pasteVariables({ id: connectionId });
      await playground.run(/"connectionChanged":\s\{/);

      expect(await playground.stored('sessionStorage')).not.toContain(gateway.sandboxToken);
    });

    it('knows the schema: what does not fit it is underlined, an example is not', async () => {
      const underlined = playground.page.locator('.graphiql-query-editor .squiggly-error');

      await playground.query.click();
      await playground.page.keyboard.press('Control+a');
      await playground.page.keyboard.insertText('query Odd { nosuchfield }');
      await underlined.first().waitFor();

      await playground.openTab('ProvisionUser');
      await underlined.first().waitFor({ state: 'detached' });
    });
  });

  describe('in front of a small server', () => {
    let server: PlaygroundServer;
    /** One page for all: the editor takes seconds to load. Each test enters the key that it needs. */
    let playground: PlaygroundPage;

    beforeAll(async () => {
      server = await startPlaygroundServer();
      guarded = await GuardedContext.open(browser, server.origin);
      playground = await guarded.openPlayground();
    });
    afterEach(() => {
      server.requests.length = 0;
      expect(guarded.complaints.splice(0)).toEqual([]);
    });
    afterAll(async () => {
      await guarded?.context.close();
      await server?.app.close();
    });

    it('opens with every example in a tab of its own, in file order, and asks for a key', async () => {
      const { page, status } = playground;

      expect(await page.title()).toBe('Rollcall playground');
      expect(await page.locator('html').getAttribute('lang')).toBe('en');
      expect(await page.locator('.graphiql-tab-button').allTextContents()).toEqual(examples.map(({ title }) => title));
      expect(await status.textContent()).toContain('Paste an API key to begin.');
      expect(server.requests).toEqual([]);
    });

    it('shows whose key it is and sends it with every request, the look at the schema included', async () => {
      await playground.enterKey(goodKey, 'first admin key');
      await playground.run(/"Default"/);

      expect(await playground.status.textContent()).toContain('first admin key of DefaultADMINUSERS_READ');
      expect(new Set(server.requests.map(({ operationName }) => operationName))).toEqual(
        new Set(['PlaygroundViewer', 'IntrospectionQuery', 'Viewer']),
      );
      for (const request of server.requests) {
        expect(request).toMatchObject({ authorization: `Bearer ${goodKey}`, contentType: 'application/json' });
      }
    });

    it('shows what the gateway says about a key that does not work, and does not ask for the schema with it', async () => {
      await playground.enterKey('wrong-key', 'This API key is not known.');
      await playground.run(/UNAUTHENTICATED/);

      expect(await playground.keyField.getAttribute('aria-invalid')).toBe('true');
      expect(server.requests.map(({ operationName }) => operationName)).not.toContain('IntrospectionQuery');
    });

    it('says so in a sentence when the schema is hidden, and still runs operations', async () => {
      await playground.enterKey(keyWithoutSchema, 'introspection is switched off');
      await playground.run(/"Default"/);

      // The browser itself notes the refusal, which comes with a status of its own.
      const complaints = guarded.complaints.splice(0);
      expect(complaints.filter((text) => !text.includes('status of 400'))).toEqual([]);
    });

    it('hides the key until asked, and takes a pasted Bearer header for the key in it', async () => {
      const { page, keyField } = playground;
      await playground.enterKey(`  Bearer ${goodKey} `, 'first admin key');

      expect(await keyField.getAttribute('type')).toBe('password');
      await page.getByRole('button', { name: 'Show the API key' }).click();
      expect(await keyField.getAttribute('type')).toBe('text');
      expect(await keyField.inputValue()).toBe(goodKey);
    });

    it('keeps the key for this browser tab only, and forgets it when it is cleared', async () => {
      await playground.enterKey(goodKey, 'first admin key');

      expect(await playground.stored('localStorage')).not.toContain(goodKey);
      await playground.page.reload();
      await playground.status.getByText('first admin key').waitFor();

      const otherTab = await guarded.openPlayground();
      expect(await otherTab.keyField.inputValue()).toBe('');
      await otherTab.page.close();

      await playground.enterKey('', 'Paste an API key to begin.');
      expect(await playground.stored('sessionStorage')).not.toContain(goodKey);
    });

    it('loads the variables of an example with it, and finds an example by what it does', async () => {
      const summary = examples.find(({ title }) => title === 'ProvisionUser')?.summary;

      await playground.showExamples();
      await playground.page.getByRole('button', { name: summary }).click();

      await playground.tab('ProvisionUser', { selected: true }).waitFor();
      await playground.variables.filter({ hasText: 'ada@example.com' }).waitFor();
      await playground.query.filter({ hasText: 'provisionUser' }).waitFor();
    });

    it('opens an example again, as it was, after its tab was closed', async () => {
      const { page } = playground;
      await playground.openTab('Capabilities');
      await page.getByRole('button', { name: 'Close Tab' }).click();
      await playground.tab('Capabilities').waitFor({ state: 'detached' });

      await playground.showExamples();
      await page.getByRole('button', { name: /What the gateway can do/ }).click();

      await playground.tab('Capabilities', { selected: true }).waitFor();
      await playground.query.filter({ hasText: 'installLevel' }).waitFor();
    });

    it('writes no Slack token that was typed into the variables to the storage of the browser', async () => {
      await playground.openTab('ReplaceToken');
      await playground.pasteVariables({ input: { id: 'my-connection', token: 'xoxp-123456-secretpart' } });
      await playground.untilStored('sessionStorage', 'my-connection');

      for (const area of ['localStorage', 'sessionStorage'] as const) {
        expect(await playground.stored(area)).not.toContain('secretpart');
      }
      expect(await playground.stored('sessionStorage')).toContain('<token>');
      expect(await playground.stored('localStorage')).not.toContain('my-connection');
    });

    it('says that the server does not answer when it is gone', async () => {
      await guarded.context.route('**/graphql', (route) => route.abort());

      await playground.enterKey(goodKey, 'The gateway does not answer.');

      await guarded.context.unroute('**/graphql');
      // The browser itself notes the failed request.
      expect(guarded.complaints.splice(0)).toEqual([expect.stringContaining('net::ERR_FAILED')]);
    });

    it('fits a telephone: nothing sticks out sideways, and the list gives way to the chosen example', async () => {
      const { page } = playground;
      await page.setViewportSize({ width: 390, height: 844 });

      await playground.showExamples();
      await page.getByRole('button', { name: /Deactivates a person/ }).click();

      await playground.tab('DeprovisionUser', { selected: true }).waitFor();
      await page.getByRole('region', { name: 'Examples' }).waitFor({ state: 'detached' });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    });
  });
});
