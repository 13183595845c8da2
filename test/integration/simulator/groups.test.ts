import { ManualClock } from '../../../src/simulator/clock';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { codeOf, errorText, groupUrn, resourcesOf, SimulatorClient } from '../../support/simulator-client';

const clock = new ManualClock();
let simulator: Simulator;
let slack: SimulatorClient;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'groups', clock, switches: { limitsEnabled: false } });
  slack = new SimulatorClient(simulator);
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.stop());

const idOf = (userName: string) => slack.person(userName).id;
const create = (attributes: object) => slack.scim('POST', '/Groups', { schemas: [groupUrn], ...attributes });
const members = (...userNames: string[]) => userNames.map((userName) => ({ value: idOf(userName) }));

async function newGroup(...userNames: string[]): Promise<string> {
  const { json } = await create({ displayName: 'Night shift', members: members(...userNames) });
  return String(json.id);
}

async function memberIds(id: string): Promise<unknown[]> {
  const { json } = await slack.scim('GET', `/Groups/${id}`);
  if (!Array.isArray(json.members)) throw new Error('No members');
  return json.members.map(({ value }) => value);
}

describe('POST', () => {
  it('makes a group with members, keys in the recorded order', async () => {
    const { status, json } = await create({
      displayName: 'Night shift',
      members: members('barbara.liskov', 'nina.rossi'),
    });
    expect(status).toBe(201);
    expect(Object.keys(json)).toEqual(['schemas', 'id', 'meta', 'displayName', 'members']);
    expect(json.id).toMatch(/^S/);
    expect(json.members).toEqual([
      { value: idOf('barbara.liskov'), display: 'Barbara Liskov' },
      { value: idOf('nina.rossi'), display: 'Nina Rossi' },
    ]);
    const user = (await slack.scim('GET', `/Users/${idOf('barbara.liskov')}`)).json;
    expect(user.groups).toContainEqual({ value: json.id, display: 'Night shift' });
  });

  it('makes a second group of the same name', async () => {
    const ids = [await newGroup(), await newGroup()];
    expect(new Set(ids).size).toBe(2);
    expect(await slack.filter('Groups', 'displayName eq "night shift"')).toHaveLength(2);
  });

  it('needs a name, schemas and a list of members', async () => {
    expect(codeOf(await create({}))).toBe('group_creation_failed');
    expect(codeOf(await slack.scim('POST', '/Groups', { displayName: 'x' }))).toBe('missing_schema_element');
    expect(codeOf(await create({ displayName: 'x', members: { value: ['a'] } }))).toBe('invalid_attribute_format');
    expect(codeOf(await create({ displayName: 'x', colour: 'red' }))).toBe('invalid_request_payload');
  });

  it('refuses members that do not exist, are deactivated, or are bots', async () => {
    const unknown = await create({ displayName: 'x', members: [{ value: 'U0NOBODY' }] });
    expect([unknown.status, errorText(unknown.json)]).toEqual([400, 'no_such_group_members (user=U0NOBODY)']);
    for (const userName of ['felix.braun', 'helpdesk_bot']) {
      expect(codeOf(await create({ displayName: 'x', members: members(userName) }))).toBe(
        'unable_to_add_deleted_or_guest_to_group',
      );
    }
    expect(await slack.filter('Groups', 'displayName eq "x"')).toEqual([]);
  });

  it('refuses single-channel guests but takes multi-channel ones', async () => {
    const enterprise = slack.as('enterprise-owner');
    const body = (userName: string) => ({
      schemas: [groupUrn],
      displayName: 'x',
      members: [{ value: enterprise.person(userName).id }],
    });
    expect(codeOf(await enterprise.scim('POST', '/Groups', body('sina.weber')))).toBe(
      'unable_to_add_deleted_or_guest_to_group',
    );
    expect((await enterprise.scim('POST', '/Groups', body('gil.moreau'))).status).toBe(201);
  });

  it('limits a call and a group', async () => {
    Object.assign(simulator.switches, { membersPerCallLimit: 3, userGroupMemberLimit: 2 });
    const three = members('barbara.liskov', 'edsger.dijkstra', 'margaret.hamilton');
    expect(codeOf(await create({ displayName: 'x', members: [...three, ...members('nina.rossi')] }))).toBe(
      'too_many_users',
    );
    expect(codeOf(await create({ displayName: 'x', members: three }))).toBe('group_member_max_exceeded');
    const id = await newGroup('barbara.liskov', 'edsger.dijkstra');
    const add = { op: 'add', path: 'members', value: members('margaret.hamilton') };
    expect(codeOf(await slack.patch('Groups', id, add))).toBe('group_member_max_exceeded');
  });

  it('may be answered without a body, and show late in reads', async () => {
    Object.assign(simulator.switches, { emptyPostBody: 'groups', groupReadDelayMs: 3000 });
    const answer = await create({ displayName: 'Late', members: members('barbara.liskov') });
    expect([answer.status, answer.text]).toEqual([201, '']);
    const shown = async () =>
      resourcesOf((await slack.list('Groups', { filter: 'displayName eq "Late"' })).json)[0]?.members;
    expect(await shown()).toEqual([]);
    clock.advance(3000);
    expect(await shown()).toHaveLength(1);
  });
});

describe('GET', () => {
  it('leaves members out only under a switch', async () => {
    const id = await newGroup('barbara.liskov');
    const read = async () => [
      (await slack.scim('GET', `/Groups/${id}?excludedAttributes=members`)).json,
      resourcesOf(
        (await slack.list('Groups', { excludedAttributes: 'members', filter: 'displayName eq "Night shift"' })).json,
      )[0],
    ];
    for (const group of await read()) expect(group?.members).toHaveLength(1);
    simulator.switches.excludedAttributesHeeded = true;
    for (const group of await read()) expect(group).not.toHaveProperty('members');
  });
});

describe('PUT', () => {
  it('replaces name and members, and empties the group when members are left out', async () => {
    const id = await newGroup('barbara.liskov');
    const body = { schemas: [groupUrn], displayName: 'Day shift', members: members('edsger.dijkstra') };
    expect((await slack.scim('PUT', `/Groups/${id}`, body)).json).toMatchObject({
      displayName: 'Day shift',
      members: [{ value: idOf('edsger.dijkstra') }],
    });
    await slack.scim('PUT', `/Groups/${id}`, { schemas: [groupUrn], displayName: 'Day shift' });
    expect(await memberIds(id)).toEqual([]);
    expect((await slack.scim('GET', `/Users/${idOf('edsger.dijkstra')}`)).json.groups).toHaveLength(1);
  });
});

describe('PATCH', () => {
  it('adds, removes with a list, with a quoted and with an unquoted path', async () => {
    const id = await newGroup('barbara.liskov');
    const everybody = ['barbara.liskov', 'edsger.dijkstra', 'margaret.hamilton', 'nina.rossi'];
    const { status, json } = await slack.patch('Groups', id, {
      op: 'add',
      path: 'members',
      value: members(...everybody),
    });
    expect([status, json.id]).toEqual([200, id]);
    expect(await memberIds(id)).toEqual(everybody.map(idOf));
    await slack.patch('Groups', id, { op: 'remove', path: 'members', value: members('barbara.liskov') });
    await slack.patch(
      'Groups',
      id,
      { op: 'remove', path: `members[value eq ${idOf('edsger.dijkstra')}]` },
      { op: 'remove', path: `members[value eq "${idOf('nina.rossi')}"]` },
    );
    expect(await memberIds(id)).toEqual([idOf('margaret.hamilton')]);
    await slack.patch('Groups', id, { op: 'remove', path: 'members' });
    expect(await memberIds(id)).toEqual([]);
  });

  it('replaces members and the name, with a path or without', async () => {
    const id = await newGroup('barbara.liskov');
    await slack.patch(
      'Groups',
      id,
      { op: 'replace', path: 'members', value: members('edsger.dijkstra') },
      { op: 'replace', path: 'displayName', value: 'A' },
    );
    expect(await memberIds(id)).toEqual([idOf('edsger.dijkstra')]);
    const { json } = await slack.patch('Groups', id, {
      op: 'Replace',
      value: { displayName: 'B', members: members('nina.rossi') },
    });
    expect(json).toMatchObject({ displayName: 'B', members: [{ value: idOf('nina.rossi') }] });
  });

  it('is answered with 204 under a switch', async () => {
    simulator.switches.groupPatchStatus = 204;
    const answer = await slack.patch('Groups', await newGroup(), { op: 'replace', path: 'displayName', value: 'A' });
    expect([answer.status, answer.text]).toEqual([204, '']);
  });

  it('applies together or not at all', async () => {
    const id = await newGroup('barbara.liskov');
    const failing = { op: 'add', path: 'members', value: [{ value: 'U0NOBODY' }] };
    expect(codeOf(await slack.patch('Groups', id, { op: 'remove', path: 'members' }, failing))).toBe(
      'no_such_group_members',
    );
    expect(await memberIds(id)).toEqual([idOf('barbara.liskov')]);
  });

  it('refuses other paths', async () => {
    const id = await newGroup();
    for (const path of ['externalId', 'id', 'members.value', 'members[display eq "x"]']) {
      expect(codeOf(await slack.patch('Groups', id, { op: 'replace', path, value: 'x' }))).toBe(
        'invalid_request_payload',
      );
    }
    expect(codeOf(await slack.patch('Groups', id, { op: 'remove', path: 'displayName' }))).toBe(
      'invalid_request_payload',
    );
  });

  it('shows the old state in reads for a while under a switch', async () => {
    const id = await newGroup('barbara.liskov');
    simulator.switches.groupReadDelayMs = 3000;
    await slack.patch('Groups', id, { op: 'replace', path: 'members', value: members('edsger.dijkstra') });
    expect(await memberIds(id)).toEqual([idOf('barbara.liskov')]);
    const groupsOf = async (userName: string) =>
      JSON.stringify((await slack.scim('GET', `/Users/${idOf(userName)}`)).json.groups);
    expect(await groupsOf('barbara.liskov')).toContain(id);
    expect(await groupsOf('edsger.dijkstra')).not.toContain(id);
    clock.advance(3000);
    expect(await memberIds(id)).toEqual([idOf('edsger.dijkstra')]);
    expect(await groupsOf('edsger.dijkstra')).toContain(id);
  });
});

describe('DELETE', () => {
  it('is for good: a second time there is no such group', async () => {
    const id = await newGroup('barbara.liskov');
    const first = await slack.scim('DELETE', `/Groups/${id}`);
    expect([first.status, first.text]).toEqual([204, '']);
    const second = await slack.scim('DELETE', `/Groups/${id}`);
    expect([second.status, codeOf(second)]).toEqual([404, 'no_such_group']);
    expect(codeOf(await slack.scim('GET', `/Groups/${id}`))).toBe('no_such_group');
  });

  it('is blocked while the group restricts channels', async () => {
    const enterprise = slack.as('enterprise-owner');
    const [group] = resourcesOf((await enterprise.list('Groups', { filter: 'displayName eq "Berlin Office"' })).json);
    expect(codeOf(await enterprise.scim('DELETE', `/Groups/${group?.id}`))).toBe('idp_group_linked_to_channels');
  });
});

describe('automatic groups', () => {
  it('cannot be changed or deleted', async () => {
    const [group] = resourcesOf((await slack.list('Groups', { filter: 'displayName eq "Team Admins"' })).json);
    const rename = await slack.patch('Groups', String(group?.id), { op: 'replace', path: 'displayName', value: 'x' });
    expect([rename.status, codeOf(rename)]).toEqual([403, 'permission_denied']);
    expect(codeOf(await slack.scim('DELETE', `/Groups/${group?.id}`))).toBe('permission_denied');
  });

  it('follow the ranks of people', async () => {
    const [before] = resourcesOf((await slack.list('Groups', { filter: 'displayName eq "Team Admins"' })).json);
    expect(JSON.stringify(before)).not.toContain(idOf('barbara.liskov'));
    simulator.world.organization('business').setRank(slack.person('barbara.liskov'), 'admin');
    expect(await memberIds(String(before?.id))).toContain(idOf('barbara.liskov'));
  });
});
