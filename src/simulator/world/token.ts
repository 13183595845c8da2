import { derive, deriveNumber, deriveText, digestOf } from './derivation';
import type { OrganizationKey } from './organization';

/** Every token that exists in a simulator from the start. `business-admin` and `enterprise-owner` are the two that work everywhere. */
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
  /** A `TokenName` when it was seeded, `issued-…` when it came out of an installation. */
  readonly name: string;
  /** How an issued token is recognised: `digestOf` its text. Seeded ones have none, as the seed knows them. */
  readonly digest?: string;
  /** When an issued token was made, in milliseconds since the epoch. */
  readonly issuedAt?: number;
  readonly kind: 'user' | 'bot';
  /** Rotating tokens end after 12 hours and are revoked one by one (OAuth §6 and §9, documented). */
  readonly isRotating: boolean;
  readonly organizationId: string;
  /** Set when the app was installed on a workspace inside an Enterprise organization. */
  readonly workspaceId: string | null;
  readonly personId: string;
  scopes: readonly string[];
  isRevoked: boolean;
  expiresAt: number | null;
  /** Set once `oauth.v2.exchange` has made a rotating pair of it. */
  isExchanged?: boolean;
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
  return tokenText(seed, name, tokenPlans[name]);
}

/** The text of a token; the label tells it from every other one of this seed. */
export function tokenText(
  seed: string,
  label: string,
  { kind, isRotating }: Pick<TokenGrant, 'kind' | 'isRotating'>,
): string {
  const letter = kind === 'bot' ? 'b' : 'p';
  if (isRotating) return `xoxe.xox${letter}-1-${deriveText(seed, label, 163)}`;
  const number = (part: string) => deriveNumber(seed, `${label}/${part}`);
  const secret = derive(seed, `${label}/secret`).toString('hex').slice(0, 32);
  return `xox${letter}-${number('team')}-${number('user')}-${number('grant')}-${secret}`;
}

/** Tells which token was presented, from digests alone: seeded ones from the seed, issued ones from the world. */
export class TokenRegistry {
  readonly #names: ReadonlyMap<string, TokenName>;

  constructor(seed: string) {
    this.#names = new Map(tokenNames.map((name) => [digestOf(tokenValue(seed, name)), name]));
  }

  /** What a token stands for, alive or not. */
  grantOf(world: IssuedGrants, token: string | undefined): TokenGrant | undefined {
    if (token === undefined) return undefined;
    const digest = digestOf(token);
    const name = this.#names.get(digest);
    return name === undefined ? world.issuedGrant(digest) : world.grants.get(name);
  }
}

/** The part of a world that a registry reads. */
export interface IssuedGrants {
  readonly grants: ReadonlyMap<string, TokenGrant>;
  issuedGrant(digest: string): TokenGrant | undefined;
}
