import { AppError, type ErrorOptionsWithRemedy } from '../errors';
import type { DirectoryGroup } from './group';

/** Why somebody cannot be a member. `DEACTIVATED_OR_GUEST` is as much as Slack says. */
export const memberRefusals = [
  'UNKNOWN',
  'DEACTIVATED',
  'SINGLE_CHANNEL_GUEST',
  'DEACTIVATED_OR_GUEST',
  'BOT',
] as const;
export type MemberRefusal = (typeof memberRefusals)[number];

export function isMemberRefusal(text: string | undefined): text is MemberRefusal {
  return memberRefusals.some((known) => known === text);
}

const refusalTexts: Readonly<Record<MemberRefusal, readonly [message: string, remedy: string]>> = {
  UNKNOWN: ['There is no such person in Slack.', 'Provision the person first, or correct the name.'],
  DEACTIVATED: ['A deactivated person cannot be a member of a group.', 'Reactivate the person first.'],
  DEACTIVATED_OR_GUEST: [
    'Slack takes no deactivated people into groups, and no guests into this one.',
    'Reactivate the person, or make the guest a full member, and try again.',
  ],
  SINGLE_CHANNEL_GUEST: [
    'A single-channel guest cannot be a member of a group.',
    'Make the person a full member or a multi-channel guest first.',
  ],
  BOT: ['A bot cannot be a member of a group.', 'Leave it out.'],
};

/** One or more of the people that a call named cannot be members. Slack does not reliably say which. */
export class GroupMembersRefused extends AppError {
  readonly code = 'GROUP_MEMBER_REFUSED';

  constructor(
    readonly reason: MemberRefusal,
    options: ErrorOptionsWithRemedy = {},
  ) {
    const [message, remedy] = refusalTexts[reason];
    super(message, { remedy, ...options });
  }
}

/** The change took effect except for some members. A warning beside a success, never thrown. */
export class GroupMembersIncomplete extends AppError {
  readonly code = 'GROUP_MEMBERS_INCOMPLETE';
  override readonly retryable: boolean;

  constructor(message: string, { retryable, ...options }: ErrorOptionsWithRemedy & { retryable: boolean }) {
    super(message, options);
    this.retryable = retryable;
  }
}

export class GroupLinkedToChannels extends AppError {
  readonly code = 'GROUP_LINKED_TO_CHANNELS';

  constructor(options: ErrorOptionsWithRemedy = {}) {
    super('The group still decides who may enter some channels, so Slack does not delete it.', {
      remedy:
        "Let an Org Owner or Admin remove the group from those channels' access restrictions in Slack, then delete it.",
      ...options,
    });
  }
}

/** Slack keeps the group itself, such as that of all admins, or the owner of the token may not change it. */
export class ProtectedGroup extends AppError {
  readonly code = 'PROTECTED_GROUP';

  constructor(
    readonly slackCode: string,
    readonly httpStatus: number,
    options: ErrorOptionsWithRemedy = {},
  ) {
    super('Slack does not let this group be changed: it keeps the group itself, or the token lacks the rank.', {
      remedy: 'Change it in Slack. Groups such as "Team Admins" follow the ranks of people and cannot be changed.',
      ...options,
    });
  }
}

export class AmbiguousGroup extends AppError {
  readonly code = 'AMBIGUOUS_GROUP';

  constructor(
    readonly candidates: readonly DirectoryGroup[],
    options: ErrorOptionsWithRemedy = {},
  ) {
    super('Several groups have this name.', { remedy: 'Name the group by its slackId.', ...options });
  }
}

export class GroupNameTaken extends AppError {
  readonly code = 'CONFLICT';

  constructor(
    readonly heldBy: DirectoryGroup | undefined,
    options: ErrorOptionsWithRemedy = {},
  ) {
    super('A group with this name exists already.', {
      remedy: 'Use the existing group, or choose another name.',
      ...options,
    });
  }
}
