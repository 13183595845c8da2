import { type AppError, NotFound } from '../errors';
import { pathOf } from './provisioning-problem';
import { type DirectoryUser, isSameEmail } from './user';
import type { WantedPerson } from './wanted-person';

/**
 * Puts Slack's id in the place of a manager's e-mail address. Whoever is named as their own manager has none: the account
 * would change when the person is provisioned a second time. A manager who is not there is a problem beside the success.
 * @param find who holds an address, if anybody.
 */
export async function withManager(
  person: WantedPerson,
  find: (email: string) => Promise<DirectoryUser | undefined>,
): Promise<{ readonly person: WantedPerson; readonly warnings: readonly AppError[] }> {
  const { managerEmail, draft, changes, place } = person;
  if (managerEmail === undefined || isSameEmail(managerEmail, draft.email)) return { person, warnings: [] };
  const manager = await find(managerEmail);
  if (!manager) {
    const missing = new NotFound("Nobody in Slack has the manager's e-mail address, so the manager is left as it is.", {
      path: pathOf(place, 'managerSlackId'),
      remedy: 'Provision the manager, and then this person again.',
    });
    return { person, warnings: [missing] };
  }
  const { slackId: managerSlackId } = manager;
  return {
    person: { ...person, draft: { ...draft, managerSlackId }, changes: { ...changes, managerSlackId } },
    warnings: [],
  };
}
