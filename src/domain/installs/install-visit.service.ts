import type { Clock } from '../../shared/clock';
import { newId } from '../../shared/ids';
import type { Logger } from '../../shared/logger';
import { Secret } from '../../shared/secret';
import type { Connection, InstallLevel } from '../connections/connection';
import { AppError, InvalidInput, ResourceLocked } from '../errors';
import type { Database } from '../ports';
import type { SlackOAuth } from '../slack-oauth-port';
import type { Install, InstallAttempt, InstallAttemptId, InstallId, StoredInstall } from './install';
import type { Bounds } from './install-caller';
import type { ClosedReason, Door, InstallDoors, Opened, Subject } from './install-door';
import { hashOfSecret, newSecret } from './install-link';
import { problemOf } from './install-problem';
import type { InstallTurns } from './install-turns';
import type { TokenConnector } from './install-ways';

export interface InstallVisitParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly oauth: SlackOAuth;
  readonly doors: InstallDoors;
  readonly turns: InstallTurns;
  readonly connections: TokenConnector;
}

export type Visit =
  | { readonly isOpen: false; readonly reason: ClosedReason }
  | {
      readonly isOpen: true;
      readonly subject: Subject;
      /** Whether there is an app to install. */
      readonly canInstall: boolean;
    };

/** A way to Slack's consent page. */
export interface BegunAttempt {
  /** With the state in it. */
  readonly authorizeUrl: Secret;
  /** For the cookie of the browser that must come back. */
  readonly browser: Secret;
}

export type Beginning =
  | { readonly isOpen: false; readonly reason: ClosedReason }
  | ({ readonly isOpen: true } & BegunAttempt);

export type TokenOutcome =
  | { readonly isOpen: false; readonly reason: ClosedReason }
  | { readonly isOpen: true; readonly attemptId: InstallAttemptId; readonly browser: Secret }
  | { readonly isOpen: true; readonly subject: Subject; readonly canInstall: boolean; readonly error: AppError };

/** Reading Slack's page, signing in, perhaps asking an Owner: longer than a code's ten minutes, which begin with Allow. */
const ATTEMPT_TTL_MS = 45 * 60_000;
/** For the install behind a signed link, which has no address of its own. */
const RECONNECT_TTL_MS = 60 * 60_000;

/** What a customer's admin does on the pages of this gateway, before Slack and instead of it. */
export class InstallVisitService {
  constructor(private readonly parts: InstallVisitParts) {}

  /** Changes nothing, so that a page may be loaded ahead of time. */
  async open(door: Door, bounds: Bounds): Promise<Visit> {
    const opened = await this.parts.doors.open(door, bounds);
    return opened.isOpen ? { isOpen: true, ...this.shownOf(opened) } : opened;
  }

  /**
   * Makes an attempt of this browser's to install at Slack.
   * @param browser the secret of the browser's cookie, if it has one from an earlier attempt
   * @throws InvalidInput when the level is open and none was chosen; ConnectionNotReady without an app
   */
  async begin(
    door: Door,
    { level, browser }: { level?: InstallLevel; browser?: Secret },
    bounds: Bounds,
  ): Promise<Beginning> {
    const opened = await this.parts.doors.open(door, bounds);
    if (!opened.isOpen) return opened;
    const { subject, connection } = opened;
    const chosen = subject.level ?? level;
    if (!chosen) throw new InvalidInput('Choose what the app is to be installed on.', { path: ['level'] });
    const state = newSecret();
    const authorizeUrl = this.parts.oauth.authorizeUrl(subject.environment, {
      state,
      teamHint: connection?.installLevel === 'WORKSPACE' ? connection.teamKey : undefined,
    });
    const kept = browser ?? newSecret();
    await this.insertAttempt(opened, chosen, { state, browser: kept });
    return { isOpen: true, authorizeUrl: new Secret(authorizeUrl), browser: kept };
  }

  /**
   * Connects with a token of the customer's own app. When anything is wrong with it nothing is saved, and the person may
   * try another one.
   * @returns the attempt that shows the result, or the problem
   */
  async connectWithToken(
    door: Door,
    { token, browser }: { token: Secret; browser?: Secret },
    bounds: Bounds,
  ): Promise<TokenOutcome> {
    const opened = await this.parts.doors.open(door, bounds);
    if (!opened.isOpen) return opened;
    const { install, subject, caller } = opened;
    if (!install || !subject.takesToken) return { isOpen: false, reason: 'UNKNOWN' };
    const kept = browser ?? newSecret();
    try {
      return await this.parts.turns.take(install.id, bounds, async () => {
        const again = await this.parts.doors.open(door, bounds);
        if (!again.isOpen) return again;
        const { name, externalId, environment, connectionId } = install;
        const input = { name, externalId, environment, connectionId, token };
        const connection = await this.parts.connections.connectToken(caller, input);
        const attemptId = await this.saveConnected(install, connection, kept);
        return { isOpen: true, attemptId, browser: kept };
      });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (!(error instanceof ResourceLocked)) {
        await this.parts.database.transaction((stores) => stores.installs.recordProblem(install.id, problemOf(error)));
      }
      return { isOpen: true, error, ...this.shownOf(opened) };
    }
  }

  private shownOf({ subject }: Opened & { isOpen: true }): { subject: Subject; canInstall: boolean } {
    return { subject, canInstall: this.parts.oauth.isAvailable(subject.environment) };
  }

  private async insertAttempt(
    { install, subject, connection, caller }: Opened & { isOpen: true },
    level: InstallLevel,
    { state, browser }: { state: Secret; browser: Secret },
  ): Promise<void> {
    const now = this.parts.clock.now();
    const repair: StoredInstall | undefined = install
      ? undefined
      : {
          id: newId<InstallId>('ins'),
          tenantId: caller.tenant.id,
          apiKeyId: caller.apiKey.id,
          ways: 'CONSENT',
          name: subject.name,
          environment: subject.environment,
          level,
          connectionId: connection?.id,
          createdAt: new Date(now),
          expiresAt: new Date(now + RECONNECT_TTL_MS),
          // Nobody has its secret: the way back to it is the attempt.
          secretHash: hashOfSecret(newSecret()),
        };
    const installId = install?.id ?? repair?.id;
    if (!installId) throw new Error('An attempt belongs to an install');
    await this.parts.database.transaction(async (stores) => {
      if (repair) await stores.installs.insert(repair);
      await stores.installs.insertAttempt({
        id: newId<InstallAttemptId>('att'),
        installId,
        stateHash: hashOfSecret(state),
        browserHash: hashOfSecret(browser),
        level,
        createdAt: new Date(now),
        expiresAt: new Date(now + ATTEMPT_TTL_MS),
      });
    });
  }

  /** As an attempt that is over, so that the person sees the result at the same address as after an installation at Slack. */
  private async saveConnected(install: Install, connection: Connection, browser: Secret): Promise<InstallAttemptId> {
    const at = new Date(this.parts.clock.now());
    const attempt: InstallAttempt = {
      id: newId<InstallAttemptId>('att'),
      installId: install.id,
      stateHash: hashOfSecret(newSecret()),
      browserHash: hashOfSecret(browser),
      level: connection.installLevel,
      createdAt: at,
      expiresAt: at,
      consumedAt: at,
      finishedAt: at,
      outcome: 'CONNECTED',
    };
    await this.parts.database.transaction(async (stores) => {
      await stores.installs.complete(install.id, connection.id, at);
      await stores.installs.insertAttempt(attempt);
    });
    this.parts.logger.info({ installId: install.id, connectionId: connection.id }, 'installed with a token');
    return attempt.id;
  }
}
