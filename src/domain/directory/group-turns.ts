import type { Clock } from '../../shared/clock';
import { KeyedMutex } from '../../shared/mutex';
import type { Caller } from '../access/access';
import type { Connection } from '../connections/connection';
import { budgetKeyOf } from '../connections/grant-verifier.service';
import { StillRunning } from '../errors';
import type { GroupSelector } from './group';

/**
 * One write on a group at a time, since Slack locks a group while it is changed: whoever comes meanwhile waits here, in
 * the order of arrival, instead of meeting the lock. A group is the same through whichever connection of the team it is
 * reached. Calls that name a group take the turn of the name first and that of the group itself inside of it.
 */
export class GroupTurns {
  readonly #groups = new KeyedMutex();

  constructor(private readonly clock: Clock) {}

  /** @throws StillRunning when others took all the time of the call. */
  run<T>(caller: Caller, connection: Connection, by: GroupSelector, work: () => Promise<T>): Promise<T> {
    return this.#groups.run(keyOf(connection, by), async () => {
      caller.signal.throwIfAborted();
      if (this.clock.now() >= caller.deadlineAt) throw othersTookTooLong();
      return work();
    });
  }

  isHeld(connection: Connection, by: GroupSelector): boolean {
    return this.#groups.isHeld(keyOf(connection, by));
  }
}

function keyOf({ environment, teamKey }: Connection, by: GroupSelector): string {
  const team = budgetKeyOf(environment, teamKey);
  return 'slackId' in by ? `${team} id ${by.slackId}` : `${team} name ${by.name.trim().toLowerCase()}`;
}

function othersTookTooLong(): StillRunning {
  return new StillRunning('Other calls for the same group took all the time of this one. Nothing was done.', {
    remedy: 'Try again.',
  });
}
