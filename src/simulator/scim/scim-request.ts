import type { Answer, Call } from '../call';
import type { SimulatorClock } from '../clock';
import type { Switches } from '../switches';
import type { Organization } from '../world/organization';
import type { TokenRegistry } from '../world/token';
import type { World } from '../world/world';
import type { ScimCaller } from './protection';
import type { RateLimiter } from './rate-limit';
import { ScimError } from './scim-error';
import { isObject, type JsonObject } from './value';
import type { WriteLocks } from './write-lock';

/** What SCIM and the Web API work on. `world` is another object after a reset. */
export interface SlackContext {
  readonly world: World;
  readonly switches: Readonly<Switches>;
  readonly clock: SimulatorClock;
  readonly tokens: TokenRegistry;
  readonly limits: RateLimiter;
  readonly locks: WriteLocks;
  /** Where the simulator is reached, e.g. `http://127.0.0.1:4010`. */
  readonly origin: string;
  /** Real time, cut short when the simulator stops. */
  pause(ms: number): Promise<void>;
}

/** A SCIM call that passed authentication, plan and limits. */
export interface ScimRequest {
  readonly context: SlackContext;
  readonly call: Call;
  readonly caller: ScimCaller;
  readonly organization: Organization;
  /** URL below which the resources lie. */
  readonly base: string;
}

/**
 * The JSON body of a write.
 * @throws ScimError `invalid_request_payload`, or `missing_schema_element` as every write must name its schemas (SCIM §4.2,
 * documented). Which names are in the list is not looked at, as clients send more than they use.
 */
export function parseBody(call: Call): JsonObject {
  let body: unknown;
  try {
    body = JSON.parse(call.body);
  } catch {
    throw new ScimError('invalid_request_payload');
  }
  if (!isObject(body)) throw new ScimError('invalid_request_payload');
  const { schemas } = body;
  if (!Array.isArray(schemas) || schemas.length === 0 || !schemas.every((urn) => typeof urn === 'string')) {
    throw new ScimError('missing_schema_element');
  }
  return body;
}

/** 201 with the resource, or without a body or with a `Location` under a switch. */
export function createdAnswer(
  { context }: ScimRequest,
  kind: 'users' | 'groups',
  location: string,
  body: object,
): Answer {
  const { emptyPostBody, locationHeader } = context.switches;
  const isEmpty = emptyPostBody === 'always' || (emptyPostBody === 'groups' && kind === 'groups');
  return { status: 201, headers: locationHeader ? { location } : {}, ...(isEmpty ? {} : { body }) };
}
