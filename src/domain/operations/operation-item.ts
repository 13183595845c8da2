import type { GroupSelector } from '../directory/group';
import type { ProvisionOutcome, UserDraft, UserSelector } from '../directory/user';
import type { StoredItemProblem } from './item-problem';
import type { ItemStatus, OperationId, OperationKind } from './operation';

/** What one item asks for. Dates within are kept as text. */
export type ItemWork =
  | { readonly action: 'provisionUser'; readonly user: UserDraft; readonly groups?: readonly GroupSelector[] }
  | { readonly action: 'deprovisionUser'; readonly user: UserSelector }
  | {
      readonly action: 'addGroupMembers' | 'removeGroupMembers' | 'setGroupMembers';
      readonly group: GroupSelector;
      readonly members: readonly UserSelector[];
    };

export type ItemAction = ItemWork['action'];

export const itemActions = [
  'provisionUser',
  'deprovisionUser',
  'addGroupMembers',
  'removeGroupMembers',
  'setGroupMembers',
] as const satisfies readonly ItemAction[];

export const actionsOfKind: Readonly<Record<OperationKind, readonly ItemAction[]>> = {
  PROVISION_USERS: ['provisionUser'],
  DEPROVISION_USERS: ['deprovisionUser'],
  CHANGE_GROUP_MEMBERS: ['addGroupMembers', 'removeGroupMembers', 'setGroupMembers'],
};

/** An item as it is shown. */
export interface OperationItem {
  readonly operationId: OperationId;
  /** Its place in what the caller sent, from 0. */
  readonly index: number;
  readonly action: ItemAction;
  /** How the caller named the person or the group. */
  readonly subject: string;
  readonly status: ItemStatus;
  /** How often carrying it out was tried and counted. */
  readonly attempts: number;
  readonly outcome?: ProvisionOutcome;
  readonly user?: { readonly slackId: string; readonly name?: string };
  /** Why it failed or waits, or something to know about a success. */
  readonly problem?: StoredItemProblem;
}

/** An item as it is carried out. */
export interface ClaimedItem {
  readonly index: number;
  readonly work: ItemWork;
  readonly attempts: number;
  /** What an interrupted run of it noted down. */
  readonly progress?: string;
  /** Nobody holds the address, as far as the roster shows; noted down already is that the creation was sent. */
  readonly isUnheld?: boolean;
}

export interface NewItem {
  readonly index: number;
  readonly work: ItemWork;
  readonly subject: string;
  /** Whom it concerns: items with a key in common are carried out in their order. */
  readonly keys: readonly string[];
}

const LONGEST_SUBJECT = 320;
const EMAIL_KEY = 'email ';

export function newItem(index: number, work: ItemWork): NewItem {
  const selector = 'group' in work ? work.group : work.user;
  return { index, work, subject: subjectOf(selector), keys: keysOf(work) };
}

function subjectOf(selector: UserDraft | UserSelector | GroupSelector): string {
  const name =
    'email' in selector
      ? selector.email
      : 'slackId' in selector
        ? selector.slackId
        : 'name' in selector
          ? selector.name
          : selector.userName;
  return (name ?? '').trim().slice(0, LONGEST_SUBJECT);
}

/** Slack's ids are as they are; everything else is compared without regard to case. */
function keysOf(work: ItemWork): string[] {
  if ('group' in work) return [groupKey(work.group)];
  const { user } = work;
  const keys = [
    ...('slackId' in user ? [`id ${user.slackId.trim()}`] : []),
    ...('email' in user ? [`${EMAIL_KEY}${folded(user.email)}`] : []),
    ...('userName' in user && user.userName ? [`name ${folded(user.userName)}`] : []),
  ];
  return [...new Set(keys)];
}

/** The address that an item is about, of its keys. */
export function emailOf(keys: readonly string[]): string | undefined {
  return keys.find((key) => key.startsWith(EMAIL_KEY))?.slice(EMAIL_KEY.length);
}

function groupKey(group: GroupSelector): string {
  return 'slackId' in group ? `group ${group.slackId.trim()}` : `group-name ${folded(group.name)}`;
}

function folded(name: string): string {
  return name.trim().toLowerCase().slice(0, LONGEST_SUBJECT);
}

/** JSON made text of the instants. */
export function reviveWork(json: string): ItemWork {
  const work = JSON.parse(json) as ItemWork;
  if (work.action !== 'provisionUser') return work;
  const { startDate, guest } = work.user;
  return {
    ...work,
    user: {
      ...work.user,
      ...(startDate ? { startDate: new Date(startDate) } : {}),
      ...(guest?.expiresAt ? { guest: { expiresAt: new Date(guest.expiresAt) } } : {}),
    },
  };
}
