import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { newLink, readInstall } from '../support/install-visitor';
import { describeInBrowser, launchBrowser } from '../support/playground-browser';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';

jest.setTimeout(90_000);

describeInBrowser('the connect pages in a browser without script', () => {
  let app: TestApp;
  let browser: Browser;
  let client: TenantClient;
  let partner: Server;
  let partnerUrl: string;
  let arrivals: IncomingMessage[];
  let complaints: string[];

  beforeAll(async () => {
    partner = createServer((request, response) => {
      if (request.url !== '/favicon.ico') arrivals.push(request);
      response.end('back at the partner');
    });
    await new Promise<void>((resolve) => partner.listen(0, '127.0.0.1', resolve));
    partnerUrl = `http://127.0.0.1:${(partner.address() as AddressInfo).port}/app`;
    app = await startTestApp({ env: { ROLLCALL_RETURN_URLS: partnerUrl } });
    browser = await launchBrowser();
  });
  beforeEach(async () => {
    app.simulator.reset();
    client = await TenantClient.create(app);
    arrivals = [];
    complaints = [];
  });
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
    partner.closeAllConnections();
    await new Promise((resolve) => partner.close(resolve));
  });

  const open = async (url: string, options: BrowserContextOptions = {}): Promise<Page> => {
    const context = await browser.newContext({ javaScriptEnabled: false, ...options });
    context.setDefaultTimeout(30_000);
    context.on('console', (message) => {
      // The status of a page that says what was wrong is no complaint, nor is an icon that is not there.
      if (!/favicon|status of 4/.test(message.text())) complaints.push(message.text());
    });
    const page = await context.newPage();
    await page.goto(url);
    return page;
  };
  const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name });

  it('take a customer from the link to an organization that the partner provisions', async () => {
    const { id, url } = await newLink(client, { name: 'Acme', returnUrl: `${partnerUrl}/done` });
    const page = await open(url);
    await page.getByRole('radio', { name: /^An Enterprise organization/ }).check();
    await page.getByRole('button', { name: 'Continue to Slack' }).click();

    // Whoever only clicks Allow gets a workspace.
    await page.getByRole('link', { name: 'Oscar Lindqvist' }).click();
    await page.getByRole('button', { name: 'Allow' }).click();
    await heading(page, 'A workspace was chosen, not the organization').waitFor();
    expect(new URL(page.url()).search).toBe('');
    expect(await readInstall(client, id)).toMatchObject({ problem: { code: 'WRONG_INSTALL_LEVEL' } });

    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('link', { name: 'Oscar Lindqvist' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await heading(page, 'Slack was not connected').waitFor();

    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('link', { name: 'Oscar Lindqvist' }).click();
    await page.getByLabel('Where to install').selectOption({ label: 'Acme Group (organization)' });
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByText('back at the partner').waitFor();

    const install = await readInstall(client, id);
    const connectionId = install?.connection?.id;
    expect(install).toMatchObject({ status: 'COMPLETED', connection: { installLevel: 'ORGANIZATION' } });
    expect(page.url()).toBe(`${partnerUrl}/done?install=${id}&status=connected&connection=${connectionId}`);
    expect(arrivals.map(({ headers }) => headers.referer)).toEqual([undefined]);
    const user = { email: 'new@acme.example', familyName: 'New' };
    expect(await client.changeUser('provisionUser', { connectionId, user })).toMatchObject({ outcome: 'CREATED' });

    // Back leads to a page that still tells the truth, and never to the address with the code.
    await page.goBack();
    await page.goto(url);
    await heading(page, 'This link was used already').waitFor();
    await page.context().close();
    expect(complaints).toEqual([]);
  });

  it('take a token, by keyboard, on a narrow dark screen', async () => {
    const { id, url } = await newLink(client);
    const page = await open(url, { viewport: { width: 320, height: 640 }, colorScheme: 'dark' });
    const token = page.getByLabel('User OAuth Token');
    await token.fill(app.simulator.tokens['business-bot']);
    await page.keyboard.press('Enter');
    await heading(page, 'The token could not be used').waitFor();

    expect(await page.getByRole('alert').textContent()).toContain('This is not a user token.');
    expect(await token.inputValue()).toBe('');
    const box = await page.getByRole('main').boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 999)).toBeLessThanOrEqual(320);
    expect(page.url()).toBe(`${url}/token`);

    // The field has the focus already.
    await page.keyboard.insertText(app.simulator.tokens['business-admin']);
    await page.keyboard.press('Enter');
    await heading(page, 'Slack is connected').waitFor();
    expect(await readInstall(client, id)).toMatchObject({ status: 'COMPLETED', connection: { status: 'ACTIVE' } });
    await page.reload();
    await heading(page, 'Slack is connected').waitFor();
    await page.context().close();
    expect(complaints).toEqual([]);
  });
});
