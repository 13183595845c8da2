import { GroupNameTaken } from '../../../src/domain/directory/group-problem';
import type { DirectoryUser } from '../../../src/domain/directory/user';
import type { DirectoryClient } from '../../../src/domain/directory-ports';
import { NotFound, UserNameUnavailable } from '../../../src/domain/errors';
import type { UpstreamCall } from '../../../src/domain/ports';
import { systemClock } from '../../../src/shared/clock';
import { silentLogger } from '../../../src/shared/logger';
import { Secret } from '../../../src/shared/secret';
import { createSlackEdge, type SlackEdge } from '../../../src/slack/slack-directory';
import { StandardServer, type StandardServerOptions } from './standard-server';

const kinds: readonly StandardServerOptions[] = [
  { patch: '200', filters: 'evaluated' },
  { patch: '204', filters: 'refused', wantsScimMediaType: true },
  { patch: 'unsupported', filters: 'ignored' },
];

describe.each(kinds.map((kind) => [JSON.stringify(kind), kind] as const))('a standard SCIM server, %s', (_, kind) => {
  let server: StandardServer;
  let edge: SlackEdge;
  let client: DirectoryClient;
  beforeEach(async () => {
    server = await StandardServer.start(kind);
    edge = createSlackEdge({
      origins: { LIVE: { web: server.url, scim: server.url } },
      apps: {},
      redirectUri: () => '',
      clock: systemClock,
      random: Math.random,
      logger: silentLogger,
      attemptTimeoutMs: 10_000,
    });
    const tokens = {
      lease: async () => ({ id: undefined, secret: new Secret('any-token') }),
      reportRejected: async () => false,
    };
    client = edge.directory.for({ environment: 'LIVE', budgetKey: 'T1', tokens });
    for (let index = 0; index < 120; index += 1) {
      const userName = `person${index}@example.com`;
      server.add({ userName, emails: [{ value: userName, type: 'work' }] });
    }
  });
  afterEach(async () => {
    await server.stop();
    await edge.close();
  });

  function call(): UpstreamCall {
    return { signal: new AbortController().signal, deadlineAt: Date.now() + 20_000, requestId: 'req_1' };
  }
  async function byEmail(email: string): Promise<DirectoryUser> {
    const [user] = await client.findUsers({ email }, call());
    if (user === undefined) throw new Error(`Nobody holds ${email}`);
    return user;
  }

  it('is probed, listed and searched', async () => {
    await client.probe(call());
    const slice = await client.listUsers({ startIndex: 101, count: 30 }, call());
    expect(slice).toMatchObject({ totalResults: 120, startIndex: 101 });
    expect(slice.users).toHaveLength(20);
    await expect(byEmail('Person77@example.com')).resolves.toMatchObject({ userName: 'person77@example.com' });
    await expect(client.findUsers({ userName: 'person110@example.com' }, call())).resolves.toHaveLength(1);
    await expect(client.findUsers({ email: 'nobody@example.com' }, call())).resolves.toEqual([]);
  });

  it('gets a person, and the same person again', async () => {
    const manager = await byEmail('person1@example.com');
    const draft = {
      email: 'ada@example.com',
      userName: 'ada',
      title: 'Lead',
      phoneNumber: '+1',
      department: 'Math',
      managerSlackId: manager.slackId,
      profileFields: [{ key: 'mobilePhone', value: '+2' }],
    };
    const created = await client.createUser(draft, call());
    expect(created).toMatchObject({ userName: 'ada', title: 'Lead', employment: { department: 'Math' } });
    await expect(client.createUser(draft, call())).rejects.toBeInstanceOf(UserNameUnavailable);
    await expect(byEmail('ada@example.com')).resolves.toEqual(created);
    expect(created?.employment.managerSlackId).toBe(manager.slackId);
    expect(created?.profileFields).toContainEqual({ key: 'mobilePhone', value: '+2' });
  });

  it('takes changes, and loses nothing that it was not told to lose', async () => {
    const added = server.add({
      userName: 'grace',
      externalId: 'hr-7',
      name: { formatted: 'Grace H', givenName: 'Grace' },
      title: 'Admiral',
      emails: [
        { value: 'grace@example.com', primary: true },
        { value: 'g@example.net', type: 'home' },
      ],
      phoneNumbers: [{ value: '+1', primary: true }],
    });
    const before = await byEmail('grace@example.com');
    const changes = {
      email: 'hopper@example.com',
      title: null,
      familyName: 'Hopper',
      employeeNumber: '1906',
      phoneNumber: '+3',
    };
    await client.updateUser(before, changes, { action: 'user.update' }, call());
    const after = await client.getUser(before.slackId, call());
    expect(after).toMatchObject({
      givenName: 'Grace',
      familyName: 'Hopper',
      active: true,
      employment: { employeeNumber: '1906' },
    });
    expect(after?.title).toBeUndefined();
    expect(after?.phoneNumbers).toEqual([{ value: '+3', kind: 'PRIMARY' }]);
    expect(after?.emails).toEqual([
      { value: 'hopper@example.com', primary: true },
      { value: 'g@example.net', primary: false },
    ]);
    expect(server.users.get(added.id)).toMatchObject({ externalId: 'hr-7', name: { formatted: 'Grace H' } });
  });

  it('deactivates and reactivates without deleting anybody', async () => {
    const before = await byEmail('person5@example.com');
    await client.updateUser(before, {}, { active: false, action: 'user.deprovision' }, call());
    const off = await client.getUser(before.slackId, call());
    expect(off?.active).toBe(false);
    if (off === undefined) throw new Error('Deleted');
    await client.updateUser(off, {}, { active: true, action: 'user.reactivate' }, call());
    await expect(client.getUser(before.slackId, call())).resolves.toMatchObject({ active: true });
    expect(server.calls).not.toContain('DELETE');
  });

  it('keeps groups: made, found, changed, renamed and deleted', async () => {
    const [first, second, third] = [...server.users.keys()];
    if (!first || !second || !third) throw new Error('Nobody there');
    for (let index = 0; index < 60; index += 1) {
      const id = `group-${index}`;
      server.groups.set(id, { id, displayName: `Group ${index}`, members: [{ value: first }, { value: second }] });
    }
    const group = await client.createGroup({ name: 'Research', memberSlackIds: [first, second] }, call());
    if (!group) throw new Error('No group');
    const idsOf = async () =>
      (await client.getGroup(group.slackId, { withMembers: true }, call()))?.members?.map(({ slackId }) => slackId);
    expect(await idsOf()).toEqual([first, second]);
    await expect(client.createGroup({ name: 'research', memberSlackIds: [] }, call())).rejects.toBeInstanceOf(
      GroupNameTaken,
    );
    const found = await client.findGroups('RESEARCH', call());
    expect(found.map(({ slackId }) => slackId)).toEqual([group.slackId]);
    expect(found[0]?.members).toBeUndefined();
    expect(await client.findGroups('Unknown', call())).toEqual([]);

    await client.changeGroupMembers(group.slackId, { remove: [first], add: [third] }, call());
    expect(await idsOf()).toEqual([second, third]);
    await client.changeGroupMembers(group.slackId, { replaceWith: [first] }, call());
    expect(await idsOf()).toEqual([first]);
    await client.changeGroupMembers(group.slackId, { replaceWith: [] }, call());
    expect(await idsOf()).toEqual([]);
    await client.renameGroup(group.slackId, 'Renamed', call());
    expect(await client.getGroup(group.slackId, { withMembers: false }, call())).toMatchObject({ name: 'Renamed' });
    const slice = await client.listGroups({ startIndex: 51, count: 40, withMembers: true }, call());
    expect(slice).toMatchObject({ totalResults: 61, entryCount: 11 });
    expect(slice.groups[0]?.members).toHaveLength(2);

    await client.deleteGroup(group.slackId, call());
    expect(await client.getGroup(group.slackId, { withMembers: true }, call())).toBeUndefined();
    await expect(client.deleteGroup(group.slackId, call())).rejects.toBeInstanceOf(NotFound);
    const change = client.changeGroupMembers(group.slackId, { remove: [], add: [first] }, call());
    await expect(change).rejects.toBeInstanceOf(NotFound);
  });

  it('says that somebody is not there', async () => {
    const before = await byEmail('person5@example.com');
    server.users.delete(before.slackId);
    await expect(client.getUser(before.slackId, call())).resolves.toBeUndefined();
    const update = client.updateUser(before, { title: 'x' }, { action: 'user.update' }, call());
    await expect(update).rejects.toBeInstanceOf(NotFound);
  });
});
