import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/logger';
import type { Secret } from '../../shared/secret';
import type { Caller } from '../access/access';
import type { Connection, ConnectionId, InstallLevel } from '../connections/connection';
import { ConnectionProblem } from '../connections/connection-problem';
import { AppError, InstallRefused } from '../errors';
import type { Database } from '../ports';
import type { OAuthGrant, SlackOAuth } from '../slack-oauth-port';
import type { AttemptOutcome, Install, InstallAttempt, InstallAttemptId, InstallProblem } from './install';
import { type Bounds, callerOf } from './install-caller';
import { isOwnedBy } from './install-door';
import { hashOfSecret, parseSecret } from './install-link';
import { problemOf, refusalOf } from './install-problem';
import type { InstallTurns } from './install-turns';
import type { GrantConnector } from './install-ways';
import { returnUrlWith } from './return-url';

export interface InstallCallbackParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly oauth: SlackOAuth;
  readonly turns: InstallTurns;
  readonly connections: GrantConnector;
  readonly returnUrls: readonly string[];
}

/** The query of a callback; a parameter that came more than once is none. */
export interface CallbackParams {
  readonly state?: Secret;
  readonly code?: Secret;
  readonly error?: string;
}

/**
 * What a callback was. Only an `ATTEMPT` led to anything; its result is asked for at an address without the code.
 * `STATELESS`: begun on Slack's own pages. `UNKNOWN_STATE`: forged, or of an install that is long over.
 */
export type CallbackOutcome =
  | { readonly kind: 'STATELESS' | 'STATELESS_ERROR' | 'EMPTY' | 'UNKNOWN_STATE' | 'OTHER_BROWSER' }
  | { readonly kind: 'ATTEMPT'; readonly attemptId: InstallAttemptId };

export interface ShownResult {
  readonly level: InstallLevel;
  /** Whether another attempt must ask for the same level. */
  readonly isLevelFixed: boolean;
  readonly name: string;
  /** Whether another attempt may be made. */
  readonly isOpen: boolean;
  /** Where the partner wants the person, with the result in it; undefined when nowhere. */
  readonly returnUrl: string | undefined;
}

/** `OVERTAKEN`: it failed, but another attempt has connected. */
export type AttemptResult =
  | { readonly kind: 'UNKNOWN' | 'OTHER_BROWSER' | 'RUNNING' | 'OVERTAKEN' }
  | ({ readonly kind: 'CONNECTED' } & ShownResult)
  | ({ readonly kind: 'REFUSED'; readonly problem: InstallProblem } & ShownResult);

/** After so long an attempt without a result was cut off: nobody is at it any more. */
const CUT_OFF_AFTER_MS = 3 * 60_000;

/** What happens when Slack sends a person back. */
export class InstallCallbackService {
  constructor(private readonly parts: InstallCallbackParts) {}

  /**
   * Consumes the state once and finishes the attempt, whatever comes of it: the outcome is stored, and shown by `result`
   * as often as it is asked for. A callback that does not prove whose it is consumes nothing.
   */
  async finish(params: CallbackParams, browser: Secret | undefined, bounds: Bounds): Promise<CallbackOutcome> {
    const outcome = await this.tryFinish(params, browser, bounds);
    // An operator whose proxy drops cookies, or who has set another address at Slack, sees it here.
    if (outcome.kind !== 'ATTEMPT') this.parts.logger.info({ kind: outcome.kind }, 'a callback was not taken');
    return outcome;
  }

  private async tryFinish(
    params: CallbackParams,
    browser: Secret | undefined,
    bounds: Bounds,
  ): Promise<CallbackOutcome> {
    if (params.state === undefined) return { kind: statelessKindOf(params) };
    const state = parseSecret(params.state.reveal());
    const attempt =
      state && (await this.parts.database.read((stores) => stores.installs.findAttempt(hashOfSecret(state))));
    if (!attempt) return { kind: 'UNKNOWN_STATE' };
    if (!isOwnedBy(attempt, browser)) return { kind: 'OTHER_BROWSER' };
    const at = new Date(this.parts.clock.now());
    const isFirst = await this.parts.database.transaction((stores) => stores.installs.consumeAttempt(attempt.id, at));
    if (isFirst) await this.settle(attempt, params, bounds);
    return { kind: 'ATTEMPT', attemptId: attempt.id };
  }

  /** What came of an attempt, for the browser that made it. */
  async result(id: InstallAttemptId, browser: Secret | undefined): Promise<AttemptResult> {
    const { attempt, install } = await this.parts.database.read(async (stores) => {
      const found = await stores.installs.findAttemptById(id);
      return { attempt: found, install: found && (await stores.installs.findOwner(found)) };
    });
    // Nobody is told of an attempt before Slack has sent its browser back.
    if (!attempt?.consumedAt || !install) return { kind: 'UNKNOWN' };
    if (!isOwnedBy(attempt, browser)) return { kind: 'OTHER_BROWSER' };
    const now = this.parts.clock.now();
    const shown = this.shownOf(install, attempt, now);
    if (attempt.outcome === 'CONNECTED') return { kind: 'CONNECTED', ...shown };
    if (install.completedAt) return { kind: 'OVERTAKEN' };
    if (attempt.finishedAt) return { kind: 'REFUSED', problem: attempt.problem ?? cutOff, ...shown };
    if (now - attempt.consumedAt.getTime() < CUT_OFF_AFTER_MS) return { kind: 'RUNNING' };
    return { kind: 'REFUSED', problem: cutOff, ...shown };
  }

  private shownOf(install: Install, { level, outcome }: InstallAttempt, now: number): ShownResult {
    const connectionId = outcome === 'CONNECTED' ? install.connectionId : undefined;
    return {
      level,
      isLevelFixed: install.level !== undefined,
      name: install.name,
      isOpen: !install.completedAt && install.expiresAt.getTime() > now,
      returnUrl: returnUrlWith(install.returnUrl, this.parts.returnUrls, {
        install: install.id,
        status: statusWords[outcome ?? 'FAILED'],
        connection: connectionId,
      }),
    };
  }

  private async settle(attempt: InstallAttempt, params: CallbackParams, bounds: Bounds): Promise<void> {
    const install = await this.parts.database.read((stores) => stores.installs.findOwner(attempt));
    if (!install) return;
    const context = { installId: install.id, attemptId: attempt.id };
    try {
      const connectionId = await this.parts.turns.take(install.id, bounds, () => this.connect(attempt, params, bounds));
      this.parts.logger.info({ ...context, connectionId }, 'installed at Slack');
    } catch (error) {
      const problem = problemOf(error);
      const outcome: AttemptOutcome = isDenial(error, params) ? 'DENIED' : 'FAILED';
      if (error instanceof AppError)
        this.parts.logger.info({ ...context, code: problem.code }, 'an installation failed');
      else this.parts.logger.error({ ...context, err: error }, 'an installation met a defect');
      await this.parts.database.transaction(async (stores) => {
        const at = new Date(this.parts.clock.now());
        await stores.installs.finishAttempt(attempt.id, { outcome, problem, at });
        await stores.installs.recordProblem(install.id, problem);
      });
    }
  }

  /** @throws AppError; then nothing is saved, and what Slack granted is ended there. */
  private async connect(
    attempt: InstallAttempt,
    { code, error }: CallbackParams,
    bounds: Bounds,
  ): Promise<ConnectionId> {
    const now = this.parts.clock.now();
    // Read again: another tab may have had the turn before.
    const install = await this.parts.database.read((stores) => stores.installs.findOwner(attempt));
    if (!install) throw expired();
    if (error !== undefined) throw refusalOf(error);
    if (install.completedAt) throw usedAlready();
    if (attempt.expiresAt.getTime() <= now) throw expired();
    if (code === undefined) throw withoutCode();
    const caller = await this.parts.database.read((stores) => callerOf(stores, install, bounds, now));
    const grant = await this.parts.oauth.exchangeCode(install.environment, code, caller);
    const connection = await this.connectGrant(caller, install, attempt.level, grant);
    const at = new Date(this.parts.clock.now());
    await this.parts.database.transaction(async (stores) => {
      await stores.installs.complete(install.id, connection.id, at);
      await stores.installs.finishAttempt(attempt.id, { outcome: 'CONNECTED', at });
    });
    return connection.id;
  }

  private async connectGrant(
    caller: Caller,
    install: Install,
    level: InstallLevel,
    grant: OAuthGrant,
  ): Promise<Connection> {
    const { name, externalId, environment, connectionId } = install;
    try {
      return await this.parts.connections.connectGrant(caller, {
        name,
        externalId,
        environment,
        level,
        connectionId,
        grant,
      });
    } catch (error) {
      await this.endGrant(caller, install, grant);
      if (!(error instanceof ConnectionProblem)) throw error;
      const { code, detail, missingScopes } = error;
      throw new ConnectionProblem(code, { detail, missingScopes, grantedLevel: grant.installLevel, cause: error });
    }
  }

  /** A grant that stays behind at Slack harms nobody here: nobody has its token. */
  private async endGrant(caller: Caller, { id, environment }: Install, grant: OAuthGrant): Promise<void> {
    try {
      await this.parts.connections.revokeGrant(environment, grant, caller);
    } catch (error) {
      this.parts.logger.warn({ installId: id, err: error }, 'a grant that was refused could not be ended at Slack');
    }
  }
}

/** How a partner reads the result in the query of its returnUrl. */
const statusWords: Readonly<Record<AttemptOutcome, string>> = {
  CONNECTED: 'connected',
  DENIED: 'denied',
  FAILED: 'failed',
};

function statelessKindOf({ code, error }: CallbackParams): 'STATELESS' | 'STATELESS_ERROR' | 'EMPTY' {
  if (code !== undefined) return 'STATELESS';
  return error === undefined ? 'EMPTY' : 'STATELESS_ERROR';
}

function isDenial(error: unknown, params: CallbackParams): boolean {
  return params.error === 'access_denied' && error instanceof InstallRefused;
}

const cutOff: InstallProblem = {
  code: 'UPSTREAM_UNAVAILABLE',
  message: 'The gateway was interrupted while it finished the installation.',
  remedy: 'Begin the installation again; it does no harm if it had come about.',
};

function expired(): InstallRefused {
  return new InstallRefused('INSTALL_EXPIRED', 'The installation took too long, and its time was over.', {
    remedy: 'Begin the installation again.',
  });
}

function usedAlready(): InstallRefused {
  return new InstallRefused('INSTALL_EXPIRED', 'This link was used already, so nothing was changed.', {
    remedy: 'Nothing is to be done if Slack is connected; otherwise begin a new installation.',
    canRetry: false,
  });
}

function withoutCode(): InstallRefused {
  return new InstallRefused('UPSTREAM_REJECTED', 'Slack sent nobody back with a permission.', {
    remedy: 'Begin the installation again.',
  });
}
