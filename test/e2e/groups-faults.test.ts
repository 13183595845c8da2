import type { FaultRule } from '../../src/simulator/faults/fault';
import { type FaultyWorld, startFaultyWorld } from '../support/faults';
import { changeGroup, deleteGroup, type GroupPayloadAnswer, groupsNamed } from '../support/groups';
import { connectSandbox, readConnection } from '../support/operations';
import { calmDown, seededPerson } from '../support/people';

/** Each meets a group of its own, whose members are the first two people. */
interface Verb {
  readonly name: string;
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  readonly path: '/Groups';
  call(world: FaultyWorld, group: string, key: string): Promise<Pick<GroupPayloadAnswer, 'problems'>>;
  /** What Slack must show in the end: the members of the one group of this name, or none. */
  readonly leaves: readonly string[] | undefined;
  readonly renames?: true;
}

const people = ['barbara.liskov', 'edsger.dijkstra', 'margaret.hamilton', 'nina.rossi'] as const;
const named = (...userNames: string[]) => userNames.map((userName) => ({ userName }));
const [first, second, third, fourth] = people;

function memberVerb(
  name: 'addGroupMembers' | 'removeGroupMembers' | 'setGroupMembers',
  userNames: readonly string[],
  leaves: readonly string[],
): Verb {
  return {
    name,
    method: 'PATCH',
    path: '/Groups',
    leaves,
    call: ({ app, connectionId }, group, idempotencyKey) =>
      changeGroup(app, name, { connectionId, group: { name: group }, members: named(...userNames), idempotencyKey }),
  };
}

const verbs: readonly Verb[] = [
  {
    name: 'createGroup',
    method: 'POST',
    path: '/Groups',
    leaves: [first, second],
    call: ({ app, connectionId }, name, idempotencyKey) =>
      changeGroup(app, 'createGroup', { connectionId, name, members: named(first, second), idempotencyKey }),
  },
  memberVerb('addGroupMembers', [second, third], [first, second, third]),
  memberVerb('removeGroupMembers', [second], [first]),
  memberVerb('setGroupMembers', [second, fourth], [second, fourth]),
  {
    name: 'renameGroup',
    method: 'PATCH',
    path: '/Groups',
    renames: true,
    leaves: [first, second],
    call: ({ app, connectionId }, group, idempotencyKey) =>
      changeGroup(app, 'renameGroup', { connectionId, group: { name: group }, name: `${group}-new`, idempotencyKey }),
  },
  {
    name: 'deleteGroup',
    method: 'DELETE',
    path: '/Groups',
    leaves: undefined,
    call: ({ app, connectionId }, group, idempotencyKey) =>
      deleteGroup(app, { connectionId, group: { name: group }, idempotencyKey }),
  },
];

/** Over in a moment: the call must succeed as if nothing had been. */
const passing: readonly FaultRule[] = [
  { kind: 'resetBefore' },
  { kind: 'resetAfter' },
  { kind: 'resetAfter', times: 2 },
  { kind: 'hangAfter' },
  { kind: 'html200', applied: true },
  { kind: 'status', status: 500, applied: true },
  { kind: 'status', status: 503 },
  { kind: 'truncated' },
  { kind: 'garbage' },
  { kind: 'emptyBody' },
  { kind: 'rateLimited', retryAfter: 0 },
  { kind: 'rateLimited', retryAfter: 'missing' },
  { kind: 'rateLimited', retryAfter: 'http-date' },
];

let worlds: FaultyWorld[];
let count = 0;

beforeAll(async () => {
  worlds = [await startFaultyWorld(), await startFaultyWorld()];
});
afterEach(() => {
  for (const { simulator } of worlds) calmDown(simulator);
});
afterAll(async () => {
  await Promise.all(worlds.map((world) => world.stop()));
});

function addGroup({ simulator }: FaultyWorld, displayName: string): void {
  simulator.world.organization('business').addGroup({
    id: `S0FAULT${String(count).padStart(4, '0')}`,
    displayName,
    members: new Set([first, second].map((userName) => seededPerson(simulator, userName).id)),
    created: '2026-01-02T03:04:05-08:00',
    isAutomatic: false,
    isLinkedToChannels: false,
    earlier: null,
  });
}

function expectDone({ simulator }: FaultyWorld, { leaves, renames }: Verb, group: string): void {
  const groups = groupsNamed(simulator, renames ? `${group}-new` : group);
  expect(groups).toHaveLength(leaves === undefined ? 0 : 1);
  if (renames) expect(groupsNamed(simulator, group)).toEqual([]);
  const expected = (leaves ?? []).map((userName) => seededPerson(simulator, userName).id);
  expect([...(groups[0]?.members ?? [])].sort()).toEqual(expected.sort());
}

function prepare(world: FaultyWorld, verb: Verb): string {
  count += 1;
  const group = `Faulty-${count}`;
  if (verb.name !== 'createGroup') addGroup(world, group);
  return group;
}

describe.each(verbs.map((verb) => [verb.name, verb] as const))('%s', (_, verb) => {
  it('takes effect once, whatever happens to its call or its answer', async () => {
    await Promise.all(
      worlds.map(async (world, half) => {
        for (const rule of passing.filter((__, index) => index % worlds.length === half)) {
          const group = prepare(world, verb);
          world.simulator.faults.add({ ...rule, match: { method: verb.method, path: verb.path } });
          const { problems } = await verb.call(world, group, group);
          calmDown(world.simulator);
          expect({ rule, problems }).toEqual({ rule, problems: [] });
          expectDone(world, verb, group);
          const again = await verb.call(world, group, group);
          expect({ rule, problems: again.problems }).toEqual({ rule, problems: [] });
          expectDone(world, verb, group);
        }
      }),
    );
  });

  it('is found done, or is done, when its answers and the reads after it are lost, and it is called again', async () => {
    const [world] = worlds;
    if (!world) throw new Error('No world');
    for (const rule of [
      { kind: 'resetAfter', times: 'always' },
      { kind: 'resetBefore', times: 'always' },
    ] as const) {
      const group = prepare(world, verb);
      const { method, path } = verb;
      world.simulator.faults.add({ ...rule, times: 1, match: { method, path } });
      // The reads that find the group by its name, and see whether a new name is free, come before the write.
      const nth = verb.renames ? 3 : 2;
      world.simulator.faults.add({
        kind: 'status',
        status: 503,
        times: 'always',
        match: { method: 'GET', path, nth },
      });
      const { problems } = await verb.call(world, group, group);
      expect(problems).toMatchObject([{ code: 'UPSTREAM_OUTCOME_UNKNOWN', retryable: true }]);
      calmDown(world.simulator);
      expect((await verb.call(world, group, group)).problems).toEqual([]);
      expectDone(world, verb, group);
    }
    expect((await readConnection(world.app, world.connectionId))?.status).toBe('ACTIVE');
  });
});

describe('a lock', () => {
  it('of somebody else is waited for, and holds up no other group', async () => {
    const [world] = worlds;
    if (!world) throw new Error('No world');
    const verb = verbs[1];
    if (!verb) throw new Error('No verb');
    const [locked, free] = [prepare(world, verb), prepare(world, verb)];
    const [group] = groupsNamed(world.simulator, locked);
    const rule = {
      kind: 'slackError',
      error: 'resource_locked',
      match: { method: 'PATCH', path: `/Groups/${group?.id}` },
    } as const;
    world.simulator.faults.add({ ...rule, times: 3 });
    const waiting = verb.call(world, locked, locked);
    expect((await verb.call(world, free, free)).problems).toEqual([]);
    expect((await waiting).problems).toEqual([]);
    expectDone(world, verb, locked);
    expectDone(world, verb, free);
    const budget = await world.app.call<{
      connection: { rateBudget: { endpointClass: string; blockedUntil: string | null }[] };
    }>('query ($id: ID!) { connection(id: $id) { rateBudget { endpointClass blockedUntil } } }', {
      id: world.connectionId,
    });
    expect(budget.data?.connection.rateBudget.filter(({ blockedUntil }) => blockedUntil !== null)).toEqual([]);
  });
});

describe('a large change that stops half way', () => {
  it('says for whom it did not take effect, and goes on under the same key', async () => {
    const [world] = worlds;
    if (!world) throw new Error('No world');
    const { app, simulator } = world;
    const { id: connectionId } = await connectSandbox(app, 'enterprise-owner');
    const enterprise = simulator.world.organization('enterprise');
    const model = seededPerson(simulator, 'alan.turing', 'enterprise');
    const people = Array.from({ length: 5_200 }, (_, index) => `W0HALF${String(index).padStart(5, '0')}`);
    for (const [index, id] of people.entries()) {
      enterprise.addPerson({ ...model, id, userName: `half.${index}`, primaryEmail: `half.${index}@example.com` });
    }
    const members = people.map((slackId) => ({ slackId }));
    const input = { connectionId, group: { name: 'Compilers' }, members, idempotencyKey: 'half' };
    const broken = { kind: 'status', status: 503, times: 'always' } as const;
    simulator.faults.add({ ...broken, match: { method: 'PATCH', path: '/Groups', nth: 2 } });

    const half = await changeGroup(app, 'addGroupMembers', input);

    expect(half).toMatchObject({
      addedCount: 5_000,
      problems: [{ code: 'GROUP_MEMBERS_INCOMPLETE', retryable: true }],
    });
    expect(half.memberProblems).toHaveLength(200);
    expect(half.memberProblems[0]).toMatchObject({ index: 5_000, retryable: true, refusal: null });
    calmDown(simulator);
    expect(await changeGroup(app, 'addGroupMembers', input)).toMatchObject({ addedCount: 200, problems: [] });
    const [group] = groupsNamed(simulator, 'Compilers', 'enterprise');
    expect(group?.members.size).toBe(5_202);
  });
});

describe('reads that lag behind', () => {
  it('make no second group of one whose answer was lost or empty', async () => {
    const [world] = worlds;
    const verb = verbs[0];
    if (!world || !verb) throw new Error('No world');
    for (const kind of ['resetAfter', 'emptyBody'] as const) {
      const group = prepare(world, verb);
      world.simulator.switches.groupReadDelayMs = 3_000;
      world.simulator.faults.add({ kind, match: { method: 'POST', path: '/Groups' } });
      expect((await verb.call(world, group, group)).problems).toEqual([]);
      calmDown(world.simulator);
      expectDone(world, verb, group);
    }
  });
});
