import type { ConnectionProblemCode } from '../domain/connections/connection-problem';
import type { MemberRefusal } from '../domain/directory/group-problem';
import type { ProtectionReason } from '../domain/errors';

/** What a code of Slack's means to us. One row a code; `errors.ts` makes the errors of it. */
export type Meaning =
  /** The token is refused: another one may be tried. */
  | { readonly as: 'BAD_TOKEN' }
  | { readonly as: 'CONNECTION'; readonly problem: ConnectionProblemCode }
  /** The token's owner may not do this: to this person, or at all. */
  | { readonly as: 'NO_PERMISSION' }
  | { readonly as: 'NO_SUCH_PERSON' | 'NO_SUCH_GROUP' | 'EMAIL_TAKEN' | 'FILTER_REFUSED' | 'RATE_LIMITED' | 'LOCKED' }
  /** Nothing was done, and the same call may succeed in a moment. */
  | { readonly as: 'TRANSIENT' }
  | { readonly as: 'USERNAME_UNAVAILABLE' | 'USERNAME_INVALID' | 'GUEST_NOT_ALLOWED'; readonly message: string }
  | { readonly as: 'GROUP_LIMIT'; readonly message: string }
  | { readonly as: 'MEMBERS_REFUSED'; readonly reason: MemberRefusal }
  | { readonly as: 'GROUP_IN_USE' }
  | { readonly as: 'INVALID_INPUT' | 'REJECTED'; readonly message: string; readonly remedy?: string }
  | { readonly as: 'PROTECTED'; readonly reason: ProtectionReason; readonly message: string }
  | { readonly as: 'UNAVAILABLE' };

const badToken: Meaning = { as: 'BAD_TOKEN' };
const noSuchPerson: Meaning = { as: 'NO_SUCH_PERSON' };
const filterRefused: Meaning = { as: 'FILTER_REFUSED' };
const unavailable: Meaning = { as: 'UNAVAILABLE' };
const connection = (problem: ConnectionProblemCode): Meaning => ({ as: 'CONNECTION', problem });
const invalid = (message: string, remedy?: string): Meaning => ({ as: 'INVALID_INPUT', message, remedy });
const rejected = (message: string, remedy?: string): Meaning => ({ as: 'REJECTED', message, remedy });
const userNameInvalid = (message: string): Meaning => ({ as: 'USERNAME_INVALID', message });
const userNameUnavailable = (message: string): Meaning => ({ as: 'USERNAME_UNAVAILABLE', message });
const protectedUser = (reason: ProtectionReason, message: string): Meaning => ({ as: 'PROTECTED', reason, message });
const groupLimit = (message: string): Meaning => ({ as: 'GROUP_LIMIT', message });

const malformedCall = rejected('Slack does not understand the form of this call.');
const malformedValue = invalid('Slack does not accept the form of a value.');

/** The SCIM API's codes: those that Slack documents, and two that were only seen in the field. */
export const scimCodes = {
  missing_authentication: badToken,
  invalid_authentication: badToken,
  // Until 2026 the answer to a bad token on v2; every path of ours names the right version.
  unsupported_version: badToken,
  non_org_teams_only: connection('WRONG_INSTALL_LEVEL'),
  plus_teams_only: connection('PLAN_TOO_LOW'),
  permission_denied: { as: 'NO_PERMISSION' },
  bad_endpoint: malformedCall,
  method_not_allowed: malformedCall,
  missing_schema_element: malformedCall,
  missing_user_id: malformedCall,
  missing_group_id: malformedCall,
  invalid_request_payload: invalid('Slack does not accept one of the fields.'),
  invalid_attribute_format: malformedValue,
  invalid_reserved_word: invalid('A value contains a word that Slack reserves.'),
  invalid_emoji_not_allowed: invalid('A value contains an emoji, which Slack does not allow there.'),
  cannot_decode_user_id: noSuchPerson,
  no_such_user: noSuchPerson,
  unknown_user: noSuchPerson,
  no_such_group: { as: 'NO_SUCH_GROUP' },
  no_such_group_members: { as: 'MEMBERS_REFUSED', reason: 'UNKNOWN' },
  username_required: userNameInvalid('Slack needs a user name.'),
  username_empty: userNameInvalid('The user name is empty.'),
  username_invalid: userNameInvalid('Slack does not accept this user name.'),
  username_not_allowed: userNameInvalid('Slack reserves this user name.'),
  username_too_long: userNameInvalid('The user name is longer than 21 characters.'),
  long_username: userNameInvalid('The user name is longer than 21 characters.'),
  long_nickname: userNameInvalid('The user name is longer than 21 characters.'),
  username_taken: userNameUnavailable('A person, active or not, or a channel has this user name already.'),
  truncation_error: userNameUnavailable('Slack could not shorten the user name to one that is free.'),
  user_creation_failed: rejected(
    'Slack did not create the account. It may exist already.',
    'Look the person up by e-mail address and user name, deactivated accounts included.',
  ),
  invited_user_not_created: { as: 'TRANSIENT' },
  invalid_name_required: invalid('The given and the family name hold nothing but blanks.'),
  invalid_name_maxlength: invalid('The display name is longer than 80 characters.'),
  invalid_name_specials: invalid('The display name contains characters that Slack does not allow.'),
  invalid_starts_with_at: invalid('The display name must not begin with @.'),
  invalid_display_name: rejected(
    'Slack does not let this app change display names.',
    'Leave the display name out, or let an Admin of Slack switch off that members edit their own display name.',
  ),
  email_empty: invalid('The e-mail address is empty.'),
  email_invalid: invalid('Slack does not accept this e-mail address.'),
  bad_email_address: invalid('Slack does not accept this e-mail address.'),
  emails_invalid: invalid('Slack does not accept the e-mail addresses.'),
  missing_primary_email: invalid('An account cannot be without a primary e-mail address.'),
  email_taken: { as: 'EMAIL_TAKEN' },
  addresses_invalid: invalid('Slack does not accept the postal address.'),
  phoneNumbers_invalid: invalid('Slack does not accept the phone number.'),
  photos_invalid: invalid('Slack does not accept the photo.'),
  roles_invalid: invalid('Slack does not accept the role.'),
  groups_invalid: invalid('Slack does not accept the groups.'),
  improper_enterprise_schema_format: invalid("Slack does not accept the manager's id."),
  password_change_not_allowed: invalid('Slack does not let a password be changed here.'),
  unable_to_create_team_profile_fields: rejected(
    'Slack could not add a custom profile field.',
    'A Slack team has at most 50 custom profile fields: let an Admin of Slack remove one that is not used.',
  ),
  cannot_modify_owner: protectedUser('OWNER', 'Slack protects this person: an owner.'),
  cannot_disable_primary_owner: protectedUser('PRIMARY_OWNER', 'Slack protects this person: the Primary Owner.'),
  primary_owner_check_failure: protectedUser('PRIMARY_OWNER', 'Slack protects this person: the Primary Owner.'),
  cannot_modify_gdpr: protectedUser('ERASED', 'This account was erased for data protection and cannot be changed.'),
  cannot_disable_bot_user_with_scim: protectedUser('BOT', 'This account is a bot. Its app manages it, not SCIM.'),
  cannot_make_user_guest: {
    as: 'GUEST_NOT_ALLOWED',
    message: 'Slack does not make a guest of this person.',
  },
  group_creation_failed: rejected('Slack did not create the group.'),
  group_members_create_failed: rejected('Slack did not add the group members.'),
  failed_to_remove_users_for_linked_subteam: rejected('Slack did not remove the group members.'),
  group_member_max_exceeded: groupLimit('The group would have more members than Slack allows.'),
  too_many_users: groupLimit('The call names more people than Slack takes at once.'),
  unable_to_add_deleted_or_guest_to_group: { as: 'MEMBERS_REFUSED', reason: 'DEACTIVATED_OR_GUEST' },
  idp_group_linked_to_channels: { as: 'GROUP_IN_USE' },
  no_filters: filterRefused,
  incomplete_filter: filterRefused,
  invalid_filter_group: filterRefused,
  invalid_query: filterRefused,
  invalid_sort_order: filterRefused,
  query_building_failed: filterRefused,
  database_query_failure: filterRefused,
  too_many_requests: { as: 'RATE_LIMITED' },
  resource_locked: { as: 'LOCKED' },
} as const satisfies Record<string, Meaning>;

/** The Web API's codes, which the SCIM API may answer too when a token is at fault. */
export const webApiCodes = {
  not_authed: connection('INVALID_TOKEN'),
  invalid_auth: connection('INVALID_TOKEN'),
  token_revoked: connection('TOKEN_REVOKED'),
  token_expired: connection('TOKEN_EXPIRED'),
  account_inactive: connection('INSTALLER_LOST_RIGHTS'),
  missing_scope: connection('MISSING_SCOPES'),
  not_allowed_token_type: connection('WRONG_TOKEN_KIND'),
  accesslimited: connection('IP_NOT_ALLOWED'),
  access_denied: connection('IP_NOT_ALLOWED'),
  no_permission: rejected('Slack refuses this call to the owner of the token.'),
  ekm_access_denied: rejected(
    "The team's administrators have suspended access (key management).",
    'Ask an Admin of Slack.',
  ),
  org_login_required: unavailable,
  team_added_to_org: unavailable,
  team_access_not_granted: rejected('The app was not added to this workspace.'),
  two_factor_setup_required: rejected(
    'The person who installed the app must set up two-factor authentication in Slack.',
    'Let that person set it up, then verify the connection.',
  ),
  enterprise_is_restricted: rejected('Slack does not offer this call to organizations.'),
  ratelimited: { as: 'RATE_LIMITED' },
  internal_error: unavailable,
  fatal_error: unavailable,
  service_unavailable: unavailable,
  request_timeout: unavailable,
  invalid_post_type: malformedCall,
  missing_post_type: malformedCall,
  invalid_form_data: malformedCall,
  invalid_charset: malformedCall,
  invalid_array_arg: malformedCall,
  invalid_arg_name: malformedCall,
  invalid_arguments: malformedCall,
  not_bearer_token: malformedCall,
  method_deprecated: malformedCall,
  deprecated_endpoint: malformedCall,
  unknown_method: malformedCall,
} as const satisfies Record<string, Meaning>;

/** Which of the Web API's codes speak against the token itself. */
export const deadTokenCodes: readonly string[] = [
  'not_authed',
  'invalid_auth',
  'token_revoked',
  'token_expired',
  'account_inactive',
];

/** RFC 7644 §3.12: what a standard server says beside the status. `uniqueness` depends on the field, so it is not here. */
export const scimTypes = {
  invalidFilter: filterRefused,
  tooMany: filterRefused,
  invalidValue: malformedValue,
  mutability: invalid('A field cannot be changed once it is set.'),
  invalidSyntax: malformedCall,
  invalidPath: malformedCall,
  noTarget: malformedCall,
  invalidVers: malformedCall,
  sensitive: malformedCall,
} as const satisfies Record<string, Meaning>;
