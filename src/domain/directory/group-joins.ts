import type { Caller } from '../access/access';
import type { Connection } from '../connections/connection';
import { GroupLimit, InvalidInput, StillRunning } from '../errors';
import { MEMBERS_PER_CALL } from './group';
import { GroupMembersRefused } from './group-problem';
import type { GroupTurns } from './group-turns';

interface Join {
  readonly userSlackId: string;
  isDone: boolean;
  /** Those who went together were refused. */
  mustGoAlone: boolean;
}

/**
 * People who join the same group at the same time go in one call: Slack allows few writes on groups a minute, and when a
 * company moves in everybody joins the same few groups. Whoever has the turn takes along those who wait for it.
 */
export class GroupJoins {
  /** By connection and group: what goes together leaves with one token. Holds no empty set. */
  readonly #waiting = new Map<string, Set<Join>>();

  constructor(private readonly turns: GroupTurns) {}

  /** @param send adds all of these people, or nobody. */
  async join(
    { caller, connection }: { readonly caller: Caller; readonly connection: Connection },
    slackId: string,
    userSlackId: string,
    send: (userSlackIds: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const key = `${connection.id} ${slackId}`;
    const own: Join = { userSlackId, isDone: false, mustGoAlone: false };
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(own));
    try {
      await this.turns.run(caller, connection, { slackId }, () => this.inTurn(own, waiting, send));
    } catch (error) {
      // The time was over when the turn came, but somebody had taken this one along.
      if (!(error instanceof StillRunning && own.isDone)) throw error;
    } finally {
      waiting.delete(own);
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    }
  }

  private async inTurn(
    own: Join,
    waiting: ReadonlySet<Join>,
    send: (userSlackIds: readonly string[]) => Promise<void>,
  ): Promise<void> {
    if (own.isDone) return;
    const others = [...waiting].filter((join) => join !== own && !join.isDone && !join.mustGoAlone);
    const joins = own.mustGoAlone ? [own] : [own, ...others.slice(0, MEMBERS_PER_CALL - 1)];
    try {
      await this.sendTogether(joins, send);
    } catch (error) {
      if (joins.length === 1 || !maySucceedAlone(error)) throw error;
      for (const join of joins) join.mustGoAlone = true;
      await this.sendTogether([own], send);
    }
  }

  private async sendTogether(
    joins: readonly Join[],
    send: (userSlackIds: readonly string[]) => Promise<void>,
  ): Promise<void> {
    await send([...new Set(joins.map(({ userSlackId }) => userSlackId))]);
    for (const join of joins) join.isDone = true;
  }
}

/** Somebody of them is refused, or there is room for some of them only. */
function maySucceedAlone(error: unknown): boolean {
  return error instanceof GroupMembersRefused || error instanceof InvalidInput || error instanceof GroupLimit;
}
