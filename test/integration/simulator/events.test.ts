import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ManualClock } from '../../../src/simulator/clock';
import { signBody } from '../../../src/simulator/events/signature';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { OAuthClient } from './oauth-client';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly json: Record<string, unknown>;
}
type Reply = { status: number; headers?: Record<string, string>; body?: string } | 'hang' | 'reset';

const clock = new ManualClock();
let simulator: Simulator;
let slack: OAuthClient;
let server: Server;
let url: string;
let received: Received[] = [];
/** Answers in turn; 200 once they are used up. */
let replies: Reply[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const json = body === '' ? {} : (JSON.parse(body) as Record<string, unknown>);
      received.push({ headers: request.headers, body, json });
      const reply = replies.shift() ?? { status: 200, body: String(json.challenge ?? '') };
      if (reply === 'hang') return;
      if (reply === 'reset') request.socket.destroy();
      else response.writeHead(reply.status, reply.headers).end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/slack/events`;
  simulator = await startSimulator({ seed: 'events', clock });
  slack = new OAuthClient(simulator);
});
beforeEach(async () => {
  simulator.reset();
  replies = [];
  await simulator.setEventsUrl(url);
  received = [];
});
afterAll(async () => {
  await simulator.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const ada = () => slack.person('ada.lovelace', 'business');
const oscar = () => slack.person('oscar.lindqvist', 'enterprise');
const typeOf = ({ json }: Received) => (json.event as { type: string }).type;
const retriesOf = () => received.map(({ headers }) => [headers['x-slack-retry-num'], headers['x-slack-retry-reason']]);

/** Takes back everything Ada gave: one event. */
async function oneEvent(): Promise<void> {
  simulator.revokeGrants(ada().id);
  await simulator.settleEvents();
}

describe('signatures', () => {
  it.each([
    [
      '{"token":"deprecated","challenge":"c0ffee-challenge","type":"url_verification"}',
      'v0=5672931681f9a0d807c042f0056e84c829c5f83d90c9e10da3e1b701ef6aa058',
    ],
    [
      '{"type":"event_callback","team_id":"T0WORK0001","api_app_id":"A0GATEWAY1","event":{"type":"tokens_revoked","tokens":{"oauth":["U0ADMIN001"],"bot":[]}},"event_id":"Ev0REVOKE1","event_time":1760000000}',
      'v0=3550e0a29127d338aa4dfe896efbfb5a8a87b3a17d38ff001e613b39fd69fe70',
    ],
    [
      '{"type":"event_callback","team_id":"T0WORK0001","event":{"type":"app_uninstalled"},"note":"Zoë"}',
      'v0=9a2af0eeabf3a442bc10d9fb41733d7ada696cc13eeabfe77ff1563164e4cecf',
    ],
  ])('follow the known vectors: %s', (body, signature) => {
    expect(signBody('0123456789abcdef0123456789abcdef', 1_760_000_000, body)).toBe(signature);
  });
});

describe('the request URL', () => {
  it.each([
    ['text', (challenge: string) => challenge],
    ['a form field', (challenge: string) => `challenge=${challenge}`],
    ['JSON', (challenge: string) => JSON.stringify({ challenge })],
  ])('is registered once it answers the signed challenge as %s', async (_form, answer) => {
    const challenged = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => response.end(answer(JSON.parse(Buffer.concat(chunks).toString()).challenge)));
    });
    await new Promise<void>((resolve) => challenged.listen(0, '127.0.0.1', resolve));
    const target = `http://127.0.0.1:${(challenged.address() as AddressInfo).port}/events`;
    await simulator.setEventsUrl(target);
    expect(simulator.eventsUrl).toBe(target);
    challenged.closeAllConnections();
    await new Promise((resolve) => challenged.close(resolve));
  });

  it.each<[string, Reply]>([
    ['an error', { status: 401 }],
    ['another text', { status: 200, body: 'ok' }],
    ['a closed connection', 'reset'],
  ])('is not registered when the challenge gets %s', async (_name, reply) => {
    replies = [reply];
    await expect(simulator.setEventsUrl(`${url}/other`)).rejects.toThrow(RangeError);
    expect(simulator.eventsUrl).toBe(url);
  });

  it('is not registered when it speaks no TLS behind an https address', async () => {
    await expect(simulator.setEventsUrl(url.replace('http:', 'https:'))).rejects.toThrow('ssl_error');
  });

  it('can be set over the control route, and taken away', async () => {
    const set = async (body: object) =>
      (await fetch(`${simulator.url}/_simulator/events-url`, { method: 'POST', body: JSON.stringify(body) })).status;
    expect(await set({ url: `${url}?again` })).toBe(200);
    expect(await set({ url: 'nowhere' })).toBe(400);
    expect(simulator.eventsUrl).toBe(`${url}?again`);
    expect(await set({ url: null })).toBe(200);
    received = [];
    await oneEvent();
    expect(received).toHaveLength(0);
  });
});

describe('an event', () => {
  it('tells of revoked grants in a signed envelope of the workspace', async () => {
    await oneEvent();
    expect(received).toHaveLength(1);
    const [{ headers, body, json }] = received as [Received];
    const timestamp = String(headers['x-slack-request-timestamp']);
    const mac = createHmac('sha256', simulator.app.signingSecret).update(`v0:${timestamp}:${body}`).digest('hex');
    expect(headers['x-slack-signature']).toBe(`v0=${mac}`);
    expect(Number(timestamp)).toBe(Math.floor(clock.now() / 1000));
    const team_id = slack.placeId('Northwind');
    expect(json).toEqual({
      token: expect.any(String),
      team_id,
      api_app_id: simulator.app.appId,
      event: {
        type: 'tokens_revoked',
        tokens: { oauth: [ada().id], bot: [] },
        event_ts: expect.stringMatching(/^\d+\.\d{6}$/),
      },
      type: 'event_callback',
      event_id: expect.stringMatching(/^Ev0[0-9A-Z]{9}$/),
      event_time: Number(timestamp),
      authorizations: [
        { enterprise_id: null, team_id, user_id: ada().id, is_bot: false, is_enterprise_install: false },
      ],
      is_ext_shared_channel: false,
    });
  });

  it('has the organization and no team for an organization install', async () => {
    await slack.install(oscar(), 'Acme Group');
    simulator.uninstallApp(slack.placeId('Acme Group'));
    await simulator.settleEvents();
    expect(received.map(typeOf)).toEqual(['tokens_revoked', 'app_uninstalled']);
    expect(received[0]?.json).toMatchObject({
      enterprise_id: slack.placeId('Acme Group'),
      event: { tokens: { oauth: [oscar().id], bot: [expect.stringMatching(/^W/)] } },
    });
    expect(received[0]?.json).not.toHaveProperty('team_id');
  });

  it('has another team id, no authorizations or another clock under switches', async () => {
    Object.assign(simulator.switches, {
      orgEventTeamId: 'enterprise',
      eventAuthorizations: false,
      eventClockSkewSeconds: -400,
    });
    simulator.revokeGrants(oscar().id);
    await simulator.settleEvents();
    expect(received.map(typeOf)).toEqual(['tokens_revoked', 'app_uninstalled']);
    expect(received[0]?.json.team_id).toBe(slack.placeId('Acme Group'));
    expect(received[0]?.json).not.toHaveProperty('authorizations');
    const timestamp = Number(received[0]?.headers['x-slack-request-timestamp']);
    expect(timestamp).toBe(Math.floor(clock.now() / 1000) - 400);
  });

  it('comes for auth.revoke of a long-lived token, and not for a rotating one', async () => {
    const pair = await slack.install(ada(), 'Northwind');
    await slack.api('auth.revoke', {}, { authorization: `Bearer ${pair.accessToken}` });
    await slack.api('auth.revoke', {}, { authorization: `Bearer ${pair.refreshToken}` });
    await simulator.settleEvents();
    expect(received).toHaveLength(0);
    await slack.api('auth.revoke', {}, { authorization: `Bearer ${simulator.tokens['business-owner']}` });
    await simulator.settleEvents();
    expect(received.map(typeOf)).toEqual(['tokens_revoked']);
  });

  it('comes for a refresh under a switch only', async () => {
    const pair = await slack.install(ada(), 'Northwind');
    await slack.refresh(pair.refreshToken);
    await simulator.settleEvents();
    expect(received).toHaveLength(0);
    simulator.switches.refreshSendsEvent = true;
    await slack.refresh(pair.refreshToken);
    await simulator.settleEvents();
    expect(received.map(typeOf)).toEqual(['tokens_revoked']);
  });

  it('tells of access to workspaces, flat or nested', async () => {
    const set = (isAdded: boolean) =>
      fetch(`${simulator.url}/_simulator/app/workspaces`, {
        method: 'POST',
        body: JSON.stringify({ teamId: slack.placeId('Acme Berlin'), isAdded }),
      });
    await set(true);
    simulator.switches.teamAccessEvent = 'nested';
    await set(false);
    await simulator.settleEvents();
    expect(received[0]?.json.event).toMatchObject({
      type: 'team_access_granted',
      team_ids: [slack.placeId('Acme Berlin')],
    });
    expect(received[1]?.json.event).toMatchObject({ type: 'event_callback', event: { type: 'team_access_revoked' } });
  });

  it('comes for what people do over the control route, and refuses what nobody can do', async () => {
    const act = async (action: string, body: object) =>
      (await fetch(`${simulator.url}/_simulator/app/${action}`, { method: 'POST', body: JSON.stringify(body) })).status;
    expect(await act('revoke-grant', { personId: ada().id })).toBe(200);
    expect(await act('revoke-grant', { personId: ada().id })).toBe(400);
    expect(await act('uninstall', { placeId: slack.placeId('Tiny Studio') })).toBe(200);
    expect(await act('uninstall', { placeId: slack.placeId('Tiny Studio') })).toBe(400);
    await simulator.settleEvents();
    expect(received.map(typeOf)).toEqual(['tokens_revoked', 'tokens_revoked', 'app_uninstalled']);
    expect(await slack.standing(simulator.tokens['business-admin'])).toBe('token_revoked');
    expect(await slack.standing(simulator.tokens['pro-admin'])).toBe('token_revoked');
  });

  it('is not sent without a subscription', async () => {
    simulator.switches.subscribedEvents = ['tokens_revoked'];
    await fetch(`${simulator.url}/_simulator/app/uninstall`, {
      method: 'POST',
      body: JSON.stringify({ placeId: slack.placeId('Northwind') }),
    });
    await simulator.settleEvents();
    expect(received.map(typeOf)).toEqual(['tokens_revoked']);
  });
});

describe('delivery', () => {
  it('tries again at once, after one minute and after five, with the same body and a fresh signature', async () => {
    replies = [{ status: 500 }, { status: 500 }, { status: 404 }, { status: 500 }];
    await oneEvent();
    expect(received).toHaveLength(2);
    clock.advance(59_999);
    await simulator.settleEvents();
    expect(received).toHaveLength(2);
    clock.advance(1);
    await simulator.settleEvents();
    clock.advance(300_000);
    await simulator.settleEvents();
    clock.advance(86_400_000);
    await simulator.settleEvents();
    expect(retriesOf()).toEqual([
      [undefined, undefined],
      ['1', 'http_error'],
      ['2', 'http_error'],
      ['3', 'http_error'],
    ]);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    expect(new Set(received.map(({ headers }) => headers['x-slack-signature'])).size).toBe(3);
    expect(simulator.events.map(({ retry, status, failure }) => [retry, status, failure])).toEqual([
      [0, 500, 'http_error'],
      [1, 500, 'http_error'],
      [2, 404, 'http_error'],
      [3, 500, 'http_error'],
    ]);
  });

  it('notices that the clock was moved without being told', async () => {
    replies = [{ status: 500 }, { status: 500 }];
    await oneEvent();
    const third = new Promise((resolve) => server.once('request', resolve));
    clock.advance(60_000);
    await third;
    await simulator.settleEvents();
    expect(received).toHaveLength(3);
  });

  it('gives up waiting after its time limit, and names a broken connection', async () => {
    simulator.switches.eventTimeoutMs = 100;
    replies = ['hang', 'reset'];
    await oneEvent();
    clock.advance(60_000);
    await simulator.settleEvents();
    expect(retriesOf()).toEqual([
      [undefined, undefined],
      ['1', 'http_timeout'],
      ['2', 'connection_failed'],
    ]);
  });

  it('follows two redirects and no third, and stops when told to', async () => {
    const redirect = { status: 302, headers: { location: url } };
    replies = [redirect, redirect, { status: 204 }];
    await oneEvent();
    expect(simulator.events.map(({ status }) => status)).toEqual([204]);
    received = [];
    replies = [redirect, redirect, redirect, { status: 400, headers: { 'x-slack-no-retry': '1' } }];
    simulator.revokeGrants(slack.person('petra.vogel', 'business').id);
    await simulator.settleEvents();
    clock.advance(600_000);
    await simulator.settleEvents();
    expect(retriesOf().at(-1)).toEqual(['1', 'too_many_redirects']);
    expect(received).toHaveLength(4);
  });

  it('sends duplicates, the opposite order, or late, under switches', async () => {
    Object.assign(simulator.switches, { eventDuplicates: 1, eventsReversed: true, eventDelayMs: 7_000_000 });
    simulator.uninstallApp(slack.placeId('Northwind'));
    await simulator.settleEvents();
    expect(received).toHaveLength(0);
    clock.advance(7_000_000);
    await simulator.settleEvents();
    expect(received.map(typeOf)).toEqual(['app_uninstalled', 'tokens_revoked', 'app_uninstalled', 'tokens_revoked']);
    const ids = received.map(({ json }) => json.event_id);
    expect(ids.slice(0, 2)).toEqual(ids.slice(2));
    const sentAt = Number(received[0]?.headers['x-slack-request-timestamp']);
    expect(sentAt - Number(received[0]?.json.event_time)).toBe(7_000);
  });

  it('is forgotten with a reset, while the request URL stays', async () => {
    replies = [{ status: 500 }, { status: 500 }];
    await oneEvent();
    simulator.reset();
    clock.advance(600_000);
    await simulator.settleEvents();
    expect(received).toHaveLength(2);
    expect([simulator.eventsUrl, simulator.events]).toEqual([url, []]);
  });

  it('shows what was sent over the control route, without secrets', async () => {
    await oneEvent();
    const text = await (await fetch(`${simulator.url}/_simulator/events`)).text();
    expect(JSON.parse(text)).toMatchObject({ url, events: [{ type: 'tokens_revoked', retry: 0, status: 200 }] });
    expect(text).not.toContain(simulator.app.signingSecret);
  });
});
