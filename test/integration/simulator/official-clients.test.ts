import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Installation, type InstallationStore, InstallProvider, LogLevel } from '@slack/oauth';
import { ErrorCode, WebClient } from '@slack/web-api';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { OAuthClient } from './oauth-client';

/** One app built with Slack's own packages: an install page, a callback, and a store in memory. */
class OfficialApp {
  readonly installations = new Map<string, Installation>();
  readonly provider: InstallProvider;
  failure: string | undefined;
  readonly #server: Server;

  constructor(simulator: Simulator) {
    const store: InstallationStore = {
      storeInstallation: async (installation) => {
        const place = installation.isEnterpriseInstall ? installation.enterprise : installation.team;
        this.installations.set(String(place?.id), structuredClone(installation));
      },
      fetchInstallation: async (query) => {
        const installation = this.installations.get(
          String(query.isEnterpriseInstall ? query.enterpriseId : query.teamId),
        );
        if (!installation) throw new Error('Nothing is installed there');
        return structuredClone(installation);
      },
    };
    this.provider = new InstallProvider({
      clientId: simulator.app.clientId,
      clientSecret: simulator.app.clientSecret,
      stateSecret: 'a state secret',
      directInstall: true,
      authorizationUrl: `${simulator.url}/oauth/v2/authorize`,
      clientOptions: { slackApiUrl: `${simulator.url}/api/`, retryConfig: { retries: 0 } },
      installationStore: store,
      logLevel: LogLevel.ERROR,
      logger: silent,
    });
    this.#server = createServer((request, response) => {
      const handling = request.url?.startsWith('/slack/oauth_redirect')
        ? this.provider.handleCallback(request, response, {
            success: (_installation, _options, _request, result) => result.end('installed'),
            failure: (error, _options, _request, result) => {
              this.failure = error.code;
              result.writeHead(500).end();
            },
          })
        : this.provider.handleInstallPath(request, response, undefined, {
            scopes: ['team:read'],
            userScopes: ['admin'],
            redirectUri: `${this.url}/slack/oauth_redirect`,
          });
      handling.catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** From the install page over the consent page and back, as a browser goes. */
  async install(slack: OAuthClient, form: Record<string, string>): Promise<string> {
    const start = await fetch(`${this.url}/slack/install`, { redirect: 'manual' });
    const cookie = String(start.headers.get('set-cookie')).split(';')[0] ?? '';
    const { headers } = await slack.decide(String(start.headers.get('location')), form);
    return (await fetch(String(headers.get('location')), { headers: { cookie } })).text();
  }
}

const silent = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
};

let simulator: Simulator;
let slack: OAuthClient;
let app: OfficialApp;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'official clients' });
  slack = new OAuthClient(simulator);
});
beforeEach(async () => {
  simulator.reset();
  app = new OfficialApp(simulator);
  await app.listen();
});
afterEach(() => app.stop());
afterAll(() => simulator.stop());

const oscar = () => slack.person('oscar.lindqvist', 'enterprise').id;
const ada = () => slack.person('ada.lovelace', 'business').id;
const clientOf = (token?: string) =>
  new WebClient(token, { slackApiUrl: `${simulator.url}/api/`, retryConfig: { retries: 0 }, logger: silent });

describe('the official install flow', () => {
  it('installs on an organization', async () => {
    const place = slack.placeId('Acme Group');
    expect(await app.install(slack, { person: oscar(), place, decision: 'allow' })).toBe('installed');
    expect(app.installations.get(place)).toMatchObject({
      enterprise: { id: place, name: 'Acme Group' },
      isEnterpriseInstall: true,
      enterpriseUrl: 'https://acme-group.enterprise.slack.com/',
      appId: simulator.app.appId,
      tokenType: 'bot',
      user: { id: oscar(), scopes: ['admin'], refreshToken: expect.stringMatching(/^xoxe-1-/) },
      bot: { scopes: ['team:read'], id: expect.stringMatching(/^B/) },
    });
    expect(app.installations.get(place)?.team).toBeUndefined();
  });

  it('installs on a workspace without rotation', async () => {
    simulator.switches.tokenRotation = false;
    const place = slack.placeId('Northwind');
    expect(await app.install(slack, { person: ada(), place, decision: 'allow' })).toBe('installed');
    const installation = app.installations.get(place);
    expect(installation).toMatchObject({ team: { id: place, name: 'Northwind' }, isEnterpriseInstall: false });
    expect(installation?.user).toEqual({ id: ada(), scopes: ['admin'], token: expect.stringMatching(/^xoxp-/) });
  });

  it('tells a cancellation from a failed exchange', async () => {
    await app.install(slack, { decision: 'cancel' });
    expect(app.failure).toBe('slack_oauth_installer_authorization_error');
    simulator.faults.add({ kind: 'slackError', error: 'invalid_code', match: { path: 'oauth.v2.access' } });
    await app.install(slack, { person: ada(), place: slack.placeId('Northwind'), decision: 'allow' });
    expect(app.failure).toBe('slack_webapi_platform_error');
    expect(app.installations.size).toBe(0);
  });

  it('refreshes the bot and the person when their tokens end soon', async () => {
    const place = slack.placeId('Acme Group');
    await app.install(slack, { person: oscar(), place, decision: 'allow' });
    const before = app.installations.get(place);
    if (!before?.bot) throw new Error('No bot was installed');
    const soon = Math.floor(Date.now() / 1000) + 60;
    before.bot.expiresAt = soon;
    before.user.expiresAt = soon;
    const result = await app.provider.authorize({ enterpriseId: place, teamId: undefined, isEnterpriseInstall: true });
    expect(result.userToken).toMatch(/^xoxe\.xoxp-1-/);
    expect(result.userToken).not.toBe(before.user.token);
    expect(result.botToken).not.toBe(before.bot.token);
    expect(await slack.standing(String(result.userToken))).toBe('ok');
    expect(app.installations.get(place)?.user.refreshToken).toBe(result.userRefreshToken);
  });
});

describe('the official Web API client', () => {
  const credentials = () => ({ client_id: simulator.app.clientId, client_secret: simulator.app.clientSecret });

  it('identifies a token and reads its scopes', async () => {
    const answer = await clientOf(simulator.tokens['enterprise-owner']).auth.test();
    expect(answer).toMatchObject({ ok: true, is_enterprise_install: true, user_id: oscar() });
    expect(answer.response_metadata?.scopes).toEqual(['identify', 'admin']);
  });

  it('moves a long-lived token into rotation, refreshes and revokes it', async () => {
    const client = clientOf();
    const moved = await client.oauth.v2.exchange({ ...credentials(), token: simulator.tokens['business-admin'] });
    const refreshed = await client.oauth.v2.access({
      ...credentials(),
      grant_type: 'refresh_token',
      refresh_token: String(moved.refresh_token),
    });
    expect(refreshed).toMatchObject({ ok: true, token_type: 'user', expires_in: 43_200 });
    expect(await clientOf(refreshed.access_token).auth.revoke()).toMatchObject({ ok: true, revoked: true });
    await expect(clientOf(refreshed.access_token).auth.test()).rejects.toMatchObject({
      code: ErrorCode.PlatformError,
      data: { ok: false, error: 'token_revoked' },
    });
  });

  it('lists the workspaces of an organization install, and uninstalls it', async () => {
    const client = clientOf(simulator.tokens['enterprise-owner']);
    expect(await client.auth.teams.list({ limit: 10 })).toMatchObject({ ok: true, teams: [] });
    expect(await client.apps.uninstall(credentials())).toMatchObject({ ok: true });
    await expect(client.auth.test()).rejects.toMatchObject({ data: { error: 'token_revoked' } });
  });

  it('reads how long to wait when there were too many calls', async () => {
    simulator.faults.add({ kind: 'rateLimited', retryAfter: 30 });
    const client = new WebClient(simulator.tokens['business-admin'], {
      slackApiUrl: `${simulator.url}/api/`,
      rejectRateLimitedCalls: true,
      logger: silent,
    });
    await expect(client.auth.test()).rejects.toMatchObject({ code: ErrorCode.RateLimitedError, retryAfter: 30 });
  });
});
