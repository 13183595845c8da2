import type { Clock } from '../../shared/clock';
import type { Caller } from '../access/access';
import type { Action } from '../connections/scopes';
import { ProfileFieldsDropped, ProtectedUser } from '../errors';
import {
  botIsNoGuest,
  CONSENT_REMEDY,
  conversionNeedsOrganization,
  conversionNotShown,
  endIsPast,
  installerIsNoGuest,
  singleChannelGuestStays,
  userIsInactive,
} from './guest-problem';
import type { IdempotentRun } from './idempotency.service';
import type { PersonCall, PersonCalls, WriteContext } from './person-calls';
import type { ProvisionResult } from './provision-result';
import { type DirectoryUser, isBot, type UserChanges } from './user';
import { differences, hasChanges } from './user-differences';

export interface ConversionCall extends PersonCall {
  /** Consent to what Slack does to a deactivated account that it converts. */
  readonly reactivateIfInactive: boolean;
}

export interface GuestConversionCall extends ConversionCall {
  /** Left out, a new guest never ends and an existing one keeps the end; null removes it. */
  readonly expiresAt?: Date | null;
}

interface Conversion {
  readonly guest: UserChanges['guest'];
  readonly action: Action;
  readonly reactivateIfInactive: boolean;
}

/** Noted, with the outcome, before a conversion leaves: whoever takes the call over may find the person converted by it. */
const REACTIVATION_SENT = 'conversion-sent REACTIVATED';
const CONVERSION_SENT = 'conversion-sent UPDATED';

/**
 * Makes guests of members and members of guests. Slack reactivates a deactivated account that it converts, so such an
 * account is converted with the caller's consent alone.
 */
export class GuestService {
  constructor(
    private readonly calls: PersonCalls,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes a multi-channel guest of the person, or changes the end of one.
   * @throws InvalidInput (the end is past), GuestNotAllowed, ProtectedUser, UserInactive, NotFound, UpstreamOutcomeUnknown, and what PersonCalls.once throws
   */
  convertToGuest(caller: Caller, { expiresAt, reactivateIfInactive, ...call }: GuestConversionCall) {
    const { user } = call;
    const write = {
      ...call,
      action: 'convertToGuest',
      input: { user, expiresAt, reactivateIfInactive },
      names: [user],
    };
    const conversion: Conversion = { guest: { expiresAt }, action: 'user.convertToGuest', reactivateIfInactive };
    return this.calls.once(caller, write, async (context, run) => {
      if (expiresAt && expiresAt.getTime() <= this.clock.now()) throw endIsPast();
      assertHasGuests(context);
      return this.calls.onPerson(context, user, async (person) => {
        assertMayBeGuest(context, person);
        return convert(context, person, conversion, run);
      });
    });
  }

  /**
   * Makes a full member of a guest.
   * @throws as convertToGuest
   */
  convertToMember(caller: Caller, { reactivateIfInactive, ...call }: ConversionCall): Promise<ProvisionResult> {
    const { user } = call;
    const write = { ...call, action: 'convertToMember', input: { user, reactivateIfInactive }, names: [user] };
    const conversion: Conversion = { guest: null, action: 'user.convertToMember', reactivateIfInactive };
    return this.calls.once(caller, write, async (context, run) => {
      assertHasGuests(context);
      return this.calls.onPerson(context, user, (person) => convert(context, person, conversion, run));
    });
  }
}

function assertHasGuests({ connection }: WriteContext): void {
  if (connection.installLevel !== 'ORGANIZATION') throw conversionNeedsOrganization();
}

/** What can be told without asking: SCIM does not show who is an Admin or an Owner, so that Slack's refusal must tell. */
function assertMayBeGuest({ connection }: WriteContext, person: DirectoryUser): void {
  if (person.slackId === connection.installer?.slackId) throw installerIsNoGuest();
  if (isBot(person)) throw botIsNoGuest();
  if (person.guest?.kind === 'SINGLE_CHANNEL') throw singleChannelGuestStays();
}

async function convert(
  context: WriteContext,
  user: DirectoryUser,
  { guest, action, reactivateIfInactive }: Conversion,
  run: IdempotentRun,
): Promise<ProvisionResult> {
  const missing = differences(user, { guest });
  const reactivates = !user.active && reactivateIfInactive;
  if (!hasChanges(missing) && !reactivates) return { user, outcome: outcomeOfEarlier(run), warnings: [] };
  if (!user.active && !reactivates) throw userIsInactive(user, CONSENT_REMEDY);
  await run.saveProgress(reactivates ? REACTIVATION_SENT : CONVERSION_SENT);
  const active = reactivates ? true : undefined;
  const written = await context.writer.update(user, missing, { active, action }).catch((error: unknown) => {
    throw error instanceof ProtectedUser ? error.at(['input', 'user']) : error;
  });
  return report(context, written, missing, reactivates ? 'REACTIVATED' : 'UPDATED');
}

/** As wanted: because it always was, or because an interrupted run of this call made it so. */
function outcomeOfEarlier({ progress }: IdempotentRun): ProvisionResult['outcome'] {
  if (progress === REACTIVATION_SENT) return 'REACTIVATED';
  return progress === CONVERSION_SENT ? 'UPDATED' : 'UNCHANGED';
}

async function report(
  { writer }: WriteContext,
  written: DirectoryUser,
  sent: UserChanges,
  outcome: ProvisionResult['outcome'],
): Promise<ProvisionResult> {
  const { user, fields } = await writer.unkept(written, sent);
  if (fields.length === 0) return { user, outcome, warnings: [] };
  const isConverted = (user.guest !== undefined) === (sent.guest !== null);
  if (!isConverted) throw conversionNotShown();
  const warning = new ProfileFieldsDropped(
    'Slack did not keep the end of the guest account as it was sent.',
    ['expiresAt'],
    {
      path: ['input', 'expiresAt'],
      remedy: 'Let an Admin look at the time limit of this guest in Slack.',
    },
  );
  return { user, outcome, warnings: [warning] };
}
