import type { Clock } from '../../shared/clock';
import { KeyedMutex } from '../../shared/mutex';
import type { Caller } from '../access/access';
import type { Connection, ConnectionId } from '../connections/connection';
import type { DirectoryClient } from '../directory-ports';
import { NotFound } from '../errors';
import type { DirectoryAccess } from './directory-access';
import { locate } from './directory-query.service';
import type { IdempotencyService, IdempotentRun } from './idempotency.service';
import { decodeOutcome, encodeOutcome, type ProvisionResult } from './provision-result';
import { type FieldsPlace, othersTookTooLong } from './provisioning-problem';
import type { DirectoryUser, UserSelector } from './user';
import { UserWriter } from './user-writer';

/** A call on one person who has an account. */
export interface PersonCall {
  readonly connectionId: ConnectionId;
  readonly user: UserSelector;
  readonly idempotencyKey?: string;
  /** In place of a key, for whoever keeps the outcome with something of his own. */
  readonly run?: IdempotentRun;
}

export interface WriteContext {
  readonly caller: Caller;
  readonly connection: Connection;
  readonly client: DirectoryClient;
  readonly writer: UserWriter;
  readonly place: FieldsPlace;
}

export interface PersonWrite {
  readonly connectionId: ConnectionId;
  readonly idempotencyKey?: string;
  /** As in PersonCall. */
  readonly run?: IdempotentRun;
  readonly action: string;
  readonly place?: FieldsPlace;
  /** What must be equal when the idempotency key is used again. */
  readonly input: unknown;
  /** Every way in which the call names the person. */
  readonly names: readonly UserSelector[];
}

/**
 * What every write to a person goes through: permission, idempotency, and turns. Calls that name a person in the same way
 * take effect in the order in which they came, and writes to one account go one after the other whatever the name.
 */
export class PersonCalls {
  readonly #people = new KeyedMutex();

  constructor(
    private readonly access: DirectoryAccess,
    private readonly idempotency: IdempotencyService,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {}

  /** @throws Forbidden, NotFound (no such connection), what IdempotencyService.run and DirectoryAccess.use throw, and whatever `work` throws */
  async once(
    caller: Caller,
    call: PersonWrite,
    work: (context: WriteContext, run: IdempotentRun) => Promise<ProvisionResult>,
  ): Promise<ProvisionResult> {
    const connection = await this.access.find(caller, call.connectionId, 'users:write');
    return this.idempotency.run(caller, {
      connectionId: connection.id,
      action: call.action,
      key: call.idempotencyKey,
      ownRun: call.run,
      input: call.input,
      encode: encodeOutcome,
      decode: decodeOutcome,
      inTurn: (run) => this.inTurn(caller, connection.id, call.names, run),
      work: (run) =>
        this.access.use(caller, connection, (client) => {
          const writer = new UserWriter(client, caller, this.clock, this.random);
          return work({ caller, connection, client, writer, place: call.place ?? ['input', 'user'] }, run);
        }),
    });
  }

  /**
   * @param renamedId of the account that an interrupted run of this call may have given another name.
   * @throws NotFound (no such person)
   */
  async onPerson(
    context: WriteContext,
    by: UserSelector,
    work: (user: DirectoryUser) => Promise<ProvisionResult>,
    renamedId?: string,
  ): Promise<ProvisionResult> {
    const { client, caller } = context;
    const isRenamed = renamedId !== undefined;
    const user = isRenamed ? await client.getUser(renamedId, caller) : await locate(client, caller, by);
    if (!user) throw new NotFound('There is no such person in Slack.', { path: ['input', 'user'] });
    return 'slackId' in by ? work(user) : this.onAccount(context, user, work);
  }

  /** Holds the turn on an account that was found by another name, and reads it again if somebody else had the turn. */
  onAccount(
    { caller, connection, client }: WriteContext,
    user: DirectoryUser,
    work: (user: DirectoryUser) => Promise<ProvisionResult>,
  ): Promise<ProvisionResult> {
    const key = personKey(connection.id, { slackId: user.slackId });
    const mayHaveChanged = this.#people.isHeld(key);
    return this.#people.run(key, async () =>
      work((mayHaveChanged ? await client.getUser(user.slackId, caller) : undefined) ?? user),
    );
  }

  /** Waits for calls that came before and name the person in the same way. One of them may have used up the time. */
  private inTurn<R>(
    caller: Caller,
    connectionId: ConnectionId,
    names: readonly UserSelector[],
    run: () => Promise<R>,
  ): Promise<R> {
    const keys = names.map((name) => personKey(connectionId, name));
    return this.#people.runAll(keys, async () => {
      caller.signal.throwIfAborted();
      if (this.clock.now() >= caller.deadlineAt) throw othersTookTooLong();
      return run();
    });
  }
}

function personKey(connectionId: ConnectionId, by: UserSelector): string {
  const [kind, value] = Object.entries(by)[0] ?? ['', ''];
  return `${connectionId} ${kind} ${String(value).toLowerCase()}`;
}
