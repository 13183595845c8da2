import type { DirectoryUser } from '../../../src/domain/directory/user';
import { readUser } from '../../../src/slack/user-reading';
import { aList, aWireUser, jsonHeaders, makeRig, type Rig, SCIM, TOKEN } from './support';

function aUser(id: string, members: object = {}): DirectoryUser {
  const user = readUser(aWireUser(id, members));
  if (user === undefined) throw new Error('The sample is no user');
  return user;
}

describe('ScimClient', () => {
  let rig: Rig;
  beforeEach(() => {
    rig = makeRig();
  });
  afterEach(async () => {
    rig.agent.assertNoPendingInterceptors();
    await rig.agent.close();
  });

  it('probes with the cheapest list, with the token in the header alone', async () => {
    let seen: { path: string; headers: unknown } | undefined;
    rig.agent
      .get(SCIM)
      .intercept({ path: '/scim/v2/Users?startIndex=1&count=1', method: 'GET' })
      .reply(
        200,
        (request) => {
          seen = { path: request.path, headers: request.headers };
          return aList([]);
        },
        jsonHeaders,
      );
    await rig.client.probe(rig.call());
    expect(seen?.path).not.toContain(TOKEN);
    expect(seen?.headers).toMatchObject({ authorization: `Bearer ${TOKEN}` });
    expect(rig.tokens.leasedFor).toEqual(['connection.verify']);
  });

  it('puts SCIM paths under the path of a base URL that has one', async () => {
    rig.agent.get(SCIM).intercept({ path: '/gov/scim/v2/Users/U1' }).reply(200, aWireUser('U1'), jsonHeaders);
    const client = rig.edge.directory.for({ ...rig.target, environment: 'GOV' });
    await expect(client.getUser('U1', rig.call())).resolves.toMatchObject({ slackId: 'U1' });
  });

  it('answers undefined for a person that Slack does not know, whatever the body of the 404', async () => {
    const pool = rig.agent.get(SCIM);
    pool.intercept({ path: '/scim/v2/Users/U1' }).reply(404, '');
    pool.intercept({ path: '/scim/v2/Users/U2' }).reply(404, { detail: 'no_such_user', status: 404 }, jsonHeaders);
    pool.intercept({ path: '/scim/v2/Users/U3' }).reply(404, { status: '404', detail: 'Resource U3 not found' });
    for (const id of ['U1', 'U2', 'U3']) {
      await expect(rig.client.getUser(id, rig.call())).resolves.toBeUndefined();
    }
  });

  it('never lets an id leave its path segment', async () => {
    rig.agent.get(SCIM).intercept({ path: '/scim/v2/Users/a%2F..%2Fb' }).reply(404, '');
    await expect(rig.client.getUser('a/../b', rig.call())).resolves.toBeUndefined();
    await expect(rig.client.getUser('..', rig.call())).resolves.toBeUndefined();
    await expect(rig.client.getUser('', rig.call())).resolves.toBeUndefined();
  });

  it('creates a person with the documented body', async () => {
    let body: unknown;
    rig.agent
      .get(SCIM)
      .intercept({ path: '/scim/v2/Users', method: 'POST' })
      .reply(
        201,
        (request) => {
          body = JSON.parse(String(request.body));
          return aWireUser('U9');
        },
        jsonHeaders,
      );
    const created = await rig.client.createUser({ email: 'u9@example.com', userName: 'u9' }, rig.call());
    expect(created?.slackId).toBe('U9');
    expect(body).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: 'u9',
      emails: [{ value: 'u9@example.com', type: 'work', primary: true }],
      active: true,
    });
    expect(rig.tokens.leasedFor).toEqual(['user.provision']);
  });

  it('deactivates with a boolean, under the action that the caller names', async () => {
    let body: unknown;
    rig.agent
      .get(SCIM)
      .intercept({ path: '/scim/v2/Users/U1', method: 'PATCH' })
      .reply(204, (request) => {
        body = JSON.parse(String(request.body));
        return '';
      });
    const extra = { active: false, action: 'user.deprovision' } as const;
    await expect(rig.client.updateUser(aUser('U1'), {}, extra, rig.call())).resolves.toBeUndefined();
    expect(body).toMatchObject({ Operations: [{ op: 'replace', path: 'active', value: false }] });
    expect(rig.tokens.leasedFor).toEqual(['user.deprovision']);
  });

  it('sends nothing when there is nothing to change', async () => {
    const current = aUser('U1');
    await expect(rig.client.updateUser(current, {}, { action: 'user.update' }, rig.call())).resolves.toBe(current);
    expect(rig.tokens.leasedFor).toEqual([]);
  });

  it('replaces the whole account where PATCH is not offered, and remembers it', async () => {
    const stored = aWireUser('U1', { externalId: 'kept', title: 'Lead', meta: { version: 'x' } });
    const pool = rig.agent.get(SCIM);
    const bodies: unknown[] = [];
    pool.intercept({ path: '/scim/v2/Users/U1', method: 'PATCH' }).reply(501, { status: '501' });
    pool.intercept({ path: '/scim/v2/Users/U1', method: 'GET' }).reply(200, stored, jsonHeaders).times(2);
    pool
      .intercept({ path: '/scim/v2/Users/U1', method: 'PUT' })
      .reply(
        200,
        (request) => {
          bodies.push(JSON.parse(String(request.body)));
          return stored;
        },
        jsonHeaders,
      )
      .times(2);
    const current = aUser('U1', { title: 'Lead' });
    await rig.client.updateUser(current, { displayName: 'One' }, { action: 'user.update' }, rig.call());
    await rig.client.updateUser(current, { title: null }, { active: false, action: 'user.deprovision' }, rig.call());
    expect(bodies[0]).toMatchObject({ externalId: 'kept', displayName: 'One', title: 'Lead', active: true });
    expect(bodies[1]).toMatchObject({ externalId: 'kept', active: false });
    expect(bodies[1]).not.toHaveProperty('title');
    expect(bodies[1]).not.toHaveProperty('meta');
  });

  it('deletes in order to deactivate only where neither PATCH nor PUT is offered', async () => {
    const pool = rig.agent.get(SCIM);
    pool.intercept({ path: '/scim/v2/Users/U1', method: 'PATCH' }).reply(405, '');
    pool.intercept({ path: '/scim/v2/Users/U1', method: 'GET' }).reply(200, aWireUser('U1'), jsonHeaders);
    pool.intercept({ path: '/scim/v2/Users/U1', method: 'PUT' }).reply(405, '');
    pool.intercept({ path: '/scim/v2/Users/U1', method: 'DELETE' }).reply(204, '');
    const extra = { active: false, action: 'user.deprovision' } as const;
    await expect(rig.client.updateUser(aUser('U1'), {}, extra, rig.call())).resolves.toBeUndefined();
  });
});
