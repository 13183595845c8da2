import type { OAuthGrant } from '../../../src/domain/slack-oauth-port';
import { Secret } from '../../../src/shared/secret';
import type { Person } from '../../../src/simulator/world/person';
import { OAuthClient, redirectUri } from '../simulator/oauth-client';
import { type Simulated, startSimulated } from './simulated';

const DAY_MS = 86_400_000;

let slack: Simulated;
let people: OAuthClient;

beforeAll(async () => {
  slack = await startSimulated();
  people = new OAuthClient(slack.simulator);
});
afterAll(() => slack.stop());
beforeEach(() => slack.simulator.reset());

const ada = () => people.person('ada.lovelace', 'business');
const oscar = () => people.person('oscar.lindqvist', 'enterprise');

function exchange(code: string): Promise<OAuthGrant> {
  return slack.run(slack.edge.oauth.exchangeCode('SANDBOX', new Secret(code), slack.call()));
}
async function install(person: Person, place: string, query: Record<string, string | undefined> = {}) {
  return exchange(await people.code(person, place, query));
}
function refresh(token: Secret | undefined) {
  return slack.run(slack.edge.oauth.refresh('SANDBOX', token ?? new Secret('none'), slack.call()));
}
function exchangeLongLived(token: Secret) {
  return slack.run(slack.edge.oauth.exchangeLongLived('SANDBOX', token, slack.call()));
}
const standing = (token: Secret) => people.standing(token.reveal());

describe('the consent page at the simulated Slack', () => {
  it('takes the authorize URL, and leads back with a code that is good for a grant', async () => {
    const url = slack.edge.oauth.authorizeUrl('SANDBOX', { state: new Secret('st4te'), teamHint: 'T1' });
    const form = { person: oscar().id, place: people.placeId('Acme Group'), decision: 'allow' };
    const { headers } = await people.decide(url, form);
    const back = new URL(headers.get('location') ?? 'none:');
    expect(`${back.origin}${back.pathname}`).toBe(redirectUri);
    expect(back.searchParams.get('state')).toBe('st4te');
    const grant = await exchange(back.searchParams.get('code') ?? '');
    expect(grant).toMatchObject({ installLevel: 'ORGANIZATION', token: { userSlackId: oscar().id } });
  });
});

describe('a code at the simulated Slack', () => {
  it('gives a grant on a workspace', async () => {
    const grant = await install(ada(), 'Northwind');
    expect(grant).toEqual({
      installLevel: 'WORKSPACE',
      teamKey: people.placeId('Northwind'),
      workspace: { slackId: people.placeId('Northwind'), name: 'Northwind' },
      token: {
        secret: expect.any(Secret),
        refreshToken: expect.any(Secret),
        expiresAt: new Date(slack.clock.now() + DAY_MS / 2),
        grantedScopes: ['admin'],
        userSlackId: ada().id,
        appSlackId: slack.simulator.app.appId,
      },
      bot: { secret: expect.any(Secret), refreshToken: expect.any(Secret) },
    });
    expect(await standing(grant.token.secret)).toBe('ok');
  });

  it('gives a grant on an organization, and on a workspace inside one', async () => {
    const whole = await install(oscar(), 'Acme Group');
    const organization = { slackId: people.placeId('Acme Group'), name: 'Acme Group' };
    expect(whole).toMatchObject({ installLevel: 'ORGANIZATION', teamKey: organization.slackId, organization });
    expect(whole).not.toHaveProperty('workspace');
    slack.simulator.reset();
    const inside = await install(oscar(), 'Acme Berlin');
    expect(inside).toMatchObject({
      installLevel: 'WORKSPACE',
      teamKey: people.placeId('Acme Berlin'),
      workspace: { name: 'Acme Berlin' },
      organization,
    });
  });
});

describe('a refresh at the simulated Slack', () => {
  it('gives the next pair', async () => {
    const { token } = await install(ada(), 'Northwind');
    const next = await refresh(token.refreshToken);
    expect(next).toMatchObject({ userSlackId: ada().id, grantedScopes: ['admin'] });
    expect(await standing(next.secret)).toBe('ok');
    expect(next.refreshToken?.reveal()).not.toBe(token.refreshToken?.reveal());
  });
});

describe('a long-lived token at the simulated Slack', () => {
  it('moves into rotation', async () => {
    slack.simulator.switches.tokenRotation = false;
    const { token } = await install(ada(), 'Northwind');
    expect(token).not.toHaveProperty('refreshToken');
    slack.simulator.switches.tokenRotation = true;
    const pair = await exchangeLongLived(token.secret);
    expect(pair).toMatchObject({ userSlackId: ada().id, expiresAt: new Date(slack.clock.now() + DAY_MS / 2) });
    expect(await standing((await refresh(pair.refreshToken)).secret)).toBe('ok');
  });
});
