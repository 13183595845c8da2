import { ManualClock } from '../../../src/simulator/clock';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { codeOf, groupUrn, SimulatorClient } from '../../support/simulator-client';

const clock = new ManualClock();
let simulator: Simulator;
let slack: SimulatorClient;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'limits', clock });
  slack = new SimulatorClient(simulator);
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.stop());

async function times<T>(count: number, call: () => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (let index = 0; index < count; index += 1) answers.push(await call());
  return answers;
}

const aPerson = () => {
  const name = `p${simulator.requests.length}`;
  return slack.createUser({ userName: name, emails: [{ value: `${name}@x.example` }] });
};
const statuses = (answers: readonly { status: number }[]) => [...new Set(answers.map(({ status }) => status))];

describe('a burst', () => {
  it('of twenty creations passes, the next one is told to wait, and passes after exactly that time', async () => {
    expect(statuses(await times(20, aPerson))).toEqual([201]);
    const refused = await aPerson();
    expect([refused.status, codeOf(refused), refused.headers.get('retry-after')]).toEqual([
      429,
      'too_many_requests',
      '1',
    ]);
    clock.advance(1000);
    // 180 a minute: three a second.
    expect(statuses(await times(3, aPerson))).toEqual([201]);
    expect((await aPerson()).status).toBe(429);
  });

  it('of PUT and PATCH counts in one row, of DELETE in another', async () => {
    const { id } = slack.person('barbara.liskov');
    const change = () => slack.patch('Users', id, { op: 'replace', path: 'title', value: 'x' });
    await times(19, change);
    expect((await slack.scim('PUT', `/Users/${id}`, (await slack.scim('GET', `/Users/${id}`)).json)).status).toBe(200);
    expect((await change()).status).toBe(429);
    expect((await slack.scim('DELETE', `/Users/${id}`)).status).toBe(204);
  });

  it('of eighty changes passes for groups', async () => {
    const { json } = await slack.scim('POST', '/Groups', { schemas: [groupUrn], displayName: 'x' });
    const change = () => slack.patch('Groups', String(json.id), { op: 'replace', path: 'displayName', value: 'y' });
    expect(statuses(await times(80, change))).toEqual([200]);
    expect((await change()).status).toBe(429);
  });

  it('of all writes together ends at 180', async () => {
    const { json } = await slack.scim('POST', '/Groups', { schemas: [groupUrn], displayName: 'x' });
    const groupId = String(json.id);
    const { id } = slack.person('barbara.liskov');
    await times(79, () => slack.patch('Groups', groupId, { op: 'replace', path: 'displayName', value: 'y' }));
    await times(20, aPerson);
    await times(20, () => slack.patch('Users', id, { op: 'replace', path: 'title', value: 'x' }));
    await times(20, () => slack.scim('DELETE', `/Users/${id}`));
    await times(19, () => slack.scim('POST', '/Groups', { schemas: [groupUrn], displayName: 'x' }));
    await times(20, () => slack.scim('DELETE', '/Groups/S0NOBODY'));
    await times(1, () => slack.patch('Groups', groupId, { op: 'replace', path: 'displayName', value: 'z' }));
    const limits = await slack.call('GET', '/_simulator/state', { token: null });
    const buckets = limits.json.buckets as Record<string, Record<string, number>>;
    expect(buckets[simulator.world.organization('business').id]).toMatchObject({
      allWrites: 0,
      createUser: 0,
      updateGroup: 0,
    });
  });
});

describe('the limits', () => {
  it('count all tokens of an organization together, and organizations apart', async () => {
    await times(20, aPerson);
    const owner = await slack.as('business-owner').createUser({ userName: 'o', emails: [{ value: 'o@x.example' }] });
    expect(owner.status).toBe(429);
    const other = await slack.as('enterprise-owner').createUser({ userName: 'o', emails: [{ value: 'o@x.example' }] });
    expect(other.status).toBe(201);
  });

  it('do not charge calls that are refused for their token', async () => {
    await times(25, () => slack.as('revoked').createUser({}));
    expect((await aPerson()).status).toBe(201);
  });

  it('say when to come back without a header or as a date under a switch', async () => {
    await times(20, aPerson);
    simulator.switches.retryAfter = 'missing';
    expect((await aPerson()).headers.get('retry-after')).toBeNull();
    simulator.switches.retryAfter = 'http-date';
    expect((await aPerson()).headers.get('retry-after')).toBe(new Date(clock.now() + 1000).toUTCString());
  });

  it('can be switched off', async () => {
    simulator.switches.limitsEnabled = false;
    expect(statuses(await times(30, aPerson))).toEqual([201]);
  });
});

describe('the lock of a write', () => {
  const anHour = 3_600_000;
  let locked: Simulator;
  let client: SimulatorClient;
  beforeEach(async () => {
    locked = await startSimulator({ seed: 'locks' });
    client = new SimulatorClient(locked);
  });
  afterEach(() => locked.stop());

  const locks = async () => (await client.call('GET', '/_simulator/state', { token: null })).json.locks;
  async function untilLocked(resource: string): Promise<void> {
    while (!JSON.stringify(await locks()).includes(resource)) await new Promise((resolve) => setImmediate(resolve));
  }

  it('refuses a second write to the same person while the first runs, but no other', async () => {
    const { id } = client.person('barbara.liskov');
    const other = client.person('edsger.dijkstra').id;
    locked.switches.writeTimeMs = anHour;
    const first = client.patch('Users', id, { op: 'replace', path: 'title', value: 'first' });
    await untilLocked(id);
    const second = await client.patch('Users', id, { op: 'replace', path: 'title', value: 'second' });
    expect([second.status, codeOf(second), second.headers.get('retry-after')]).toEqual([
      429,
      'too_many_requests',
      '3600',
    ]);
    locked.switches.writeTimeMs = 0;
    expect((await client.patch('Users', other, { op: 'replace', path: 'title', value: 'x' })).status).toBe(200);
    // Stopping cuts the hour short.
    await locked.stop();
    expect((await first).json.title).toBe('first');
  });

  it('has a word of its own for groups', async () => {
    const { json } = await client.scim('POST', '/Groups', { schemas: [groupUrn], displayName: 'x' });
    locked.switches.writeTimeMs = anHour;
    const first = client.patch('Groups', String(json.id), { op: 'replace', path: 'displayName', value: 'y' });
    await untilLocked(String(json.id));
    const second = await client.scim('DELETE', `/Groups/${json.id}`);
    expect([second.status, codeOf(second)]).toEqual([429, 'resource_locked']);
    await locked.stop();
    expect((await first).status).toBe(200);
  });

  it('is released when the write is done, also when it is refused', async () => {
    const { id } = client.person('barbara.liskov');
    locked.switches.writeTimeMs = 5;
    expect((await client.patch('Users', id, { op: 'replace', path: 'active', value: 'maybe' })).status).toBe(400);
    expect((await client.patch('Users', id, { op: 'replace', path: 'title', value: 'x' })).status).toBe(200);
    expect((await client.scim('DELETE', `/Users/${id}`)).status).toBe(204);
    expect(await locks()).toEqual([]);
  });
});
