import type { UserChanges } from '../../../src/domain/directory/user';
import { readUser } from '../../../src/slack/user-reading';
import { replacementBody } from '../../../src/slack/user-replacement';
import { isObject, urns } from '../../../src/slack/wire';
import { aWireUser } from './support';

const END = '2030-11-30T23:59:59.000Z';

/** The body of a PUT for an account that shows this guest extension. */
function bodyFor(extension: object | undefined, changes: UserChanges): object {
  const resource = aWireUser('U1', extension === undefined ? {} : { [urns.guest]: extension });
  const current = readUser(resource);
  if (current === undefined || !isObject(resource)) throw new Error('The sample is no user');
  return replacementBody(resource, changes, { current, isStandardServer: false });
}

describe('replacementBody', () => {
  it.each<[string, object | undefined, UserChanges, object | undefined]>([
    ['makes a guest', undefined, { guest: { expiresAt: new Date(END) } }, { type: 'multi', expiration: END }],
    ['makes a guest without an end', undefined, { guest: {} }, { type: 'multi' }],
    ['takes the end away', { type: 'multi', expiration: END }, { guest: { expiresAt: null } }, { type: 'multi' }],
    ['keeps a guest as it is', { type: 'multi', expiration: END }, { title: 'X' }, { type: 'multi', expiration: END }],
    [
      'keeps the kind of a guest whose end changes',
      { type: 'single' },
      { guest: { expiresAt: new Date(END) } },
      { type: 'single', expiration: END },
    ],
    ['makes a member', { type: 'multi', expiration: END }, { guest: null }, undefined],
  ])('%s', (_, extension, changes, expected) => {
    const body = bodyFor(extension, changes);
    expect(Reflect.get(body, urns.guest)).toEqual(expected);
    const schemas: unknown = Reflect.get(body, 'schemas');
    expect(Array.isArray(schemas) && schemas.includes(urns.guest)).toBe(expected !== undefined);
  });
});
