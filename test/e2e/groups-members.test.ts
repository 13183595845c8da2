import { changeGroup, deleteGroup, groupsNamed, membersNamed } from '../support/groups';
import { connectSandbox } from '../support/operations';
import { callsDuring, calmDown, peopleOf, seededPerson } from '../support/people';
import { startTestApp, type TestApp } from '../support/start-app';
import { createKey } from '../support/tenants';

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
const bySlackId = (slackId: string) => ({ slackId });
const inWorkspace = (extra: object) => ({ connectionId: workspace, ...extra });
const create = (name: string, members: object[] = [], extra: object = {}) =>
  changeGroup(app, 'createGroup', inWorkspace({ name, members, ...extra }));
const change = (
  mutation: 'addGroupMembers' | 'removeGroupMembers' | 'setGroupMembers',
  name: string,
  members: object[],
  extra: object = {},
) => changeGroup(app, mutation, inWorkspace({ group: { name }, members, ...extra }));

/** People of the simulator beyond its seed. */
function addPeople(count: number, key: 'business' | 'enterprise' = 'business'): string[] {
  const world = app.simulator.world.organization(key);
  const model = peopleOf(app.simulator, key).find(
    (person) => person.rank === 'member' && person.active && !person.guest,
  );
  if (!model) throw new Error('The seed has changed');
  return Array.from({ length: count }, (_, index) => {
    const id = `${key === 'business' ? 'U' : 'W'}0CROWD${String(index).padStart(6, '0')}`;
    const names = { userName: `crowd.${index}`, primaryEmail: `crowd.${index}@${key}.example` };
    if (!world.people.has(id)) world.addPerson({ ...model, id, ...names });
    return id;
  });
}

describe('people who cannot be members', () => {
  const wanted = () => [
    { slackId: idOf('barbara.liskov') },
    { email: 'nobody@northwind.example' },
    { email: 'felix.braun@northwind.example' },
    { slackId: 'U0NOBODY' },
    { slackId: idOf('doris.park') },
    { userName: 'helpdesk_bot' },
    { userName: 'edsger.dijkstra' },
  ];
  const refusals = [
    { index: 1, refusal: 'UNKNOWN', member: { email: 'nobody@northwind.example', slackId: null, userName: null } },
    { index: 2, refusal: 'DEACTIVATED', code: 'GROUP_MEMBER_REFUSED', path: ['input', 'members', '2'] },
    { index: 3, refusal: 'UNKNOWN', member: { slackId: 'U0NOBODY', email: null, userName: null } },
    { index: 4, refusal: 'DEACTIVATED', remedy: expect.stringMatching(/Reactivate/) },
    { index: 5, refusal: 'BOT' },
  ];
  const summed = [{ code: 'GROUP_MEMBERS_INCOMPLETE', retryable: false, path: ['input', 'members'] }];
  const rest = () => [idOf('barbara.liskov'), idOf('edsger.dijkstra')].sort();

  it('are reported one by one when a group is made, and the rest goes in', async () => {
    const answer = await create('Picky', wanted());
    expect(answer).toMatchObject({ addedCount: 2, memberProblems: refusals, problems: summed });
    expect(answer.group?.memberCount).toBe(2);
    expect(membersNamed(app.simulator, 'Picky')).toEqual(rest());
  });

  it.each(['addGroupMembers', 'setGroupMembers'] as const)('are reported one by one by %s', async (mutation) => {
    await create(`For ${mutation}`, [{ slackId: idOf('margaret.hamilton') }]);
    const answer = await change(mutation, `For ${mutation}`, wanted());
    expect(answer).toMatchObject({ addedCount: 2, memberProblems: refusals, problems: summed });
    const kept = mutation === 'addGroupMembers' ? [idOf('margaret.hamilton')] : [];
    expect(membersNamed(app.simulator, `For ${mutation}`)).toEqual([...rest(), ...kept].sort());
  });

  it('are no problem where they only leave, except for names that nobody bears', async () => {
    await create('Leaving', [{ slackId: idOf('barbara.liskov') }]);
    const answer = await change('removeGroupMembers', 'Leaving', wanted());
    expect(answer.memberProblems).toMatchObject([{ index: 1, refusal: 'UNKNOWN' }]);
    expect(answer).toMatchObject({ removedCount: 1, group: { memberCount: 0 } });
  });

  it('are found among five hundred with one look at the roster and one further call', async () => {
    await create('Crowded');
    const people = addPeople(500);
    const gone = seededPerson(app.simulator, 'felix.braun').id;
    const members = [...people, gone].map(bySlackId);
    const calls = await callsDuring(app.simulator, async () => {
      const answer = await change('addGroupMembers', 'Crowded', members);
      expect(answer).toMatchObject({ addedCount: 500, memberProblems: [{ index: 500, refusal: 'DEACTIVATED' }] });
    });
    expect(calls).toEqual(['GET /Groups', 'PATCH /Groups/{id}', 'GET /Users', 'PATCH /Groups/{id}']);
  });

  it('include single-channel guests, and not multi-channel ones', async () => {
    const answer = await changeGroup(app, 'createGroup', {
      connectionId: organization,
      name: 'Guests',
      members: [{ userName: 'gil.moreau' }, { userName: 'sina.weber' }],
    });
    expect(answer).toMatchObject({ addedCount: 1, memberProblems: [{ index: 1, refusal: 'SINGLE_CHANNEL_GUEST' }] });
  });
});

describe('a large group', () => {
  it('of 12,000 members is made in chunks, and changed by 3 % in one read and one write', async () => {
    const people = addPeople(12_180, 'enterprise');
    const input = { connectionId: organization, name: 'Everybody', members: people.slice(0, 12_000).map(bySlackId) };
    const made = await callsDuring(app.simulator, async () => {
      expect(await changeGroup(app, 'createGroup', input)).toMatchObject({ addedCount: 12_000, problems: [] });
    });
    expect(made).toEqual(['GET /Groups', 'POST /Groups', 'PATCH /Groups/{id}', 'PATCH /Groups/{id}']);
    const [group] = groupsNamed(app.simulator, 'Everybody', 'enterprise');
    const wanted = people.slice(180);
    const set = { connectionId: organization, group: { slackId: group?.id }, members: wanted.map(bySlackId) };
    const changed = await callsDuring(app.simulator, async () => {
      expect(await changeGroup(app, 'setGroupMembers', set)).toMatchObject({
        addedCount: 180,
        removedCount: 180,
        group: { memberCount: 12_000 },
        problems: [],
      });
    });
    expect(changed).toEqual(['GET /Groups/{id}', 'PATCH /Groups/{id}']);
    expect([...(group?.members ?? [])].sort()).toEqual([...wanted].sort());
    // Larger groups are not kept with the answer, but their size is: a key that may only write is answered, too.
    const key = await createKey(app, ['USERS_WRITE']);
    for (let round = 0; round < 2; round += 1) {
      const kept = `mutation ($input: GroupMembersInput!) { addGroupMembers(input: $input) { group { memberCount } } }`;
      const input = { ...set, members: [], idempotencyKey: 'large' };
      const { data } = await app.call(kept, { input }, { key });
      expect(data).toEqual({ addGroupMembers: { group: { memberCount: 12_000 } } });
    }
    const again = await callsDuring(app.simulator, async () => {
      expect(await changeGroup(app, 'setGroupMembers', set)).toMatchObject({ addedCount: 0, removedCount: 0 });
    });
    expect(again).toEqual(['GET /Groups/{id}']);
    const emptied = await callsDuring(app.simulator, async () => {
      const nobody = { ...set, members: [] };
      expect(await changeGroup(app, 'setGroupMembers', nobody)).toMatchObject({ removedCount: 12_000 });
    });
    expect(emptied).toEqual(['GET /Groups/{id}', 'PATCH /Groups/{id}']);
  });

  it('finds members by e-mail address in a walk of the roster, not in a call each', async () => {
    const people = addPeople(1_500);
    const members = people.map((_, index) => ({ email: `Crowd.${index}@business.example` }));
    const calls = await callsDuring(app.simulator, async () => {
      expect(await create('By address', members)).toMatchObject({ addedCount: 1_500, problems: [] });
    });
    expect(calls).toEqual(['GET /Groups', 'GET /Users', 'GET /Users', 'POST /Groups']);
  });

  it('of a workspace is refused beyond its limit, before anything is sent', async () => {
    const members = Array.from({ length: 5_001 }, (_, index) => ({ slackId: `U0ANY${index}` }));
    const answer = await create('Too many', members);
    expect(answer).toMatchObject({ group: null, problems: [{ code: 'GROUP_LIMIT', path: ['input', 'members'] }] });
    expect(groupsNamed(app.simulator, 'Too many')).toEqual([]);
  });

  it("tells of Slack's own limit", async () => {
    app.simulator.switches.userGroupMemberLimit = 1;
    await create('Tiny', [{ slackId: idOf('barbara.liskov') }]);
    const answer = await change('addGroupMembers', 'Tiny', [{ slackId: idOf('nina.rossi') }]);
    expect(answer).toMatchObject({ group: null, problems: [{ code: 'GROUP_LIMIT' }] });
    // Full or not, one goes and another comes.
    const swapped = await change('setGroupMembers', 'Tiny', [{ slackId: idOf('nina.rossi') }]);
    expect(swapped).toMatchObject({ addedCount: 1, removedCount: 1, problems: [] });
  });
});

describe('a write on a group', () => {
  it('under an idempotency key happens once, and answers the same, also with problems', async () => {
    const members = [{ slackId: idOf('barbara.liskov') }, { email: 'nobody@northwind.example' }];
    const first = await create('Once', members, { idempotencyKey: 'once' });
    const again = await create('Once', members, { idempotencyKey: 'once' });
    expect({ ...again, requestId: '' }).toEqual({ ...first, requestId: '' });
    expect(groupsNamed(app.simulator, 'Once')).toHaveLength(1);
    const other = await create('Once more', members, { idempotencyKey: 'once' });
    expect(other).toMatchObject({ group: null, problems: [{ code: 'IDEMPOTENCY_CONFLICT' }] });

    const named = inWorkspace({ group: { name: 'Once' }, idempotencyKey: 'rename-once', name: 'Twice' });
    const renamed = await changeGroup(app, 'renameGroup', named);
    expect({ ...(await changeGroup(app, 'renameGroup', named)), requestId: '' }).toEqual({ ...renamed, requestId: '' });
    const gone = inWorkspace({ group: { name: 'Twice' }, idempotencyKey: 'delete-once' });
    const { deletedId } = await deleteGroup(app, gone);
    expect(await deleteGroup(app, gone)).toMatchObject({ deletedId, problems: [] });
    expect(deletedId).toBe(first.group?.id);
  });

  it('takes no name that another group has, and says which one has it', async () => {
    const [engineering] = groupsNamed(app.simulator, 'Engineering');
    const taken = [
      { __typename: 'GroupNameTakenProblem', code: 'CONFLICT', existingGroup: { slackId: engineering?.id } },
    ];
    expect(await create('engineering')).toMatchObject({ group: null, problems: taken });
    await create('Renaming');
    const rename = inWorkspace({ group: { name: 'Renaming' }, name: 'Engineering' });
    expect(await changeGroup(app, 'renameGroup', rename)).toMatchObject({ group: null, problems: taken });
    const cased = inWorkspace({ group: { name: 'Renaming' }, name: 'RENAMING' });
    expect(await changeGroup(app, 'renameGroup', cased)).toMatchObject({ group: { name: 'RENAMING' }, problems: [] });
  });

  it.each([
    [{ name: ' ' }, 'AMBIGUOUS', ['input', 'group', 'name']],
    [{ name: 'No such group' }, 'NOT_FOUND', ['input', 'group']],
    [{ slackId: 'S0NONE' }, 'NOT_FOUND', ['input', 'group']],
  ])('names %j in vain', async (group, code, path) => {
    const answer = await changeGroup(app, 'addGroupMembers', inWorkspace({ group, members: [] }));
    expect(answer).toMatchObject({
      group: null,
      problems: [{ code: code === 'AMBIGUOUS' ? 'INVALID_INPUT' : code, path }],
    });
  });

  it('says which groups a name could mean', async () => {
    const world = app.simulator.world.organization('business');
    for (const id of ['S0TWINA', 'S0TWINB']) {
      const [model] = groupsNamed(app.simulator, 'Engineering');
      if (model) world.addGroup({ ...model, id, displayName: 'Twin', members: new Set() });
    }
    const answer = await change('addGroupMembers', 'Twin', []);
    expect(answer.problems).toMatchObject([
      { code: 'AMBIGUOUS_GROUP', candidates: [{ slackId: 'S0TWINA' }, { slackId: 'S0TWINB' }] },
    ]);
  });

  it('does not touch a group that Slack keeps itself', async () => {
    const answer = await change('addGroupMembers', 'Team Admins', [{ slackId: idOf('barbara.liskov') }]);
    expect(answer).toMatchObject({
      group: null,
      problems: [{ code: 'PROTECTED_GROUP', slackCode: 'permission_denied' }],
    });
  });

  it('waits for the one before it, so that nobody meets the lock and nothing is lost', async () => {
    await create('Busy');
    const [group] = groupsNamed(app.simulator, 'Busy');
    app.simulator.switches.writeTimeMs = 30;
    const names = ['barbara.liskov', 'edsger.dijkstra', 'margaret.hamilton', 'nina.rossi', 'owen.baker', 'petra.vogel'];
    const before = app.simulator.requests.length;
    const answers = await Promise.all(
      names.map((name, index) =>
        changeGroup(
          app,
          'addGroupMembers',
          inWorkspace({
            group: index % 2 === 0 ? { name: 'Busy' } : { slackId: group?.id },
            members: [{ slackId: idOf(name) }],
          }),
        ),
      ),
    );
    for (const answer of answers) expect(answer).toMatchObject({ addedCount: 1, problems: [] });
    expect(membersNamed(app.simulator, 'Busy')).toEqual(names.map(idOf).sort());
    expect(app.simulator.requests.slice(before).filter(({ status }) => status === 429)).toEqual([]);
  });
});
