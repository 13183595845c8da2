import type { ConnectionId } from '../../domain/connections/connection';
import { ConnectionProblem } from '../../domain/connections/connection-problem';
import type { DirectoryGroup } from '../../domain/directory/group';
import {
  AmbiguousGroup,
  GroupMembersRefused,
  GroupNameTaken,
  ProtectedGroup,
} from '../../domain/directory/group-problem';
import {
  AppError,
  DuplicateConnection,
  EmailTaken,
  ProfileFieldsDropped,
  ProtectedUser,
  RateLimited,
  ResourceLocked,
  UpstreamRejected,
  UserInactive,
} from '../../domain/errors';
import { callerOf, type GraphQLContext } from '../context';
import { toUserNode } from '../directory/user-node';
import type { ProblemNode } from './problem.type';

/** The one place where an expected failure becomes a problem type. */
export function toProblem(error: AppError, connectionId?: ConnectionId): ProblemNode {
  const { code, message, path, retryable, remedy } = error;
  return { code, message, path, retryable, remedy, ...specifics(error, connectionId) };
}

function specifics(
  error: AppError,
  connectionId: ConnectionId | undefined,
): { kind: string; [field: string]: unknown } {
  if (error instanceof ConnectionProblem) {
    return error.code === 'MISSING_SCOPES'
      ? { kind: 'MissingScopesProblem', missingScopes: error.missingScopes, connectionId }
      : { kind: 'ConnectionProblem', detail: error.detail };
  }
  if (error instanceof DuplicateConnection) {
    return { kind: 'DuplicateConnectionProblem', existingConnectionId: error.existingConnectionId };
  }
  if (error instanceof EmailTaken) {
    const heldBy = error.heldBy && connectionId && toUserNode(connectionId, error.heldBy);
    return { kind: 'EmailTakenProblem', heldBy };
  }
  if (error instanceof ProtectedUser) return { kind: 'ProtectedUserProblem', reason: error.reason };
  if (error instanceof UserInactive && connectionId) {
    return { kind: 'InactiveUserProblem', user: toUserNode(connectionId, error.user) };
  }
  if (error instanceof ProfileFieldsDropped) return { kind: 'ProfileFieldsDroppedProblem', fields: error.fields };
  if (error instanceof RateLimited || error instanceof ResourceLocked) {
    return { kind: 'RateLimitedProblem', retryAfterSeconds: error.retryAfterSeconds };
  }
  if (error instanceof GroupMembersRefused) return { kind: 'GroupMemberProblem', refusal: error.reason };
  if (error instanceof AmbiguousGroup) {
    return { kind: 'AmbiguousGroupProblem', candidates: error.candidates.map(groupReference) };
  }
  if (error instanceof GroupNameTaken) {
    return { kind: 'GroupNameTakenProblem', existingGroup: error.heldBy && groupReference(error.heldBy) };
  }
  if (error instanceof UpstreamRejected || error instanceof ProtectedGroup) {
    return { kind: 'UpstreamProblem', slackCode: error.slackCode, httpStatus: error.httpStatus };
  }
  return { kind: 'GenericProblem' };
}

function groupReference({ slackId, name }: DirectoryGroup): { slackId: string; name: string } {
  return { slackId, name };
}

interface Payload {
  readonly problems: readonly ProblemNode[];
  readonly requestId: string;
}

/**
 * Runs a mutation. Expected failures become problems of the payload; a missing key and defects stay errors of the request,
 * because nothing of the mutation was begun.
 * @param failure what the payload shows when the work failed.
 */
export async function asPayload<Success extends object, Failure extends object>(
  context: GraphQLContext,
  work: (caller: ReturnType<typeof callerOf>) => Promise<Success & { readonly problems?: readonly AppError[] }>,
  options: { readonly failure: Failure; readonly connectionId?: string },
): Promise<(Omit<Success, 'problems'> | Failure) & Payload> {
  const caller = callerOf(context);
  const { requestId } = context;
  const connectionId = options.connectionId as ConnectionId | undefined;
  try {
    const { problems = [], ...success } = await work(caller);
    return { ...success, problems: problems.map((problem) => toProblem(problem, connectionId)), requestId };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ...options.failure, problems: [toProblem(error, connectionId)], requestId };
  }
}
