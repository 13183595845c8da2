import type { Simulator } from '../../src/simulator/simulator';
import type { OrganizationKey } from '../../src/simulator/world/organization';
import type { TenantClient } from './tenant-client';

export interface ShownPage {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of the h1. */
  readonly heading: string;
  /** Where the page leads by itself. */
  readonly next: string | undefined;
}

export interface Decision {
  /** Their userName. */
  readonly person: string;
  readonly organization: OrganizationKey;
  /** Name of the workspace or organization. */
  readonly place: string;
  readonly decision?: 'allow' | 'cancel';
}

export const owner: Decision = { person: 'oscar.lindqvist', organization: 'enterprise', place: 'Acme Group' };
export const admin: Decision = { person: 'ada.lovelace', organization: 'business', place: 'Northwind' };

/**
 * A person with a browser of their own, each step over real HTTP: it keeps cookies, sends what browsers send with a form, and
 * follows redirects within the gateway only when told so.
 */
export class InstallVisitor {
  readonly cookies = new Map<string, string>();
  /** Everything that was shown or sent to this browser. */
  readonly seen: string[] = [];

  constructor(
    private readonly gateway: string,
    private readonly simulator: Simulator,
  ) {}

  get(url: string, headers: Record<string, string> = {}): Promise<ShownPage> {
    return this.#send(url, { headers });
  }

  /** Sends a form as a browser does from a page of the gateway. */
  post(url: string, fields: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<ShownPage> {
    return this.#send(url, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { origin: 'null', 'sec-fetch-site': 'same-origin', ...headers },
    });
  }

  /** Presses the button of a link's page. @returns the authorize URL of Slack */
  async begin(url: string, fields: Record<string, string> = {}): Promise<string> {
    const page = await this.post(url, fields);
    if (page.next === undefined) throw new Error(`The page leads nowhere: ${page.status} ${page.heading}`);
    return page.next;
  }

  /** Decides on Slack's consent page. @returns the callback that Slack sends the browser to */
  async decide(authorizeUrl: string, { person, organization, place, decision = 'allow' }: Decision): Promise<string> {
    const body = new URLSearchParams({
      person: this.#personId(person, organization),
      place: this.placeId(place),
      decision,
    });
    const response = await fetch(authorizeUrl, { method: 'POST', body, redirect: 'manual' });
    const location = response.headers.get('location');
    if (location === null) throw new Error(`Slack sends nobody back: ${await response.text()}`);
    return location;
  }

  /** Goes to the callback and on to the page that shows the result. */
  async comeBack(callback: string, headers: Record<string, string> = {}): Promise<ShownPage> {
    const page = await this.get(callback, headers);
    const location = page.headers.get('location');
    return location === null ? page : this.get(new URL(location, this.gateway).href);
  }

  /** The whole way from a link's page to its result. */
  async install(url: string, decision: Decision, fields: Record<string, string> = {}): Promise<ShownPage> {
    return this.comeBack(await this.decide(await this.begin(url, fields), decision));
  }

  placeId(name: string): string {
    for (const organization of this.simulator.world.organizations.values()) {
      const place = [organization, ...organization.workspaces].find((known) => known.name === name);
      if (place) return place.id;
    }
    throw new Error(`There is no ${name}`);
  }

  #personId(userName: string, organization: OrganizationKey): string {
    const person = this.simulator.world.organization(organization).personByUserName(userName);
    if (!person) throw new Error(`Nobody is called ${userName}`);
    return person.id;
  }

  async #send(url: string, init: RequestInit): Promise<ShownPage> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...(init.headers as Record<string, string>), ...(cookie === '' ? {} : { cookie }) };
    const response = await fetch(new URL(url, this.gateway), { ...init, headers, redirect: 'manual' });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      this.cookies.set(name, value);
    }
    const text = await response.text();
    this.seen.push(text);
    const [, next] = /^\d+;url=(.*)$/.exec(response.headers.get('refresh') ?? '') ?? [];
    const [, heading = ''] = /<h1>([^<]*)<\/h1>/.exec(text) ?? [];
    return { url, status: response.status, headers: response.headers, text, heading: unescaped(heading), next };
  }
}

/** Where the forms of a page are sent. */
export function formActions({ text }: ShownPage): string[] {
  return [...text.matchAll(/<form method="post" action="([^"]+)"/g)].map(([, action = '']) => unescaped(action));
}

function unescaped(text: string): string {
  return text.replaceAll('&#39;', "'").replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}

export interface InstallAnswer {
  readonly id: string;
  readonly status: string;
  readonly level: string | null;
  readonly authorizeUrl: string | null;
  readonly expiresAt: string;
  readonly completedAt: string | null;
  readonly connection: { id: string; status: string; installLevel: string } | null;
  readonly problem: { code: string; message: string; remedy: string | null; detail: string | null } | null;
}

const installFields = `id status level environment name externalId authorizeUrl expiresAt completedAt
  connection { id status installLevel } problem { code message remedy detail }`;
const problems = 'problems { code message remedy path }';

export interface InstallProblemAnswer {
  readonly code: string;
  readonly remedy: string | null;
  readonly path: string[] | null;
}

export async function startInstall(client: TenantClient, input: object = {}) {
  const { data, errors } = await client.call<{
    startInstall: { install: InstallAnswer | null; problems: InstallProblemAnswer[] };
  }>(
    `mutation ($input: StartInstallInput!) { startInstall(input: $input) { install { ${installFields} } ${problems} } }`,
    { input: { name: 'Acme', environment: 'SANDBOX', level: 'ORGANIZATION', ...input } },
  );
  if (!data) throw new Error(JSON.stringify(errors));
  return data.startInstall;
}

export async function createConnectLink(client: TenantClient, input: object = {}) {
  const { data, errors } = await client.call<{
    createConnectLink: {
      link: { url: string; expiresAt: string; install: InstallAnswer } | null;
      problems: InstallProblemAnswer[];
    };
  }>(
    `mutation ($input: CreateConnectLinkInput!) {
      createConnectLink(input: $input) { link { url expiresAt install { ${installFields} } } ${problems} }
    }`,
    { input: { name: 'Acme', environment: 'SANDBOX', ...input } },
  );
  if (!data) throw new Error(JSON.stringify(errors));
  return data.createConnectLink;
}

/** The address of a new install, and its id. */
export async function newInstall(client: TenantClient, input: object = {}): Promise<{ id: string; url: string }> {
  const { install, problems: found } = await startInstall(client, input);
  if (!install?.authorizeUrl) throw new Error(JSON.stringify(found));
  return { id: install.id, url: install.authorizeUrl };
}

export async function newLink(client: TenantClient, input: object = {}): Promise<{ id: string; url: string }> {
  const { link, problems: found } = await createConnectLink(client, input);
  if (!link) throw new Error(JSON.stringify(found));
  return { id: link.install.id, url: link.url };
}

export async function readInstall(client: TenantClient, id: string): Promise<InstallAnswer | null> {
  const { data, errors } = await client.call<{ install: InstallAnswer | null }>(
    `query ($id: ID!) { install(id: $id) { ${installFields} } }`,
    { id },
  );
  if (!data) throw new Error(JSON.stringify(errors));
  return data.install;
}
