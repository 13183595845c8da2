import { ManualClock } from '../../../src/simulator/clock';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { codeOf, guestUrn, SimulatorClient, userUrn } from '../../support/simulator-client';

const clock = new ManualClock();
let simulator: Simulator;
let slack: SimulatorClient;
let enterprise: SimulatorClient;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'users-lifecycle', clock, switches: { limitsEnabled: false } });
  slack = new SimulatorClient(simulator);
  enterprise = slack.as('enterprise-owner');
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.stop());

const isActive = async (client: SimulatorClient, id: string) => (await client.scim('GET', `/Users/${id}`)).json.active;
const setActive = (client: SimulatorClient, id: string, value: boolean) =>
  client.patch('Users', id, { op: 'replace', path: 'active', value });

describe('deactivation', () => {
  it('by DELETE answers 204 without a body, again and again', async () => {
    const { id } = slack.person('edsger.dijkstra');
    for (const _time of [1, 2]) {
      const answer = await slack.scim('DELETE', `/Users/${id}`);
      expect([answer.status, answer.text]).toEqual([204, '']);
    }
    expect(await isActive(slack, id)).toBe(false);
  });

  it('keeps the account in lists, with its name and address, and takes it out of groups', async () => {
    const { id } = slack.person('edsger.dijkstra');
    await setActive(slack, id, false);
    expect(await slack.filter('Users', 'email eq "edsger.dijkstra@northwind.example"')).toEqual(['edsger.dijkstra']);
    const groups = JSON.stringify((await slack.list('Groups')).json);
    expect(groups).not.toContain(id);
    await setActive(slack, id, true);
    expect(await isActive(slack, id)).toBe(true);
  });

  it('shows only after its delay, and a reactivation in the meantime cancels it', async () => {
    simulator.switches.deactivationDelayMs = 10_000;
    const { id } = slack.person('edsger.dijkstra');
    await slack.scim('DELETE', `/Users/${id}`);
    clock.advance(9999);
    expect(await isActive(slack, id)).toBe(true);
    clock.advance(1);
    expect(await isActive(slack, id)).toBe(false);
    await setActive(slack, id, true);
    await slack.scim('DELETE', `/Users/${id}`);
    await setActive(slack, id, true);
    clock.advance(20_000);
    expect(await isActive(slack, id)).toBe(true);
  });

  it('of the installer itself ends the token', async () => {
    const { id } = slack.person('ada.lovelace');
    expect((await slack.scim('DELETE', `/Users/${id}`)).status).toBe(204);
    expect((await slack.list('Users')).status).toBe(401);
    expect((await slack.call('POST', '/api/auth.test')).json.error).toBe('account_inactive');
  });

  it('takes an admin out of the automatic group', async () => {
    const { id } = slack.person('sam.okafor');
    await slack.scim('DELETE', `/Users/${id}`);
    const [admins] = (await slack.list('Groups', { filter: 'displayName eq "Team Admins"' })).json
      .Resources as object[];
    expect(JSON.stringify(admins)).not.toContain(id);
  });
});

describe('protected accounts', () => {
  const deactivate = async (client: SimulatorClient, userName: string) => {
    const answer = await client.scim('DELETE', `/Users/${client.person(userName).id}`);
    return [answer.status, codeOf(answer)];
  };
  const retitle = async (client: SimulatorClient, userName: string) => {
    const answer = await client.patch('Users', client.person(userName).id, {
      op: 'replace',
      path: 'title',
      value: 'x',
    });
    return [answer.status, codeOf(answer)];
  };

  it('cannot be changed by a token of lower rank', async () => {
    expect(await retitle(slack, 'owen.baker')).toEqual([403, 'cannot_modify_owner']);
    expect(await deactivate(slack, 'petra.vogel')).toEqual([403, 'cannot_modify_owner']);
    expect(await retitle(enterprise, 'olivia.brandt')).toEqual([403, 'permission_denied']);
  });

  it('can be changed by a token of the same rank', async () => {
    expect(await retitle(slack, 'sam.okafor')).toEqual([200, undefined]);
    expect(await retitle(enterprise, 'oscar.lindqvist')).toEqual([200, undefined]);
  });

  it('are deactivated by the primary owner alone when they are owners', async () => {
    expect(await deactivate(enterprise, 'oscar.lindqvist')).toEqual([403, 'cannot_modify_owner']);
    expect(await deactivate(slack.as('business-owner'), 'owen.baker')).toEqual([204, undefined]);
    expect(await deactivate(slack.as('business-owner'), 'petra.vogel')).toEqual([403, 'cannot_disable_primary_owner']);
  });

  it('cannot be deactivated when they are bots, by whatever verb', async () => {
    const { id } = slack.person('helpdesk_bot');
    expect(await deactivate(slack, 'helpdesk_bot')).toEqual([403, 'cannot_disable_bot_user_with_scim']);
    expect(codeOf(await setActive(slack, id, false))).toBe('cannot_disable_bot_user_with_scim');
    const body = { schemas: [userUrn], userName: 'helpdesk_bot', active: false };
    expect(codeOf(await slack.scim('PUT', `/Users/${id}`, body))).toBe('cannot_disable_bot_user_with_scim');
  });

  it('stay as they were after a refusal', async () => {
    const { id } = slack.person('helpdesk_bot');
    await slack.patch(
      'Users',
      id,
      { op: 'replace', path: 'title', value: 'x' },
      { op: 'replace', path: 'active', value: false },
    );
    expect((await slack.scim('GET', `/Users/${id}`)).json).toMatchObject({ title: '', active: true });
  });
});

describe('guests', () => {
  const multi = { type: 'multi', expiration: '2030-11-30T23:59:59Z' };
  const addGuest = (id: string, value: object = multi) =>
    enterprise.patch('Users', id, { op: 'add', path: guestUrn, value });
  const removeGuest = (id: string) => enterprise.patch('Users', id, { op: 'remove', path: guestUrn });

  it('come of members by adding the extension, and lose their groups', async () => {
    const { id } = enterprise.person('grace.hopper');
    const { json } = await addGuest(id);
    expect(json[guestUrn]).toEqual(multi);
    expect(json.groups).toEqual([]);
    expect(Object.keys(json).at(-1)).toBe(guestUrn);
    expect(await enterprise.filter('Users', "restricted eq '1'")).toContain('grace.hopper');
  });

  it('become members by removing it, and stay guests when only the end is removed', async () => {
    const { id } = enterprise.person('gil.moreau');
    const still = await enterprise.patch('Users', id, { op: 'remove', path: `${guestUrn}.expiration` });
    expect(still.json[guestUrn]).toEqual({ type: 'multi' });
    const member = await removeGuest(id);
    expect(member.json).not.toHaveProperty([guestUrn]);
  });

  it('are reactivated by either conversion', async () => {
    const { id } = enterprise.person('dana.novak');
    expect((await addGuest(id)).json.active).toBe(true);
    await enterprise.scim('DELETE', `/Users/${id}`);
    expect((await removeGuest(id)).json.active).toBe(true);
  });

  it('are not reactivated when the extension changes nothing, or when the request deactivates', async () => {
    const { id } = enterprise.person('gil.moreau');
    await enterprise.scim('DELETE', `/Users/${id}`);
    expect((await addGuest(id)).json.active).toBe(false);
    const both = await enterprise.patch(
      'Users',
      id,
      { op: 'remove', path: guestUrn },
      { op: 'replace', path: 'active', value: false },
    );
    expect(both.json.active).toBe(false);
  });

  it('keep type and end when a GET is sent back, and become members when PUT leaves the extension out', async () => {
    const { id } = enterprise.person('gil.moreau');
    const before = (await enterprise.scim('GET', `/Users/${id}`)).json;
    expect((await enterprise.scim('PUT', `/Users/${id}`, before)).json).toEqual(before);
    const endless = await enterprise.scim('PUT', `/Users/${id}`, { ...before, [guestUrn]: { type: 'multi' } });
    expect(endless.json[guestUrn]).toEqual({ type: 'multi' });
    const { [guestUrn]: _guest, ...member } = before;
    expect((await enterprise.scim('PUT', `/Users/${id}`, member)).json).not.toHaveProperty([guestUrn]);
  });

  it('never come of owners, nor on another plan, nor without a type or with an odd end', async () => {
    const owner = await addGuest(enterprise.person('oscar.lindqvist').id);
    expect([owner.status, codeOf(owner)]).toEqual([403, 'cannot_make_user_guest']);
    const plan = await slack.patch('Users', slack.person('barbara.liskov').id, {
      op: 'add',
      path: guestUrn,
      value: multi,
    });
    expect([plan.status, codeOf(plan)]).toEqual([403, 'plus_teams_only']);
    const { expiration } = multi;
    expect(codeOf(await addGuest(enterprise.person('gil.moreau').id, { expiration }))).toBe('invalid_request_payload');
    expect(codeOf(await addGuest(enterprise.person('grace.hopper').id, { type: 'multi', expiration: 'soon' }))).toBe(
      'invalid_attribute_format',
    );
  });
});
