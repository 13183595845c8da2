import { actions, requirementOf } from '../../../src/domain/connections/scopes';
import { budgetClasses, pathOf, rowLimits, scimEndpoints, webApiMethods } from '../../../src/slack/endpoints';

describe('the table of endpoints', () => {
  it.each(Object.entries(scimEndpoints))(
    '%s needs a known action, whose scopes a person must have granted',
    (_, endpoint) => {
      expect(actions).toContain(endpoint.action);
      expect(requirementOf(endpoint.action).requiredScopes).toEqual(['admin']);
    },
  );

  it.each(Object.entries(scimEndpoints))('%s counts in the rows of its verb', (_, endpoint) => {
    const rows: readonly string[] = budgetClasses[endpoint.budgetClass];
    expect(rows.at(-1)).toBe(endpoint.method === 'GET' ? 'reads' : 'writes');
    for (const row of rows) expect(rowLimits).toHaveProperty([row]);
  });

  it.each(Object.entries(scimEndpoints))('%s has a path under which one id is one segment', (_, endpoint) => {
    const path = pathOf(endpoint, 'U1/../x?y#z');
    expect(path).toBe(endpoint.path.replace('{id}', 'U1%2F..%2Fx%3Fy%23z'));
  });

  it('keeps a replacement pattern in an id from being read as one', () => {
    expect(pathOf(scimEndpoints.getUser, '$&')).toBe('/Users/%24%26');
  });

  it("holds Slack's numbers", () => {
    expect(rowLimits).toEqual({
      reads: { limitPerMinute: 1000, burst: 1000 },
      writes: { limitPerMinute: 600, burst: 180 },
      'users.get': { limitPerMinute: 300, burst: 300 },
      'users.create': { limitPerMinute: 180, burst: 20 },
      'users.update': { limitPerMinute: 180, burst: 20 },
      'users.delete': { limitPerMinute: 180, burst: 20 },
      'groups.get': { limitPerMinute: 300, burst: 300 },
      'groups.create': { limitPerMinute: 180, burst: 20 },
      'groups.update': { limitPerMinute: 180, burst: 80 },
      'groups.delete': { limitPerMinute: 180, burst: 20 },
    });
  });

  it('calls the Web API only to identify and to revoke', () => {
    expect(Object.values(webApiMethods)).toEqual(['auth.test', 'auth.revoke']);
  });
});
