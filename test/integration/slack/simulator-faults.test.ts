import type { DirectoryUser } from '../../../src/domain/directory/user';
import type { DirectoryClient } from '../../../src/domain/directory-ports';
import { AppError, UpstreamOutcomeUnknown } from '../../../src/domain/errors';
import type { FaultRule } from '../../../src/simulator/faults/fault';
import { type Simulated, startSimulated } from './simulated';

/** Long enough for a busy machine, short enough to wait out many hanging calls. */
const ATTEMPT_TIMEOUT_MS = 400;
const EMAIL = 'barbara.liskov@northwind.example';
const NEW_EMAIL = 'new.person@northwind.example';

/** A latency beyond the time limit is not among them: the late write would land in the world of a later test. */
const faults: readonly FaultRule[] = [
  { kind: 'latency', ms: 20 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 500, applied: true },
  { kind: 'status', status: 503, body: 'empty' },
  { kind: 'resetBefore' },
  { kind: 'resetAfter' },
  { kind: 'html200' },
  { kind: 'html200', applied: true },
  { kind: 'html502', applied: true },
  { kind: 'truncated' },
  { kind: 'garbage' },
  { kind: 'emptyBody' },
  { kind: 'rateLimited', retryAfter: 1 },
  { kind: 'rateLimited', retryAfter: 0 },
  { kind: 'rateLimited', retryAfter: 'missing' },
  { kind: 'rateLimited', retryAfter: 'http-date' },
  { kind: 'hangBefore' },
  { kind: 'hangAfter' },
];
const faultNames = faults.map((fault) => [JSON.stringify(fault), fault] as const);

/** Those that do not wait in real time: one of them stands for the others below. */
const lastingFaults = faultNames.filter(([, { kind }]) => !['latency', 'hangBefore', 'hangAfter'].includes(kind));

describe('faults of the simulated Slack', () => {
  let slack: Simulated;
  let client: DirectoryClient;
  let barbara: DirectoryUser;
  beforeAll(async () => {
    slack = await startSimulated({ attemptTimeoutMs: ATTEMPT_TIMEOUT_MS });
  });
  afterAll(() => slack.stop());
  beforeEach(async () => {
    slack.simulator.reset();
    client = slack.client();
    const [found] = await client.findUsers({ email: EMAIL }, slack.call());
    if (found === undefined) throw new Error('The seed has changed');
    barbara = found;
  });

  const reads: Readonly<Record<string, () => Promise<unknown>>> = {
    probe: () => client.probe(slack.call()),
    listUsers: () => client.listUsers({ startIndex: 1, count: 5 }, slack.call()),
    findUsers: () => client.findUsers({ email: EMAIL }, slack.call()),
    getUser: () => client.getUser(barbara.slackId, slack.call()),
    identify: () => slack.edge.webApi.identify('SANDBOX', slack.token('business-admin'), slack.call()),
  };

  describe.each(Object.entries(reads))('%s', (_, read) => {
    it.each(faultNames)('answers rightly after one fault: %s', async (__, fault) => {
      const expected = await slack.run(read());
      slack.simulator.faults.add(fault);
      await expect(slack.run(read())).resolves.toEqual(expected);
    });

    it.each(lastingFaults)('ends with a typed problem when it never stops: %s', async (__, fault) => {
      slack.simulator.faults.add({ ...fault, times: 'always' });
      const outcome = await slack.run(read()).then(
        () => 'answered',
        (error: unknown) => error,
      );
      if (outcome !== 'answered') expect(outcome).toBeInstanceOf(AppError);
    });
  });

  it('ends each attempt at its time limit when Slack hangs for good', async () => {
    slack.simulator.faults.add({ kind: 'hangBefore', times: 'always' });
    await expect(client.probe(slack.call())).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(slack.simulator.requests.length).toBeLessThanOrEqual(4);
  });

  function accountsOf(email: string): number {
    const { world } = slack.simulator;
    const everybody = [...world.organization('business').people.values()];
    return everybody.filter((person) => person.primaryEmail === email).length;
  }
  function settled<T>(work: Promise<T>): Promise<T | Error> {
    return slack.run(work).catch((error: unknown) => error as Error);
  }

  describe('createUser', () => {
    it.each(faultNames)('sends one creation at most, and says truly what is known: %s', async (_, fault) => {
      slack.simulator.faults.add(fault);
      const draft = { email: NEW_EMAIL, userName: 'new.person' };
      const outcome = await settled(client.createUser(draft, slack.call()));
      const applied = slack.simulator.requests.filter(
        ({ method, status }) => method === 'POST' && status === 201,
      ).length;
      expect(accountsOf(NEW_EMAIL)).toBeLessThanOrEqual(1);
      expect(applied).toBeLessThanOrEqual(1);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(UpstreamOutcomeUnknown);
      else expect(accountsOf(NEW_EMAIL)).toBe(1);
      const found = await client.findUsers({ email: NEW_EMAIL }, slack.call());
      expect(found).toHaveLength(accountsOf(NEW_EMAIL));
    });
  });

  describe.each([
    ['a change', { title: 'Lead' }, undefined],
    ['a deactivation', {}, false],
  ] as const)('updateUser with %s', (_, changes, active) => {
    it.each(faultNames)('is applied when it says so, and otherwise unknown: %s', async (__, fault) => {
      slack.simulator.faults.add(fault);
      const extra = { active, action: 'user.update' } as const;
      const outcome = await settled(client.updateUser(barbara, changes, extra, slack.call()));
      if (outcome instanceof Error) {
        expect(outcome).toBeInstanceOf(UpstreamOutcomeUnknown);
        return;
      }
      const after = await client.getUser(barbara.slackId, slack.call());
      expect(after?.active).toBe(active ?? true);
      if (active === undefined) expect(after?.title).toBe('Lead');
    });
  });

  it.each([['missing'], ['http-date'], [0], [99_999]] as const)(
    'wait or refuse within the deadline in a storm of 429 with Retry-After %p',
    async (retryAfter) => {
      slack.simulator.faults.add({ kind: 'rateLimited', retryAfter, times: 'always' });
      const startedAt = slack.clock.now();
      const outcome = await settled(client.createUser({ email: NEW_EMAIL, userName: 'new.person' }, slack.call(30)));
      expect(outcome).toMatchObject({ code: 'RATE_LIMITED' });
      expect(slack.clock.now() - startedAt).toBeLessThanOrEqual(30_000);
      expect(accountsOf(NEW_EMAIL)).toBe(0);
    },
  );

  it('lists that lie end, and name nobody twice', async () => {
    slack.simulator.switches.filterAttributes = [];
    slack.simulator.faults.add({ kind: 'lyingList', times: 'always' });
    const found = await slack.run(client.findUsers({ email: EMAIL }, slack.call()));
    expect(found.map(({ slackId }) => slackId)).toEqual([barbara.slackId]);
    const slice = await slack.run(client.listUsers({ startIndex: 1, count: 1000 }, slack.call()));
    expect(new Set(slice.users.map(({ slackId }) => slackId)).size).toBe(slice.users.length);
  });
});
