import { problemFields } from '../support/operations';
import { callsDuring, calmDown, changePerson, holdersOf, seededPerson } from '../support/people';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';
import { createKey } from '../support/tenants';

let app: TestApp;
let client: TenantClient;
let workspace: string;
let organization: string;

beforeAll(async () => {
  app = await startTestApp();
  client = await TenantClient.create(app);
  workspace = (await client.connect()).id;
  organization = (await client.connect('enterprise-owner')).id;
});
afterEach(() => calmDown(app.simulator));
afterAll(() => app?.stop());

interface MappingAnswer {
  readonly id: string;
  readonly version: number;
  readonly definition: object;
  readonly apiKeyId: string;
}

interface Problem {
  readonly code: string;
  readonly message: string;
  readonly path: string[] | null;
  readonly remedy: string | null;
}

interface Row {
  readonly index: number;
  readonly user: Readonly<Record<string, unknown>>;
  readonly groups: readonly object[];
  readonly account: string | null;
  readonly outcome: string | null;
  readonly existingUser: { slackId: string } | null;
  readonly fields: readonly { field: string; value: string | null; rule: string | null; choices: string[] }[];
  readonly rules: readonly { name: string; matched: boolean; decisive: object[]; gave: string[] }[];
  readonly problems: readonly Problem[];
}

const email = { field: 'email' };
const fields = {
  email,
  userName: { join: { parts: [{ field: 'first' }, { field: 'last' }], separator: '.' } },
  displayName: { join: { parts: [{ field: 'first' }, { field: 'last' }], separator: ' ' } },
  givenName: { field: 'first' },
  familyName: { field: 'last' },
  title: { firstNonEmpty: [{ field: 'job.title' }, { literal: 'Staff' }] },
  timezone: {
    lookup: {
      of: { field: 'office' },
      table: [
        { key: 'Berlin', value: 'Europe/Berlin' },
        { key: 'Paris', value: 'Europe/Paris' },
      ],
    },
  },
  userType: { literal: 'Employee' },
  startDate: { dateShift: { of: { field: 'hired' }, format: 'DAY_MONTH_YEAR' } },
  profileFields: [{ key: 'role', value: { field: 'job.title' } }],
};
const rules = [
  {
    name: 'Engineers',
    when: { equals: { field: 'department', value: 'Engineering' } },
    groups: [{ name: 'Engineers' }],
  },
  {
    name: 'Contractors',
    when: { any: [{ startsWith: { field: 'kind', value: 'contract' } }, { exists: { field: 'agency' } }] },
    account: 'GUEST',
    guestExpiresAt: { dateShift: { of: { field: 'until' }, days: 1 } },
    userType: { literal: 'Contractor' },
    profileFields: [{ key: 'role', value: { literal: 'External' } }],
  },
  { name: 'Everybody else', account: 'MEMBER', userType: { literal: 'Never, an earlier rule decides' } },
];

async function set(connectionId: string, mapping: object, extra: object = {}, by = client) {
  const query = `mutation ($input: SetMappingInput!) { setMapping(input: $input) {
    mapping { id version definition apiKeyId createdAt } ${problemFields} } }`;
  const input = { connectionId, mapping, ...extra };
  const { data, text } = await by.call<{ setMapping: { mapping: MappingAnswer | null; problems: Problem[] } }>(query, {
    input,
  });
  if (!data) throw new Error(text);
  return data.setMapping;
}

async function preview(connectionId: string, rows: readonly object[], extra: object = {}) {
  const query = `query ($input: PreviewMappingInput!) { previewMapping(input: $input) {
    rows { index account outcome groups { slackId name } leaves { slackId name } existingUser { slackId }
      user { email userName displayName givenName familyName title timezone userType startDate guestExpiresAt department
        profileFields { key value } }
      fields { field value absence rule choices sources { field value } }
      rules { name matched gave decisive { field test expected actual holds } }
      ${problemFields} }
    ${problemFields} } }`;
  const { data, text } = await client.call<{ previewMapping: { rows: Row[]; problems: Problem[] } }>(query, {
    input: { connectionId, rows, ...extra },
  });
  if (!data) throw new Error(text);
  return data.previewMapping;
}

const provision = (record: object, extra: object = {}) =>
  changePerson(app, 'provisionUser', { connectionId: workspace, record, ...extra }, { key: client.key });

const ada = {
  email: 'ada.mapped@example.com',
  first: 'Ada',
  last: 'Byron',
  job: { title: 'Analyst' },
  office: 'berlin',
  hired: '10.12.2025',
};

describe('setting a mapping', () => {
  it('keeps every version, answers the one in force, and goes back by setting an earlier one again', async () => {
    const own = await TenantClient.create(app);
    const { id } = await own.connect();
    const setOwn = (mapping: object, extra?: object) => set(id, mapping, extra, own);
    const first = await setOwn({ fields: { email } });
    expect(first).toMatchObject({ mapping: { version: 1, definition: { fields: { email } } }, problems: [] });
    const again = await setOwn({ fields: { email } });
    expect(again.mapping).toEqual(first.mapping);
    const second = await setOwn({ fields, rules: [] }, { ifVersion: 1 });
    expect(second).toMatchObject({ mapping: { version: 2, definition: { fields, rules: [] } }, problems: [] });
    const stale = await setOwn({ fields: { email } }, { ifVersion: 1 });
    expect(stale).toMatchObject({ mapping: null, problems: [{ code: 'CONFLICT', path: ['input', 'ifVersion'] }] });

    const query = `query ($id: ID!, $node: ID!, $after: String) {
      connection(id: $id) { mapping { version } mappingVersions(first: 1, after: $after) {
        nodes { version definition } pageInfo { hasNextPage endCursor } totalCount } }
      node(id: $node) { ... on Mapping { version } } }`;
    interface Versions {
      connection: { mappingVersions: { nodes: MappingAnswer[]; pageInfo: { endCursor: string } } };
    }
    const page = await own.call<Versions>(query, { id, node: first.mapping?.id });
    expect(page.data).toMatchObject({
      connection: {
        mapping: { version: 2 },
        mappingVersions: { nodes: [{ version: 2 }], pageInfo: { hasNextPage: true }, totalCount: 2 },
      },
      node: { version: 1 },
    });
    const after = page.data?.connection.mappingVersions.pageInfo.endCursor;
    const older = await own.call<Versions>(query, { id, node: first.mapping?.id, after });
    const definition = older.data?.connection.mappingVersions.nodes[0]?.definition ?? {};
    expect(await setOwn(definition)).toMatchObject({ mapping: { version: 3, definition: { fields: { email } } } });
  });

  it('gives each of several that come at once a version of its own', async () => {
    const own = await TenantClient.create(app);
    const { id } = await own.connect();
    const titles = ['A', 'B', 'C', 'D', 'E'];
    const answers = await Promise.all(
      titles.map((title) => set(id, { fields: { email, title: { literal: title } } }, {}, own)),
    );
    expect(answers.map(({ mapping }) => mapping?.version).sort()).toEqual([1, 2, 3, 4, 5]);
  });

  it('reports every mistake with its path and sets nothing', async () => {
    const wrong = {
      fields: {
        email: { literal: 'same@example.com' },
        title: { join: { parts: [] } },
        startDate: { dateShift: { of: { field: ' ' }, days: 100_000 } },
        profileFields: [{ key: 'a b', value: email }],
      },
      rules: [{ name: 'One' }, { name: 'One', when: { all: [] }, account: 'MEMBER' }],
    };
    const before = (await set(organization, { fields, rules })).mapping;
    const { mapping, problems } = await set(organization, wrong);
    expect(mapping).toBeNull();
    expect(problems.map(({ code, path }) => `${code} ${path?.join('.')}`).sort()).toEqual(
      [
        'fields.email',
        'fields.title.join.parts',
        'fields.startDate.dateShift.of.field',
        'fields.startDate.dateShift.days',
        'fields.profileFields.0.key',
        'rules.0',
        'rules.1.name',
        'rules.1.when.all',
      ]
        .map((path) => `INVALID_INPUT input.mapping.${path}`)
        .sort(),
    );
    expect((await preview(organization, [ada], { mapping: wrong })).problems).toHaveLength(8);
    expect((await set(organization, { fields, rules })).mapping).toEqual(before);
  });
});

describe('a preview', () => {
  it('shows the user, the groups and the account, and why, without a call to Slack', async () => {
    const contractor = {
      ...ada,
      email: 'c@example.com',
      kind: 'Contractor',
      until: '2027-01-31',
      department: 'engineering',
    };
    const calls = await callsDuring(app.simulator, async () => {
      const { rows, problems } = await preview(organization, [ada, contractor], { mapping: { fields, rules } });
      expect(problems).toEqual([]);
      expect(rows[0]).toMatchObject({
        index: 0,
        account: 'MEMBER',
        groups: [],
        outcome: null,
        problems: [],
        user: {
          email: ada.email,
          userName: 'ada.byron',
          displayName: 'Ada Byron',
          title: 'Analyst',
          timezone: 'Europe/Berlin',
          userType: 'Never, an earlier rule decides',
          startDate: '2025-12-10T00:00:00.000Z',
          guestExpiresAt: null,
          profileFields: [{ key: 'role', value: 'Analyst' }],
        },
      });
      expect(rows[1]).toMatchObject({
        account: 'GUEST',
        groups: [{ name: 'Engineers', slackId: null }],
        user: {
          // The first row has the plain one.
          userName: 'ada.byron2',
          userType: 'Contractor',
          guestExpiresAt: '2027-02-01T00:00:00.000Z',
          profileFields: [{ key: 'role', value: 'External' }],
        },
      });
      expect(rows[1]?.fields).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ field: 'userType', value: 'Contractor', rule: 'Contractors' }),
          {
            field: 'timezone',
            value: 'Europe/Berlin',
            absence: null,
            rule: null,
            choices: ['lookup.table.0'],
            sources: [{ field: 'office', value: 'berlin' }],
          },
        ]),
      );
      expect(rows[1]?.rules).toEqual([
        {
          name: 'Engineers',
          matched: true,
          gave: ['groups'],
          decisive: [
            { field: 'department', test: 'equals', expected: ['Engineering'], actual: ['engineering'], holds: true },
          ],
        },
        {
          name: 'Contractors',
          matched: true,
          gave: ['account', 'guestExpiresAt', 'userType', 'profileFields.role'],
          decisive: [
            { field: 'kind', test: 'startsWith', expected: ['contract'], actual: ['Contractor'], holds: true },
          ],
        },
        { name: 'Everybody else', matched: true, gave: [], decisive: [] },
      ]);
    });
    expect(calls).toEqual([]);
  });

  it('tells all for which a record would be refused', async () => {
    const bad = { email: 'no address', first: '@', last: 'x'.repeat(90), job: {}, hired: 'soon', kind: 'contractor' };
    const { rows } = await preview(workspace, [bad], { mapping: { fields, rules } });
    expect(rows[0]?.problems.map(({ code, message }) => `${code} ${/`(\w+)`/.exec(message)?.[1]}`).sort()).toEqual([
      'GUEST_NOT_ALLOWED undefined',
      'INVALID_INPUT displayName',
      'INVALID_INPUT email',
      'INVALID_INPUT startDate',
    ]);
    expect(rows[0]?.problems.find(({ message }) => message.includes('`email`'))?.path).toEqual([
      'input',
      'rows',
      '0',
      'email',
    ]);
  });

  it('asks Slack, if told to, who exists and which names are carried', async () => {
    const edsger = seededPerson(app.simulator, 'edsger.dijkstra');
    const namesake = { ...ada, email: 'other.edsger@example.com', first: 'Edsger', last: 'Dijkstra' };
    const rows = [namesake, { email: edsger.primaryEmail, first: 'Edsger', last: 'Dijkstra' }];
    const answer = await preview(workspace, rows, { mapping: { fields }, checkSlack: true });
    expect(answer.rows).toMatchObject([
      { user: { userName: 'edsger.dijkstra2' }, outcome: 'CREATED', existingUser: null },
      { user: { userName: 'edsger.dijkstra' }, outcome: 'UPDATED', existingUser: { slackId: edsger.id } },
    ]);
  });

  it('asks Slack only for whoever may see people', async () => {
    const key = await createKey(app, ['CONNECTIONS_READ'], { key: client.key });
    const query =
      'query ($input: PreviewMappingInput!) { previewMapping(input: $input) { rows { index } problems { code } } }';
    for (const [checkSlack, problems] of [
      [false, []],
      [true, [{ code: 'FORBIDDEN' }]],
    ]) {
      const input = { connectionId: workspace, rows: [ada], mapping: { fields }, checkSlack };
      expect((await app.call(query, { input }, { key })).data).toMatchObject({ previewMapping: { problems } });
    }
  });

  it('needs a mapping, rows, and not too many of them', async () => {
    const fresh = await TenantClient.create(app);
    const { id } = await fresh.connect();
    const query = `query ($input: PreviewMappingInput!) { previewMapping(input: $input) { rows { index } problems { code path remedy } } }`;
    const problemOf = async (input: object) => {
      const { data } = await fresh.call<{ previewMapping: { problems: Problem[] } }>(query, {
        input: { connectionId: id, ...input },
      });
      return data?.previewMapping.problems[0];
    };
    expect(await problemOf({ rows: [ada] })).toMatchObject({
      code: 'INVALID_INPUT',
      path: ['input', 'mapping'],
      remedy: expect.stringContaining('setMapping'),
    });
    expect(await problemOf({ rows: [], mapping: { fields } })).toMatchObject({ path: ['input', 'rows'] });
    expect(await problemOf({ rows: Array(101).fill({}), mapping: { fields } })).toMatchObject({
      path: ['input', 'rows'],
    });
  });
});

describe('provisioning a record', () => {
  it('writes what the preview shows, and nothing the second time', async () => {
    await set(workspace, { fields, rules: rules.slice(2) });
    const { rows } = await preview(workspace, [ada]);
    const made = await provision(ada);
    expect(made).toMatchObject({ outcome: 'CREATED', problems: [] });
    expect(made.user).toMatchObject({
      userName: rows[0]?.user.userName,
      displayName: rows[0]?.user.displayName,
      primaryEmail: rows[0]?.user.email,
      title: rows[0]?.user.title,
      timezone: rows[0]?.user.timezone,
      employment: { startDate: rows[0]?.user.startDate },
      profileFields: rows[0]?.user.profileFields,
    });
    const calls = await callsDuring(app.simulator, async () => {
      expect(await provision(ada)).toMatchObject({ outcome: 'UNCHANGED', problems: [] });
    });
    expect(calls).toEqual(['GET /Users']);
  });

  it('is refused without a mapping, with both kinds of person, with none, and with all that the mapping cannot use', async () => {
    const fresh = await TenantClient.create(app);
    const { id } = await fresh.connect();
    const call = (input: object) =>
      changePerson(app, 'provisionUser', { connectionId: id, ...input }, { key: fresh.key });
    expect(await call({ record: ada })).toMatchObject({
      outcome: 'FAILED',
      problems: [{ code: 'INVALID_INPUT', path: ['input', 'record'], remedy: expect.stringContaining('setMapping') }],
    });
    for (const input of [{}, { record: ada, user: { email: ada.email } }]) {
      expect(await call(input)).toMatchObject({
        outcome: 'FAILED',
        problems: [{ code: 'INVALID_INPUT', path: ['input'] }],
      });
    }
    const refused = await provision({ ...ada, email: null, hired: 'x' });
    expect(refused).toMatchObject({ outcome: 'FAILED', user: null });
    expect(refused.problems.map(({ path }) => path)).toEqual([
      ['input', 'record', 'email'],
      ['input', 'record', 'hired'],
    ]);
  });

  it('is the same request under its key as long as record and mapping are', async () => {
    const record = { ...ada, email: 'keyed.record@example.com' };
    const idempotencyKey = 'record-1';
    const first = await provision(record, { idempotencyKey });
    expect(first.outcome).toBe('CREATED');
    expect((await provision(record, { idempotencyKey })).outcome).toBe('CREATED');
    const other = await provision({ ...record, first: 'Augusta' }, { idempotencyKey });
    expect(other.problems).toMatchObject([{ code: 'IDEMPOTENCY_CONFLICT' }]);
    await set(workspace, { fields: { ...fields, division: { literal: 'New' } }, rules: rules.slice(2) });
    expect((await provision(record, { idempotencyKey })).problems).toMatchObject([{ code: 'IDEMPOTENCY_CONFLICT' }]);
    expect((await provision(record)).outcome).toBe('UPDATED');
  });

  it('finds the manager by the address, and says when there is none', async () => {
    const mapping = {
      fields: { email, managerEmail: { field: 'boss' } },
      rules: [{ name: 'All', groups: [{ name: 'Nowhere' }] }],
    };
    await set(workspace, mapping);
    const boss = seededPerson(app.simulator, 'barbara.liskov');
    const record = { email: 'report@example.com', boss: boss.primaryEmail.toUpperCase() };
    const [row] = (await preview(workspace, [record], { checkSlack: true })).rows;
    expect(row).toMatchObject({ outcome: 'CREATED', problems: [{ code: 'NOT_FOUND', path: ['input', 'rows', '0'] }] });
    const made = await provision(record);
    expect(made).toMatchObject({
      outcome: 'CREATED',
      user: { employment: { managerSlackId: boss.id } },
      problems: [{ code: 'NOT_FOUND', path: ['input', 'record'], message: expect.stringContaining('group') }],
    });
    expect((await provision(record)).outcome).toBe('UNCHANGED');

    await set(workspace, { fields: mapping.fields });
    const lost = { email: 'orphan@example.com', boss: 'nobody@example.com' };
    expect((await preview(workspace, [lost], { checkSlack: true })).rows[0]).toMatchObject({
      outcome: 'CREATED',
      problems: [{ code: 'NOT_FOUND', path: ['input', 'rows', '0'] }],
    });
    expect(await provision(lost)).toMatchObject({
      outcome: 'CREATED',
      problems: [{ code: 'NOT_FOUND', path: ['input', 'record'] }],
    });
    const own = { email: 'ceo@example.com', boss: 'CEO@example.com' };
    expect(await provision(own)).toMatchObject({ outcome: 'CREATED', problems: [] });
    expect(await provision(own)).toMatchObject({ outcome: 'UNCHANGED', problems: [] });
  });

  it('makes guests and members, and brings people into the groups of all rules that match', async () => {
    const groups = ['Engineers', 'Berlin'];
    for (const name of groups) {
      const query = `mutation ($input: CreateGroupInput!) { createGroup(input: $input) { problems { code } } }`;
      const { text } = await client.call(query, { input: { connectionId: organization, name } });
      expect(text).toContain('"problems":[]');
    }
    const berlin = {
      name: 'Berliners',
      when: { equals: { field: 'office', value: 'Berlin' } },
      groups: [{ name: 'berlin' }, { name: 'engineers' }],
    };
    await set(organization, { fields, rules: [berlin, ...rules] });
    const there = { connectionId: organization };
    const record = {
      ...ada,
      email: 'guest.record@example.com',
      first: 'Gast',
      kind: 'contract',
      until: '2030-06-30',
      department: 'Engineering',
    };
    const made = await provision(record, there);
    expect(made).toMatchObject({
      outcome: 'CREATED',
      problems: [],
      user: { guest: { expiresAt: '2030-07-01T00:00:00.000Z' } },
    });
    expect(await provision(record, there)).toMatchObject({
      outcome: 'UNCHANGED',
      problems: [],
      user: {
        guest: { kind: 'MULTI_CHANNEL' },
        groups: expect.arrayContaining(groups.map((name) => expect.objectContaining({ name }))),
      },
    });

    const mover = { ...record, department: 'Sales', office: 'Paris' };
    expect(await provision(mover, there)).toMatchObject({ outcome: 'UPDATED', user: { groups: [{}, {}] } });
    await set(organization, { fields, rules: [berlin, ...rules], leaveUnmatchedGroups: true });
    const [row] = (
      await preview(organization, [{ ...mover, office: 'Berlin' }, mover], { checkSlack: true })
    ).rows.slice(1);
    expect(row).toMatchObject({ leaves: [{ name: 'berlin' }, { name: 'engineers' }], groups: [] });
    expect(await provision(mover, there)).toMatchObject({ problems: [], outcome: 'UPDATED', user: { groups: [] } });
    expect(await provision(mover, there)).toMatchObject({ problems: [], outcome: 'UNCHANGED', user: { groups: [] } });

    const member = { ...record, kind: 'permanent' };
    expect(await provision(member, there)).toMatchObject({ outcome: 'UPDATED', problems: [], user: { guest: null } });
    expect(await provision(member, there)).toMatchObject({ outcome: 'UNCHANGED', problems: [] });
    expect(holdersOf(app.simulator, record.email, 'enterprise')).toHaveLength(1);
  });
});
