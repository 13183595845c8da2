import type { ConnectionId } from '../../domain/connections/connection';
import type { PreviewedPerson } from '../../domain/mapping/mapping-preview.service';
import { toUserNode } from '../directory/user-node';
import { toProblem } from '../problems/problem-node';
import type { MappingPreviewRowType } from './mapping-preview.type';

/** A previewed person as the API shows it. */
export function toPreviewRow(
  connectionId: ConnectionId,
  person: PreviewedPerson,
  index: number,
): MappingPreviewRowType {
  const { user, groups, leaves, account, fields, rules, userName, existing, outcome, problems } = person;
  const { guest, userNameWish: _, profileFields = [], ...texts } = user;
  return {
    index,
    user: { ...texts, userName, profileFields, guestExpiresAt: guest?.expiresAt },
    groups,
    leaves,
    account,
    outcome,
    existingUser: existing && toUserNode(connectionId, existing),
    fields: fields.map(({ trace, ...field }) => ({ ...field, ...trace })),
    rules,
    problems: problems.map((problem) => toProblem(problem, connectionId)),
  };
}
