import { membershipOperations } from '../../../src/slack/group.client';
import { readGroup } from '../../../src/slack/group-reading';
import { aList, jsonHeaders, makeRig, SCIM } from './support';

const value = (...ids: string[]) => ids.map((id) => ({ value: id }));

describe('the operations that change members', () => {
  it('name those who leave in one list for Slack', () => {
    const change = { remove: ['U1', 'U2'], add: ['U3'] };
    expect(membershipOperations(change, { isStandardServer: false })).toEqual([
      { op: 'remove', path: 'members', value: value('U1', 'U2') },
      { op: 'add', path: 'members', value: value('U3') },
    ]);
  });

  it('name them one by one for a standard server, which may overlook a list and empty the group', () => {
    const change = { remove: ['a"b', 'c'], add: [] };
    expect(membershipOperations(change, { isStandardServer: true })).toEqual([
      { op: 'remove', path: 'members[value eq "a\\"b"]' },
      { op: 'remove', path: 'members[value eq "c"]' },
    ]);
  });

  it.each([true, false])(
    'never remove a list of nobody, which would empty the group (standard server: %s)',
    (isStandardServer) => {
      expect(membershipOperations({ remove: [], add: ['U1'] }, { isStandardServer })).toEqual([
        { op: 'add', path: 'members', value: value('U1') },
      ]);
      expect(membershipOperations({ remove: [], add: [] }, { isStandardServer })).toEqual([]);
    },
  );

  it('replace everybody at once, and empty a group without a list', () => {
    const style = { isStandardServer: false };
    expect(membershipOperations({ replaceWith: ['U1'] }, style)).toEqual([
      { op: 'replace', path: 'members', value: value('U1') },
    ]);
    expect(membershipOperations({ replaceWith: [] }, style)).toEqual([{ op: 'remove', path: 'members' }]);
  });
});

describe('a group on the wire', () => {
  it('has members once each, without groups among them', () => {
    const members = [
      { value: 'U1', display: 'Ada' },
      { value: 'U1' },
      { value: 'G1', type: 'Group' },
      { display: 'x' },
      null,
    ];
    expect(readGroup({ id: 'S1', displayName: 'Team', members }, { withMembers: true })).toMatchObject({
      slackId: 'S1',
      name: 'Team',
      members: [{ slackId: 'U1' }],
    });
  });

  it('without the attribute has no members when they were asked for, and unknown ones when not', () => {
    expect(readGroup({ id: 'S1' }, { withMembers: true })?.members).toEqual([]);
    expect(readGroup({ id: 'S1' }, { withMembers: false })?.members).toBeUndefined();
    expect(readGroup({ id: 'S1', members: [{ value: 'U1' }] }, { withMembers: false })?.members).toHaveLength(1);
    expect(readGroup({ displayName: 'No id' }, { withMembers: true })).toBeUndefined();
  });
});

describe('looking a group up by name', () => {
  const aGroup = (id: string, displayName: string) => ({ id, displayName, members: [] });
  const path = '/scim/v2/Groups';

  it('asks for the name and no members, and takes the answer when everything in it fits', async () => {
    const rig = makeRig();
    const query = {
      startIndex: '1',
      count: '100',
      filter: 'displayName eq "A \\"B\\""',
      excludedAttributes: 'members',
    };
    rig.agent
      .get(SCIM)
      .intercept({ path, query })
      .reply(200, aList([aGroup('S1', 'a "b"')]), jsonHeaders);
    expect(await rig.client.findGroups('A "B"', rig.call())).toMatchObject([{ slackId: 'S1' }]);
    expect(rig.tokens.leasedFor).toEqual(['group.read']);
    rig.agent.assertNoPendingInterceptors();
  });

  it('walks the list when the server does not look at the filter, so that no namesake is overlooked', async () => {
    const rig = makeRig();
    const everybody = [aGroup('S1', 'Team'), aGroup('S2', 'Other'), aGroup('S3', 'TEAM')];
    rig.agent
      .get(SCIM)
      .intercept({ path: /^\/scim\/v2\/Groups\?/ })
      .reply(200, aList(everybody), jsonHeaders)
      .times(2);
    const found = await rig.client.findGroups('team', rig.call());
    expect(found.map(({ slackId }) => slackId)).toEqual(['S1', 'S3']);
  });
});

describe('a server that refuses to leave members out', () => {
  it('is asked without, and from then on so at once', async () => {
    const rig = makeRig();
    const pool = rig.agent.get(SCIM);
    const path = '/scim/v2/Groups/S1';
    const group = { id: 'S1', displayName: 'Team', members: [{ value: 'U1' }] };
    pool
      .intercept({ path, query: { excludedAttributes: 'members' } })
      .reply(400, { detail: 'invalid_query' }, jsonHeaders);
    pool.intercept({ path }).reply(200, group, jsonHeaders).times(2);
    for (let round = 0; round < 2; round += 1) {
      expect(await rig.client.getGroup('S1', { withMembers: false }, rig.call())).toMatchObject({ name: 'Team' });
    }
    rig.agent.assertNoPendingInterceptors();
  });
});

describe('429 on a group', () => {
  const request = { path: '/scim/v2/Groups/S1', method: 'PATCH' };
  const refusal = (detail: string) => ({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    detail,
    status: 429,
  });

  it('that says "locked" stops this call alone; any other stops the writes on all groups', async () => {
    const rig = makeRig();
    const blocked = async () =>
      (await rig.edge.directory.budgetOf('T1')).filter(({ blockedUntil }) => blockedUntil !== undefined);
    const pool = rig.agent.get(SCIM);
    const after = { headers: { ...jsonHeaders.headers, 'retry-after': '2' } };
    pool.intercept(request).reply(429, refusal('resource_locked'), after);
    pool.intercept(request).reply(204);
    const first = rig.client.changeGroupMembers('S1', { remove: [], add: ['U1'] }, rig.call());
    await rig.clock.runUntil(first);
    expect(await blocked()).toEqual([]);

    pool
      .intercept(request)
      .reply(429, refusal('too_many_requests'), { headers: { ...jsonHeaders.headers, 'retry-after': '60' } });
    const second = rig.client.changeGroupMembers('S1', { remove: [], add: ['U1'] }, rig.call());
    await expect(rig.clock.runUntil(second)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: 60 });
    expect(await blocked()).toMatchObject([{ endpointClass: 'groups.update' }]);
  });
});
