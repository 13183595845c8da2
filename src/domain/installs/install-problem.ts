import { ConnectionProblem } from '../connections/connection-problem';
import { AppError, InstallRefused } from '../errors';
import type { InstallProblem } from './install';

/** What of an error is kept with an install: nothing of a cause, and of a defect no more than that there was one. */
export function problemOf(error: unknown): InstallProblem {
  if (!(error instanceof AppError)) {
    return { code: 'INTERNAL', message: 'The gateway met a defect; its log has the rest.' };
  }
  const { code, message, remedy } = error;
  const { detail, grantedLevel } = error instanceof ConnectionProblem ? error : {};
  return { code, message, remedy, detail, grantedLevel };
}

/** Slack's codes are words in snake case. Anything else that comes as `error` was not written by Slack, and is not shown. */
const slackCode = /^[a-z_]{1,60}$/;

/**
 * What the `error` of a callback stands for. Only `access_denied` was ever seen there (OAuth §0, U12); the others are
 * known from Slack's own pages.
 */
export function refusalOf(error: string): InstallRefused {
  if (error === 'access_denied') {
    return new InstallRefused('INSTALL_DENIED', 'The installation was cancelled on the page of Slack.', {
      remedy: 'Begin again, and choose Allow.',
    });
  }
  const name = slackCode.test(error) ? ` (${error})` : '';
  if (appFaults.has(error)) {
    return new InstallRefused('UPSTREAM_REJECTED', `Slack did not let the app of this gateway be installed${name}.`, {
      remedy: 'The operator of this gateway must repair the settings of its Slack app.',
      canRetry: false,
    });
  }
  return new InstallRefused('INSTALL_DENIED', `Slack did not let the installation happen${name}.`, {
    remedy: 'Begin again, or ask an Owner of your Slack to install.',
  });
}

/** What the person at Slack cannot change: the settings of the app (OAuth §2). */
const appFaults: ReadonlySet<string> = new Set([
  'bad_redirect_uri',
  'invalid_client_id',
  'invalid_scope',
  'invalid_team_for_non_distributed_app',
  'no_bot_scopes_requested',
  'no_scopes',
  'scope_not_allowed_on_enterprise',
  'unapproved_scope',
]);
