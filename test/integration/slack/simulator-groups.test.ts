import {
  GroupLinkedToChannels,
  GroupMembersRefused,
  ProtectedGroup,
} from '../../../src/domain/directory/group-problem';
import type { DirectoryClient } from '../../../src/domain/directory-ports';
import { GroupLimit, NotFound, ResourceLocked, UpstreamOutcomeUnknown } from '../../../src/domain/errors';
import { type Simulated, startSimulated } from './simulated';

describe('groups at the simulated Slack', () => {
  let slack: Simulated;
  let client: DirectoryClient;
  beforeAll(async () => {
    slack = await startSimulated();
  });
  afterAll(() => slack.stop());
  beforeEach(() => {
    slack.simulator.reset();
    client = slack.client();
  });

  const organization = (key: 'business' | 'enterprise' = 'business') => slack.simulator.world.organization(key);
  const idOf = (userName: string) => {
    const person = organization().personByUserName(userName);
    if (!person) throw new Error('The seed has changed');
    return person.id;
  };
  async function groupId(name: string, by = client): Promise<string> {
    const [group] = await by.findGroups(name, slack.call());
    if (!group) throw new Error(`No group ${name}`);
    return group.slackId;
  }
  async function members(slackId: string): Promise<string[]> {
    const group = await client.getGroup(slackId, { withMembers: true }, slack.call());
    return (group?.members ?? []).map((member) => member.slackId);
  }
  const change = (slackId: string, remove: readonly string[], add: readonly string[], seconds?: number) =>
    client.changeGroupMembers(slackId, { remove, add }, slack.call(seconds));

  it('are made, renamed, changed and deleted', async () => {
    const draft = { name: 'Night shift', memberSlackIds: [idOf('barbara.liskov')] };
    const group = await client.createGroup(draft, slack.call());
    expect(group).toMatchObject({ name: 'Night shift', members: [{ name: 'Barbara Liskov' }] });
    const { slackId = '' } = group ?? {};
    await change(slackId, [idOf('barbara.liskov')], [idOf('edsger.dijkstra'), idOf('margaret.hamilton')]);
    expect(await members(slackId)).toEqual([idOf('edsger.dijkstra'), idOf('margaret.hamilton')]);
    await client.changeGroupMembers(slackId, { replaceWith: [idOf('nina.rossi')] }, slack.call());
    expect(await members(slackId)).toEqual([idOf('nina.rossi')]);
    await client.changeGroupMembers(slackId, { replaceWith: [] }, slack.call());
    expect(await members(slackId)).toEqual([]);
    await client.renameGroup(slackId, 'Day shift', slack.call());
    expect(await groupId('day shift')).toBe(slackId);
    await client.deleteGroup(slackId, slack.call());
    expect(await client.getGroup(slackId, { withMembers: true }, slack.call())).toBeUndefined();
  });

  it.each([
    [{ groupPatchStatus: 204 as const }],
    [{ errorStyle: 'old' as const }],
    [{ filterAttributes: [] }],
    [{ excludedAttributesHeeded: true }],
  ])('are the same whatever Slack turns out to do: %j', async (switches) => {
    Object.assign(slack.simulator.switches, switches);
    const slackId = await groupId('Engineering');
    await change(slackId, [idOf('barbara.liskov')], [idOf('margaret.hamilton')]);
    expect(await members(slackId)).toEqual([idOf('edsger.dijkstra'), idOf('margaret.hamilton')]);
    await expect(change(slackId, [], ['U0NOBODY'])).rejects.toBeInstanceOf(GroupMembersRefused);
    expect(await client.findGroups('Engineers', slack.call())).toEqual([]);
  });

  it('refuse what Slack refuses, in words of their own', async () => {
    const slackId = await groupId('Engineering');
    const refused = await change(slackId, [], [idOf('felix.braun')]).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'GROUP_MEMBER_REFUSED', reason: 'DEACTIVATED_OR_GUEST' });
    const automatic = await groupId('Team Admins');
    await expect(change(automatic, [], [idOf('barbara.liskov')])).rejects.toBeInstanceOf(ProtectedGroup);
    await expect(client.renameGroup(automatic, 'x', slack.call())).rejects.toBeInstanceOf(ProtectedGroup);
    await expect(client.deleteGroup('S0NONE', slack.call())).rejects.toBeInstanceOf(NotFound);
    await expect(client.deleteGroup('..', slack.call())).rejects.toBeInstanceOf(NotFound);
    slack.simulator.switches.userGroupMemberLimit = 2;
    await expect(change(slackId, [], [idOf('margaret.hamilton')])).rejects.toBeInstanceOf(GroupLimit);
    await change(slackId, [idOf('barbara.liskov')], [idOf('margaret.hamilton')]);
    const enterprise = slack.client('enterprise-owner');
    const linked = await groupId('Berlin Office', enterprise);
    await expect(enterprise.deleteGroup(linked, slack.call())).rejects.toBeInstanceOf(GroupLinkedToChannels);
  });

  it('are written once at a time: the lock is waited for, and told when the time is over', async () => {
    const slackId = await groupId('Engineering');
    const path = `/Groups/${slackId}`;
    slack.simulator.faults.add({
      kind: 'slackError',
      error: 'resource_locked',
      match: { method: 'PATCH', path },
      times: 3,
    });
    await change(slackId, [], [idOf('margaret.hamilton')]);
    expect(await members(slackId)).toContain(idOf('margaret.hamilton'));
    slack.simulator.faults.add({ kind: 'slackError', error: 'resource_locked', match: { path }, times: 'always' });
    await expect(change(slackId, [], [idOf('nina.rossi')], 5)).rejects.toBeInstanceOf(ResourceLocked);
    expect(await slack.edge.directory.budgetOf('SANDBOX:business-admin')).toEqual([]);
  });

  it('say that an answer was lost', async () => {
    for (const kind of ['resetAfter', 'resetBefore'] as const) {
      slack.simulator.faults.add({ kind, match: { method: 'POST', path: '/Groups' } });
      const creation = client.createGroup({ name: 'Lost', memberSlackIds: [] }, slack.call());
      await expect(creation).rejects.toBeInstanceOf(UpstreamOutcomeUnknown);
    }
    expect(await client.findGroups('Lost', slack.call())).toHaveLength(1);
    slack.simulator.faults.add({ kind: 'garbage', match: { method: 'POST', path: '/Groups' } });
    expect(await client.createGroup({ name: 'Garbled', memberSlackIds: [] }, slack.call())).toBeUndefined();
  });

  it('come page by page, with members at most fifty at a time', async () => {
    for (let index = 0; index < 60; index += 1) {
      await client.createGroup({ name: `Group ${index}`, memberSlackIds: [] }, slack.call());
    }
    const withMembers = await client.listGroups({ startIndex: 1, count: 1000, withMembers: true }, slack.call());
    expect([withMembers.entryCount, withMembers.totalResults]).toEqual([50, 63]);
    const without = await client.listGroups({ startIndex: 1, count: 1000, withMembers: false }, slack.call());
    expect(without.entryCount).toBe(63);
    const beyond = await client.listGroups({ startIndex: 64, count: 10, withMembers: true }, slack.call());
    expect(beyond).toMatchObject({ groups: [], entryCount: 0 });
  });
});
