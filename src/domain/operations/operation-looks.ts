import type { Clock } from '../../shared/clock';
import type { TenantId } from '../access/access';
import { StorageUnavailable } from '../errors';
import type { Database } from '../ports';
import type { Operation, OperationId } from './operation';

/** Often enough for a person who looks on, and the same on every replica, whichever carries the operation out. */
const LOOK_EVERY_MS = 1_000;

/** What a look found: the operation, that it is gone, or that looking cannot go on. */
export type Sight = { readonly operation: Operation | undefined } | { readonly error: unknown };

type Listener = (sight: Sight) => void;

/** Looks at the operations that somebody follows, once a second at each, however many follow it in this process. */
export class OperationLooks {
  readonly #looks = new Map<OperationId, Look>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * @param listener told at once what was last seen, if anything, and from then on when an operation has changed.
   * @returns a function that ends it.
   */
  follow(tenantId: TenantId, id: OperationId, listener: Listener): () => void {
    const look = this.#looks.get(id) ?? this.#begin(tenantId, id);
    const leave = look.join(listener);
    return () => {
      if (leave() === 0 && this.#looks.get(id) === look) this.#looks.delete(id);
    };
  }

  #begin(tenantId: TenantId, id: OperationId): Look {
    const find = () => this.database.read(({ operations }) => operations.find(tenantId, id));
    const look = new Look(find, this.clock);
    this.#looks.set(id, look);
    return look;
  }
}

/** One operation, looked at while somebody listens. */
class Look {
  readonly #followers = new Set<{ readonly listener: Listener }>();
  readonly #over = new AbortController();
  #seen: Sight | undefined;

  constructor(
    private readonly find: () => Promise<Operation | undefined>,
    private readonly clock: Clock,
  ) {
    void this.#keepLooking();
  }

  /** @returns a function that ends it, and tells how many are left. */
  join(listener: Listener): () => number {
    const follower = { listener };
    this.#followers.add(follower);
    if (this.#seen) listener(this.#seen);
    return () => {
      this.#followers.delete(follower);
      if (this.#followers.size === 0) this.#over.abort();
      return this.#followers.size;
    };
  }

  /** Never rejects. */
  async #keepLooking(): Promise<void> {
    const { signal } = this.#over;
    for (;;) {
      await this.clock.sleep(LOOK_EVERY_MS, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        this.#tell({ operation: await this.find() });
      } catch (error) {
        // It comes back, and then tells what was missed.
        if (!(error instanceof StorageUnavailable)) this.#tell({ error });
      }
    }
  }

  #tell(sight: Sight): void {
    if (isSame(sight, this.#seen)) return;
    this.#seen = sight;
    for (const { listener } of [...this.#followers]) listener(sight);
  }
}

function isSame(sight: Sight, before: Sight | undefined): boolean {
  if (!before || 'error' in sight || 'error' in before) return false;
  return sight.operation?.version === before.operation?.version;
}
