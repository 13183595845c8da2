import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';
const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

type Resource = Record<string, unknown> & { id: string };
type Kind = 'Users' | 'Groups';

/** What a resource is called by; a server of the standard keeps both unique. */
const nameAttributes: Readonly<Record<Kind, string>> = { Users: 'userName', Groups: 'displayName' };

export interface StandardServerOptions {
  readonly patch: '200' | '204' | 'unsupported';
  readonly filters: 'evaluated' | 'refused' | 'ignored';
  /** Refuses bodies of type application/json, as RFC 7644 §3.1 allows. */
  readonly wantsScimMediaType?: boolean;
}

/** A SCIM 2.0 server as RFC 7643 and RFC 7644 describe it, with none of Slack's ways. */
export class StandardServer {
  readonly users = new Map<string, Resource>();
  readonly groups = new Map<string, Resource>();
  readonly calls: string[] = [];
  readonly #server: Server;

  private constructor(private readonly options: StandardServerOptions) {
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  static async start(options: StandardServerOptions): Promise<StandardServer> {
    const server = new StandardServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  add(attributes: Record<string, unknown> & { userName: string }): Resource {
    const user = {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      active: true,
      ...attributes,
      id: randomUUID(),
    };
    this.users.set(user.id, user);
    return user;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<ServerResponse> {
    const url = new URL(request.url ?? '', this.url);
    const { method = '' } = request;
    this.calls.push(method);
    const text = await textOf(request);
    const [, kind = 'Users', id] = /^\/scim\/v2\/(Users|Groups)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const resources = kind === 'Groups' ? this.groups : this.users;
    if (text !== '' && this.options.wantsScimMediaType && request.headers['content-type'] !== 'application/scim+json') {
      return refuse(response, 415);
    }
    const body = text === '' ? {} : JSON.parse(text);
    if (id === undefined) {
      if (method === 'GET') return this.#list(url, resources, response);
      if (method === 'POST') return this.#create(body, kind as Kind, resources, response);
      return refuse(response, 405);
    }
    const resource = resources.get(decodeURIComponent(id));
    if (resource === undefined) return refuse(response, 404, { detail: `Resource ${id} not found` });
    if (method === 'GET') return answer(response, 200, shown(resource, url));
    if (method === 'PATCH') return this.#patch(resource, body, resources, response);
    if (method === 'DELETE' && kind === 'Groups') {
      resources.delete(resource.id);
      return response.writeHead(204).end();
    }
    if (method !== 'PUT') return refuse(response, 405);
    resources.set(resource.id, { ...body, id: resource.id });
    return answer(response, 200, resources.get(resource.id));
  }

  #list(url: URL, listed: ReadonlyMap<string, Resource>, response: ServerResponse): ServerResponse {
    const filter = url.searchParams.get('filter');
    if (filter !== null && this.options.filters === 'refused') {
      return refuse(response, 400, { scimType: 'invalidFilter', detail: 'Filtering is not supported' });
    }
    const everybody = [...listed.values()].map((resource) => shown(resource, url));
    const found =
      filter !== null && this.options.filters === 'evaluated' ? everybody.filter(predicateOf(filter)) : everybody;
    const startIndex = Number(url.searchParams.get('startIndex') ?? 1);
    const page = found.slice(
      startIndex - 1,
      startIndex - 1 + Math.min(50, Number(url.searchParams.get('count') ?? 50)),
    );
    // RFC 7644 §3.4.2: Resources may be left out when there are none.
    const resources = page.length === 0 ? {} : { Resources: page };
    return answer(response, 200, {
      schemas: [LIST],
      totalResults: found.length,
      startIndex,
      itemsPerPage: page.length,
      ...resources,
    });
  }

  #create(
    body: Record<string, unknown>,
    kind: Kind,
    resources: Map<string, Resource>,
    response: ServerResponse,
  ): ServerResponse {
    const attribute = nameAttributes[kind];
    const name = body[attribute];
    if (typeof name !== 'string') return refuse(response, 400, { scimType: 'invalidValue', detail: `No ${attribute}` });
    const isTaken = [...resources.values()].some(
      (resource) => String(resource[attribute]).toLowerCase() === name.toLowerCase(),
    );
    if (isTaken) return refuse(response, 409, { scimType: 'uniqueness', detail: 'Resource already exists' });
    if (kind === 'Users') return answer(response, 201, this.add({ ...body, userName: name }));
    const group = { ...body, id: randomUUID() };
    resources.set(group.id, group);
    return answer(response, 201, group);
  }

  #patch(
    resource: Resource,
    { Operations: operations }: { Operations?: Operation[] },
    resources: Map<string, Resource>,
    response: ServerResponse,
  ): ServerResponse {
    if (this.options.patch === 'unsupported') return refuse(response, 501, { detail: 'PATCH is not implemented' });
    const patched = structuredClone(resource);
    for (const operation of operations ?? []) {
      if (!apply(patched, operation)) return refuse(response, 400, { scimType: 'invalidPath', detail: 'Unknown path' });
    }
    resources.set(resource.id, patched);
    if (this.options.patch === '200') return answer(response, 200, patched);
    return response.writeHead(204).end();
  }
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** RFC 7644 §3.5.2 for the paths that a client of this kind needs. @returns false for a path that is not understood. */
function apply(target: Record<string, unknown>, { op, path, value }: Operation): boolean {
  const urn = /^(urn:[^.]*?2\.0:User)(?::(.+))?$/.exec(path);
  if (urn?.[1] !== undefined) {
    const extension = (target[urn[1]] ?? {}) as Record<string, unknown>;
    if (urn[2] === undefined && op === 'remove') delete target[urn[1]];
    else target[urn[1]] = extension;
    if (urn[2] === undefined) return op === 'remove' || Boolean(Object.assign(extension, value));
    return apply(extension, { op, path: urn[2], value });
  }
  const entry = /^(\w+)\[value eq ("(?:[^"\\]|\\.)*")\](?:\.(\w+))?$/.exec(path);
  if (entry !== null) return applyToEntry(target, entry, op, value);
  const [attribute = '', member, ...rest] = path.split('.');
  if (!/^[A-Za-z][\w-]*$/.test(attribute) || rest.length > 0) return false;
  if (member !== undefined) {
    const parent = (target[attribute] ?? {}) as Record<string, unknown>;
    target[attribute] = parent;
    return apply(parent, { op, path: member, value });
  }
  if (op === 'remove') delete target[attribute];
  else if (op === 'add' && Array.isArray(value))
    target[attribute] = [...((target[attribute] as unknown[]) ?? []), ...value];
  else target[attribute] = value;
  return true;
}

function applyToEntry(
  target: Record<string, unknown>,
  [, attribute = '', literal = '""', member]: RegExpExecArray,
  op: string,
  value: unknown,
): boolean {
  const entries = (target[attribute] ?? []) as Record<string, unknown>[];
  const wanted: unknown = JSON.parse(literal);
  const index = entries.findIndex((entry) => entry.value === wanted);
  const found = entries[index];
  if (found === undefined) return false;
  if (op === 'remove') entries.splice(index, 1);
  else if (member !== undefined) found[member] = value;
  else entries[index] = value as Record<string, unknown>;
  return true;
}

/** RFC 7644 §3.9. */
function shown(resource: Resource, url: URL): Resource {
  const excluded = url.searchParams.get('excludedAttributes')?.split(',') ?? [];
  const members = Object.entries(resource).filter(([name]) => !excluded.includes(name));
  return Object.fromEntries(members) as Resource;
}

function predicateOf(filter: string): (resource: Resource) => boolean {
  const [, attribute, literal = '""'] = /^(\S+) eq (.*)$/.exec(filter) ?? [];
  const wanted = String(JSON.parse(literal)).toLowerCase();
  if (attribute === 'userName' || attribute === 'displayName') {
    return (resource) => String(resource[attribute]).toLowerCase() === wanted;
  }
  return (user) => ((user.emails ?? []) as { value: string }[]).some(({ value }) => value.toLowerCase() === wanted);
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function answer(response: ServerResponse, status: number, body: unknown): ServerResponse {
  return response
    .writeHead(status, { 'content-type': 'application/scim+json;charset=UTF-8' })
    .end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, members: object = {}): ServerResponse {
  return answer(response, status, { schemas: [ERROR], status: String(status), ...members });
}
