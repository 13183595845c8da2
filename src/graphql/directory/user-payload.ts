import type { Caller } from '../../domain/access/access';
import type { ConnectionId } from '../../domain/connections/connection';
import type { PersonCall } from '../../domain/directory/person-calls';
import type { ProvisionResult } from '../../domain/directory/provision-result';
import type { RefusedRecord } from '../../domain/mapping/record-provisioning.service';
import type { GraphQLContext } from '../context';
import { asPayload } from '../problems/problem-node';
import { toSelector, type UserSelectorInput } from './user.input';
import { toUserNode } from './user-node';

/** Runs a mutation on a person, as asPayload does. */
export function asUserPayload(
  context: GraphQLContext,
  connectionId: string,
  work: (caller: Caller, connectionId: ConnectionId) => Promise<ProvisionResult | RefusedRecord>,
) {
  return asPayload(
    context,
    async (caller) => {
      const result = await work(caller, connectionId as ConnectionId);
      if ('problems' in result) return { user: undefined, outcome: 'FAILED' as const, ...result };
      const { user, outcome, warnings } = result;
      return { user: toUserNode(connectionId as ConnectionId, user), outcome, problems: warnings };
    },
    { failure: { user: undefined, outcome: 'FAILED' as const }, connectionId },
  );
}

export function toPersonCall(
  connectionId: ConnectionId,
  { user, idempotencyKey }: { user: UserSelectorInput; idempotencyKey?: string | null },
): PersonCall {
  return { connectionId, user: toSelector(user), idempotencyKey: idempotencyKey ?? undefined };
}
