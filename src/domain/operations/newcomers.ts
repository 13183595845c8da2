import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/logger';
import type { Caller } from '../access/access';
import type { DirectoryAccess } from '../directory/directory-access';
import { PeopleLookup } from '../directory/people-lookup';
import { NOTHING_SENT } from '../directory/provisioning.service';
import { AppError } from '../errors';
import type { Database } from '../ports';
import type { Operation } from './operation';
import { type ClaimedItem, emailOf } from './operation-item';

export interface NewcomerMeans {
  readonly database: Database;
  readonly access: DirectoryAccess;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** So many people are looked for in one walk: a few pages in place of so many look-ups, and little to remember. */
const LOOK_AHEAD = 10_000;
/** With so many left, the next look begins. */
const LOOK_AGAIN_AT = 500;
/** For fewer than these a walk is not worth it. */
const FEWEST = 50;
/** The older a look, the more creations are refused because somebody else was faster. */
const VALID_MS = 5 * 60_000;
const AFTER_FAILURE_MS = 60_000;

/**
 * Who of an operation's next people is not on Slack's roster, so that their accounts can be created without a look-up each.
 * Never more than a hint: whom somebody else created meanwhile, Slack refuses to create again, and is then looked up.
 */
export class Newcomers {
  readonly #unheld = new Set<number>();
  #lookedUpTo = -1;
  #begunUpTo = -1;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(private readonly means: NewcomerMeans) {}

  /** Of an item that is about to be begun. */
  isUnheld({ index, attempts, progress }: ClaimedItem): boolean {
    this.#begunUpTo = Math.max(this.#begunUpTo, index);
    if (attempts > 0 || (progress !== undefined && progress !== NOTHING_SENT)) return false;
    return this.#unheld.has(index) && this.means.clock.now() - this.#lookedAt < VALID_MS;
  }

  /** Looks at the roster when it is time to. Resolves when a look that is under way has ended; never rejects. */
  async prepare(caller: Caller, operation: Operation): Promise<void> {
    if (!this.#looking && this.#isDue(operation)) {
      this.#looking = this.#look(caller, operation).finally(() => {
        this.#looking = undefined;
      });
    }
    await this.#looking;
  }

  #isDue({ kind, settings, counts }: Operation): boolean {
    const now = this.means.clock.now();
    // Who may only be found, or left alone, must not be taken for one of ours after a crash.
    if (kind !== 'PROVISION_USERS' || (settings.ifExists ?? 'UPDATE') !== 'UPDATE') return false;
    if (counts.pending < FEWEST || now < this.#notBefore) return false;
    return this.#lookedUpTo - this.#begunUpTo < LOOK_AGAIN_AT || now - this.#lookedAt >= VALID_MS;
  }

  async #look(caller: Caller, { id, connectionId }: Operation): Promise<void> {
    const { database, access, clock, logger } = this.means;
    try {
      const isOutdated = clock.now() - this.#lookedAt >= VALID_MS;
      const after = isOutdated ? -1 : this.#lookedUpTo;
      const items = await database.read(({ operations }) => operations.listUntried(id, after, LOOK_AHEAD));
      if (items.length < FEWEST) {
        this.#notBefore = clock.now() + AFTER_FAILURE_MS;
        return;
      }
      const people = items.map(({ index, keys }) => ({ index, email: emailOf(keys) ?? '' }));
      const connection = await access.find(caller, connectionId, 'users:write');
      const unheld = await access.use(caller, connection, (client) =>
        new PeopleLookup(client, caller).findUnheld(people.map(({ email }) => email)),
      );
      for (const index of this.#unheld) if (isOutdated || index <= this.#begunUpTo) this.#unheld.delete(index);
      this.#lookedAt = clock.now();
      this.#lookedUpTo = people.at(-1)?.index ?? after;
      if (!unheld) this.#notBefore = clock.now() + VALID_MS;
      for (const { index, email } of people) if (unheld?.delete(email)) this.#unheld.add(index);
    } catch (error) {
      if (caller.signal.aborted) return;
      // Then everybody is looked up, and whatever stands in the way is met there.
      this.#notBefore = clock.now() + AFTER_FAILURE_MS;
      const level = error instanceof AppError ? 'debug' : 'error';
      logger[level]({ operationId: id, err: error }, 'the roster could not be looked at ahead of an operation');
    }
  }
}
