import { changeGroup, deleteGroup, groupsNamed, membersNamed } from '../support/groups';
import { connectSandbox } from '../support/operations';
import { callsDuring, calmDown, seededPerson } from '../support/people';
import { startTestApp, type TestApp } from '../support/start-app';

let app: TestApp;
let workspace: string;
let organization: string;

beforeAll(async () => {
  app = await startTestApp();
  workspace = (await connectSandbox(app)).id;
  organization = (await connectSandbox(app, 'enterprise-owner')).id;
});
afterEach(() => calmDown(app.simulator));
afterAll(() => app.stop());

const idOf = (userName: string) => seededPerson(app.simulator, userName).id;
const email = (userName: string) => ({ email: `${userName}@northwind.example` });
const create = (name: string, members: object[] = [], extra: object = {}) =>
  changeGroup(app, 'createGroup', { connectionId: workspace, name, members, ...extra });
const add = (name: string, members: object[]) =>
  changeGroup(app, 'addGroupMembers', { connectionId: workspace, group: { name }, members });
const remove = (name: string, members: object[]) =>
  changeGroup(app, 'removeGroupMembers', { connectionId: workspace, group: { name }, members });
const set = (name: string, members: object[]) =>
  changeGroup(app, 'setGroupMembers', { connectionId: workspace, group: { name }, members });

describe('a group', () => {
  it('is made with members named in every way, in one lookup of the name and one creation', async () => {
    const members = [{ slackId: idOf('barbara.liskov') }, email('Edsger.Dijkstra'), { userName: 'nina.rossi' }];
    const calls = await callsDuring(app.simulator, async () => {
      const answer = await create('Night shift', members);
      expect(answer).toMatchObject({ addedCount: 3, removedCount: 0, memberProblems: [], problems: [] });
      expect(answer.group).toMatchObject({ name: 'Night shift', memberCount: 3 });
      expect(answer.group?.id).toMatch(/^grp_/);
    });
    expect(calls).toEqual(['GET /Groups', 'GET /Users', 'GET /Users', 'POST /Groups']);
    expect(membersNamed(app.simulator, 'Night shift')).toEqual(
      ['barbara.liskov', 'edsger.dijkstra', 'nina.rossi'].map(idOf).sort(),
    );
  });

  it('gains, loses and changes members, each in one read and one write', async () => {
    await create('Rota', [email('barbara.liskov')]);
    const calls = await callsDuring(app.simulator, async () => {
      const grown = await add('Rota', [{ slackId: idOf('barbara.liskov') }, { slackId: idOf('edsger.dijkstra') }]);
      expect(grown).toMatchObject({ addedCount: 1, group: { memberCount: 2 }, problems: [] });
      const set1 = await set('Rota', [{ slackId: idOf('edsger.dijkstra') }, { slackId: idOf('margaret.hamilton') }]);
      expect(set1).toMatchObject({ addedCount: 1, removedCount: 1, group: { memberCount: 2 }, problems: [] });
      const shrunk = await remove('Rota', [{ slackId: idOf('edsger.dijkstra') }, { slackId: idOf('nina.rossi') }]);
      expect(shrunk).toMatchObject({ addedCount: 0, removedCount: 1, group: { memberCount: 1 }, problems: [] });
    });
    expect(calls.filter((call) => call.startsWith('PATCH'))).toHaveLength(3);
    expect(calls.length).toBeLessThanOrEqual(9);
    expect(membersNamed(app.simulator, 'Rota')).toEqual([idOf('margaret.hamilton')]);
  });

  it('is renamed and deleted', async () => {
    const { group } = await create('Old name');
    const rename = { connectionId: workspace, group: { slackId: group?.slackId }, name: 'New name' };
    expect(await changeGroup(app, 'renameGroup', rename)).toMatchObject({ group: { name: 'New name' }, problems: [] });
    expect(groupsNamed(app.simulator, 'New name')).toHaveLength(1);
    const input = { connectionId: workspace, group: { name: 'New name' } };
    expect(await deleteGroup(app, input)).toMatchObject({ deletedId: group?.id, problems: [] });
    expect(await deleteGroup(app, input)).toMatchObject({ deletedId: null, problems: [{ code: 'NOT_FOUND' }] });
  });

  it('that decides who may enter channels is not deleted, and the problem says what to do', async () => {
    const input = { connectionId: organization, group: { name: 'Berlin Office' } };
    expect(await deleteGroup(app, input)).toMatchObject({
      deletedId: null,
      problems: [{ code: 'GROUP_LINKED_TO_CHANNELS', retryable: false, remedy: expect.stringMatching(/channels/) }],
    });
  });
});
