import { AppError, NotFound, StillRunning, UpstreamUnavailable } from '../errors';
import type { UpstreamCall } from '../ports';
import { type AccessTokenService, type OpenedToken, TokenMissing } from './access-token.service';
import type { AccessToken, Connection } from './connection';
import type { ConnectionHealth } from './connection-health.service';
import { ConnectionProblem, type ConnectionProblemCode } from './connection-problem';
import type { GrantVerifier, VerifiedGrant } from './grant-verifier.service';

/** What a check found. `token` is what was checked; there is none when none could be opened. */
export type GrantFinding =
  | { readonly token: AccessToken; readonly grant: VerifiedGrant; readonly problem?: undefined }
  | {
      readonly token: AccessToken | undefined;
      readonly grant?: undefined;
      readonly problem: AppError;
      /** Nothing will ever make this token work again. */
      readonly isEnded: boolean;
    };

/** Says that a token ended before its time, which a refresh can heal when only this one token ended. */
const endedCodes: readonly ConnectionProblemCode[] = ['TOKEN_EXPIRED', 'TOKEN_REVOKED', 'INVALID_TOKEN'];

export interface GrantCheckParts {
  readonly tokens: AccessTokenService;
  readonly verifier: GrantVerifier;
  readonly health: ConnectionHealth;
}

/** Checks a connection's stored token at Slack, and names what is wrong with it as exactly as can be told. */
export class GrantCheck {
  constructor(private readonly parts: GrantCheckParts) {}

  /** A token that Slack calls ended is refreshed where that is possible, and the new one is checked. */
  async examine(connection: Connection, call: UpstreamCall): Promise<GrantFinding> {
    const finding = await this.#heal(connection, await this.#examineOnce(connection, call), call);
    if (finding.grant || !(finding.problem instanceof ConnectionProblem)) return finding;
    const known = await this.parts.health.findBlockingProblem(connection.id);
    const isOld = connection.status === 'REAUTHORIZATION_REQUIRED';
    return known && saysMore(known.code, finding.problem, { isOld }) ? { ...finding, problem: known } : finding;
  }

  async #heal(connection: Connection, finding: GrantFinding, call: UpstreamCall): Promise<GrantFinding> {
    const { token, problem } = finding;
    if (!token || !(problem instanceof ConnectionProblem) || !endedCodes.includes(problem.code)) return finding;
    const isRevoked = problem.code === 'TOKEN_REVOKED';
    if (!token.refreshable) return { token, problem, isEnded: isRevoked };
    try {
      if (await this.parts.tokens.renewRejected(connection, token, call)) return this.#examineOnce(connection, call);
    } catch (error) {
      if (!isExpected(error)) throw error;
      const isLost = error instanceof ConnectionProblem && error.code === 'REAUTHORIZATION_REQUIRED';
      // That the app was removed says more than that its refresh token is gone as well.
      return isLost && isRevoked ? { token, problem, isEnded: true } : { token, problem: error, isEnded: false };
    }
    if (problem.code !== 'TOKEN_EXPIRED') return finding;
    const contradiction = new UpstreamUnavailable('Slack calls a token expired that it gave less than a minute ago.');
    return { token, problem: contradiction, isEnded: false };
  }

  /**
   * Writes what was found as the connection's issue. A token that has ended for good is erased.
   * @returns the connection as it is now, or undefined when it is gone.
   */
  recordProblem(
    connection: Connection,
    { token, problem, isEnded }: Extract<GrantFinding, { problem: AppError }>,
  ): Promise<Connection | undefined> {
    return this.parts.health.recordFailure(connection, problem, { token, isEnded });
  }

  async #examineOnce(connection: Connection, call: UpstreamCall): Promise<GrantFinding> {
    let opened: OpenedToken;
    try {
      opened = await this.parts.tokens.openForGrant(connection, 'connection.verify', call);
    } catch (error) {
      if (!isExpected(error)) throw error;
      return { token: undefined, problem: error, isEnded: false };
    }
    const { token, secret } = opened;
    try {
      const grant = await this.parts.verifier.verify(connection.environment, secret, call);
      assertSameTeam(connection, grant);
      return { token, grant };
    } catch (error) {
      if (!isExpected(error)) throw error;
      return { token, problem: error, isEnded: false };
    }
  }
}

/**
 * A connection goes on showing how it lost its grant, and not what little can be seen of it afterwards.
 * @param isOld the known cause was found before this check began, and not on the way to it.
 */
function saysMore(known: ConnectionProblemCode, found: ConnectionProblem, { isOld }: { isOld: boolean }): boolean {
  if (found instanceof TokenMissing) return true;
  switch (found.code) {
    case 'TOKEN_EXPIRED':
      return ['REAUTHORIZATION_REQUIRED', 'TOKEN_REVOKED', 'APP_UNINSTALLED'].includes(known);
    case 'TOKEN_REVOKED':
      return known === 'APP_UNINSTALLED' || (isOld && known === 'REAUTHORIZATION_REQUIRED');
    case 'REAUTHORIZATION_REQUIRED':
      return known === 'APP_UNINSTALLED' || known === 'TOKEN_REVOKED';
    default:
      return false;
  }
}

/** A failure that is about the grant or the call to Slack, and not about the gateway's own state. */
function isExpected(error: unknown): error is AppError {
  return error instanceof AppError && !(error instanceof NotFound) && !(error instanceof StillRunning);
}

/** @throws ConnectionProblem WRONG_WORKSPACE */
export function assertSameTeam(
  connection: Connection,
  grant: Pick<VerifiedGrant, 'teamKey'>,
  path?: readonly string[],
): void {
  if (grant.teamKey === connection.teamKey) return;
  throw new ConnectionProblem('WRONG_WORKSPACE', {
    detail: `The connection is for ${connection.teamKey}, the token is for ${grant.teamKey}.`,
    path,
  });
}
