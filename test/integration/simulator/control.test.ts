import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../../../src/simulator/clock';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { tokenNames } from '../../../src/simulator/world/token';
import { SimulatorClient } from '../../support/simulator-client';

const clock = new ManualClock();
let simulator: Simulator;
let slack: SimulatorClient;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'control', clock });
  slack = new SimulatorClient(simulator);
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.stop());

const control = (method: string, path: string, body?: object) =>
  slack.call(method, `/_simulator/${path}`, { token: null, ...(body ? { body } : {}) });

describe('the control routes', () => {
  it('show organizations, people, groups, tokens with their values, switches, faults and buckets', async () => {
    simulator.faults.add({ kind: 'status', status: 500, match: { path: /Users$/ } });
    await slack.list('Groups');
    const { json } = await control('GET', 'state');
    expect(json).toMatchObject({
      now: clock.now(),
      organizations: [
        { key: 'enterprise', plan: 'enterprise', workspaces: [{ name: 'Acme Berlin' }, { name: 'Acme Lyon' }] },
        { key: 'business', plan: 'business' },
        { key: 'pro', plan: 'pro' },
      ],
      switches: { errorStyle: 'new', limitsEnabled: true },
      faults: [{ id: expect.any(String), kind: 'status', match: { path: 'Users$' } }],
      buckets: { [simulator.world.organization('business').id]: { allReads: 999 } },
      locks: [],
    });
    const shown = json.tokens as { name: string; value: string }[];
    expect(shown.map(({ name, value }) => [name, value])).toEqual(
      tokenNames.map((name) => [name, simulator.tokens[name]]),
    );
  });

  it('seed people of every kind', () => {
    for (const organization of simulator.world.organizations.values()) {
      const people = [...organization.people.values()];
      const kinds = new Set(people.map(({ rank }) => rank));
      expect([...kinds].sort()).toEqual(['admin', 'bot', 'member', 'owner', 'primary-owner']);
      expect(people.some(({ active }) => !active)).toBe(true);
      expect(people.some(({ guest }) => guest?.type === 'multi')).toBe(true);
      expect(organization.groups.size).toBeGreaterThanOrEqual(2);
    }
  });

  it('log calls by the name of their token, whether they were applied, and never the token', async () => {
    await slack.list('Users', { count: '1' });
    await slack.createUser({ userName: 'x', emails: [{ value: 'x@x.example' }] });
    await slack.createUser({});
    const { json } = await control('GET', 'requests');
    expect(json.requests).toEqual([
      expect.objectContaining({
        method: 'GET',
        path: '/scim/v2/Users',
        query: 'count=1',
        status: 200,
        tokenName: 'business-admin',
        isApplied: false,
        at: clock.now(),
      }),
      expect.objectContaining({ method: 'POST', status: 201, isApplied: true }),
      expect.objectContaining({ method: 'POST', status: 400, isApplied: false }),
    ]);
    expect(JSON.stringify(json)).not.toContain(simulator.tokens['business-admin']);
  });

  it('add, show and remove faults', async () => {
    const { json } = await control('POST', 'faults', {
      kind: 'status',
      status: 503,
      times: 'always',
      match: { path: '/Users$' },
    });
    expect((await slack.list('Users')).status).toBe(503);
    expect((await control('DELETE', `faults/${json.id}`)).status).toBe(200);
    expect((await control('DELETE', `faults/${json.id}`)).status).toBe(404);
    await control('POST', 'faults', { kind: 'status', status: 503 });
    await control('DELETE', 'faults');
    expect((await slack.list('Users')).status).toBe(200);
    expect((await control('POST', 'faults', { kind: 'earthquake' })).status).toBe(400);
  });

  it('move the clock forward only', async () => {
    const before = clock.now();
    expect((await control('POST', 'clock', { advanceMs: 60_000 })).json).toEqual({ now: before + 60_000 });
    expect((await control('POST', 'clock', { advanceMs: -1 })).status).toBe(400);
    expect((await control('POST', 'clock', {})).status).toBe(400);
  });

  it('turn switches, and refuse unknown ones and unfit values without turning any', async () => {
    expect((await control('POST', 'switches', { limitsEnabled: false, groupPatchStatus: 204 })).json).toMatchObject({
      limitsEnabled: false,
    });
    for (const wrong of [
      { gravity: 1 },
      { errorStyle: 'loud' },
      { photoDelayMs: -1 },
      { limitsEnabled: 'no' },
      { filterAttributes: ['age'] },
    ]) {
      expect((await control('POST', 'switches', { groupPatchStatus: 200, ...wrong })).status).toBe(400);
    }
    expect(simulator.switches).toMatchObject({ limitsEnabled: false, groupPatchStatus: 204 });
  });

  it('demote, promote, deactivate and reactivate people', async () => {
    const { id } = slack.person('ada.lovelace');
    await control('POST', `people/${id}`, { rank: 'member' });
    expect((await slack.list('Users')).status).toBe(401);
    await control('POST', `people/${id}`, { rank: 'owner' });
    expect((await slack.list('Users')).status).toBe(200);
    await control('POST', `people/${id}`, { active: false });
    expect((await slack.list('Users')).status).toBe(401);
    await control('POST', `people/${id}`, { active: true });
    expect((await slack.list('Users')).status).toBe(200);
    expect((await control('POST', `people/${id}`, { rank: 'king' })).status).toBe(400);
    expect((await control('POST', 'people/U0NOBODY', { rank: 'member' })).status).toBe(404);
  });

  it('change plans and revoke tokens', async () => {
    const { id } = simulator.world.organization('business');
    await control('POST', `organizations/${id}`, { plan: 'pro' });
    expect((await slack.list('Users')).status).toBe(403);
    await control('POST', `organizations/${id}`, { plan: 'business' });
    await control('POST', 'tokens/business-admin/revoke');
    expect((await slack.call('POST', '/api/auth.test')).json.error).toBe('token_revoked');
    expect((await control('POST', 'tokens/nothing/revoke')).status).toBe(404);
    expect((await control('POST', `organizations/${id}`, { plan: 'free' })).status).toBe(400);
  });

  it('reset world, faults, switches, log and buckets, but not the tokens', async () => {
    await slack.createUser({ userName: 'x', emails: [{ value: 'x@x.example' }] });
    await control('POST', 'tokens/business-owner/revoke');
    simulator.faults.add({ kind: 'resetBefore', times: 'always' });
    simulator.switches.errorStyle = 'old';
    expect((await control('POST', 'reset')).status).toBe(200);
    expect(simulator.requests).toHaveLength(0);
    expect(simulator.switches.errorStyle).toBe('new');
    expect(await slack.filter('Users', 'userName eq "x"')).toEqual([]);
    expect((await slack.as('business-owner').list('Users')).status).toBe(200);
  });

  it('refuse pages of other origins', async () => {
    const answer = await slack.call('POST', '/_simulator/reset', {
      token: null,
      headers: { origin: 'https://evil.example' },
    });
    expect(answer.status).toBe(403);
  });

  it('have a front page with every token and without anything from elsewhere', async () => {
    const { status, headers, text } = await slack.call('GET', '/', { token: null });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const name of tokenNames) expect(text).toContain(simulator.tokens[name]);
    expect(text).toContain('<html lang="en">');
    expect(text).not.toMatch(/<script|src=|https?:\/\/(?!127\.0\.0\.1)/);
  });
});

describe('the state file', () => {
  let folder: string;
  let stateFile: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simulator-'));
    stateFile = join(folder, 'data', 'slack.json');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('brings people, groups and the standing of tokens over a restart, without token values', async () => {
    const first = await startSimulator({ seed: 'kept', stateFile });
    const client = new SimulatorClient(first);
    const { json } = await client.createUser({ userName: 'kept', emails: [{ value: 'kept@x.example' }] });
    await client.call('POST', '/_simulator/tokens/business-owner/revoke', { token: null });
    const kept = first.snapshot();
    await first.stop();
    const text = await readFile(stateFile, 'utf8');
    for (const value of Object.values(first.tokens)) expect(text).not.toContain(value);
    expect((await stat(stateFile)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'data'))).toEqual(['slack.json']);

    const second = await startSimulator({ seed: 'kept', stateFile });
    const again = new SimulatorClient(second);
    expect(second.tokens).toEqual(first.tokens);
    expect(second.snapshot()).toEqual(kept);
    expect((await again.scim('GET', `/Users/${json.id}`)).json.userName).toBe('kept');
    expect((await again.as('business-owner').list('Users')).status).toBe(401);
    const next = await again.createUser({ userName: 'next', emails: [{ value: 'next@x.example' }] });
    expect(next.json.id).not.toBe(json.id);
    await second.stop();
  });

  it.each(['{"version":1,"issuedIds', '{"version":0}', 'null'])(
    'is put aside when it reads %s, and the world is seeded anew',
    async (text) => {
      const path = join(folder, 'slack.json');
      await writeFile(path, text);
      const warnings: string[] = [];
      const fresh = await startSimulator({
        seed: 'x',
        stateFile: path,
        logger: { warn: (message) => warnings.push(message) },
      });
      expect(fresh.world.organization('business').people.size).toBe(15);
      await fresh.stop();
      expect(warnings).toHaveLength(1);
      expect(await readFile(`${path}.broken`, 'utf8')).toBe(text);
    },
  );
});
