import { assertAllowed, type Caller } from '../access/access';
import {
  type AppError,
  EmailTaken,
  InvalidInput,
  ProfileFieldsDropped,
  UpstreamRejected,
  UserNameUnavailable,
} from '../errors';
import type { GroupDeparture } from './group-departure';
import type { GroupEnrollment } from './group-enrollment';
import { REACTIVATE_FIRST_REMEDY, userIsInactive } from './guest-problem';
import type { IdempotentRun } from './idempotency.service';
import { withManager } from './manager-lookup';
import type { PersonCall, PersonCalls, WriteContext } from './person-calls';
import type { ProvisionResult } from './provision-result';
import {
  accountExists,
  addressIsSecond,
  addressNotFree,
  guestsNeedOrganization,
  installerIsProtected,
  noNameFree,
  userNameNotFree,
} from './provisioning-problem';
import { type DirectoryUser, isSameEmail, type ProvisionOutcome, primaryEmailOf, type UserChanges } from './user';
import { differences, hasChanges } from './user-differences';
import { type NamedUserDraft, parseChanges } from './user-draft';
import type { Creation } from './user-writer';
import { type PersonToProvision, sentBy, type WantedPerson, wantedPerson } from './wanted-person';

/** Noted before a creation leaves, so that whoever takes the call over knows that an account it finds may be its own. */
export const CREATION_SENT = 'creation-sent';
export const NOTHING_SENT = 'nothing-sent';
/** Noted, with Slack's id, before an account gets another address or user name, under which it would not be found again. */
const RENAMING_SENT = 'renaming-sent ';

/** Slack's word for an organization whose members edit their own display names. Slack then refuses the whole request. */
const DISPLAY_NAME_REFUSED = 'invalid_display_name';

/** Creates, changes, deactivates and reactivates people. */
export class ProvisioningService {
  constructor(
    private readonly calls: PersonCalls,
    private readonly enrollment: GroupEnrollment,
    private readonly departure: GroupDeparture,
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
    return this.calls.once(
      caller,
      {
        connectionId: input.connectionId,
        idempotencyKey: input.idempotencyKey,
        run: input.run,
        action: 'provisionUser',
        place,
        input: request,
        names: [{ email: draft.email }, { userName: draft.userName }],
      },
      async (context, run) => {
        if (draft.guest && context.connection.installLevel !== 'ORGANIZATION')
          throw guestsNeedOrganization(context.place);
        const { person, warnings } = await withManager(wanted, (email) => context.writer.holderOf(email));
        const result = await this.provisionOne(context, person, run);
        const provisioned = warnings.length === 0 ? result : withWarnings(result, warnings);
        const enrolled = await this.enrollment.enroll(context, provisioned, wanted.groups, place);
        const { leaves, groups: keeps } = wanted;
        return this.departure.depart(context, enrolled, { leaves, keeps }, place);
      },
    );
  }

  /** @throws InvalidInput, NotFound (no such person), EmailTaken, ProtectedUser, UserInactive (a conversion would reactivate), and as `provision` */
  async update(caller: Caller, input: PersonCall & { changes: UserChanges }): Promise<ProvisionResult> {
    assertAllowed(caller, 'users:write');
    const changes = parseChanges(input.changes, ['input', 'changes']);
    if (!hasChanges(changes)) {
      throw new InvalidInput('There is nothing to change.', {
        path: ['input', 'changes'],
        remedy: 'Give at least one field; null clears a field.',
      });
    }
    return this.calls.once(
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
          if (missing.guest !== undefined && !user.active) throw userIsInactive(user, REACTIVATE_FIRST_REMEDY);
          const isRenaming = missing.email !== undefined || missing.userName !== undefined;
          if (isRenaming) await run.saveProgress(RENAMING_SENT + user.slackId);
          return this.change(context, user, missing, undefined, 'UPDATED');
        };
        return this.calls.onPerson(context, input.user, work, renamedId);
      },
    );
  }

  /**
   * Deactivates the account; doing it again changes nothing.
   * @throws NotFound, ProtectedUser (the installer, whose token this connection works with; owners; bots), and as `provision`
   */
  async deprovision(caller: Caller, input: PersonCall): Promise<ProvisionResult> {
    const call = { ...input, action: 'deprovisionUser', input: { user: input.user }, names: [input.user] };
    return this.calls.once(caller, call, (context) =>
      this.calls.onPerson(context, input.user, async (user) => {
        if (user.slackId === context.connection.installer?.slackId) throw installerIsProtected();
        if (!user.active) return { user, outcome: 'UNCHANGED', warnings: [] };
        return { user: await context.writer.deactivate(user), outcome: 'DEACTIVATED', warnings: [] };
      }),
    );
  }

  /** Makes a deactivated account active again; an active one stays as it is. */
  async reactivate(caller: Caller, input: PersonCall): Promise<ProvisionResult> {
    const call = { ...input, action: 'reactivateUser', input: { user: input.user }, names: [input.user] };
    return this.calls.once(caller, call, (context) =>
      this.calls.onPerson(context, input.user, async (user) => {
        if (user.active) return { user, outcome: 'UNCHANGED', warnings: [] };
        const reactivated = await context.writer.update(user, {}, { active: true, action: 'user.reactivate' });
        return { user: reactivated, outcome: 'REACTIVATED', warnings: [] };
      }),
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
    const holder = wanted.isUnheld && !mayBeOurs ? undefined : await writer.holderOf(draft.email);
    if (holder)
      return this.calls.onAccount(context, holder, (user) => this.reconcile(context, user, wanted, mayBeOurs));
    await run.saveProgress(CREATION_SENT);
    const creation = await this.create(context, wanted, { mayBeOurs, run });
    if (creation.kind === 'exists') return this.reconcile(context, creation.user, wanted, false);
    return this.report(context, creation.user, sentBy(draft), 'CREATED');
  }

  private async create(
    { writer, place }: WriteContext,
    { draft, userNames, isNameGiven }: WantedPerson,
    { mayBeOurs, run }: { mayBeOurs: boolean; run: IdempotentRun },
  ): Promise<Creation> {
    try {
      return await writer.create(draft, userNames, { mayBeOurs });
    } catch (error) {
      if (!writer.mayHaveCreated) await run.saveProgress(NOTHING_SENT);
      if (!(error instanceof UserNameUnavailable)) throw error;
      throw (isNameGiven ? userNameNotFree : noNameFree)(error, draft.userName, place);
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

function withWarnings(result: ProvisionResult, warnings: readonly AppError[]): ProvisionResult {
  return { ...result, warnings: [...result.warnings, ...warnings] };
}
