import type { Secret } from '../../shared/secret';
import type { Caller } from '../access/access';
import type { Connection, ConnectionEnvironment, ConnectionId, InstallLevel } from '../connections/connection';
import type { OAuthGrant } from '../slack-oauth-port';

export interface GrantToConnect {
  readonly name: string;
  readonly externalId?: string;
  readonly environment: ConnectionEnvironment;
  readonly level: InstallLevel;
  readonly connectionId?: ConnectionId;
  readonly grant: OAuthGrant;
}

/** What becomes of a grant of Slack's. */
export interface GrantConnector {
  /** @throws ConnectionProblem, DuplicateConnection, NotFound, RateLimited, UpstreamUnavailable, UpstreamRejected; then nothing is saved */
  connectGrant(caller: Caller, input: GrantToConnect): Promise<Connection>;
  /** Ends a grant that is not wanted, unless another connection lives on it. */
  revokeGrant(environment: ConnectionEnvironment, grant: OAuthGrant, caller: Caller): Promise<void>;
}

export interface TokenToConnect extends Omit<GrantToConnect, 'level' | 'grant'> {
  readonly token: Secret;
}

/** What becomes of a token that a person pasted. */
export interface TokenConnector {
  /** @throws ConnectionProblem, DuplicateConnection, Conflict, NotFound, RateLimited, UpstreamUnavailable, UpstreamRejected */
  connectToken(caller: Caller, input: TokenToConnect): Promise<Connection>;
}
