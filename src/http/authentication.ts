import type { Caller } from '../domain/access/access';
import type { AccessService } from '../domain/access/access.service';
import { AppError } from '../domain/errors';
import { UpstreamUsage } from '../domain/upstream-usage';
import { type GraphQLContext, missingKey } from '../graphql/context';

/**
 * Finds the caller behind an Authorization header. A bad key does not end the request here: resolvers ask for the caller,
 * so that introspection and `__typename` work without one.
 */
export async function authenticate(
  access: AccessService,
  header: string | undefined,
  bounds: Pick<Caller, 'requestId' | 'signal' | 'deadlineAt'>,
): Promise<GraphQLContext['authentication']> {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(header ?? '') ?? [];
  if (bearer === undefined) return { error: missingKey() };
  try {
    return { caller: { ...(await access.authenticate(bearer)), ...bounds, usage: new UpstreamUsage() } };
  } catch (error) {
    if (error instanceof AppError) return { error };
    throw error;
  }
}
