import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { MovedClock } from '../support/moved-clock';
import type { ProblemAnswer } from '../support/operations';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';

/** Longer than any wait between two attempts, and shorter than those of work in the background. */
const LONGEST_INSTANT_MS = 10_000;

/** Waits of a call take no time; the clock moves on by them. */
class InstantClock extends MovedClock {
  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (ms > LONGEST_INSTANT_MS) return super.sleep(ms, signal);
    this.advance(ms);
    await nextTurn();
  }
}

type Token = 'business-admin' | 'business-owner' | 'enterprise-owner' | 'business-scopeless';
type Lifecycle = 'OPEN' | 'PAUSED' | 'DISCONNECTED';

/** What must be true of one connection, and of Slack, said as shortly as possible. */
interface Model {
  connection:
    | {
        lifecycle: Lifecycle;
        token: Token | undefined;
        /** The token was found to be revoked, and nothing is left to ask Slack about. */
        isErased: boolean;
        person: string | undefined;
        isDown: boolean;
      }
    | undefined;
  readonly slack: { isDown: boolean; isDemoted: boolean; isPlanLow: boolean; readonly revoked: Set<Token> };
}

interface Real {
  readonly tenant: TenantClient;
  id: string;
}

/** What Slack would say of a token, in the order in which the gateway finds it out. */
function diagnose({ slack }: Model, token: Token): string | undefined {
  if (slack.isDown) return 'UPSTREAM_UNAVAILABLE';
  if (slack.revoked.has(token)) return 'TOKEN_REVOKED';
  if (token === 'business-scopeless') return 'MISSING_SCOPES';
  if (token === 'business-admin' && slack.isDemoted) return 'INSTALLER_LOST_RIGHTS';
  return slack.isPlanLow && token !== 'enterprise-owner' ? 'PLAN_TOO_LOW' : undefined;
}

function note(connection: NonNullable<Model['connection']>, problem: string | undefined): void {
  if (problem === 'UPSTREAM_UNAVAILABLE') connection.isDown = true;
  else if (problem) connection.person = problem;
  if (problem === 'TOKEN_REVOKED') connection.isErased = true;
}

function clear(connection: NonNullable<Model['connection']>): void {
  connection.isDown = false;
  connection.person = undefined;
}

function expectedState({ connection }: Model): { status: string; open: string[] } | null {
  if (!connection) return null;
  const open = [
    ...(connection.person ? [connection.person] : []),
    ...(connection.isDown ? ['UPSTREAM_UNAVAILABLE'] : []),
  ];
  if (connection.lifecycle !== 'OPEN') return { status: connection.lifecycle, open: open.sort() };
  const status = connection.person ? 'REAUTHORIZATION_REQUIRED' : connection.isDown ? 'DEGRADED' : 'ACTIVE';
  return { status, open: open.sort() };
}

const firstCode = (problems: readonly Pick<ProblemAnswer, 'code'>[]) => problems[0]?.code;

/** A step: changes the model and says which code the caller must get, then does the same for real. */
class Step {
  constructor(
    private readonly name: string,
    private readonly foresee: (model: Model) => string | undefined,
    private readonly take: (real: Real) => Promise<string | undefined>,
  ) {}

  async run(model: Model, real: Real): Promise<void> {
    const expected = this.foresee(model);
    expect(await this.take(real)).toBe(expected);
    const state = await real.tenant.read(real.id);
    const open = state?.issues.filter(({ resolvedAt }) => resolvedAt === null).map(({ code }) => code);
    expect(state && { status: state.status, open: open?.sort() }).toEqual(expectedState(model));
  }

  toString(): string {
    return this.name;
  }
}

const whenThere =
  (foresee: (model: Model, connection: NonNullable<Model['connection']>) => string | undefined) => (model: Model) =>
    model.connection ? foresee(model, model.connection) : 'NOT_FOUND';

const call =
  (name: string, input: (real: Real) => object = ({ id }) => ({ id })) =>
  async (real: Real) =>
    firstCode((await real.tenant.change(name, input(real))).problems);

const move = (name: string, lifecycle: Lifecycle) =>
  new Step(
    name,
    whenThere((_, connection) => {
      if (connection.lifecycle === 'DISCONNECTED') return 'CONNECTION_NOT_READY';
      connection.lifecycle = lifecycle;
      return undefined;
    }),
    call(name),
  );

const verify = new Step(
  'verify',
  whenThere((model, connection) => {
    if (!connection.token) return 'CONNECTION_NOT_READY';
    if (connection.isErased) return connection.person;
    const problem = diagnose(model, connection.token);
    if (problem) note(connection, problem);
    else clear(connection);
    return problem;
  }),
  call('verifyConnection'),
);

const read = new Step(
  'read people',
  (model) => {
    const { connection } = model;
    if (!connection) return undefined;
    if (connection.lifecycle !== 'OPEN' || !connection.token) return 'CONNECTION_NOT_READY';
    if (connection.person) return connection.person;
    const problem = diagnose(model, connection.token);
    if (problem) note(connection, problem);
    else connection.isDown = false;
    return problem;
  },
  async ({ tenant, id }) => (await tenant.readUsers(id)).errors?.[0]?.extensions.code as string | undefined,
);

const replace = (token: Token) =>
  new Step(
    `replace by ${token}`,
    whenThere((model, connection) => {
      const problem = diagnose(model, token) ?? (token === 'enterprise-owner' ? 'WRONG_WORKSPACE' : undefined);
      if (problem) return problem;
      Object.assign(connection, { token, isErased: false });
      if (connection.lifecycle === 'DISCONNECTED') connection.lifecycle = 'OPEN';
      clear(connection);
      return undefined;
    }),
    call('replaceToken', ({ id, tenant }) => ({ id, token: tenant.tokenOf(token) })),
  );

const disconnect = (revokeToken: boolean) =>
  new Step(
    revokeToken ? 'disconnect' : 'forget',
    whenThere(({ slack }, connection) => {
      if (!connection.token) return undefined;
      const isCalled = revokeToken && !connection.isErased;
      if (isCalled && slack.isDown) return 'UPSTREAM_UNAVAILABLE';
      if (isCalled) slack.revoked.add(connection.token);
      Object.assign(connection, { lifecycle: 'DISCONNECTED', token: undefined, isErased: false });
      clear(connection);
      return undefined;
    }),
    call('disconnect', ({ id }) => ({ id, revokeToken })),
  );

const create = (token: Token) =>
  new Step(
    `create with ${token}`,
    (model) => {
      const problem = diagnose(model, token);
      if (problem) return problem;
      if (model.connection && model.connection.lifecycle !== 'DISCONNECTED') return 'DUPLICATE_CONNECTION';
      model.connection = { lifecycle: 'OPEN', token, isErased: false, person: undefined, isDown: false };
      return undefined;
    },
    async (real) => {
      const { connection, problems } = await real.tenant.createConnection(token);
      if (connection) real.id = connection.id;
      return firstCode(problems);
    },
  );

const remove = new Step(
  'delete',
  whenThere((model) => {
    model.connection = undefined;
    return undefined;
  }),
  async ({ tenant, id }) => firstCode((await tenant.deleteConnection(id)).problems),
);

describe('the life of a connection', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({ clock: new InstantClock() });
  });
  afterAll(() => app?.stop());

  /** Something happens at Slack, and the gateway is not told. */
  const slack = (name: string, change: (state: Model['slack']) => void, really: () => void) =>
    new Step(
      name,
      (model) => {
        change(model.slack);
        return undefined;
      },
      async () => {
        really();
        return undefined;
      },
    );

  const goDown = (isDown: boolean) =>
    slack(
      isDown ? 'Slack goes down' : 'Slack comes back',
      (state) => {
        state.isDown = isDown;
      },
      () => {
        app.simulator.faults.clear();
        if (isDown) app.simulator.faults.add({ kind: 'status', status: 503, times: 'always' });
      },
    );
  const demote = (isDemoted: boolean) =>
    slack(
      isDemoted ? 'the installer is demoted' : 'the installer is promoted',
      (state) => {
        state.isDemoted = isDemoted;
      },
      () => {
        const organization = app.simulator.world.organization('business');
        const person = organization.people.get(app.simulator.world.grants.get('business-admin')?.personId ?? '');
        if (person) organization.setRank(person, isDemoted ? 'member' : 'admin');
      },
    );
  const changePlan = (isPlanLow: boolean) =>
    slack(
      isPlanLow ? 'the plan is lowered' : 'the plan is raised',
      (state) => {
        state.isPlanLow = isPlanLow;
      },
      () => {
        app.simulator.world.organization('business').plan = isPlanLow ? 'pro' : 'business';
      },
    );
  const revoke = (token: Token, isRevoked: boolean) =>
    slack(
      `${token} is ${isRevoked ? 'revoked' : 'granted anew'} at Slack`,
      ({ revoked }) => (isRevoked ? revoked.add(token) : revoked.delete(token)),
      () => {
        const grant = app.simulator.world.grants.get(token);
        if (grant) grant.isRevoked = isRevoked;
      },
    );

  it('follows what its owner wants and what Slack says, in whatever order things happen', async () => {
    const weighted = (weight: number, ...steps: Step[]) => ({ weight, arbitrary: fc.constantFrom(...steps) });
    const step = fc.oneof(
      weighted(12, verify, read),
      weighted(6, create('business-admin'), create('business-owner')),
      weighted(5, replace('business-admin'), replace('business-owner')),
      weighted(1, replace('enterprise-owner'), replace('business-scopeless')),
      weighted(
        6,
        move('pauseConnection', 'PAUSED'),
        move('resumeConnection', 'OPEN'),
        move('resumeConnection', 'OPEN'),
      ),
      weighted(2, disconnect(true), disconnect(false)),
      weighted(1, remove),
      weighted(4, goDown(true), demote(true), changePlan(true), revoke('business-admin', true)),
      weighted(
        10,
        goDown(false),
        demote(false),
        changePlan(false),
        revoke('business-admin', false),
        revoke('business-owner', false),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 45, maxLength: 50, size: 'max' }), async (steps) => {
        app.simulator.reset();
        const real: Real = { tenant: await TenantClient.create(app), id: 'con_none' };
        const model: Model = {
          connection: undefined,
          slack: { isDown: false, isDemoted: false, isPlanLow: false, revoked: new Set() },
        };
        for (const next of [create('business-admin'), ...steps]) await next.run(model, real);
      }),
      { numRuns: 4, seed: 20_300_101 },
    );
  });
});
