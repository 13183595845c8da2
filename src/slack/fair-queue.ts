import type { Urgency } from '../domain/upstream-usage';

export interface Queued {
  readonly urgency: Urgency;
  /** Whoever shares a queue with others takes turns with them. */
  readonly tenant: string;
}

/**
 * What is interactive comes before what is bulk; within the one and the other tenants take turns, and what one tenant asked for
 * comes in the order of arrival.
 */
export class FairQueue<Entry extends Queued> {
  /** Tenants in the order of their turns; none with an empty list. */
  readonly #tiers: Readonly<Record<Urgency, Map<string, Entry[]>>> = { interactive: new Map(), bulk: new Map() };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(entry: Entry): void {
    const tier = this.#tiers[entry.urgency];
    const own = tier.get(entry.tenant);
    if (own === undefined) tier.set(entry.tenant, [entry]);
    else own.push(entry);
    this.#size += 1;
  }

  /** Whose turn it is. */
  peek(): Entry | undefined {
    for (const tier of Object.values(this.#tiers)) {
      for (const [next] of tier.values()) return next;
    }
    return undefined;
  }

  /** Each tenant's first, interactive and bulk. */
  fronts(): Entry[] {
    return Object.values(this.#tiers).flatMap((tier) => [...tier.values()].flatMap((own) => own.slice(0, 1)));
  }

  /** Takes out whose turn it is, and puts the tenant behind the others. */
  shift(): Entry | undefined {
    const next = this.peek();
    if (next === undefined) return undefined;
    const tier = this.#tiers[next.urgency];
    const own = tier.get(next.tenant) ?? [];
    own.shift();
    tier.delete(next.tenant);
    if (own.length > 0) tier.set(next.tenant, own);
    this.#size -= 1;
    return next;
  }

  /** Takes out somebody who waits no longer. The turn of the tenant stays where it is. */
  remove(entry: Entry): void {
    const tier = this.#tiers[entry.urgency];
    const own = tier.get(entry.tenant);
    const index = own?.indexOf(entry) ?? -1;
    if (own === undefined || index === -1) return;
    own.splice(index, 1);
    if (own.length === 0) tier.delete(entry.tenant);
    this.#size -= 1;
  }

  /** How many wait with this urgency. */
  count(urgency: Urgency): number {
    let count = 0;
    for (const own of this.#tiers[urgency].values()) count += own.length;
    return count;
  }

  /** How many would have their turn before somebody who comes now. */
  ahead({ urgency, tenant }: Queued): number {
    const tier = this.#tiers[urgency];
    const before = tier.get(tenant)?.length ?? 0;
    let ahead = urgency === 'bulk' ? this.count('interactive') : 0;
    for (const [other, theirs] of tier) ahead += other === tenant ? before : Math.min(theirs.length, before + 1);
    return ahead;
  }

  /** Everybody, in the order of their turns. */
  inOrder(): Entry[] {
    return Object.values(this.#tiers).flatMap((tier) => {
      const lists = [...tier.values()];
      const rounds = Math.max(0, ...lists.map((list) => list.length));
      return Array.from({ length: rounds }, (_, round) => lists.flatMap((list) => list.slice(round, round + 1))).flat();
    });
  }
}
