import { createHash, createHmac } from 'node:crypto';
import type { OrganizationKey } from './organization';

/** Every token that exists in a simulator. `business-admin` and `enterprise-owner` are the two that work everywhere. */
export const tokenNames = [
  'business-admin',
  'business-owner',
  'business-rotating',
  'business-scopeless',
  'business-bot',
  'enterprise-owner',
  'enterprise-workspace',
  'pro-admin',
  'revoked',
  'deactivated-installer',
  'demoted-installer',
  'expired',
] as const;

export type TokenName = (typeof tokenNames)[number];

/** A grant at Slack. The token's text is not part of it: it comes from the seed whenever somebody needs to see it. */
export interface TokenGrant {
  readonly name: TokenName;
  readonly kind: 'user' | 'bot';
  /** Rotating tokens end after 12 hours and are revoked one by one (OAuth §6 and §9, documented). */
  readonly isRotating: boolean;
  readonly organizationId: string;
  /** Set when the app was installed on a workspace inside an Enterprise organization. */
  readonly workspaceId: string | null;
  readonly personId: string;
  readonly scopes: readonly string[];
  isRevoked: boolean;
  expiresAt: number | null;
}

export interface TokenPlan {
  readonly purpose: string;
  readonly organization: OrganizationKey;
  /** Key of the person behind the token, as in the seed. */
  readonly person: string;
  readonly kind: TokenGrant['kind'];
  readonly isRotating: boolean;
  readonly isWorkspaceInstall: boolean;
  readonly scopes: readonly string[];
}

const user = {
  kind: 'user',
  isRotating: false,
  isWorkspaceInstall: false,
  // `identify` comes along without being asked for (OAuth §7, reported).
  scopes: ['identify', 'admin'],
} as const;

export const tokenPlans: Readonly<Record<TokenName, TokenPlan>> = {
  'business-admin': {
    ...user,
    purpose: 'Works: an admin of a Business+ workspace',
    organization: 'business',
    person: 'admin',
  },
  'business-owner': {
    ...user,
    purpose: 'Works: the primary owner of a Business+ workspace',
    organization: 'business',
    person: 'primary-owner',
  },
  'business-rotating': {
    ...user,
    purpose: 'Works for 12 hours: a rotating token',
    organization: 'business',
    person: 'rotating',
    isRotating: true,
  },
  'business-scopeless': {
    ...user,
    purpose: 'Refused: lacks the scope admin',
    organization: 'business',
    person: 'scopeless',
    scopes: ['identify', 'users:read'],
  },
  'business-bot': {
    ...user,
    purpose: 'Refused: a bot token',
    organization: 'business',
    person: 'bot',
    kind: 'bot',
    scopes: ['team:read'],
  },
  'enterprise-owner': {
    ...user,
    purpose: 'Works: the organization install of an Enterprise organization',
    organization: 'enterprise',
    person: 'owner',
  },
  'enterprise-workspace': {
    ...user,
    purpose: 'Refused: installed on a workspace instead of the organization',
    organization: 'enterprise',
    person: 'admin',
    isWorkspaceInstall: true,
  },
  'pro-admin': { ...user, purpose: 'Refused: the plan is too low', organization: 'pro', person: 'admin' },
  revoked: { ...user, purpose: 'Refused: revoked at Slack', organization: 'business', person: 'revoked' },
  'deactivated-installer': {
    ...user,
    purpose: 'Refused: its installer was deactivated',
    organization: 'business',
    person: 'deactivated-admin',
  },
  'demoted-installer': {
    ...user,
    purpose: 'Refused: its installer is a plain member now',
    organization: 'business',
    person: 'demoted',
  },
  expired: {
    ...user,
    purpose: 'Refused: a rotating token past its end',
    organization: 'business',
    person: 'expired',
    isRotating: true,
  },
};

/** Lifetime of a rotating token (OAuth §6.1, documented). */
export const rotatingLifetimeMs = 43_200_000;

/** Realistic in form and length (OAuth §5), different for every seed, the same for the same seed. */
export function tokenValue(seed: string, name: TokenName): string {
  const { kind, isRotating } = tokenPlans[name];
  const letter = kind === 'bot' ? 'b' : 'p';
  if (isRotating) return `xoxe.xox${letter}-1-${stretch(seed, name, 163)}`;
  const number = (part: string) =>
    (derive(seed, `${name}/${part}`).readBigUInt64BE() % 9_000_000_000_000n) + 1_000_000_000_000n;
  const secret = derive(seed, `${name}/secret`).toString('hex').slice(0, 32);
  return `xox${letter}-${number('team')}-${number('user')}-${number('grant')}-${secret}`;
}

function stretch(seed: string, name: string, length: number): string {
  let text = '';
  for (let block = 0; text.length < length; block += 1) {
    text += derive(seed, `${name}/${block}`).toString('base64url').replace(/[-_]/g, '');
  }
  return text.slice(0, length);
}

function derive(seed: string, label: string): Buffer {
  return createHmac('sha256', seed).update(label).digest();
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** Tells which token was presented, from digests alone. */
export class TokenRegistry {
  readonly #names: ReadonlyMap<string, TokenName>;

  constructor(seed: string) {
    this.#names = new Map(tokenNames.map((name) => [digest(tokenValue(seed, name)), name]));
  }

  nameOf(token: string): TokenName | undefined {
    return this.#names.get(digest(token));
  }
}
