import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import type { Caller } from '../../domain/access/access';
import type { SealingKey } from '../../domain/keys/sealing-key';
import type { Resealing, SealingKeyService } from '../../domain/keys/sealing-key.service';
import { callerOf, type GraphQLContext } from '../context';
import { asPayload } from '../problems/problem-node';
import { SealingKeyIdInput } from './sealing-key.input';
import { ResealingType, SealingKeysPayloadType, SealingKeyType } from './sealing-key.type';

@Resolver()
export class SealingKeyResolver {
  constructor(private readonly keys: SealingKeyService) {}

  @Query(() => [SealingKeyType], {
    description:
      "The keys that seal stored secrets, and what uses which: those that are loaded, newest first, then those that are missing. Permission: ADMIN of the operator's tenant.",
  })
  async sealingKeys(@Ctx() context: GraphQLContext): Promise<SealingKeyType[]> {
    const { keys } = await this.keys.list(callerOf(context));
    return keys.map(toSealingKeyType);
  }

  @Query(() => ResealingType, {
    description:
      "How far the sealing of stored secrets with the newest key is. Permission: ADMIN of the operator's tenant.",
  })
  async resealing(@Ctx() context: GraphQLContext): Promise<ResealingType> {
    return toResealingType(await this.keys.resealing(callerOf(context)));
  }

  @Mutation(() => SealingKeysPayloadType, {
    description:
      "Makes a new sealing key, seals with it from now on, and begins to seal with it what older keys sealed. Where the keys are configured and not kept by the gateway, the problem's remedy tells the steps. Permission: ADMIN of the operator's tenant.",
  })
  rotateSealingKey(@Ctx() context: GraphQLContext) {
    return this.change(context, (caller) => this.keys.rotate(caller));
  }

  @Mutation(() => SealingKeysPayloadType, {
    description:
      "Seals with this replica's newest key what other keys sealed. It waits a few seconds for the end; what is left then goes on in the background. Permission: ADMIN of the operator's tenant.",
  })
  resealSecrets(@Ctx() context: GraphQLContext) {
    return this.change(context, (caller) => this.keys.reseal(caller));
  }

  @Mutation(() => SealingKeysPayloadType, {
    description:
      "Takes a sealing key that nothing needs out of the gateway's key file. It cannot be brought back, and backups from its time cannot be used without it. Permission: ADMIN of the operator's tenant.",
  })
  removeSealingKey(
    @Arg('input', () => SealingKeyIdInput, { description: 'The key.' }) { id }: SealingKeyIdInput,
    @Ctx() context: GraphQLContext,
  ) {
    return this.change(context, (caller) => this.keys.remove(caller, id));
  }

  private change(context: GraphQLContext, work: (caller: Caller) => Promise<void>) {
    return asPayload(
      context,
      async (caller) => {
        await work(caller);
        const { keys } = await this.keys.list(caller);
        return {
          sealingKeys: keys.map(toSealingKeyType),
          resealing: toResealingType(await this.keys.resealing(caller)),
        };
      },
      { failure: { sealingKeys: undefined, resealing: undefined } },
    );
  }
}

function toSealingKeyType({ sealedValues, ...key }: SealingKey): SealingKeyType {
  return {
    ...key,
    sealedValues: { accessTokens: sealedValues.ACCESS_TOKEN, refreshTokens: sealedValues.REFRESH_TOKEN },
  };
}

function toResealingType({ isRunning, remaining, resealed, unreadable, startedAt, endedAt }: Resealing): ResealingType {
  return {
    isRunning,
    remainingValues: remaining,
    resealedValues: resealed,
    unreadableValues: unreadable,
    startedAt,
    endedAt,
  };
}
