import type { ConnectionId } from '../connections/connection';
import type { GroupSelector } from './group';
import { parseGroups } from './group-input';
import type { IdempotentRun } from './idempotency.service';
import { type FieldsPlace, pathOf } from './provisioning-problem';
import type { IfExists, UserChanges, UserDraft } from './user';
import { type NamedUserDraft, parseDraft } from './user-draft';
import { userNameCandidates } from './user-name';

/** What a mapping made of a record, beyond a draft. */
export interface MappedRecord {
  /** What was asked for, in place of the draft: under an idempotency key it must be equal. */
  readonly request: object;
  /** What to derive a user name of for somebody who has none yet; '' for the address. */
  readonly userNameWish: string;
  /** Whether a guest is to become a full member. */
  readonly isMember: boolean;
  /** Groups that the person is taken out of, unless they are among those to join. */
  readonly leaves: readonly GroupSelector[];
  /** In place of `managerSlackId`. */
  readonly managerEmail?: string;
}

export interface PersonToProvision {
  readonly connectionId: ConnectionId;
  readonly user: UserDraft;
  readonly ifExists: IfExists;
  /** Which groups the person joins; nobody leaves a group by it. */
  readonly groups?: readonly GroupSelector[];
  readonly idempotencyKey?: string;
  /** As in PersonCall. */
  readonly run?: IdempotentRun;
  readonly mapped?: MappedRecord;
  /** The roster showed a moment ago that nobody holds the address, so that it need not be looked up: the creation will tell. */
  readonly isUnheld?: boolean;
}

/** A person as wanted: for a new account, and for one that exists. */
export interface WantedPerson {
  readonly place: FieldsPlace;
  readonly draft: NamedUserDraft;
  readonly changes: UserChanges;
  /** To try for a new account, in turn. */
  readonly userNames: Iterable<string>;
  /** The caller gave the user name, so that no other one will do. */
  readonly isNameGiven: boolean;
  readonly groups: readonly GroupSelector[];
  readonly leaves: readonly GroupSelector[];
  readonly managerEmail?: string;
  readonly ifExists: IfExists;
  readonly isUnheld: boolean;
  /** What must be equal when an idempotency key is used again. */
  readonly request: object;
}

/** @throws InvalidInput, UserNameInvalid */
export function wantedPerson({ user, groups, ifExists, mapped, isUnheld = false }: PersonToProvision): WantedPerson {
  const place: FieldsPlace = ['input', mapped ? 'record' : 'user'];
  const draft = parseDraft(user, place, mapped?.userNameWish);
  const isNameGiven = Boolean(user.userName?.trim());
  // A derived name is a wish for new accounts only; renaming somebody takes a name that the caller gave.
  const changes = isNameGiven ? draft : sentBy(draft);
  return {
    place,
    draft,
    changes: mapped?.isMember ? { ...changes, guest: null } : changes,
    userNames: isNameGiven ? [draft.userName] : userNameCandidates(draft.userName, draft.email),
    isNameGiven,
    groups: parseGroups(groups ?? [], pathOf(place, 'groups')),
    leaves: mapped?.leaves ?? [],
    managerEmail: mapped?.managerEmail,
    ifExists,
    isUnheld,
    request: mapped ? { ...mapped.request, ifExists } : { user, groups, ifExists },
  };
}

/** What an account that was made from a draft must show; the user name is left to how Slack stores it. */
export function sentBy({ userName: _, ...fields }: NamedUserDraft): UserChanges {
  return fields;
}
