import fc from 'fast-check';
import { evaluate } from '../../../src/domain/mapping/evaluation';
import type { Condition } from '../../../src/domain/mapping/expression';
import { mapPerson } from '../../../src/domain/mapping/mapped-person';
import type { MappingDefinition } from '../../../src/domain/mapping/mapping';
import type { SourceRecord } from '../../../src/domain/mapping/source-record';
import { aMapping, aRecord } from '../../support/mappings';

// The same inputs in every run.
fc.configureGlobal({ seed: 1815 });

const path = ['input', 'record'];
const email = { field: 'email' };
const isIn = (department: string): Condition => ({ equals: { field: 'department', value: department } });
const literal = (text: string) => ({ literal: text });

describe('a mapped person', () => {
  it('is the same for the same mapping and record, whatever both are, or is refused with reasons', () => {
    fc.assert(
      fc.property(aMapping, aRecord, (mapping, record) => {
        const person = mapPerson(mapping, record, path);
        expect(mapPerson(structuredClone(mapping), structuredClone(record), path)).toEqual(person);
        if (person.problems.length === 0) expect(person.user.email).toMatch(/@/);
        for (const problem of person.problems) expect(problem.path?.slice(0, 2)).toEqual(path);
      }),
      { numRuns: 150 },
    );
  });

  it('is explained by the first matching rule that gives a value, and by all that give groups', () => {
    fc.assert(
      fc.property(aMapping, aRecord, (mapping, record) => {
        const { fields, rules, groups, account } = mapPerson(mapping, record, path);
        const matching = (mapping.rules ?? []).filter((_, index) => rules[index]?.matched);
        const named = [...new Set(matching.flatMap((rule) => (rule.groups ?? []).map((by) => JSON.stringify(by))))];
        expect(groups.map((by) => JSON.stringify(by)).sort()).toEqual(named.sort());
        expect(account).toBe(matching.find((rule) => rule.account)?.account);

        const givesUserType = matching.find(
          ({ userType }) => userType && 'value' in evaluate(userType, record).outcome,
        );
        const explanation = fields.find(({ field }) => field === 'userType');
        if (givesUserType && !explanation?.absence) expect(explanation?.rule).toBe(givesUserType.name);
        for (const { field, rule } of fields) {
          const givers = rules.filter(({ gave }) => gave.includes(field)).map(({ name }) => name);
          expect(givers).toEqual(rule === undefined ? [] : [rule]);
        }
      }),
      { numRuns: 100 },
    );
  });

  const mapping: MappingDefinition = {
    fields: { email, userType: literal('Employee'), guestExpiresAt: literal('2030-12-31') },
    rules: [
      { name: 'Sales', when: isIn('Sales'), groups: [{ name: 'Sales' }, { name: 'Everybody' }] },
      { name: 'Agency', when: { exists: { field: 'agency' } }, account: 'GUEST', userType: { field: 'agency.role' } },
      {
        name: 'All',
        groups: [{ name: 'everybody' }, { slackId: 'S1' }],
        account: 'MEMBER',
        userType: { firstNonEmpty: [{ field: 'kind' }] },
        profileFields: [{ key: 'role', value: { field: 'role' } }],
      },
    ],
  };
  const mapped = (record: SourceRecord) => mapPerson(mapping, { email: 'ada@example.com', ...record }, path);

  it('gets the groups of all rules that match, each once whatever the case', () => {
    expect(mapped({ department: 'sales' }).groups).toEqual([
      { name: 'Sales' },
      { name: 'Everybody' },
      { slackId: 'S1' },
    ]);
    expect(mapped({}).groups).toEqual([{ name: 'everybody' }, { slackId: 'S1' }]);
  });

  it('leaves the groups that rules name and do not give, if the mapping says so', () => {
    const leaving = (record: SourceRecord) =>
      mapPerson({ ...mapping, leaveUnmatchedGroups: true }, { email: 'ada@example.com', ...record }, path).leaves;
    expect(leaving({})).toEqual([{ name: 'Sales' }]);
    expect(leaving({ department: 'Sales' })).toEqual([]);
    expect(mapped({}).leaves).toEqual([]);
  });

  it('is a guest or a member as the first matching rule says, with the end that the fields give', () => {
    expect(mapped({ agency: 'X' })).toMatchObject({
      account: 'GUEST',
      user: { guest: { expiresAt: new Date('2030-12-31') } },
    });
    expect(mapped({})).toMatchObject({ account: 'MEMBER', user: { guest: null } });
    const undecided = mapPerson({ fields: { email } }, { email: 'ada@example.com' }, path);
    expect(undecided.account).toBeUndefined();
    expect(undecided.user).toEqual({ email: 'ada@example.com' });
  });

  it('takes a text of the first matching rule that gives one, and otherwise what the field says', () => {
    const userTypeOf = (record: SourceRecord) => {
      const { user, fields } = mapped(record);
      return [user.userType, fields.find(({ field }) => field === 'userType')?.rule];
    };
    expect(userTypeOf({ agency: { role: 'Freelancer' }, kind: 'Intern' })).toEqual(['Freelancer', 'Agency']);
    expect(userTypeOf({ agency: { name: 'X' }, kind: 'Intern' })).toEqual(['Intern', 'All']);
    expect(userTypeOf({})).toEqual(['Employee', undefined]);
    expect(mapped({ role: 'Lead' }).user.profileFields).toEqual([{ key: 'role', value: 'Lead' }]);
    expect(mapped({}).user.profileFields).toBeUndefined();
  });

  it.each<[string, MappingDefinition['fields'], SourceRecord, string, string[]]>([
    ['no address', { email }, {}, 'email', ['email']],
    ['no usable address', { email }, { email: 'ada' }, 'email', ['email']],
    ['an object for a text', { email, title: { field: 'job' } }, { job: { title: 'x' } }, 'title', ['job']],
    ['a name with an @', { email, displayName: { field: 'nick' } }, { nick: '@ada' }, 'displayName', ['nick']],
    [
      'a long text of two attributes',
      { email, title: { join: { parts: [{ field: 'a' }, { field: 'b' }] } } },
      { a: 'x'.repeat(1000), b: 'y' },
      'title',
      [],
    ],
    ['line breaks', { email, department: { field: 'unit' } }, { unit: 'a\nb' }, 'department', ['unit']],
    ['no date', { email, startDate: { field: 'hired' } }, { hired: '31.12.2026' }, 'startDate', ['hired']],
    [
      'a manager by another name than an id',
      { email, managerSlackId: { field: 'boss' } },
      { boss: 'Grace' },
      'managerSlackId',
      ['boss'],
    ],
    [
      'a photo that is no address',
      { email, photoUrl: { field: 'photo' } },
      { photo: 'file:///x' },
      'photoUrl',
      ['photo'],
    ],
    [
      'a long value of a profile field',
      { email, profileFields: [{ key: 'role', value: { field: 'role' } }] },
      { role: 'x'.repeat(1001) },
      'profileFields.role',
      ['role'],
    ],
  ])('is refused with %s, at the attribute that was read', (_, fields, record, field, place) => {
    const given = field === 'email' ? record : { email: 'ada@example.com', ...record };
    const { problems } = mapPerson({ fields }, given, path);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.path).toEqual([...path, ...place]);
    expect(problems[0]?.message).toContain(`\`${field}\``);
  });
});
