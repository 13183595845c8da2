import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { type Permission, permissions } from '../../domain/access/access';
import { enumOf } from '../enums';
import { type ProblemNode, ProblemType } from '../problems/problem.type';
import { DateTimeScalar } from '../scalars';

/** GraphQL names cannot hold a colon: `connections:read` is CONNECTIONS_READ. */
const permissionNames = permissions.map((permission) =>
  permission.toUpperCase().replace(':', '_'),
) as readonly Uppercase<'connections_read' | 'connections_write' | 'users_read' | 'users_write' | 'admin'>[];

export type PermissionName = (typeof permissionNames)[number];

export const PermissionEnum = enumOf(permissionNames);

registerEnumType(PermissionEnum, {
  name: 'Permission',
  description: 'What an API key may do within its tenant.',
  valuesConfig: {
    CONNECTIONS_READ: { description: 'See connections, their tokens (never their value) and issues.' },
    CONNECTIONS_WRITE: { description: 'Create, check, change and end connections.' },
    USERS_READ: {
      description: 'See people. Lists and look-ups go through a connection, which takes CONNECTIONS_READ, too.',
    },
    USERS_WRITE: { description: 'Provision, change, deactivate and reactivate people.' },
    ADMIN: { description: 'Everything above, and API keys; for the operator also tenants and sealing keys.' },
  },
});

export function toPermissionName(permission: Permission): PermissionName {
  return permission.toUpperCase().replace(':', '_') as PermissionName;
}

export function toPermission(name: PermissionName): Permission {
  return name.toLowerCase().replace('_', ':') as Permission;
}

@ObjectType('Tenant', {
  description: 'A customer of the gateway, such as a partner platform. Tenants never see each other.',
})
export class TenantType {
  @Field(() => ID, { description: 'Its id.' })
  readonly id!: string;

  @Field(() => String, { description: 'Its name.' })
  readonly name!: string;

  @Field(() => Boolean, { description: 'Whether it runs this gateway, and so may create tenants.' })
  readonly isOperator!: boolean;

  @Field(() => DateTimeScalar, { description: 'When it was created.' })
  readonly createdAt!: Date;
}

@ObjectType('ApiKey', {
  description: 'What is known about an API key. The key itself is shown once, when it is created.',
})
export class ApiKeyType {
  @Field(() => ID, { description: 'Its id.' })
  readonly id!: string;

  @Field(() => String, { description: 'Its name, for people.' })
  readonly name!: string;

  @Field(() => [PermissionEnum], { description: 'What it may do.' })
  readonly permissions!: readonly PermissionName[];

  @Field(() => DateTimeScalar, { description: 'When it was created.' })
  readonly createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ends; null for never.' })
  readonly expiresAt?: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was last used, to the minute.' })
  readonly lastUsedAt?: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was revoked; null while it is valid.' })
  readonly revokedAt?: Date;
}

@ObjectType('Viewer', { description: 'Who asks: the API key of this request.' })
export class ViewerType {
  @Field(() => TenantType, { description: 'The tenant that the key belongs to.' })
  readonly tenant!: TenantType;

  @Field(() => String, { description: "The key's name." })
  readonly name!: string;

  @Field(() => [PermissionEnum], { description: 'What the key may do. ADMIN covers everything else.' })
  readonly permissions!: readonly PermissionName[];

  @Field(() => ApiKeyType, { description: 'The key.' })
  readonly apiKey!: ApiKeyType;
}

@ObjectType('CreateApiKeyPayload', { description: 'Answer of createApiKey.' })
export class CreateApiKeyPayloadType {
  @Field(() => ApiKeyType, { nullable: true, description: 'The key that was created.' })
  readonly apiKey?: ApiKeyType;

  @Field(() => String, {
    nullable: true,
    description: 'The key as text, for the Authorization header. This is the only place where it is ever shown.',
  })
  readonly secret?: string;

  @Field(() => [ProblemType], { description: 'What went wrong; empty when all went well.' })
  readonly problems!: readonly ProblemNode[];

  @Field(() => String, { description: "Names this request in the gateway's log." })
  readonly requestId!: string;
}

@ObjectType('ApiKeyPayload', { description: 'Answer of a mutation on an API key.' })
export class ApiKeyPayloadType {
  @Field(() => ApiKeyType, { nullable: true, description: 'The key as it is now.' })
  readonly apiKey?: ApiKeyType;

  @Field(() => [ProblemType], { description: 'What went wrong; empty when all went well.' })
  readonly problems!: readonly ProblemNode[];

  @Field(() => String, { description: "Names this request in the gateway's log." })
  readonly requestId!: string;
}

@ObjectType('TenantPayload', { description: 'Answer of a mutation on a tenant.' })
export class TenantPayloadType {
  @Field(() => TenantType, { nullable: true, description: 'The tenant as it is now.' })
  readonly tenant?: TenantType;

  @Field(() => [ProblemType], { description: 'What went wrong; empty when all went well.' })
  readonly problems!: readonly ProblemNode[];

  @Field(() => String, { description: "Names this request in the gateway's log." })
  readonly requestId!: string;
}
