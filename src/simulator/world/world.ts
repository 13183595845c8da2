import { createHmac } from 'node:crypto';
import type { Organization, OrganizationKey } from './organization';
import type { Person } from './person';
import type { TokenGrant, TokenName } from './token';

/** Everything that a simulated Slack holds: organizations, and the grants of the tokens that reach them. */
export class World {
  /** By id, `E…` or `T…`. */
  readonly organizations = new Map<string, Organization>();
  readonly grants = new Map<TokenName, TokenGrant>();
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
    const digest = createHmac('sha256', this.#seed).update(`id/${this.#issuedIds}`).digest();
    const text = digest.readBigUInt64BE().toString(36).toUpperCase().padStart(10, '0').slice(-10);
    return `${prefix}0${text}`;
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
