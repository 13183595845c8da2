import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FaultRule } from '../faults/fault';
import type { AppContext } from '../oauth/app-context';
import { isObject, type JsonObject } from '../scim/value';
import type { Simulator } from '../simulator';
import { parseSwitches } from '../switches';
import { type Organization, plans } from '../world/organization';
import { type Person, ranks } from '../world/person';
import { registerAppControls } from './app-control.route';
import { homePage } from './home-page';
import { stateView } from './state-view';

/** What the control routes reach beyond the public interface. */
export interface Controlled {
  readonly simulator: Simulator;
  readonly context: AppContext;
  buckets(): Record<string, Record<string, number>>;
  locks(): string[];
  /** @throws RangeError */
  advance(ms: number): void;
  onChange(): void;
}

/**
 * Routes that Slack does not have: look at the simulated Slack and move it about. They show token values, so they refuse calls
 * that a web page of another origin makes through a browser.
 */
export function registerControlRoutes(server: FastifyInstance, controlled: Controlled): void {
  const { simulator } = controlled;
  server.get('/', (_request, reply) => reply.headers(pageHeaders).send(homePage(simulator)));
  const control = (method: 'GET' | 'POST' | 'DELETE', path: string, run: Run) => {
    server.route({
      method,
      url: `/_simulator/${path}`,
      handler: (request, reply) => answer(simulator, request, reply, run),
    });
  };
  control('GET', 'state', () => stateView(controlled));
  control('GET', 'requests', () => ({ requests: simulator.requests }));
  control('POST', 'reset', () => {
    simulator.reset();
    return { ok: true };
  });
  control('POST', 'faults', (request) => ({ id: simulator.faults.add(bodyOf(request) as unknown as FaultRule) }));
  control('DELETE', 'faults', () => {
    simulator.faults.clear();
    return { ok: true };
  });
  control('DELETE', 'faults/:id', (request) => {
    if (!simulator.faults.remove(paramOf(request, 'id'))) throw new NotThere('There is no such fault');
    return { ok: true };
  });
  control('POST', 'clock', (request) => {
    controlled.advance(Number(bodyOf(request).advanceMs));
    simulator.world.settle(simulator.clock.now());
    return { now: simulator.clock.now() };
  });
  control('POST', 'switches', (request) => Object.assign(simulator.switches, parseSwitches(bodyOf(request))));
  control('POST', 'people/:id', (request) => changePerson(controlled, request));
  control('POST', 'organizations/:id', (request) => changeOrganization(controlled, request));
  control('POST', 'tokens/:name/revoke', (request) => revokeToken(controlled, request));
  registerAppControls(control, controlled, bodyOf);
}

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

type Run = (request: FastifyRequest) => object | Promise<object>;

class NotThere extends Error {}

async function answer(simulator: Simulator, request: FastifyRequest, reply: FastifyReply, run: Run) {
  const { origin } = request.headers;
  if (origin !== undefined && origin !== simulator.url) {
    return reply.code(403).send({ error: 'Control routes are not for other web pages' });
  }
  reply.header('cache-control', 'no-store');
  try {
    return reply.send(await run(request));
  } catch (error) {
    if (error instanceof NotThere) return reply.code(404).send({ error: error.message });
    if (error instanceof RangeError || error instanceof SyntaxError)
      return reply.code(400).send({ error: error.message });
    throw error;
  }
}

/** `{"rank": "member"}` demotes or promotes, `{"active": false}` deactivates at once, whoever it is. */
function changePerson({ simulator, onChange }: Controlled, request: FastifyRequest): object {
  const { organization, person } = findPerson(simulator, paramOf(request, 'id'));
  const { rank, active } = bodyOf(request);
  const chosen = ranks.find((known) => known === rank);
  if (rank !== undefined && chosen === undefined) throw new RangeError(`A rank is one of: ${ranks.join(', ')}`);
  if (active !== undefined && typeof active !== 'boolean') throw new RangeError('active is true or false');
  if (chosen !== undefined) organization.setRank(person, chosen);
  if (active === true) organization.reactivate(person);
  if (active === false) organization.deactivate(person, simulator.clock.now(), 0);
  onChange();
  return person;
}

function findPerson({ world }: Simulator, id: string): { organization: Organization; person: Person } {
  for (const organization of world.organizations.values()) {
    const person = organization.people.get(id);
    if (person) return { organization, person };
  }
  throw new NotThere('There is no such person');
}

/** `{"plan": "pro"}` changes what the organization pays for. */
function changeOrganization({ simulator, onChange }: Controlled, request: FastifyRequest): object {
  const organization = simulator.world.organizationById(paramOf(request, 'id'));
  if (!organization) throw new NotThere('There is no such organization');
  const { plan } = bodyOf(request);
  const chosen = plans.find((known) => known === plan);
  if (chosen === undefined) throw new RangeError(`A plan is one of: ${plans.join(', ')}`);
  organization.plan = chosen;
  onChange();
  return { id: organization.id, plan: chosen };
}

/** Ends one token without a word to the app; `app/revoke-grant` is what a person does. */
function revokeToken({ simulator, onChange }: Controlled, request: FastifyRequest): object {
  const grant = simulator.world.grants.get(paramOf(request, 'name'));
  if (!grant) throw new NotThere('There is no such token');
  grant.isRevoked = true;
  onChange();
  return { name: grant.name, isRevoked: true };
}

function paramOf(request: FastifyRequest, name: string): string {
  const { params } = request;
  const value = isObject(params) ? params[name] : undefined;
  return typeof value === 'string' ? value : '';
}

/** @throws SyntaxError or RangeError when the body is no JSON object. */
function bodyOf(request: FastifyRequest): JsonObject {
  const body: unknown = JSON.parse(typeof request.body === 'string' ? request.body : '');
  if (!isObject(body)) throw new RangeError('Send a JSON object');
  return body;
}
