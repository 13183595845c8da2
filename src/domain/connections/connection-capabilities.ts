import { AppError } from '../errors';
import { assertUsable } from './access-token.service';
import type { AccessToken, Connection } from './connection';
import { type Action, actions, missingScopes, requirementOf, type Scope } from './scopes';

/** Whether a call would be let through now. */
export interface ConnectionCapability {
  readonly action: Action;
  readonly available: boolean;
  readonly requiredScopes: readonly Scope[];
  readonly missingScopes: readonly Scope[];
  /** Why it is not available. */
  readonly reason: string | undefined;
}

/**
 * What was granted against what is needed, action by action.
 * @param now milliseconds since the epoch
 */
export function capabilitiesOf(
  connection: Connection,
  token: AccessToken | undefined,
  now: number,
): ConnectionCapability[] {
  return actions.map((action) => {
    const { requiredScopes } = requirementOf(action);
    const reason = reasonAgainst(action, connection, token, now);
    return {
      action,
      available: reason === undefined,
      requiredScopes,
      missingScopes: missingScopes(requiredScopes, token?.grantedScopes ?? []),
      reason,
    };
  });
}

function reasonAgainst(
  action: Action,
  connection: Connection,
  token: AccessToken | undefined,
  now: number,
): string | undefined {
  // A check is what repairs a connection that needs a person, and an end is always possible.
  const isAboutGrant = action === 'connection.verify' || action === 'connection.revoke';
  if (connection.status === 'DISCONNECTED') return 'The connection is disconnected.';
  if (token?.status !== 'ACTIVE') return 'The connection has no token.';
  if (isAboutGrant) return undefined;
  if (connection.status === 'PAUSED') return 'The connection is paused.';
  if (connection.status === 'REAUTHORIZATION_REQUIRED') {
    return 'The connection needs a person to act; see its issues.';
  }
  try {
    assertUsable(action, connection, token, now);
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}
