import type { Clock } from '../../shared/clock';
import { KeyedMutex } from '../../shared/mutex';
import { assertAllowed, type Caller } from '../access/access';
import type { Connection, ConnectionId } from '../connections/connection';
import type { DirectoryClient } from '../directory-ports';
import {
  EmailTaken,
  InvalidInput,
  NotFound,
  ProfileFieldsDropped,
  UpstreamRejected,
  UserNameUnavailable,
} from '../errors';
import type { DirectoryAccess } from './directory-access';
import { locate } from './directory-query.service';
import type { GroupEnrollment } from './group-enrollment';
import type { IdempotencyService, IdempotentRun } from './idempotency.service';
import { decodeOutcome, encodeOutcome, type ProvisionResult } from './provision-result';
import {
  accountExists,
  addressIsSecond,
  addressNotFree,
  type FieldsPlace,
  guestsNeedOrganization,
  installerIsProtected,
  noNameFree,
  othersTookTooLong,
  userNameNotFree,
} from './provisioning-problem';
import {
  type DirectoryUser,
  isSameEmail,
  type ProvisionOutcome,
  primaryEmailOf,
  type UserChanges,
  type UserSelector,
} from './user';
import { differences, hasChanges } from './user-differences';
import { type NamedUserDraft, parseChanges } from './user-draft';
import { type Creation, UserWriter } from './user-writer';
import { type PersonToProvision, sentBy, type WantedPerson, wantedPerson } from './wanted-person';

export interface PersonCall {
  readonly connectionId: ConnectionId;
  readonly user: UserSelector;
  readonly idempotencyKey?: string;
  /** In place of a key, for whoever keeps the outcome with something of his own. */
  readonly run?: IdempotentRun;
}

interface WriteContext {
  readonly caller: Caller;
  readonly connection: Connection;
  readonly client: DirectoryClient;
  readonly writer: UserWriter;
  readonly place: FieldsPlace;
}

/** Noted before a creation leaves, so that whoever takes the call over knows that an account it finds may be its own. */
const CREATION_SENT = 'creation-sent';
const NOTHING_SENT = 'nothing-sent';
/** Noted, with Slack's id, before an account gets another address or user name, under which it would not be found again. */
const RENAMING_SENT = 'renaming-sent ';

/** Slack's word for an organization whose members edit their own display names. Slack then refuses the whole request. */
const DISPLAY_NAME_REFUSED = 'invalid_display_name';

/**
 * Creates, changes, deactivates and reactivates people. Calls that name a person in the same way take effect in the
 * order in which they came, and writes to one account go one after the other whatever the name.
 */
export class ProvisioningService {
  readonly #people = new KeyedMutex();

  constructor(
    private readonly access: DirectoryAccess,
    private readonly idempotency: IdempotencyService,
    private readonly enrollment: GroupEnrollment,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {}

  /**
   * Makes sure that the person exists as described: creates the account, or adopts, updates or reactivates the one that
   * holds the address. Then the person joins the groups; one that cannot be joined is a warning beside the success.
   * @throws InvalidInput, UserNameInvalid, EmailTaken, UserNameUnavailable, GuestNotAllowed, UpstreamOutcomeUnknown, and what DirectoryAccess.use throws
   */
  async provision(caller: Caller, input: PersonToProvision): Promise<ProvisionResult> {
    assertAllowed(caller, 'users:write');
    const wanted = wantedPerson(input);
    const { place, draft, request } = wanted;
    return this.once(
      caller,
      {
        ...input,
        action: 'provisionUser',
        place,
        input: request,
        names: [{ email: draft.email }, { userName: draft.userName }],
      },
      async (context, run) => {
        if (draft.guest && context.connection.installLevel !== 'ORGANIZATION')
          throw guestsNeedOrganization(context.place);
        const result = await this.provisionOne(context, wanted, run);
        return this.enrollment.enroll(context, result, wanted.groups, [...place, 'groups']);
      },
    );
  }

  /** @throws InvalidInput, NotFound (no such person), EmailTaken, ProtectedUser, and as `provision` */
  async update(caller: Caller, input: PersonCall & { changes: UserChanges }): Promise<ProvisionResult> {
    assertAllowed(caller, 'users:write');
    const changes = parseChanges(input.changes, ['input', 'changes']);
    if (!hasChanges(changes)) {
      throw new InvalidInput('There is nothing to change.', {
        path: ['input', 'changes'],
        remedy: 'Give at least one field; null clears a field.',
      });
    }
    return this.once(
      caller,
      {
        ...input,
        action: 'updateUser',
        place: ['input', 'changes'],
        input: { user: input.user, changes: input.changes },
        names: [input.user],
      },
      async (context, run) => {
        if (changes.guest && context.connection.installLevel !== 'ORGANIZATION')
          throw guestsNeedOrganization(context.place);
        const renamedId = run.progress?.startsWith(RENAMING_SENT)
          ? run.progress.slice(RENAMING_SENT.length)
          : undefined;
        const work = async (user: DirectoryUser): Promise<ProvisionResult> => {
          const missing = differences(user, changes);
          const isDone = !hasChanges(missing);
          if (isDone) return { user, outcome: renamedId === undefined ? 'UNCHANGED' : 'UPDATED', warnings: [] };
          const isRenaming = missing.email !== undefined || missing.userName !== undefined;
          if (isRenaming) await run.saveProgress(RENAMING_SENT + user.slackId);
          return this.change(context, user, missing, undefined, 'UPDATED');
        };
        return this.onPerson(context, input.user, work, renamedId);
      },
    );
  }

  /**
   * Deactivates the account; doing it again changes nothing.
   * @throws NotFound, ProtectedUser (the installer, whose token this connection works with; owners; bots), and as `provision`
   */
  async deprovision(caller: Caller, input: PersonCall): Promise<ProvisionResult> {
    const call = { ...input, action: 'deprovisionUser', input: { user: input.user }, names: [input.user] };
    return this.once(caller, call, (context) =>
      this.onPerson(context, input.user, async (user) => {
        if (user.slackId === context.connection.installer?.slackId) throw installerIsProtected();
        if (!user.active) return { user, outcome: 'UNCHANGED', warnings: [] };
        return { user: await context.writer.deactivate(user), outcome: 'DEACTIVATED', warnings: [] };
      }),
    );
  }

  /** Makes a deactivated account active again; an active one stays as it is. */
  async reactivate(caller: Caller, input: PersonCall): Promise<ProvisionResult> {
    const call = { ...input, action: 'reactivateUser', input: { user: input.user }, names: [input.user] };
    return this.once(caller, call, (context) =>
      this.onPerson(context, input.user, async (user) => {
        if (user.active) return { user, outcome: 'UNCHANGED', warnings: [] };
        const reactivated = await context.writer.update(user, {}, { active: true, action: 'user.reactivate' });
        return { user: reactivated, outcome: 'REACTIVATED', warnings: [] };
      }),
    );
  }

  private async once(
    caller: Caller,
    call: {
      connectionId: ConnectionId;
      idempotencyKey?: string;
      run?: IdempotentRun;
      action: string;
      place?: FieldsPlace;
      input: unknown;
      names: readonly UserSelector[];
    },
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

  /** @param renamedId of the account that an interrupted run of this call may have given another name. */
  private async onPerson(
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
  private onAccount(
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

  private async provisionOne(
    context: WriteContext,
    wanted: WantedPerson,
    run: IdempotentRun,
  ): Promise<ProvisionResult> {
    const { writer } = context;
    const { draft } = wanted;
    const mayBeOurs = run.progress === CREATION_SENT;
    const holder = await writer.holderOf(draft.email);
    if (holder) return this.onAccount(context, holder, (user) => this.reconcile(context, user, wanted, mayBeOurs));
    await run.saveProgress(CREATION_SENT);
    const creation = await this.create(context, wanted, { mayBeOurs, run });
    if (creation.kind === 'exists') return this.reconcile(context, creation.user, wanted, false);
    return this.report(context, creation.user, sentBy(draft), 'CREATED');
  }

  private async create(
    { writer, place }: WriteContext,
    { draft, userNames }: WantedPerson,
    { mayBeOurs, run }: { mayBeOurs: boolean; run: IdempotentRun },
  ): Promise<Creation> {
    try {
      return await writer.create(draft, userNames, { mayBeOurs });
    } catch (error) {
      if (!writer.mayHaveCreated) await run.saveProgress(NOTHING_SENT);
      if (!(error instanceof UserNameUnavailable)) throw error;
      throw (userNames.length > 1 ? noNameFree : userNameNotFree)(error, draft.userName, place);
    }
  }

  /** The address is held by an account already: what happens is the caller's choice. */
  private async reconcile(
    context: WriteContext,
    existing: DirectoryUser,
    { draft, changes, ifExists }: WantedPerson,
    isOurs: boolean,
  ): Promise<ProvisionResult> {
    if (!isSameEmail(primaryEmailOf(existing) ?? '', draft.email)) throw addressIsSecond(existing, context.place);
    if (ifExists === 'FAIL' && !isOurs) throw accountExists(existing, context.place);
    if (isOurs) return this.completeOwn(context, existing, draft);
    if (ifExists === 'ADOPT') return { user: existing, outcome: 'ADOPTED', warnings: [] };
    const missing = differences(existing, changes);
    if (!existing.active) return this.change(context, existing, missing, true, 'REACTIVATED');
    if (!hasChanges(missing)) return { user: existing, outcome: 'UNCHANGED', warnings: [] };
    return this.change(context, existing, missing, undefined, 'UPDATED');
  }

  /** An interrupted run sent this creation. What the account does not show Slack may have dropped, and would refuse again. */
  private async completeOwn(
    context: WriteContext,
    existing: DirectoryUser,
    draft: NamedUserDraft,
  ): Promise<ProvisionResult> {
    const missing = differences(existing, sentBy(draft));
    if (existing.active && !hasChanges(missing)) return { user: existing, outcome: 'CREATED', warnings: [] };
    try {
      return await this.change(context, existing, missing, existing.active ? undefined : true, 'CREATED');
    } catch (error) {
      const isRefusal = error instanceof InvalidInput || error instanceof UpstreamRejected;
      if (!isRefusal || !existing.active) throw error;
      return this.report(context, existing, missing, 'CREATED');
    }
  }

  private async change(
    context: WriteContext,
    user: DirectoryUser,
    changes: UserChanges,
    active: boolean | undefined,
    outcome: ProvisionOutcome,
  ): Promise<ProvisionResult> {
    try {
      return await this.report(context, await this.write(context, user, changes, active), changes, outcome);
    } catch (error) {
      const isRefused = error instanceof UpstreamRejected && error.slackCode === DISPLAY_NAME_REFUSED;
      if (!isRefused || changes.displayName === undefined) throw error;
      // Everything else of the request would be lost over a field that people here keep for themselves.
      const { displayName: _, ...rest } = changes;
      if (active === undefined && !hasChanges(rest)) return this.report(context, user, changes, 'UNCHANGED');
      return this.report(context, await this.write(context, user, rest, active), changes, outcome);
    }
  }

  private async write(
    { writer, place }: WriteContext,
    user: DirectoryUser,
    changes: UserChanges,
    active: boolean | undefined,
  ): Promise<DirectoryUser> {
    const action = changes.guest ? 'user.provisionGuest' : active ? 'user.reactivate' : 'user.update';
    const { email, userName } = changes;
    try {
      return await writer.update(user, changes, { active, action });
    } catch (error) {
      if (error instanceof EmailTaken && email) throw addressNotFree(error, await writer.holderOf(email), place);
      throw error instanceof UserNameUnavailable && userName ? userNameNotFree(error, userName, place) : error;
    }
  }

  private async report(
    { writer }: WriteContext,
    written: DirectoryUser,
    sent: UserChanges,
    outcome: ProvisionOutcome,
  ): Promise<ProvisionResult> {
    const { user, fields } = await writer.unkept(written, sent);
    if (fields.length === 0) return { user, outcome, warnings: [] };
    const warning = new ProfileFieldsDropped('Slack did not keep some of the fields as they were sent.', fields, {
      path: ['input'],
      remedy:
        'When one profile field is invalid Slack drops all of them on creation. Correct the invalid one and call updateUser; a field that your organization does not let provisioning change stays as it is.',
    });
    return { user, outcome, warnings: [warning] };
  }
}

function personKey(connectionId: ConnectionId, by: UserSelector): string {
  const [kind, value] = Object.entries(by)[0] ?? ['', ''];
  return `${connectionId} ${kind} ${String(value).toLowerCase()}`;
}
