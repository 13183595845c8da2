import { GuestNotAllowed, InvalidInput, ProtectedUser, UpstreamOutcomeUnknown, UserInactive } from '../errors';
import type { DirectoryUser } from './user';

const who = ['input', 'user'];

export function conversionNeedsOrganization(): GuestNotAllowed {
  return new GuestNotAllowed('Slack converts members and guests only on an Enterprise organization.', {
    path: ['input', 'connectionId'],
    remedy: 'Connect the Enterprise organization, or let an Admin convert the person in Slack.',
  });
}

/** What Slack does with a guest whose time is over already is not known; it may well end the account at once. */
export function endIsPast(): InvalidInput {
  return new InvalidInput('The end of a guest account must lie in the future.', {
    path: ['input', 'expiresAt'],
    remedy: 'Give a later instant, or null for none. To end the account now, call deprovisionUser.',
  });
}

export function installerIsNoGuest(): ProtectedUser {
  return new ProtectedUser(
    'This person installed the app: as a guest they would lose the rights that this connection works with.',
    'INSTALLER',
    {
      path: who,
      remedy: 'Let another Admin or Owner install the app, replace the token of this connection, and try again.',
    },
  );
}

export function botIsNoGuest(): ProtectedUser {
  return new ProtectedUser('This account is a bot. Its app manages it, not SCIM.', 'BOT', { path: who });
}

/** Sent all the same, it would open every channel to somebody who was let into one. */
export function singleChannelGuestStays(): GuestNotAllowed {
  return new GuestNotAllowed('This person is a single-channel guest, and Slack provisions multi-channel guests only.', {
    path: who,
    remedy: 'Let an Admin change the kind of guest in Slack, or call convertToMember first.',
  });
}

export function userIsInactive(user: DirectoryUser, remedy: string): UserInactive {
  return new UserInactive('This account is deactivated, and Slack would reactivate it with the conversion.', user, {
    path: who,
    remedy,
  });
}

export function conversionNotShown(): UpstreamOutcomeUnknown {
  return new UpstreamOutcomeUnknown('Slack accepted the conversion, but does not show it.', {
    remedy: 'Call again with the same idempotencyKey and input: the account is looked up before anything is repeated.',
  });
}

export const CONSENT_REMEDY = 'Set reactivateIfInactive if the person is to become active again.';
export const REACTIVATE_FIRST_REMEDY =
  'Call convertToGuest or convertToMember with reactivateIfInactive, or reactivateUser first; or leave `guest` out.';
