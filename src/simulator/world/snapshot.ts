import type { Group } from './group';
import type { OAuthState } from './oauth-records';
import { Organization, type OrganizationFacts } from './organization';
import type { Person } from './person';
import { type TokenGrant, tokenNames } from './token';
import { World } from './world';

const version = 1;

interface GroupState extends Omit<Group, 'members'> {
  readonly members: readonly string[];
}

interface OrganizationState {
  readonly facts: OrganizationFacts;
  readonly people: readonly Person[];
  readonly groups: readonly GroupState[];
}

/** A world as JSON. It names tokens and says how they stand; of what was issued it holds digests, never the values. */
export interface Snapshot {
  readonly version: number;
  readonly issuedIds: number;
  readonly organizations: readonly OrganizationState[];
  readonly grants: readonly TokenGrant[];
  /** Absent in files from before installations were kept. */
  readonly oauth?: OAuthState;
}

export function snapshotOf(world: World): Snapshot {
  return {
    version,
    issuedIds: world.issuedIds,
    organizations: [...world.organizations.values()].map(stateOf),
    grants: [...world.grants.values()],
    oauth: world.oauth.state(),
  };
}

function stateOf(organization: Organization): OrganizationState {
  const { key, id, name, domain, plan, workspaces, channelNames } = organization;
  return {
    facts: { key, id, name, domain, plan, workspaces, channelNames },
    people: [...organization.people.values()],
    groups: [...organization.groups.values()].map((group) => ({ ...group, members: [...group.members] })),
  };
}

/**
 * Builds the world that a snapshot holds.
 * @throws Error when the snapshot is of another version or incomplete.
 */
export function restoreWorld(seed: string, input: unknown): World {
  const snapshot = assertSnapshot(input);
  const world = new World(seed, snapshot.issuedIds);
  for (const { facts, people, groups } of snapshot.organizations) {
    const organization = new Organization(facts);
    for (const person of people) organization.addPerson(person);
    for (const group of groups) organization.addGroup({ ...group, members: new Set(group.members) });
    world.organizations.set(organization.id, organization);
  }
  for (const grant of snapshot.grants) {
    if (!world.organizations.get(grant.organizationId)?.people.has(grant.personId)) {
      throw new Error('A token of the snapshot belongs to nobody');
    }
    world.addGrant(grant);
    if (!snapshot.oauth && !grant.isRevoked) world.oauth.authorize(grant);
  }
  if (snapshot.oauth) world.oauth.restore(snapshot.oauth);
  return world;
}

// Written by this module and nobody else: the check is for files of another version, cut short or edited by hand.
function assertSnapshot(input: unknown): Snapshot {
  const snapshot = input as Partial<Snapshot> | null;
  const isComplete =
    snapshot?.version === version &&
    Number.isSafeInteger(snapshot.issuedIds) &&
    Array.isArray(snapshot.organizations) &&
    Array.isArray(snapshot.grants) &&
    tokenNames.every((name) => snapshot.grants?.some((grant) => grant.name === name));
  if (!isComplete) throw new Error('Not a snapshot of this version');
  return snapshot as Snapshot;
}
