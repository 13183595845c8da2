import { request } from 'node:http';
import type { Simulator } from '../../src/simulator/simulator';
import type { OrganizationKey } from '../../src/simulator/world/organization';
import type { Person } from '../../src/simulator/world/person';
import type { TokenName } from '../../src/simulator/world/token';

export const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const groupUrn = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
export const guestUrn = 'urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User';
export const profileUrn = 'urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User';
export const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

export interface SlackAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined when there is none or it is no JSON object. */
  readonly json: Record<string, unknown>;
}

export interface CallOptions {
  readonly token?: TokenName | null;
  readonly headers?: Record<string, string>;
  /** Objects are sent as JSON. */
  readonly body?: object | string;
}

/** Speaks to a simulator over real HTTP, as `business-admin` unless told otherwise. */
export class SimulatorClient {
  constructor(
    private readonly simulator: Simulator,
    private readonly token: TokenName = 'business-admin',
  ) {}

  as(token: TokenName): SimulatorClient {
    return new SimulatorClient(this.simulator, token);
  }

  async call(
    method: string,
    path: string,
    { token = this.token, headers = {}, body }: CallOptions = {},
  ): Promise<SlackAnswer> {
    const response = await fetch(`${this.simulator.url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${this.simulator.tokens[token]}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parseObject(text) };
  }

  /** A call below `/scim/v2`. */
  scim(method: string, path: string, body?: object, options: CallOptions = {}): Promise<SlackAnswer> {
    return this.call(method, `/scim/v2${path}`, { ...options, ...(body === undefined ? {} : { body }) });
  }

  createUser(attributes: object): Promise<SlackAnswer> {
    return this.scim('POST', '/Users', { schemas: [userUrn], ...attributes });
  }

  patch(resource: 'Users' | 'Groups', id: string, ...operations: object[]): Promise<SlackAnswer> {
    return this.scim('PATCH', `/${resource}/${id}`, { schemas: [patchUrn], Operations: operations });
  }

  list(resource: 'Users' | 'Groups', query: Record<string, string> = {}): Promise<SlackAnswer> {
    return this.scim('GET', `/${resource}?${new URLSearchParams(query)}`);
  }

  async filter(resource: 'Users' | 'Groups', filter: string): Promise<string[]> {
    const { json } = await this.list(resource, { filter, count: '100' });
    return resourcesOf(json).map((entry) => String(entry.userName ?? entry.displayName));
  }

  person(
    userName: string,
    organization: OrganizationKey = this.token.startsWith('enterprise') ? 'enterprise' : 'business',
  ): Person {
    const person = this.simulator.world.organization(organization).personByUserName(userName);
    if (!person) throw new Error(`Nobody is called ${userName}`);
    return person;
  }
}

export function resourcesOf(json: Record<string, unknown>): Record<string, unknown>[] {
  if (!Array.isArray(json.Resources)) throw new Error('Not a list');
  return json.Resources;
}

/** The code of an error body of either style, without its details. */
export function codeOf({ json }: SlackAnswer): string | undefined {
  return errorText(json)?.split(' ')[0];
}

export function errorText(json: Record<string, unknown>): string | undefined {
  const { Errors: errors, detail } = json;
  const text = typeof errors === 'object' && errors !== null && 'description' in errors ? errors.description : detail;
  return typeof text === 'string' ? text : undefined;
}

/** What happens to the bytes on the wire, which fetch hides: complete or cut, and how much of the body came. */
export function rawRequest(
  url: string,
  headers: Record<string, string>,
): Promise<{ status: number; promised: number; received: number; isComplete: boolean }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { headers }, (response) => {
      let received = 0;
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      response.on('error', () => undefined);
      response.on('close', () => {
        const promised = Number(response.headers['content-length']);
        resolve({ status: response.statusCode ?? 0, promised, received, isComplete: response.complete });
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
