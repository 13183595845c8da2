import { people, readItems, startOperation, untilOperation } from '../support/bulk';
import { connectSandbox } from '../support/operations';
import { calmDown, holdersOf } from '../support/people';
import { startTestApp, type TestApp } from '../support/start-app';

describe('work on many people', () => {
  let app: TestApp;
  let connectionId: string;

  beforeAll(async () => {
    app = await startTestApp();
    connectionId = (await connectSandbox(app)).id;
  });
  afterEach(() => calmDown(app.simulator));
  afterAll(() => app.stop());

  it('gives accounts to everybody, tells of each, and ends', async () => {
    const begun = await startOperation(app, 'provisionUsers', { connectionId, users: people(30, 'many.example') });
    expect(begun).toMatchObject({ kind: 'PROVISION_USERS', counts: { total: 30 } });

    const ended = await untilOperation(app, begun.id);

    expect(ended).toMatchObject({
      status: 'SUCCEEDED',
      counts: { total: 30, pending: 0, running: 0, succeeded: 30, failed: 0, skipped: 0, held: 0 },
      estimatedFinishAt: null,
    });
    const items = await readItems(app, begun.id);
    expect(items.map(({ index }) => index)).toEqual(Array.from({ length: 30 }, (_, index) => index));
    for (const { subject, status, attempts, outcome, user } of items) {
      expect({ status, attempts, outcome }).toEqual({ status: 'SUCCEEDED', attempts: 1, outcome: 'CREATED' });
      expect(holdersOf(app.simulator, subject).map(({ id }) => id)).toEqual([user?.slackId]);
    }
  });
});
