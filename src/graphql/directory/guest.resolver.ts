import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { GuestService } from '../../domain/directory/guest.service';
import type { GraphQLContext } from '../context';
import { ConvertToGuestInput, ConvertToMemberInput } from './guest.input';
import { UserType } from './user.type';
import { asUserPayload, toPersonCall } from './user-payload';
import { UserPayloadType } from './user-payload.type';

@Resolver(() => UserType)
export class GuestResolver {
  constructor(private readonly guests: GuestService) {}

  @Mutation(() => UserPayloadType, {
    description:
      'Makes a multi-channel guest of a full member, or changes when a guest ends. Slack takes a member who becomes a guest out of their groups. The outcome is UPDATED, UNCHANGED when the person is such a guest already, or REACTIVATED when a deactivated account became active with it. Enterprise organizations only, elsewhere GUEST_NOT_ALLOWED, which is also the answer for single-channel guests. Admins, Owners and the installer of the connection are refused with PROTECTED_USER. Permission: USERS_WRITE.',
  })
  convertToGuest(
    @Arg('input', () => ConvertToGuestInput, { description: 'The person, and when the guest account ends.' })
    input: ConvertToGuestInput,
    @Ctx() context: GraphQLContext,
  ) {
    return asUserPayload(context, input.connectionId, (caller, connectionId) =>
      this.guests.convertToGuest(caller, {
        ...toPersonCall(connectionId, input),
        expiresAt: input.expiresAt,
        reactivateIfInactive: input.reactivateIfInactive ?? false,
      }),
    );
  }

  @Mutation(() => UserPayloadType, {
    description:
      'Makes a full member of a guest, of whichever kind. The outcome is UPDATED, UNCHANGED for somebody who is a full member already, or REACTIVATED when a deactivated account became active with it. Enterprise organizations only, elsewhere GUEST_NOT_ALLOWED. Permission: USERS_WRITE.',
  })
  convertToMember(
    @Arg('input', () => ConvertToMemberInput, { description: 'The person.' }) input: ConvertToMemberInput,
    @Ctx() context: GraphQLContext,
  ) {
    return asUserPayload(context, input.connectionId, (caller, connectionId) =>
      this.guests.convertToMember(caller, {
        ...toPersonCall(connectionId, input),
        reactivateIfInactive: input.reactivateIfInactive ?? false,
      }),
    );
  }
}
