import { AppError } from '../errors';
import type { InstallLevel } from './connection';
import type { Scope } from './scopes';

/** What can be wrong with a connection's grant: both a problem of a call and an issue that stays open on the connection. */
export type ConnectionProblemCode = keyof typeof connectionProblems;

/**
 * What an open issue does to the connection's status.
 * `REAUTHORIZE`: no call can succeed before a person acts. `DEGRADE`: calls are still tried, and success resolves the issue.
 */
type Consequence = 'REAUTHORIZE' | 'DEGRADE';

/** Who must act before an issue can end. */
export const issueActors = ['ADMIN', 'OWNER', 'ORG_OWNER', 'OPERATOR', 'SLACK'] as const;
export type IssueActor = (typeof issueActors)[number];

interface ProblemText {
  readonly message: string;
  readonly remedy: string;
  readonly consequence: Consequence;
  /** `INSTALLER`: whoever may install the app, which depends on the level. */
  readonly actor: IssueActor | 'INSTALLER';
  /** Whether installing the app again, at the same level, ends it. */
  readonly isRepairedByInstall: boolean;
}

/** One row a code, so that a problem and the issue it opens cannot say different things. */
export const connectionProblems = {
  INVALID_TOKEN: {
    message: 'Slack does not know this token.',
    remedy:
      'Open your Slack app, go to "OAuth & Permissions", and copy the whole "User OAuth Token" (it begins with xoxp-). If your app restricts "Allowed IP Address Ranges", add the address of this gateway there.',
    consequence: 'REAUTHORIZE',
    actor: 'INSTALLER',
    isRepairedByInstall: true,
  },
  WRONG_TOKEN_KIND: {
    message: 'This is not a user token. Slack accepts only user tokens for provisioning.',
    remedy:
      'Open your Slack app, go to "OAuth & Permissions", and copy the "User OAuth Token" (it begins with xoxp-), not the "Bot User OAuth Token".',
    consequence: 'REAUTHORIZE',
    actor: 'INSTALLER',
    isRepairedByInstall: true,
  },
  MISSING_SCOPES: {
    message: 'The token lacks scopes that provisioning needs.',
    remedy:
      'Open your Slack app, go to "OAuth & Permissions", add the missing scopes under "User Token Scopes" (not under "Bot Token Scopes"), reinstall the app, and paste the new token.',
    consequence: 'REAUTHORIZE',
    actor: 'INSTALLER',
    isRepairedByInstall: true,
  },
  WRONG_INSTALL_LEVEL: {
    message: 'The app is installed on one workspace of an Enterprise organization, not on the organization itself.',
    remedy:
      'An Org Owner must install the app on the organization: switch on "Org Level Apps" in the app settings, begin the installation, and pick the organization (not a workspace) in the menu of the consent page. Then paste the token of that installation.',
    consequence: 'REAUTHORIZE',
    actor: 'ORG_OWNER',
    isRepairedByInstall: false,
  },
  PLAN_TOO_LOW: {
    message: "Slack's plan of this team does not include provisioning (SCIM).",
    remedy: 'A Workspace Owner must move the team to the Business+ or an Enterprise plan, then verify the connection.',
    consequence: 'REAUTHORIZE',
    actor: 'OWNER',
    isRepairedByInstall: false,
  },
  INSTALLER_LOST_RIGHTS: {
    message: 'The person who installed the app is no longer an active Admin or Owner in Slack.',
    remedy:
      'Make that person an Admin or Owner again and verify the connection, or let another Admin or Owner install the app and replace the token.',
    consequence: 'REAUTHORIZE',
    actor: 'INSTALLER',
    isRepairedByInstall: true,
  },
  REAUTHORIZATION_REQUIRED: {
    message: 'The stored token can no longer be used.',
    remedy: 'Reinstall the app in Slack and replace the token of this connection.',
    consequence: 'REAUTHORIZE',
    actor: 'INSTALLER',
    isRepairedByInstall: true,
  },
  TOKEN_REVOKED: {
    message: 'The token was revoked in Slack, or the app was removed.',
    remedy: 'Reinstall the app in Slack and replace the token of this connection.',
    consequence: 'REAUTHORIZE',
    actor: 'INSTALLER',
    isRepairedByInstall: true,
  },
  TOKEN_EXPIRED: {
    message: 'The token has expired.',
    remedy:
      'Reinstall the app in Slack, or refresh the token where it was issued, and replace the token of this connection.',
    consequence: 'REAUTHORIZE',
    actor: 'INSTALLER',
    isRepairedByInstall: true,
  },
  APP_UNINSTALLED: {
    message: 'The app was removed from Slack, and its tokens ended with it.',
    remedy: 'Install the app in Slack again.',
    consequence: 'REAUTHORIZE',
    actor: 'INSTALLER',
    isRepairedByInstall: true,
  },
  APP_CREDENTIALS_REFUSED: {
    message: "Slack refuses the credentials of this gateway's own app, so the token cannot be renewed.",
    remedy:
      'The operator of this gateway must set the client id and the client secret as the pages of its Slack app show them. Nobody at the customer needs to do anything.',
    consequence: 'DEGRADE',
    actor: 'OPERATOR',
    isRepairedByInstall: false,
  },
  WRONG_WORKSPACE: {
    message: 'The token belongs to another Slack team than this connection.',
    remedy: 'Use a token of the team that this connection was made for, or create a new connection for the other team.',
    consequence: 'REAUTHORIZE',
    actor: 'INSTALLER',
    isRepairedByInstall: true,
  },
  IP_NOT_ALLOWED: {
    message: 'Slack refuses calls from the address of this gateway.',
    remedy:
      'Open your Slack app, go to "OAuth & Permissions", and add the address of this gateway to "Allowed IP Address Ranges".',
    consequence: 'DEGRADE',
    actor: 'ADMIN',
    isRepairedByInstall: false,
  },
  UPSTREAM_UNAVAILABLE: {
    message: 'Slack does not answer, or answers with server errors.',
    remedy:
      'Nothing to do here: calls are tried again, and the connection recovers when Slack does. See status.slack.com.',
    consequence: 'DEGRADE',
    actor: 'SLACK',
    isRepairedByInstall: false,
  },
} as const satisfies Record<string, ProblemText>;

export function consequenceOf(code: ConnectionProblemCode): Consequence {
  return connectionProblems[code].consequence;
}

/** Only an Org Owner may install an app on an organization (OAuth §11). */
export function actorOf(code: ConnectionProblemCode, level: InstallLevel): IssueActor {
  const { actor } = connectionProblems[code];
  if (actor !== 'INSTALLER') return actor;
  return level === 'ORGANIZATION' ? 'ORG_OWNER' : 'ADMIN';
}

export function isRepairedByInstall(code: ConnectionProblemCode): boolean {
  return connectionProblems[code].isRepairedByInstall;
}

export interface ConnectionProblemDetails {
  /** What exactly was seen, for the person who repairs it. Never a token. */
  readonly detail?: string;
  readonly missingScopes?: readonly Scope[];
  readonly grantedLevel?: InstallLevel;
  readonly cause?: unknown;
  readonly path?: readonly string[];
}

/** A call met, or would meet, a grant that cannot be used. */
export class ConnectionProblem extends AppError {
  readonly code: ConnectionProblemCode;
  override readonly retryable: boolean;
  readonly detail: string | undefined;
  readonly missingScopes: readonly Scope[];
  /** With WRONG_INSTALL_LEVEL, where it is known. */
  readonly grantedLevel: InstallLevel | undefined;

  constructor(
    code: ConnectionProblemCode,
    { detail, missingScopes = [], grantedLevel, cause, path }: ConnectionProblemDetails = {},
  ) {
    const { message, remedy } = connectionProblems[code];
    super(message, { remedy, cause, path });
    this.code = code;
    this.retryable = consequenceOf(code) === 'DEGRADE';
    this.detail = detail;
    this.missingScopes = missingScopes;
    this.grantedLevel = grantedLevel;
  }
}
