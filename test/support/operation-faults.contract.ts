import type { FaultKind } from '../../src/simulator/faults/fault';
import { readItems } from './bulk';
import { passingFaults } from './faults';
import { changeGroup, groupsNamed } from './groups';
import { expectInvariants } from './operation-invariants';
import { addPeople, type Engine, newPeople, type OperationWorld, startOperationWorld } from './operation-world';
import { changeConnection, readConnection } from './operations';
import { calmDown, holdersOf, isScim, seededPerson } from './people';
import { seededRandom } from './random';

/** How many mixtures of faults are tried; ROLLCALL_FAULT_SEEDS asks for more. */
const SEEDS = Number(process.env.ROLLCALL_FAULT_SEEDS ?? 2);

/** The fault table says 200. */
const CROWD = SEEDS > 2 ? 200 : 40;

const lists: readonly FaultKind['kind'][] = ['lyingList', 'latency'];
const mixed = passingFaults.filter(({ kind }) => !lists.includes(kind));

/** F3 to F6, F9 to F12 and F18: what Slack may do to an operation, which must end as if nothing had been. */
export function operationFaultsContract(name: string, engine: Engine): void {
  describe(name, () => {
    let world: OperationWorld;

    beforeAll(async () => {
      world = await startOperationWorld({ engine });
    });
    afterEach(() => calmDown(world.simulator));
    afterAll(() => world.stop());

    const creations = (from: number) =>
      world.simulator.requests.slice(from).filter(({ method, path }) => method === 'POST' && path.endsWith('/Users'));
    const applied = (from: number) => creations(from).filter(({ isApplied }) => isApplied).length;

    it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
      'everybody is made once and leaves once while answers are lost, cut or mad (F3, F4, F6), seed %i',
      async (seed) => {
        const random = seededRandom(seed);
        const spoil = (calls: number) => {
          for (let call = 0; call < calls; call += 1) {
            const fault = random() < 0.5 ? mixed[Math.floor(random() * mixed.length)] : undefined;
            world.simulator.faults.add(fault ?? { kind: 'latency', ms: 0 });
          }
        };
        const domain = `mixed${seed}.example`;
        const users = newPeople(12, `mixed${seed}`);
        const from = world.simulator.requests.length;
        spoil(30);
        const { id } = await world.begin('provisionUsers', { users });
        expect(await world.ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: 12 } });
        calmDown(world.simulator);
        await expectInvariants(world, id, { domain });
        expect(applied(from)).toBe(12);

        spoil(30);
        const leaving = await world.begin('deprovisionUsers', { users });
        expect(await world.ended(leaving.id)).toMatchObject({ status: 'SUCCEEDED' });
        calmDown(world.simulator);
        await expectInvariants(world, leaving.id, { domain });
        for (const { email } of users) expect(holdersOf(world.simulator, email)).toMatchObject([{ active: false }]);
      },
    );

    it('one group is made when the answer is lost, and its members change once (F5)', async () => {
      const { app, connectionId, simulator } = world;
      const lost = { kind: 'resetAfter', match: { path: '/Groups' } } as const;
      simulator.faults.add({ ...lost, match: { method: 'POST', path: '/Groups' } });
      const members = [{ userName: 'ada.lovelace' }];
      const { group } = await changeGroup(app, 'createGroup', { connectionId, name: 'Lost', members });
      expect(groupsNamed(simulator, 'Lost').map(({ id }) => id)).toEqual([group?.slackId]);

      for (const nth of [1, 2, 3]) simulator.faults.add({ ...lost, match: { method: 'PATCH', path: '/Groups', nth } });
      const added = ['barbara.liskov', 'edsger.dijkstra', 'nina.rossi'];
      const changes = added.map((userName) => ({ group: { name: 'Lost' }, change: 'ADD', members: [{ userName }] }));
      const { id } = await world.begin('changeGroupMembers', { changes });
      expect(await world.ended(id)).toMatchObject({ status: 'SUCCEEDED' });
      await expectInvariants(world, id);
      const ids = ['ada.lovelace', ...added].map((userName) => seededPerson(simulator, userName).id);
      expect([...(groupsNamed(simulator, 'Lost')[0]?.members ?? [])].sort()).toEqual(ids.sort());
    });

    it.each([
      [7, 7_000],
      [0, 1_000],
      ['http-date' as const, 1_000],
      ['missing' as const, 20_000],
    ])('Slack is left alone for the time that a 429 states: %s (F9, F10)', async (stated, ms) => {
      const tag = `wait-${stated}`;
      const from = world.simulator.requests.length;
      const match = { method: 'POST', path: '/Users' };
      world.simulator.faults.add({ kind: 'rateLimited', retryAfter: stated, match, times: 2 });
      const { id } = await world.begin('provisionUsers', { users: newPeople(1, tag) });
      await world.ended(id);
      const { items } = await expectInvariants(world, id, { domain: `${tag}.example` });
      expect(items).toMatchObject([{ status: 'SUCCEEDED', attempts: 1 }]);
      const [first = 0, second = 0, third = 0] = creations(from).map(({ at }) => at);
      expect(second - first).toBeGreaterThanOrEqual(ms);
      expect(third - second).toBeGreaterThanOrEqual(ms);
    });

    it('a storm of 429s costs no item an attempt (F9)', async () => {
      const domain = 'storm.example';
      const from = world.simulator.requests.length;
      const match = { method: 'POST', path: '/Users' };
      world.simulator.faults.add({ kind: 'rateLimited', retryAfter: 3, match, times: 30 });
      const { id } = await world.begin('provisionUsers', { users: newPeople(12, 'storm') });
      await world.ended(id);
      const { items } = await expectInvariants(world, id, { domain });
      expect(items.map(({ attempts }) => attempts)).toEqual(items.map(() => 1));
      expect(creations(from).filter(({ status }) => status === 429)).toHaveLength(30);
      expect(applied(from)).toBe(12);
    });

    it('a wait of a day parks what it concerns, and others go on (F10)', async () => {
      const there = addPeople(world, 12, 'day.example').map(({ primaryEmail }) => ({
        email: primaryEmail,
        title: 'New',
      }));
      const match = { method: 'POST', path: '/Users' };
      const from = world.simulator.requests.length;
      world.simulator.faults.add({ kind: 'rateLimited', retryAfter: 99_999, match, times: 'always' });
      const { id } = await world.begin('provisionUsers', { users: [...newPeople(3, 'day-new'), ...there] });
      const begunAt = world.clock.now();
      const parked = await world.ended(id, ({ counts }) => counts.succeeded === there.length);
      expect(parked).toMatchObject({ status: 'RUNNING', counts: { failed: 0 } });
      expect(parked.counts.pending + parked.counts.running).toBe(3);
      // Sooner than what is parked is looked at again.
      expect(world.clock.now() - begunAt).toBeLessThan(14 * 60_000);
      expect(creations(from).length).toBeLessThanOrEqual(3);

      calmDown(world.simulator);
      world.clock.advance(100_000_000);
      expect(await world.ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: 15 } });
      const { items } = await expectInvariants(world, id);
      expect(items.map(({ attempts }) => attempts)).toEqual(items.map(() => 1));
    });

    it(`two poison items of ${CROWD} stop nobody (F11)`, async () => {
      const users = addPeople(world, CROWD, 'poison.example').map(({ id: slackId }) => ({ slackId }));
      const [bad, refused] = [users[3]?.slackId, users[7]?.slackId];
      const always = { times: 'always' } as const;
      world.simulator.faults.add({ kind: 'status', status: 500, match: { path: `/Users/${bad}$` }, ...always });
      const match = { method: 'PATCH', path: `/Users/${refused}$` };
      world.simulator.faults.add({ kind: 'slackError', error: 'user_update_failed', match, ...always });
      const { id } = await world.begin('deprovisionUsers', { users });
      expect(await world.ended(id)).toMatchObject({
        status: 'PARTIALLY_SUCCEEDED',
        counts: { failed: 2, succeeded: CROWD - 2 },
      });
      const { items } = await expectInvariants(world, id);
      expect(items[3]).toMatchObject({ status: 'FAILED', attempts: 4 });
      expect(items[7]).toMatchObject({ status: 'FAILED', attempts: 1 });
      expect((await readConnection(world.app, world.connectionId))?.status).toBe('ACTIVE');
    });

    it('a dead token ends the work within the running calls, and a new one continues it (F12, I6)', async () => {
      const { app, connectionId, simulator } = world;
      simulator.faults.add({ kind: 'latency', ms: 30, times: 'always' });
      const { id } = await world.begin('provisionUsers', { users: newPeople(30, 'revoked') });
      await world.ended(id, ({ counts }) => counts.succeeded > 3);
      const grant = simulator.world.grants.get('business-admin');
      if (!grant) throw new Error('There is no such grant');
      grant.isRevoked = true;
      const from = simulator.requests.length;
      const paused = await world.ended(id, ({ status, counts }) => status === 'PAUSED' && counts.running === 0);
      expect(paused).toMatchObject({ pausedBecause: 'CONNECTION', counts: { failed: 0 } });
      expect((await readConnection(app, connectionId))?.status).toBe('REAUTHORIZATION_REQUIRED');
      const refused = simulator.requests.slice(from).filter((call) => isScim(call) && call.status === 401);
      expect(refused.length).toBeLessThanOrEqual(8);

      const known = simulator.requests.length;
      world.clock.advance(60_000);
      await changeConnection(app, 'replaceToken', { id: connectionId, token: simulator.tokens['business-owner'] });
      expect(await world.ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: 30 } });
      await expectInvariants(world, id, { domain: 'revoked.example' });
      const dead = simulator.requests.slice(known).filter(({ tokenName }) => tokenName === 'business-admin');
      expect(dead).toEqual([]);
      grant.isRevoked = false;
    });

    it('what concerns one person keeps its order, the first being slow (F18)', async () => {
      const email = 'order@one.example';
      world.simulator.faults.add({ kind: 'latency', ms: 200, match: { method: 'POST' } });
      const made = await world.begin('provisionUsers', {
        users: [
          { email, title: 'A' },
          { email, title: 'B' },
        ],
      });
      const left = await world.begin('deprovisionUsers', { users: [{ email }] });
      const back = await world.begin('provisionUsers', { users: [{ email: email.toUpperCase(), title: 'Last' }] });
      for (const { id } of [back, left, made]) expect(await world.ended(id)).toMatchObject({ status: 'SUCCEEDED' });
      const outcomes = await Promise.all([made, left, back].map(({ id }) => readItems(world.app, id)));
      expect(outcomes.flat().map(({ outcome }) => outcome)).toEqual([
        ...['CREATED', 'UPDATED', 'DEACTIVATED', 'REACTIVATED'],
      ]);
      expect(holdersOf(world.simulator, email)).toMatchObject([{ title: 'Last', active: true }]);
    });
  });
}
