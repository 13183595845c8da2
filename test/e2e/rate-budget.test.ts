import { connectSandbox } from '../support/operations';
import { startTestApp, type TestApp } from '../support/start-app';

interface Extensions {
  readonly upstream?: {
    readonly calls: number;
    readonly budgets: readonly Record<string, unknown>[];
  };
}

describe('what a client is told about the limits of Slack', () => {
  let test: TestApp;
  let connectionId: string;
  beforeAll(async () => {
    test = await startTestApp({ switches: { limitsEnabled: true } });
    connectionId = (await connectSandbox(test)).id;
  });
  afterAll(() => test.stop());

  const provision = (email: string) =>
    test.call(
      'mutation ($input: ProvisionUserInput!) { provisionUser(input: $input) { outcome problems { code message } } }',
      { input: { connectionId, user: { email, userName: email.split('@')[0] } } },
    );
  const extensionsOf = ({ text }: { text: string }) =>
    (JSON.parse(text) as { extensions?: Extensions }).extensions ?? {};

  it('comes with every answer for which Slack was asked: how often, and what is left', async () => {
    const answer = await provision('grace.hopper@northwind.example');

    expect(answer.data).toMatchObject({ provisionUser: { outcome: 'CREATED', problems: [] } });
    const { upstream } = extensionsOf(answer);
    expect(upstream?.calls).toBe(2);
    expect(upstream?.budgets).toEqual(
      expect.arrayContaining([
        {
          environment: 'SANDBOX',
          teamSlackId: expect.stringMatching(/^[TE]/),
          endpointClass: 'users.create',
          remaining: 19,
          limitPerMinute: 180,
          burst: 20,
        },
        expect.objectContaining({ endpointClass: 'writes', burst: 180 }),
        expect.objectContaining({ endpointClass: 'reads', burst: 1000 }),
      ]),
    );
  });

  it('does not come with an answer for which nobody was asked, and agrees with the budget of the connection', async () => {
    const before = extensionsOf(await provision('mary.jackson@northwind.example'));
    const answer = await test.call<{ connection: { rateBudget: Record<string, unknown>[] } }>(
      'query ($id: ID!) { connection(id: $id) { rateBudget { endpointClass remaining burst limitPerMinute blockedUntil } } }',
      { id: connectionId },
    );

    expect(extensionsOf(answer)).toEqual({});
    const budget = answer.data?.connection.rateBudget ?? [];
    expect(budget).toHaveLength(10);
    for (const { endpointClass, remaining } of before.upstream?.budgets ?? []) {
      const row = budget.find((candidate) => candidate.endpointClass === endpointClass);
      expect(row?.remaining).toBeGreaterThanOrEqual(Number(remaining));
      expect(row?.blockedUntil).toBeNull();
    }
  });

  it('does not come with an answer to a stranger', async () => {
    const answer = await test.call('{ __typename }', {}, { key: null });

    expect(extensionsOf(answer)).toEqual({});
  });
});
