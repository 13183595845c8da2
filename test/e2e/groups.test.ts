import { changeGroup, deleteGroup, groupsNamed, membersNamed } from '../support/groups';
import { connectSandbox } from '../support/operations';
import { answerOf, callsDuring, calmDown, changePerson, seededPerson } from '../support/people';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';

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

describe('provisionUser with groups', () => {
  const provision = (user: object, extra: object = {}) =>
    changePerson(app, 'provisionUser', { connectionId: workspace, user, ...extra });
  const groupsOf = (user: { groups?: readonly { name: string | null }[] } | null) =>
    (user?.groups ?? []).map(({ name }) => name).sort();

  it('makes a new person a member, and finds nothing to do when it is repeated', async () => {
    const user = { email: 'joiner@example.com', groups: [{ name: 'engineering' }, { name: 'Operations' }] };
    const calls = await callsDuring(app.simulator, async () => {
      const answer = await provision(user);
      expect(answer).toMatchObject({ outcome: 'CREATED', problems: [] });
      expect(groupsOf(answer.user)).toEqual(['Engineering', 'Operations']);
    });
    expect(calls.filter((call) => call.startsWith('PATCH'))).toEqual(['PATCH /Groups/{id}', 'PATCH /Groups/{id}']);
    expect(membersNamed(app.simulator, 'Engineering')).toContain(idOf('joiner'));
    expect(
      await callsDuring(app.simulator, async () => {
        expect(await provision(user)).toMatchObject({ outcome: 'UNCHANGED', problems: [] });
      }),
    ).toEqual(['GET /Users']);
  });

  it('takes nobody out of a group, and updates an account that joins', async () => {
    await provision({ email: 'mover@example.com', groups: [{ name: 'Engineering' }] });
    const moved = await provision({ email: 'mover@example.com', groups: [{ name: 'Operations' }] });
    expect(moved).toMatchObject({ outcome: 'UPDATED', problems: [] });
    expect(groupsOf(moved.user)).toEqual(['Engineering', 'Operations']);
  });

  it('says beside the success which group could not be joined, and answers the same when it is repeated', async () => {
    const [group] = groupsNamed(app.simulator, 'Team Admins');
    const user = {
      email: 'partial@example.com',
      groups: [{ name: 'No such group' }, { slackId: group?.id }, { name: 'Engineering' }],
    };
    const answer = await provision(user, { idempotencyKey: 'partial' });
    expect(answer).toMatchObject({
      outcome: 'CREATED',
      problems: [
        { code: 'NOT_FOUND', path: ['input', 'user', 'groups', '0'] },
        { code: 'PROTECTED_GROUP', path: ['input', 'user', 'groups', '1'], slackCode: 'permission_denied' },
      ],
    });
    expect(groupsOf(answer.user)).toEqual(['Engineering']);
    expect(answerOf(await provision(user, { idempotencyKey: 'partial' }))).toBe(answerOf(answer));
    const other = await provision({ ...user, groups: [] }, { idempotencyKey: 'partial' });
    expect(other).toMatchObject({ outcome: 'FAILED', problems: [{ code: 'IDEMPOTENCY_CONFLICT' }] });
  });

  it('goes on where a passing failure stopped it, under the same key', async () => {
    const user = { email: 'later@example.com', groups: [{ name: 'Engineering' }] };
    app.simulator.faults.add({ kind: 'status', status: 503, match: { method: 'PATCH', path: '/Groups/' }, times: 4 });
    const first = await provision(user, { idempotencyKey: 'later' });
    expect(first).toMatchObject({
      outcome: 'CREATED',
      problems: [{ code: 'UPSTREAM_OUTCOME_UNKNOWN', retryable: true, path: ['input', 'user', 'groups', '0'] }],
    });
    const again = await provision(user, { idempotencyKey: 'later' });
    expect(again).toMatchObject({ outcome: 'CREATED', problems: [] });
    expect(groupsOf(again.user)).toEqual(['Engineering']);
  });

  it('leaves an adopted account out of it', async () => {
    const before = await provision({ email: 'adopted@example.com' });
    expect(before.outcome).toBe('CREATED');
    const answer = await provision(
      { email: 'adopted@example.com', groups: [{ name: 'Engineering' }] },
      { ifExists: 'ADOPT' },
    );
    expect(answer).toMatchObject({ outcome: 'ADOPTED', problems: [] });
    expect(groupsOf(answer.user)).toEqual([]);
  });
});

describe('many people who join one group at the same time', () => {
  it('go in a few calls, and one who is refused holds up nobody', async () => {
    app.simulator.switches.writeTimeMs = 20;
    await create('Everyone');
    const [group] = groupsNamed(app.simulator, 'Everyone');
    const groups = [{ slackId: group?.id }];
    const emails = Array.from({ length: 25 }, (_, index) => `together.${index}@example.com`);
    const join = (address: string) =>
      changePerson(app, 'provisionUser', { connectionId: workspace, user: { email: address, groups } });
    await Promise.all(
      emails.map((address) =>
        changePerson(app, 'provisionUser', { connectionId: workspace, user: { email: address } }),
      ),
    );

    const calls = await callsDuring(app.simulator, async () => {
      const answers = await Promise.all(emails.map(join));
      for (const answer of answers) expect(answer).toMatchObject({ outcome: 'UPDATED', problems: [] });
    });
    expect(group?.members.size).toBe(25);
    expect(calls.filter((call) => call.startsWith('PATCH')).length).toBeLessThan(10);

    app.simulator.switches.userGroupMemberLimit = 26;
    const full = await Promise.all(['x', 'y', 'z'].map((name) => join(`together.${name}@example.com`)));
    const codes = full.flatMap(({ problems }) => problems.map(({ code }) => code));
    expect(codes).toEqual(['GROUP_LIMIT', 'GROUP_LIMIT']);
    expect(group?.members.size).toBe(26);
    expect(full.map(({ outcome }) => outcome)).toEqual(['CREATED', 'CREATED', 'CREATED']);
  });
});

describe('a grant that ends between the account and its groups', () => {
  it('is a problem beside the account, is noted on the connection, and the call goes on under its key afterwards', async () => {
    const tenant = await TenantClient.create(app);
    const { id } = await tenant.connect();
    const input = {
      connectionId: id,
      user: { email: 'between@example.com', groups: [{ name: 'Engineering' }] },
      idempotencyKey: 'between',
    };
    const provision = () => changePerson(app, 'provisionUser', input, { key: tenant.key });
    app.simulator.faults.add({ kind: 'slackError', error: 'invalid_authentication', match: { path: '/Groups' } });
    app.simulator.faults.add({ kind: 'slackError', error: 'token_revoked', match: { path: '/auth.test' } });
    expect(await provision()).toMatchObject({ outcome: 'CREATED', problems: [{ code: 'TOKEN_REVOKED' }] });
    expect(await tenant.read(id)).toMatchObject({ status: 'REAUTHORIZATION_REQUIRED' });
    const token = app.simulator.tokens['business-owner'];
    expect((await tenant.change('replaceToken', { id, token })).problems).toEqual([]);
    expect(await provision()).toMatchObject({
      outcome: 'CREATED',
      problems: [],
      user: { groups: [{ name: 'Engineering' }] },
    });
  });
});
