import { assertGrantCovers } from '../../domain/connections/access-token.service';
import type { AccessToken, Connection } from '../../domain/connections/connection';
import { type Action, actions, missingScopes, requirementOf } from '../../domain/connections/scopes';
import { AppError } from '../../domain/errors';
import type { ConnectionCapabilityType } from './connection.type';

/** What was granted against what is needed, as `Connection.capabilities` shows it. */
export function capabilitiesOf(connection: Connection, token: AccessToken | undefined): ConnectionCapabilityType[] {
  return actions.map((action) => {
    const { requiredScopes } = requirementOf(action);
    const reason = reasonAgainst(action, connection, token);
    return {
      action,
      available: reason === undefined,
      requiredScopes,
      missingScopes: missingScopes(requiredScopes, token?.grantedScopes ?? []),
      reason,
    };
  });
}

function reasonAgainst(action: Action, connection: Connection, token: AccessToken | undefined): string | undefined {
  // A check is what repairs a connection that needs a person, so it stays available there.
  const isCheck = action === 'connection.verify' || action === 'connection.revoke';
  switch (connection.status) {
    case 'DISCONNECTED':
      return 'The connection is disconnected.';
    case 'PAUSED':
      if (!isCheck) return 'The connection is paused.';
      break;
    case 'REAUTHORIZATION_REQUIRED':
      if (!isCheck) return 'The connection needs a person to act; see its issues.';
      break;
    default:
  }
  if (token?.status !== 'ACTIVE') return 'The connection has no token.';
  if (isCheck) return undefined;
  try {
    assertGrantCovers(action, connection, token);
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}
