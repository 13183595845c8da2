import { ScimError } from './scim-error';
import type { UserDraft } from './user-draft';

const longestDisplayName = 80;
const emoji = /\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F/u;

/** SCIM §4.2: length, `@` and emoji are documented; other characters are kept, as the field reports. */
export function checkDisplayName({ before, person, switches }: UserDraft): void {
  const { displayName } = person;
  const subject = `user=${person.userName}`;
  if (before && !switches.displayNameUpdatesAllowed) throw new ScimError('invalid_display_name', subject);
  if ([...displayName].length > longestDisplayName) throw new ScimError('invalid_name_maxlength', subject);
  if (displayName.startsWith('@')) throw new ScimError('invalid_starts_with_at', subject);
  if (displayName.includes('@')) throw new ScimError('invalid_name_specials', subject);
  if (emoji.test(displayName)) throw new ScimError('invalid_emoji_not_allowed', subject);
}
