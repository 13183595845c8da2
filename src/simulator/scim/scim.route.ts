import { type Answer, bearerToken, type Call } from '../call';
import { mayAdminister } from '../world/person';
import { resourceTypes, serviceProviderConfig } from './discovery';
import { createGroup, deleteGroup, getGroup, listGroups, patchGroup, replaceGroup } from './group.service';
import type { ScimCaller } from './protection';
import type { LimitRow } from './rate-limit';
import { groupSchema, schemaList, userSchema } from './schema-document';
import { errorAnswer, ScimError } from './scim-error';
import type { ScimRequest, SlackContext } from './scim-request';
import { groupUrn, userUrn } from './urns';
import { createUser, deleteUser, getUser, listUsers, patchUser, replaceUser } from './user.service';

interface Endpoint {
  /** Counted beside the organization's own row of all reads or all writes. */
  readonly row?: LimitRow;
  run(request: ScimRequest, id: string): Answer;
}

type Methods = Readonly<Record<string, Endpoint>>;

/** Every verb of SCIM §3. */
const collections: Readonly<Record<string, { collection: Methods; single: Methods; missingId?: string }>> = {
  Users: {
    collection: { GET: { run: listUsers }, POST: { row: 'createUser', run: createUser } },
    single: {
      GET: { row: 'getUser', run: getUser },
      PUT: { row: 'updateUser', run: replaceUser },
      PATCH: { row: 'updateUser', run: patchUser },
      DELETE: { row: 'deleteUser', run: deleteUser },
    },
    missingId: 'missing_user_id',
  },
  Groups: {
    collection: { GET: { run: listGroups }, POST: { row: 'createGroup', run: createGroup } },
    single: {
      GET: { row: 'getGroup', run: getGroup },
      PUT: { row: 'updateGroup', run: replaceGroup },
      PATCH: { row: 'updateGroup', run: patchGroup },
      DELETE: { row: 'deleteGroup', run: deleteGroup },
    },
    missingId: 'missing_group_id',
  },
  ResourceTypes: {
    collection: { GET: { run: ({ base }) => ({ status: 200, body: resourceTypes(base) }) } },
    single: {},
  },
  Schemas: {
    collection: { GET: { run: () => ({ status: 200, body: schemaList() }) } },
    single: { GET: { run: getSchema } },
  },
};

const configNames = ['ServiceProviderConfig', 'ServiceProviderConfigs'];

interface Target {
  readonly endpoint: Endpoint;
  readonly resource: string;
  readonly id: string;
}

/** Answers one call below `/scim/`, in the order of checks of SCIM §13.4 (assumed). */
export async function answerScim(context: SlackContext, call: Call): Promise<Answer> {
  try {
    return await answerCall(context, call);
  } catch (error) {
    if (error instanceof ScimError) return errorAnswer(error, context.switches, context.clock.now());
    throw error;
  }
}

async function answerCall(context: SlackContext, call: Call): Promise<Answer> {
  const [, , version, ...segments] = call.path.split('/');
  if (version !== 'v2') throw new ScimError('unsupported_version');
  const [resource = '', ...rest] = segments.filter((segment) => segment !== '');
  if (configNames.includes(resource) && rest.length === 0) {
    if (call.method !== 'GET') throw new ScimError('method_not_allowed');
    return { status: 200, body: serviceProviderConfig() };
  }
  const target = findTarget(call.method, resource, rest);
  const caller = authenticate(context, call);
  const { organization } = caller;
  organization.settle(context.clock.now());
  const isWrite = call.method !== 'GET';
  if (context.switches.limitsEnabled) {
    const rows: LimitRow[] = [isWrite ? 'allWrites' : 'allReads'];
    context.limits.take(organization.id, target.endpoint.row ? [...rows, target.endpoint.row] : rows);
  }
  const request: ScimRequest = { context, call, caller, organization, base: `${context.origin}/scim/v2` };
  return isWrite ? write(request, target) : target.endpoint.run(request, target.id);
}

function findTarget(method: string, resource: string, [id, ...deeper]: string[]): Target {
  const known = Object.hasOwn(collections, resource) ? collections[resource] : undefined;
  if (!known || deeper.length > 0) throw new ScimError('bad_endpoint');
  const methods = id === undefined ? known.collection : known.single;
  const endpoint = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (endpoint) return { endpoint, resource, id: id === undefined ? '' : decodeId(id) };
  // PUT, PATCH and DELETE need an id (SCIM §9.2, documented).
  if (id === undefined && known.missingId && Object.hasOwn(known.single, method)) throw new ScimError(known.missingId);
  throw new ScimError(Object.keys(methods).length === 0 ? 'bad_endpoint' : 'method_not_allowed');
}

function decodeId(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ScimError('bad_endpoint');
  }
}

/** Who calls; every failure of the token itself looks the same (SCIM §2, documented and observed). */
function authenticate(context: SlackContext, call: Call): ScimCaller & Pick<ScimRequest, 'organization'> {
  if (call.headers.authorization === undefined) {
    throw new ScimError(badTokenCode(context, 'missing_authentication'));
  }
  const refusal = () => new ScimError(badTokenCode(context, 'invalid_authentication'));
  const grant = context.tokens.grantOf(context.world, bearerToken(call));
  const organization = grant && context.world.organizations.get(grant.organizationId);
  if (!grant || !organization) throw refusal();
  organization.settle(context.clock.now());
  const installer = organization.people.get(grant.personId);
  const isExpired = grant.expiresAt !== null && grant.expiresAt <= context.clock.now();
  if (!installer || grant.isRevoked || isExpired || grant.kind === 'bot' || !grant.scopes.includes('admin'))
    throw refusal();
  // The token stops with its installer's account or rights (SCIM §2, documented; the word was reported).
  if (!installer.active || !mayAdminister(installer)) throw refusal();
  if (organization.plan === 'pro') throw new ScimError('plus_teams_only');
  if (grant.workspaceId !== null) throw new ScimError('non_org_teams_only');
  return { grant, installer, organization };
}

function badTokenCode({ switches }: SlackContext, code: string): string {
  return switches.badTokenAnswer === 'unsupported_version' ? 'unsupported_version' : code;
}

/** The resource is locked for as long as its write takes (SCIM §10, documented); a creation has nothing to lock. */
async function write(request: ScimRequest, { endpoint, resource, id }: Target): Promise<Answer> {
  const { locks, switches, pause } = request.context;
  const work = async () => {
    if (switches.writeTimeMs > 0) await pause(switches.writeTimeMs);
    return endpoint.run(request, id);
  };
  return id !== '' && (resource === 'Users' || resource === 'Groups')
    ? locks.hold(resource, id, switches.writeTimeMs, work)
    : work();
}

function getSchema(_request: ScimRequest, id: string): Answer {
  if (id === 'Users' || id === userUrn) return { status: 200, body: userSchema() };
  if (id === 'Groups' || id === groupUrn) return { status: 200, body: groupSchema() };
  throw new ScimError('bad_endpoint');
}
