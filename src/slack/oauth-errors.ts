import {
  AppCredentialsRefused,
  type AppError,
  GrantLost,
  InstallRefused,
  InvalidInput,
  UpstreamRejected,
  UpstreamUnavailable,
} from '../domain/errors';
import { webApiError } from './errors';
import { oauthMeaningOf } from './oauth-codes';

/** What was to be exchanged: the same code of Slack's says something else about each. */
export type OAuthCallKind = 'CODE' | 'REFRESH_TOKEN' | 'LONG_LIVED_TOKEN';

/** The error for a refusal that sending the same thing again cannot mend. */
export function oauthRefusal(slackCode: string, status: number, kind: OAuthCallKind): AppError {
  const meaning = oauthMeaningOf(slackCode);
  if (meaning === undefined) return otherRefusal(slackCode, status);
  if (meaning.as === 'APP_CREDENTIALS') return new AppCredentialsRefused(slackCode);
  const { message, remedy } = meaning;
  if (kind === 'CODE' && meaning.as === 'INSTALL_REFUSED') {
    return new InstallRefused(meaning.code, message, { remedy, canRetry: meaning.canRetry });
  }
  if (meaning.as === 'GRANT_LOST') {
    return kind === 'CODE' ? new InstallRefused('INSTALL_DENIED', message, { remedy }) : new GrantLost(slackCode);
  }
  if (kind === 'LONG_LIVED_TOKEN' && meaning.as === 'TOKEN_REFUSED') return new InvalidInput(message, { remedy });
  return new UpstreamRejected(message, slackCode, status, { remedy });
}

/** Of the Web API's common codes only those apply that speak of no connection: there is none yet. */
function otherRefusal(slackCode: string, status: number): AppError {
  const common = webApiError(slackCode, status);
  return common instanceof UpstreamRejected
    ? common
    : new UpstreamRejected('Slack does not let the app be installed or its token be renewed.', slackCode, status);
}

/** The answer to what can be exchanged once did not arrive, or never will. */
export function lostAnswer(kind: OAuthCallKind, reason: string): UpstreamUnavailable {
  const cause = new Error(reason);
  if (kind === 'CODE') {
    return new UpstreamUnavailable("Slack's answer did not arrive, so that the installation could not be finished.", {
      remedy: 'Begin the installation again. See status.slack.com if that fails as well.',
      cause,
    });
  }
  return new UpstreamUnavailable("Slack's answer did not arrive, so that the token could not be renewed.", {
    remedy: 'Try again at once. See status.slack.com.',
    cause,
  });
}
