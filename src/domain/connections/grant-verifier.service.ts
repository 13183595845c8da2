import { Secret } from '../../shared/secret';
import type { SlackDirectory } from '../directory-ports';
import type { SlackWebApi, TokenIdentity, TokenSource, UpstreamCall } from '../ports';
import type { ConnectionEnvironment, InstallLevel, SlackInstaller, SlackTeam } from './connection';
import { ConnectionProblem } from './connection-problem';
import { missingScopes, requiredScopes } from './scopes';

/** A token that was seen to work for provisioning, and whose it is. */
export interface VerifiedGrant {
  readonly teamKey: string;
  readonly installLevel: InstallLevel;
  readonly workspace?: SlackTeam;
  readonly organization?: SlackTeam;
  readonly installer: SlackInstaller;
  readonly grantedScopes: readonly string[];
  readonly expiresAt?: Date;
}

/** What of a grant is shown as fields of the connection. */
export function grantFields(grant: VerifiedGrant) {
  const { teamKey, installLevel, workspace, organization, installer } = grant;
  return { teamKey, installLevel, workspace, organization, installer };
}

/** Slack's tokens are below 200 characters today; its documentation asks to allow 1 kB. */
const LONGEST_TOKEN = 1024;

/**
 * Prefixes of tokens that can never provision. They are refused without a call: a refresh or session token must not be
 * sent to an API that it is not for. Any other prefix is only a hint, and auth.test decides.
 */
const wrongKinds: readonly (readonly [prefix: string, what: string])[] = [
  ['xoxb-', 'a bot token'],
  ['xoxe.xoxb-', 'a bot token'],
  ['xoxe-', 'a refresh token'],
  ['xapp-', 'an app-level token'],
  ['xwfp-', 'a workflow token'],
  ['xoxc-', 'a browser session token'],
  ['xoxd-', 'a browser session cookie'],
];

/** How a SCIM call says that its caller is no Admin or Owner: like a bad token, or in so many words. */
const refusesThePerson: readonly string[] = ['REAUTHORIZATION_REQUIRED', 'INSTALLER_LOST_RIGHTS'];

export class GrantVerifier {
  constructor(
    private readonly webApi: SlackWebApi,
    private readonly directory: SlackDirectory,
  ) {}

  /**
   * Finds out whether a token can provision, and names the first thing that is wrong in the order in which a person would
   * have to repair it: kind, identity, scopes, install level, plan and rights. The last two only a SCIM call can tell:
   * Slack's configuration endpoint answers to any token, so it proves nothing.
   * @throws ConnectionProblem, RateLimited, UpstreamUnavailable, UpstreamRejected
   */
  async verify(environment: ConnectionEnvironment, token: Secret, call: UpstreamCall): Promise<VerifiedGrant> {
    assertTokenForm(token);
    const identity = await this.webApi.identify(environment, token, call);
    assertUsable(identity);
    const installLevel: InstallLevel = identity.isOrganizationInstall ? 'ORGANIZATION' : 'WORKSPACE';
    const teamKey =
      installLevel === 'ORGANIZATION' ? (identity.organizationSlackId ?? identity.teamSlackId) : identity.teamSlackId;
    await this.probe(environment, teamKey, { token, identity }, call);
    return {
      teamKey,
      installLevel,
      ...teamsOf(identity),
      installer: { slackId: identity.userSlackId, displayName: identity.userName },
      // A missing x-oauth-scopes header leaves the scopes unknown; SCIM answers to nothing but `admin`, so the probe proved it.
      grantedScopes: identity.grantedScopes ?? requiredScopes,
      expiresAt: identity.expiresAt,
    };
  }

  private async probe(
    environment: ConnectionEnvironment,
    teamKey: string,
    { token, identity }: { token: Secret; identity: TokenIdentity },
    call: UpstreamCall,
  ): Promise<void> {
    const tokens: TokenSource = {
      lease: async () => ({ id: undefined, secret: token }),
      reportRejected: async () => false,
    };
    try {
      await this.directory.for({ environment, budgetKey: budgetKeyOf(environment, teamKey), tokens }).probe(call);
    } catch (error) {
      if (error instanceof ConnectionProblem && refusesThePerson.includes(error.code)) {
        // auth.test accepted the token a moment ago and the scope is there, so it is the person who lost the rights.
        throw new ConnectionProblem('INSTALLER_LOST_RIGHTS', {
          detail: demotionOf(identity),
          cause: error,
        });
      }
      throw error;
    }
  }
}

/** The key under which all connections to one Slack team share Slack's limits, whoever's tenant they belong to. */
export function budgetKeyOf(environment: ConnectionEnvironment, teamKey: string): string {
  return `${environment}:${teamKey}`;
}

/** What of a token may be shown: its prefix and the last four characters, and those only if enough stays hidden. */
export function hintOf(token: Secret): string {
  const text = token.reveal();
  const prefix = /^(?:xoxe\.)?xox[a-z]-/.exec(text)?.[0] ?? '';
  const ending = text.length - prefix.length >= 16 ? text.slice(-4) : '';
  return `${prefix}…${ending}`;
}

function assertTokenForm(token: Secret): void {
  const text = token.reveal();
  if (text.length === 0 || text.length > LONGEST_TOKEN || !/^[\x21-\x7e]+$/.test(text)) {
    throw new ConnectionProblem('INVALID_TOKEN', { detail: 'The text does not have the form of a Slack token.' });
  }
  const wrong = wrongKinds.find(([prefix]) => text.toLowerCase().startsWith(prefix));
  if (wrong) throw new ConnectionProblem('WRONG_TOKEN_KIND', { detail: `What was given is ${wrong[1]}.` });
}

function assertUsable(identity: TokenIdentity): void {
  if (identity.kind === 'BOT')
    throw new ConnectionProblem('WRONG_TOKEN_KIND', { detail: 'Slack says that this is the token of a bot.' });
  if (identity.grantedScopes) {
    const missing = missingScopes(requiredScopes, identity.grantedScopes);
    if (missing.length > 0) {
      throw new ConnectionProblem('MISSING_SCOPES', {
        missingScopes: missing,
        detail: `Missing user token scopes: ${missing.join(', ')}.`,
      });
    }
  }
  if (identity.organizationSlackId && !identity.isOrganizationInstall) {
    throw new ConnectionProblem('WRONG_INSTALL_LEVEL', {
      detail: `Installed on the workspace ${identity.teamName} (${identity.teamSlackId}), which belongs to the organization ${identity.organizationSlackId}.`,
    });
  }
}

/** An account that is deactivated is refused by auth.test already, so this one is active. */
function demotionOf({ userName, userSlackId, grantedScopes }: TokenIdentity): string {
  const person = userName === undefined ? userSlackId : `${userName} (${userSlackId})`;
  const doubt = grantedScopes === undefined ? ', or the token lacks the scope admin, which Slack did not say' : '';
  return `The account of ${person}, who installed the app, is active and the token is good, but Slack refuses it for provisioning: that person is no longer an Admin or Owner${doubt}.`;
}

function teamsOf(identity: TokenIdentity): Pick<VerifiedGrant, 'workspace' | 'organization'> {
  const { teamSlackId, teamName, teamUrl, organizationSlackId } = identity;
  if (identity.isOrganizationInstall) {
    return { organization: { slackId: organizationSlackId ?? teamSlackId, name: teamName, url: teamUrl } };
  }
  return { workspace: { slackId: teamSlackId, name: teamName, url: teamUrl } };
}
