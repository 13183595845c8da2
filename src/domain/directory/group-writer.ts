import { backoffMs } from '../../shared/backoff';
import type { Clock } from '../../shared/clock';
import type { Caller } from '../access/access';
import type { DirectoryClient, MembershipChange } from '../directory-ports';
import { AppError, NotFound, UpstreamOutcomeUnknown } from '../errors';
import { type DirectoryGroup, isSameName } from './group';

/** A write is sent at most so often, and each time only after reading has shown that it did not take effect. */
const MOST_ATTEMPTS = 4;
const SETTLE_BASE_MS = 250;
const SETTLE_CAP_MS = 4_000;
/** Slack's reads of groups lag behind writes by about 3 seconds. A creation looked for too early would be sent twice. */
const VISIBLE_WITHIN_MS = 8_000;
const VISIBLE_POLL_MS = 1_000;

export interface CreatedGroup {
  readonly group: DirectoryGroup;
  /** The answer was lost or empty, so the group was found by reading: its members may be those of an earlier moment. */
  readonly isFound: boolean;
  /** Whom a confirmed creation carried. */
  readonly sentSlackIds?: readonly string[];
}

/**
 * Writes to one group whose lost answers are settled by reading. Slack would make a second group of the same name, so a
 * creation is sent again only when the group has not shown up for a while.
 */
export class GroupWriter {
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

  /** @param knownIds groups of this name that were there before. */
  async create(
    name: string,
    memberSlackIds: readonly string[],
    knownIds: ReadonlySet<string> = new Set(),
  ): Promise<CreatedGroup> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      if (attempt > 0) await this.pause(attempt - 1);
      const { group, mustExist } = await this.sendCreation(name, memberSlackIds);
      if (group) return { group, isFound: false, sentSlackIds: memberSlackIds };
      const found = await this.settled(() => this.newcomer(name, knownIds));
      if (found) return { group: found, isFound: true };
      // It was made, and sent again there would be two.
      if (mustExist) break;
    }
    throw outcomeUnknown('created');
  }

  async rename(slackId: string, name: string): Promise<void> {
    await this.write(
      'renamed',
      () => this.client.renameGroup(slackId, name, this.caller),
      async () => {
        return (await this.read(slackId, { withMembers: false })).name === name;
      },
    );
  }

  /** Everything of the change, or nothing. */
  async changeMembers(slackId: string, change: MembershipChange): Promise<void> {
    await this.write(
      'changed',
      () => this.client.changeGroupMembers(slackId, change, this.caller),
      async () => {
        return shows(await this.read(slackId, { withMembers: true }), change);
      },
    );
  }

  /** @param options.mayBeDone an interrupted run of this call may have deleted it: then nothing is left to delete. */
  async delete(slackId: string, { mayBeDone }: { mayBeDone: boolean }): Promise<void> {
    let wasSent = mayBeDone;
    const send = async () => {
      try {
        await this.client.deleteGroup(slackId, this.caller);
      } catch (error) {
        if (!(error instanceof NotFound && wasSent)) throw error;
      } finally {
        wasSent = true;
      }
    };
    await this.write('deleted', send, async () => {
      return (await this.client.getGroup(slackId, { withMembers: false }, this.caller)) === undefined;
    });
  }

  /** @throws NotFound */
  async read(slackId: string, options: { withMembers: boolean }): Promise<DirectoryGroup> {
    const group = await this.client.getGroup(slackId, options, this.caller);
    if (!group) throw noSuchGroup();
    return group;
  }

  /** Sends a write that may be repeated, until it is confirmed or a read shows what it was to bring about. */
  private async write(what: string, send: () => Promise<void>, isDone: () => Promise<boolean>): Promise<void> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      if (attempt > 0) await this.pause(attempt - 1);
      try {
        await send();
        return;
      } catch (error) {
        if (!(error instanceof UpstreamOutcomeUnknown)) throw error;
        if (await this.settled(isDone)) return;
      }
    }
    throw outcomeUnknown(what);
  }

  private async sendCreation(
    name: string,
    memberSlackIds: readonly string[],
  ): Promise<{ group: DirectoryGroup | undefined; mustExist: boolean }> {
    try {
      const group = await this.client.createGroup({ name, memberSlackIds }, this.caller);
      this.#mayHaveCreated = true;
      return { group, mustExist: true };
    } catch (error) {
      if (!(error instanceof UpstreamOutcomeUnknown)) throw error;
      this.#mayHaveCreated = true;
      return { group: undefined, mustExist: false };
    }
  }

  /** A group of this name that was not there before, waited for a little. */
  private async newcomer(name: string, knownIds: ReadonlySet<string>): Promise<DirectoryGroup | undefined> {
    const waitUntil = Math.min(this.clock.now() + VISIBLE_WITHIN_MS, this.caller.deadlineAt);
    for (;;) {
      const groups = await this.client.findGroups(name, this.caller);
      const found = groups.find((group) => !knownIds.has(group.slackId) && isSameName(group.name, name));
      if (found) return (await this.client.getGroup(found.slackId, { withMembers: true }, this.caller)) ?? found;
      if (this.clock.now() + VISIBLE_POLL_MS >= waitUntil) return undefined;
      await this.clock.sleep(VISIBLE_POLL_MS, this.caller.signal);
    }
  }

  /** A read that settles a lost answer. When it cannot be made the outcome stays unknown, whatever the reason. */
  private async settled<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof AppError && error.retryable)) throw error;
      throw new UpstreamOutcomeUnknown("Slack's answer to a write was lost, and reading it back failed too.", {
        cause: error,
        remedy: CALL_AGAIN,
      });
    }
  }

  private async pause(attempt: number): Promise<void> {
    const ms = backoffMs(attempt, { baseMs: SETTLE_BASE_MS, capMs: SETTLE_CAP_MS, random: this.random });
    if (this.clock.now() + ms >= this.caller.deadlineAt) throw outcomeUnknown('written');
    await this.clock.sleep(ms, this.caller.signal);
  }
}

const CALL_AGAIN = 'Call again with the same idempotencyKey and input: the write is looked up before it is repeated.';

export function noSuchGroup(path?: readonly string[]): NotFound {
  return new NotFound('There is no such group in Slack.', { path });
}

function outcomeUnknown(what: string): UpstreamOutcomeUnknown {
  return new UpstreamOutcomeUnknown(`Slack did not confirm in time that the group was ${what}.`, {
    remedy: CALL_AGAIN,
  });
}

function shows({ members = [] }: DirectoryGroup, change: MembershipChange): boolean {
  const held = new Set(members.map(({ slackId }) => slackId));
  if ('replaceWith' in change) {
    return held.size === new Set(change.replaceWith).size && change.replaceWith.every((id) => held.has(id));
  }
  return change.add.every((id) => held.has(id)) && !change.remove.some((id) => held.has(id));
}
