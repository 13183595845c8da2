import { ConnectionProblem } from '../connections/connection-problem';
import type { MembershipChange } from '../directory-ports';
import { AppError, InvalidInput } from '../errors';
import { GroupMembersRefused, type MemberRefusal } from './group-problem';
import type { GroupWriter } from './group-writer';
import { type MembershipDifference, membershipCalls } from './membership-plan';
import type { PeopleLookup } from './people-lookup';
import { type DirectoryUser, isBot } from './user';

/** What became of each person of a difference. */
export interface MembershipOutcome {
  readonly added: ReadonlySet<string>;
  readonly removed: ReadonlySet<string>;
  /** Who is not as wanted, and why. */
  readonly failed: ReadonlyMap<string, AppError>;
}

interface Progress {
  readonly added: Set<string>;
  readonly removed: Set<string>;
  readonly failed: Map<string, AppError>;
}

/**
 * Brings a difference into a group. Slack refuses a whole call over one person, and does not reliably say over whom: then
 * the accounts are looked at, and what still is refused is halved until everybody else is through.
 */
export class MembershipWriter {
  constructor(
    private readonly writer: GroupWriter,
    private readonly people: PeopleLookup,
  ) {}

  /**
   * @param options.current all members; given, everybody may be replaced at once where that takes fewer calls.
   * @throws what stopped the first call. Later, when a part has taken effect, it is the problem of who is left; only a
   * connection that does not work any more is thrown even then.
   */
  async apply(
    slackId: string,
    difference: MembershipDifference,
    { current }: { current?: readonly string[] } = {},
  ): Promise<MembershipOutcome> {
    const progress: Progress = { added: new Set(), removed: new Set(), failed: new Map() };
    const calls = membershipCalls(difference, { current });
    const [only] = calls;
    if (only !== undefined && 'replaceWith' in only) {
      if (await this.replaced(slackId, only)) return { ...namesOf(difference), failed: progress.failed };
      calls.splice(0, 1, ...membershipCalls(difference));
    }
    for (const [index, change] of calls.entries()) {
      if ('replaceWith' in change) continue;
      try {
        await this.send(slackId, change, progress, { mayLookUp: true });
      } catch (error) {
        const hasBegun = progress.added.size + progress.removed.size > 0;
        if (!(error instanceof AppError) || error instanceof ConnectionProblem || !hasBegun) throw error;
        for (const left of calls.slice(index)) failAll(left, error, progress);
        break;
      }
    }
    return progress;
  }

  /** @returns false when somebody in it is refused, perhaps one who is a member already and could stay. */
  private async replaced(slackId: string, change: MembershipChange): Promise<boolean> {
    try {
      await this.writer.changeMembers(slackId, change);
      return true;
    } catch (error) {
      if (isAboutSomebody(error)) return false;
      throw error;
    }
  }

  private async send(
    slackId: string,
    change: MembershipDifference,
    progress: Progress,
    { mayLookUp }: { mayLookUp: boolean },
  ): Promise<void> {
    const { remove, add } = change;
    const count = remove.length + add.length;
    if (count === 0) return;
    try {
      await this.writer.changeMembers(slackId, change);
      for (const id of remove) progress.removed.add(id);
      for (const id of add) progress.added.add(id);
      return;
    } catch (error) {
      if (!isAboutSomebody(error)) throw error;
      if (count === 1) {
        failAll(change, error, progress);
        return;
      }
    }
    const rest = mayLookUp ? await this.withoutUnfit(change, progress) : change;
    if (rest.add.length < add.length) return this.send(slackId, rest, progress, { mayLookUp: false });
    for (const half of halves(rest)) await this.send(slackId, half, progress, { mayLookUp: false });
  }

  private async withoutUnfit({ remove, add }: MembershipDifference, progress: Progress): Promise<MembershipDifference> {
    const users = await this.people.byIds(add);
    const fit = add.filter((id) => {
      const reason = refusalOf(users.get(id));
      if (reason !== undefined) progress.failed.set(id, new GroupMembersRefused(reason));
      return reason === undefined;
    });
    return { remove, add: fit };
  }
}

/** Why an account can be no member as far as it shows; undefined when nothing speaks against it. */
export function refusalOf(user: DirectoryUser | undefined): MemberRefusal | undefined {
  if (!user) return 'UNKNOWN';
  if (!user.active) return 'DEACTIVATED';
  if (user.guest?.kind === 'SINGLE_CHANNEL') return 'SINGLE_CHANNEL_GUEST';
  return isBot(user) ? 'BOT' : undefined;
}

/** The people are all that such a call says, so they are what a server finds fault with. */
function isAboutSomebody(error: unknown): error is GroupMembersRefused | InvalidInput {
  return error instanceof GroupMembersRefused || error instanceof InvalidInput;
}

function failAll(change: MembershipChange, error: AppError, { failed, added, removed }: Progress): void {
  if ('replaceWith' in change) return;
  for (const id of [...change.remove, ...change.add]) {
    if (!failed.has(id) && !added.has(id) && !removed.has(id)) failed.set(id, error);
  }
}

function halves({ remove, add }: MembershipDifference): [MembershipDifference, MembershipDifference] {
  const middle = Math.ceil((remove.length + add.length) / 2);
  const fromAdd = Math.max(0, middle - remove.length);
  return [
    { remove: remove.slice(0, middle), add: add.slice(0, fromAdd) },
    { remove: remove.slice(middle), add: add.slice(fromAdd) },
  ];
}

function namesOf({ remove, add }: MembershipDifference): Pick<MembershipOutcome, 'added' | 'removed'> {
  return { added: new Set(add), removed: new Set(remove) };
}
