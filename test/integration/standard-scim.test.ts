import { changeGroup, deleteGroup, type GroupMutation } from '../support/groups';
import { type ConnectionPayloadAnswer, changeConnection } from '../support/operations';
import { changePerson, type PersonMutation, readPerson } from '../support/people';
import { StandardScimServer } from '../support/standard-scim-server';
import { startTestApp, type TestApp } from '../support/start-app';

const token = 'xoxp-1234567890123-1234567890123-standard';

describe('a gateway in front of a standard SCIM 2.0 server', () => {
  let server: StandardScimServer;
  let app: TestApp;
  let connectionId: string;

  beforeAll(async () => {
    server = await StandardScimServer.start(token);
    app = await startTestApp({ env: { ROLLCALL_SLACK_WEB_URL: server.url, ROLLCALL_SLACK_SCIM_URL: server.url } });
    const input = { name: 'Standard', environment: 'LIVE', token };
    const { connection, problems }: ConnectionPayloadAnswer = await changeConnection(app, 'createConnection', input);
    expect(problems).toEqual([]);
    expect(connection).toMatchObject({ status: 'ACTIVE', workspace: { slackId: 'T0STANDARD' } });
    connectionId = connection?.id ?? '';
  });
  afterAll(async () => {
    await app.stop();
    await server.stop();
  });

  const act = (name: PersonMutation, input: object) => changePerson(app, name, { connectionId, ...input });

  const whole = {
    email: 'whole@example.com',
    userName: 'whole',
    displayName: 'Whole Person',
    givenName: 'Whole',
    familyName: 'Person',
    title: 'Complete',
    timezone: 'Europe/Berlin',
    locale: 'de-DE',
    preferredLanguage: 'de-DE',
    userType: 'Employee',
    phoneNumber: '+49 30 1234',
    photoUrl: 'https://example.com/photo.png',
    employeeNumber: '42',
    costCenter: 'C-1',
    organization: 'Northwind',
    division: 'North',
    department: 'Research',
    profileFields: [
      { key: 'honorificPrefix', value: 'Dr.' },
      { key: 'mobilePhone', value: '+49 170 5678' },
      { key: 'address.locality', value: 'Berlin' },
      { key: 'profileUrl', value: 'https://people.example.com/whole' },
    ],
  };

  it('creates a person with every field, and finds them unchanged', async () => {
    const created = await act('provisionUser', { user: whole });
    expect(created).toMatchObject({
      outcome: 'CREATED',
      problems: [],
      user: {
        userName: 'whole',
        active: true,
        displayName: 'Whole Person',
        primaryEmail: 'whole@example.com',
        title: 'Complete',
        timezone: 'Europe/Berlin',
        photoUrl: 'https://example.com/photo.png',
        profileUrl: 'https://people.example.com/whole',
        employment: { employeeNumber: '42', costCenter: 'C-1', division: 'North', department: 'Research' },
      },
    });
    expect(await act('provisionUser', { user: whole })).toMatchObject({ outcome: 'UNCHANGED', problems: [] });
    expect(await readPerson(app, connectionId, { email: whole.email })).toEqual(created.user);
  });

  it('adopts, updates, deactivates and brings back', async () => {
    const email = 'life@example.com';
    const made = await act('provisionUser', { user: { email, title: 'One' } });
    expect(made).toMatchObject({ outcome: 'CREATED', problems: [] });
    const adopted = await act('provisionUser', { user: { email, title: 'Two' }, ifExists: 'ADOPT' });
    expect(adopted).toMatchObject({ outcome: 'ADOPTED', user: { slackId: made.user?.slackId, title: 'One' } });
    const updated = await act('provisionUser', { user: { email, title: 'Two', department: 'D' } });
    expect(updated).toMatchObject({ outcome: 'UPDATED', problems: [], user: { title: 'Two' } });
    const gone = await act('deprovisionUser', { user: { email } });
    expect(gone).toMatchObject({ outcome: 'DEACTIVATED', problems: [], user: { active: false } });
    expect(await act('deprovisionUser', { user: { email } })).toMatchObject({ outcome: 'UNCHANGED' });
    const back = await act('reactivateUser', { user: { slackId: made.user?.slackId } });
    expect(back).toMatchObject({ outcome: 'REACTIVATED', problems: [], user: { active: true, title: 'Two' } });
    await act('deprovisionUser', { user: { email } });
    const again = await act('provisionUser', { user: { email, title: 'Three' } });
    expect(again).toMatchObject({ outcome: 'REACTIVATED', problems: [], user: { active: true, title: 'Three' } });
  });

  it('changes and clears single fields', async () => {
    const user = { email: 'fields@example.com' };
    await act('provisionUser', { user: { ...whole, ...user, userName: 'fields' } });
    const changes = {
      title: null,
      displayName: 'Renamed',
      familyName: null,
      phoneNumber: '+49 30 9',
      department: null,
      costCenter: 'C-2',
      userType: null,
      photoUrl: null,
      email: 'moved@example.com',
      userName: 'moved',
      profileFields: [{ key: 'address.locality', value: 'Potsdam' }],
    };
    const changed = await act('updateUser', { user, changes });
    expect(changed).toMatchObject({
      outcome: 'UPDATED',
      problems: [],
      user: {
        title: null,
        displayName: 'Renamed',
        primaryEmail: 'moved@example.com',
        userName: 'moved',
        photoUrl: null,
        employment: { department: null, costCenter: 'C-2', employeeNumber: '42' },
      },
    });
    const moved = { email: 'moved@example.com' };
    const { photoUrl: _, email: __, ...rest } = changes;
    expect(await act('updateUser', { user: moved, changes: rest })).toMatchObject({ outcome: 'UNCHANGED' });
  });

  it('names what is taken', async () => {
    const answer = await act('provisionUser', { user: { email: 'other@example.com', userName: 'whole' } });
    expect(answer).toMatchObject({ outcome: 'FAILED', problems: [{ code: 'USERNAME_UNAVAILABLE' }] });
    expect(await act('updateUser', { user: { slackId: 'unknown' }, changes: { title: 'x' } })).toMatchObject({
      outcome: 'FAILED',
      problems: [{ code: 'NOT_FOUND' }],
    });
  });

  it('lists everybody once, and filters', async () => {
    for (let number = 1; number <= 25; number += 1) {
      await act('provisionUser', { user: { email: `list.${number}@example.com` } });
    }
    const query = `query ($id: ID!, $first: Int, $after: String, $filter: UserFilter) { connection(id: $id) {
      users(first: $first, after: $after, filter: $filter) { nodes { userName active } totalCount pageInfo { hasNextPage endCursor } } } }`;
    const page = async (variables: object) => {
      const { data, errors } = await app.call<{
        connection: {
          users: {
            nodes: { userName: string }[];
            totalCount: number | null;
            pageInfo: { hasNextPage: boolean; endCursor: string | null };
          };
        };
      }>(query, { id: connectionId, ...variables });
      if (!data) throw new Error(JSON.stringify(errors));
      return data.connection.users;
    };
    const names: string[] = [];
    let after: string | null = null;
    let total: number | null;
    do {
      const next: Awaited<ReturnType<typeof page>> = await page({ first: 7, after });
      names.push(...next.nodes.map(({ userName }) => userName));
      after = next.pageInfo.hasNextPage ? next.pageInfo.endCursor : null;
      total = next.totalCount;
    } while (after !== null);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(total ?? -1);
    expect(names).toEqual(expect.arrayContaining(['whole', 'moved', 'life', 'list.1', 'list.25']));

    await act('deprovisionUser', { user: { email: 'list.9@example.com' } });
    const filtered = async (filter: object) =>
      (await page({ first: 100, filter })).nodes.map(({ userName }) => userName);
    expect(await filtered({ active: false })).toEqual(['list.9']);
    expect(await filtered({ email: 'LIST.10@example.com' })).toEqual(['list.10']);
    expect(await filtered({ userName: 'list.11' })).toEqual(['list.11']);
    expect(await filtered({ nameContains: 'IST.25' })).toEqual(['list.25']);
    expect(await filtered({ guest: true })).toEqual([]);
  });

  it('keeps groups: made, changed, renamed and deleted, with members named in every way', async () => {
    const ids: string[] = [];
    for (const name of ['one', 'two', 'three']) {
      const { user } = await act('provisionUser', { user: { email: `member.${name}@example.com` } });
      ids.push(user?.slackId ?? '');
    }
    const [one, two, three] = ids.map((slackId) => ({ slackId }));
    const change = (name: GroupMutation, input: object) => changeGroup(app, name, { connectionId, ...input });
    const group = { name: 'Standards' };
    const members = [one, { email: 'member.two@example.com' }, { userName: 'nobody.here' }].filter(
      (it) => it !== undefined,
    );
    const made = await change('createGroup', { name: group.name, members });
    expect(made).toMatchObject({ addedCount: 2, memberProblems: [{ index: 2, refusal: 'UNKNOWN' }] });
    expect(await change('createGroup', { name: 'Standards' })).toMatchObject({ problems: [{ code: 'CONFLICT' }] });

    const grown = await change('addGroupMembers', { group, members: [two, three] });
    expect(grown).toMatchObject({ addedCount: 1, group: { memberCount: 3 }, problems: [] });
    const shrunk = await change('removeGroupMembers', { group, members: [one, two] });
    expect(shrunk).toMatchObject({ removedCount: 2, group: { memberCount: 1 }, problems: [] });
    const before = server.calls.length;
    const set = await change('setGroupMembers', { group, members: [one, two] });
    expect(set).toMatchObject({ addedCount: 2, removedCount: 1, problems: [] });
    expect(server.calls.slice(before)).toEqual(['GET /Groups', 'GET /Groups/{id}', 'PATCH /Groups/{id}']);
    const refused = await change('addGroupMembers', { group, members: [three, { slackId: 'no-such-id' }] });
    expect(refused).toMatchObject({ addedCount: 1, memberProblems: [{ index: 1, refusal: 'UNKNOWN' }] });

    const renamed = await change('renameGroup', { group, name: 'Norms' });
    expect(renamed).toMatchObject({ group: { id: made.group?.id, name: 'Norms', memberCount: 3 }, problems: [] });
    const read = await app.call<{ connection: { group: { members: { nodes: { slackId: string }[] } } } }>(
      'query ($id: ID!) { connection(id: $id) { group(by: { name: "Norms" }) { members { nodes { slackId } } } } }',
      { id: connectionId },
    );
    expect(read.data?.connection.group.members.nodes.map(({ slackId }) => slackId)).toEqual([...ids].sort());
    const joined = await act('provisionUser', {
      user: { email: 'member.four@example.com', groups: [{ name: 'Norms' }] },
    });
    expect(joined).toMatchObject({ outcome: 'CREATED', problems: [] });
    const emptied = await change('setGroupMembers', { group: { name: 'Norms' }, members: [] });
    expect(emptied).toMatchObject({ removedCount: 4, group: { memberCount: 0 }, problems: [] });
    const gone = { connectionId, group: { name: 'Norms' } };
    expect(await deleteGroup(app, gone)).toMatchObject({ deletedId: made.group?.id, problems: [] });
    expect(await deleteGroup(app, gone)).toMatchObject({ deletedId: null, problems: [{ code: 'NOT_FOUND' }] });
  });

  it('looks a person up in one call, whatever the name', async () => {
    const person = await readPerson(app, connectionId, { userName: 'whole' });
    for (const by of [{ email: whole.email }, { userName: 'whole' }, { slackId: person?.slackId }]) {
      const before = server.calls.length;
      expect(await readPerson(app, connectionId, by)).toMatchObject({ slackId: person?.slackId });
      expect(server.calls.length - before).toBe(1);
    }
  });
});
