import { Field, ID, InputType } from 'type-graphql';
import { DateTimeScalar } from '../scalars';
import { PermissionEnum, type PermissionName } from './access.type';

@InputType('CreateTenantInput', { description: 'Input of createTenant.' })
export class CreateTenantInput {
  @Field(() => String, { description: 'A name for people; 1 to 200 characters.' })
  readonly name!: string;
}

@InputType('CreateApiKeyInput', { description: 'Input of createApiKey.' })
export class CreateApiKeyInput {
  @Field(() => String, { description: 'A name for people, such as where the key is used; 1 to 200 characters.' })
  readonly name!: string;

  @Field(() => [PermissionEnum], { description: 'What the key may do; at least one.' })
  readonly permissions!: readonly PermissionName[];

  @Field(() => ID, { nullable: true, description: "The operator's admins may name another tenant; yours when absent." })
  readonly tenantId?: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When the key ends; never when absent.' })
  readonly expiresAt?: Date | null;
}

@InputType('ApiKeyIdInput', { description: 'Names an API key.' })
export class ApiKeyIdInput {
  @Field(() => ID, { description: 'The key (key_…).' })
  readonly id!: string;
}
