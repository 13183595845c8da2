import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import type { ApiKey, ApiKeyId, TenantId } from '../../domain/access/access';
import type { AccessService } from '../../domain/access/access.service';
import { callerOf, type GraphQLContext } from '../context';
import { asPayload } from '../problems/problem-node';
import { ApiKeyIdInput, CreateApiKeyInput, CreateTenantInput } from './access.input';
import {
  ApiKeyPayloadType,
  type ApiKeyType,
  CreateApiKeyPayloadType,
  TenantPayloadType,
  toPermission,
  toPermissionName,
  ViewerType,
} from './access.type';

@Resolver()
export class AccessResolver {
  constructor(private readonly access: AccessService) {}

  @Query(() => ViewerType, { description: 'The API key that asks: its tenant, name and permissions.' })
  viewer(@Ctx() context: GraphQLContext): ViewerType {
    const { tenant, apiKey } = callerOf(context);
    const shown = toApiKeyType(apiKey);
    return { tenant, name: apiKey.name, permissions: shown.permissions, apiKey: shown };
  }

  @Mutation(() => TenantPayloadType, {
    description: "Creates a tenant. Give it a first key with createApiKey. Permission: ADMIN of the operator's tenant.",
  })
  createTenant(
    @Arg('input', () => CreateTenantInput, { description: 'The tenant.' }) { name }: CreateTenantInput,
    @Ctx() context: GraphQLContext,
  ) {
    return asPayload(context, async (caller) => ({ tenant: await this.access.createTenant(caller, name) }), {
      failure: { tenant: undefined },
    });
  }

  @Mutation(() => CreateApiKeyPayloadType, {
    description: 'Creates an API key and shows it, once. Permission: ADMIN.',
  })
  createApiKey(
    @Arg('input', () => CreateApiKeyInput, { description: 'The key.' }) input: CreateApiKeyInput,
    @Ctx() context: GraphQLContext,
  ) {
    return asPayload(
      context,
      async (caller) => {
        const { apiKey, secret } = await this.access.createApiKey(caller, {
          name: input.name,
          permissions: input.permissions.map(toPermission),
          tenantId: (input.tenantId ?? undefined) as TenantId | undefined,
          expiresAt: input.expiresAt ?? undefined,
        });
        return { apiKey: toApiKeyType(apiKey), secret: secret.reveal() };
      },
      { failure: { apiKey: undefined, secret: undefined } },
    );
  }

  @Mutation(() => ApiKeyPayloadType, {
    description: 'Ends an API key at once, on every replica. Permission: ADMIN.',
  })
  revokeApiKey(
    @Arg('input', () => ApiKeyIdInput, { description: 'The key.' }) { id }: ApiKeyIdInput,
    @Ctx() context: GraphQLContext,
  ) {
    return asPayload(
      context,
      async (caller) => ({ apiKey: toApiKeyType(await this.access.revokeApiKey(caller, id as ApiKeyId)) }),
      { failure: { apiKey: undefined } },
    );
  }
}

function toApiKeyType({ permissions, ...apiKey }: ApiKey): ApiKeyType {
  return { ...apiKey, permissions: permissions.map(toPermissionName) };
}
