import { type Simulated, startSimulated } from './simulated';

describe('the limits of the simulated Slack', () => {
  let slack: Simulated;
  beforeAll(async () => {
    slack = await startSimulated({ limits: 'slack' });
  });
  afterAll(() => slack.stop());
  let test = 0;
  beforeEach(() => {
    slack.simulator.reset();
    test += 1;
  });

  function create(index: number, seconds: number) {
    const draft = { email: `person${index}@northwind.example`, userName: `person${index}` };
    return slack.edge.directory
      .for({
        environment: 'SANDBOX',
        budgetKey: `SANDBOX:northwind:${test}`,
        tokens: {
          lease: async () => ({ id: undefined, secret: slack.token('business-admin') }),
          reportRejected: async () => false,
        },
      })
      .createUser(draft, slack.call(seconds));
  }

  it('are kept by waiting, so that Slack never has to refuse', async () => {
    const startedAt = slack.clock.now();
    const burst = await slack.run(Promise.all(Array.from({ length: 20 }, (_, index) => create(index, 0))));
    expect(slack.clock.now()).toBe(startedAt);
    const rest = await slack.run(Promise.all(Array.from({ length: 60 }, (_, index) => create(index + 20, 60))));
    const created = [...burst, ...rest];
    expect(created.every((user) => user?.active === true)).toBe(true);
    expect(slack.simulator.requests.filter(({ status }) => status === 429)).toEqual([]);
    expect(slack.clock.now() - startedAt).toBe(20_000);
  });

  it('are honoured when another app has used them up: everybody is created, one by one', async () => {
    slack.simulator.faults.add({ kind: 'rateLimited', retryAfter: 5, times: 10 });
    const created = await slack.run(Promise.all(Array.from({ length: 30 }, (_, index) => create(index, 60))));
    expect(new Set(created.map((user) => user?.slackId)).size).toBe(30);
  });

  it('refuse at once what cannot be done in time, and say how long to wait', async () => {
    slack.simulator.switches.limitsEnabled = false;
    const outcomes = await slack.run(
      Promise.allSettled(Array.from({ length: 60 }, (_, index) => create(index + 100, 5))),
    );
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    const done = outcomes.length - refused.length;
    expect(done).toBe(35);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) });
    }
    expect(slack.simulator.requests.filter(({ method, status }) => method === 'POST' && status === 201)).toHaveLength(
      done,
    );
  });
});
