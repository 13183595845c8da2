import { type Simulator, startSimulator } from '../../src/simulator/simulator';
import { changeOperation, readItems, startOperation, untilOperation } from './bulk';
import { FastClock } from './fast-clock';
import { expectInvariants } from './operation-invariants';
import { type Engine, newPeople, type OperationWorld, startOperationWorld } from './operation-world';
import { connectSandbox, readConnection } from './operations';
import { answerOf, calmDown, changePerson, isScim, peopleOf } from './people';
import { until } from './until';

const HANGING = 20;
/** Holds rates to what the fault table says; for a machine that does nothing else. */
const IS_STRICT = process.env.ROLLCALL_FAULT_RATES === '1';
/** How much faster than real time the clocks run. */
const SPEED = 50;

/** F7, F8, F20, F21 and F28: a key used again, a Slack that hangs or goes away, and clocks that jump. */
export function operationReplicasContract(name: string, engine: Engine): void {
  describe(name, () => {
    let world: OperationWorld;
    /** Of each gateway; on PostgreSQL there are two. */
    let clocks: FastClock[];
    let back: Simulator | undefined;
    let jumps = 0;

    beforeAll(async () => {
      clocks = Array.from({ length: engine === 'postgres' ? 2 : 1 }, () => new FastClock(SPEED));
      const env = {
        ROLLCALL_OPERATION_CONCURRENCY: '24',
        ROLLCALL_SLACK_TIMEOUT_MS: '4000',
        ROLLCALL_CALL_TIMEOUT_MS: '600000',
      };
      world = await startOperationWorld({ engine, clocks, slackClock: new FastClock(SPEED), env });
    });
    afterEach(() => calmDown(world.simulator));
    afterAll(async () => {
      await back?.stop();
      await world.stop();
    });

    const slow = (ms: number) => world.simulator.faults.add({ kind: 'latency', ms, times: 'always' });
    const made = (domain: string) =>
      peopleOf(world.simulator).filter(({ primaryEmail }) => primaryEmail?.endsWith(`@${domain}`));
    const app = (index: number) => world.apps[index % world.apps.length] ?? world.app;
    async function operationCount(): Promise<number> {
      return Number((await world.query('SELECT COUNT(*) AS count FROM operations'))[0]?.count);
    }

    it('20 calls at once with one key begin one operation, and so do later ones, on every replica and after a restart (F7)', async () => {
      const users = newPeople(12, 'key');
      const input = { users, idempotencyKey: 'once' };
      slow(20);
      const before = await operationCount();
      const ids = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => (await world.begin('provisionUsers', input, app(index))).id),
      );
      expect(new Set(ids).size).toBe(1);
      const [id = ''] = ids;
      const whileRunning = await world.begin('provisionUsers', input, app(1));
      await world.app.restart();
      const afterRestart = await world.begin('provisionUsers', input);
      expect(await world.ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: 12 } });
      const afterSuccess = await world.begin('provisionUsers', input, app(1));
      expect([whileRunning.id, afterRestart.id, afterSuccess.id]).toEqual([id, id, id]);
      expect(await operationCount()).toBe(before + 1);
      await expectInvariants(world, id, { domain: 'key.example' });
    });

    it('the same key with another input is refused, and harms nothing (F8)', async () => {
      const { connectionId, key } = world;
      const users = newPeople(12, 'conflict');
      slow(20);
      const { id } = await world.begin('provisionUsers', { users, idempotencyKey: 'conflict' });
      const other = { connectionId, users: newPeople(3, 'other'), idempotencyKey: 'conflict' };
      const leaving = { connectionId, users, idempotencyKey: 'conflict' };
      for (const [index, [mutation, input]] of Object.entries({
        provisionUsers: other,
        deprovisionUsers: leaving,
      }).entries()) {
        const refused = await changeOperation(app(index), mutation, input, { key });
        expect(refused).toMatchObject({ operation: null, problems: [{ code: 'IDEMPOTENCY_CONFLICT' }] });
      }
      expect(await world.ended(id)).toMatchObject({ status: 'SUCCEEDED' });
      await expectInvariants(world, id, { domain: 'conflict.example' });
      expect(made('other.example')).toEqual([]);
    });

    it(`${HANGING} calls that hang end in time, and take nothing from another connection (F20)`, async () => {
      const { simulator, key } = world;
      const organization = await connectSandbox(world.app, 'enterprise-owner', { key });
      slow(25);
      const timed = async (tag: string) => {
        const startedAt = performance.now();
        const { id } = await world.begin('provisionUsers', { users: newPeople(IS_STRICT ? 400 : 32, tag) });
        await world.ended(id);
        await expectInvariants(world, id, { domain: `${tag}.example` });
        return performance.now() - startedAt;
      };
      const alone = await timed('alone');

      calmDown(simulator);
      const match = { organization: 'enterprise', method: 'POST', path: '/Users' };
      simulator.faults.add({ kind: 'hangAfter', match, times: HANGING });
      slow(25);
      const from = simulator.requests.length;
      const hanging = await startOperation(
        world.app,
        'provisionUsers',
        { connectionId: organization.id, users: newPeople(HANGING, 'hanging') },
        { key },
      );
      const hangs = () => simulator.requests.slice(from).filter(({ fault }) => fault === 'hangAfter');
      await untilOperation(world.app, hanging.id, () => hangs().length === HANGING, { key });
      const beside = await timed('beside');
      // Four fifths of the rate; next to other tests only what a shared limit of calls would break.
      expect(beside).toBeLessThan(IS_STRICT ? alone * 1.25 : alone * 4 + 4_000);
      expect(await world.ended(hanging.id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: HANGING } });
      const there = peopleOf(simulator, 'enterprise').filter(({ primaryEmail }) =>
        primaryEmail?.endsWith('@hanging.example'),
      );
      expect(there).toHaveLength(HANGING);
    });

    it.each([
      ['ten minutes forward', 10 * 60_000],
      ['ten minutes back', -10 * 60_000],
      ['a day forward', 24 * 60 * 60_000],
    ])('a clock that jumps %s makes nobody an owner of what another one runs (F28)', async (_, ms) => {
      jumps += 1;
      const tag = `jump${jumps}`;
      slow(15);
      const from = world.simulator.requests.length;
      const { id } = await world.begin('provisionUsers', { users: newPeople(32, tag) });
      await world.ended(id, ({ counts }) => counts.succeeded > 0);
      clocks.at(-1)?.advance(ms);
      await world.ended(id, ({ counts }) => counts.succeeded > 16);
      // By as much on the other replica, too, so that its clock was right, ahead and behind.
      if (clocks.length > 1) clocks[0]?.advance(ms);
      expect(await world.ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: 32 } });
      await expectInvariants(world, id, { domain: `${tag}.example` });
      const looked = world.simulator.requests
        .slice(from)
        .flatMap(({ query }) => decodeURIComponent(query).match(/jump\d+\.\d+@/g) ?? []);
      expect(looked.length - new Set(looked).size).toBe(0);
    });

    it('a replica whose clock is ahead does not take over a call that another one has under way (F28)', async () => {
      const { simulator, connectionId, key } = world;
      clocks.at(-1)?.advance(10 * 60_000);
      simulator.faults.add({ kind: 'latency', ms: 300, match: { method: 'POST', path: '/Users' } });
      const input = { connectionId, user: { email: 'ahead@once.example' }, idempotencyKey: 'ahead' };
      const from = simulator.requests.length;
      const first = changePerson(world.app, 'provisionUser', input, { key });
      await until(() => simulator.requests.slice(from).some(({ method }) => method === 'POST'));
      const second = await changePerson(app(1), 'provisionUser', input, { key });
      expect(answerOf(second)).toBe(answerOf(await first));
      expect(
        simulator.requests
          .slice(from)
          .filter(isScim)
          .map(({ method }) => method),
      ).toEqual(['GET', 'POST']);
    });

    it('a Slack that fails and then refuses connections is left alone, and the operation goes on by itself (F21)', async () => {
      const { simulator, app: gateway, key, connectionId } = world;
      const users = newPeople(40, 'away');
      simulator.faults.add({ kind: 'status', status: 503, times: 'always' });
      const from = simulator.requests.length;
      const { id } = await world.begin('provisionUsers', { users });
      const status = async () => (await readConnection(gateway, connectionId, { key }))?.status;
      while ((await status()) !== 'DEGRADED') await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setTimeout(resolve, 30_000 / SPEED));
      const calls = simulator.requests.slice(from).filter(isScim);
      // A first slice of as many items as run at once, three attempts each, and a few looks whether Slack is back.
      expect(calls.length).toBeLessThanOrEqual(24 * 3 + 20);
      await simulator.stop();
      await new Promise((resolve) => setTimeout(resolve, 30_000 / SPEED));
      const during = await world.ended(id, ({ counts }) => counts.running === 0);
      expect(during).toMatchObject({ status: 'RUNNING', counts: { failed: 0, succeeded: 0 } });
      const waiting = await readItems(gateway, id, { key });
      expect(waiting.map(({ attempts }) => attempts)).toEqual(waiting.map(() => 0));

      const port = Number(new URL(simulator.url).port);
      back = await startSimulator({
        seed: 'faults',
        clock: new FastClock(SPEED),
        port,
        switches: { limitsEnabled: false },
      });
      expect(await world.ended(id)).toMatchObject({ status: 'SUCCEEDED', counts: { succeeded: 40 } });
      const { items } = await expectInvariants({ ...world, simulator: back }, id, { domain: 'away.example' });
      expect(items.map(({ attempts }) => attempts)).toEqual(items.map(() => 1));
      expect(await status()).toBe('ACTIVE');
    });
  });
}
