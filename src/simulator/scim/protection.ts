import { type Person, rankLevel } from '../world/person';
import type { TokenGrant } from '../world/token';
import { ScimError } from './scim-error';

/** Who calls: the grant of the presented token and the person behind it. */
export interface ScimCaller {
  readonly grant: TokenGrant;
  readonly installer: Person;
}

/**
 * A token reaches only accounts with the same or fewer rights than its owner (SCIM §2, documented). The split between the two
 * codes is assumed.
 */
export function assertMayChange({ installer }: ScimCaller, target: Person): void {
  if (rankLevel(target.rank) <= rankLevel(installer.rank)) return;
  throw new ScimError(installer.rank === 'owner' ? 'permission_denied' : 'cannot_modify_owner', `user=${target.id}`);
}

/**
 * Nobody deactivates the primary owner, only the primary owner deactivates owners, and bots stay (SCIM §2 and §4.3, documented).
 */
export function assertMayDeactivate({ installer }: ScimCaller, target: Person): void {
  if (target.rank === 'bot') throw new ScimError('cannot_disable_bot_user_with_scim', `user=${target.id}`);
  if (target.rank === 'primary-owner') throw new ScimError('cannot_disable_primary_owner', `user=${target.id}`);
  if (target.rank === 'owner' && installer.rank !== 'primary-owner') {
    throw new ScimError('cannot_modify_owner', `user=${target.id}`);
  }
}
