import { TURNS_BEFORE_BULK } from '../domain/budget-ports';
import type { Urgency } from '../domain/upstream-usage';

export interface Queued {
  readonly urgency: Urgency;
  /** Whoever shares a queue with others takes turns with them. */
  readonly tenant: string;
}

/**
 * What is interactive and what is bulk wait in two lines; in each of them tenants take turns, and what one tenant asked for comes
 * in the order of arrival. The interactive line goes first, but for one turn in ten.
 */
export class FairQueue<Entry extends Queued> {
  /** Tenants in the order of their turns; none with an empty list. */
  readonly #tiers: Readonly<Record<Urgency, Map<string, Entry[]>>> = { interactive: new Map(), bulk: new Map() };
  readonly #counts: Record<Urgency, number> = { interactive: 0, bulk: 0 };

  get size(): number {
    return this.#counts.interactive + this.#counts.bulk;
  }

  push(entry: Entry): void {
    const tier = this.#tiers[entry.urgency];
    const own = tier.get(entry.tenant);
    if (own === undefined) tier.set(entry.tenant, [entry]);
    else own.push(entry);
    this.#counts[entry.urgency] += 1;
  }

  /** Whose turn it is in a line. */
  peek(urgency: Urgency): Entry | undefined {
    for (const [next] of this.#tiers[urgency].values()) return next;
    return undefined;
  }

  /** Each tenant's first, interactive and bulk. */
  fronts(): Entry[] {
    return Object.values(this.#tiers).flatMap((tier) => [...tier.values()].flatMap((own) => own.slice(0, 1)));
  }

  /** Takes out whose turn it is, and puts the tenant behind the others. */
  shift(urgency: Urgency): Entry | undefined {
    const next = this.peek(urgency);
    if (next === undefined) return undefined;
    const tier = this.#tiers[urgency];
    const own = tier.get(next.tenant) ?? [];
    own.shift();
    tier.delete(next.tenant);
    if (own.length > 0) tier.set(next.tenant, own);
    this.#counts[urgency] -= 1;
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
    this.#counts[entry.urgency] -= 1;
  }

  /** How many wait with this urgency. */
  count(urgency: Urgency): number {
    return this.#counts[urgency];
  }

  /** How many would have their turn before somebody who comes now. */
  ahead({ urgency, tenant }: Queued): number {
    const tier = this.#tiers[urgency];
    const before = tier.get(tenant)?.length ?? 0;
    let ahead = 0;
    for (const [other, theirs] of tier) ahead += other === tenant ? before : Math.min(theirs.length, before + 1);
    return urgency === 'bulk'
      ? ahead + Math.min(this.#counts.interactive, (ahead + 1) * TURNS_BEFORE_BULK)
      : ahead + Math.min(this.#counts.bulk, Math.floor(ahead / TURNS_BEFORE_BULK));
  }

  /** Everybody, in the order of their turns. */
  inOrder(): Entry[] {
    const interactive = inTurns(this.#tiers.interactive);
    return [
      ...inTurns(this.#tiers.bulk).flatMap((bulk) => [...interactive.splice(0, TURNS_BEFORE_BULK), bulk]),
      ...interactive,
    ];
  }
}

function inTurns<Entry>(tier: ReadonlyMap<string, readonly Entry[]>): Entry[] {
  const lists = [...tier.values()];
  const rounds = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: rounds }, (_, round) => lists.flatMap((list) => list.slice(round, round + 1))).flat();
}
