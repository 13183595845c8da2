import { ManualClock } from '../../../src/simulator/clock';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { copyPerson } from '../../../src/simulator/world/person';
import { codeOf, errorText, resourcesOf, SimulatorClient } from '../../support/simulator-client';

let simulator: Simulator;
let slack: SimulatorClient;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'lists', clock: new ManualClock(), switches: { limitsEnabled: false } });
  slack = new SimulatorClient(simulator);
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.stop());

const errorOf = async (resource: 'Users' | 'Groups', filter: string) => {
  const answer = await slack.list(resource, { filter });
  return [answer.status, errorText(answer.json)];
};

describe('pages', () => {
  it('hold ten people unless asked, in the order of creation, bots and deactivated people included', async () => {
    const first = (await slack.list('Users')).json;
    expect(Object.keys(first)).toEqual(['schemas', 'Resources', 'totalResults', 'itemsPerPage', 'startIndex']);
    expect(first).toMatchObject({ totalResults: 15, itemsPerPage: 10, startIndex: 1 });
    const second = (await slack.list('Users', { startIndex: '11' })).json;
    expect(second).toMatchObject({ totalResults: 15, itemsPerPage: 5, startIndex: 11 });
    const names = [...resourcesOf(first), ...resourcesOf(second)].map(({ userName }) => userName);
    expect(names).toEqual(
      [...simulator.world.organization('business').people.values()].map(({ userName }) => userName),
    );
    expect(names).toEqual(expect.arrayContaining(['helpdesk_bot', 'felix.braun']));
  });

  it.each([
    [{ startIndex: '0' }, 1, 10],
    [{ startIndex: '-5' }, 1, 10],
    [{ startIndex: '16' }, 16, 0],
    [{ count: '0' }, 1, 0],
    [{ count: '-1' }, 1, 0],
    [{ count: 'many', startIndex: 'first' }, 1, 10],
    [{ count: '5000' }, 1, 15],
  ])('answer %j with startIndex %i and %i entries', async (query, startIndex, itemsPerPage) => {
    const { json } = await slack.list('Users', query);
    expect(json).toMatchObject({ totalResults: 15, startIndex, itemsPerPage });
    expect(json.Resources).toHaveLength(itemsPerPage);
  });

  it('refuse a sort order that is none', async () => {
    expect(codeOf(await slack.list('Users', { sortOrder: 'sideways' }))).toBe('invalid_sort_order');
  });

  it('are cut at a thousand, and cheap for ten thousand people', async () => {
    const organization = simulator.world.organization('business');
    const someone = slack.person('barbara.liskov');
    for (let index = 0; index < 10_000; index += 1) {
      organization.addPerson({
        ...copyPerson(someone),
        id: `U0BULK${index}`,
        userName: `bulk.${index}`,
        primaryEmail: `bulk.${index}@x.example`,
      });
    }
    const before = process.cpuUsage();
    const { json } = await slack.list('Users', { count: '2000', startIndex: '5001' });
    expect(json).toMatchObject({ totalResults: 10_015, itemsPerPage: 1000 });
    for (let index = 0; index < 100; index += 1)
      await slack.list('Users', { count: '1', filter: `userName eq "bulk.${index}"` });
    // Processor time, as other work on the machine must not decide. Scanning for every look-up would take a multiple.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(5000);
  });
});

describe('filters', () => {
  it.each([
    ['userName eq "barbara.liskov"', ['barbara.liskov']],
    ['USERNAME EQ "Barbara.Liskov"', ['barbara.liskov']],
    ['email eq "barbara.liskov@northwind.example"', ['barbara.liskov']],
    ['emails eq "BARBARA.LISKOV@northwind.example"', ['barbara.liskov']],
    ['emails.value eq "felix.braun@northwind.example"', ['felix.braun']],
    ['email eq barbara.liskov@northwind.example', ['barbara.liskov']],
    ['userName sw "bar"', ['barbara.liskov']],
    ['userName co "liskov"', ['barbara.liskov']],
    ['userName eq "nobody"', []],
    ['userName pr and email co "bots"', ['helpdesk_bot']],
    ["restricted eq '1'", ['nina.rossi']],
    ['restricted eq 1', ['nina.rossi']],
    ["ultra_restricted eq '1'", []],
    ['userName eq "barbara.liskov" or userName eq "ada.lovelace"', ['ada.lovelace', 'barbara.liskov']],
    ['(userName sw "a" or userName sw "b") and userName co "lisk"', ['barbara.liskov']],
    ['userName sw "a" or userName sw "b" and userName co "lisk"', ['ada.lovelace', 'barbara.liskov']],
    ['userName ge "rosa" and userName lt "sb"', ['sam.okafor', 'rosa.lima', 'rune.dahl']],
    ['userName gt "sam.okafor"', []],
    ['userName le "ada.lovelace"', ['ada.lovelace']],
  ])('find by %s', async (filter, userNames) => {
    expect(await slack.filter('Users', filter)).toEqual(userNames);
  });

  it('find single-channel guests where there are some', async () => {
    expect(await slack.as('enterprise-owner').filter('Users', "ultra_restricted eq '1'")).toEqual(['sina.weber']);
  });

  it('find groups by name', async () => {
    expect(await slack.filter('Groups', 'displayName eq "engineering"')).toEqual(['Engineering']);
    expect(await slack.filter('Groups', 'displayName co "o"')).toEqual(['Operations']);
  });

  it.each([
    ['foo', 'no_filters (is_aggregate_call=1)'],
    ['active eq true', 'no_filters (is_aggregate_call=1)'],
    ['displayName eq "Barbara"', 'no_filters (is_aggregate_call=1)'],
    ['', 'incomplete_filter'],
    ['userName', 'incomplete_filter'],
    ['userName eq', 'incomplete_filter'],
    ['userName  eq "two blanks"', 'incomplete_filter'],
    ['userName eq "open', 'incomplete_filter'],
    ['userName eq "a" and', 'incomplete_filter'],
    ['userName eq "a" "b"', 'incomplete_filter'],
    ['(userName eq "a"', 'invalid_filter_group'],
    ['userName eq "a")', 'invalid_filter_group'],
    ['userName ne "a"', 'invalid_query'],
    ['userName ew "a"', 'invalid_query'],
  ])('that read "%s" are refused', async (filter, text) => {
    expect(await errorOf('Users', filter)).toEqual([400, text]);
  });

  it('of users do not work on groups, with whatever count', async () => {
    expect(await errorOf('Groups', 'userName eq "a"')).toEqual([400, 'no_filters (is_aggregate_call=1)']);
    expect(errorText((await slack.list('Groups', { filter: 'foo', count: '-1' })).json)).toBe(
      'no_filters (is_aggregate_call=1)',
    );
  });

  it('refuse spellings that are switched off', async () => {
    simulator.switches.filterAttributes = ['username', 'email'];
    expect(await errorOf('Users', 'emails.value eq "a@x.example"')).toEqual([400, 'no_filters (is_aggregate_call=1)']);
    expect(await slack.filter('Users', 'email eq "ada.lovelace@northwind.example"')).toEqual(['ada.lovelace']);
  });

  it('page as other lists do', async () => {
    const { json } = await slack.list('Users', { filter: 'userName pr', count: '1', startIndex: '2' });
    expect(json).toMatchObject({ totalResults: 15, itemsPerPage: 1, startIndex: 2 });
  });
});
