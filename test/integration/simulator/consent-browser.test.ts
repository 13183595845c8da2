import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { describeInBrowser, launchBrowser } from '../../support/playground-browser';
import { OAuthClient } from './oauth-client';

let simulator: Simulator;
let slack: OAuthClient;
let browser: Browser;
let server: Server;
let page: Page;
let complaints: string[];
/** Where the app takes people back, on another origin. */
let callback: string;

describeInBrowser('the consent page in a browser without script', () => {
  beforeAll(async () => {
    simulator = await startSimulator({ seed: 'consent browser' });
    slack = new OAuthClient(simulator);
    server = createServer((_request, response) => response.end('back at the app'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    callback = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/auth/callback/slack`;
    browser = await launchBrowser();
  });
  beforeEach(async () => {
    simulator.reset();
    const context = await browser.newContext({ javaScriptEnabled: false });
    context.setDefaultTimeout(20_000);
    complaints = [];
    context.on('console', (message) => complaints.push(message.text()));
    page = await context.newPage();
    await page.goto(slack.authorizeUrl({ redirect_uri: callback }));
  });
  afterEach(async () => {
    await page.context().close();
    expect(complaints.filter((text) => !text.includes('favicon'))).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await simulator.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('takes an owner from the sign-in to the app with a code for the organization', async () => {
    await page.getByRole('link', { name: 'Oscar Lindqvist' }).click();
    await page.getByLabel('Where to install').selectOption({ label: 'Acme Group (organization)' });
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByText('back at the app').waitFor();
    const query = new URL(page.url()).searchParams;
    expect(query.get('state')).toBe('st4te');
    const { json } = await slack.exchange(String(query.get('code')), { redirect_uri: callback });
    expect(json).toMatchObject({ ok: true, is_enterprise_install: true, team: null });
  });

  it('chooses a workspace unless told otherwise', async () => {
    await page.getByRole('link', { name: 'Oscar Lindqvist' }).click();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByText('back at the app').waitFor();
    const code = String(new URL(page.url()).searchParams.get('code'));
    const { json } = await slack.exchange(code, { redirect_uri: callback });
    expect(json).toMatchObject({ is_enterprise_install: false, team: { name: 'Acme Berlin' } });
  });

  it('goes back with a refusal on Cancel, and lets people change who they are', async () => {
    await page.getByRole('link', { name: 'Ada Lovelace' }).click();
    await page.getByRole('link', { name: 'Not you?' }).click();
    await page.getByRole('link', { name: 'Petra Vogel' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('back at the app').waitFor();
    expect(new URL(page.url()).searchParams.get('error')).toBe('access_denied');
  });
});
