/** What Slack's refusals of a grant say about it, for the person who repairs it: what is the case, and what else it may be. */
const details = {
  not_authed: 'Slack says that the call came without a token.',
  invalid_auth:
    'Slack knows no such token, or the app has a list of "Allowed IP Address Ranges" that leaves out the address of this gateway: Slack does not tell the two apart. A token that worked before points to the list.',
  token_revoked:
    'The token was ended in Slack: somebody removed the app or took back the permission, or the account or the whole team is gone.',
  token_expired:
    'The token was good for a limited time, usually twelve hours, and that time is over. Nobody ended it before.',
  account_inactive: 'The account of the person who installed the app is deactivated in Slack.',
  missing_scope: 'Slack says that the token was not given the scope that the call needs.',
  not_allowed_token_type: 'Slack says that a token of this kind may not make the call.',
  accesslimited: 'Slack refuses the address of this gateway: the team limits the networks that may use it.',
  access_denied: 'Slack refuses the call from this network or for this caller: access to the team is restricted.',
  missing_authentication: 'SCIM says that the call came without a token.',
  invalid_authentication:
    'SCIM does not accept the token: it has ended, lacks the scope admin, or belongs to a person who is no longer an Admin or Owner.',
  unsupported_version:
    'SCIM does not accept the token: it has ended, lacks the scope admin, or belongs to a person who is no longer an Admin or Owner.',
  permission_denied: 'SCIM knows the person who installed the app, but does not let that person manage people.',
  non_org_teams_only:
    'SCIM says that this workspace belongs to an Enterprise organization, whose people are managed for the organization as a whole.',
  plus_teams_only: 'SCIM says that it answers to teams on the Business+ and the Enterprise plans alone.',
} as const satisfies Record<string, string>;

/** @returns sentences that end with Slack's own word, which is what its documentation and its support go by. */
export function detailOf(slackCode: string, status: number): string {
  if (slackCode === 'unknown') return `Slack refuses the token and gives no reason (HTTP ${status}).`;
  const text = Object.hasOwn(details, slackCode) ? details[slackCode as keyof typeof details] : undefined;
  return `${text ?? 'Slack refuses the token.'} Slack's word for it: ${slackCode}.`;
}

/** A text that cannot be sent in a header. */
export const MALFORMED_TOKEN = 'The text does not have the form of a Slack token.';
