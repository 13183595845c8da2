import { backoffMs } from '../../shared/backoff';
import type { Clock } from '../../shared/clock';
import type { Caller } from '../access/access';
import type { Action } from '../connections/scopes';
import type { DirectoryClient } from '../directory-ports';
import { AppError, EmailTaken, NotFound, UpstreamOutcomeUnknown, UserNameUnavailable } from '../errors';
import { REACTIVATE_FIRST_REMEDY, userIsInactive } from './guest-problem';
import { bestHolder, type DirectoryUser, holdsEmail, isSameEmail, primaryEmailOf, type UserChanges } from './user';
import { differences, hasChanges, unkeptFields } from './user-differences';
import type { NamedUserDraft } from './user-draft';

/** A write is sent at most so often, and each time only after reading has shown that it did not take effect. */
const MOST_ATTEMPTS = 4;
const SETTLE_BASE_MS = 250;
const SETTLE_CAP_MS = 4_000;
/** Slack finishes a deactivation later: its own tests wait up to 10 s for a read to show it. */
const DEACTIVATION_VISIBLE_WITHIN_MS = 10_000;
const DEACTIVATION_POLL_MS = 500;

export type Creation =
  | { readonly kind: 'created'; readonly user: DirectoryUser }
  /** Somebody else made or holds an account with this address. */
  | { readonly kind: 'exists'; readonly user: DirectoryUser };

type SentCreation =
  | { readonly kind: 'created'; readonly user: DirectoryUser }
  | { readonly kind: 'refused'; readonly refusal: AppError }
  /** It may have taken effect. */
  | { readonly kind: 'lost' };

/**
 * Writes to one person whose lost answers are settled by reading: a write is repeated only when a read, made after it was
 * lost, shows the account as it was before.
 */
export class UserWriter {
  #mayHaveCreated = false;

  constructor(
    private readonly client: DirectoryClient,
    private readonly caller: Caller,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {}

  /** Whether a creation was sent that may have taken effect without anybody having seen it. */
  get mayHaveCreated(): boolean {
    return this.#mayHaveCreated;
  }

  /**
   * Creates the account under the first of `names` that is free.
   * @param names in the order of preference. People who carry one of the later ones are looked for first, since a look-up
   * costs less of Slack's limits than a creation that is refused; only the creation itself knows of channels.
   * @param options.mayBeOurs an earlier, interrupted run under the same idempotency key sent this creation already.
   * @throws EmailTaken (no account is visible that holds it), UserNameUnavailable (all of them), UpstreamOutcomeUnknown, …
   */
  async create(
    draft: NamedUserDraft,
    names: Iterable<string>,
    { mayBeOurs }: { mayBeOurs: boolean },
  ): Promise<Creation> {
    this.#mayHaveCreated = mayBeOurs;
    let refusal: UserNameUnavailable | undefined;
    for (const userName of names) {
      if (refusal && (await this.isCarried(userName, draft.email))) continue;
      try {
        return await this.createAs({ ...draft, userName });
      } catch (error) {
        if (!(error instanceof UserNameUnavailable)) throw error;
        refusal = error;
      }
    }
    throw refusal ?? new UserNameUnavailable('This user name is not free.');
  }

  private async createAs(draft: NamedUserDraft): Promise<Creation> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      if (attempt > 0) await this.pause(attempt - 1);
      const sent = await this.sendCreation(draft);
      if (sent.kind === 'created') return sent;
      const holder = await this.settled(() => this.holderOf(draft.email));
      const isPrimary = isSameEmail((holder && primaryEmailOf(holder)) ?? '', draft.email);
      // After a lost answer, "taken" is most likely our own account: the address was free before the first attempt.
      if (holder && isPrimary && this.#mayHaveCreated) return { kind: 'created', user: holder };
      if (holder) return { kind: 'exists', user: holder };
      if (sent.kind === 'refused') throw sent.refusal;
    }
    throw outcomeUnknown('created');
  }

  /**
   * Brings the account to show `changes`, and `active` if given.
   * @returns the account as read back.
   */
  async update(
    before: DirectoryUser,
    changes: UserChanges,
    { active, action }: { active?: boolean; action: Action },
  ): Promise<DirectoryUser> {
    let current = before;
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      if (attempt > 0) await this.pause(attempt - 1);
      try {
        const answered = await this.client.updateUser(current, changes, { active, action }, this.caller);
        return answered ?? (await this.settled(() => this.readAfter(current, active)));
      } catch (error) {
        if (!(error instanceof UpstreamOutcomeUnknown)) throw error;
        current = await this.settled(() => this.readAfter(current, active));
        const isApplied = !hasChanges(comparable(differences(current, changes)));
        if (isApplied && (active === undefined || current.active === active)) return current;
        // Sent again, a conversion would reactivate an account that somebody deactivated meanwhile.
        if (changes.guest !== undefined && active === undefined && !current.active)
          throw userIsInactive(current, REACTIVATE_FIRST_REMEDY);
      }
    }
    throw outcomeUnknown('updated');
  }

  /** Deactivates, and waits a little until reads show it. @returns the account as last read. */
  async deactivate(before: DirectoryUser): Promise<DirectoryUser> {
    let current = await this.update(before, {}, { active: false, action: 'user.deprovision' });
    const waitUntil = Math.min(this.clock.now() + DEACTIVATION_VISIBLE_WITHIN_MS, this.caller.deadlineAt);
    while (current.active && this.clock.now() + DEACTIVATION_POLL_MS < waitUntil) {
      await this.clock.sleep(DEACTIVATION_POLL_MS, this.caller.signal);
      const read = await this.ifReadable(() => this.readAfter(current, false));
      if (!read) return current;
      current = read;
    }
    return current;
  }

  /** Reads once more when something that was sent is not shown, since an answer can be older than what is stored. */
  async unkept(user: DirectoryUser, sent: UserChanges): Promise<{ user: DirectoryUser; fields: string[] }> {
    if (unkeptFields(user, sent).length === 0) return { user, fields: [] };
    const again = (await this.ifReadable(() => this.client.getUser(user.slackId, this.caller))) ?? user;
    return { user: again, fields: unkeptFields(again, sent) };
  }

  /** Who has this address as primary, if anybody. */
  async holderOf(email: string): Promise<DirectoryUser | undefined> {
    const holders = (await this.client.findUsers({ email }, this.caller)).filter((user) => holdsEmail(user, email));
    return bestHolder(holders, email);
  }

  /** By somebody else: after a lost creation the account under a name may be our own. */
  private async isCarried(userName: string, email: string): Promise<boolean> {
    const carriers = await this.client.findUsers({ userName }, this.caller);
    return carriers.some((user) => !holdsEmail(user, email));
  }

  private async sendCreation(draft: NamedUserDraft): Promise<SentCreation> {
    try {
      const user = await this.client.createUser(draft, this.caller);
      this.#mayHaveCreated = true;
      return user ? { kind: 'created', user } : { kind: 'lost' };
    } catch (error) {
      if (error instanceof EmailTaken || error instanceof UserNameUnavailable)
        return { kind: 'refused', refusal: error };
      if (!(error instanceof UpstreamOutcomeUnknown)) throw error;
      this.#mayHaveCreated = true;
      return { kind: 'lost' };
    }
  }

  /** A server that removes an account instead of keeping it inactive has deactivated it, too. */
  private async readAfter(current: DirectoryUser, active: boolean | undefined): Promise<DirectoryUser> {
    if (active !== false) return this.read(current.slackId);
    return (await this.client.getUser(current.slackId, this.caller)) ?? { ...current, active: false };
  }

  private async read(slackId: string): Promise<DirectoryUser> {
    const user = await this.client.getUser(slackId, this.caller);
    if (!user) throw new NotFound('There is no such person in Slack any more.');
    return user;
  }

  /** A read that settles a lost answer. When it cannot be made the outcome stays unknown, whatever the reason. */
  private async settled<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (error instanceof AppError && error.retryable) {
        throw new UpstreamOutcomeUnknown("Slack's answer to a write was lost, and reading it back failed too.", {
          cause: error,
          remedy: 'Call again with the same idempotencyKey and input: the write is looked up before it is repeated.',
        });
      }
      throw error;
    }
  }

  /** A read that only adds to a write which is known to have taken effect, so that its failure must not look like one. */
  private async ifReadable<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (error instanceof AppError && error.retryable) return undefined;
      throw error;
    }
  }

  private async pause(attempt: number): Promise<void> {
    const ms = backoffMs(attempt, { baseMs: SETTLE_BASE_MS, capMs: SETTLE_CAP_MS, random: this.random });
    if (this.clock.now() + ms >= this.caller.deadlineAt) throw outcomeUnknown('written');
    await this.clock.sleep(ms, this.caller.signal);
  }
}

function outcomeUnknown(what: string): UpstreamOutcomeUnknown {
  return new UpstreamOutcomeUnknown(`Slack did not confirm in time that the account was ${what}.`, {
    remedy: 'Call again with the same idempotencyKey and input: the write is looked up before it is repeated.',
  });
}

/** A photo never compares equal, so it cannot tell whether an update took effect. */
function comparable({ photoUrl: _, ...changes }: UserChanges): UserChanges {
  return changes;
}
