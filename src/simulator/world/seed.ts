import { pacificTimestamp } from '../clock';
import type { Group } from './group';
import { Organization, type OrganizationKey, type Plan } from './organization';
import { blankProfile, defaultTimezone, type Guest, type Person, type ProfileFields, type Rank } from './person';
import { rotatingLifetimeMs, tokenNames, tokenPlans } from './token';
import { World } from './world';

export interface PersonPlan {
  /** Tokens name their person by this key. */
  readonly key: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly rank: Rank;
  readonly title?: string;
  readonly isDeactivated?: boolean;
  readonly guest?: Guest;
  readonly profile?: Partial<ProfileFields>;
}

interface OrganizationPlan {
  readonly key: OrganizationKey;
  readonly name: string;
  readonly domain: string;
  readonly plan: Plan;
  readonly workspaces: readonly { name: string; domain: string }[];
  readonly people: readonly PersonPlan[];
  readonly groups: readonly { displayName: string; members: readonly string[]; isLinkedToChannels?: boolean }[];
}

const channelNames = ['general', 'random', 'announcements', 'engineering', 'helpdesk'];
const multiGuest: Guest = { type: 'multi', expiration: null };

// Names are sample data. Every organization has people of every rank, a guest, a bot and somebody deactivated.
const enterprise: OrganizationPlan = {
  key: 'enterprise',
  name: 'Acme Group',
  domain: 'acme-group',
  plan: 'enterprise',
  workspaces: [
    { name: 'Acme Berlin', domain: 'acme-berlin' },
    { name: 'Acme Lyon', domain: 'acme-lyon' },
  ],
  people: [
    { key: 'primary-owner', givenName: 'Olivia', familyName: 'Brandt', rank: 'primary-owner', title: 'CIO' },
    { key: 'owner', givenName: 'Oscar', familyName: 'Lindqvist', rank: 'owner', title: 'Head of IT' },
    { key: 'admin', givenName: 'Amara', familyName: 'Diallo', rank: 'admin', title: 'IT Administrator' },
    {
      key: 'grace',
      givenName: 'Grace',
      familyName: 'Hopper',
      rank: 'member',
      title: 'Rear Admiral',
      profile: { department: 'Compilers', employeeNumber: '1906', primaryPhone: '+1-555-0101' },
    },
    { key: 'alan', givenName: 'Alan', familyName: 'Turing', rank: 'member', profile: { department: 'Machines' } },
    { key: 'katherine', givenName: 'Katherine', familyName: 'Johnson', rank: 'member' },
    {
      key: 'guest',
      givenName: 'Gil',
      familyName: 'Moreau',
      rank: 'member',
      guest: { type: 'multi', expiration: '2030-11-30T23:59:59Z' },
    },
    {
      key: 'single-guest',
      givenName: 'Sina',
      familyName: 'Weber',
      rank: 'member',
      guest: { type: 'single', expiration: null },
    },
    { key: 'deactivated', givenName: 'Dana', familyName: 'Novak', rank: 'member', isDeactivated: true },
    { key: 'bot', givenName: 'Calendar', familyName: 'Bot', rank: 'bot' },
  ],
  groups: [
    { displayName: 'Compilers', members: ['grace', 'alan'] },
    { displayName: 'Berlin Office', members: ['admin', 'katherine', 'guest'], isLinkedToChannels: true },
  ],
};

const business: OrganizationPlan = {
  key: 'business',
  name: 'Northwind',
  domain: 'northwind',
  plan: 'business',
  workspaces: [],
  people: [
    { key: 'primary-owner', givenName: 'Petra', familyName: 'Vogel', rank: 'primary-owner', title: 'Founder' },
    { key: 'owner', givenName: 'Owen', familyName: 'Baker', rank: 'owner', title: 'Operations' },
    { key: 'admin', givenName: 'Ada', familyName: 'Lovelace', rank: 'admin', title: 'IT Administrator' },
    { key: 'scopeless', givenName: 'Sam', familyName: 'Okafor', rank: 'admin' },
    { key: 'rotating', givenName: 'Rosa', familyName: 'Lima', rank: 'admin' },
    { key: 'revoked', givenName: 'Rune', familyName: 'Dahl', rank: 'admin' },
    { key: 'expired', givenName: 'Emil', familyName: 'Krause', rank: 'admin' },
    { key: 'deactivated-admin', givenName: 'Doris', familyName: 'Park', rank: 'admin', isDeactivated: true },
    { key: 'demoted', givenName: 'Denis', familyName: 'Petrov', rank: 'member' },
    {
      key: 'barbara',
      givenName: 'Barbara',
      familyName: 'Liskov',
      rank: 'member',
      title: 'Engineer',
      profile: { department: 'Engineering', employeeNumber: '2008' },
    },
    { key: 'edsger', givenName: 'Edsger', familyName: 'Dijkstra', rank: 'member', title: 'Engineer' },
    { key: 'margaret', givenName: 'Margaret', familyName: 'Hamilton', rank: 'member' },
    { key: 'guest', givenName: 'Nina', familyName: 'Rossi', rank: 'member', guest: multiGuest },
    { key: 'deactivated', givenName: 'Felix', familyName: 'Braun', rank: 'member', isDeactivated: true },
    { key: 'bot', givenName: 'Helpdesk', familyName: 'Bot', rank: 'bot' },
  ],
  groups: [
    { displayName: 'Engineering', members: ['barbara', 'edsger'] },
    { displayName: 'Operations', members: ['owner', 'margaret'] },
  ],
};

const pro: OrganizationPlan = {
  key: 'pro',
  name: 'Tiny Studio',
  domain: 'tiny-studio',
  plan: 'pro',
  workspaces: [],
  people: [
    { key: 'primary-owner', givenName: 'Tessa', familyName: 'Jung', rank: 'primary-owner' },
    { key: 'owner', givenName: 'Theo', familyName: 'Marsh', rank: 'owner' },
    { key: 'admin', givenName: 'Tariq', familyName: 'Aziz', rank: 'admin' },
    { key: 'linus', givenName: 'Lina', familyName: 'Berg', rank: 'member' },
    { key: 'mae', givenName: 'Mae', familyName: 'Jemison', rank: 'member' },
    { key: 'guest', givenName: 'Greta', familyName: 'Holm', rank: 'member', guest: multiGuest },
    { key: 'deactivated', givenName: 'Dirk', familyName: 'Visser', rank: 'member', isDeactivated: true },
    { key: 'bot', givenName: 'Standup', familyName: 'Bot', rank: 'bot' },
  ],
  groups: [
    { displayName: 'Designers', members: ['linus', 'mae'] },
    { displayName: 'Producers', members: ['owner'] },
  ],
};

/**
 * A fresh world: three organizations with people of every kind, and every token's grant.
 * @param issuedTokens how many tokens an earlier world of this seed has given out, so that none is given out twice.
 */
export function seedWorld(seed: string, now: number, issuedTokens = 0): World {
  const world = new World(seed);
  world.oauth.issuedTokens = issuedTokens;
  for (const plan of [enterprise, business, pro]) {
    const personIds = seedOrganization(world, plan, now);
    for (const name of tokenNames) {
      const token = tokenPlans[name];
      if (token.organization !== plan.key) continue;
      const organization = world.organization(plan.key);
      world.addGrant({
        name,
        kind: token.kind,
        isRotating: token.isRotating,
        organizationId: organization.id,
        workspaceId: token.isWorkspaceInstall ? (organization.workspaces[0]?.id ?? null) : null,
        personId: idOf(personIds, token.person),
        scopes: token.scopes,
        isRevoked: name === 'revoked',
        expiresAt: name === 'expired' ? now - 1000 : token.isRotating ? now + rotatingLifetimeMs : null,
      });
    }
  }
  for (const grant of world.grants.values()) if (!grant.isRevoked) world.oauth.authorize(grant);
  return world;
}

function seedOrganization(world: World, plan: OrganizationPlan, now: number): Map<string, string> {
  const organization = new Organization({
    key: plan.key,
    id: world.nextId(plan.key === 'enterprise' ? 'E' : 'T'),
    name: plan.name,
    domain: plan.domain,
    plan: plan.plan,
    workspaces: plan.workspaces.map((workspace) => ({ id: world.nextId('T'), ...workspace })),
    channelNames,
  });
  world.organizations.set(organization.id, organization);
  // The first id letter means nothing (OAuth §4.3, documented): Enterprise people show the older one.
  const prefix = plan.key === 'enterprise' ? 'W' : 'U';
  const created = pacificTimestamp(now);
  const ids = new Map<string, string>();
  for (const person of plan.people) {
    const id = world.nextId(prefix);
    ids.set(person.key, id);
    organization.addPerson(seedPerson(organization, person, id, created));
  }
  organization.addGroup(seedGroup(world, 'Team Admins', [], created, { isAutomatic: true }));
  for (const { displayName, members, isLinkedToChannels } of plan.groups) {
    const memberIds = members.map((key) => idOf(ids, key));
    organization.addGroup(seedGroup(world, displayName, memberIds, created, { isLinkedToChannels }));
  }
  organization.refreshAutomaticGroups();
  return ids;
}

/** A person with an address and a userName made of their names. */
export function seedPerson(organization: Organization, plan: PersonPlan, id: string, created: string): Person {
  const userName = `${plan.givenName}.${plan.familyName}`.toLowerCase();
  // Bots have addresses of this form (SCIM §4.3, recorded).
  const botEmail = `botuser-${organization.id}-A${id.slice(1)}@slack-bots.com`;
  return {
    id,
    rank: plan.rank,
    active: plan.isDeactivated !== true,
    userName: plan.rank === 'bot' ? userName.replace('.', '_') : userName,
    givenName: plan.givenName,
    familyName: plan.familyName,
    displayName: `${plan.givenName} ${plan.familyName}`,
    profileUrl: null,
    title: plan.title ?? '',
    timezone: defaultTimezone,
    primaryEmail: plan.rank === 'bot' ? botEmail : `${userName}@${organization.domain}.example`,
    secondaryEmail: null,
    photo: null,
    guest: plan.guest ? { ...plan.guest } : null,
    profile: plan.profile ? { ...blankProfile(), ...plan.profile } : null,
    created,
    pendingDeactivationAt: null,
    pendingPhoto: null,
  };
}

function seedGroup(
  world: World,
  displayName: string,
  members: readonly string[],
  created: string,
  {
    isAutomatic = false,
    isLinkedToChannels = false,
  }: { isAutomatic?: boolean; isLinkedToChannels?: boolean | undefined },
): Group {
  const id = world.nextId('S');
  return { id, displayName, members: new Set(members), created, isAutomatic, isLinkedToChannels, earlier: null };
}

function idOf(ids: Map<string, string>, key: string): string {
  const id = ids.get(key);
  if (id === undefined) throw new Error(`The seed names an unknown person: ${key}`);
  return id;
}
