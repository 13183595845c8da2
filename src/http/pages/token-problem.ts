import type { AppError } from '../../domain/errors';

/** What was wrong with the token that was tried. The token itself is not shown again. */
export interface TokenProblem {
  readonly message: string;
  readonly remedy: string | undefined;
}

const tellSender = 'Nothing was changed. Tell whoever sent you the link.';
const installAgain = 'Install the app in Slack again, and paste the token that it shows then.';

/** In place of remedies that speak of the API to whoever uses it: here a customer's admin reads them. */
const remedies: Readonly<Record<string, string>> = {
  REAUTHORIZATION_REQUIRED: installAgain,
  TOKEN_REVOKED: installAgain,
  TOKEN_EXPIRED: installAgain,
  APP_UNINSTALLED: installAgain,
  INSTALLER_LOST_RIGHTS: 'Let an active Admin or Owner install the app, and paste the token that it shows then.',
  PLAN_TOO_LOW:
    'An Owner must move the team to the Business+ or an Enterprise plan. After that, paste the token once more.',
  WRONG_WORKSPACE: 'Paste a token of the same workspace or organization as before.',
  DUPLICATE_CONNECTION: tellSender,
  UPSTREAM_UNAVAILABLE: 'Try again in a few minutes. See status.slack.com whether Slack has a disruption.',
  RATE_LIMITED: 'Wait a minute, and try again.',
};

export function tokenProblemOf({ code, message, remedy }: AppError): TokenProblem {
  if (code === 'CONFLICT') {
    return { message: 'You are connected to another Slack team already.', remedy: tellSender };
  }
  if (code === 'NOT_FOUND') return { message: 'The connection that this link is for was removed.', remedy: tellSender };
  if (code === 'INTERNAL') return { message: 'This gateway is busy.', remedy: 'Try again in a minute.' };
  return { message, remedy: remedies[code] ?? remedy };
}
