import type { InstallLevel } from './connection';

/** The OAuth scopes of Slack that this product needs. SCIM has a single one, and only user tokens can carry it. */
export type Scope = 'admin';

export interface ActionRequirement {
  readonly requiredScopes: readonly Scope[];
  /** The level that the action needs wherever the plan offers it; undefined when any level will do. */
  readonly installLevel: InstallLevel | undefined;
  readonly description: string;
}

/**
 * Which scopes and which install level each action needs: the one table that `capabilities` shows, that
 * `Connection.capabilities` compares with the grant, and that every call is checked against before it leaves.
 */
export const actionRequirements = {
  'connection.verify': {
    requiredScopes: ['admin'],
    installLevel: undefined,
    description: 'Check that the grant still works: token, scopes, plan, install level, and that SCIM answers.',
  },
  'connection.revoke': {
    requiredScopes: [],
    installLevel: undefined,
    description: 'End the token at Slack when the connection is given up.',
  },
  'user.read': {
    requiredScopes: ['admin'],
    installLevel: undefined,
    description: 'List people and look one up by Slack id, e-mail address or user name.',
  },
  'user.provision': {
    requiredScopes: ['admin'],
    installLevel: undefined,
    description: 'Create a person, or adopt, update or reactivate the account that exists.',
  },
  'user.provisionGuest': {
    requiredScopes: ['admin'],
    installLevel: 'ORGANIZATION',
    description: 'Create or keep a multi-channel guest. Slack offers it on Enterprise plans only.',
  },
  'user.update': {
    requiredScopes: ['admin'],
    installLevel: undefined,
    description: "Change the fields of a person's account.",
  },
  'user.deprovision': {
    requiredScopes: ['admin'],
    installLevel: undefined,
    description: 'Deactivate an account: the person is signed out everywhere, the content stays.',
  },
  'user.reactivate': {
    requiredScopes: ['admin'],
    installLevel: undefined,
    description: 'Make a deactivated account active again.',
  },
  'user.convertToGuest': {
    requiredScopes: ['admin'],
    installLevel: 'ORGANIZATION',
    description:
      'Make a multi-channel guest of a full member, or change when a guest ends. Slack offers it on Enterprise plans only.',
  },
  'user.convertToMember': {
    requiredScopes: ['admin'],
    installLevel: 'ORGANIZATION',
    description: 'Make a full member of a guest. Slack offers it on Enterprise plans only.',
  },
  'group.read': {
    requiredScopes: ['admin'],
    installLevel: undefined,
    description: 'List groups and their members, and look a group up by Slack id or name.',
  },
  'group.write': {
    requiredScopes: ['admin'],
    installLevel: undefined,
    description: 'Create and rename groups, and add, remove or set their members.',
  },
  'group.delete': {
    requiredScopes: ['admin'],
    installLevel: undefined,
    description: 'Delete a group for good. Its members keep their accounts.',
  },
} as const satisfies Record<string, ActionRequirement>;

export type Action = keyof typeof actionRequirements;

export const actions = Object.keys(actionRequirements) as Action[];

export function requirementOf(action: Action): ActionRequirement {
  return actionRequirements[action];
}

/** Every scope that some action needs: what a token must carry to be accepted for a connection. */
export const requiredScopes: readonly Scope[] = [
  ...new Set(actions.flatMap((action) => requirementOf(action).requiredScopes)),
];

export function missingScopes(required: readonly Scope[], granted: readonly string[]): Scope[] {
  return required.filter((scope) => !granted.includes(scope));
}
