import { EmailTaken, GuestNotAllowed, ProtectedUser, StillRunning, UserNameUnavailable } from '../errors';
import type { DirectoryUser, UserDraft } from './user';

/** Where the fields of a person stand in the input of a call. A record has attributes of its own instead. */
export type FieldsPlace = readonly ['input', 'user' | 'changes' | 'record'] | readonly ['input', 'rows', string];

export function pathOf(place: FieldsPlace, field: keyof UserDraft | 'groups', index?: number): readonly string[] {
  if (place[1] !== 'user' && place[1] !== 'changes') return place;
  return index === undefined ? [...place, field] : [...place, field, String(index)];
}

export function installerIsProtected(): ProtectedUser {
  return new ProtectedUser(
    'This person installed the app: deactivating the account would end this connection.',
    'INSTALLER',
    {
      path: ['input', 'user'],
      remedy: 'Let another Admin or Owner install the app, replace the token of this connection, and try again.',
    },
  );
}

export function othersTookTooLong(): StillRunning {
  return new StillRunning('Other calls for the same person took all the time of this one. Nothing was done.', {
    remedy: 'Try again.',
  });
}

export function guestsNeedOrganization(place: FieldsPlace): GuestNotAllowed {
  return new GuestNotAllowed('Slack provisions guests only on an Enterprise organization.', {
    path: pathOf(place, 'guest'),
    remedy: 'Leave out `guest` to provision a full member, or connect the Enterprise organization.',
  });
}

export function accountExists(heldBy: DirectoryUser, place: FieldsPlace): EmailTaken {
  return new EmailTaken('An account with this address exists already.', heldBy, {
    path: pathOf(place, 'email'),
    remedy: 'Use ifExists: UPDATE to bring the account to these values, or ADOPT to leave it as it is.',
  });
}

export function addressIsSecond(heldBy: DirectoryUser, place: FieldsPlace): EmailTaken {
  return new EmailTaken('Another account holds this address as its second one.', heldBy, {
    path: pathOf(place, 'email'),
    remedy: 'Remove the address from that account, or provision the person with another address.',
  });
}

export function addressNotFree(cause: EmailTaken, heldBy: DirectoryUser | undefined, place: FieldsPlace): EmailTaken {
  return new EmailTaken(cause.message, heldBy, {
    cause,
    path: pathOf(place, 'email'),
    remedy: 'Free the address at that account first, or use another one.',
  });
}

export function userNameNotFree(cause: UserNameUnavailable, userName: string, place: FieldsPlace): UserNameUnavailable {
  return new UserNameUnavailable(`The user name "${userName}" is not free in Slack.`, {
    cause,
    path: pathOf(place, 'userName'),
    remedy: 'It belongs to another account, maybe a deactivated one, or to a channel. Give another userName.',
  });
}

export function noNameFree(cause: UserNameUnavailable, userName: string, place: FieldsPlace): UserNameUnavailable {
  return new UserNameUnavailable(`Neither the user name "${userName}" nor one derived from it is free in Slack.`, {
    cause,
    path: pathOf(place, 'userName'),
    remedy: 'Provision the person with a userName of your choice.',
  });
}
