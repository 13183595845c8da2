import { changeUser, connectSandbox } from '../support/operations';
import { startTestApp, type TestApp } from '../support/start-app';

describe('the main job', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.stop());

  it('connects Slack, provisions a person, changes them, and deactivates and reactivates them', async () => {
    const { id: connectionId, status } = await connectSandbox(app);
    expect(status).toBe('ACTIVE');
    const email = 'grace@example.com';
    const user = { email };

    const created = await changeUser(app, 'provisionUser', { connectionId, user: { email, title: 'Admiral' } });
    expect(created).toMatchObject({ outcome: 'CREATED', problems: [], user: { userName: 'grace', active: true } });

    const again = await changeUser(app, 'provisionUser', { connectionId, user: { email, title: 'Admiral' } });
    expect(again).toMatchObject({ outcome: 'UNCHANGED', user: { slackId: created.user?.slackId } });

    const updated = await changeUser(app, 'updateUser', { connectionId, user, changes: { title: 'Rear Admiral' } });
    expect(updated).toMatchObject({ outcome: 'UPDATED', user: { title: 'Rear Admiral' } });

    const left = await changeUser(app, 'deprovisionUser', { connectionId, user });
    expect(left).toMatchObject({ outcome: 'DEACTIVATED', user: { active: false } });

    const back = await changeUser(app, 'provisionUser', { connectionId, user: { email } });
    expect(back).toMatchObject({ outcome: 'REACTIVATED', user: { slackId: created.user?.slackId, active: true } });
  });
});
