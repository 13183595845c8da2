import {
  EmailTaken,
  type ErrorCode,
  GuestNotAllowed,
  InvalidInput,
  NotFound,
  ProtectedUser,
  UpstreamRejected,
  UserNameUnavailable,
} from '../../../src/domain/errors';
import { FilterRefused, meaningOf, type RefusedCall, refusalError, VerbNotSupported } from '../../../src/slack/errors';
import { scimCodes } from '../../../src/slack/slack-codes';
import { readRefusal } from '../../../src/slack/wire';

const readList: RefusedCall = { kind: 'READ_LIST', isAboutGuest: false };
const readPerson: RefusedCall = { kind: 'READ_PERSON', isAboutGuest: false };
const create: RefusedCall = { kind: 'CREATE', isAboutGuest: false };
const write: RefusedCall = { kind: 'WRITE_ON_PERSON', isAboutGuest: false };

function slackSays(code: string, status = 400) {
  return readRefusal(status, { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], detail: code, status });
}

/** Every code that Slack documents for SCIM, and the two seen in the field, for a write on a person. */
const expected: Readonly<Record<string, ErrorCode>> = {
  missing_authentication: 'REAUTHORIZATION_REQUIRED',
  invalid_authentication: 'REAUTHORIZATION_REQUIRED',
  non_org_teams_only: 'WRONG_INSTALL_LEVEL',
  plus_teams_only: 'PLAN_TOO_LOW',
  permission_denied: 'PROTECTED_USER',
  unsupported_version: 'REAUTHORIZATION_REQUIRED',
  bad_endpoint: 'UPSTREAM_REJECTED',
  method_not_allowed: 'UPSTREAM_REJECTED',
  missing_schema_element: 'UPSTREAM_REJECTED',
  invalid_request_payload: 'INVALID_INPUT',
  invalid_attribute_format: 'INVALID_INPUT',
  invalid_reserved_word: 'INVALID_INPUT',
  invalid_emoji_not_allowed: 'INVALID_INPUT',
  missing_user_id: 'UPSTREAM_REJECTED',
  missing_group_id: 'UPSTREAM_REJECTED',
  cannot_decode_user_id: 'NOT_FOUND',
  no_such_user: 'NOT_FOUND',
  unknown_user: 'NOT_FOUND',
  no_such_group: 'NOT_FOUND',
  no_such_group_members: 'GROUP_MEMBER_REFUSED',
  username_required: 'USERNAME_INVALID',
  username_empty: 'USERNAME_INVALID',
  username_invalid: 'USERNAME_INVALID',
  username_not_allowed: 'USERNAME_INVALID',
  username_too_long: 'USERNAME_INVALID',
  long_nickname: 'USERNAME_INVALID',
  long_username: 'USERNAME_INVALID',
  username_taken: 'USERNAME_UNAVAILABLE',
  truncation_error: 'USERNAME_UNAVAILABLE',
  user_creation_failed: 'UPSTREAM_REJECTED',
  invalid_name_required: 'INVALID_INPUT',
  invalid_name_maxlength: 'INVALID_INPUT',
  invalid_name_specials: 'INVALID_INPUT',
  invalid_starts_with_at: 'INVALID_INPUT',
  invalid_display_name: 'UPSTREAM_REJECTED',
  email_empty: 'INVALID_INPUT',
  email_invalid: 'INVALID_INPUT',
  bad_email_address: 'INVALID_INPUT',
  email_taken: 'EMAIL_TAKEN',
  emails_invalid: 'INVALID_INPUT',
  missing_primary_email: 'INVALID_INPUT',
  addresses_invalid: 'INVALID_INPUT',
  phoneNumbers_invalid: 'INVALID_INPUT',
  photos_invalid: 'INVALID_INPUT',
  roles_invalid: 'INVALID_INPUT',
  groups_invalid: 'INVALID_INPUT',
  improper_enterprise_schema_format: 'INVALID_INPUT',
  password_change_not_allowed: 'INVALID_INPUT',
  unable_to_create_team_profile_fields: 'UPSTREAM_REJECTED',
  cannot_modify_owner: 'PROTECTED_USER',
  cannot_disable_primary_owner: 'PROTECTED_USER',
  primary_owner_check_failure: 'PROTECTED_USER',
  cannot_make_user_guest: 'PROTECTED_USER',
  cannot_modify_gdpr: 'PROTECTED_USER',
  cannot_disable_bot_user_with_scim: 'PROTECTED_USER',
  group_creation_failed: 'UPSTREAM_REJECTED',
  group_members_create_failed: 'UPSTREAM_REJECTED',
  failed_to_remove_users_for_linked_subteam: 'UPSTREAM_REJECTED',
  group_member_max_exceeded: 'GROUP_LIMIT',
  too_many_users: 'GROUP_LIMIT',
  unable_to_add_deleted_or_guest_to_group: 'GROUP_MEMBER_REFUSED',
  idp_group_linked_to_channels: 'GROUP_LINKED_TO_CHANNELS',
  no_filters: 'UPSTREAM_REJECTED',
  incomplete_filter: 'UPSTREAM_REJECTED',
  invalid_filter_group: 'UPSTREAM_REJECTED',
  invalid_query: 'UPSTREAM_REJECTED',
  invalid_sort_order: 'UPSTREAM_REJECTED',
  query_building_failed: 'UPSTREAM_REJECTED',
  database_query_failure: 'UPSTREAM_REJECTED',
  too_many_requests: 'UPSTREAM_UNAVAILABLE',
  resource_locked: 'UPSTREAM_UNAVAILABLE',
  invited_user_not_created: 'UPSTREAM_UNAVAILABLE',
};

describe('refusalError', () => {
  it('knows every documented code, and no other', () => {
    expect(Object.keys(scimCodes).sort()).toEqual(Object.keys(expected).sort());
  });

  it.each(Object.entries(expected))('maps %s to %s, in both styles of the body', (code, problem) => {
    const newStyle = refusalError(slackSays(`${code} (user=someone)`), write);
    const oldStyle = refusalError(readRefusal(400, { Errors: { description: code, code: 400 } }), write);
    expect([newStyle.code, oldStyle.code]).toEqual([problem, problem]);
    expect(newStyle.message).not.toContain('someone');
  });

  it.each([
    ['cannot_modify_owner', 'OWNER'],
    ['cannot_disable_primary_owner', 'PRIMARY_OWNER'],
    ['primary_owner_check_failure', 'PRIMARY_OWNER'],
    ['cannot_modify_gdpr', 'ERASED'],
    ['cannot_disable_bot_user_with_scim', 'BOT'],
    ['permission_denied', 'HIGHER_RANK'],
    ['cannot_make_user_guest', 'ADMIN_OR_OWNER'],
  ])('says of %s why the person is protected: %s', (code, reason) => {
    const error = refusalError(slackSays(code, 403), write);
    expect(error).toBeInstanceOf(ProtectedUser);
    expect(error).toMatchObject({ reason });
  });

  it('takes permission_denied for lost rights where no person is concerned', () => {
    expect(refusalError(slackSays('permission_denied', 403), readList).code).toBe('INSTALLER_LOST_RIGHTS');
    expect(refusalError(slackSays('permission_denied', 403), create).code).toBe('INSTALLER_LOST_RIGHTS');
  });

  it('takes an unknown person on creation for a wrong reference, such as the manager', () => {
    expect(refusalError(slackSays('no_such_user', 404), create)).toBeInstanceOf(InvalidInput);
  });

  it('says of a group what it says of people elsewhere', () => {
    const writeGroup: RefusedCall = { kind: 'WRITE_ON_GROUP', isAboutGuest: false };
    const createGroup: RefusedCall = { kind: 'CREATE_GROUP', isAboutGuest: false };
    expect(refusalError(slackSays('permission_denied', 403), writeGroup).code).toBe('PROTECTED_GROUP');
    expect(refusalError(slackSays('permission_denied', 403), createGroup).code).toBe('INSTALLER_LOST_RIGHTS');
    expect(refusalError(slackSays('no_such_user', 404), writeGroup)).toMatchObject({ reason: 'UNKNOWN' });
    expect(refusalError(readRefusal(409, {}), createGroup).code).toBe('CONFLICT');
    expect(refusalError(readRefusal(404, undefined), writeGroup).message).toMatch(/group/);
    expect(refusalError(readRefusal(404, undefined), { ...writeGroup, kind: 'READ_GROUP' })).toBeInstanceOf(NotFound);
    expect(refusalError(readRefusal(501, undefined), writeGroup)).toBeInstanceOf(VerbNotSupported);
  });

  it('blames the guest, not the whole plan, when a guest was asked for', () => {
    const error = refusalError(slackSays('plus_teams_only', 403), { ...create, isAboutGuest: true });
    expect(error).toBeInstanceOf(GuestNotAllowed);
    // Whoever is created is no Admin yet.
    expect(refusalError(slackSays('cannot_make_user_guest', 403), create)).toBeInstanceOf(GuestNotAllowed);
  });

  describe('from a standard SCIM server', () => {
    function serverSays(status: number, body: object) {
      return readRefusal(status, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
        status: String(status),
        ...body,
      });
    }

    it('reads uniqueness as the user name, or as the address when the text speaks of it', () => {
      const name = serverSays(409, { scimType: 'uniqueness', detail: 'User already exists' });
      const email = serverSays(409, { scimType: 'uniqueness', detail: 'E-mail address in use' });
      expect(refusalError(name, create)).toBeInstanceOf(UserNameUnavailable);
      expect(refusalError(email, create)).toBeInstanceOf(EmailTaken);
      expect(refusalError(serverSays(409, {}), create)).toBeInstanceOf(UserNameUnavailable);
    });

    it.each([
      ['invalidFilter', FilterRefused],
      ['tooMany', FilterRefused],
      ['invalidValue', InvalidInput],
      ['mutability', InvalidInput],
      ['invalidSyntax', UpstreamRejected],
      ['invalidPath', UpstreamRejected],
      ['noTarget', UpstreamRejected],
    ])('reads scimType %s', (scimType, type) => {
      expect(refusalError(serverSays(400, { scimType, detail: 'Something is wrong here' }), write)).toBeInstanceOf(
        type,
      );
    });

    it('reads 404 as the person not being there', () => {
      const refusal = serverSays(404, { detail: 'Resource 2819c223 not found' });
      expect(refusalError(refusal, write)).toBeInstanceOf(NotFound);
      expect(refusalError(refusal, readPerson)).toBeInstanceOf(NotFound);
      expect(refusalError(refusal, create)).toBeInstanceOf(UpstreamRejected);
    });

    it.each([
      [405, {}],
      [501, { detail: 'not implemented' }],
      [400, { detail: 'PATCH is not supported' }],
      [403, { detail: 'The PATCH operation is unsupported' }],
    ])('reads %d %j as a method that is not offered', (status, body) => {
      expect(refusalError(serverSays(status, body), write)).toBeInstanceOf(VerbNotSupported);
    });

    it("never takes the first word of a sentence, maybe somebody's name, for a code", () => {
      expect(refusalError(serverSays(400, { detail: 'Jane is not welcome' }), write)).toMatchObject({
        slackCode: 'unknown',
        httpStatus: 400,
      });
    });

    it.each([
      [401, 'BAD_TOKEN'],
      [429, 'RATE_LIMITED'],
    ])('goes by status %d where nothing else tells', (status, as) => {
      expect(meaningOf(serverSays(status, { detail: 'Something is wrong here' }))).toEqual({ as });
    });
  });

  it('survives bodies of every shape', () => {
    const bodies = [
      undefined,
      null,
      7,
      'text',
      [],
      { Errors: [] },
      { Errors: [{ description: 'email_taken' }] },
      { Errors: 'x' },
      { detail: 7 },
    ];
    for (const body of bodies) expect(refusalError(readRefusal(400, body), write)).toBeInstanceOf(Error);
    expect(readRefusal(409, { Errors: [{ description: 'email_taken' }] }).slackCode).toBe('email_taken');
  });
});
