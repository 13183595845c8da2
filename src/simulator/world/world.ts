import { deriveId } from './derivation';
import { OAuthRecords } from './oauth-records';
import type { Organization, OrganizationKey } from './organization';
import type { Person } from './person';
import type { TokenGrant } from './token';

/** Everything that a simulated Slack holds: organizations, and the grants of the tokens that reach them. */
export class World {
  /** By id, `E…` or `T…`. */
  readonly organizations = new Map<string, Organization>();
  /** By the token's name, in the order in which they were made. */
  readonly grants = new Map<string, TokenGrant>();
  readonly oauth = new OAuthRecords();
  readonly #issuedNames = new Map<string, string>();
  readonly #seed: string;
  #issuedIds: number;

  constructor(seed: string, issuedIds = 0) {
    this.#seed = seed;
    this.#issuedIds = issuedIds;
  }

  get issuedIds(): number {
    return this.#issuedIds;
  }

  /** Ids look like Slack's and come in the same order for the same seed. */
  nextId(prefix: 'U' | 'W' | 'S' | 'T' | 'E'): string {
    this.#issuedIds += 1;
    return `${prefix}0${deriveId(this.#seed, `id/${this.#issuedIds}`, 10)}`;
  }

  addGrant(grant: TokenGrant): void {
    this.grants.set(grant.name, grant);
    if (grant.digest !== undefined) this.#issuedNames.set(grant.digest, grant.name);
  }

  /** The grant of a token that an installation gave out. */
  issuedGrant(digest: string): TokenGrant | undefined {
    const name = this.#issuedNames.get(digest);
    return name === undefined ? undefined : this.grants.get(name);
  }

  /** @throws Error when no such organization was seeded. */
  organization(key: OrganizationKey): Organization {
    for (const organization of this.organizations.values()) if (organization.key === key) return organization;
    throw new Error(`The world has no ${key} organization`);
  }

  organizationById(id: string): Organization | undefined {
    const direct = this.organizations.get(id);
    if (direct) return direct;
    for (const organization of this.organizations.values()) {
      if (organization.workspaces.some((workspace) => workspace.id === id)) return organization;
    }
    return undefined;
  }

  findPersonByEmail(organizationId: string, email: string): Person | undefined {
    return this.organizationById(organizationId)?.personByEmail(email);
  }

  findPersonByUserName(organizationId: string, userName: string): Person | undefined {
    return this.organizationById(organizationId)?.personByUserName(userName);
  }

  /** Makes every change visible whose time has come. */
  settle(now: number): void {
    for (const organization of this.organizations.values()) organization.settle(now);
  }
}
