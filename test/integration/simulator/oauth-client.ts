import type { Simulator } from '../../../src/simulator/simulator';
import type { OrganizationKey } from '../../../src/simulator/world/organization';
import type { Person } from '../../../src/simulator/world/person';

export const redirectUri = 'http://127.0.0.1:9/api/auth/callback/slack';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

/** The tokens of one answer, whichever of the shapes it has. */
export interface Pair {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** A browser and a back end that install the simulator's app, each call over real HTTP. */
export class OAuthClient {
  constructor(private readonly simulator: Simulator) {}

  /** An authorize URL; `undefined` leaves a parameter out. */
  authorizeUrl(overrides: Record<string, string | undefined> = {}): string {
    const query = {
      client_id: this.simulator.app.clientId,
      scope: 'team:read',
      user_scope: 'admin',
      redirect_uri: redirectUri,
      state: 'st4te',
      ...overrides,
    };
    const stated = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return `${this.simulator.url}/oauth/v2/authorize?${new URLSearchParams(stated)}`;
  }

  person(userName: string, organization: OrganizationKey): Person {
    const person = this.simulator.world.organization(organization).personByUserName(userName);
    if (!person) throw new Error(`Nobody is called ${userName}`);
    return person;
  }

  placeId(name: string): string {
    for (const organization of this.simulator.world.organizations.values()) {
      const place = [organization, ...organization.workspaces].find((known) => known.name === name);
      if (place) return place.id;
    }
    throw new Error(`There is no ${name}`);
  }

  /** What the form of the consent page sends. */
  async decide(url: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
    const body = new URLSearchParams(form);
    return toAnswer(await fetch(url, { method: 'POST', body, headers, redirect: 'manual' }));
  }

  /** Allows the app as somebody in a place, and gives the code. */
  async code(person: Person, place: string, overrides: Record<string, string | undefined> = {}): Promise<string> {
    const form = { person: person.id, place: this.placeId(place), decision: 'allow' };
    const { headers, text } = await this.decide(this.authorizeUrl(overrides), form);
    const code = new URL(headers.get('location') ?? 'none:').searchParams.get('code');
    if (code === null) throw new Error(`No code: ${text}`);
    return code;
  }

  /** A call to the Web API with form fields. */
  async api(
    method: string,
    fields: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const body = new URLSearchParams(fields);
    return toAnswer(await fetch(`${this.simulator.url}/api/${method}`, { method: 'POST', body, headers }));
  }

  /** `oauth.v2.access` or another method with the app's own credentials in the body. */
  asApp(fields: Record<string, string>, method = 'oauth.v2.access'): Promise<Answer> {
    const { clientId, clientSecret } = this.simulator.app;
    return this.api(method, { client_id: clientId, client_secret: clientSecret, ...fields });
  }

  exchange(code: string, fields: Record<string, string> = {}): Promise<Answer> {
    return this.asApp({ code, redirect_uri: redirectUri, ...fields });
  }

  refresh(refreshToken: string): Promise<Answer> {
    return this.asApp({ grant_type: 'refresh_token', refresh_token: refreshToken });
  }

  /** `ok` or the error of `auth.test`. */
  async standing(token: string): Promise<unknown> {
    const { json } = await this.api('auth.test', {}, { authorization: `Bearer ${token}` });
    return json.ok === true ? 'ok' : json.error;
  }

  /** Installs the app and gives the person's pair. */
  async install(person: Person, place: string, overrides: Record<string, string | undefined> = {}): Promise<Pair> {
    const { json } = await this.exchange(await this.code(person, place, overrides));
    return pairOf(json.authed_user);
  }
}

export function pairOf(answer: unknown): Pair {
  const { access_token: accessToken, refresh_token: refreshToken } = answer as Record<string, unknown>;
  if (typeof accessToken !== 'string') throw new Error(`No token: ${JSON.stringify(answer)}`);
  return { accessToken, refreshToken: typeof refreshToken === 'string' ? refreshToken : '' };
}

async function toAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : {} };
}
