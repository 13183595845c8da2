import { type Group, shownDisplayName } from '../world/group';
import type { Organization } from '../world/organization';
import { type TokenGrant, tokenNames, tokenPlans } from '../world/token';
import type { Controlled } from './control.route';

/** Everything that a person or a test may want to see, tokens with their values: here is where they are copied from. */
export function stateView({ simulator, buckets, locks }: Controlled): object {
  const { world, clock, switches, faults, tokens } = simulator;
  world.settle(clock.now());
  return {
    now: clock.now(),
    organizations: [...world.organizations.values()].map(organizationView),
    tokens: tokenNames.map((name) => {
      const grant = world.grants.get(name);
      return {
        name,
        value: tokens[name],
        purpose: tokenPlans[name].purpose,
        kind: grant?.kind,
        organizationId: grant?.organizationId,
        workspaceId: grant?.workspaceId,
        personId: grant?.personId,
        scopes: grant?.scopes,
        isRevoked: grant?.isRevoked,
        expiresAt: grant?.expiresAt,
      };
    }),
    app: simulator.app,
    eventsUrl: simulator.eventsUrl,
    authorizations: world.oauth.authorizations,
    issuedTokens: [...world.grants.values()].filter(({ digest }) => digest !== undefined).map(issuedTokenView),
    switches,
    faults: faults.list(),
    buckets: buckets(),
    locks: locks(),
    requestCount: simulator.requests.length,
  };
}

/** Without its value, which nobody keeps. */
function issuedTokenView({ digest: _digest, ...standing }: TokenGrant): object {
  return standing;
}

function organizationView(organization: Organization): object {
  const { key, id, name, domain, plan, workspaces, channelNames } = organization;
  return {
    key,
    id,
    name,
    domain,
    plan,
    workspaces,
    channelNames,
    people: [...organization.people.values()],
    groups: [...organization.groups.values()].map(groupView),
  };
}

function groupView(group: Group): object {
  return { ...group, members: [...group.members], shownAs: shownDisplayName(group) };
}
