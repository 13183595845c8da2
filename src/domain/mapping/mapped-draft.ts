import type { ConnectionId } from '../connections/connection';
import type { IfExists, UserDraft } from '../directory/user';
import type { PersonToProvision } from '../directory/wanted-person';
import type { MappedPerson } from './mapped-person';

/**
 * What is provisioned for a mapped person.
 * @param person without problems.
 * @param request what an idempotency key stands for: the record, and what of the mapping it was given to.
 */
export function personToProvision(
  { user, groups, leaves }: MappedPerson,
  {
    connectionId,
    ifExists,
    idempotencyKey,
    request,
  }: { connectionId: ConnectionId; ifExists: IfExists; idempotencyKey?: string; request: object },
): PersonToProvision {
  const { userNameWish = '', guest, email = '', managerEmail, ...fields } = user;
  const draft: UserDraft = { ...fields, email, ...(guest && { guest }) };
  return {
    connectionId,
    ifExists,
    idempotencyKey,
    user: draft,
    groups,
    mapped: {
      request,
      userNameWish,
      isMember: guest === null,
      leaves,
      managerEmail: fields.managerSlackId === undefined ? managerEmail : undefined,
    },
  };
}
