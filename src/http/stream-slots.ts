import type { TenantId } from '../domain/access/access';

/** How many may be open at once: in all, and of one tenant, so that none can take the places of all others. */
export class StreamSlots {
  readonly #taken = new Map<TenantId, number>();
  #total = 0;

  constructor(private readonly limits: { readonly streams: number; readonly streamsPerTenant: number }) {}

  get isFull(): boolean {
    return this.#total >= this.limits.streams;
  }

  /** @returns a function that gives the place back, or undefined when there is none. */
  take(tenantId: TenantId): (() => void) | undefined {
    const ofTenant = this.#taken.get(tenantId) ?? 0;
    if (this.isFull || ofTenant >= this.limits.streamsPerTenant) return undefined;
    this.#add(tenantId, 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#add(tenantId, -1);
      isTaken = false;
    };
  }

  #add(tenantId: TenantId, change: 1 | -1): void {
    const ofTenant = (this.#taken.get(tenantId) ?? 0) + change;
    this.#total += change;
    if (ofTenant === 0) this.#taken.delete(tenantId);
    else this.#taken.set(tenantId, ofTenant);
  }
}
