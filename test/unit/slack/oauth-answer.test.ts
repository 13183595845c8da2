import { readCodeAnswer, readTokenAnswer } from '../../../src/slack/oauth-answer';

const ASKED_AT = Date.UTC(2030, 0, 1);
const IN_TWELVE_HOURS = new Date(ASKED_AT + 43_200_000);

const acme = { id: 'T0WORK0001', name: 'Acme Berlin' };
const group = { id: 'E0GRID0001', name: 'Acme Group' };
const bot = { token_type: 'bot', scope: 'team:read', bot_user_id: 'U0BOT00001', access_token: 'xoxe.xoxb-1-bot' };
const user = { id: 'U0ADMIN001', scope: 'admin', access_token: 'xoxp-user', token_type: 'user' };
const rotatingUser = { ...user, access_token: 'xoxe.xoxp-1-user', refresh_token: 'xoxe-1-user', expires_in: 43_200 };

const alone = {
  ok: true,
  app_id: 'A0GATEWAY1',
  authed_user: user,
  team: acme,
  enterprise: null,
  is_enterprise_install: false,
};
const inside = {
  ...alone,
  ...bot,
  refresh_token: 'xoxe-1-bot',
  expires_in: 43_200,
  authed_user: rotatingUser,
  enterprise: group,
};
const whole = { ...inside, team: null, is_enterprise_install: true };
const flat = {
  ok: true,
  app_id: 'A0GATEWAY1',
  access_token: 'xoxe.xoxp-1-next',
  refresh_token: 'xoxe-1-next',
  expires_in: 43_200,
  token_type: 'user',
  scope: 'admin',
  user_id: 'W0OWNER001',
  team: null,
  enterprise: group,
  is_enterprise_install: true,
};

/** As it is, but with secrets that can be compared. */
function shown(value: unknown): unknown {
  if (value instanceof Date || Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  if ('reveal' in value && typeof value.reveal === 'function') return value.reveal();
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shown(member)]));
}
const code = (body: object) => shown(readCodeAnswer({ ...body }, ASKED_AT));
const token = (body: object) => shown(readTokenAnswer({ ...body }, ASKED_AT));

describe('the answer to a code', () => {
  it('is a workspace outside of an organization, with a token that lasts', () => {
    expect(code(alone)).toEqual({
      installLevel: 'WORKSPACE',
      teamKey: 'T0WORK0001',
      workspace: { slackId: 'T0WORK0001', name: 'Acme Berlin' },
      token: { secret: 'xoxp-user', grantedScopes: ['admin'], userSlackId: 'U0ADMIN001', appSlackId: 'A0GATEWAY1' },
    });
  });

  it('is a workspace inside an organization, though the organization is named', () => {
    expect(code(inside)).toEqual({
      installLevel: 'WORKSPACE',
      teamKey: 'T0WORK0001',
      workspace: { slackId: 'T0WORK0001', name: 'Acme Berlin' },
      organization: { slackId: 'E0GRID0001', name: 'Acme Group' },
      token: {
        secret: 'xoxe.xoxp-1-user',
        refreshToken: 'xoxe-1-user',
        expiresAt: IN_TWELVE_HOURS,
        grantedScopes: ['admin'],
        userSlackId: 'U0ADMIN001',
        appSlackId: 'A0GATEWAY1',
      },
      bot: { secret: 'xoxe.xoxb-1-bot', refreshToken: 'xoxe-1-bot' },
    });
  });

  it('is an organization, without a team', () => {
    expect(code(whole)).toMatchObject({
      installLevel: 'ORGANIZATION',
      teamKey: 'E0GRID0001',
      organization: { slackId: 'E0GRID0001', name: 'Acme Group' },
      token: { secret: 'xoxe.xoxp-1-user' },
    });
    expect(code(whole)).not.toHaveProperty('workspace');
    expect(code({ ...whole, team: { id: 'E0GRID0001' } })).toMatchObject({ teamKey: 'E0GRID0001' });
    const { team: _, ...teamless } = whole;
    expect(code(teamless)).toEqual(code(whole));
  });

  it('tells the level without its flag by what is named', () => {
    expect(code({ ...alone, is_enterprise_install: undefined })).toEqual(code(alone));
    expect(code({ ...inside, is_enterprise_install: undefined })).toEqual(code(inside));
    expect(code({ ...whole, is_enterprise_install: undefined })).toEqual(code(whole));
    expect(code({ ...whole, is_enterprise_install: 'true' })).toEqual(code(whole));
  });

  it('does not need names, and leaves alone what it does not know', () => {
    const nameless = { ...alone, team: { id: 'T0WORK0001', name: '' }, warning: 'superfluous_charset', more: {} };
    expect(code(nameless)).toMatchObject({ workspace: { slackId: 'T0WORK0001' } });
  });

  it.each([
    ['no user token', { id: 'U0ADMIN001' }],
    ['an empty one', { ...user, access_token: '' }],
    ['nobody at all', undefined],
    ["a bot's, by its prefix", { ...user, access_token: 'xoxb-1' }],
    ["a rotating bot's, by its prefix", { ...user, access_token: 'xoxe.xoxb-1-x' }],
    ["a bot's, by its type", { ...user, token_type: 'bot' }],
  ])("never takes the bot's token for the user's: %s", (_, authedUser) => {
    const granted = code({ ...inside, authed_user: authedUser });
    expect(granted).toMatchObject({ teamKey: 'T0WORK0001', bot: { secret: 'xoxe.xoxb-1-bot' } });
    expect(granted).not.toHaveProperty('token');
  });

  it('does not take a user token at the top for a bot', () => {
    expect(code({ ...inside, token_type: 'user', access_token: 'xoxp-9' })).not.toHaveProperty('bot');
  });

  it.each([
    ['admin,identify', ['admin']],
    ['identify', []],
    [' admin , users:read,', ['admin', 'users:read']],
    [undefined, []],
  ])('reads the scopes %p', (scope, grantedScopes) => {
    expect(code({ ...alone, authed_user: { ...user, scope } })).toMatchObject({ token: { grantedScopes } });
  });

  it.each([
    ['a workspace install that names no workspace', { ...alone, team: null }],
    ['an organization install that names no organization', { ...whole, enterprise: null }],
    ['an id that is empty', { ...alone, team: { id: '' } }],
    ['nobody whom the token belongs to', { ...alone, authed_user: { ...user, id: undefined } }],
    ['nothing', { ok: true }],
    ['members of other types', { ok: true, team: 'Acme', enterprise: [], authed_user: 7 }],
  ])('cannot be read: %s', (_, body) => {
    expect(code(body)).toBeUndefined();
  });
});

describe('the end of a token', () => {
  const endOf = (expiresIn: unknown, part: object = rotatingUser) =>
    readCodeAnswer({ ...alone, authed_user: { ...part, expires_in: expiresIn } }, ASKED_AT)?.token?.expiresAt;

  it('is counted from before the call', () => {
    expect(endOf(43_200)).toEqual(IN_TWELVE_HOURS);
    expect(endOf(43_201)).toEqual(new Date(ASKED_AT + 43_201_000));
    expect(endOf('43200')).toEqual(IN_TWELVE_HOURS);
  });

  it.each([undefined, null, '', 0, -1, 'soon', Number.MAX_SAFE_INTEGER, {}])(
    'is that of every rotating token where Slack says %p, and none for one that lasts',
    (expiresIn) => {
      expect(endOf(expiresIn)).toEqual(IN_TWELVE_HOURS);
      expect(endOf(expiresIn, user)).toBeUndefined();
    },
  );
});

describe('the answer to a refresh token', () => {
  it('is flat', () => {
    expect(token(flat)).toEqual({
      as: 'USER',
      token: {
        secret: 'xoxe.xoxp-1-next',
        refreshToken: 'xoxe-1-next',
        expiresAt: IN_TWELVE_HOURS,
        grantedScopes: ['admin'],
        userSlackId: 'W0OWNER001',
        appSlackId: 'A0GATEWAY1',
      },
    });
  });

  it.each([
    ['user_id', { user_id: 'U1' }, 'U1'],
    ['id', { user_id: undefined, id: 'U2' }, 'U2'],
    ['user_id before id', { user_id: 'U1', id: 'U2' }, 'U1'],
    ['a part of its own', { user_id: undefined, authed_user: { id: 'U3' } }, 'U3'],
  ])('names the person in %s', (_, members, userSlackId) => {
    expect(token({ ...flat, ...members })).toMatchObject({ token: { userSlackId } });
  });

  it('may name nobody, no app, no scopes and no type', () => {
    const { user_id: _, app_id: __, scope: ___, token_type: ____, ...bare } = flat;
    const read = token(bare);
    expect(read).toMatchObject({ as: 'USER', token: { secret: 'xoxe.xoxp-1-next', grantedScopes: [] } });
    expect(read).not.toHaveProperty('token.userSlackId');
    expect(read).not.toHaveProperty('token.appSlackId');
  });

  it('counts at the top, also beside a nested one', () => {
    expect(token({ ...flat, authed_user: rotatingUser })).toMatchObject({ token: { secret: 'xoxe.xoxp-1-next' } });
  });

  it('is taken from inside when there is none at the top, rather than thrown away', () => {
    const nested = { token: { secret: 'xoxe.xoxp-1-user', refreshToken: 'xoxe-1-user', userSlackId: 'U0ADMIN001' } };
    expect(token(inside)).toMatchObject(nested);
    expect(token({ ...alone, authed_user: rotatingUser })).toMatchObject(nested);
  });

  it.each([
    ['its type', { token_type: 'bot' }],
    ['its prefix', { access_token: 'xoxe.xoxb-1-next' }],
  ])('is no user token, by %s', (_, members) => {
    expect(token({ ...flat, ...members })).toEqual({ as: 'OTHER_KIND' });
  });

  it.each([
    ['no access token', { access_token: undefined }],
    ['an empty one', { access_token: ' ' }],
    ['no refresh token', { refresh_token: null }],
    ['tokens of another form', { access_token: {}, refresh_token: [] }],
  ])('cannot be read: %s', (_, members) => {
    expect(token({ ...flat, ...members })).toBeUndefined();
  });
});
