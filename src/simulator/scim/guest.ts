import { ScimError } from './scim-error';
import type { UserDraft } from './user-draft';
import { isIsoDate, parseObject } from './value';

/**
 * Adds or changes the guest extension (SCIM §4.6, documented): `type` is required, only `multi` can be made, admins and owners
 * cannot become guests. What another plan than Enterprise answers is assumed: the code that speaks of plans. So is that a bot
 * is refused like an admin.
 */
export function setGuest(draft: UserDraft, value: unknown): void {
  const extension = parseObject(value, 'guest');
  const { person, organization } = draft;
  if (!person.guest && organization.plan !== 'enterprise') throw new ScimError('plus_teams_only');
  if (person.rank !== 'member') throw new ScimError('cannot_make_user_guest', `user=${person.id}`);
  const { type } = extension;
  const isKept = person.guest !== null && type === person.guest.type;
  if (type !== 'multi' && !isKept) throw new ScimError('invalid_request_payload', 'guest type');
  // A PUT blanks what it leaves out (SCIM §6.2, documented); a PATCH that adds keeps it.
  const kept = draft.purpose === 'replace' ? null : (person.guest?.expiration ?? null);
  const expiration = extension.expiration === undefined ? kept : parseExpiration(extension.expiration);
  if (!person.guest) draft.isConverted = true;
  person.guest = { type: type === 'single' ? 'single' : 'multi', expiration };
}

/** A guest becomes a member; a member stays one. */
export function removeGuest(draft: UserDraft): void {
  if (draft.person.guest) draft.isConverted = true;
  draft.person.guest = null;
}

/** Sets or, with null, removes the end of a guest account; the person stays a guest (SCIM §4.6, documented). */
export function setGuestExpiration(draft: UserDraft, value: unknown): void {
  const { guest } = draft.person;
  if (!guest) throw new ScimError('invalid_request_payload', 'guest expiration');
  guest.expiration = parseExpiration(value);
}

function parseExpiration(value: unknown): string | null {
  if (value === null || value === '') return null;
  if (typeof value !== 'string' || !isIsoDate(value)) throw new ScimError('invalid_attribute_format', 'expiration');
  return value;
}
