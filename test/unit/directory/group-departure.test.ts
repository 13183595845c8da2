import { groupsToLeave } from '../../../src/domain/directory/group-departure';
import type { DirectoryUser } from '../../../src/domain/directory/user';

const user: DirectoryUser = {
  slackId: 'U1',
  userName: 'ada',
  active: true,
  emails: [{ value: 'ada@example.com', primary: true }],
  phoneNumbers: [],
  addresses: [],
  employment: {},
  profileFields: [],
  groups: [{ slackId: 'S1', name: 'Sales' }, { slackId: 'S2', name: 'Design' }, { slackId: 'S3' }],
};

describe('the groups that somebody leaves', () => {
  const leaving = (leaves: object[], keeps: object[] = []) =>
    groupsToLeave(user, { leaves, keeps } as Parameters<typeof groupsToLeave>[1]).map(({ slackId }) => slackId);

  it('are those that are named, by id or by name whatever the case, and that the person is in', () => {
    expect(leaving([{ name: ' sales' }, { slackId: 'S3' }, { name: 'Support' }, { slackId: 'S9' }])).toEqual([
      'S1',
      'S3',
    ]);
    expect(leaving([])).toEqual([]);
  });

  it('are none that are to be kept under their other name', () => {
    expect(leaving([{ name: 'Sales' }, { slackId: 'S2' }], [{ slackId: 'S1' }, { name: 'DESIGN' }])).toEqual([]);
  });
});
