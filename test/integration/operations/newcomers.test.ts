import { readItems } from '../../support/bulk';
import { addPeople, newPeople, type OperationWorld, startOperationWorld } from '../../support/operation-world';
import { until } from '../../support/until';

const MANY = 120;

describe('an operation that gives many people accounts', () => {
  let world: OperationWorld;

  beforeAll(async () => {
    world = await startOperationWorld({ engine: 'sqlite' });
  });
  afterAll(() => world.stop());

  const requestsSince = (from: number, method: string, path: RegExp) =>
    world.simulator.requests.slice(from).filter((call) => call.method === method && path.test(call.path));

  it('looks at the roster once, and at few of them one by one', async () => {
    const from = world.simulator.requests.length;
    // Few are begun before the page is there, also on a busy machine.
    world.simulator.faults.add({ kind: 'latency', ms: 60, match: { method: 'POST' }, times: 'always' });
    const { id } = await world.begin('provisionUsers', { users: newPeople(2 * MANY, 'walk') });
    expect(await world.ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: 2 * MANY } });
    world.simulator.faults.clear();
    expect(requestsSince(from, 'POST', /\/Users$/)).toHaveLength(2 * MANY);
    expect(requestsSince(from, 'GET', /\/Users/).length).toBeLessThan(MANY);
  });

  it('asks for each when everybody may be there already and must then be left alone', async () => {
    const from = world.simulator.requests.length;
    const { id } = await world.begin('provisionUsers', { users: newPeople(60, 'alone'), ifExists: 'FAIL' });
    expect(await world.ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: 60 } });
    expect(requestsSince(from, 'GET', /\/Users/)).toHaveLength(60);
  });

  it('takes whoever came after the look as somebody who is there', async () => {
    const from = world.simulator.requests.length;
    world.simulator.faults.add({ kind: 'latency', ms: 40, match: { method: 'POST' }, times: 'always' });
    const users = Array.from({ length: MANY }, (_, index) => ({ email: `p${index}@faster.example`, title: 'New' }));
    const { id } = await world.begin('provisionUsers', { users });
    await until(() => requestsSince(from, 'POST', /\/Users$/).length > 8);
    const [faster] = addPeople(world, MANY, 'faster.example').splice(MANY - 1);
    world.simulator.faults.clear();
    expect(await world.ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: MANY } });
    const items = await readItems(world.app, id, { key: world.key });
    expect(items[MANY - 1]).toMatchObject({ outcome: 'UPDATED', user: { slackId: faster?.id } });
    expect(faster).toMatchObject({ title: 'New' });
  });

  it('makes one account of two items about one address', async () => {
    const people = newPeople(60, 'double');
    const { id } = await world.begin('provisionUsers', { users: [...people, ...people] });
    expect(await world.ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: 120 } });
    const items = await readItems(world.app, id, { key: world.key });
    expect(items.slice(0, 60).every(({ outcome }) => outcome === 'CREATED')).toBe(true);
    expect(items.slice(60).every(({ outcome }) => outcome === 'UNCHANGED')).toBe(true);
  });
});
