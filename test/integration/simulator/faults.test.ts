import { ManualClock } from '../../../src/simulator/clock';
import type { FaultRule } from '../../../src/simulator/faults/fault';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { codeOf, rawRequest, resourcesOf, SimulatorClient, userUrn } from '../../support/simulator-client';

const clock = new ManualClock();
let simulator: Simulator;
let slack: SimulatorClient;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'faults', clock, switches: { limitsEnabled: false } });
  slack = new SimulatorClient(simulator);
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.stop());

const email = 'new.person@x.example';
const create = (signal?: AbortSignal) =>
  fetch(`${simulator.url}/scim/v2/Users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${simulator.tokens['business-admin']}`, 'content-type': 'application/json' },
    body: JSON.stringify({ schemas: [userUrn], userName: 'new.person', emails: [{ value: email }] }),
    ...(signal ? { signal } : {}),
  });
const exists = () => simulator.world.organization('business').personByEmail(email) !== undefined;
const lastRequest = () => simulator.requests.at(-1);

async function untilLogged(fault: string): Promise<void> {
  while (lastRequest()?.fault !== fault) await new Promise((resolve) => setImmediate(resolve));
}

/** What a client sees of a creation under a fault, and whether Slack carried it out. */
async function outcome(rule: FaultRule): Promise<[string | number, boolean]> {
  simulator.faults.add(rule);
  try {
    const response = await create();
    await response.text();
    return [response.status, exists()];
  } catch {
    return ['failed', exists()];
  }
}

describe('whether the write happened', () => {
  it.each<[FaultRule, string | number, boolean]>([
    [{ kind: 'latency', ms: 1 }, 201, true],
    [{ kind: 'status', status: 503 }, 503, false],
    [{ kind: 'status', status: 500, body: 'empty' }, 500, false],
    [{ kind: 'status', status: 500, applied: true }, 500, true],
    [{ kind: 'resetBefore' }, 'failed', false],
    [{ kind: 'resetAfter' }, 'failed', true],
    [{ kind: 'html200' }, 200, false],
    [{ kind: 'html200', applied: true }, 200, true],
    [{ kind: 'html502' }, 502, false],
    [{ kind: 'html502', applied: true }, 502, true],
    [{ kind: 'truncated' }, 'failed', true],
    [{ kind: 'garbage' }, 201, true],
    [{ kind: 'emptyBody' }, 201, true],
    [{ kind: 'rateLimited', retryAfter: 5 }, 429, false],
    [{ kind: 'lyingList' }, 201, true],
  ])('under %j the client sees %s', async (rule, seen, happened) => {
    expect(await outcome(rule)).toEqual([seen, happened]);
    expect(lastRequest()).toMatchObject({
      fault: rule.kind,
      isApplied: happened,
      status: seen === 'failed' ? null : seen,
    });
  });

  it.each([
    ['hangBefore', false],
    ['hangAfter', true],
  ] as const)('under %s no answer ever comes', async (kind, happened) => {
    simulator.faults.add({ kind });
    const abort = new AbortController();
    const answer = create(abort.signal).then(
      () => 'answered',
      () => 'aborted',
    );
    await untilLogged(kind);
    expect(exists()).toBe(happened);
    abort.abort();
    expect(await answer).toBe('aborted');
  });
});

describe('spoiled answers', () => {
  it('are cut in half under the right content-length', async () => {
    simulator.faults.add({ kind: 'truncated' });
    const headers = { authorization: `Bearer ${simulator.tokens['business-admin']}` };
    const { status, promised, received, isComplete } = await rawRequest(`${simulator.url}/scim/v2/Users`, headers);
    expect([status, isComplete, received]).toEqual([200, false, Math.floor(promised / 2)]);
  });

  it('are no JSON though they say so, or have no body at all', async () => {
    simulator.faults.add({ kind: 'garbage' });
    const garbage = await slack.list('Users');
    expect(garbage.headers.get('content-type')).toContain('application/json');
    expect(() => JSON.parse(garbage.text)).toThrow(SyntaxError);
    simulator.faults.add({ kind: 'emptyBody' });
    expect((await slack.list('Users')).text).toBe('');
  });

  it('are HTML with 200', async () => {
    simulator.faults.add({ kind: 'html200' });
    const answer = await slack.list('Users');
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect(answer.text).toContain('<h1>');
  });

  it.each([
    [17, '17'],
    [0, '0'],
    [99_999, '99999'],
    ['missing', null],
    ['http-date', new Date(clock.now() + 2000).toUTCString()],
  ] as const)('are 429 with Retry-After %s', async (retryAfter, header) => {
    simulator.faults.add({ kind: 'rateLimited', retryAfter });
    const answer = await slack.list('Users');
    expect([answer.status, codeOf(answer), answer.headers.get('retry-after')]).toEqual([
      429,
      'too_many_requests',
      header,
    ]);
  });

  it('have the form of the Web API there', async () => {
    simulator.faults.add({ kind: 'rateLimited', retryAfter: 3 });
    const limited = await slack.call('POST', '/api/auth.test');
    expect([limited.status, limited.json, limited.headers.get('retry-after')]).toEqual([
      429,
      { ok: false, error: 'ratelimited' },
      '3',
    ]);
    simulator.faults.add({ kind: 'status', status: 500 });
    expect((await slack.call('POST', '/api/auth.test')).json).toEqual({ ok: false, error: 'internal_error' });
  });
});

describe('lists that lie', () => {
  const pageAt = async (startIndex: number) =>
    (await slack.list('Users', { startIndex: String(startIndex), count: '5' })).json;
  const ids = (json: Record<string, unknown>) => resourcesOf(json).map(({ id }) => id);

  it('repeat page one past the end', async () => {
    const first = await pageAt(1);
    simulator.faults.add({ kind: 'lyingList', lies: ['repeatsFirstPage'] });
    expect(ids(await pageAt(100))).toEqual(ids(first));
  });

  it('show one person on two pages', async () => {
    const first = await pageAt(1);
    simulator.faults.add({ kind: 'lyingList', lies: ['showsPersonTwice'] });
    expect(ids(await pageAt(6))[0]).toBe(ids(first).at(-1));
  });

  it('change their total from page to page', async () => {
    simulator.faults.add({ kind: 'lyingList', times: 3 });
    const totals = [await pageAt(1), await pageAt(6), await pageAt(11)].map(({ totalResults }) => totalResults);
    expect(new Set(totals).size).toBe(3);
  });
});

describe('rules', () => {
  const statusOf = async (method: string, path: string, token = slack) => (await token.scim(method, path)).status;

  it('match by verb, path and organization', async () => {
    simulator.faults.add({
      kind: 'status',
      status: 500,
      match: { method: 'get', path: /^\/scim\/v2\/Groups$/, organization: 'business' },
    });
    expect(await statusOf('GET', '/Users')).toBe(200);
    expect(await statusOf('GET', '/Groups', slack.as('enterprise-owner'))).toBe(200);
    expect(await statusOf('GET', '/Groups?count=1')).toBe(500);
    expect(await statusOf('GET', '/Groups')).toBe(200);
  });

  it('begin at the nth call and last as many times as they say', async () => {
    simulator.faults.add({ kind: 'status', status: 503, times: 2, match: { nth: 2 } });
    const seen: number[] = [];
    for (let call = 0; call < 4; call += 1) seen.push(await statusOf('GET', '/Users'));
    expect(seen).toEqual([200, 503, 503, 200]);
  });

  it('last until they are removed when they say always', async () => {
    const id = simulator.faults.add({ kind: 'status', status: 500, times: 'always' });
    for (let call = 0; call < 3; call += 1) expect(await statusOf('GET', '/Users')).toBe(500);
    expect(simulator.faults.remove(id)).toBe(true);
    expect(simulator.faults.remove(id)).toBe(false);
    expect(await statusOf('GET', '/Users')).toBe(200);
  });

  it('do not touch the control routes or the front page', async () => {
    simulator.faults.add({ kind: 'status', status: 500, times: 'always' });
    expect((await slack.call('GET', '/_simulator/state')).status).toBe(200);
    expect((await slack.call('GET', '/')).status).toBe(200);
  });

  it.each([
    { kind: 'earthquake' },
    { kind: 'latency' },
    { kind: 'status', status: 200 },
    { kind: 'rateLimited' },
    { kind: 'resetBefore', times: 0 },
    { kind: 'resetBefore', match: { path: '(' } },
  ])('that make no sense are refused: %j', (rule) => {
    expect(() => simulator.faults.add(rule as unknown as FaultRule)).toThrow(/./);
  });
});

describe('stop', () => {
  it('does not wait for hanging or delayed calls', async () => {
    const other = await startSimulator({ seed: 'stop' });
    const client = new SimulatorClient(other);
    other.faults.add({ kind: 'hangAfter' });
    other.faults.add({ kind: 'latency', ms: 3_600_000 });
    const hung = client.list('Users').catch(() => 'cut');
    while (other.requests.length < 1) await new Promise((resolve) => setImmediate(resolve));
    const delayed = client.list('Users');
    while (other.requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await other.stop();
    expect(await hung).toBe('cut');
    expect((await delayed).status).toBe(200);
  });
});
