import { storePhones } from '../../../src/simulator/scim/phone';

describe('phone numbers', () => {
  it.each([
    ['no type and no primary', [{ value: '1' }], { primaryPhone: '1' }],
    ['primary', [{ value: '1', primary: true }], { primaryPhone: '1' }],
    ['type mobile', [{ value: '1', type: 'mobile' }], { primaryPhone: '1' }],
    ['type work', [{ value: '1', type: 'work' }], { mobilePhone: '1' }],
    ['not primary, alone', [{ value: '1', primary: false }], { primaryPhone: '1' }],
    [
      'untyped beside a primary one',
      [{ value: '1' }, { value: '2', primary: true }],
      { mobilePhone: '1', primaryPhone: '2' },
    ],
    ['two untyped ones', [{ value: '1' }, { value: '2' }], { primaryPhone: '1', mobilePhone: '2' }],
    [
      'work and mobile',
      [
        { value: 'A', type: 'work' },
        { value: 'B', type: 'mobile' },
      ],
      { mobilePhone: 'A', primaryPhone: 'B' },
    ],
    [
      'an answer sent back',
      [
        { value: 'A', type: 'mobile' },
        { value: 'B', primary: true },
      ],
      { primaryPhone: 'B' },
    ],
    ['a type without a slot', [{ value: '1', type: 'fax' }], {}],
    ['nothing', [], {}],
  ])('with %s go to their slots', (_case, entries, slots) => {
    expect(storePhones(entries)).toEqual(slots);
  });
});
